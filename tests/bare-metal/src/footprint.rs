//! The smallest program that verifies a token, and with the feature `issue` issues one: what the crate costs in flash,
//! in static RAM and on the stack. No runtime lies below it, and nothing else is in it.

#![no_std]
#![no_main]

use client_keys::{ClientSecret, KeyId, verify};
use core::hint::black_box;

#[cfg(feature = "run")]
mod emulator;
#[cfg(feature = "run")]
mod stack;

// The first case of tests/vectors.json.
static SECRET: [u8; 32] = *b"\x1e\xf8\x26\xec\x0b\x16\x12\x08\x4d\x99\x65\x44\x26\x6a\x7f\xa3\
    \xf3\x7d\x00\xea\x94\xec\x5c\x82\xc6\x49\x72\xba\x5e\x7e\x25\x60";
static ALLOWED: [KeyId; 1] = [KeyId::from_bytes(
    *b"\x02\x6e\x9a\xb8\xca\x61\x6e\x4d\xe3\x4c\xc5\xf2\x19\x4d\x13",
)];
static TOKEN: [u8; 62] = *b"ck1_C-BRlAPLbAK_UU2zIL-dsYf3y4I_bNdpH8-lNjYWIVM38F1I1GujlyO7JQ";

// What examples/README.md says of a list.
const _: () = assert!(size_of::<KeyId>() == 16);

/// Where the linker starts. There is no runtime: nothing sets a stack pointer or prepares RAM.
#[cfg(not(feature = "run"))]
// SAFETY: no other symbol has this name.
#[unsafe(no_mangle)]
extern "C" fn _start() -> ! {
    let secret = expanded();
    black_box(accepted(&secret));
    #[cfg(feature = "issue")]
    black_box(issued(&secret));
    loop {}
}

/// The same with a look at the stack, which the emulator provides.
#[cfg(feature = "run")]
// SAFETY: no other symbol has this name.
#[unsafe(no_mangle)]
extern "C" fn _start() -> ! {
    let (to_expand, secret) = stack::used_by(expanded);
    let (to_verify, good) = stack::used_by(|| accepted(&secret));
    #[cfg(feature = "issue")]
    let (to_issue, good) = stack::used_by(|| good && issued(&secret));
    #[cfg(not(feature = "issue"))]
    let to_issue = 0;
    let size = size_of_val(&secret);
    emulator::print(format_args!("{size} {to_expand} {to_verify} {to_issue}\n"));
    emulator::exit(good)
}

// `black_box` keeps the compiler from working anything out beforehand. Three functions that are not inlined, so that
// the stack of one is not counted for another.

#[inline(never)]
fn expanded() -> ClientSecret {
    ClientSecret::from_bytes(black_box(&SECRET))
}

#[inline(never)]
fn accepted(secret: &ClientSecret) -> bool {
    verify(secret, black_box(&ALLOWED), black_box(&TOKEN)) == Ok(ALLOWED[0])
}

#[cfg(feature = "issue")]
#[inline(never)]
fn issued(secret: &ClientSecret) -> bool {
    use client_keys::issue;
    use client_keys::rand_core::{Infallible, TryCryptoRng, TryRng};

    /// NOT FOR USE: it always draws the same. It stands for a board's generator, whose size is the board's.
    struct Constant;

    impl TryRng for Constant {
        type Error = Infallible;

        fn try_next_u32(&mut self) -> Result<u32, Infallible> {
            Ok(0)
        }

        fn try_next_u64(&mut self) -> Result<u64, Infallible> {
            Ok(0)
        }

        fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
            bytes.fill(black_box(0));
            Ok(())
        }
    }

    impl TryCryptoRng for Constant {}

    let Ok(key) = issue(secret, &mut Constant);
    black_box(key.key_access_token.as_ref()).starts_with(b"ck1_")
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    #[cfg(feature = "run")]
    emulator::exit(false);
    #[cfg(not(feature = "run"))]
    loop {}
}
