//! Encodes 43 bytes of the fuzzer, raw or sealed by ring, and may edit the text: `verify` must answer as ring and the
//! base64 crate do. If ring sealed the bytes, `issue` must write the same token.
#![no_main]

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use client_keys::{ClientSecret, KeyId, VerifyError, issue, verify};
use client_keys_fuzz::{Drawn, SECRET};
use libfuzzer_sys::fuzz_target;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use std::sync::LazyLock;

static OURS: LazyLock<ClientSecret> = LazyLock::new(|| ClientSecret::from_bytes(&SECRET));
static RINGS: LazyLock<LessSafeKey> =
    LazyLock::new(|| LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &SECRET).expect("32 bytes")));

fuzz_target!(|data: &[u8]| {
    let Some((how, data)) = data.split_first() else {
        return;
    };
    let Some((payload, edits)) = data.split_first_chunk::<43>() else {
        return;
    };
    let mut payload = *payload;
    let drawn = *payload.first_chunk().expect("of 43");
    let allowed = [KeyId::from_bytes(*drawn.last_chunk().expect("of 27"))];
    let is_sealed = how & 1 == 1;
    if is_sealed {
        let nonce = Nonce::assume_unique_for_key(*drawn.first_chunk().expect("of 27"));
        let (id, tag) = payload[12..].split_at_mut(15);
        let sealed = RINGS.seal_in_place_separate_tag(nonce, Aad::from(b"ck1_"), id);
        tag.copy_from_slice(sealed.expect("15 bytes").as_ref());
    }
    let mut token = format!("ck1_{}", BASE64_URL_SAFE_NO_PAD.encode(payload)).into_bytes();
    if is_sealed {
        let Ok(key) = issue(&OURS, &mut Drawn(&drawn));
        assert_eq!((key.key_id, key.key_access_token.as_ref()), (allowed[0], &*token));
    }
    edit(&mut token, edits);
    let allowed = &allowed[..usize::from(how >> 1 & 1)];
    assert_eq!(verify(&OURS, allowed, &token), expected(allowed, &token));
});

fn expected(allowed: &[KeyId], token: &[u8]) -> Result<KeyId, VerifyError> {
    let text = token.strip_prefix(b"ck1_").ok_or(VerifyError::Malformed)?;
    let payload = BASE64_URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|_| VerifyError::Malformed)?;
    let payload: [u8; 43] = payload.try_into().map_err(|_| VerifyError::Malformed)?;
    let (nonce, sealed) = payload.split_first_chunk().expect("43 bytes");
    let mut sealed = sealed.to_vec();
    let nonce = Nonce::assume_unique_for_key(*nonce);
    let id = RINGS
        .open_in_place(nonce, Aad::from(b"ck1_"), &mut sealed)
        .map_err(|_| VerifyError::Inauthentic)?;
    let id = KeyId::from_bytes((&*id).try_into().expect("15 bytes"));
    if allowed.contains(&id) {
        Ok(id)
    } else {
        Err(VerifyError::Unlisted(id))
    }
}

/// Applies edits of three bytes each: what to do, where, and the byte.
fn edit(text: &mut Vec<u8>, edits: &[u8]) {
    for &[what, place, byte] in edits.as_chunks().0 {
        let place = usize::from(place) % (text.len() + 1);
        match what % 3 {
            0 => text.insert(place, byte),
            1 if place < text.len() => text[place] = byte,
            _ if place < text.len() => drop(text.remove(place)),
            _ => {}
        }
    }
}
