//! Secrets, tokens and the bytes that they are made of are erased after use.
//!
//! The tests read a value's own storage in its place, after its drop. A program cannot read what a call leaves on its
//! stack without undefined behaviour, so a child process makes the call and waits, and this process searches all of the
//! child's writable memory.
#![allow(unsafe_code, reason = "reading storage after its drop takes a raw read")]

mod common;

use client_keys::ClientSecret;
use common::{issue_key, random_secret};
use std::mem::{MaybeUninit, size_of};

/// The bytes that a value leaves in its own storage when it is dropped.
fn storage_after_drop<T>(value: T) -> Vec<u8> {
    let mut storage = MaybeUninit::new(value);
    // SAFETY: the value is initialized, it is dropped once, and nothing uses it afterwards.
    unsafe { storage.assume_init_drop() };
    let bytes = storage.as_ptr().cast::<u8>();
    // SAFETY: the storage outlives the reads. Its own `MaybeUninit` allows any content, and so does a volatile `u8`
    // read of what the drop wrote.
    (0..size_of::<T>())
        .map(|i| unsafe { bytes.add(i).read_volatile() })
        .collect()
}

#[test]
fn storage_of_a_secret_and_a_token_is_all_zero_after_drop() {
    let secret = random_secret();
    let key = issue_key(&secret);
    assert_eq!(storage_after_drop(key.key_access_token), [0; 62]);
    assert_eq!(storage_after_drop(secret), [0; size_of::<ClientSecret>()]);
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod dead_stack {
    use super::common::{self, random_secret};
    use base64ct::{Base64UrlUnpadded, Encoding};
    use client_keys::rand_core::{TryCryptoRng, TryRng};
    use client_keys::{ClientSecret, issue};
    use std::fs::{self, File};
    use std::hint::black_box;
    use std::io::{BufRead, BufReader, Read, stdin};
    use std::os::unix::fs::FileExt;
    use std::process::{Command, Stdio, exit};
    use std::{array, env};

    /// The bytes to search for. The child computes them one by one, so that they are only where the crate puts them.
    fn pattern<const N: usize>(first: usize) -> [u8; N] {
        array::from_fn(|index| byte(first + index))
    }

    fn byte(index: usize) -> u8 {
        (black_box(index) as u8).wrapping_mul(151).wrapping_add(93)
    }

    /// Runs this test again in a child process, and returns the child's writable memory after `call`.
    fn memory_after(test: &str, call: fn()) -> Vec<u8> {
        const CHILD: &str = "ERASURE_CHILD";
        if env::var_os(CHILD).is_some() {
            call();
            println!("\ncalled");
            let _ = stdin().read(&mut [0]);
            exit(0);
        }
        let mut child = Command::new(env::current_exe().expect("this program"))
            .args(["--exact", &format!("dead_stack::{test}"), "--nocapture"])
            .env(CHILD, "")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this program starts again");
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        let called = output.lines().any(|line| line.is_ok_and(|line| line == "called"));
        assert!(called, "the child did not make the call");

        let proc = format!("/proc/{}", child.id());
        let maps = fs::read_to_string(format!("{proc}/maps")).expect("a child can be read");
        let file = File::open(format!("{proc}/mem")).expect("a child can be read");
        let mut memory = vec![];
        for map in maps.lines().filter(|map| map.contains(" rw")) {
            let addresses = map.split(['-', ' ']).map(|digits| u64::from_str_radix(digits, 16));
            let [start, end] = addresses.flatten().take(2).collect::<Vec<_>>()[..] else {
                panic!("no addresses in {map}");
            };
            let mut mapped = vec![0; (end - start) as usize];
            file.read_exact_at(&mut mapped, start)
                .expect("mapped memory can be read");
            memory.extend(mapped);
        }
        drop(child.stdin.take());
        assert!(child.wait().expect("the child ends").success());
        memory
    }

    /// Makes a call far below its caller's frame, so that no later call overwrites what it leaves.
    #[inline(never)]
    fn deep_in_the_stack<T>(call: &dyn Fn() -> T) -> T {
        let above = black_box([0_u8; 128 * 1024]);
        let result = black_box(call)();
        black_box(&above);
        result
    }

    #[track_caller]
    fn assert_erased(memory: &[u8], secret: &[u8]) {
        assert!(!holds(memory, secret), "the stack still holds {secret:02x?}");
    }

    fn holds(memory: &[u8], secret: &[u8]) -> bool {
        memory.windows(secret.len()).any(|window| window == secret)
    }

    /// A generator that writes the pattern, and then fails if `fails` is set.
    struct Pattern {
        fails: bool,
    }

    impl TryRng for Pattern {
        type Error = common::Exhausted;

        fn try_next_u32(&mut self) -> Result<u32, common::Exhausted> {
            Err(common::Exhausted)
        }

        fn try_next_u64(&mut self) -> Result<u64, common::Exhausted> {
            Err(common::Exhausted)
        }

        fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), common::Exhausted> {
            for (index, to) in bytes.iter_mut().enumerate() {
                *to = byte(index);
            }
            // Otherwise the optimiser would not write bytes that nothing reads.
            black_box(bytes);
            if self.fails { Err(common::Exhausted) } else { Ok(()) }
        }
    }

    impl TryCryptoRng for Pattern {}

    /// The control: without it, a search that finds nothing would prove nothing.
    #[test]
    fn what_is_not_erased_is_found() {
        fn call() {
            deep_in_the_stack(&|| _ = black_box(&pattern::<12>(0)));
        }
        assert!(holds(
            &memory_after("what_is_not_erased_is_found", call),
            &pattern::<12>(0)
        ));
    }

    #[test]
    fn drawn_bytes_are_erased_if_the_generator_fails() {
        fn call() {
            let secret = random_secret();
            assert!(deep_in_the_stack(&|| issue(&secret, &mut Pattern { fails: true })).is_err());
        }
        let memory = memory_after("drawn_bytes_are_erased_if_the_generator_fails", call);
        assert_erased(&memory, &pattern::<12>(0));
        assert_erased(&memory, &pattern::<12>(15));
    }

    /// The cipher leaves separate copies of the nonce, the ciphertext and the tag; the payload has them in a row.
    #[test]
    fn the_payload_is_erased() {
        fn call() {
            let secret = ClientSecret::from_bytes(&pattern(100));
            assert!(deep_in_the_stack(&|| issue(&secret, &mut Pattern { fails: false })).is_ok());
        }
        let memory = memory_after("the_payload_is_erased", call);
        let key = issue(&ClientSecret::from_bytes(&pattern(100)), &mut Pattern { fails: false }).expect("27 bytes");
        let mut payload = [0; 43];
        Base64UrlUnpadded::decode(&key.key_access_token.as_str()[4..], &mut payload).expect("base64url");
        assert_erased(&memory, &payload[6..18]);
        assert_erased(&memory, &payload[21..33]);
    }

    #[test]
    fn no_copy_of_the_token_is_left() {
        fn call() {
            let secret = ClientSecret::from_bytes(&pattern(100));
            // Dropped in its place, because a move in this test would leave another copy.
            assert!(deep_in_the_stack(&|| black_box(&issue(
                &secret,
                &mut Pattern { fails: false }
            ))
            .is_ok()));
        }
        let memory = memory_after("no_copy_of_the_token_is_left", call);
        let key = issue(&ClientSecret::from_bytes(&pattern(100)), &mut Pattern { fails: false }).expect("27 bytes");
        assert_erased(&memory, &key.key_access_token.as_ref()[22..]);
    }

    /// The last digit is invalid, because from a valid secret AES makes round keys that begin with the same bytes.
    #[test]
    fn parsed_bytes_of_a_secret_are_erased() {
        fn call() {
            let digits = (0..64).map(|index| match byte(index / 2) >> (4 - 4 * (index % 2)) & 15 {
                _ if index == 63 => 'g',
                digit => char::from_digit(digit.into(), 16).expect("a digit"),
            });
            let text: String = digits.collect();
            assert!(deep_in_the_stack(&|| text.parse::<ClientSecret>()).is_err());
        }
        let memory = memory_after("parsed_bytes_of_a_secret_are_erased", call);
        assert_erased(&memory, &pattern::<12>(0));
        assert_erased(&memory, &pattern::<12>(19));
    }
}
