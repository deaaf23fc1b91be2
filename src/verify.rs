use crate::{key_id::KeyId, seal, secret::ClientSecret, token};
use core::fmt;
use subtle::Choice;

/// Verifies a token: opens it under the secret, checks its id against the allow list, and returns the id.
///
/// `token` is a `str` or bytes. `verify` trims nothing: pass the token alone, without `Bearer` and without white space.
///
/// # Errors
///
/// Returns the first of [`Malformed`](VerifyError::Malformed), [`Inauthentic`](VerifyError::Inauthentic) and
/// [`Unlisted`](VerifyError::Unlisted) that applies. An empty list accepts no key.
///
/// # Security
///
/// * The time may depend on the token's length and prefix, on which of the four results it returns, and on the number
///   of listed ids. It does not depend on the secret, on the token's other contents, on the id or on its place in the
///   list: `verify` compares every listed id. This holds in [the checked builds](crate#timing).
/// * `verify` decrypts only after it has verified the tag (NIST SP 800-38D section 7.2).
/// * Answer every error with the same status 401. The variant is for the log.
///
/// # Examples
///
/// ```
/// use client_keys::{ClientSecret, VerifyError, issue, verify};
/// use getrandom::SysRng;
///
/// # let mut bytes = [0; 32];
/// # getrandom::fill(&mut bytes)?;
/// # let secret = ClientSecret::from_bytes(&bytes);
/// let key = issue(&secret, &mut SysRng)?;
/// let token = key.key_access_token.as_str();
/// assert_eq!(verify(&secret, &[key.key_id], token), Ok(key.key_id));
/// assert_eq!(verify(&secret, &[], token), Err(VerifyError::Unlisted(key.key_id)));
/// assert_eq!(verify(&secret, &[key.key_id], "ck1_"), Err(VerifyError::Malformed));
/// # Ok::<(), getrandom::Error>(())
/// ```
pub fn verify(secret: &ClientSecret, allowed: &[KeyId], token: impl AsRef<[u8]>) -> Result<KeyId, VerifyError> {
    verify_bytes(secret, allowed, token.as_ref())
}

fn verify_bytes(secret: &ClientSecret, allowed: &[KeyId], token: &[u8]) -> Result<KeyId, VerifyError> {
    // Opened in place, because a copy would wait for the decoder's stores.
    let mut payload = [0; seal::SEALED_LEN];
    token::decode(token, &mut payload).ok_or(VerifyError::Malformed)?;
    let id = seal::open(&secret.cipher, &token::PREFIX, &mut payload).ok_or(VerifyError::Inauthentic)?;
    let id = KeyId::from_bytes(id);
    if is_listed(id, allowed) {
        Ok(id)
    } else {
        Err(VerifyError::Unlisted(id))
    }
}

/// Compares the id with every listed id, and decides after the last.
// Uses words instead of booleans, and `Choice` for the one conversion: a compiler that sees a boolean may branch on it
// and leave the loop early (README of `subtle`). The top bit stays set if every listed id differs.
fn is_listed(id: KeyId, allowed: &[KeyId]) -> bool {
    let all_differ = allowed.iter().fold(u64::MAX, |all, other| all & id.difference(*other));
    bool::from(Choice::from((!all_differ >> 63) as u8))
}

/// Why [`verify`] refused a token.
///
/// Answer every variant with the same status 401. Log it with `{:?}`, which shows the id (see [`KeyId`] on when not
/// to); `Display` does not, because an error's text may end up in a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VerifyError {
    /// Not the text of a version-1 token: its length, its prefix or a character is wrong, or its last character has
    /// spare bits that are not zero.
    ///
    /// Usually the client sent another kind of credential, or did not send all 62 characters after `Bearer` and the
    /// space. `verify` decides this without the secret.
    Malformed,
    /// The token was altered, or issued under another secret.
    ///
    /// If many tokens are refused, compare this service's `CLIENT_SECRET` with the one under which they were issued.
    Inauthentic,
    /// The token is authentic, but its id is not in the allow list: it was revoked, or never listed.
    ///
    /// To accept the key, list the id.
    Unlisted(KeyId),
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "not a client key token: expected \"ck1_\" and 58 characters of base64url",
            Self::Inauthentic => "token altered, or not issued under this client secret",
            Self::Unlisted(_) => "key id not in the allow list",
        })
    }
}

impl core::error::Error for VerifyError {}
