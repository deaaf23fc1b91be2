//! The smallest program that verifies a token, and with the feature `issue` issues one: what the crate costs in flash,
//! in static RAM, on the stack and in instructions. No runtime lies below it, and nothing else is in it.

#![no_std]
#![no_main]

use client_keys::{ClientSecret, KeyId, VerifyError, verify};
use core::hint::black_box;

#[cfg(feature = "run")]
mod emulator;
#[cfg(feature = "run")]
mod stack;

// The first case of tests/vectors.json.
static SECRET: [u8; 32] = *b"\x1e\xf8\x26\xec\x0b\x16\x12\x08\x4d\x99\x65\x44\x26\x6a\x7f\xa3\
    \xf3\x7d\x00\xea\x94\xec\x5c\x82\xc6\x49\x72\xba\x5e\x7e\x25\x60";
const ID: KeyId = KeyId::from_bytes(*b"\x02\x6e\x9a\xb8\xca\x61\x6e\x4d\xe3\x4c\xc5\xf2\x19\x4d\x13");
static ALLOWED: [KeyId; 1] = [ID];
#[cfg(feature = "run")]
static MANY: [KeyId; 65] = [ID; 65];
static TOKEN: [u8; 62] = *b"ck1_C-BRlAPLbAK_UU2zIL-dsYf3y4I_bNdpH8-lNjYWIVM38F1I1GujlyO7JQ";

#[cfg(feature = "issue")]
static DRAWN: [u8; 27] = [7; 27];

// What src/NO_STD.md says of a list.
const _: () = assert!(size_of::<KeyId>() == 16);

/// Where the linker starts. There is no runtime: nothing sets a stack pointer or prepares RAM.
#[cfg(not(feature = "run"))]
// SAFETY: no other symbol has this name.
#[unsafe(no_mangle)]
extern "C" fn _start() -> ! {
    let secret = expanded(black_box(&SECRET));
    let _ = black_box(verified(&secret, black_box(&ALLOWED), black_box(&TOKEN)));
    #[cfg(feature = "issue")]
    black_box(issued(&secret, black_box(&DRAWN)));
    #[cfg(feature = "proof")]
    black_box((
        parsed(black_box("")).is_ok(),
        leaky(black_box(&ALLOWED), black_box(&ALLOWED[0])),
    ));
    loop {}
}

/// The same with a look at the stack, which the emulator provides. `.ci/full` counts the instructions of these calls.
#[cfg(feature = "run")]
// SAFETY: no other symbol has this name.
#[unsafe(no_mangle)]
extern "C" fn _start() -> ! {
    stack::used_by(|| control());
    let (to_expand, secret) = stack::used_by(|| expanded(black_box(&SECRET)));
    let (to_verify, id) = stack::used_by(|| verified(&secret, black_box(&ALLOWED), black_box(&TOKEN)));
    let (to_verify_more, same) = stack::used_by(|| verified(&secret, black_box(&MANY), black_box(&TOKEN)));
    let good = id == Ok(ID) && same == id && to_verify_more == to_verify;
    #[cfg(feature = "issue")]
    let (to_issue, key) = stack::used_by(|| issued(&secret, black_box(&DRAWN)));
    #[cfg(feature = "issue")]
    let good = good && key.key_access_token.as_str().starts_with("ck1_");
    #[cfg(not(feature = "issue"))]
    let to_issue = 0;
    let size = size_of_val(&secret);
    emulator::print(format_args!("{size} {to_expand} {to_verify} {to_issue}\n"));
    emulator::exit(good)
}

// `black_box` keeps the compiler from working anything out beforehand. Three functions that are not inlined, so that
// the stack and the instructions of one are not counted for another.

#[inline(never)]
fn expanded(secret: &[u8; 32]) -> ClientSecret {
    ClientSecret::from_bytes(secret)
}

#[inline(never)]
fn verified(secret: &ClientSecret, allowed: &[KeyId], token: &[u8]) -> Result<KeyId, VerifyError> {
    verify(secret, allowed, token)
}

#[cfg(feature = "issue")]
#[inline(never)]
fn issued(secret: &ClientSecret, drawn: &[u8; 27]) -> client_keys::ClientKey {
    use client_keys::issue;
    use client_keys::rand_core::{Infallible, TryCryptoRng, TryRng};

    /// NOT FOR USE: it draws the same each time. It stands for a board's generator, whose size and time are the board's.
    struct Constant<'a>(&'a [u8; 27]);

    impl TryRng for Constant<'_> {
        type Error = Infallible;

        fn try_next_u32(&mut self) -> Result<u32, Infallible> {
            Ok(0)
        }

        fn try_next_u64(&mut self) -> Result<u64, Infallible> {
            Ok(0)
        }

        fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
            bytes.iter_mut().zip(self.0).for_each(|(byte, drawn)| *byte = *drawn);
            Ok(())
        }
    }

    impl TryCryptoRng for Constant<'_> {}

    let Ok(key) = issue(secret, &mut Constant(drawn));
    key
}

#[cfg(feature = "proof")]
#[inline(never)]
fn parsed(text: &str) -> Result<ClientSecret, client_keys::ParseError> {
    text.parse()
}

/// The control of the proof: stops at the id that it finds.
#[cfg(feature = "proof")]
#[inline(never)]
fn leaky(allowed: &[KeyId], id: &KeyId) -> bool {
    allowed.contains(id)
}

/// The control of the counts: 1002 instructions, of which 250 multiply.
#[cfg(feature = "run")]
// SAFETY: it returns, and changes only registers that a call may change.
#[unsafe(naked)]
extern "C" fn control() {
    core::arch::naked_asm!(
        #[cfg(target_arch = "arm")]
        "movs r0, #250; 1: nop; muls r1, r1, r1; subs r0, #1; bne 1b; bx lr",
        #[cfg(target_arch = "riscv32")]
        ".option arch, +m; li a0, 250; 1: nop; mul a1, a1, a1; addi a0, a0, -1; bnez a0, 1b; ret",
    )
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    #[cfg(feature = "run")]
    emulator::exit(false);
    #[cfg(not(feature = "run"))]
    loop {}
}
