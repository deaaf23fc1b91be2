use crate::base64url;
use base64ct::{Base64UrlUnpadded, Encoding};
use core::fmt;
use zeroize::Zeroizing;

pub(crate) const PREFIX: [u8; 4] = *b"ck1_";
const LEN: usize = PREFIX.len() + base64url::ENCODED_LEN;

/// A token (`key_access_token`), which a client sends as its bearer token.
///
/// A token is always 62 ASCII characters: `ck1_` and 58 characters of base64url without padding (RFC 4648 section 5).
/// [`token_format`](crate::token_format) says what they encode.
///
/// # Security
///
/// Anyone who holds the token can use it. There is deliberately no `Display`; call [`as_str`](Self::as_str) to expose
/// it. `Debug` shows nothing of it. Its own storage is erased on drop; copies that moves leave behind are not.
///
/// # Examples
///
/// ```
/// use client_keys::{ClientSecret, issue};
/// use getrandom::SysRng;
///
/// # let mut bytes = [0; 32];
/// # getrandom::fill(&mut bytes)?;
/// # let secret = ClientSecret::from_bytes(&bytes);
/// let key = issue(&secret, &mut SysRng)?;
/// assert_eq!(key.key_access_token.as_str().len(), 62);
/// assert_eq!(format!("{:?}", key.key_access_token), "AccessToken { .. }");
/// # Ok::<(), getrandom::Error>(())
/// ```
pub struct AccessToken(Zeroizing<[u8; LEN]>);

impl AccessToken {
    /// Makes a buffer for [`encode`] to fill.
    pub(crate) fn empty() -> Self {
        Self(Zeroizing::new([0; LEN]))
    }

    pub(crate) fn copy(&self) -> Self {
        Self(self.0.clone())
    }

    /// Returns the token's 62 characters. Give them to the client: nothing can recover them.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Every character is ASCII. The default is unreachable, and `verify` refuses an empty token.
        core::str::from_utf8(self.as_ref()).unwrap_or_default()
    }
}

/// Returns the token's 62 bytes, which [`verify`](crate::verify) takes.
impl AsRef<[u8]> for AccessToken {
    fn as_ref(&self) -> &[u8] {
        self.0.as_slice()
    }
}

/// Writes `AccessToken { .. }` and nothing of the token.
impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken").finish_non_exhaustive()
    }
}

/// Encodes a payload as a token.
pub(crate) fn encode(payload: &[u8; base64url::DECODED_LEN], token: &mut AccessToken) {
    let (prefix, text) = token.0.split_at_mut(PREFIX.len());
    prefix.copy_from_slice(&PREFIX);
    #[expect(clippy::expect_used, reason = "both lengths are constants")]
    Base64UrlUnpadded::encode(payload, text).expect("43 bytes are 58 characters");
}

/// Fills `payload` from a token's text. Returns `Some` only if [`encode`] could have written the text.
pub(crate) fn decode(token: &[u8], payload: &mut [u8; base64url::DECODED_LEN]) -> Option<()> {
    let (prefix, text) = token.split_first_chunk()?;
    let text = text.try_into().ok()?;
    if *prefix != PREFIX {
        return None;
    }
    base64url::decode(text, payload)
}
