//! `issue` draws once from the caller's own generator, and returns its error.

mod common;

use client_keys::{issue, rand_core::TryCryptoRng};
use common::{Bytes, Exhausted, random, random_secret};

#[test]
fn nonce_and_id_come_from_one_draw() {
    let secret = random_secret();
    let drawn: [u8; 54] = random();
    let mut bytes = Bytes::new(&drawn);
    let rng: &mut dyn TryCryptoRng<Error = Exhausted> = &mut bytes;
    let one = issue(&secret, rng).expect("the first 27 bytes");
    let two = issue(&secret, rng).expect("the next 27 bytes");
    assert_eq!(one.key_id.to_bytes(), drawn[12..27]);
    assert_eq!(two.key_id.to_bytes(), drawn[39..]);
    assert_eq!(bytes.calls, 2);
}

#[test]
fn a_failing_generator_yields_its_own_error_and_is_not_called_again() {
    let mut bytes = Bytes::new(&[0; 26]);
    assert_eq!(
        issue(&random_secret(), &mut bytes).expect_err("one byte short"),
        Exhausted
    );
    assert_eq!(bytes.calls, 1);
}
