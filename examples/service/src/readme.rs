//! Holds nothing: the code in the README of the folder above, which `cargo test` compiles and runs.
#![doc = include_str!("../../README.md")]
#![expect(clippy::doc_markdown, reason = "the README is for people first")]
