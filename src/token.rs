use crate::{base64url, wiped::Wiped};
use base64ct::{Base64Url, Encoding};
use core::fmt;

pub(crate) const PREFIX: [u8; 4] = *b"ck1_";
/// What the prefix is the base64url of, so that one call encodes the whole token.
const DECODED_PREFIX: [u8; 3] = [0x72, 0x4d, 0x7f];
/// base64ct's loop takes three bytes at a time. The compiler's vectors take sixteen times three at once, but only if more
/// follow: 51 bytes are encoded in two thirds of the time of 43 (`cargo bench --bench issue`).
const ENCODED_AT_ONCE: usize = (16 + 1) * 3;
/// A token's 62 characters and two more: whole vectors, which are copied without waiting for parts of others.
const STORED_LEN: usize = 64;

/// A token's text: the walk-through's `key_access_token`, which a client sends as its bearer token.
///
/// Always 62 ASCII characters: `ck1_` and 58 characters of base64url without padding (RFC 4648 section 5).
/// What they hold is told in the [crate's documentation](crate#the-tokens-format).
///
/// # Security
///
/// Whoever holds the token is let in. So there is no `Display`, `Debug` shows nothing of it, and its own storage is
/// erased on drop; copies that moves leave behind are not. Showing it is spelt [`as_str`](Self::as_str).
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
pub struct AccessToken(Wiped<STORED_LEN>);

impl AccessToken {
    pub(crate) const BLANK: Self = Self(Wiped([0; STORED_LEN]));

    /// The token's 62 characters, to be handed to the client: nothing can make them a second time.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Every character comes from an ASCII alphabet; the default is never taken, and would let nobody in.
        core::str::from_utf8(self.as_ref()).unwrap_or_default()
    }
}

/// The token's 62 bytes, as [`verify`](crate::verify) takes them.
impl AsRef<[u8]> for AccessToken {
    fn as_ref(&self) -> &[u8] {
        let [text @ .., _, _] = &self.0.0;
        text
    }
}

/// Shows that there is a token, and nothing of it.
impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken").finish_non_exhaustive()
    }
}

/// What a token is the text of, prefix and payload, and zeros behind it.
pub(crate) struct TokenBytes(Wiped<ENCODED_AT_ONCE>);

impl TokenBytes {
    pub(crate) const BLANK: Self = {
        let mut bytes = [0; ENCODED_AT_ONCE];
        if let Some(prefix) = bytes.first_chunk_mut() {
            *prefix = DECODED_PREFIX;
        }
        Self(Wiped(bytes))
    };

    pub(crate) fn payload(&mut self) -> &mut [u8; base64url::DECODED_LEN] {
        let [_, _, _, payload @ .., _, _, _, _, _] = &mut self.0.0;
        payload
    }
}

/// Fills `token` with the one text of its bytes. Filled in its place: a token that is returned is copied once more.
pub(crate) fn encode(bytes: &TokenBytes, token: &mut AccessToken) {
    let mut text = Wiped([0; ENCODED_AT_ONCE / 3 * 4]);
    // Its only error is a length that does not fit, and both are constants: no test could get here with another.
    let encoded = Base64Url::encode(&bytes.0.0, &mut text.0).is_ok();
    debug_assert!(encoded, "51 bytes are 68 characters");
    let [stored @ .., _, _, _, _] = text.0;
    token.0.0 = stored;
}

/// Fills `payload` from a token's text; `Some` if it is the one text of 62 characters that [`encode`] makes of it.
pub(crate) fn decode(token: &[u8], payload: &mut [u8; base64url::DECODED_LEN]) -> Option<()> {
    let (prefix, text) = token.split_first_chunk()?;
    let text = text.try_into().ok()?;
    if *prefix != PREFIX {
        return None;
    }
    base64url::decode(text, payload)
}
