//! `issue` with the operating system's generator, beside what its parts take alone.

mod raw;

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
    group.finish();
}

criterion_group!(benches, parts);
criterion_main!(benches);
