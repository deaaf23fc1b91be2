//! No panic can be reached: the panic handler calls a function that does not exist, so this links only where the
//! optimiser has removed every call of the handler. Linked, never run; without `std` and without an allocator.

#![no_std]
#![no_main]

use client_keys::{
    ClientKey, ClientSecret, KeyId, ParseError, VerifyError, issue,
    rand_core::{TryCryptoRng, TryRng},
    verify,
};
use core::{
    convert::Infallible,
    ffi::c_int,
    fmt::{self, Write},
    hint::black_box,
    panic::PanicInfo,
    ptr::NonNull,
    slice,
};

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    unsafe extern "C" {
        safe fn a_panic_can_be_reached() -> !;
    }
    a_panic_can_be_reached()
}

// memcpy and its like.
#[link(name = "c")]
unsafe extern "C" {}

// SAFETY: no other symbol has this name.
#[unsafe(no_mangle)]
extern "C" fn main() -> c_int {
    used(|| verify(any(), any_slice::<KeyId>(), any_slice::<u8>()));
    used(|| issue(any(), &mut Generator));
    let key = any::<ClientKey>();
    used(|| (key.key_access_token.as_str(), key.key_access_token.as_ref()));
    used(|| any_text().parse().map(KeyId::to_bytes));
    used(|| KeyId::parse_list(any_text()).for_each(|entry| used(|| entry)));
    used(|| write!(Sink, "{} {}", any::<KeyId>(), any::<VerifyError>()));
    used(|| write!(Sink, "{} {key:?}", any::<ParseError>()));
    if cfg!(feature = "secret") {
        used(|| ClientSecret::from_bytes(any()));
        used(|| any_text().parse::<ClientSecret>());
    }
    if cfg!(feature = "control") {
        // The length is known only outside.
        used(|| any_slice::<u8>()[14]);
    }
    0
}

// Never inlined, so that the name of a function with a panic tells which call it is.
#[inline(never)]
fn used<T>(call: impl FnOnce() -> T) {
    drop(black_box(call()));
}

/// A value of which the optimiser knows nothing.
fn any<T>() -> &'static T {
    // SAFETY: there is nothing there; the program is never run.
    unsafe { black_box(NonNull::dangling()).as_ref() }
}

fn any_slice<T>() -> &'static [T] {
    // SAFETY: as above.
    unsafe { slice::from_raw_parts(any(), *any()) }
}

fn any_text() -> &'static str {
    // SAFETY: as above.
    unsafe { str::from_utf8_unchecked(any_slice()) }
}

struct Generator;

impl TryRng for Generator {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(*any())
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(*any())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        bytes.fill(*any());
        Ok(())
    }
}

impl TryCryptoRng for Generator {}

struct Sink;

impl Write for Sink {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        black_box(text);
        *any()
    }
}
