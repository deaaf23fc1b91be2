use crate::{key_id::KeyId, seal, secret::ClientSecret, token};
use core::fmt;
use subtle::Choice;

/// Checks a token: opens it under the secret and looks its id up in the allow list.
///
/// `token` is the token's text as bytes or `str`, taken as it is: without `Bearer `, without white space.
/// Returns the id of the accepted key.
///
/// # Errors
///
/// [`Malformed`](VerifyError::Malformed), [`Inauthentic`](VerifyError::Inauthentic) or
/// [`Unlisted`](VerifyError::Unlisted), decided in this order. With an empty list every key is refused.
///
/// # Security
///
/// * The time that it takes may depend on the token's length and prefix, on which of the four answers it is, and on
///   the number of listed ids. It does not depend on the secret, on the token's other contents, on the id, or on its
///   place in the list: every listed id is looked at.
/// * Nothing is decrypted before the tag is found right (NIST SP 800-38D section 7.2).
/// * Answer every error alike, with status 401; the variant is for the log.
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
    // Opened in place: a copy would have to wait until the decoder's stores are done.
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

/// Compares the id with every listed id, and decides once, at the end.
// Uses words instead of booleans, and `Choice` for the one conversion: a compiler that sees a boolean may branch on it
// and leave the loop early (README of `subtle`). The top bit stays set if every listed id differs.
fn is_listed(id: KeyId, allowed: &[KeyId]) -> bool {
    let all_differ = allowed.iter().fold(u64::MAX, |all, other| all & id.difference(*other));
    bool::from(Choice::from((!all_differ >> 63) as u8))
}

/// Why [`verify`] refused a token.
///
/// Answer all of them with the same 401: the variant is for the log. `Display` never shows the id, since an error's
/// text may end up in a response; the log takes it from [`Unlisted`](Self::Unlisted).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VerifyError {
    /// Not a version-1 token: wrong length, prefix or alphabet, or spare bits that are set.
    ///
    /// Decided from the token's text alone, without the secret.
    Malformed,
    /// Not sealed under this secret, or altered since.
    Inauthentic,
    /// Authentic, but its id is not in the allow list: revoked, or never listed.
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
