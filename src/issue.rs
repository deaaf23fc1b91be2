use crate::{
    key_id::KeyId,
    seal,
    secret::ClientSecret,
    token::{self, AccessToken},
};
use rand_core::TryCryptoRng;
use zeroize::Zeroizing;

/// A new client key: an id, and the token that contains it in encrypted form.
///
/// List `key_id` in `CLIENT_KEYS`, and give `key_access_token` to the client. A lost token cannot be recovered.
#[derive(Debug)]
#[non_exhaustive]
pub struct ClientKey {
    /// The id to list in `CLIENT_KEYS`. To revoke the key, remove it.
    pub key_id: KeyId,
    /// The token that the client sends: `Authorization: Bearer <key_access_token>`.
    pub key_access_token: AccessToken,
}

/// Issues a client key: draws a random id and seals it under the secret into a token.
///
/// Each call draws 27 bytes at once, 12 for the nonce and 15 for the id, and encrypts the id with AES-256-GCM
/// (NIST SP 800-38D).
///
/// # Errors
///
/// Returns the generator's error if it fails. `issue` erases the bytes that the generator wrote.
///
/// # Security
///
/// * Use the operating system's generator (`getrandom::SysRng`) or a tested noise source. If a nonce repeats, someone
///   who holds both tokens can forge a token for any id that they know.
/// * Issue at most 2^32 tokens under one secret, counted over all programs that hold it (SP 800-38D section 8.3). The
///   crate cannot count them.
/// * The time does not depend on the secret or on the drawn bytes, in [the checked builds](crate#timing).
/// * `issue` erases its buffer of drawn and sealed bytes before it returns, but not what the cipher and the encoder
///   leave on the stack.
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
    // Copied and not moved, because nothing erases the place from which a value is moved.
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
