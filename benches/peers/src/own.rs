//! `client-keys` itself, and its parts.

use crate::{
    measure::Subject,
    raw::{Message, decode, sum},
};
use client_keys::{ClientSecret, KeyId, VerifyError, issue, verify};
use getrandom::SysRng;
use std::{collections::HashSet, hint::black_box, rc::Rc};

pub const LISTS: [u32; 9] = [1, 4, 16, 64, 256, 1024, 4096, 16_384, 65_536];
pub const LONGEST: u32 = LISTS[LISTS.len() - 1];

pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system has random bytes");
    bytes
}

/// Changes one character, well inside the part that authenticates any contestant's token.
pub fn altered(token: &str) -> String {
    let place = token.len() * 3 / 4;
    let other = if &token[place..=place] == "A" { "B" } else { "A" };
    [&token[..place], other, &token[place + 1..]].concat()
}

/// `verify` by answer and by list, `issue`, and their parts alone.
pub fn subjects() -> Vec<Subject> {
    let bytes = random();
    let secret = Rc::new(ClientSecret::from_bytes(&bytes));
    let key = issue(&secret, &mut SysRng).expect("the operating system has random bytes");
    let (id, token) = (key.key_id, key.key_access_token.as_str());

    let answer = |name: &str, listed: KeyId, text: String, expected: Result<KeyId, VerifyError>| {
        let secret = Rc::clone(&secret);
        assert_eq!(verify(&secret, &[listed], &text), expected, "{name}");
        Subject::new(name, move || {
            verify(black_box(&secret), black_box(&[listed]), black_box(text.as_str()))
        })
    };
    let malformed = Err(VerifyError::Malformed);
    let mut all = vec![
        answer("client-keys", id, token.into(), Ok(id)),
        answer("client-keys forged", id, altered(token), Err(VerifyError::Inauthentic)),
        answer("client-keys malformed length", id, token[1..].into(), malformed),
        answer(
            "client-keys malformed prefix",
            id,
            token.replacen('1', "2", 1),
            malformed,
        ),
        answer(
            "client-keys malformed character",
            id,
            format!("{}=", &token[..61]),
            malformed,
        ),
        answer(
            "client-keys unlisted",
            KeyId::from_bytes(random()),
            token.into(),
            Err(VerifyError::Unlisted(id)),
        ),
    ];

    let mut altered_message = Message::of_token(&bytes, token.as_bytes());
    altered_message.tag[0] ^= 1;
    assert_eq!(altered_message.open(), None);
    let message = Message::of_token(&bytes, token.as_bytes());
    let text = token.to_owned();
    all.extend([
        Subject::new("aes-gcm", move || black_box(&message).open()),
        Subject::new("base64ct decode", move || decode(black_box(text.as_bytes()))),
        Subject::new("drawing 27 bytes", random::<27>),
        Subject::new("issue", {
            let secret = Rc::clone(&secret);
            move || issue(black_box(&*secret), &mut SysRng)
        }),
    ]);

    for count in LISTS {
        let ids: Vec<KeyId> = (1..count).map(|_| KeyId::from_bytes(random())).chain([id]).collect();
        let set: HashSet<KeyId> = ids.iter().copied().collect();
        let words: Vec<[u64; 2]> = (0..u64::from(count)).map(|n| [n, !n]).collect();
        assert_eq!(verify(&secret, &ids, token), Ok(id));
        assert_eq!(verify_by_set(&secret, &set, token), Ok(id));

        let (by_list, by_set) = (Rc::clone(&secret), Rc::clone(&secret));
        let (list_token, set_token) = (token.to_owned(), token.to_owned());
        all.extend([
            Subject::new(format!("list {count}"), move || {
                verify(
                    black_box(&by_list),
                    black_box(ids.as_slice()),
                    black_box(list_token.as_str()),
                )
            }),
            Subject::new(format!("set {count}"), move || {
                verify_by_set(black_box(&by_set), black_box(&set), black_box(set_token.as_str()))
            }),
            Subject::new(format!("sum {count}"), move || sum(black_box(&words))),
        ]);
    }
    all
}

/// Looks the id up in a set, as the crate's documentation shows for a database.
fn verify_by_set(secret: &ClientSecret, set: &HashSet<KeyId>, token: &str) -> Result<KeyId, VerifyError> {
    match verify(secret, &[], token) {
        Err(VerifyError::Unlisted(id)) if set.contains(&id) => Ok(id),
        answer => answer,
    }
}
