//! One call, for a counter of instructions: `instructions accepted 256`, `instructions issue`. All inputs are fixed.

#[path = "../../../src/aes256.rs"]
mod aes256;
#[path = "../../../src/seal.rs"]
mod seal;

use aes_gcm::KeyInit;
use client_keys::{
    ClientKey, ClientSecret, KeyId, VerifyError, issue,
    rand_core::{TryCryptoRng, TryRng},
    verify,
};
use std::{convert::Infallible, hint::black_box};

/// Hands out the same byte for ever: what a generator takes is not counted.
struct Fixed(u8);

impl TryRng for Fixed {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::from_ne_bytes([self.0; 4]))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from_ne_bytes([self.0; 8]))
    }

    fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), Infallible> {
        to.fill(self.0);
        Ok(())
    }
}

impl TryCryptoRng for Fixed {}

const SECRET: [u8; 32] = [1; 32];

// What runs inside the functions called `counted_…` is counted, nothing else.

#[inline(never)]
fn counted_verify(secret: &ClientSecret, allowed: &[KeyId], token: &str) -> Result<KeyId, VerifyError> {
    verify(secret, allowed, token)
}

#[inline(never)]
fn counted_issue(secret: &ClientSecret) -> ClientKey {
    let Ok(key) = issue(secret, &mut Fixed(2));
    key
}

#[inline(never)]
fn counted_open(cipher: &seal::Cipher, payload: &mut [u8; seal::SEALED_LEN]) -> Option<[u8; 15]> {
    seal::open(cipher, b"ck1_", payload)
}

#[inline(never)]
fn counted_seal(cipher: &seal::Cipher, payload: &mut [u8; seal::SEALED_LEN]) -> [u8; 15] {
    seal::seal(cipher, b"ck1_", payload)
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let secret = ClientSecret::from_bytes(&SECRET);
    let Ok(key) = issue(&secret, &mut Fixed(2));
    let cipher = seal::Cipher::new(&SECRET.into());
    let mut payload = [0; seal::SEALED_LEN];
    payload[..seal::DRAWN_LEN].fill(2);
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["issue"] => drop(black_box(counted_issue(black_box(&secret)))),
        ["seal"] => drop(black_box(counted_seal(black_box(&cipher), &mut payload))),
        ["open"] => {
            seal::seal(&cipher, b"ck1_", &mut payload);
            assert!(counted_open(black_box(&cipher), &mut payload).is_some());
        }
        [answer, count] => answer_to(answer, count.parse().expect("a number of listed ids"), &secret, &key),
        _ => panic!("which case?"),
    }
}

fn answer_to(case: &str, count: usize, secret: &ClientSecret, key: &ClientKey) {
    let (id, token) = (key.key_id, key.key_access_token.as_str());
    let other = KeyId::from_bytes([3; 15]);
    let (last, token, expected) = match case {
        "accepted" => (id, token.to_owned(), Ok(id)),
        "unlisted" => (other, token.to_owned(), Err(VerifyError::Unlisted(id))),
        "forged" => (id, token.replacen("ck1_A", "ck1_B", 1), Err(VerifyError::Inauthentic)),
        "malformed" => (id, token[1..].to_owned(), Err(VerifyError::Malformed)),
        // Decoded to the end, and not decrypted.
        "undecodable" => (id, format!("{}=", &token[..61]), Err(VerifyError::Malformed)),
        _ => panic!("no such case: {case}"),
    };
    let mut allowed = vec![other; count];
    *allowed.last_mut().expect("at least one id") = last;
    assert_eq!(
        counted_verify(black_box(secret), black_box(&allowed), black_box(&token)),
        expected
    );
}
