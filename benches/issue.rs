//! `issue` with the operating system's generator, beside what its parts take alone.

mod raw;

use base64ct::{Base64Url, Base64UrlUnpadded, Encoding};
use client_keys::{ClientSecret, issue};
use criterion::{Criterion, criterion_group, criterion_main};
use getrandom::SysRng;
use std::hint::black_box;

fn parts(c: &mut Criterion) {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).expect("the operating system has random bytes");
    let secret = ClientSecret::from_bytes(&bytes);
    let key = issue(&secret, &mut SysRng).expect("the operating system has random bytes");
    let message = raw::Message::of_token(&bytes, key.key_access_token.as_str().as_bytes());

    let mut group = c.benchmark_group("issue");
    group.bench_function("issue", |b| {
        b.iter(|| {
            // By reference: handing over the key would time its copy.
            black_box(&issue(black_box(&secret), &mut SysRng));
        });
    });
    group.bench_function("drawing 27 bytes alone", |b| {
        b.iter(|| {
            let mut drawn = [0; 27];
            getrandom::fill(&mut drawn).expect("the operating system has random bytes");
            black_box(&drawn);
        });
    });
    group.bench_function("aes-gcm seal alone", |b| {
        b.iter(|| {
            black_box(&black_box(&message).seal());
        });
    });
    // The payload alone, and the 51 bytes that `src/token.rs` encodes instead, with the encoder that each takes.
    group.bench_function("base64ct encode alone, 43 bytes", |b| {
        b.iter(|| encode::<Base64UrlUnpadded>(&[1; 43]))
    });
    group.bench_function("base64ct encode alone, 51 bytes", |b| {
        b.iter(|| encode::<Base64Url>(&[1; 51]))
    });
    group.finish();
}

fn encode<E: Encoding>(bytes: &[u8]) {
    let mut text = [0; 68];
    let encoded = E::encode(black_box(bytes), &mut text).is_ok();
    black_box((&text, encoded));
}

criterion_group!(benches, parts);
criterion_main!(benches);
