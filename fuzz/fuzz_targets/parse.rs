//! Parses any text as a secret, an id and a list: the results must be those of the hex crate and `str`, and the errors
//! must have the expected text.
#![no_main]

use client_keys::{ClientSecret, KeyId, issue};
use client_keys_fuzz::Drawn;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let token = |secret: &ClientSecret| {
        let Ok(key) = issue(secret, &mut Drawn(&[0; 27]));
        key.key_access_token.as_str().to_owned()
    };
    let secret = text
        .parse::<ClientSecret>()
        .map(|secret| token(&secret))
        .map_err(|error| error.to_string());
    assert_eq!(
        secret,
        bytes::<32>(text).map(|bytes| token(&ClientSecret::from_bytes(&bytes)))
    );

    let id = text.parse().map(KeyId::to_bytes).map_err(|error| error.to_string());
    assert_eq!(id, bytes::<15>(text));

    let list = KeyId::parse_list(text).map(|id| id.map(KeyId::to_bytes).map_err(|error| error.to_string()));
    let expected = text.split(',').enumerate().filter_map(|(index, entry)| {
        let entry = entry.trim_matches(|c: char| c.is_ascii_whitespace());
        let id = || bytes::<15>(entry).map_err(|error| format!("entry {}: {error}", index + 1));
        (!entry.is_empty()).then(id)
    });
    assert!(list.eq(expected));
});

fn bytes<const LEN: usize>(text: &str) -> Result<[u8; LEN], String> {
    let mut bytes = [0; LEN];
    if hex::decode_to_slice(text, &mut bytes).is_ok() {
        return Ok(bytes);
    }
    let found = match (text.chars().count(), text.find(|c: char| !c.is_ascii_hexdigit())) {
        (count, Some(at)) if count == 2 * LEN => {
            format!("found another character at position {}", text[..at].chars().count() + 1)
        }
        (1, _) => "found 1 character".to_owned(),
        (count, _) => format!("found {count} characters"),
    };
    Err(format!("expected {} hexadecimal digits, {found}", 2 * LEN))
}
