//! A token of the fuzzer's choice, then edited: let in if and only if it is unchanged, refused with the right reason.
#![no_main]

use client_keys::{ClientSecret, VerifyError, issue, verify};
use client_keys_fuzz::{DRAWN_LEN, Drawn, SECRET, edit};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static SECRET_KEY: LazyLock<ClientSecret> = LazyLock::new(|| ClientSecret::from_bytes(&SECRET));

fuzz_target!(|data: &[u8]| {
    let Some((drawn, edits)) = data.split_first_chunk::<DRAWN_LEN>() else {
        return;
    };
    let Ok(key) = issue(&SECRET_KEY, &mut Drawn(drawn));
    let mut token = key.key_access_token.as_ref().to_vec();
    edit(&mut token, edits);
    let (listed, unlisted) = if token == key.key_access_token.as_ref() {
        (Ok(key.key_id), Err(VerifyError::Unlisted(key.key_id)))
    } else if is_well_formed(&token) {
        (Err(VerifyError::Inauthentic), Err(VerifyError::Inauthentic))
    } else {
        (Err(VerifyError::Malformed), Err(VerifyError::Malformed))
    };
    assert_eq!(verify(&SECRET_KEY, &[key.key_id], &token), listed);
    assert_eq!(verify(&SECRET_KEY, &[], &token), unlisted);
});

/// `ck1_[A-Za-z0-9_-]{57}[AQgw]`, as the README has it.
fn is_well_formed(token: &[u8]) -> bool {
    token.len() == 62
        && token.starts_with(b"ck1_")
        && token.iter().all(|c| c.is_ascii_alphanumeric() || b"-_".contains(c))
        && b"AQgw".contains(&token[61])
}
