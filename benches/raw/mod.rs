//! The lower limits: the parts of `issue` and `verify` alone.
#![allow(dead_code, reason = "each benchmark uses a part of it")]

use aes_gcm::{
    AeadInOut, Aes256Gcm, KeyInit, Nonce, Tag,
    aead::{array::Array, consts::U12},
};
use base64ct::{Base64UrlUnpadded, Encoding};

pub const ASSOCIATED_DATA: &[u8; 4] = b"ck1_";

/// Decodes a token's payload of 43 bytes with `base64ct`.
pub fn decode(token: &[u8]) -> Option<[u8; 43]> {
    let mut payload = [0; 43];
    Base64UrlUnpadded::decode(token.strip_prefix(ASSOCIATED_DATA)?, &mut payload).ok()?;
    Some(payload)
}

/// A token's message, cut into the parts that the cipher takes, and a prepared key.
pub struct Message {
    cipher: Aes256Gcm,
    nonce: Nonce<U12>,
    id: [u8; 15],
    ciphertext: [u8; 15],
    pub tag: Tag,
}

impl Message {
    pub fn of_token(secret: &[u8; 32], token: &[u8]) -> Self {
        let payload = decode(token).expect("base64url");
        let (nonce, rest) = payload.split_first_chunk::<12>().expect("43 bytes");
        let (ciphertext, tag) = rest.split_first_chunk::<15>().expect("31 bytes");
        let mut message = Self {
            cipher: Aes256Gcm::new(secret.into()),
            nonce: (*nonce).into(),
            id: [0; 15],
            ciphertext: *ciphertext,
            tag: Array::try_from(tag).expect("16 bytes"),
        };
        message.id = message.open().expect("sealed under this secret");
        assert_eq!(message.seal(), (message.ciphertext, message.tag));
        message
    }

    /// Decrypts in place, as the crate does. Two separate buffers, without the copy, were not measurably faster.
    pub fn open(&self) -> Option<[u8; 15]> {
        let mut text = self.ciphertext;
        self.cipher
            .decrypt_inout_detached(&self.nonce, ASSOCIATED_DATA, text.as_mut_slice().into(), &self.tag)
            .ok()?;
        Some(text)
    }

    pub fn seal(&self) -> ([u8; 15], Tag) {
        let mut text = self.id;
        let tag = self
            .cipher
            .encrypt_inout_detached(&self.nonce, ASSOCIATED_DATA, text.as_mut_slice().into())
            .expect("15 bytes are not too long");
        (text, tag)
    }
}

/// The least work that reads every listed id: adds up 16 bytes for each.
pub fn sum(ids: &[[u64; 2]]) -> u64 {
    ids.as_flattened()
        .iter()
        .fold(0, |sum: u64, word| sum.wrapping_add(*word))
}
