//! Times `verify` over two classes of inputs that must not differ, in random order, and lets Welch's t-test say whether
//! they do (dudect: Reparaz, Balasch and Verbauwhede, <https://eprint.iacr.org/2016/1123>). |t| above 4.5 is a difference.

use client_keys::{ClientSecret, KeyId, VerifyError, issue, verify};
use dudect_bencher::rand::RngExt;
use dudect_bencher::{BenchRng, Class, CtRunner, ctbench_main};
use getrandom::SysRng;
use std::hint::black_box;

const SAMPLES: usize = 1_000_000;
const LISTED: usize = 64;

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system has random bytes");
    bytes
}

#[derive(Clone)]
struct Input {
    secret: [u8; 32],
    allowed: [[u8; 15]; LISTED],
    token: [u8; 62],
}

fn issue_under(secret: [u8; 32]) -> ([u8; 15], [u8; 62]) {
    let key = issue(&ClientSecret::from_bytes(&secret), &mut SysRng).expect("the operating system has random bytes");
    (
        key.key_id.to_bytes(),
        *key.key_access_token.as_ref().first_chunk().expect("62 characters"),
    )
}

/// One of two, with both read and without a branch: what is in the cache and in the predictor must not depend on which.
fn select<const N: usize>(right: u8, left: &[u8; N], other: &[u8; N]) -> [u8; N] {
    let mask = black_box(right.wrapping_neg());
    std::array::from_fn(|i| (left[i] & !mask) | (other[i] & mask))
}

impl Input {
    /// A token whose id stands first in a list.
    fn new() -> Self {
        let secret = random();
        let (id, token) = issue_under(secret);
        let mut allowed = [(); LISTED].map(|()| random());
        allowed[0] = id;
        Self { secret, allowed, token }
    }
}

/// Both classes run the same code on the same memory: only its content differs.
fn compare<T>(
    runner: &mut CtRunner,
    rng: &mut BenchRng,
    [left, right]: [Input; 2],
    check: fn(&ClientSecret, &[KeyId], &[u8]) -> T,
) {
    for _ in 0..SAMPLES {
        let which = u8::from(rng.random::<bool>());
        let allowed: [KeyId; LISTED] =
            std::array::from_fn(|i| KeyId::from_bytes(select(which, &left.allowed[i], &right.allowed[i])));
        let token = select(which, &left.token, &right.token);
        let secret = ClientSecret::from_bytes(&select(which, &left.secret, &right.secret));
        let class = if which == 0 { Class::Left } else { Class::Right };
        runner.run_one(class, || check(&secret, black_box(&allowed), black_box(&token)));
    }
}

fn compare_verify(runner: &mut CtRunner, rng: &mut BenchRng, classes: [Input; 2]) {
    compare(runner, rng, classes, |secret, allowed, token| {
        verify(secret, allowed, token)
    });
}

fn first_and_last() -> [Input; 2] {
    let first = Input::new();
    let mut last = first.clone();
    last.allowed.swap(0, LISTED - 1);
    [first, last]
}

fn first_or_last_in_the_list(runner: &mut CtRunner, rng: &mut BenchRng) {
    compare_verify(runner, rng, first_and_last());
}

fn one_secret_or_the_other(runner: &mut CtRunner, rng: &mut BenchRng) {
    compare_verify(runner, rng, [Input::new(), Input::new()]);
}

fn forged_in_the_first_or_last_byte_of_the_tag(runner: &mut CtRunner, rng: &mut BenchRng) {
    let good = Input::new();
    // The tag's 16 bytes are the last of 43. Characters 36 and 57 of 58 (from 0) hold bits of its first and its last.
    let classes = [4 + 36, 4 + 57].map(|place| {
        let mut forged = good.clone();
        forged.token[place] = if forged.token[place] == b'A' { b'Q' } else { b'A' };
        forged
    });
    compare_verify(runner, rng, classes);
}

fn one_id_or_the_other(runner: &mut CtRunner, rng: &mut BenchRng) {
    let one = Input::new();
    let mut other = one.clone();
    (other.allowed[0], other.token) = issue_under(one.secret);
    compare_verify(runner, rng, [one, other]);
}

fn one_unlisted_token_or_the_other(runner: &mut CtRunner, rng: &mut BenchRng) {
    let listed = Input::new();
    let classes = [(); 2].map(|()| {
        let (_, token) = issue_under(listed.secret);
        Input {
            token,
            ..listed.clone()
        }
    });
    compare_verify(runner, rng, classes);
}

/// The control: a scan that stops at the first match must be caught.
fn leaky_control(runner: &mut CtRunner, rng: &mut BenchRng) {
    compare(runner, rng, first_and_last(), |secret, allowed, token| {
        match verify(secret, &[], token) {
            Err(VerifyError::Unlisted(id)) => allowed.contains(&id),
            _ => false,
        }
    });
}

ctbench_main!(
    first_or_last_in_the_list,
    one_secret_or_the_other,
    forged_in_the_first_or_last_byte_of_the_tag,
    one_id_or_the_other,
    one_unlisted_token_or_the_other,
    leaky_control
);
