//! What the targets share: one secret, and a generator that draws what the fuzzer chose.

use client_keys::rand_core::{Infallible, TryCryptoRng, TryRng};

pub const SECRET: [u8; 32] = *b"an example of a secret, 32 bytes";
/// Nonce and id, as one call of `issue` draws them.
pub const DRAWN_LEN: usize = 27;

pub struct Drawn<'a>(pub &'a [u8; DRAWN_LEN]);

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

/// Edits of three bytes each: what to do, where, and the byte.
pub fn edit(text: &mut Vec<u8>, edits: &[u8]) {
    for &[what, place, byte] in edits.as_chunks().0 {
        let place = usize::from(place) % (text.len() + 1);
        match what % 3 {
            0 => text.insert(place, byte),
            1 if place < text.len() => text[place] = byte,
            _ if place < text.len() => drop(text.remove(place)),
            _ => {}
        }
    }
}
