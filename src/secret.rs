use crate::{
    hex::{self, ParseError},
    seal::Cipher,
};
use aes_gcm::KeyInit;
use core::{fmt, str::FromStr};
use zeroize::Zeroizing;

/// The secret under which tokens are sealed (`CLIENT_SECRET`).
///
/// Parse it from 64 hexadecimal digits (RFC 4648 section 8, either case), as `openssl rand -hex 32` prints them, or
/// make it from 32 bytes. This expands the AES-256 key schedule and the GHASH key, so that [`verify`](crate::verify)
/// need not: do it once, when the program starts, and keep the result.
///
/// # Security
///
/// * Take the 32 bytes from a generator for keys, such as the operating system's. The crate cannot tell whether they
///   are random.
/// * Use the secret for these tokens and for nothing else.
/// * You cannot read, clone, compare or print a `ClientSecret`. Share it in an `Arc` or a `OnceLock`; without `std`, by
///   reference.
/// * Its own storage is erased on drop, and parsing erases the bytes that it decodes. Not erased: copies that moves
///   leave behind, and what the cipher leaves on the stack.
/// * The time of parsing 64 digits does not depend on the digits. For a text that is refused, the time depends on the
///   position of its first character that is not a digit.
///
/// # Examples
///
/// ```
/// use client_keys::ClientSecret;
///
/// # let mut bytes = [0; 32];
/// # getrandom::fill(&mut bytes)?;
/// # let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
/// let secret: ClientSecret = text.parse()?; // the text of CLIENT_SECRET
/// assert_eq!(format!("{secret:?}"), "ClientSecret { .. }");
///
/// let error = "8d105ffc".parse::<ClientSecret>().unwrap_err();
/// assert_eq!(error.to_string(), "expected 64 hexadecimal digits, found 8 characters");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct ClientSecret {
    pub(crate) cipher: Cipher,
}

impl ClientSecret {
    /// Makes a secret from 32 bytes. Erase your copy of them in RAM afterwards.
    ///
    /// # Examples
    ///
    /// ```
    /// use client_keys::ClientSecret;
    ///
    /// let mut bytes = zeroize::Zeroizing::new([0; 32]); // erases them on drop
    /// getrandom::fill(&mut *bytes)?;
    /// let secret = ClientSecret::from_bytes(&bytes);
    /// # Ok::<(), getrandom::Error>(())
    /// ```
    #[must_use]
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self {
            cipher: Cipher::new(bytes.into()),
        }
    }
}

/// Parses exactly 64 hexadecimal digits, in either case.
impl FromStr for ClientSecret {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let mut bytes = Zeroizing::new([0; 32]);
        hex::decode(text, bytes.as_mut())?;
        Ok(Self::from_bytes(&bytes))
    }
}

/// Writes `ClientSecret { .. }` and nothing of the secret.
impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientSecret").finish_non_exhaustive()
    }
}
