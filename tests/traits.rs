//! Types have the traits of the Rust API Guidelines (named by their ids), and none that copies or shows a secret.

mod common;

use client_keys::{AccessToken, ClientKey, ClientSecret, KeyId, ParseError, VerifyError, verify};
use common::{issue_key, random_secret};
use core::error::Error;
use core::fmt::{Debug, Display, LowerHex};
use core::hash::Hash;
use core::ops::Deref;
use core::str::FromStr;

/// Compiles only if the type does not implement the trait: otherwise two impls fit, and the path is ambiguous.
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

/// An allow list can be a `static` in flash, and its ids convert to bytes at compile time.
const _: [u8; 15] = KeyId::from_bytes([0; 15]).to_bytes();

/// C-SEND-SYNC
#[test]
fn every_type_can_be_shared_between_threads() {
    fn assert_shareable<T: Send + Sync + Unpin + std::panic::UnwindSafe + std::panic::RefUnwindSafe + 'static>() {}
    assert_shareable::<(ClientSecret, KeyId, ClientKey, AccessToken, VerifyError, ParseError)>();
}

/// C-COMMON-TRAITS, C-GOOD-ERR
#[test]
fn every_type_has_the_common_traits() {
    fn assert_id<T: Copy + Eq + Ord + Hash + Display + Debug + FromStr<Err = ParseError>>() {}
    fn assert_error<T: Copy + Eq + Debug + Error>() {}
    fn assert_secret<T: Debug + FromStr<Err = ParseError>>() {}
    fn assert_token<T: Debug + AsRef<[u8]>>() {}
    assert_id::<KeyId>();
    assert_error::<VerifyError>();
    assert_error::<ParseError>();
    assert_secret::<ClientSecret>();
    assert_token::<AccessToken>();
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
