//! The walk-through's steps in order, and what an operator does afterwards.

mod common;

use base64ct::{Base64UrlUnpadded, Encoding};
use client_keys::{ClientSecret, KeyId, ParseError, VerifyError, verify};
use common::{issue_key, random, random_secret};
use std::collections::HashMap;

#[test]
fn a_key_is_accepted_once_listed_and_refused_once_revoked() {
    let list = |text: &str| -> Vec<KeyId> { KeyId::parse_list(text).collect::<Result<_, ParseError>>().expect("ids") };

    // Step 1: openssl rand -hex 32
    let env: String = random::<32>().map(|byte| format!("{byte:02x}")).concat();
    let secret: ClientSecret = env.parse().expect("64 digits");

    // Steps 2 and 3: issue a client key.
    let key = issue_key(&secret);
    let token = key.key_access_token.as_str();
    assert_eq!(token.len(), 62);
    assert_eq!(key.key_id.to_string().len(), 30);
    assert_eq!(verify(&secret, &[], token), Err(VerifyError::Unlisted(key.key_id)));

    // Step 4: list its id, and another client's.
    let other = issue_key(&secret);
    let allowed = list(&format!("{}, {}", key.key_id, other.key_id));
    assert_eq!(verify(&secret, &allowed, token), Ok(key.key_id));
    assert_eq!(verify(&secret, &allowed, &other.key_access_token), Ok(other.key_id));

    // After the revocation of one, the other is still accepted.
    let allowed = list(&other.key_id.to_string());
    assert_eq!(verify(&secret, &allowed, token), Err(VerifyError::Unlisted(key.key_id)));
    assert_eq!(verify(&secret, &allowed, &other.key_access_token), Ok(other.key_id));
}

#[test]
fn the_id_cannot_be_read_in_the_token() {
    let key = issue_key(&random_secret());
    let mut payload = [0; 43];
    Base64UrlUnpadded::decode(&key.key_access_token.as_str()[4..], &mut payload).expect("58 characters");
    assert!(payload.windows(15).all(|bytes| bytes != key.key_id.to_bytes()));
}

#[test]
fn tokens_of_both_secrets_are_accepted_during_a_rotation() {
    let secrets @ [new, previous, _] = &[random_secret(), random_secret(), random_secret()];
    let [newer, older, foreign] = &secrets.each_ref().map(issue_key);
    let check = |allowed: &[KeyId], token: &str| match verify(new, allowed, token) {
        Err(VerifyError::Inauthentic) => verify(previous, allowed, token),
        answer => answer,
    };
    let allowed = [newer, older, foreign].map(|key| key.key_id);
    for key in [newer, older] {
        let token = key.key_access_token.as_str();
        assert_eq!(check(&allowed, token), Ok(key.key_id));
        // With an `or_else` over every error, the newer key would be `Inauthentic` here.
        assert_eq!(check(&[], token), Err(VerifyError::Unlisted(key.key_id)));
    }
    assert_eq!(
        check(&allowed, foreign.key_access_token.as_str()),
        Err(VerifyError::Inauthentic)
    );
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
