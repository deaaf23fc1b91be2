use crate::{
    key_id::KeyId,
    seal,
    secret::ClientSecret,
    token::{self, AccessToken},
};
use rand_core::TryCryptoRng;
use zeroize::Zeroizing;

/// A client's key, as [`issue`] returns it: the only place where the id and its token are ever together.
///
/// List `key_id` in `CLIENT_KEYS`, hand `key_access_token` to the client. Neither can be had again.
#[derive(Debug)]
#[non_exhaustive]
pub struct ClientKey {
    /// What the operator lists to let the client in, and takes out to revoke its key.
    pub key_id: KeyId,
    /// What the client sends: `Authorization: Bearer <key_access_token>`.
    pub key_access_token: AccessToken,
}

/// Makes a client key: draws an id and seals it under the secret into an access token.
///
/// One call draws 27 bytes at once, 12 for the nonce and 15 for the id, and encrypts with AES-256-GCM
/// (NIST SP 800-38D).
///
/// # Errors
///
/// Returns the generator's own error if it fails. The bytes that it wrote are erased.
///
/// # Security
///
/// * Everything rests on the generator: use the operating system's (`getrandom::SysRng`). A repeated nonce lets
///   whoever holds both tokens forge any id that they know.
/// * Issue at most 2^32 tokens under one secret, counted over every program that holds it (SP 800-38D section 8.3);
///   the crate cannot count.
/// * The time that it takes does not depend on the secret or on what is drawn.
/// * The buffer of the drawn and sealed bytes is erased before it returns; what the cipher and the encoder leave on the
///   stack is not.
///
/// # Examples
///
/// ```
/// use client_keys::{ClientSecret, issue, verify};
/// use getrandom::SysRng;
///
/// # let mut bytes = [0; 32];
/// # getrandom::fill(&mut bytes)?;
/// # let secret = ClientSecret::from_bytes(&bytes);
/// let key = issue(&secret, &mut SysRng)?;
/// println!("key_id: {}", key.key_id);
/// println!("key_access_token: {}", key.key_access_token.as_str());
/// assert_eq!(verify(&secret, &[key.key_id], &key.key_access_token), Ok(key.key_id));
/// # Ok::<(), getrandom::Error>(())
/// ```
pub fn issue<R: TryCryptoRng + ?Sized>(secret: &ClientSecret, rng: &mut R) -> Result<ClientKey, R::Error> {
    let mut payload = Zeroizing::new([0; seal::SEALED_LEN]);
    let (drawn, _) = payload.split_at_mut(seal::DRAWN_LEN);
    rng.try_fill_bytes(drawn)?;

    let mut token = AccessToken::empty();
    let key_id = seal_and_encode(secret, &mut payload, &mut token);
    // Copied and not moved: what is moved is not erased in its old place.
    Ok(ClientKey {
        key_id,
        key_access_token: token.copy(),
    })
}

// Fills the token in its place, because building and returning it would leave a copy on the stack.
#[inline(never)]
fn seal_and_encode(secret: &ClientSecret, payload: &mut [u8; seal::SEALED_LEN], token: &mut AccessToken) -> KeyId {
    let id = seal::seal(&secret.cipher, &token::PREFIX, payload);
    token::encode(payload, token);
    KeyId::from_bytes(id)
}
