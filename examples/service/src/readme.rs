//! Includes the README of the folder above, so that `cargo test` compiles and runs its code.
#![doc = include_str!("../../README.md")]
#![expect(clippy::doc_markdown, reason = "the README is for people first")]
