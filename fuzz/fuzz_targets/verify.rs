//! Any bytes as a token and any ids as a list: `verify` accepts only the issued token, and only if its id is listed.
#![no_main]

use client_keys::{ClientKey, ClientSecret, KeyId, VerifyError, issue, verify};
use client_keys_fuzz::{Drawn, SECRET};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static ISSUED: LazyLock<(ClientSecret, ClientKey)> = LazyLock::new(|| {
    let secret = ClientSecret::from_bytes(&SECRET);
    let Ok(key) = issue(&secret, &mut Drawn(b"twelve bytesand then an id."));
    (secret, key)
});

fuzz_target!(|data: &[u8]| {
    let Some((len, data)) = data.split_first() else {
        return;
    };
    let Some((token, ids)) = data.split_at_checked(usize::from(*len)) else {
        return;
    };
    let allowed: Vec<KeyId> = ids.as_chunks().0.iter().map(|id| KeyId::from_bytes(*id)).collect();
    let (secret, key) = &*ISSUED;
    let issued = token == key.key_access_token.as_ref();
    match verify(secret, &allowed, token) {
        Ok(id) => assert!(issued && id == key.key_id && allowed.contains(&id)),
        Err(VerifyError::Unlisted(id)) => {
            assert!(issued && id == key.key_id && !allowed.contains(&id))
        }
        Err(_) => assert!(!issued),
    }
});
