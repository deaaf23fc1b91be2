//! The token format in four languages: each passes the vectors, and each verifies the others' tokens. These tests need
//! Python with `cryptography`, Ruby and Node.js, which `.ci/run interop` installs.
#![cfg(unix)]

mod common;

use client_keys::{ClientSecret, KeyId, VerifyError, verify};
use common::{issue_key, random, random_id};
use std::{ffi::OsStr, os::unix::ffi::OsStrExt, process::Command, str};

const OTHERS: [[&str; 2]; 3] = [["python3", "py"], ["ruby", "rb"], ["node", "mjs"]];

/// A command's exit status and output.
#[derive(Debug, PartialEq, Eq)]
struct Answer {
    status: i32,
    out: String,
    err: String,
}

impl Answer {
    #[track_caller]
    fn assert(&self, status: i32, out: &str) {
        assert_eq!((self.status, self.out.trim_end()), (status, out), "{}", self.err);
    }
}

fn run(command: &mut Command) -> Answer {
    let output = command.output().expect("the language is installed");
    Answer {
        status: output.status.code().expect("an exit status"),
        out: String::from_utf8(output.stdout).expect("UTF-8"),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// `issue` or `verify TOKEN`, with a secret and a list in the environment.
type Call = Box<dyn Fn(&[u8], &[u8], &[&[u8]]) -> Answer>;

fn languages() -> Vec<(&'static str, Call)> {
    let mut languages: Vec<(&str, Call)> = vec![("rust", Box::new(rust))];
    languages.extend(OTHERS.map(|[language, extension]| {
        let call: Call = Box::new(move |secret, list, arguments| {
            run(Command::new(language)
                .arg(format!("tests/interop/client_keys.{extension}"))
                .args(arguments.iter().map(|argument| OsStr::from_bytes(argument)))
                .env("CLIENT_SECRET", OsStr::from_bytes(secret))
                .env("CLIENT_KEYS", OsStr::from_bytes(list)))
        });
        (language, call)
    }));
    languages
}

/// The crate, with the same command line.
fn rust(secret: &[u8], list: &[u8], arguments: &[&[u8]]) -> Answer {
    let answer = |status, out: String, err: String| Answer { status, out, err };
    let text = |bytes| str::from_utf8(bytes).map_err(|_| "not UTF-8".to_owned());
    let secret = text(secret).and_then(|text| text.parse::<ClientSecret>().map_err(|error| error.to_string()));
    let allowed = text(list).and_then(|text| {
        let ids: Result<Vec<_>, _> = KeyId::parse_list(text).collect();
        ids.map_err(|error| error.to_string())
    });
    match (secret, allowed, arguments) {
        (Err(error), ..) => answer(2, String::new(), format!("CLIENT_SECRET: {error}")),
        (_, Err(error), _) => answer(2, String::new(), format!("CLIENT_KEYS: {error}")),
        (Ok(secret), _, [b"issue"]) => {
            let key = issue_key(&secret);
            let token = key.key_access_token.as_str();
            answer(
                0,
                format!("key_id={}\nkey_access_token={token}\n", key.key_id),
                String::new(),
            )
        }
        (Ok(secret), Ok(allowed), [b"verify", token]) => match verify(&secret, &allowed, token) {
            Ok(id) => answer(0, format!("accepted {id}"), String::new()),
            Err(VerifyError::Malformed) => answer(1, "malformed".into(), String::new()),
            Err(VerifyError::Inauthentic) => answer(1, "inauthentic".into(), String::new()),
            Err(VerifyError::Unlisted(id)) => answer(1, format!("unlisted {id}"), String::new()),
            Err(error) => panic!("{error}"),
        },
        _ => panic!("`issue` or `verify TOKEN`"),
    }
}

fn random_secret() -> String {
    random::<32>().map(|byte| format!("{byte:02x}")).concat()
}

#[test]
#[ignore = "needs other languages"]
fn the_writer_writes_the_vectors_as_they_are() {
    let written = run(Command::new("python3").args(["tests/interop/write_vectors.py", "-"]));
    let vectors = std::fs::read_to_string("tests/vectors.json").expect("the vectors");
    assert!(written.status == 0 && written.out == vectors, "{}", written.err);
}

#[test]
#[ignore = "needs other languages"]
fn every_language_passes_every_vector() {
    let vectors = std::fs::read_to_string("tests/vectors.json").expect("the vectors");
    let tests = vectors
        .lines()
        .find_map(|line| line.strip_prefix("  \"numberOfTests\": ")?.strip_suffix(','));
    // One for each test, one for their number, and the accumulated vector.
    let expected = 2 + tests
        .expect("a line with the number")
        .parse::<usize>()
        .expect("a number");
    for [language, extension] in OTHERS {
        let answer = run(Command::new(language)
            .arg(format!("tests/interop/vectors.{extension}"))
            .arg("tests/vectors.json"));
        answer.assert(0, &format!("{expected} passed, 0 failed"));
    }
}

#[test]
#[ignore = "needs other languages"]
fn every_language_verifies_what_every_language_issues() {
    let (secret, other_secret, other_id) = (random_secret(), random_secret(), random_id());
    for (issuer, issue) in languages() {
        let issued = issue(secret.as_bytes(), b"", &[b"issue"]);
        let lines: Vec<&str> = issued.out.lines().collect();
        let [id, token] = lines[..] else {
            panic!("{issuer}: {issued:?}")
        };
        let id = id.strip_prefix("key_id=").expect("an id");
        let token = token.strip_prefix("key_access_token=").expect("a token");
        assert_eq!(
            id.parse::<KeyId>().expect("30 digits").to_string(),
            id,
            "{issuer}: not in lower case"
        );

        // As people write it: white space, empty entries, upper case.
        let list = format!("\t{other_id},, {} \r\n,", id.to_uppercase());
        for (verifier, verify) in languages() {
            println!("{issuer} to {verifier}");
            let assert = |secret: &str, list: &str, token: &str, status, out: &str| {
                verify(secret.as_bytes(), list.as_bytes(), &[b"verify", token.as_bytes()]).assert(status, out);
            };
            assert(&secret, &list, token, 0, &format!("accepted {id}"));
            assert(&secret, "", token, 1, &format!("unlisted {id}"));
            assert(&other_secret, &list, token, 1, "inauthentic");
            assert(&secret, &list, &format!("{token}\n"), 1, "malformed");
        }
    }
}

#[test]
#[ignore = "needs other languages"]
fn every_language_refuses_the_same_settings_and_shows_no_secret() {
    let (secret, id) = (random_secret(), random_id().to_string());
    let (short, cut) = (&secret[..63], &id[..29]);
    let bad_secrets = [
        String::new(),
        short.to_owned(),
        format!("{secret}0"),
        format!("{secret} "),
        format!(" {secret}"),
        format!("{secret}\n"),
        format!("{} {}", &secret[..32], &secret[32..]),
        format!("0x{}", &secret[2..]),
        format!("{short}g"),
    ];
    let bad_lists = [
        cut.to_owned(),
        format!("{id}0"),
        format!("{cut}g"),
        format!("{} {}", &id[..15], &id[15..]),
        format!("{id};{id}"),
        format!("{id} {id}"),
        format!("{id},x"),
        format!("\u{b}{id}"),
        format!("\u{a0}{id}"),
        format!("{cut}\u{661}"),
    ];
    for (language, call) in languages() {
        println!("{language}");
        let not_utf8 = [short.as_bytes(), b"\xff"].concat();
        for bad in bad_secrets.iter().map(String::as_bytes).chain([&*not_utf8]) {
            let answer = call(bad, b"", &[b"issue"]);
            answer.assert(2, "");
            assert!(answer.err.contains("CLIENT_SECRET"), "{language}: {}", answer.err);
            assert!(!answer.err.contains(&secret[2..22]), "{language} shows the secret");
        }
        for bad in &bad_lists {
            let answer = call(secret.as_bytes(), bad.as_bytes(), &[b"verify", b"x"]);
            answer.assert(2, "");
            assert!(answer.err.contains("CLIENT_KEYS"), "{language}: {}", answer.err);
        }
        call(secret.as_bytes(), b"", &[b"verify", b"ck1_\xff"]).assert(1, "malformed");
        call(secret.to_uppercase().as_bytes(), b"", &[b"verify", b""]).assert(1, "malformed");
    }
}
