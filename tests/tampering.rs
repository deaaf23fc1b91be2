//! A token has exactly one text: of all its one-step neighbours, none is let in.

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
    fn accepts_only_itself(&self, text: &[u8]) {
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
fn no_other_byte_stands_in_any_place() {
    for issued in issued() {
        let mut accepted = 0;
        for place in 0..issued.token.len() {
            for byte in 0..=255 {
                let mut text = issued.token.clone();
                text[place] = byte;
                issued.accepts_only_itself(&text);
                accepted += usize::from(verify(&issued.secret, &issued.allowed, &text).is_ok());
            }
        }
        assert_eq!(accepted, issued.token.len());
    }
}

#[test]
fn a_byte_outside_the_alphabet_is_malformed_and_another_inside_is_not() {
    for issued in issued() {
        for place in 4..issued.token.len() {
            for byte in 0..=255_u8 {
                let mut text = issued.token.clone();
                text[place] = byte;
                let alphabet = byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
                let last = place == 61;
                let well_formed = if last { b"AQgw".contains(&byte) } else { alphabet };
                let malformed = verify(&issued.secret, &issued.allowed, &text) == Err(VerifyError::Malformed);
                assert_eq!(malformed, !well_formed, "byte {byte} at {place}");
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
            issued.accepts_only_itself(&text);
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
                issued.accepts_only_itself(&text);
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
                issued.accepts_only_itself(&text);
            }
        }
    }
}
