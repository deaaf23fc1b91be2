//! AES-256 for GCM, one block at a time.
//!
//! `aes_gcm::Aes256Gcm` also keeps decryption round keys, which GCM never uses (NIST SP 800-38D section 7), and
//! encrypts in batches of 2 to 64 blocks. A token has one block of plaintext: the batches would cost flash, stack and
//! time, and serve nothing. `AesGcm` is generic over its block cipher; this one hands each block to `aes`.

use aes_gcm::{
    KeyInit, KeySizeUser,
    aead::consts::{U1, U16, U32},
    aes::{
        Aes256Enc, Block,
        cipher::{
            BlockCipherEncBackend, BlockCipherEncClosure, BlockCipherEncrypt, BlockSizeUser, InOut, Key,
            ParBlocksSizeUser,
        },
    },
};
use zeroize::ZeroizeOnDrop;

pub(crate) struct Aes256(Aes256Enc);

impl KeySizeUser for Aes256 {
    type KeySize = U32;
}

impl KeyInit for Aes256 {
    fn new(key: &Key<Self>) -> Self {
        Self(Aes256Enc::new(key))
    }
}

impl BlockSizeUser for Aes256 {
    type BlockSize = U16;
}

// One block in each batch.
impl ParBlocksSizeUser for Aes256 {
    type ParBlocksSize = U1;
}

impl BlockCipherEncrypt for Aes256 {
    fn encrypt_with_backend(&self, closure: impl BlockCipherEncClosure<BlockSize = U16>) {
        closure.call(self);
    }
}

impl BlockCipherEncBackend for Aes256 {
    fn encrypt_block(&self, block: InOut<'_, '_, Block>) {
        self.0.encrypt_block_inout(block);
    }
}

// Does not compile if `aes` is built without erasing its round keys.
impl ZeroizeOnDrop for Aes256 where Aes256Enc: ZeroizeOnDrop {}
