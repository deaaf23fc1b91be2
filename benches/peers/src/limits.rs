//! Cheaper alternatives: `ring`'s call alone, without text or list, and a stored hash instead of a sealed id.

use crate::{
    measure::Subject,
    own::{altered, random},
};
use client_keys::KeyId;
use sha2::{Digest, Sha256};
use std::{collections::HashMap, fmt::Debug, hint::black_box};

pub const RING: &str = "ring";
pub const STORED_HASH: &str = "sha2 + HashMap";

pub fn subjects() -> Vec<Subject> {
    vec![ring(), stored_hash()]
}

/// Makes a subject, after checking that it returns the good token's id and refuses the altered token.
fn subject<T: 'static, I: Debug + PartialEq + 'static>(
    name: &str,
    good: T,
    altered: &T,
    id: &I,
    check: impl Fn(&T) -> Option<I> + 'static,
) -> Subject {
    assert_eq!(check(&good).as_ref(), Some(id), "{name} refuses the good token");
    assert_eq!(check(altered), None, "{name} accepts an altered token");
    Subject::new(name, move || check(black_box(&good)))
}

pub fn of_text<I: Debug + PartialEq + 'static>(
    name: &str,
    token: String,
    id: &I,
    check: impl Fn(&str) -> Option<I> + 'static,
) -> Subject {
    let altered = altered(&token);
    subject(name, token, &altered, id, move |token| check(token))
}

/// Looks up the SHA-256 of a key, which is 32 random bytes as hexadecimal digits.
fn stored_hash() -> Subject {
    let [first, last] = [random::<16>(), random::<16>()].map(u128::from_ne_bytes);
    let key = format!("{first:032x}{last:032x}");
    let id = KeyId::from_bytes(random());
    let ids: HashMap<[u8; 32], KeyId> = HashMap::from([(Sha256::digest(&key).into(), id)]);
    of_text(STORED_HASH, key, &id, move |key| {
        ids.get::<[u8; 32]>(&Sha256::digest(key).into()).copied()
    })
}

fn ring() -> Subject {
    use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

    const NONCE: [u8; 12] = [7; 12];
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &random::<32>()).expect("32 bytes"));
    let id: [u8; 15] = random();
    let mut sealed = id.to_vec();
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(NONCE), Aad::from(b"ck1_"), &mut sealed)
        .expect("15 bytes are not too long");
    let good: [u8; 31] = sealed.try_into().expect("15 + 16 bytes");
    let mut altered = good;
    altered[30] ^= 1;
    subject(RING, good, &altered, &id, move |sealed| {
        let mut buffer = *sealed;
        let nonce = Nonce::assume_unique_for_key(black_box(NONCE));
        let opened = key.open_in_place(nonce, Aad::from(b"ck1_"), &mut buffer).ok()?;
        (*opened).try_into().ok()
    })
}
