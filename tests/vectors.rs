//! The crate passes `vectors.json`, which a second implementation writes.

mod common;

use client_keys::{ClientSecret, KeyId, VerifyError, verify};
use common::issue_from;
use serde_json::Value;
use sha2::{Digest, Sha256};

fn vectors() -> Value {
    serde_json::from_str(include_str!("vectors.json")).expect("JSON")
}

#[track_caller]
fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("{name} of {value}"))
}

#[track_caller]
fn array<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().unwrap_or_else(|| panic!("{name} of {value}"))
}

#[track_caller]
fn id(text: &str) -> KeyId {
    text.parse().expect("30 digits")
}

#[track_caller]
fn secret(value: &Value) -> ClientSecret {
    text(value, "secret").parse().expect("64 digits")
}

#[test]
fn every_case_has_the_expected_result() {
    let vectors = vectors();
    let mut count = 0;
    for group in array(&vectors, "testGroups") {
        let secret = secret(group);
        let allowed: Vec<KeyId> = array(group, "allowed")
            .iter()
            .map(|entry| id(entry.as_str().expect("text")))
            .collect();
        for case in array(group, "tests") {
            let expected = match text(case, "result") {
                "accepted" => Ok(id(text(case, "keyId"))),
                "malformed" => Err(VerifyError::Malformed),
                "inauthentic" => Err(VerifyError::Inauthentic),
                "unlisted" => Err(VerifyError::Unlisted(id(text(case, "keyId")))),
                other => panic!("{other}"),
            };
            assert_eq!(verify(&secret, &allowed, text(case, "token")), expected, "{case}");
            count += 1;
        }
    }
    assert_eq!(Some(count), vectors["numberOfTests"].as_u64());
}

#[test]
fn a_good_token_is_issued_again_from_its_nonce_and_id() {
    let vectors = vectors();
    let mut count = 0;
    for group in array(&vectors, "testGroups") {
        let secret = secret(group);
        for case in array(group, "tests").iter().filter(|case| case["nonce"].is_string()) {
            let mut drawn = [0; 27];
            base16ct::lower::decode(text(case, "nonce"), &mut drawn[..12]).expect("24 digits");
            base16ct::lower::decode(text(case, "keyId"), &mut drawn[12..]).expect("30 digits");
            let key = issue_from(&secret, &drawn);
            assert_eq!(key.key_access_token.as_str(), text(case, "token"), "{case}");
            assert_eq!(key.key_id, id(text(case, "keyId")), "{case}");
            count += 1;
        }
    }
    assert_eq!(count, 47);
}

#[test]
fn ten_thousand_tokens_are_those_of_the_second_implementation() {
    let vectors = vectors();
    let accumulated = &vectors["accumulated"];
    let secret = secret(accumulated);
    let mut tokens = Sha256::new();
    for i in 0..u32::try_from(accumulated["count"].as_u64().expect("a number")).expect("32 bits") {
        let drawn = Sha256::new()
            .chain_update(text(accumulated, "label"))
            .chain_update(i.to_be_bytes())
            .finalize();
        let drawn = drawn.first_chunk().expect("27 of 32 bytes");
        tokens.update(issue_from(&secret, drawn).key_access_token);
    }
    let mut expected = [0; 32];
    base16ct::lower::decode(text(accumulated, "sha256"), &mut expected).expect("64 digits");
    assert_eq!(tokens.finalize().as_slice(), expected);
}
