//! The walk-through's steps in order, and what an operator does afterwards.

mod common;

use base64ct::{Base64UrlUnpadded, Encoding};
use client_keys::{ClientSecret, KeyId, ParseError, VerifyError, verify};
use common::{issue_key, random, random_secret};
use std::collections::HashMap;

fn list(text: &str) -> Vec<KeyId> {
    KeyId::parse_list(text)
        .collect::<Result<_, ParseError>>()
        .expect("a list of ids")
}

#[test]
fn a_key_is_let_in_once_listed_and_refused_once_taken_out() {
    // Step 1: openssl rand -hex 32
    let env: String = random::<32>().map(|byte| format!("{byte:02x}")).concat();
    let secret: ClientSecret = env.parse().expect("64 digits");

    // Steps 2 and 3: issue a client key.
    let key = issue_key(&secret);
    let token = key.key_access_token.as_str();
    assert_eq!(token.len(), 62);
    assert_eq!(key.key_id.to_string().len(), 30);
    assert_eq!(verify(&secret, &[], token), Err(VerifyError::Unlisted(key.key_id)));

    // Step 4: list its id, beside another client's.
    let other = issue_key(&secret);
    let allowed = list(&format!("{}, {}", key.key_id, other.key_id));
    assert_eq!(verify(&secret, &allowed, token), Ok(key.key_id));
    assert_eq!(verify(&secret, &allowed, &other.key_access_token), Ok(other.key_id));

    // Revocation of one leaves the other in.
    let allowed = list(&other.key_id.to_string());
    assert_eq!(verify(&secret, &allowed, token), Err(VerifyError::Unlisted(key.key_id)));
    assert_eq!(verify(&secret, &allowed, &other.key_access_token), Ok(other.key_id));
}

#[test]
fn the_id_cannot_be_read_in_the_token() {
    let secret = random_secret();
    let key = issue_key(&secret);
    let token = key.key_access_token.as_str();
    let mut payload = [0; 43];
    Base64UrlUnpadded::decode(&token["ck1_".len()..], &mut payload).expect("58 characters");
    assert!(payload.windows(15).all(|bytes| bytes != key.key_id.to_bytes()));
    assert_eq!(
        verify(&random_secret(), &[key.key_id], token),
        Err(VerifyError::Inauthentic)
    );
}

#[test]
fn a_list_is_read_as_people_write_it() {
    let a = "0123456789abcdef0123456789abcd";
    let b = "fedcba9876543210fedcba98765432";
    let upper = b.to_uppercase();
    let [first, second] = [a, b].map(|id| id.parse::<KeyId>().expect("30 digits"));
    for text in [
        format!("{a},{b}"),
        format!("{a}, {b}"),
        format!("  {a}\t,\t{b}  "),
        format!("{a},\r\n{b}\r\n"),
        format!("\n{a}\n,\n{b}\n"),
        format!("\x0c{a},{b}\x0c"),
        format!(",{a},,  ,{b},"),
        format!("{a},{upper}"),
    ] {
        assert_eq!(list(&text), [first, second], "{text:?}");
    }
    assert_eq!(list(&format!("{a},{b},{a}")), [first, second, first]);
    for empty in ["", " ", ",", " , ,\n"] {
        assert_eq!(list(empty), [], "{empty:?}");
    }
}

#[test]
fn a_list_with_a_typing_error_is_an_error() {
    let id = "0123456789abcdef0123456789abcd";
    for text in [
        format!("{id} {id}"),
        format!("{id}\n{id}"),
        format!("{id};{id}"),
        format!("\"{id}\""),
        format!("{id},{}", &id[1..]),
        format!("{id},{id}0"),
        format!("{id}\u{a0}"),
        format!("{id}\x0b"),
        "xxx, another-key".into(),
    ] {
        let ids: Result<Vec<_>, _> = KeyId::parse_list(&text).collect();
        assert!(ids.is_err(), "{text:?}");
    }
}

#[test]
fn a_secret_is_64_digits_in_either_case_and_nothing_else() {
    let lower = "8d105ffc".repeat(8);
    let secret: ClientSecret = lower.parse().expect("64 digits");
    let same: ClientSecret = lower.to_uppercase().parse().expect("64 digits");
    let key = issue_key(&secret);
    assert_eq!(verify(&same, &[key.key_id], &key.key_access_token), Ok(key.key_id));
    for text in ["", &lower[1..], &format!("{lower}0"), &format!("0x{}", &lower[2..])] {
        assert!(text.parse::<ClientSecret>().is_err(), "{text:?}");
    }
}

#[test]
fn a_secret_or_an_id_alone_has_nothing_around_it() {
    let secret = "8d105ffc".repeat(8);
    let id = &secret[..30];
    assert!(secret.parse::<ClientSecret>().is_ok() && id.parse::<KeyId>().is_ok());
    for around in [
        " ", "\t", "\n", "\r", "\r\n", "\x0b", "\x0c", "\u{a0}", "\0", "\"", "'", ",",
    ] {
        for (before, behind) in [(around, ""), ("", around)] {
            assert!(
                format!("{before}{secret}{behind}").parse::<ClientSecret>().is_err(),
                "{around:?}"
            );
            assert!(format!("{before}{id}{behind}").parse::<KeyId>().is_err(), "{around:?}");
        }
    }
}

/// The rotation of the documentation: the previous secret is asked only about what the new one did not seal.
fn verify_in_rotation(
    new: &ClientSecret,
    previous: &ClientSecret,
    allowed: &[KeyId],
    token: &str,
) -> Result<KeyId, VerifyError> {
    match verify(new, allowed, token) {
        Err(VerifyError::Inauthentic) => verify(previous, allowed, token),
        answer => answer,
    }
}

#[test]
fn tokens_of_both_secrets_come_in_during_a_rotation() {
    let [new, previous, foreign] = [random_secret(), random_secret(), random_secret()];
    let [newer, older, stranger] = [&new, &previous, &foreign].map(issue_key);
    let allowed = [newer.key_id, older.key_id, stranger.key_id];
    let check = |allowed: &[KeyId], token: &str| verify_in_rotation(&new, &previous, allowed, token);

    assert_eq!(check(&allowed, newer.key_access_token.as_str()), Ok(newer.key_id));
    assert_eq!(check(&allowed, older.key_access_token.as_str()), Ok(older.key_id));
    assert_eq!(
        check(&allowed, stranger.key_access_token.as_str()),
        Err(VerifyError::Inauthentic)
    );
    assert_eq!(check(&allowed, "ck1_"), Err(VerifyError::Malformed));
    assert_eq!(
        check(&[], older.key_access_token.as_str()),
        Err(VerifyError::Unlisted(older.key_id))
    );
}

#[test]
fn or_else_over_every_error_would_hide_a_revocation() {
    let [new, previous] = [random_secret(), random_secret()];
    let revoked = issue_key(&new);
    let token = revoked.key_access_token.as_str();

    assert_eq!(
        verify_in_rotation(&new, &previous, &[], token),
        Err(VerifyError::Unlisted(revoked.key_id))
    );
    let trap = verify(&new, &[], token).or_else(|_| verify(&previous, &[], token));
    assert_eq!(trap, Err(VerifyError::Inauthentic));
}

#[test]
fn ids_can_be_looked_up_elsewhere() {
    let secret = random_secret();
    let [known, unknown] = [issue_key(&secret), issue_key(&secret)];
    let database = HashMap::from([(known.key_id.to_bytes(), "client one")]);
    let client = |token: &str| match verify(&secret, &[], token) {
        Err(VerifyError::Unlisted(id)) => database.get(&id.to_bytes()).copied(),
        _ => None,
    };
    assert_eq!(client(known.key_access_token.as_str()), Some("client one"));
    assert_eq!(client(unknown.key_access_token.as_str()), None);
    assert_eq!(client("ck1_"), None);
}
