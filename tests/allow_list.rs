//! `verify` accepts only a key whose whole id is in the list.

mod common;

use client_keys::{AccessToken, ClientSecret, KeyId, VerifyError, verify};
use common::{issue_key, random_id, random_secret};

struct Issued {
    secret: ClientSecret,
    id: KeyId,
    token: AccessToken,
}

impl Issued {
    fn new() -> Self {
        let secret = random_secret();
        let key = issue_key(&secret);
        Self {
            secret,
            id: key.key_id,
            token: key.key_access_token,
        }
    }

    #[track_caller]
    fn assert_listed(&self, allowed: &[KeyId]) {
        assert_eq!(verify(&self.secret, allowed, &self.token), Ok(self.id));
    }

    #[track_caller]
    fn assert_unlisted(&self, allowed: &[KeyId]) {
        assert_eq!(
            verify(&self.secret, allowed, &self.token),
            Err(VerifyError::Unlisted(self.id))
        );
    }
}

#[test]
fn an_id_is_found_wherever_it_stands() {
    let issued = Issued::new();
    for len in [1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 64, 255] {
        let mut allowed: Vec<KeyId> = (0..len).map(|_| random_id()).collect();
        issued.assert_unlisted(&allowed);
        for place in 0..len {
            let before = std::mem::replace(&mut allowed[place], issued.id);
            issued.assert_listed(&allowed);
            allowed[place] = before;
        }
    }
}

#[test]
fn an_id_that_stands_twice_is_found() {
    let issued = Issued::new();
    issued.assert_listed(&[issued.id, issued.id]);
    issued.assert_listed(&[random_id(), issued.id, random_id(), issued.id]);
}

#[test]
fn an_empty_list_refuses_every_key() {
    Issued::new().assert_unlisted(&[]);
}

#[test]
fn an_id_that_differs_in_any_one_bit_is_not_listed() {
    let issued = Issued::new();
    let flipped: Vec<KeyId> = (0..120)
        .map(|bit| {
            let mut bytes = issued.id.to_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            KeyId::from_bytes(bytes)
        })
        .collect();
    for id in &flipped {
        issued.assert_unlisted(&[*id]);
    }
    issued.assert_unlisted(&flipped);
}

#[test]
fn two_ids_that_match_only_together_are_not_listed() {
    let issued = Issued::new();
    let id = issued.id.to_bytes();
    // Every way to cut the id in two, each part completed by what differs in every byte.
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
        let mut bytes = issued.id.to_bytes();
        let differences = first.to_be_bytes()[1..]
            .iter()
            .chain(&last.to_be_bytes())
            .copied()
            .collect::<Vec<u8>>();
        bytes
            .iter_mut()
            .zip(differences)
            .for_each(|(byte, difference)| *byte ^= difference);
        issued.assert_unlisted(&[KeyId::from_bytes(bytes)]);
    }
}

#[test]
fn the_last_of_five_thousand_ids_is_read_and_found() {
    let issued = Issued::new();
    let ids = (0..5_000).map(|_| random_id()).chain([issued.id]);
    let text: Vec<String> = ids.map(|id| id.to_string()).collect();
    let allowed: Vec<KeyId> = KeyId::parse_list(&text.join(","))
        .collect::<Result<_, _>>()
        .expect("ids");
    issued.assert_listed(&allowed);
    issued.assert_unlisted(&allowed[..5_000]);
}
