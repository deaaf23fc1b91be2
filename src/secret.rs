use crate::{
    hex::{self, ParseError},
    seal::Cipher,
};
use aes_gcm::KeyInit;
use core::{fmt, str::FromStr};
use zeroize::Zeroizing;

/// The secret under which tokens are sealed: the walk-through's `CLIENT_SECRET`.
///
/// Made of 32 bytes, written as 64 hexadecimal digits (RFC 4648 section 8, either case), as `openssl rand -hex 32`
/// prints them. The AES-256 key schedule and the GHASH key are expanded once, here, so that
/// [`verify`](crate::verify) expands nothing: make it at the start of the program and keep it.
///
/// # Security
///
/// * 64 digits are a form, not a proof of randomness: take them from the operating system's generator.
/// * Use the secret for these tokens and for nothing else.
/// * Its own storage is erased on drop, and so are the parsed bytes. Copies that moves leave behind are not,
///   nor is what the cipher leaves on the stack when it expands the key, and whenever it is used.
/// * It can be neither read back, cloned, compared nor printed. Share it by reference, or in an `Arc` or a `static`.
/// * Parsing a well-formed text takes a time that does not depend on its digits. A text that is refused is searched
///   for its first bad character.
///
/// # Examples
///
/// ```
/// use client_keys::ClientSecret;
///
/// # let mut bytes = [0; 32];
/// # getrandom::fill(&mut bytes)?;
/// # let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
/// let secret: ClientSecret = text.parse()?;
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
    /// Expands 32 bytes into a secret. The caller erases their own copy of them.
    ///
    /// # Examples
    ///
    /// ```
    /// use client_keys::ClientSecret;
    ///
    /// let mut bytes = [0; 32];
    /// getrandom::fill(&mut bytes)?;
    /// let secret = ClientSecret::from_bytes(&bytes);
    /// bytes.fill(0); // or `zeroize::Zeroizing`, which the compiler cannot optimise away
    /// # Ok::<(), getrandom::Error>(())
    /// ```
    #[must_use]
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self {
            cipher: Cipher::new(bytes.into()),
        }
    }
}

/// Parses exactly 64 hexadecimal digits, either case, and nothing around them.
impl FromStr for ClientSecret {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let mut bytes = Zeroizing::new([0; 32]);
        hex::decode(text, bytes.as_mut())?;
        Ok(Self::from_bytes(&bytes))
    }
}

/// Shows that there is a secret, and nothing of it.
impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientSecret").finish_non_exhaustive()
    }
}
