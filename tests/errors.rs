//! Errors say what was expected and what was found.

use client_keys::{ClientSecret, KeyId, VerifyError};
use std::str::FromStr;

/// Checks the error of a text that is not a secret or an id.
#[track_caller]
fn assert_error<T: FromStr<Err: ToString>>(text: &str, expected: &str) {
    let error = text.parse::<T>().err().expect("it is not refused");
    assert_eq!(error.to_string(), format!("expected {expected}"));
}

#[track_caller]
fn assert_list_error(text: &str, expected: &str) {
    let error = KeyId::parse_list(text)
        .find_map(Result::err)
        .expect("it is not refused");
    assert_eq!(error.to_string(), expected);
}

fn not_a_digit(position: usize) -> String {
    format!("found another character at position {position}")
}

#[test]
fn parse_errors_say_how_many_digits_were_expected_and_what_was_found() {
    let digits = "0123456789abcdefABCDEF0123456789".repeat(2);
    let assert_secret = |text: &str, found: &str| {
        assert_error::<ClientSecret>(text, &format!("64 hexadecimal digits, {found}"));
    };
    assert_secret("", "found 0 characters");
    assert_secret("8", "found 1 character");
    assert_secret(&digits[1..], "found 63 characters");
    assert_secret(&format!("{digits}\n"), "found 65 characters");
    assert_secret(&format!("g{}", &digits[1..]), &not_a_digit(1));
    assert_secret(&format!("{} é{}", &digits[..30], &digits[32..]), &not_a_digit(31));
    // Errors count characters, not bytes: 64 bytes are 63 characters, 65 bytes are 64.
    assert_secret(&format!("é{}", &digits[2..]), "found 63 characters");
    assert_secret(&format!("{}é", &digits[1..]), &not_a_digit(64));

    assert_error::<KeyId>("xxx", "30 hexadecimal digits, found 3 characters");
    assert_error::<KeyId>(
        &format!("{}Ａ", &digits[..29]),
        &format!("30 hexadecimal digits, {}", not_a_digit(30)),
    );
}

#[test]
fn an_error_in_a_list_names_the_entry_as_a_person_counts_them() {
    let id = "0123456789abcdef0123456789abcd";
    assert_list_error(
        "xxx, another-key",
        "entry 1: expected 30 hexadecimal digits, found 3 characters",
    );
    assert_list_error(
        &format!(" ,{id}, ,\t{}-{}\n", &id[..4], &id[5..]),
        &format!("entry 4: expected 30 hexadecimal digits, {}", not_a_digit(5)),
    );
}

#[test]
fn verify_errors_say_why() {
    for (error, expected) in [
        (
            VerifyError::Malformed,
            "not a client key token: expected \"ck1_\" and 58 characters of base64url",
        ),
        (
            VerifyError::Inauthentic,
            "token altered, or not issued under this client secret",
        ),
        (
            VerifyError::Unlisted(KeyId::from_bytes([7; 15])),
            "key id not in the allow list",
        ),
    ] {
        assert_eq!(error.to_string(), expected);
    }
}
