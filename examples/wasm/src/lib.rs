//! The crate as a WebAssembly module without `std`, an allocator or bindings: functions over memory that the host
//! manages. `client-keys.mjs` is the host's side.

#![no_std]

use client_keys::rand_core::{TryCryptoRng, TryRng, utils};
use client_keys::{ClientSecret, KeyId, VerifyError};
use core::{error::Error, fmt, ptr::NonNull, slice, str};

#[link(wasm_import_module = "host")]
unsafe extern "C" {
    /// Fills `length` bytes from the host's generator for keys, and returns 1 if it did. It never throws, because an
    /// exception that passes through this module would not restore the stack pointer.
    fn random(to: *mut u8, length: usize) -> u32;
}

/// The host's generator failed. The host knows why.
#[derive(Debug)]
struct NoRandomness;

impl fmt::Display for NoRandomness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no randomness from the host")
    }
}

impl Error for NoRandomness {}

/// The host's generator.
struct Host;

impl TryRng for Host {
    type Error = NoRandomness;

    fn try_next_u32(&mut self) -> Result<u32, NoRandomness> {
        utils::next_word_via_fill(self)
    }

    fn try_next_u64(&mut self) -> Result<u64, NoRandomness> {
        utils::next_word_via_fill(self)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
        // SAFETY: the host writes these bytes and no others.
        match unsafe { random(bytes.as_mut_ptr(), bytes.len()) } {
            1 => Ok(()),
            _ => Err(NoRandomness),
        }
    }
}

impl TryCryptoRng for Host {}

// The host's promise to the functions below, in place of a Safety section for each: a pointer is into this module's
// memory, past `__heap_base`, to as many bytes as its type or length says, and aligned to 16 bytes unless its type is
// bytes; `read_client_secret` has filled `secret`, and `read_client_keys` has filled `allowed`.

/// The number of bytes that the host reserves for a secret.
// SAFETY, here and below: no other symbol has this name.
#[unsafe(no_mangle)]
pub extern "C" fn client_secret_size() -> usize {
    size_of::<ClientSecret>()
}

/// The number of bytes that the host reserves for each id of a list.
#[unsafe(no_mangle)]
pub extern "C" fn key_id_size() -> usize {
    size_of::<KeyId>()
}

/// Parses the text of `CLIENT_SECRET`. Returns 1, or 0 if it is not a secret.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn read_client_secret(text: *const u8, length: usize, secret: NonNull<ClientSecret>) -> u32 {
    // SAFETY: the host's promise.
    let text = unsafe { slice::from_raw_parts(text, length) };
    match str::from_utf8(text).map(str::parse) {
        Ok(Ok(parsed)) => {
            // SAFETY: the host's promise.
            unsafe { secret.write(parsed) };
            1
        }
        _ => 0,
    }
}

/// Parses the text of `CLIENT_KEYS`. Returns the number of ids, or -1 if an entry is not an id or `room` is too small.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn read_client_keys(text: *const u8, length: usize, allowed: NonNull<KeyId>, room: usize) -> i32 {
    // SAFETY: the host's promise.
    let Ok(text) = str::from_utf8(unsafe { slice::from_raw_parts(text, length) }) else {
        return -1;
    };
    let mut count = 0;
    for id in KeyId::parse_list(text) {
        let Ok(id) = id else { return -1 };
        if count == room {
            return -1;
        }
        // SAFETY: the host's promise, and `count` is below `room`.
        unsafe { allowed.add(count).write(id) };
        count += 1;
    }
    i32::try_from(count).unwrap_or(-1)
}

/// Returns 0 accepted, 1 malformed, 2 inauthentic, or 3 unlisted. Writes the id for 0 and 3.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn verify(
    secret: NonNull<ClientSecret>,
    allowed: NonNull<KeyId>,
    listed: usize,
    token: NonNull<u8>,
    length: usize,
    id: NonNull<[u8; 15]>,
) -> u32 {
    // SAFETY: the host's promise.
    let (secret, allowed, token) = unsafe {
        (
            secret.as_ref(),
            NonNull::slice_from_raw_parts(allowed, listed).as_ref(),
            NonNull::slice_from_raw_parts(token, length).as_ref(),
        )
    };
    let (answer, found) = match client_keys::verify(secret, allowed, token) {
        Ok(found) => (0, found),
        Err(VerifyError::Malformed) => return 1,
        Err(VerifyError::Unlisted(found)) => (3, found),
        Err(_) => return 2,
    };
    // SAFETY: the host's promise.
    unsafe { id.write(found.to_bytes()) };
    answer
}

/// Issues a key. Returns 1 after it wrote the id and the token, or 0 if the host's generator failed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn issue(secret: NonNull<ClientSecret>, id: NonNull<[u8; 15]>, token: NonNull<[u8; 62]>) -> u32 {
    // SAFETY: the host's promise.
    let Ok(key) = client_keys::issue(unsafe { secret.as_ref() }, &mut Host) else {
        return 0;
    };
    // SAFETY: the host's promise. A token is 62 bytes.
    unsafe {
        id.write(key.key_id.to_bytes());
        let text = key.key_access_token.as_ref();
        token
            .cast()
            .copy_from_nonoverlapping(NonNull::from(text).cast::<u8>(), text.len());
    }
    1
}

/// Drops a secret, which erases it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn drop_client_secret(secret: NonNull<ClientSecret>) {
    // SAFETY: the host's promise, and the host does not use the secret afterwards.
    unsafe { secret.drop_in_place() };
}

#[cfg(target_family = "wasm")]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
