//! A Cortex-M3 that checks client keys: no heap, no operating system, the allow list in flash.
//!
//! `checks.rs` and `build.rs` test it on an emulated board; a firmware needs only what is in this file.

#![no_std]
#![no_main]

mod checks;

use client_keys::rand_core::{TryCryptoRng, TryRng, utils};
use client_keys::{ClientSecret, KeyId, issue, verify};
use core::{error::Error, fmt};
use semihosting::{println, process};

/// The allow list, in flash.
static ALLOWED: [KeyId; 1] = [KeyId::from_bytes(
    *b"\x02\x6e\x9a\xb8\xca\x61\x6e\x4d\xe3\x4c\xc5\xf2\x19\x4d\x13",
)];

/// NOT FOR USE: tests/vectors.json publishes it. A board has its own, in storage that nobody can read out.
static SECRET: [u8; 32] = *b"\x1e\xf8\x26\xec\x0b\x16\x12\x08\x4d\x99\x65\x44\x26\x6a\x7f\xa3\
    \xf3\x7d\x00\xea\x94\xec\x5c\x82\xc6\x49\x72\xba\x5e\x7e\x25\x60";

/// A token, as a client sends it.
static TOKEN: &str = "ck1_C-BRlAPLbAK_UU2zIL-dsYf3y4I_bNdpH8-lNjYWIVM38F1I1GujlyO7JQ";

#[cortex_m_rt::entry]
fn main() -> ! {
    let secret = ClientSecret::from_bytes(&SECRET);

    match verify(&secret, &ALLOWED, TOKEN) {
        Ok(key_id) => println!("accepted: {key_id}"),
        Err(error) => println!("refused: {error}"),
    }
    match issue(&secret, &mut HardwareGenerator(random_word)) {
        Ok(key) => println!("issued: {} {}", key.key_id, key.key_access_token.as_str()),
        Err(error) => println!("issued nothing: {error}"),
    }

    process::exit(i32::from(checks::run() != 0))
}

/// A board's generator: 32 bits at a time from its hardware, which may fail.
///
/// The board provides the word source. It waits until the peripheral has a word, and returns it. If the peripheral
/// reports an error (noise source dead, clock too slow), it returns the error, and `issue` issues nothing. On an STM32,
/// for instance, the flags are DRDY, CECS and SECS of `RNG_SR`, and the word is in `RNG_DR`; embassy's drivers and most
/// HALs implement these traits themselves. It must be a generator for keys: a conditioned and tested noise source (NIST
/// SP 800-90B), or a DRBG seeded from one; never a timer, an unconnected pin, or a fixed seed. A board without such a
/// source can only verify tokens, which draws nothing: issue them on another machine.
struct HardwareGenerator<W>(W);

impl<E: Error, W: FnMut() -> Result<u32, E>> TryRng for HardwareGenerator<W> {
    type Error = E;

    fn try_next_u32(&mut self) -> Result<u32, E> {
        (self.0)()
    }

    fn try_next_u64(&mut self) -> Result<u64, E> {
        utils::next_u64_via_u32(self)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), E> {
        utils::fill_bytes_via_next_word(bytes, || self.try_next_u32())
    }
}

/// The promise that the words are fit for keys.
impl<E: Error, W: FnMut() -> Result<u32, E>> TryCryptoRng for HardwareGenerator<W> {}

/// Replace this with your board's word source: the emulated board has none.
fn random_word() -> Result<u32, NoRandomness> {
    Err(NoRandomness)
}

#[derive(Debug, PartialEq)]
struct NoRandomness;

impl fmt::Display for NoRandomness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the board has no random number generator")
    }
}

impl Error for NoRandomness {}
