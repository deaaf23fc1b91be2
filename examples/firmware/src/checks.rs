//! Checks every case of tests/vectors.json, tokens that the host issued while it built this program, keys issued here,
//! and equal instruction counts.

use crate::{ALLOWED, HardwareGenerator, NoRandomness, SECRET, TOKEN, random_word};
use client_keys::{ClientSecret, KeyId, VerifyError, issue, verify};
use core::{
    arch::asm,
    convert::Infallible,
    fmt::{self, Debug},
    hint::black_box,
};
use cortex_m::peripheral::{Peripherals, SYST, syst::SystClkSource};
use semihosting::{eprintln, println};

use table::Host;

/// tests/vectors.json and the host's tokens, which build.rs writes.
mod table {
    use client_keys::{KeyId, VerifyError};

    pub struct Group {
        pub secret: &'static str,
        pub allowed: &'static [KeyId],
        pub tests: &'static [Test],
    }

    pub struct Test {
        pub id: u32,
        pub token: &'static str,
        pub expected: Result<KeyId, VerifyError>,
        /// Good tokens have one.
        pub nonce: Option<[u8; 12]>,
    }

    pub struct Host {
        pub secret: [u8; 32],
        pub allowed: [KeyId; 64],
        pub first: [u8; 62],
        pub last: [u8; 62],
        pub unlisted: [u8; 62],
        pub unlisted_id: KeyId,
    }

    include!(concat!(env!("OUT_DIR"), "/table.rs"));
}

/// NOT FOR USE: NOTHING ABOUT IT IS RANDOM. It replaces the hardware, which the emulated board lacks, and returns the
/// given bytes, so that `vectors` can compare the token with tests/vectors.json. Someone who sees two tokens with the
/// same nonce can forge others.
fn replayed(nonce: [u8; 12], id: KeyId) -> HardwareGenerator<impl FnMut() -> Result<u32, Infallible>> {
    let mut bytes = nonce.into_iter().chain(id.to_bytes()).chain([0]);
    HardwareGenerator(move || {
        Ok(u32::from_le_bytes(core::array::from_fn(|_| {
            bytes.next().expect("27 bytes are 7 words")
        })))
    })
}

/// Runs all checks. Returns how many failed.
pub fn run() -> u32 {
    let mut checks = Checks { failed: 0 };
    example(&mut checks);
    vectors(&mut checks);
    host(&mut checks);
    counts(&mut checks);
    println!("{} checks failed", checks.failed);
    checks.failed
}

struct Checks {
    failed: u32,
}

impl Checks {
    fn same<T: PartialEq + Debug>(&mut self, what: &str, which: u32, found: &T, expected: &T) {
        if found != expected {
            self.failed += 1;
            eprintln!("{what} {which}: expected {expected:?}, found {found:?}");
        }
    }
}

/// The calls that `main` makes.
fn example(checks: &mut Checks) {
    let secret = ClientSecret::from_bytes(&SECRET);
    checks.same(
        "the example's token",
        1,
        &verify(&secret, &ALLOWED, TOKEN),
        &Ok(ALLOWED[0]),
    );
    let key = issue(&secret, &mut HardwareGenerator(random_word));
    checks.same("issued without randomness", 1, &key.err(), &Some(NoRandomness));
}

/// Every case of tests/vectors.json, and every good token issued again from its nonce and id.
fn vectors(checks: &mut Checks) {
    let (mut accepted, mut malformed, mut inauthentic, mut unlisted, mut issued) = (0, 0, 0, 0, 0);
    for group in table::GROUPS {
        let secret: ClientSecret = group.secret.parse().expect("a secret");
        for test in group.tests {
            let answer = verify(&secret, group.allowed, test.token);
            checks.same("case", test.id, &answer, &test.expected);
            let drawn = match answer {
                Ok(id) => {
                    accepted += 1;
                    test.nonce.zip(Some(id))
                }
                Err(VerifyError::Malformed) => {
                    malformed += 1;
                    None
                }
                Err(VerifyError::Unlisted(id)) => {
                    unlisted += 1;
                    test.nonce.zip(Some(id))
                }
                Err(_) => {
                    inauthentic += 1;
                    None
                }
            };
            if let Some((nonce, id)) = drawn {
                let Ok(key) = issue(&secret, &mut replayed(nonce, id));
                checks.same("id of issued", test.id, &key.key_id, &id);
                checks.same("issued", test.id, &key.key_access_token.as_str(), &test.token);
                issued += 1;
            }
        }
    }
    println!("vectors: accepted {accepted}, malformed {malformed}, inauthentic {inauthentic}, unlisted {unlisted}");
    println!("issued as in the vectors: {issued}");
    // Otherwise an empty table would pass.
    for (which, count) in [accepted, malformed, inauthentic, unlisted, issued]
        .into_iter()
        .enumerate()
    {
        checks.same("there are cases of kind", which as u32, &(count > 0), &true);
    }
}

/// Tokens that the host issued under a secret of its own.
fn host(checks: &mut Checks) {
    for (which, host) in (1..).zip(&table::HOSTS) {
        let secret = ClientSecret::from_bytes(&host.secret);
        let [first, .., last] = host.allowed;
        for (token, expected) in [
            (host.first, Ok(first)),
            (host.last, Ok(last)),
            (host.unlisted, Err(VerifyError::Unlisted(host.unlisted_id))),
        ] {
            checks.same("host", which, &verify(&secret, &host.allowed, token), &expected);
        }
    }
    println!("issued on the host: {} verified", 3 * table::HOSTS.len());
}

/// Checks that the number of a call's instructions reveals nothing that the call must hide.
///
/// Constant time also needs instructions whose time does not depend on their operands.
fn counts(checks: &mut Checks) {
    let counter = Counter::start();
    let nothing = counter.count(|| ());
    let thousand = counter.count(|| {
        // SAFETY: a thousand instructions that do nothing.
        unsafe { asm!(".rept 1000", "nop", ".endr", options(nomem, nostack, preserves_flags)) }
    });
    checks.same("the count of instructions", 1000, &(thousand - nothing), &1000);

    let verified = |secret: &ClientSecret, host: &Host, token: &[u8; 62]| {
        counter.count(|| verify(black_box(secret), black_box(&host.allowed), black_box(token)))
    };
    let leaky = |secret: &ClientSecret, host: &Host, token: &[u8; 62]| {
        counter.count(|| match verify(black_box(secret), &[], black_box(token)) {
            Err(VerifyError::Unlisted(id)) => black_box(&host.allowed).contains(&id),
            _ => false,
        })
    };
    let mut expanding = Range::default();
    let mut accepted = Range::default();
    let mut unlisted = Range::default();
    let mut inauthentic = Range::default();
    let mut malformed = Range::default();
    let mut issuing = Range::default();
    let mut control = Range::default();
    let [one, other] = &table::HOSTS;
    for (host, foreign) in [(one, other), (other, one)] {
        expanding.add(counter.count(|| ClientSecret::from_bytes(black_box(&host.secret))));
        let secret = ClientSecret::from_bytes(&host.secret);
        for token in [host.first, host.last] {
            accepted.add(verified(&secret, host, &token));
            unlisted.add(verified(&secret, foreign, &token));
            control.add(leaky(&secret, host, &token));
        }
        unlisted.add(verified(&secret, host, &host.unlisted));
        for token in [host.first, host.last, host.unlisted] {
            inauthentic.add(verified(&secret, host, &foreign.unlisted));
            // Every character of nonce, ciphertext and tag. The last stays one that a token may end with.
            for place in 4..62 {
                let mut altered = token;
                altered[place] = if token[place] == b'A' { b'Q' } else { b'A' };
                checks.same(
                    "altered",
                    place as u32,
                    &verify(&secret, &host.allowed, altered),
                    &Err(VerifyError::Inauthentic),
                );
                inauthentic.add(verified(&secret, host, &altered));
                altered[place] = b'!';
                checks.same(
                    "not base64url",
                    place as u32,
                    &verify(&secret, &host.allowed, altered),
                    &Err(VerifyError::Malformed),
                );
                malformed.add(verified(&secret, host, &altered));
            }
        }
        for id in host.allowed {
            let mut generator = replayed(host.secret[..12].try_into().expect("12 of 32"), id);
            issuing.add(counter.count(|| issue(black_box(&secret), &mut generator)));
        }
    }
    println!("instructions, lists of {}:", one.allowed.len());
    for (which, what, range) in [
        (1, "ClientSecret::from_bytes", expanding),
        (2, "verify, accepted", accepted),
        (3, "verify, unlisted", unlisted),
        (4, "verify, inauthentic", inauthentic),
        (5, "verify, malformed", malformed),
        (6, "issue", issuing),
    ] {
        println!("  {what}: {range}");
        checks.same("unequal counts of", which, &range.highest, &range.lowest);
    }
    println!("  a control that stops at the id it finds: {control}");
    checks.same(
        "the control's leak is seen",
        1,
        &(control.lowest < control.highest),
        &true,
    );
}

struct Range {
    lowest: u32,
    highest: u32,
    calls: u32,
}

impl Default for Range {
    fn default() -> Self {
        Self {
            lowest: u32::MAX,
            highest: 0,
            calls: 0,
        }
    }
}

impl Range {
    fn add(&mut self, count: u32) {
        self.lowest = self.lowest.min(count);
        self.highest = self.highest.max(count);
        self.calls += 1;
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.lowest == self.highest {
            write!(f, "{} each in {} calls", self.lowest, self.calls)
        } else {
            write!(f, "{} to {} in {} calls", self.lowest, self.highest, self.calls)
        }
    }
}

/// Counts instructions: the emulator takes the same time for each (`-icount` in .cargo/config.toml).
struct Counter;

impl Counter {
    /// SysTick counts down from here (Armv7-M Architecture Reference Manual, B3.3).
    const RELOAD: u32 = 0x00ff_ffff;

    fn start() -> Self {
        let mut timer = Peripherals::take().expect("nobody else takes them").SYST;
        timer.set_clock_source(SystClkSource::Core);
        timer.set_reload(Self::RELOAD);
        timer.clear_current();
        timer.enable_counter();
        Self
    }

    /// Counts the instructions of `call` and a few of its own: up to 1.3 million, where the timer wraps around.
    #[inline(never)]
    fn count<T>(&self, call: impl FnOnce() -> T) -> u32 {
        let before = SYST::get_current();
        black_box(call());
        let ticks = before.wrapping_sub(SYST::get_current()) & Self::RELOAD;
        // 2^10 ns for an instruction, 80 ns for a tick of the board's clock: 12.8 ticks each.
        (ticks * 5 + 32) / 64
    }
}
