//! Only an id that is in the list, whole, comes in.

mod common;

use client_keys::{AccessToken, ClientSecret, KeyId, VerifyError, verify};
use common::{issue_key, random_id, random_secret};

struct Door {
    secret: ClientSecret,
    id: KeyId,
    token: AccessToken,
}

impl Door {
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
    fn is_open(&self, allowed: &[KeyId]) {
        assert_eq!(verify(&self.secret, allowed, &self.token), Ok(self.id));
    }

    #[track_caller]
    fn is_shut(&self, allowed: &[KeyId]) {
        assert_eq!(
            verify(&self.secret, allowed, &self.token),
            Err(VerifyError::Unlisted(self.id))
        );
    }
}

#[test]
fn an_id_is_found_wherever_it_stands() {
    let door = Door::new();
    for len in [1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 64, 255] {
        let mut allowed: Vec<KeyId> = (0..len).map(|_| random_id()).collect();
        door.is_shut(&allowed);
        for place in 0..len {
            let before = std::mem::replace(&mut allowed[place], door.id);
            door.is_open(&allowed);
            allowed[place] = before;
        }
    }
}

#[test]
fn an_id_that_stands_twice_is_found() {
    let door = Door::new();
    door.is_open(&[door.id, door.id]);
    door.is_open(&[random_id(), door.id, random_id(), door.id]);
}

#[test]
fn an_empty_list_lets_nobody_in() {
    Door::new().is_shut(&[]);
}

#[test]
fn an_id_that_differs_in_any_one_bit_is_not_listed() {
    let door = Door::new();
    let flipped: Vec<KeyId> = (0..120)
        .map(|bit| {
            let mut bytes = door.id.to_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            KeyId::from_bytes(bytes)
        })
        .collect();
    for id in &flipped {
        door.is_shut(&[*id]);
    }
    door.is_shut(&flipped);
}

#[test]
fn two_ids_that_match_only_together_are_not_listed() {
    let door = Door::new();
    let id = door.id.to_bytes();
    // Every way to cut the id in two, each part completed by what differs in every byte.
    for cut in 1..15 {
        let [mut head, mut tail] = [id.map(|byte| !byte); 2];
        head[..cut].copy_from_slice(&id[..cut]);
        tail[cut..].copy_from_slice(&id[cut..]);
        door.is_shut(&[KeyId::from_bytes(head), KeyId::from_bytes(tail)]);
    }
    // Every byte cut in two: its high half is right in one id, its low half in the other.
    let [high, low] = [0x0f, 0xf0].map(|wrong| KeyId::from_bytes(id.map(|byte| byte ^ wrong)));
    door.is_shut(&[high, low]);
}

#[test]
fn fifteen_ids_that_share_one_byte_each_are_not_listed() {
    let door = Door::new();
    let id = door.id.to_bytes();
    let shared: Vec<KeyId> = (0..15)
        .map(|place| {
            let mut bytes = id.map(|byte| !byte);
            bytes[place] = id[place];
            KeyId::from_bytes(bytes)
        })
        .collect();
    door.is_shut(&shared);
}

#[test]
fn an_id_whose_differences_cancel_each_other_out_is_not_listed() {
    let door = Door::new();
    for (first, last) in [
        (1_u64, u64::MAX),
        (1 << 55, (1_u64 << 55).wrapping_neg()),
        (5, 5),
        (1 << 20, 1 << 20),
    ] {
        let mut bytes = door.id.to_bytes();
        let differences = first.to_be_bytes()[1..]
            .iter()
            .chain(&last.to_be_bytes())
            .copied()
            .collect::<Vec<u8>>();
        bytes
            .iter_mut()
            .zip(differences)
            .for_each(|(byte, difference)| *byte ^= difference);
        door.is_shut(&[KeyId::from_bytes(bytes)]);
    }
}

#[test]
fn the_last_of_five_thousand_ids_is_read_and_found() {
    let door = Door::new();
    let ids = (0..5_000).map(|_| random_id()).chain([door.id]);
    let text: Vec<String> = ids.map(|id| id.to_string()).collect();
    let allowed: Vec<KeyId> = KeyId::parse_list(&text.join(","))
        .collect::<Result<_, _>>()
        .expect("ids");
    door.is_open(&allowed);
    door.is_shut(&allowed[..5_000]);
}
