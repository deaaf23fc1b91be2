//! The public API keeps the Rust API Guidelines (named by their ids) and shows nothing that it should not.

mod common;

use client_keys::rand_core::TryCryptoRng;
use client_keys::{AccessToken, ClientKey, ClientSecret, KeyId, ParseError, VerifyError, issue, verify};
use common::{Bytes, Exhausted, issue_key, random, random_id, random_secret};
use core::error::Error;
use core::fmt::{Debug, Display, LowerHex};
use core::hash::Hash;
use core::ops::Deref;
use core::str::FromStr;

/// Compiles only if the type does not implement the trait: else two impls fit, and the path is ambiguous.
macro_rules! assert_not_implemented {
    ($($type:ty: $($trait:path),+;)+) => {$($(const _: fn() = || {
        trait Ambiguous<Which> {
            fn pick() {}
        }
        impl<T: ?Sized> Ambiguous<()> for T {}
        struct Implemented;
        impl<T: ?Sized + $trait> Ambiguous<Implemented> for T {}
        <$type as Ambiguous<_>>::pick();
    };)+)+};
}

assert_not_implemented! {
    ClientSecret: Clone, PartialEq, PartialEq<[u8]>, Display, Default, Hash, Deref, AsRef<[u8]>, AsRef<[u8; 32]>, LowerHex;
    AccessToken: Clone, PartialEq, PartialEq<str>, Display, Default, Hash, Deref, AsRef<str>, Into<String>;
    ClientKey: Clone, PartialEq, Display, Default;
    KeyId: Default, AsRef<[u8]>, Deref, From<[u8; 15]>;
    VerifyError: Default;
    ParseError: Default;
}

/// An allow list can be a `static` in flash, and go back to bytes at compile time.
const _: [u8; 15] = KeyId::from_bytes([0; 15]).to_bytes();

/// C-SEND-SYNC
#[test]
fn every_type_can_be_shared_between_threads() {
    fn assert_shareable<T: Send + Sync + Unpin + std::panic::UnwindSafe + std::panic::RefUnwindSafe + 'static>() {}
    assert_shareable::<ClientSecret>();
    assert_shareable::<KeyId>();
    assert_shareable::<ClientKey>();
    assert_shareable::<AccessToken>();
    assert_shareable::<VerifyError>();
    assert_shareable::<ParseError>();
}

/// C-COMMON-TRAITS
#[test]
fn types_without_secrets_have_the_common_traits() {
    fn id<T: Copy + Eq + Ord + Hash + Display + Debug + FromStr<Err = ParseError>>() {}
    fn error<T: Copy + Eq + Debug + Error>() {}
    fn secret<T: Debug + FromStr<Err = ParseError>>() {}
    fn token<T: Debug + AsRef<[u8]>>() {}
    id::<KeyId>();
    error::<VerifyError>();
    error::<ParseError>();
    secret::<ClientSecret>();
    token::<AccessToken>();
}

/// C-GOOD-ERR
#[test]
fn errors_go_through_the_question_mark() {
    fn parse(text: &str) -> Result<KeyId, Box<dyn Error + Send + Sync>> {
        Ok(text.parse()?)
    }
    fn enter(secret: &ClientSecret, token: &str) -> Result<KeyId, Box<dyn Error + Send + Sync>> {
        Ok(verify(secret, &[], token)?)
    }
    assert!(parse("").is_err());
    assert!(enter(&random_secret(), "").is_err());
}

#[test]
fn verify_takes_every_kind_of_text() {
    let secret = random_secret();
    let key = issue_key(&secret);
    let allowed = [key.key_id];
    let text = key.key_access_token.as_str();
    assert_eq!(text.as_bytes(), key.key_access_token.as_ref());
    for answer in [
        verify(&secret, &allowed, text),
        verify(&secret, &allowed, text.as_bytes()),
        verify(&secret, &allowed, String::from(text)),
        verify(&secret, &allowed, Vec::from(text)),
        verify(&secret, &allowed, &key.key_access_token),
    ] {
        assert_eq!(answer, Ok(key.key_id));
    }
}

#[test]
fn issue_draws_once_from_the_callers_own_generator() {
    let secret = random_secret();
    let drawn: [u8; 54] = random();
    let mut bytes = Bytes::new(&drawn);
    let rng: &mut dyn TryCryptoRng<Error = Exhausted> = &mut bytes;
    let one = issue(&secret, rng).expect("the first 27 bytes");
    let two = issue(&secret, rng).expect("the next 27 bytes");
    assert_eq!(one.key_id.to_bytes(), drawn[12..27]);
    assert_eq!(two.key_id.to_bytes(), drawn[39..]);
    assert_eq!(bytes.calls, 2);
}

#[test]
fn a_failing_generator_yields_its_own_error_and_is_not_asked_again() {
    let drawn: [u8; 26] = random();
    let mut bytes = Bytes::new(&drawn);
    assert_eq!(
        issue(&random_secret(), &mut bytes).expect_err("one byte short"),
        Exhausted
    );
    assert_eq!(bytes.calls, 1);
}

#[test]
fn parse_errors_say_what_was_expected_and_found() {
    #[track_caller]
    fn secret(text: &str, expected: &str) {
        let error = text.parse::<ClientSecret>().expect_err("not a secret");
        assert_eq!(error.to_string(), format!("expected 64 hexadecimal digits, {expected}"));
    }
    #[track_caller]
    fn id(text: &str, expected: &str) {
        let error = text.parse::<KeyId>().expect_err("not an id");
        assert_eq!(error.to_string(), format!("expected 30 hexadecimal digits, {expected}"));
    }
    #[track_caller]
    fn list(text: &str, expected: &str) {
        let error = KeyId::parse_list(text).find_map(Result::err).expect("not a list");
        assert_eq!(error.to_string(), expected);
    }
    let digits = "0123456789abcdefABCDEF0123456789".repeat(2);
    secret("", "found 0 characters");
    secret("8", "found 1 character");
    secret(&digits[1..], "found 63 characters");
    secret(&format!("{digits}\n"), "found 65 characters");
    secret(&format!("g{}", &digits[1..]), "found another character at position 1");
    secret(&format!("{}g", &digits[1..]), "found another character at position 64");
    secret(
        &format!("{} é{}", &digits[..30], &digits[32..]),
        "found another character at position 31",
    );
    // Characters are counted, not bytes: 64 bytes that are 63 characters, 65 bytes that are 64.
    secret(&format!("é{}", &digits[2..]), "found 63 characters");
    secret(&format!("{}é", &digits[1..]), "found another character at position 64");

    let digits = &digits[..30];
    id("", "found 0 characters");
    id("xxx", "found 3 characters");
    id(&format!(" {digits}"), "found 31 characters");
    id(&format!("{}Ａ", &digits[1..]), "found another character at position 30");

    list(
        "xxx, another-key",
        "entry 1: expected 30 hexadecimal digits, found 3 characters",
    );
    list(
        &format!(" ,{digits}, ,\t{}-{}\n", &digits[..4], &digits[5..]),
        "entry 4: expected 30 hexadecimal digits, found another character at position 5",
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
        (VerifyError::Unlisted(random_id()), "key id not in the allow list"),
    ] {
        assert_eq!(error.to_string(), expected);
    }
}

/// C-DEBUG, C-DEBUG-NONEMPTY
#[test]
fn debug_shows_ids_and_nothing_of_secrets_and_tokens() {
    let secret = random_secret();
    let key = issue_key(&secret);
    let id = key.key_id;
    assert_eq!(format!("{secret:?}"), "ClientSecret { .. }");
    assert_eq!(format!("{:?}", key.key_access_token), "AccessToken { .. }");
    assert_eq!(
        format!("{key:?}"),
        format!("ClientKey {{ key_id: {id}, key_access_token: AccessToken {{ .. }} }}")
    );
    assert_eq!(format!("{id:?}"), id.to_string());
    assert_eq!(format!("{:?}", VerifyError::Unlisted(id)), format!("Unlisted({id})"));
}

#[test]
fn errors_hold_nothing_of_the_text_that_they_refuse() {
    let text = format!("{}g", "5ec2e7".repeat(11));
    let error = text[3..].parse::<ClientSecret>().expect_err("not a secret");
    for shown in [error.to_string(), format!("{error:?}"), format!("{error:#?}")] {
        assert!(
            !shown.contains("5e") && !shown.contains("c2") && !shown.contains("e7"),
            "{shown}"
        );
    }
}

#[test]
fn display_of_an_id_takes_a_width() {
    let id = random_id();
    assert_eq!(format!("{id:>32}|{id:<32}|"), format!("  {id}|{id}  |"));
}
