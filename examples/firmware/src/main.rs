//! A Cortex-M3 that guards its door with client keys: no heap, no operating system, allow lists in flash.
//!
//! It verifies tokens that the host issued while this program was built, gives the answers of tests/vectors.json to
//! all its cases, issues keys, and measures itself. It ends with an exit status, 0 if everything was as it should be.

#![no_std]
#![no_main]

use client_keys::rand_core::{TryCryptoRng, TryRng, utils};
use client_keys::{ClientSecret, KeyId, VerifyError, issue, verify};
use core::{
    arch::asm,
    convert::Infallible,
    fmt::{self, Debug},
    hint::black_box,
};
use cortex_m::peripheral::{Peripherals, SYST, syst::SystClkSource};
use semihosting::{eprintln, println, process};

#[path = "../../footprint/src/stack.rs"]
mod stack;

use table::Host;

/// tests/vectors.json, and what the host issued: written by build.rs.
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
        /// What was drawn for the token, before the id.
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

/// A board's generator: 32 bits at a time from its hardware, which may fail.
///
/// `word` is the board's part. It waits until the peripheral says that a word is ready, and reads it; on the
/// peripheral's error flag (noise source dead, clock too slow) it returns the error and `issue` issues nothing. On an
/// STM32, for instance, that is DRDY, CECS and SECS of `RNG_SR`, and `RNG_DR`; embassy's drivers and most HALs implement
/// these traits themselves. It has to be a generator for keys: a conditioned and tested noise source (NIST SP 800-90B),
/// or a DRBG seeded from one; never a timer, an unconnected pin, or a fixed seed. A board without such a source
/// verifies tokens and leaves issuing to a machine that has one: verifying draws nothing.
struct HardwareGenerator<W>(W);

impl<E: core::error::Error, W: FnMut() -> Result<u32, E>> TryRng for HardwareGenerator<W> {
    type Error = E;

    fn try_next_u32(&mut self) -> Result<u32, E> {
        (self.0)()
    }

    fn try_next_u64(&mut self) -> Result<u64, E> {
        utils::next_u64_via_u32(self)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), E> {
        utils::fill_bytes_via_next_word(bytes, || self.try_next_u32())
    }
}

/// The promise that the words are fit for keys.
impl<E: core::error::Error, W: FnMut() -> Result<u32, E>> TryCryptoRng for HardwareGenerator<W> {}

/// NOT FOR USE: NOTHING ABOUT IT IS RANDOM. It plays the part of the hardware, which the emulated board lacks, and
/// gives out what it was given, so that what is issued can be compared with tests/vectors.json. Whoever sees two tokens
/// that share a nonce forges others.
fn replayed(nonce: [u8; 12], id: KeyId) -> HardwareGenerator<impl FnMut() -> Result<u32, Infallible>> {
    let drawn = nonce.into_iter().chain(id.to_bytes()).chain([0]);
    let mut bytes = drawn;
    HardwareGenerator(move || {
        Ok(u32::from_le_bytes(core::array::from_fn(|_| {
            bytes.next().expect("27 bytes are 7 words")
        })))
    })
}

#[cortex_m_rt::entry]
fn main() -> ! {
    let mut checks = Checks { failed: 0 };
    vectors(&mut checks);
    host(&mut checks);
    stack(&mut checks);
    counts(&mut checks);
    println!("{} checks failed", checks.failed);
    process::exit(i32::from(checks.failed != 0))
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

/// Every case of tests/vectors.json, and every good token issued anew from what was drawn for it.
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
    // An empty table would otherwise go through.
    for (which, count) in [accepted, malformed, inauthentic, unlisted, issued]
        .into_iter()
        .enumerate()
    {
        checks.same("none of kind", which as u32, &(count > 0), &true);
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

fn stack(checks: &mut Checks) {
    let [host, _] = &table::HOSTS;
    let (expand, secret) = stack::used_by(|| ClientSecret::from_bytes(&host.secret));
    let (check, answer) = stack::used_by(|| verify(&secret, &host.allowed, host.last));
    let (make, key) = stack::used_by(|| issue(&secret, &mut replayed([1; 12], host.unlisted_id)));
    checks.same("on a painted stack", 1, &answer, &Ok(host.allowed[63]));
    checks.same("on a painted stack", 2, &key.is_ok(), &true);
    println!(
        "stack in bytes: ClientSecret::from_bytes {expand}, verify {check}, issue {make}; ClientSecret itself {}",
        size_of::<ClientSecret>()
    );
}

/// Equal counts: what a call must not tell about its inputs, it does not tell by the number of its instructions.
///
/// This is not yet constant time: that also needs instructions whose time does not depend on their operands.
fn counts(checks: &mut Checks) {
    let counter = Counter::start();
    let nothing = counter.count(|| ());
    let thousand = counter.count(|| {
        // SAFETY: does nothing, a thousand times.
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
    for (host, stranger) in [(one, other), (other, one)] {
        expanding.add(counter.count(|| ClientSecret::from_bytes(black_box(&host.secret))));
        let secret = ClientSecret::from_bytes(&host.secret);
        for token in [host.first, host.last] {
            accepted.add(verified(&secret, host, &token));
            unlisted.add(verified(&secret, stranger, &token));
            control.add(leaky(&secret, host, &token));
        }
        unlisted.add(verified(&secret, host, &host.unlisted));
        for token in [host.first, host.last, host.unlisted] {
            inauthentic.add(verified(&secret, host, &stranger.unlisted));
            // Every character of nonce, ciphertext and tag, the first and the last byte of the tag among them. The last
            // character stays one that a token may end with.
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
                    "no base64url",
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

/// Counts instructions: the emulator is told to take the same time for each (`-icount`, see .cargo/config.toml).
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

    /// The instructions that `call` takes and a few of this function's own: up to 1.3 million, then the timer is round.
    #[inline(never)]
    fn count<T>(&self, call: impl FnOnce() -> T) -> u32 {
        let before = SYST::get_current();
        black_box(call());
        let ticks = before.wrapping_sub(SYST::get_current()) & Self::RELOAD;
        // 2^10 ns for an instruction, 80 ns for a tick of the board's clock: 12.8 ticks each.
        (ticks * 5 + 32) / 64
    }
}
