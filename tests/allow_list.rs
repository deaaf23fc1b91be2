//! `verify` accepts only a key whose whole id is in the list.

mod common;

use client_keys::{ClientKey, ClientSecret, KeyId, VerifyError, verify};
use common::{issue_key, random_id, random_secret};

struct Issued {
    secret: ClientSecret,
    key: ClientKey,
}

impl Issued {
    fn new() -> Self {
        let secret = random_secret();
        let key = issue_key(&secret);
        Self { secret, key }
    }

    #[track_caller]
    fn assert_listed(&self, allowed: &[KeyId]) {
        assert_eq!(
            verify(&self.secret, allowed, &self.key.key_access_token),
            Ok(self.key.key_id)
        );
    }

    #[track_caller]
    fn assert_unlisted(&self, allowed: &[KeyId]) {
        let answer = verify(&self.secret, allowed, &self.key.key_access_token);
        assert_eq!(answer, Err(VerifyError::Unlisted(self.key.key_id)));
    }
}

#[test]
fn an_empty_list_refuses_every_key() {
    Issued::new().assert_unlisted(&[]);
}

#[test]
fn an_id_is_found_at_any_position() {
    let issued = Issued::new();
    for len in [1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 64, 255] {
        let mut allowed: Vec<KeyId> = (0..len).map(|_| random_id()).collect();
        issued.assert_unlisted(&allowed);
        for place in 0..len {
            let before = std::mem::replace(&mut allowed[place], issued.key.key_id);
            issued.assert_listed(&allowed);
            allowed[place] = before;
        }
    }
}

#[test]
fn the_last_of_five_thousand_ids_is_parsed_and_found() {
    let issued = Issued::new();
    let text: String = (0..5_000).map(|_| format!("{},", random_id())).collect();
    let mut allowed: Vec<KeyId> = KeyId::parse_list(&text).collect::<Result<_, _>>().expect("ids");
    issued.assert_unlisted(&allowed);
    allowed.push(issued.key.key_id);
    issued.assert_listed(&allowed);
}

#[test]
fn an_id_that_differs_in_any_one_bit_is_not_listed() {
    let issued = Issued::new();
    let flipped = (0..120).map(|bit| {
        let mut bytes = issued.key.key_id.to_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        KeyId::from_bytes(bytes)
    });
    let flipped: Vec<KeyId> = flipped.collect();
    for id in &flipped {
        issued.assert_unlisted(&[*id]);
    }
    issued.assert_unlisted(&flipped);
}

#[test]
fn two_ids_that_match_only_together_are_not_listed() {
    let issued = Issued::new();
    let id = issued.key.key_id.to_bytes();
    // Every way to cut the id in two: each entry has one part of it, and differs in every other byte.
    for cut in 1..15 {
        let [mut head, mut tail] = [id.map(|byte| !byte); 2];
        head[..cut].copy_from_slice(&id[..cut]);
        tail[cut..].copy_from_slice(&id[cut..]);
        issued.assert_unlisted(&[KeyId::from_bytes(head), KeyId::from_bytes(tail)]);
    }
    // Every byte cut in two: its high half is right in one id, its low half in the other.
    let [high, low] = [0x0f, 0xf0].map(|wrong| KeyId::from_bytes(id.map(|byte| byte ^ wrong)));
    issued.assert_unlisted(&[high, low]);
}

#[test]
fn an_id_whose_differences_cancel_each_other_out_is_not_listed() {
    let issued = Issued::new();
    for (first, last) in [
        (1_u64, u64::MAX),
        (1 << 55, (1_u64 << 55).wrapping_neg()),
        (5, 5),
        (1 << 20, 1 << 20),
    ] {
        let differences = u128::from(first) << 64 | u128::from(last);
        let mut bytes = issued.key.key_id.to_bytes();
        for (byte, difference) in bytes.iter_mut().zip(&differences.to_be_bytes()[1..]) {
            *byte ^= difference;
        }
        issued.assert_unlisted(&[KeyId::from_bytes(bytes)]);
    }
}
