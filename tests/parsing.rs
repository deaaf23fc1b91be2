//! Secrets, ids and lists parse from their digits and nothing else; ids print and sort as their digits.

mod common;

use client_keys::{ClientSecret, KeyId, verify};
use common::{issue_from, random_id};
use proptest::prelude::*;

/// Text from the parts of a list, so that it is often nearly a list.
fn list_text() -> impl Strategy<Value = String> {
    let space = || prop_oneof![9 => "[ \t\r\n\x0c]{0,2}", 1 => "[\u{a0}\x0b\"]"];
    let entry = prop_oneof![
        6 => "[0-9a-fA-F]{30}",
        1 => "[0-9a-fA-F]{28,32}",
        1 => "[0-9a-gé]{30}",
        1 => "[0-9a-f]{30}[ \n;][0-9a-f]{30}",
        1 => any::<String>(),
        2 => Just(String::new()),
    ];
    let padded = (space(), entry, space()).prop_map(|(before, entry, behind)| before + &entry + &behind);
    prop::collection::vec(padded, 0..6).prop_map(|entries| entries.join(","))
}

/// `parse_list`, written for neither speed nor messages: returns the ids, or the number of the first bad entry.
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
    fn a_secret_is_its_digits_in_either_case(bytes: [u8; 32]) {
        let key = issue_from(&ClientSecret::from_bytes(&bytes), &[0; 27]);
        let digits = bytes.map(|byte| format!("{byte:02x}")).concat();
        for text in [digits.to_uppercase(), digits] {
            prop_assert_eq!(verify(&text.parse()?, &[key.key_id], &key.key_access_token), Ok(key.key_id));
        }
    }

    #[test]
    fn an_id_is_its_digits_in_either_case(bytes: [u8; 15]) {
        let id = KeyId::from_bytes(bytes);
        prop_assert_eq!(id.to_bytes(), bytes);
        let digits = id.to_string();
        prop_assert_eq!(&digits, &bytes.map(|byte| format!("{byte:02x}")).concat());
        prop_assert_eq!(digits.parse(), Ok(id));
        prop_assert_eq!(digits.to_uppercase().parse(), Ok(id));
    }

    #[test]
    fn ids_are_equal_and_ordered_as_their_digits_are(one: [u8; 15], mut other: [u8; 15], shared in 0_usize..=15) {
        other[..shared].copy_from_slice(&one[..shared]);
        let [one, other] = [one, other].map(KeyId::from_bytes);
        prop_assert_eq!(one.cmp(&other), one.to_string().cmp(&other.to_string()));
        prop_assert_eq!(one == other, one.to_string() == other.to_string());
    }

    #[test]
    fn a_list_is_its_ids_or_an_error_that_names_the_entry(text in list_text()) {
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

#[test]
fn text_before_or_after_the_digits_is_refused() {
    let secret = "8d105ffc".repeat(8);
    let id = &secret[..30];
    assert!(secret.parse::<ClientSecret>().is_ok() && id.parse::<KeyId>().is_ok());
    for around in ('\0'..='\u{ff}').chain(['\u{2028}', '\u{feff}', '０']) {
        for [secret, id] in [
            [&secret, id].map(|digits| format!("{around}{digits}")),
            [&secret, id].map(|digits| format!("{digits}{around}")),
        ] {
            assert!(secret.parse::<ClientSecret>().is_err(), "{secret:?}");
            assert!(id.parse::<KeyId>().is_err(), "{id:?}");
        }
    }
}

#[test]
fn an_id_is_padded_to_a_width() {
    let id = random_id();
    assert_eq!(format!("{id:>32}|{id:<32}|"), format!("  {id}|{id}  |"));
}
