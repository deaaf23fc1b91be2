//! The crate's own sources around a cipher that is none: what is left is the text decoding, the hex parsing and the
//! scan, whose conditional branches `branches.py` finds in the machine code. The real cipher is its authors' concern.

#![no_std]
#![no_main]
#![allow(dead_code, reason = "only what _start names becomes machine code")]

#[path = "../../../src/base64url.rs"]
mod base64url;
#[path = "../../../src/hex.rs"]
mod hex;
#[path = "../../../src/key_id.rs"]
mod key_id;
#[path = "../../../src/token.rs"]
mod token;
#[path = "../../../src/verify.rs"]
mod verify;

use core::{hint::black_box, panic::PanicInfo};
use hex::ParseError;
use key_id::KeyId;
use secret::ClientSecret;
use verify::VerifyError;

mod secret {
    pub struct ClientSecret {
        pub(crate) cipher: (),
    }
}

mod seal {
    pub(crate) const SEALED_LEN: usize = 43;

    #[inline(never)]
    pub(crate) fn open((): &(), _: &[u8], sealed: &mut [u8; SEALED_LEN]) -> Option<[u8; 15]> {
        core::hint::black_box(sealed.first_chunk().copied())
    }
}

#[unsafe(no_mangle)]
extern "C" fn _start() -> ! {
    black_box(verify as fn(_, _, _) -> _);
    black_box(parse_hex as fn(_, _) -> _);
    black_box(leaky_scan as fn(_, _) -> _);
    black_box(leaky_masks as fn(_, _));
    loop {
        core::hint::spin_loop();
    }
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    loop {
        core::hint::spin_loop();
    }
}

fn verify(secret: &ClientSecret, allowed: &[KeyId], token: &[u8]) -> Result<KeyId, VerifyError> {
    verify::verify(secret, allowed, token)
}

fn parse_hex(text: &str, bytes: &mut [u8; 32]) -> Result<(), ParseError> {
    hex::decode(text, bytes)
}

/// The scan that must not be.
fn leaky_scan(id: &[u8; 15], allowed: &[[u8; 15]]) -> bool {
    for other in allowed {
        if other == id {
            return true;
        }
    }
    false
}

/// Masks made from comparisons: clean vector code on x86-64, branches or conditional instructions on small cores.
fn leaky_masks(text: &[u8; 58], sextets: &mut [u8; 58]) {
    for (to, from) in sextets.iter_mut().zip(text) {
        let c = from.cast_signed();
        let within = |first, last| -i8::from(first <= c && c <= last);
        let sextet = (within(65, 90) & c.wrapping_sub(65))
            | (within(97, 122) & c.wrapping_sub(71))
            | (within(48, 57) & c.wrapping_add(4))
            | (within(45, 45) & 62)
            | (within(95, 95) & 63);
        *to = sextet.cast_unsigned();
    }
}
