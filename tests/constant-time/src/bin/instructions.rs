//! Counts the instructions of `verify` and `issue` under valgrind and compares them with `budget.txt`: no noise reaches
//! them. `.ci/run budget` builds this with the cipher in software, as its instructions differ by processor, and
//! `.ci/run --write budget` writes the budget anew.

#[path = "../../../../src/aes256.rs"]
mod aes256;
#[path = "../../../../src/seal.rs"]
mod seal;

use aes_gcm::KeyInit;
use client_keys::{
    ClientKey, ClientSecret, KeyId, VerifyError, issue,
    rand_core::{TryCryptoRng, TryRng},
    verify,
};
use std::{convert::Infallible, env, fs, hint::black_box, process::Command};

const BUDGET: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/budget.txt");
const PERCENT: i64 = 2;
const CASES: [&str; 16] = [
    "accepted 1",
    "accepted 256",
    "unlisted 1",
    "unlisted 256",
    "forged 1",
    "forged 256",
    "malformed 1",
    "malformed 256",
    "undecodable 1",
    "undecodable 256",
    "unlisted 129",
    "unlisted 257",
    "unlisted 385",
    "issue",
    "open",
    "seal",
];

fn main() {
    if let Some(case) = env::var_os("CASE") {
        return run(case.to_str().expect("a case"));
    }
    if !cfg!(aes_backend = "soft") {
        panic!("`.ci/run budget` builds this with the cipher in software");
    }
    let counted = count_all();
    let compiler = Command::new("rustc").arg("--version").output().expect("rustc").stdout;
    let compiler = String::from_utf8(compiler).expect("text");
    let compiler = format!("{}, {}", compiler.trim_end(), env::consts::ARCH);
    if env::args().any(|argument| argument == "--write") {
        let lines = counted.iter().map(|(name, count)| format!("\n{name}: {count}"));
        return fs::write(BUDGET, lines.fold(compiler, |text, line| text + &line) + "\n").expect("the budget");
    }
    let budget = fs::read_to_string(BUDGET).expect("the budget");
    let mut budget = budget.lines();
    let written_by = budget.next();
    assert_eq!(
        Some(&*compiler),
        written_by,
        "see what `.ci/run --write budget` changes"
    );
    let budget: Vec<(&str, i64)> = budget
        .filter_map(|line| line.split_once(": "))
        .map(|(name, allowed)| (name, allowed.parse().expect("a number")))
        .collect();

    let mut kept = budget.len() == counted.len();
    for ((name, count), (expected, allowed)) in counted.iter().zip(budget) {
        let within = *name == expected && count * 100 <= allowed * (100 + PERCENT);
        kept &= within;
        println!(
            "{} {name:20} {count:6} of {allowed:6}",
            if within { "ok    " } else { "FAILED" }
        );
    }
    assert!(
        kept,
        "more than {PERCENT} % over the budget, or other cases than the budget's"
    );
    let [.., (_, first), (_, next)] = counted[..] else {
        unreachable!("the list's growth comes last")
    };
    let difference = (next - first).abs() * 100;
    assert!(
        first > 0 && difference <= first * PERCENT,
        "128 more ids: {first}, another 128: {next}"
    );
}

/// Every case, and what of the calls is the crate's own: 2 % of the cipher in software would hide a slower decoder.
fn count_all() -> Vec<(&'static str, i64)> {
    let mut counted: Vec<(&str, i64)> = CASES.map(|case| (case, count(case))).into();
    let of = |case| counted.iter().find(|(name, _)| *name == case).expect("a case").1;
    let derived = [
        ("verify without open", of("accepted 1") - of("open")),
        ("issue without seal", of("issue") - of("seal")),
        ("128 more ids", of("unlisted 257") - of("unlisted 129")),
        ("another 128 ids", of("unlisted 385") - of("unlisted 257")),
    ];
    counted.extend(derived);
    counted
}

/// Runs this program under valgrind. An empty environment, fixed addresses and the plainest of libc's copying functions
/// leave nothing of the machine.
fn count(case: &str) -> i64 {
    let output = Command::new("setarch")
        .args([
            "--addr-no-randomize",
            "valgrind",
            "--tool=callgrind",
            "--callgrind-out-file=/dev/null",
        ])
        .arg("--toggle-collect=instructions::counted_*")
        .arg(env::current_exe().expect("this program"))
        .env_clear()
        .env("CASE", case)
        .env(
            "GLIBC_TUNABLES",
            "glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX_Fast_Unaligned_Load,-SSSE3,-ERMS,-FSRM",
        )
        .output()
        .expect("setarch and valgrind");
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{case}: {log}");
    let count = log
        .lines()
        .find_map(|line| line.split_once("Collected : ")?.1.parse().ok());
    // Nothing would fit into every budget.
    count
        .filter(|count| *count > 0)
        .unwrap_or_else(|| panic!("{case}: nothing was counted: {log}"))
}

/// Hands out the same byte for ever: what a generator takes is not counted.
struct Fixed(u8);

impl TryRng for Fixed {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        unreachable!("issue draws bytes")
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        unreachable!("issue draws bytes")
    }

    fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), Infallible> {
        to.fill(self.0);
        Ok(())
    }
}

impl TryCryptoRng for Fixed {}

const SECRET: [u8; 32] = [1; 32];

// What runs inside the functions called `counted_…` is counted, nothing else.

#[inline(never)]
fn counted_verify(secret: &ClientSecret, allowed: &[KeyId], token: &str) -> Result<KeyId, VerifyError> {
    verify(secret, allowed, token)
}

#[inline(never)]
fn counted_issue(secret: &ClientSecret) -> ClientKey {
    let Ok(key) = issue(secret, &mut Fixed(2));
    key
}

#[inline(never)]
fn counted_open(cipher: &seal::Cipher, payload: &mut [u8; seal::SEALED_LEN]) -> Option<[u8; 15]> {
    seal::open(cipher, b"ck1_", payload)
}

#[inline(never)]
fn counted_seal(cipher: &seal::Cipher, payload: &mut [u8; seal::SEALED_LEN]) -> [u8; 15] {
    seal::seal(cipher, b"ck1_", payload)
}

/// One call, of which all inputs are fixed.
fn run(case: &str) {
    let secret = ClientSecret::from_bytes(&SECRET);
    let Ok(key) = issue(&secret, &mut Fixed(2));
    let cipher = seal::Cipher::new(&SECRET.into());
    let mut payload = [0; seal::SEALED_LEN];
    payload[..seal::DRAWN_LEN].fill(2);
    match case.split_once(' ') {
        Some((answer, count)) => answer_to(answer, count.parse().expect("a number of ids"), &secret, &key),
        None if case == "issue" => drop(black_box(counted_issue(black_box(&secret)))),
        None if case == "seal" => drop(black_box(counted_seal(black_box(&cipher), &mut payload))),
        None => {
            seal::seal(&cipher, b"ck1_", &mut payload);
            assert!(counted_open(black_box(&cipher), &mut payload).is_some());
        }
    }
}

fn answer_to(case: &str, count: usize, secret: &ClientSecret, key: &ClientKey) {
    let (id, token) = (key.key_id, key.key_access_token.as_str());
    let other = KeyId::from_bytes([3; 15]);
    let (last, token, expected) = match case {
        "accepted" => (id, token.to_owned(), Ok(id)),
        "unlisted" => (other, token.to_owned(), Err(VerifyError::Unlisted(id))),
        "forged" => (id, token.replacen("ck1_A", "ck1_B", 1), Err(VerifyError::Inauthentic)),
        "malformed" => (id, token[1..].to_owned(), Err(VerifyError::Malformed)),
        // Decoded to the end, and not decrypted.
        "undecodable" => (id, format!("{}=", &token[..61]), Err(VerifyError::Malformed)),
        _ => panic!("no such case: {case}"),
    };
    let mut allowed = vec![other; count];
    *allowed.last_mut().expect("at least one id") = last;
    assert_eq!(
        counted_verify(black_box(secret), black_box(&allowed), black_box(&token)),
        expected
    );
}
