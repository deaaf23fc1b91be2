//! A token has exactly one text and opens under exactly one secret: `verify` refuses all others, for the right reason.

mod common;

use client_keys::{ClientKey, ClientSecret, VerifyError, verify};
use common::{issue_from, issue_key, random_secret};
use proptest::prelude::*;

/// Keys under random secrets, and one whose token contains both `-` and `_`.
fn issued() -> Vec<(ClientSecret, ClientKey)> {
    let secret = random_secret();
    let key = issue_from(&secret, &[0xfb; 27]);
    let text = &key.key_access_token.as_str()[4..];
    assert!(text.contains('-') && text.contains('_'));
    let mut all = vec![(secret, key)];
    for _ in 0..4 {
        let secret = random_secret();
        let key = issue_key(&secret);
        all.push((secret, key));
    }
    all
}

/// `ck1_[A-Za-z0-9_-]{57}[AQgw]`, as in `src/FORMAT.md`.
fn is_well_formed(text: &[u8]) -> bool {
    let is_base64url = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_".contains(byte);
    text.len() == 62 && text.starts_with(b"ck1_") && text[4..].iter().all(is_base64url) && b"AQgw".contains(&text[61])
}

/// Edits every token in every way, and checks that `verify` accepts the unchanged text only.
fn assert_only_the_token_is_accepted(edits: impl Fn(&[u8], &mut dyn FnMut(Vec<u8>))) {
    for (secret, key) in issued() {
        let token = key.key_access_token.as_ref();
        edits(token, &mut |text| {
            let expected = match text == token {
                true => Ok(key.key_id),
                false if is_well_formed(&text) => Err(VerifyError::Inauthentic),
                false => Err(VerifyError::Malformed),
            };
            assert_eq!(
                verify(&secret, &[key.key_id], &text),
                expected,
                "{}",
                text.escape_ascii()
            );
        });
    }
}

#[test]
fn no_byte_can_be_replaced() {
    assert_only_the_token_is_accepted(|token, check| {
        for place in 0..token.len() {
            for byte in 0..=255 {
                let mut text = token.to_vec();
                text[place] = byte;
                check(text);
            }
        }
    });
}

#[test]
fn no_byte_can_be_removed() {
    assert_only_the_token_is_accepted(|token, check| {
        for place in 0..token.len() {
            let mut text = token.to_vec();
            text.remove(place);
            check(text);
        }
    });
}

#[test]
fn no_byte_can_be_inserted() {
    assert_only_the_token_is_accepted(|token, check| {
        for place in 0..=token.len() {
            for byte in 0..=255 {
                let mut text = token.to_vec();
                text.insert(place, byte);
                check(text);
            }
        }
    });
}

#[test]
fn no_two_bytes_can_be_exchanged() {
    assert_only_the_token_is_accepted(|token, check| {
        for one in 0..token.len() {
            for other in 0..one {
                let mut text = token.to_vec();
                text.swap(one, other);
                check(text);
            }
        }
    });
}

proptest! {
    #[test]
    fn a_token_opens_under_its_own_secret_only(secret: [u8; 32], bit in 0_usize..256, drawn: [u8; 27]) {
        let mut other = secret;
        other[bit / 8] ^= 1 << (bit % 8);
        let [secret, other] = [secret, other].map(|bytes| ClientSecret::from_bytes(&bytes));
        let key = issue_from(&secret, &drawn);
        prop_assert_eq!(verify(&secret, &[key.key_id], &key.key_access_token), Ok(key.key_id));
        prop_assert_eq!(verify(&secret, &[], &key.key_access_token), Err(VerifyError::Unlisted(key.key_id)));
        prop_assert_eq!(verify(&other, &[key.key_id], &key.key_access_token), Err(VerifyError::Inauthentic));
    }

    #[test]
    fn a_text_that_was_not_issued_is_refused(
        secret: [u8; 32],
        text in prop_oneof!["ck1_[A-Za-z0-9_-]{57}[AQgw]", "ck1_[A-Za-z0-9_-]{0,99}", any::<String>()],
    ) {
        let secret = ClientSecret::from_bytes(&secret);
        let expected = if is_well_formed(text.as_bytes()) { VerifyError::Inauthentic } else { VerifyError::Malformed };
        prop_assert_eq!(verify(&secret, &[], &text), Err(expected));
    }
}
