//! No panic can be reached: the panic handler calls a function that does not exist, so this links only where the
//! optimiser has removed every call of the handler. Linked, never run; without `std` and without an allocator.
//! `.ci/no-panic` does it for each part.

#![no_std]
#![no_main]
#![allow(dead_code, unused_imports, reason = "each part uses its own")]

use client_keys::{
    ClientKey, ClientSecret, KeyId, ParseError, VerifyError, issue,
    rand_core::{TryCryptoRng, TryRng},
    verify,
};
use core::{ffi::c_int, fmt, hint::black_box, panic::PanicInfo, ptr::NonNull, slice};

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

#[unsafe(no_mangle)]
extern "C" fn main() -> c_int {
    let _ = black_box(part());
    0
}

#[cfg(feature = "verify")]
fn part() -> Result<KeyId, VerifyError> {
    verify(any(), any_slice::<KeyId>(), any_slice::<u8>())
}

#[cfg(feature = "issue")]
fn part() -> Result<ClientKey, core::convert::Infallible> {
    issue(any(), &mut Generator)
}

#[cfg(feature = "token")]
fn part() -> (&'static str, &'static [u8]) {
    let key = any::<ClientKey>();
    (key.key_access_token.as_str(), key.key_access_token.as_ref())
}

#[cfg(feature = "secret-from-bytes")]
fn part() -> ClientSecret {
    ClientSecret::from_bytes(any())
}

#[cfg(feature = "secret")]
fn part() -> Result<ClientSecret, ParseError> {
    any_text().parse()
}

#[cfg(feature = "id")]
fn part() -> Result<[u8; 15], ParseError> {
    any_text().parse().map(KeyId::to_bytes)
}

#[cfg(feature = "list")]
fn part() -> Option<Result<KeyId, ParseError>> {
    KeyId::parse_list(any_text())
        .inspect(|entry| {
            black_box(entry);
        })
        .last()
}

#[cfg(feature = "display")]
fn part() -> fmt::Result {
    use fmt::Write;
    write!(Sink, "{} {}", any::<KeyId>(), any::<VerifyError>())?;
    write!(Sink, "{} {:?}", any::<ParseError>(), any::<ClientKey>())
}

/// A control: the length is known only outside.
#[cfg(feature = "control")]
fn part() -> u8 {
    any_slice::<u8>()[14]
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
    type Error = core::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok(*any())
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Ok(*any())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        bytes.fill(*any());
        Ok(())
    }
}

impl TryCryptoRng for Generator {}

struct Sink;

impl fmt::Write for Sink {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        black_box(text);
        *any()
    }
}
