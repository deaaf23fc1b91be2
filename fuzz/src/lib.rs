//! Shared by the targets: one secret, and a generator that returns the fuzzer's bytes.

use client_keys::rand_core::{Infallible, TryCryptoRng, TryRng};

pub const SECRET: [u8; 32] = *b"an example of a secret, 32 bytes";

/// Nonce and id, as one call of `issue` draws them.
pub struct Drawn<'a>(pub &'a [u8; 27]);

impl TryRng for Drawn<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        unimplemented!("issue draws bytes")
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        unimplemented!("issue draws bytes")
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        bytes.copy_from_slice(self.0);
        Ok(())
    }
}

impl TryCryptoRng for Drawn<'_> {}
