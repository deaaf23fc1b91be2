//! API keys for server-to-server APIs. [`issue`] seals a random key id under a 32-byte secret; [`verify`] opens the
//! token and checks the id against an allow list in constant time. `no_std`, no heap, no `unsafe` of its own.
//!
//! If you read a database for each request anyway, or if the same leak would reach both the secret and the list, prefer
//! random keys, and store their SHA-256: a stolen hash cannot be used as a key. An HMAC of the id is equally safe, but
//! you must write and test it; its token shows the id. If tokens must expire, carry claims or
//! be verified with a public key, prefer JWT or PASETO.
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
//! // The text of CLIENT_SECRET.
//! let secret: ClientSecret = client_secret.parse()?;
//!
//! let key = issue(&secret, &mut SysRng)?;
//! let (id, token) = (key.key_id, key.key_access_token.as_str());
//!
//! // The text of CLIENT_KEYS.
//! let client_keys = format!("{id}, 0123456789abcdef0123456789abcd");
//! let allowed: Vec<KeyId> = KeyId::parse_list(&client_keys).collect::<Result<_, _>>()?;
//! assert_eq!(verify(&secret, &allowed, token), Ok(id));
//! assert_eq!(verify(&secret, &allowed[1..], token), Err(VerifyError::Unlisted(id)));
//! # Ok(())
//! # }
//! ```
//!
//! [`issue`] takes any generator of `rand_core` 0.10; `SysRng` comes from `getrandom` 0.4 with the feature `sys_rng`.
//! [`verify`] needs no generator. The crate reads neither the environment nor files, and has no Cargo features. It
//! compiles with Rust 1.85 or later; use 1.89 or later on Cortex-M0, M0+, RISC-V and AArch64 ([why](#dependencies)). A
//! new major version of `rand_core` is a breaking release.
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
//! requests and measures response times ([within limits](#timing)), as long as no nonce repeats.
//!
//! It does not hold against a stolen secret, a stolen token, a bad random generator, or someone who reads the memory of
//! the process. The crate does not protect against power analysis, fault injection or reading out flash.
//!
//! * **Use the secret for nothing else**, and issue at most 2^32 tokens under it, counted over all programs that hold
//!   it. Everyone who can verify can also issue.
//! * **Never let tenants choose a secret.** AES-GCM is not key-committing: someone who knows two secrets can craft one
//!   token valid under both, for ids that they cannot choose.
//! * **Erasure.** [`ClientSecret`] and [`AccessToken`] erase their own storage on drop. `issue` erases the drawn bytes
//!   and its payload, and parsing erases the bytes of the secret. The crate does not erase ids, copies that moves leave
//!   behind, the payload that `verify` decodes, or what the cipher and the encoder leave on the stack.
//! * **Audit.** Nobody outside the project has audited this crate.
//!
//! ## Timing
//!
//! * The time of [`verify`] may depend on the token's length and prefix, on whether it is well-formed, on the result,
//!   on the number of listed ids, and, if you try several secrets, on which one it was sealed under.
//! * The time does not depend on the secret, on the token's other contents, on the id or on its place in the list. The
//!   time of [`issue`], and of making a [`ClientSecret`] from 32 bytes or 64 digits, does not depend on any input.
//!
//! The guarantee ends when `verify` returns: what you do with the id of `Unlisted` has a time of its own, as has the
//! generator that [`issue`] calls. It also needs a processor whose basic instructions take the same time for all
//! operands: on x86-64, one with DOITM; for small cores, see [multiplication](no_std#multiplication).
//!
//! Two methods check the machine code for jumps and addresses that depend on what must stay hidden: valgrind's memcheck
//! (x86-64), and a symbolic execution (x86-64 and small cores). They checked what Rust 1.95 (x86-64) and 1.96 (the
//! others) made of this release with the dependencies in [its `Cargo.lock`][lock]: for `x86_64-unknown-linux-gnu` with
//! `opt-level = 3`, with and without LTO, and for [Cortex-M and RV32](no_std#build). Other builds are not checked, such
//! as those for AArch64 or with another compiler, which may inline other functions. `tests/README.md` in the repository
//! has the commands.
//!
#![doc = concat!("[lock]: https://docs.rs/crate/client-keys/", env!("CARGO_PKG_VERSION"), "/source/Cargo.lock")]
//!
//! ## Dependencies
//!
//! Constant-time fixes for Cortex-M0, M0+, RISC-V and AArch64 are in `ctutils` 0.4.8, `cmov` 0.5.4, `aes` 0.9.4 and
//! later, which need Rust 1.89. With older ones, which cargo may choose if the `rust-version` of your package is lower,
//! the timing guarantee does not hold there: set `rust-version` to 1.89 or later, and check with `cargo tree | grep -E
//! ' (aes|cmov|ctutils) v'`.
//!
//! # `no_std`
//!
//! The crate needs no operating system, no allocator, no static RAM and no atomic instructions, and no input makes it
//! panic. [`no_std`] says when a device should use it, and has an example, build settings, sizes and instruction
//! counts.
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

#[cfg(doc)]
#[doc = include_str!("NO_STD.md")]
pub mod no_std {}

/// Holds nothing: the README's code, which `cargo test` compiles and runs.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
