#![doc = include_str!("../README.md")]
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
