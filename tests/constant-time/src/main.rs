//! Constant time, by machine code: under valgrind's memcheck, a jump or an address that depends on bytes marked
//! undefined is reported. Marked are the secret, the drawn bytes, the listed ids, and the token's text past its prefix;
//! what may be reported are the verdicts, which the answer tells anyway. `.ci/run constant_time` builds this and runs it.

mod valgrind;

use client_keys::{
    ClientKey, ClientSecret, KeyId, VerifyError, issue,
    rand_core::{Infallible, TryCryptoRng, TryRng},
    verify,
};
use std::{hint::black_box, process::ExitCode};

const PREFIX_LEN: usize = 4;
const TEXT_LEN: usize = 58;
const ID_LEN: usize = 15;
// On both sides of 64, and a long one: an early exit may begin at any number of ids.
const LISTS: [usize; 4] = [1, 64, 65, 1000];

fn main() -> ExitCode {
    assert!(valgrind::is_running(), "nothing is known outside valgrind");
    let software = cfg!(aes_backend = "soft");
    let hardware = is_x86_feature_detected!("aes") && is_x86_feature_detected!("pclmulqdq");
    assert!(software || hardware, "valgrind shows no AES instructions");

    // How many times the machine code of this build looks at the verdicts of a token that is well-formed.
    let verdicts = std::env::args().nth(1).and_then(|count| count.parse().ok());
    let verdicts = verdicts.expect("usage: constant-time VERDICTS");

    let mut page = Page { failures: 0 };
    controls(&mut page);
    let secret = secrets(&mut page);
    let key = issuing(&mut page, &secret);
    verifying(&mut page, verdicts, &secret, &key);
    page.exactly(0, "drop a secret", || drop(secret));
    ExitCode::from(u8::from(page.failures > 0))
}

/// What leaks must be caught, or nothing else on the page counts.
fn controls(page: &mut Page) {
    let id = undefined([63_u8; ID_LEN]);
    let ids = undefined([[0_u8; ID_LEN]; 64]);
    // One more than the verdicts that verify is allowed.
    page.at_least(4, "LEAK: early-exit scan", || black_box(&ids).contains(black_box(&id)));
    let index = undefined(17_u8);
    page.at_least(1, "LEAK: table indexed by a secret", || {
        black_box(&[1_u8; 256])[usize::from(black_box(index))]
    });
}

fn secrets(page: &mut Page) -> ClientSecret {
    let mut text = "00112233445566778899aabbccddeeff0123456789abcdefABCDEFfedcbaFEDC".to_owned();
    valgrind::make_undefined(text.as_mut_str());
    let parsed = page.exactly(1, "parse a secret", || text.parse::<ClientSecret>());
    assert!(defined(parsed).is_ok(), "64 digits are a secret");

    let bytes = undefined([0x5a; 32]);
    page.exactly(0, "a secret from bytes", || ClientSecret::from_bytes(&bytes))
}

fn issuing(page: &mut Page, secret: &ClientSecret) -> ClientKey {
    let Ok(mut key) = page.exactly(0, "issue", || issue(secret, &mut Undefined));
    let undefined = valgrind::undefined_bytes(&mut key);
    assert!(undefined >= TEXT_LEN + ID_LEN, "the token is not followed");
    defined(key)
}

fn verifying(page: &mut Page, verdicts: usize, secret: &ClientSecret, key: &ClientKey) {
    let token = key.key_access_token.as_str();
    let count = |text: &str, ids: &[KeyId], expected| {
        let mut text = text.as_bytes().to_vec();
        valgrind::make_undefined(&mut text[PREFIX_LEN..]);
        let (mut answer, reports) = counted(|| verify(secret, ids, &text));
        let undefined = valgrind::undefined_bytes(&mut answer);
        assert_eq!(defined(answer), expected);
        if matches!(expected, Ok(_) | Err(VerifyError::Unlisted(_))) {
            assert!(undefined >= ID_LEN, "the id in the answer is not followed");
        }
        reports
    };

    let listed = LISTS.map(|len| {
        let reports = |place| count(token, &list(len, Some((place, key.key_id))), Ok(key.key_id));
        [0, len / 2, len - 1].map(reports)
    });
    page.all(verdicts, "verify, listed first, middle, last", listed.as_flattened());

    let unlisted = VerifyError::Unlisted(key.key_id);
    for (expected, name, text, error) in [
        (verdicts, "absent", token.to_owned(), unlisted),
        (
            verdicts,
            "forged id",
            other_character(token, 30),
            VerifyError::Inauthentic,
        ),
        (
            verdicts,
            "forged tag",
            other_character(token, 50),
            VerifyError::Inauthentic,
        ),
        (
            1,
            "bad first character",
            with_character(token, 4, '!'),
            VerifyError::Malformed,
        ),
        (
            1,
            "bad last character",
            with_character(token, 61, '!'),
            VerifyError::Malformed,
        ),
        (1, "spare bits", with_character(token, 61, 'B'), VerifyError::Malformed),
    ] {
        let reports = LISTS.map(|len| count(&text, &list(len, None), Err(error)));
        page.all(expected, &format!("verify, {name}"), &reports);
    }
}

/// So many ids, with one of them in its place or all of them strangers.
fn list(count: usize, listed: Option<(usize, KeyId)>) -> Vec<KeyId> {
    let mut ids = vec![KeyId::from_bytes([0; ID_LEN]); count];
    if let Some((place, id)) = listed {
        ids[place] = id;
    }
    valgrind::make_undefined(ids.as_mut_slice());
    ids
}

fn other_character(text: &str, place: usize) -> String {
    let character = if text.as_bytes()[place] == b'A' { 'B' } else { 'A' };
    with_character(text, place, character)
}

fn with_character(text: &str, place: usize, character: char) -> String {
    let mut text = text.to_owned();
    text.replace_range(place..=place, character.encode_utf8(&mut [0; 4]));
    text
}

fn undefined<T>(mut value: T) -> T {
    valgrind::make_undefined(&mut value);
    value
}

fn defined<T>(mut value: T) -> T {
    valgrind::make_defined(&mut value);
    value
}

/// A generator of undefined bytes.
struct Undefined;

impl TryRng for Undefined {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        unimplemented!("issue draws bytes")
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        unimplemented!("issue draws bytes")
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        bytes.fill(0xa5);
        valgrind::make_undefined(bytes);
        Ok(())
    }
}

impl TryCryptoRng for Undefined {}

/// Prints what was counted, and remembers whether all of it was as it should be.
struct Page {
    failures: usize,
}

impl Page {
    fn exactly<T>(&mut self, expected: usize, name: &str, call: impl FnOnce() -> T) -> T {
        let (result, reports) = counted(call);
        self.all(expected, name, &[reports]);
        result
    }

    fn at_least<T>(&mut self, minimum: usize, name: &str, call: impl FnOnce() -> T) {
        let (_, reports) = counted(call);
        let expected = format!("at least {minimum}");
        self.line(reports >= minimum, name, &expected, &[reports]);
    }

    fn all(&mut self, expected: usize, name: &str, reports: &[usize]) {
        let kept = reports.iter().all(|reports| *reports == expected);
        self.line(kept, name, &format!("each {expected}"), reports);
    }

    fn line(&mut self, kept: bool, name: &str, expected: &str, reports: &[usize]) {
        self.failures += usize::from(!kept);
        let verdict = if kept { "ok" } else { "FAILED" };
        println!("{verdict:6} {name}: reports {reports:?}, {expected}");
    }
}

fn counted<T>(call: impl FnOnce() -> T) -> (T, usize) {
    let before = valgrind::reports();
    let result = black_box(call());
    (result, valgrind::reports() - before)
}
