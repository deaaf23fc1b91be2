//! What holds for any input.

mod common;

use client_keys::{ClientSecret, KeyId, VerifyError, verify};
use common::issue_from;
use proptest::prelude::*;

prop_compose! {
    fn drawn()(nonce in any::<[u8; 12]>(), id in any::<[u8; 15]>()) -> [u8; 27] {
        let mut drawn = [0; 27];
        drawn[..12].copy_from_slice(&nonce);
        drawn[12..].copy_from_slice(&id);
        drawn
    }
}

fn ids() -> impl Strategy<Value = Vec<KeyId>> {
    prop::collection::vec(any::<[u8; 15]>().prop_map(KeyId::from_bytes), 0..20)
}

/// Text made of what lists are made of, so that it is often nearly a list.
fn list_text() -> impl Strategy<Value = String> {
    prop::collection::vec(
        prop_oneof![
            4 => "[0-9a-fA-F]{30}",
            1 => "[0-9a-fA-F]{28,32}",
            1 => "[0-9a-gé]{30}",
            1 => Just(String::new()),
        ],
        0..6,
    )
    .prop_flat_map(|entries| {
        let space = || prop::collection::vec("[ \t\r\n\x0c]{0,2}|\u{a0}", entries.len());
        (Just(entries.clone()), space(), space())
    })
    .prop_map(|(entries, before, behind)| {
        let padded = entries
            .iter()
            .zip(before)
            .zip(behind)
            .map(|((entry, a), b)| a + entry + &b);
        padded.collect::<Vec<_>>().join(",")
    })
}

/// `parse_list` as one would write it without care for speed or messages: ids, or the number of the first bad entry.
fn naive_list(text: &str) -> Result<Vec<String>, usize> {
    let mut ids = vec![];
    for (index, entry) in text.split(',').enumerate() {
        let entry = entry.trim_matches([' ', '\t', '\n', '\r', '\x0c']);
        if entry.len() == 30 && entry.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            ids.push(entry.to_lowercase());
        } else if !entry.is_empty() {
            return Err(index + 1);
        }
    }
    Ok(ids)
}

proptest! {
    #[test]
    fn what_is_issued_is_let_in_under_its_secret_and_list(
        secret: [u8; 32],
        drawn in drawn(),
        mut allowed in ids(),
        place: prop::sample::Index,
    ) {
        let secret = ClientSecret::from_bytes(&secret);
        let key = issue_from(&secret, &drawn);
        prop_assert_eq!(&key.key_id.to_bytes()[..], &drawn[12..]);
        prop_assert_eq!(
            verify(&secret, &allowed, &key.key_access_token),
            Err(VerifyError::Unlisted(key.key_id))
        );
        allowed.insert(place.index(allowed.len() + 1), key.key_id);
        prop_assert_eq!(verify(&secret, &allowed, &key.key_access_token), Ok(key.key_id));
    }

    #[test]
    fn another_secret_finds_it_inauthentic(secret: [u8; 32], other: [u8; 32], drawn in drawn()) {
        prop_assume!(secret != other);
        let key = issue_from(&ClientSecret::from_bytes(&secret), &drawn);
        prop_assert_eq!(
            verify(&ClientSecret::from_bytes(&other), &[key.key_id], &key.key_access_token),
            Err(VerifyError::Inauthentic)
        );
    }

    #[test]
    fn arbitrary_bytes_are_malformed(secret: [u8; 32], allowed in ids(), token: Vec<u8>) {
        let secret = ClientSecret::from_bytes(&secret);
        prop_assert_eq!(verify(&secret, &allowed, &token), Err(VerifyError::Malformed));
    }

    #[test]
    fn well_formed_text_that_nobody_issued_is_inauthentic(
        secret: [u8; 32],
        allowed in ids(),
        token in "ck1_[A-Za-z0-9_-]{57}[AQgw]",
    ) {
        let secret = ClientSecret::from_bytes(&secret);
        prop_assert_eq!(verify(&secret, &allowed, &token), Err(VerifyError::Inauthentic));
    }

    #[test]
    fn parse_and_display_of_an_id_are_inverse(bytes: [u8; 15]) {
        let id = KeyId::from_bytes(bytes);
        prop_assert_eq!(id.to_bytes(), bytes);
        let digits = id.to_string();
        prop_assert_eq!(&digits, &bytes.map(|byte| format!("{byte:02x}")).concat());
        prop_assert_eq!(digits.parse(), Ok(id));
        prop_assert_eq!(digits.to_uppercase().parse(), Ok(id));
    }

    #[test]
    fn order_and_equality_of_ids_are_those_of_their_digits(one: [u8; 15], mut other: [u8; 15], shared in 0_usize..=15) {
        other[..shared].copy_from_slice(&one[..shared]);
        let [one, other] = [one, other].map(KeyId::from_bytes);
        prop_assert_eq!(one.cmp(&other), one.to_string().cmp(&other.to_string()));
        prop_assert_eq!(one == other, one.to_string() == other.to_string());
    }

    #[test]
    fn arbitrary_text_is_refused(text: String) {
        prop_assert!(text.parse::<ClientSecret>().is_err());
        prop_assert!(text.parse::<KeyId>().is_err());
        let _ = KeyId::parse_list(&text).count();
    }

    #[test]
    fn a_list_is_what_a_naive_reading_finds(text in list_text()) {
        let ids: Result<Vec<KeyId>, _> = KeyId::parse_list(&text).collect();
        match naive_list(&text) {
            Ok(expected) => {
                let ids = ids.map(|ids| ids.iter().map(KeyId::to_string).collect::<Vec<_>>());
                prop_assert_eq!(ids, Ok(expected));
            }
            Err(entry) => {
                let message = ids.expect_err("a bad entry").to_string();
                prop_assert!(message.starts_with(&format!("entry {entry}: ")), "{}", message);
            }
        }
    }
}
