//! API keys for server-to-server APIs. [`issue`] seals a random key id under a 32-byte secret; [`verify`] opens the
//! token and checks the id against an allow list in constant time. `no_std`, no heap, no `unsafe` of its own.
//!
//! If you read a database for each request anyway, need metadata for each key or want no secret that makes keys, prefer
//! a random key, and store its SHA-256. If tokens expire, carry claims or are verified with a public key, prefer JWT or
//! PASETO.
//!
//! 1. Make a secret once with `openssl rand -hex 32`, keep it as `CLIENT_SECRET`, and parse it into a [`ClientSecret`]
//!    when the service starts.
//! 2. [`issue`] a key for each client. Its token exists only in the returned [`ClientKey`]: a lost one cannot
//!    be recovered.
//! 3. List the ids to accept in `CLIENT_KEYS`, and parse them with [`KeyId::parse_list`]. To revoke a key, remove its
//!    id.
//! 4. The client sends `Authorization: Bearer <key_access_token>`. The service calls [`verify`] with the token, and
//!    answers every [`VerifyError`] with status 401.
//!
//! ```
//! use client_keys::{ClientSecret, KeyId, VerifyError, issue, verify};
//! use getrandom::SysRng;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let mut bytes = [0; 32];
//! # getrandom::fill(&mut bytes)?;
//! # let client_secret = bytes.map(|byte| format!("{byte:02x}")).concat();
//! let secret: ClientSecret = client_secret.parse()?; // the text of CLIENT_SECRET
//!
//! let key = issue(&secret, &mut SysRng)?;
//! let (id, token) = (key.key_id, key.key_access_token.as_str());
//!
//! let client_keys = format!("{id}, 0123456789abcdef0123456789abcd"); // the text of CLIENT_KEYS
//! let allowed: Vec<KeyId> = KeyId::parse_list(&client_keys).collect::<Result<_, _>>()?;
//! assert_eq!(verify(&secret, &allowed, token), Ok(id));
//! assert_eq!(verify(&secret, &allowed[1..], token), Err(VerifyError::Unlisted(id)));
//! # Ok(())
//! # }
//! ```
//!
//! [`issue`] takes any generator of `rand_core` 0.10; `SysRng` comes from `getrandom` 0.4 with the feature `sys_rng`.
//! [`verify`] needs no generator. The crate reads neither the environment nor files, and has no features to switch. It
//! needs Rust 1.85 or later. A new major version of `rand_core` is a breaking release.
//!
//! # Rotation
//!
//! For a planned rotation, issue under the new secret, and try the previous one only when the new one returns
//! [`Inauthentic`](VerifyError::Inauthentic). Remove the previous secret by a set date. After a theft there is no
//! overlap: drop the stolen secret at once and issue every key again, because the thief can make a token for any id
//! that they know.
//!
//! ```
//! use client_keys::{ClientSecret, KeyId, VerifyError, verify};
//!
//! fn verify_in_rotation(
//!     new: &ClientSecret,
//!     previous: &ClientSecret,
//!     allowed: &[KeyId],
//!     token: &[u8],
//! ) -> Result<KeyId, VerifyError> {
//!     match verify(new, allowed, token) {
//!         Err(VerifyError::Inauthentic) => verify(previous, allowed, token),
//!         result => result,
//!     }
//! }
//! ```
//!
//! # Ids in a database
//!
//! [`verify`] refuses forged tokens before your code queries anything. With an empty list, it returns
//! [`Unlisted`](VerifyError::Unlisted) for every authentic token. Store the SHA-256 of each id, look it up, and refuse
//! on any other result:
//!
//! ```
//! use client_keys::{ClientSecret, VerifyError, verify};
//! use sha2::{Digest, Sha256};
//!
//! fn client(
//!     secret: &ClientSecret,
//!     token: &[u8],
//!     look_up: impl Fn([u8; 32]) -> Option<String>,
//! ) -> Option<String> {
//!     match verify(secret, &[], token) {
//!         Err(VerifyError::Unlisted(id)) => look_up(Sha256::digest(id.to_bytes()).into()),
//!         _ => None,
//!     }
//! }
//! ```
//!
//! # Security
//!
//! `verify` accepts only tokens issued under your secret for an id on your list, and a token does not reveal its id.
//! This holds against someone without the secret who sees any number of other clients' tokens and ids, sends any
//! requests and measures response times, as long as no nonce repeats.
//!
//! It does not hold against a stolen secret, a stolen token, a bad random generator, or someone who reads the memory of
//! the process. The crate does not protect against power analysis, fault injection or reading out flash. Use the secret
//! for nothing else, and issue at most 2^32 tokens under it, counted over all programs that hold it. Everyone who can
//! verify can also issue.
//!
//! ## Timing
//!
//! * The time may depend on the token's length and prefix, on whether it is well-formed, on whether it is accepted or
//!   which error it has, on the number of listed ids, and, if you try several secrets, on which one sealed it.
//! * It does not depend on the secret, on the token's other contents, on the id or on its place in the list.
//!
//! This is checked on the machine code of the release profile for x86-64, Armv6-M, Armv7E-M and RV32IMC.
//! `tests/README.md` in the repository names the commands and what they do not cover; other targets and profiles are
//! not covered. Nor are processors that vary the time of basic instructions: x86-64 without DOITM, AArch64 without DIT,
//! and the 64-bit multiplication of Cortex-M3. After `Unlisted`, what you do with the id, and how long it takes, is
//! outside this guarantee.
//!
//! ## Other limits
//!
//! **Erasure.** [`ClientSecret`] and [`AccessToken`] erase their own storage on drop. `issue` erases the drawn bytes
//! and its payload, and parsing erases the bytes of the secret. Not erased: ids, copies that moves leave behind, the
//! payload that `verify` decodes, and what the cipher and the encoder leave on the stack.
//!
//! **AES-GCM is not key-committing:** someone who knows two secrets can craft one token valid under both, for ids that
//! they cannot choose. Never let tenants choose a secret: 64 hexadecimal digits need not be random.
//!
//! **Dependencies.** Constant-time fixes for Cortex-M0, RISC-V and AArch64 are in `ctutils` 0.4.8, `cmov` 0.5.4, `aes`
//! 0.9.4 and later. Check yours with `cargo tree`. If the `rust-version` of your package is below 1.89, cargo may
//! choose older releases without them: raise it.
//!
//! # `no_std`
//!
//! The crate needs no operating system, no allocator and no static RAM, and no input makes it panic. With AES in
//! software it takes less than 16 KiB of flash, and a call less than 1.5 KiB of stack. A [`ClientSecret`] takes 272
//! bytes, and each listed id 16.
//!
//! ```
//! use client_keys::rand_core::{TryCryptoRng, TryRng, utils};
//! use client_keys::{ClientKey, ClientSecret, KeyId, issue, verify};
//!
//! /// In flash, without RAM. [`verify`] also takes a list that you build at run time.
//! static CLIENT_KEYS: [KeyId; 1] =
//!     [KeyId::from_bytes(*b"\x01\x23\x45\x67\x89\xab\xcd\xef\x01\x23\x45\x67\x89\xab\xcd")];
//!
//! /// Make the secret once, in the stack frame of `main`: `ClientSecret::from_bytes(&bytes)`.
//! fn accepts(secret: &ClientSecret, token: &[u8]) -> bool {
//!     verify(secret, &CLIENT_KEYS, token).is_ok()
//! }
//!
//! /// Only a device that issues keys needs a generator.
//! fn issue_key(secret: &ClientSecret) -> Result<ClientKey, NoiseSourceError> {
//!     issue(secret, &mut Trng)
//! }
//!
//! /// The board's tested noise source, never a timer or a fixed seed. Many HALs implement these traits.
//! struct Trng;
//!
//! impl TryRng for Trng {
//!     type Error = NoiseSourceError;
//!
//!     fn try_next_u32(&mut self) -> Result<u32, NoiseSourceError> {
//!         read_noise_source() // waits for a word; an error flag of the peripheral is an error
//!     }
//!     fn try_next_u64(&mut self) -> Result<u64, NoiseSourceError> {
//!         utils::next_u64_via_u32(self)
//!     }
//!     fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), NoiseSourceError> {
//!         utils::fill_bytes_via_next_word(bytes, || self.try_next_u32())
//!     }
//! }
//!
//! impl TryCryptoRng for Trng {}
//! # #[derive(Debug)]
//! # struct NoiseSourceError;
//! # impl core::fmt::Display for NoiseSourceError {
//! #     fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
//! #         f.write_str("no randomness")
//! #     }
//! # }
//! # impl core::error::Error for NoiseSourceError {}
//! # fn read_noise_source() -> Result<u32, NoiseSourceError> {
//! #     getrandom::u32().map_err(|_| NoiseSourceError)
//! # }
//! # let secret = ClientSecret::from_bytes(&core::array::from_fn(|_| Trng.try_next_u32().unwrap() as u8));
//! # let key = issue_key(&secret).unwrap();
//! # assert!(!accepts(&secret, key.key_access_token.as_ref()));
//! ```
//!
//! * **Secret:** use one for each device, because whoever reads it out of the flash can issue keys under it.
//! * **Cortex-M0 and M0+** (Armv6-M) need no flag, as they have no 64-bit multiplication.
//! * **Cortex-M3 and later** (Armv7-M): put `rustflags = ["--cfg", 'cpubits="32"']` into `.cargo/config.toml`. GHASH
//!   then multiplies 32 bits at a time. A stable compiler does so by itself; nightly would choose 64 bits, whose time
//!   depends on the operands on a Cortex-M3.
//! * **RISC-V** needs no flag. Ask the manufacturer of your core whether the time of `mul` depends on its operands.
//!
//! The repository has a Cortex-M3 firmware and a WebAssembly module (`examples/`), and flash, RAM and stack for three
//! cores (`tests/bare-metal/figures.txt`).
//!
//! # The token format
//!
//! A token is `ck1_` and 58 characters of base64url: a nonce, the encrypted id and the tag of AES-256-GCM. Programs in
//! other languages can issue and verify the same tokens: [`token_format`] has all that they need. Every later release
//! verifies `ck1_` tokens.

#![no_std]
// Tokens guard an API, so memory safety is left to the compiler and to the libraries that need `unsafe` for it.
#![forbid(unsafe_code)]
#![warn(
    missing_docs,
    unreachable_pub,
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_errors_doc,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used
)]

mod aes256;
mod base64url;
mod hex;
mod issue;
mod key_id;
mod seal;
mod secret;
mod token;
mod verify;

pub use crate::{
    hex::ParseError,
    issue::{ClientKey, issue},
    key_id::KeyId,
    secret::ClientSecret,
    token::AccessToken,
    verify::{VerifyError, verify},
};
pub use rand_core;

// Seen by rustdoc alone.
#[cfg(doc)]
#[doc = include_str!("FORMAT.md")]
pub mod token_format {}

/// Holds nothing: the README's code, which `cargo test` compiles and runs.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
