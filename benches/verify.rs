//! Times `verify` by answer and by the number of listed ids, and its parts alone.

mod raw;

use client_keys::{ClientSecret, KeyId, issue, verify};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use std::hint::black_box;

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system has random bytes");
    bytes
}

fn answers(c: &mut Criterion) {
    let bytes = random();
    let secret = ClientSecret::from_bytes(&bytes);
    let key = issue(&secret, &mut getrandom::SysRng).expect("the operating system has random bytes");
    let token = key.key_access_token.as_str();
    let forged = issue(&ClientSecret::from_bytes(&random()), &mut getrandom::SysRng).expect("random bytes");
    let (listed, others) = ([key.key_id], [KeyId::from_bytes(random())]);

    let mut group = c.benchmark_group("verify");
    for (answer, allowed, token) in [
        ("accepted", &listed, token),
        ("forged", &listed, forged.key_access_token.as_str()),
        ("malformed length", &listed, &token[1..]),
        ("malformed prefix", &listed, &token.replacen("ck1_", "ck2_", 1)),
        ("malformed character", &listed, &format!("{}=", &token[..61])),
        ("unlisted", &others, token),
    ] {
        group.bench_function(answer, |b| {
            b.iter(|| {
                // By reference, because passing the answer on would time its copy.
                black_box(&verify(black_box(&secret), black_box(allowed), black_box(token)));
            });
        });
    }
    group.bench_function("aes-gcm open alone", |b| {
        let message = raw::Message::of_token(&bytes, token.as_bytes());
        b.iter(|| {
            black_box(&black_box(&message).open());
        });
    });
    group.bench_function("base64ct decode alone", |b| {
        b.iter(|| {
            black_box(&raw::decode(black_box(token.as_bytes())));
        });
    });
    group.finish();
}

fn lists(c: &mut Criterion) {
    let secret = ClientSecret::from_bytes(&random());
    let key = issue(&secret, &mut getrandom::SysRng).expect("the operating system has random bytes");
    let mut group = c.benchmark_group("verify by listed ids");
    for count in [1, 16, 256, 4096, 65_536] {
        let allowed: Vec<KeyId> = (0..count).map(|_| KeyId::from_bytes(random())).collect();
        group.bench_function(BenchmarkId::from_parameter(count), |b| {
            b.iter(|| {
                black_box(&verify(
                    black_box(&secret),
                    black_box(allowed.as_slice()),
                    black_box(&key.key_access_token),
                ));
            });
        });
    }
    group.finish();
}

criterion_group!(benches, answers, lists);
criterion_main!(benches);
