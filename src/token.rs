use crate::{base64url, wiped::Wiped};
use base64ct::{Base64Url, Encoding};
use core::fmt;

pub(crate) const PREFIX: [u8; 4] = *b"ck1_";
/// The bytes whose base64url is [`PREFIX`]: in front of the payload, they let one call encode the whole token.
const PREFIX_BYTES: [u8; 3] = [0x72, 0x4d, 0x7f];
/// What is encoded: 3 + 43 bytes, and zeros up to 17 groups of three. The compiler makes vectors of 16 groups, but only if
/// another follows: 51 bytes take two thirds of the time of 43 (x86-64; `cargo bench --bench issue -- base64ct`).
const UNENCODED_LEN: usize = 17 * 3;
/// What is kept of the text: 62 characters, and two of the zeros' to make whole vectors, which are copied faster.
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

/// A token before it is encoded: prefix, payload, and zeros, of which four bits end the token's last character.
pub(crate) struct TokenBytes(Wiped<UNENCODED_LEN>);

impl TokenBytes {
    /// With the prefix in place: the encoder would have to wait for it if it were written last.
    #[inline]
    pub(crate) fn blank() -> Self {
        let mut bytes = Self(Wiped([0; UNENCODED_LEN]));
        let [a, b, c, ..] = &mut bytes.0.0;
        [*a, *b, *c] = PREFIX_BYTES;
        bytes
    }

    pub(crate) fn payload(&mut self) -> &mut [u8; base64url::DECODED_LEN] {
        let [_, _, _, payload @ .., _, _, _, _, _] = &mut self.0.0;
        payload
    }
}

/// Fills `token` in its place: to return it would copy it once more.
pub(crate) fn encode(bytes: &TokenBytes, token: &mut AccessToken) {
    let mut text = Wiped([0; UNENCODED_LEN / 3 * 4]);
    // Groups of three bytes need no `=`. `Base64UrlUnpadded` is slower: it also encodes the empty rest.
    let encoded = Base64Url::encode(&bytes.0.0, &mut text.0).is_ok();
    // Its only error is a length that does not fit, and both are constants: no test could get here with another.
    debug_assert!(encoded, "51 bytes are 68 characters");
    let [stored @ .., _, _, _, _] = &text.0;
    token.0.0 = *stored;
}

/// Fills `payload` from a token's text; `Some` only if [`encode`] could have made it.
pub(crate) fn decode(token: &[u8], payload: &mut [u8; base64url::DECODED_LEN]) -> Option<()> {
    let (prefix, text) = token.split_first_chunk()?;
    let text = text.try_into().ok()?;
    if *prefix != PREFIX {
        return None;
    }
    base64url::decode(text, payload)
}
