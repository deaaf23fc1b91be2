use aes_gcm::{
    AeadInOut, Aes256Gcm,
    aead::{
        array::Array,
        consts::{U12, U15, U43},
    },
};
use zeroize::Zeroizing;

/// Nonce and id, as they are drawn.
pub(crate) const DRAWN_LEN: usize = 27;
/// Nonce, ciphertext, tag.
pub(crate) const SEALED_LEN: usize = 43;

/// Encrypts and authenticates the drawn id under the drawn nonce: AES-256-GCM, NIST SP 800-38D section 7.1.
pub(crate) fn seal(cipher: &Aes256Gcm, associated_data: &[u8], drawn: &[u8; DRAWN_LEN]) -> Zeroizing<[u8; SEALED_LEN]> {
    let mut sealed = Zeroizing::new([0; SEALED_LEN]);
    let (before_tag, _) = sealed.split_at_mut(DRAWN_LEN);
    before_tag.copy_from_slice(drawn);
    let (nonce, rest) = Array::<u8, U43>::cast_from_core_mut(&mut sealed).split_ref_mut::<U12>();
    let (id, tag) = rest.split_ref_mut::<U15>();
    #[expect(clippy::expect_used, reason = "GCM's limit is 2^36 - 32 bytes")]
    let computed = cipher
        .encrypt_inout_detached(nonce, associated_data, id.as_mut_slice().into())
        .expect("15 bytes are not too long");
    *tag = computed;
    sealed
}

/// The id, if it was sealed under this key and nothing was altered since: NIST SP 800-38D section 7.2. Opened in place.
pub(crate) fn open(cipher: &Aes256Gcm, associated_data: &[u8], sealed: &mut [u8; SEALED_LEN]) -> Option<[u8; 15]> {
    let (nonce, rest) = Array::<u8, U43>::cast_from_core_mut(sealed).split_ref_mut::<U12>();
    let (ciphertext, tag) = rest.split_ref_mut::<U15>();
    cipher
        .decrypt_inout_detached(nonce, associated_data, ciphertext.as_mut_slice().into(), tag)
        .ok()?;
    Some((*ciphertext).into())
}
