//! AES-256-GCM (NIST SP 800-38D) over the 15 bytes of an id, in place: nonce, id or ciphertext, tag.

use crate::aes256::Aes256;
use aes_gcm::{
    AeadInOut, AesGcm,
    aead::{
        array::Array,
        consts::{U12, U15, U16, U43},
    },
};
use core::marker::PhantomData;
use zeroize::ZeroizeOnDrop;

/// The key schedule and the GHASH key.
pub(crate) type Cipher = AesGcm<Aes256, U12>;

// Does not compile if `aes-gcm` is built without erasing them.
const _: () = {
    struct ErasedOnDrop<T: ZeroizeOnDrop>(PhantomData<T>);
    let _ = ErasedOnDrop::<Cipher>(PhantomData);
};

/// Nonce and id, as they are drawn.
pub(crate) const DRAWN_LEN: usize = 27;
/// Nonce, ciphertext, tag.
pub(crate) const SEALED_LEN: usize = 43;

/// Encrypts the id behind its nonce, puts the tag behind it (section 7.1), and returns the id.
pub(crate) fn seal(cipher: &Cipher, associated_data: &[u8], payload: &mut [u8; SEALED_LEN]) -> [u8; 15] {
    let (nonce, text, tag) = parts(payload);
    let id = *text;
    #[expect(clippy::expect_used, reason = "GCM's limit is 2^36 - 32 bytes (section 5.2.1.1)")]
    let computed = cipher
        .encrypt_inout_detached(nonce, associated_data, text.as_mut_slice().into())
        .expect("15 bytes are not too long");
    *tag = computed;
    id.into()
}

/// Decrypts the id if its tag is right (section 7.2), and returns it.
// `#[inline]` compiles it with its caller. Only then, in a default build, does the compiler see that nothing uses the
// round keys of a batch, which `aes` copies even for one block on processors with AVX-512 (`benches/README.md`).
#[inline]
pub(crate) fn open(cipher: &Cipher, associated_data: &[u8], payload: &mut [u8; SEALED_LEN]) -> Option<[u8; 15]> {
    let (nonce, text, tag) = parts(payload);
    cipher
        .decrypt_inout_detached(nonce, associated_data, text.as_mut_slice().into(), tag)
        .ok()?;
    Some((*text).into())
}

type Parts<'a> = (&'a Array<u8, U12>, &'a mut Array<u8, U15>, &'a mut Array<u8, U16>);

/// Nonce, id or ciphertext, tag.
fn parts(payload: &mut [u8; SEALED_LEN]) -> Parts<'_> {
    let (nonce, rest) = Array::<u8, U43>::cast_from_core_mut(payload).split_ref_mut::<U12>();
    let (text, tag) = rest.split_ref_mut::<U15>();
    (nonce, text, tag)
}
