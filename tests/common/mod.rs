//! Shared by the test files.
#![allow(dead_code, reason = "each test file is a program of its own and uses a part of this")]

use client_keys::rand_core::{TryCryptoRng, TryRng};
use client_keys::{ClientKey, ClientSecret, KeyId, issue};
use getrandom::SysRng;

pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system has random bytes");
    bytes
}

pub fn random_secret() -> ClientSecret {
    ClientSecret::from_bytes(&random())
}

pub fn random_id() -> KeyId {
    KeyId::from_bytes(random())
}

#[track_caller]
pub fn issue_key(secret: &ClientSecret) -> ClientKey {
    issue(secret, &mut SysRng).expect("the operating system has random bytes")
}

/// A generator that returns the given bytes, 27 at each call, and then fails. It counts its calls.
pub struct Bytes<'a> {
    rest: &'a [u8],
    pub calls: usize,
}

impl<'a> Bytes<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, calls: 0 }
    }
}

#[derive(Debug, PartialEq, Eq)]
pub struct Exhausted;

impl std::fmt::Display for Exhausted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("no bytes left")
    }
}

impl std::error::Error for Exhausted {}

impl TryRng for Bytes<'_> {
    type Error = Exhausted;

    fn try_next_u32(&mut self) -> Result<u32, Exhausted> {
        Err(Exhausted)
    }

    fn try_next_u64(&mut self) -> Result<u64, Exhausted> {
        Err(Exhausted)
    }

    fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), Exhausted> {
        self.calls += 1;
        assert_eq!(to.len(), 27, "nonce and id come from one draw");
        let (drawn, rest) = self.rest.split_at_checked(27).ok_or(Exhausted)?;
        to.copy_from_slice(drawn);
        self.rest = rest;
        Ok(())
    }
}

impl TryCryptoRng for Bytes<'_> {}

/// Issues a key from these drawn bytes: 12 of nonce, 15 of id.
#[track_caller]
pub fn issue_from(secret: &ClientSecret, drawn: &[u8; 27]) -> ClientKey {
    issue(secret, &mut Bytes::new(drawn)).expect("27 bytes are one draw")
}
