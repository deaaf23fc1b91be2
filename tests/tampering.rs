//! A token has exactly one text: `verify` refuses all its one-step neighbours.

mod common;

use client_keys::{ClientSecret, KeyId, VerifyError, verify};
use common::{issue_from, issue_key, random_secret};

struct Issued {
    secret: ClientSecret,
    allowed: [KeyId; 1],
    token: Vec<u8>,
}

/// Tokens of random keys, and one whose text holds both characters past the letters and digits.
fn issued() -> Vec<Issued> {
    let issued = |secret, key: client_keys::ClientKey| Issued {
        secret,
        allowed: [key.key_id],
        token: key.key_access_token.as_str().into(),
    };
    let secret = random_secret();
    let key = issue_from(&secret, &[0xfb; 27]);
    let token = key.key_access_token.as_str();
    assert!(token.contains('-') && token[4..].contains('_'));
    let mut all = vec![issued(secret, key)];
    for _ in 0..4 {
        let secret = random_secret();
        let key = issue_key(&secret);
        all.push(issued(secret, key));
    }
    all
}

impl Issued {
    #[track_caller]
    fn assert_accepts_only_itself(&self, text: &[u8]) {
        let answer = verify(&self.secret, &self.allowed, text);
        if text == self.token {
            assert_eq!(answer, Ok(self.allowed[0]));
        } else {
            assert!(
                matches!(answer, Err(VerifyError::Malformed | VerifyError::Inauthentic)),
                "{}: {answer:?}",
                text.escape_ascii()
            );
        }
    }
}

#[test]
fn another_byte_in_any_place_is_refused_for_the_right_reason() {
    for issued in issued() {
        for place in 0..issued.token.len() {
            for byte in 0..=255_u8 {
                let mut text = issued.token.clone();
                text[place] = byte;
                let well_formed = match place {
                    0..4 => false,
                    61 => b"AQgw".contains(&byte),
                    _ => byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_',
                };
                let expected = match text == issued.token {
                    true => Ok(issued.allowed[0]),
                    false if well_formed => Err(VerifyError::Inauthentic),
                    false => Err(VerifyError::Malformed),
                };
                let answer = verify(&issued.secret, &issued.allowed, &text);
                assert_eq!(answer, expected, "byte {byte} at {place}");
            }
        }
    }
}

#[test]
fn no_byte_can_be_taken_out() {
    for issued in issued() {
        for place in 0..issued.token.len() {
            let mut text = issued.token.clone();
            text.remove(place);
            issued.assert_accepts_only_itself(&text);
        }
    }
}

#[test]
fn no_byte_can_be_put_in_before_or_behind() {
    for issued in issued() {
        for place in 0..=issued.token.len() {
            for byte in 0..=255 {
                let mut text = issued.token.clone();
                text.insert(place, byte);
                issued.assert_accepts_only_itself(&text);
            }
        }
    }
}

#[test]
fn no_two_bytes_can_be_exchanged() {
    for issued in issued() {
        for one in 0..issued.token.len() {
            for other in 0..one {
                let mut text = issued.token.clone();
                text.swap(one, other);
                issued.assert_accepts_only_itself(&text);
            }
        }
    }
}
