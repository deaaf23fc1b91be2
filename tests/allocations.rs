//! `issue` and `verify` never use the heap, whatever they return.

mod common;
#[path = "common/allocations.rs"]
mod counter;

use client_keys::{VerifyError, issue, verify};
use common::{Bytes, issue_key, random_id, random_secret};
use counter::allocations;
use getrandom::SysRng;

#[test]
fn verify_never_allocates() {
    let (secret, other_secret) = (random_secret(), random_secret());
    let (key, id) = (issue_key(&secret), random_id());
    let token = key.key_access_token.as_str();
    for (secret, id, token, answer) in [
        (&secret, key.key_id, token, Ok(key.key_id)),
        (&secret, id, token, Err(VerifyError::Unlisted(key.key_id))),
        (&other_secret, key.key_id, token, Err(VerifyError::Inauthentic)),
        (&secret, key.key_id, &token[1..], Err(VerifyError::Malformed)),
    ] {
        let mut found = None;
        assert_eq!(allocations(|| found = Some(verify(secret, &[id], token))), 0);
        assert_eq!(found, Some(answer));
    }
}

#[test]
fn issue_never_allocates() {
    let secret = random_secret();
    assert_eq!(allocations(|| issue(&secret, &mut SysRng)), 0);
    assert_eq!(allocations(|| issue(&secret, &mut Bytes::new(&[0; 26]))), 0);
}

#[test]
fn an_allocation_is_counted() {
    assert_eq!(allocations(|| std::hint::black_box(Box::new(1))), 1);
    let mut grown = vec![0];
    assert_eq!(allocations(|| grown.extend([1; 100])), 1);
}
