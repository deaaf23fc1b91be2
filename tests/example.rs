//! `examples/issue.rs` prints what it should, and never a secret that it was given. `.ci/run example` runs these tests.

use client_keys::KeyId;
use std::{
    env, fs,
    path::Path,
    process::{Command, Output},
    str,
};

const SECRET: &str = "00112233445566778899aabbccddeeff0123456789abcdefABCDEFfedcbaFEDC";

/// Runs the example in a folder, with these settings and no others.
fn example(folder: &Path, settings: &[(&str, &str)]) -> Output {
    // Cargo builds the example first, even if only this test runs.
    Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--locked", "--example", "issue", "--manifest-path"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .current_dir(folder)
        .env_remove("CLIENT_SECRET")
        .env_remove("CLIENT_KEYS")
        .envs(settings.iter().copied())
        .output()
        .expect("cargo runs")
}

fn text(bytes: &[u8]) -> &str {
    let text = str::from_utf8(bytes).expect("UTF-8");
    assert!(!text.contains(&SECRET[2..22]), "the secret is shown");
    text
}

/// Returns the rest of the only line that begins with `begin`.
#[track_caller]
fn value<'a>(out: &'a str, begin: &str) -> &'a str {
    let mut found = out.lines().filter_map(|line| line.strip_prefix(begin));
    let value = found.next().unwrap_or_else(|| panic!("no line begins with {begin}"));
    assert_eq!(found.next(), None);
    value.trim_start()
}

#[test]
#[ignore = "runs cargo"]
fn an_issued_key_is_accepted_until_its_id_is_removed() {
    let listed = "0123456789abcdef0123456789abcd";
    let output = example(
        Path::new(env!("CARGO_TARGET_TMPDIR")),
        &[("CLIENT_SECRET", SECRET), ("CLIENT_KEYS", &format!(" {listed},"))],
    );
    assert!(output.status.success());
    assert_eq!(text(&output.stderr), "");
    let out = text(&output.stdout);

    let id = value(out, "key_id:");
    id.parse::<KeyId>().expect("an id");
    assert_eq!(value(out, "CLIENT_KEYS="), format!("{listed},{id}"));
    let token = value(out, "key_access_token:");
    assert!(token.len() == 62 && token.starts_with("ck1_"));
    assert_eq!(value(out, "Authorization: Bearer "), token);
    assert_eq!(value(out, "verify, id listed:"), format!("accepted, {id}"));
    assert!(value(out, "verify, id removed:").starts_with("refused: key id not in the allow list"));
    assert!(value(out, "verify, one character changed:").starts_with("refused: token altered"));
}

#[test]
#[ignore = "runs cargo"]
fn without_settings_it_makes_a_secret() {
    let output = example(Path::new(env!("CARGO_TARGET_TMPDIR")), &[]);
    assert!(output.status.success());
    let secret = value(text(&output.stdout), "CLIENT_SECRET=");
    assert!(secret.len() == 64 && secret.bytes().all(|digit| b"0123456789abcdef".contains(&digit)));
}

#[test]
#[ignore = "runs cargo"]
fn beside_a_dotenv_file_it_says_that_it_does_not_read_it() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("dotenv");
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join(".env"), format!("CLIENT_SECRET={SECRET}\n")).expect("a file");
    let output = example(&folder, &[("CLIENT_KEYS", "")]);
    assert!(output.status.success());
    text(&output.stdout);
    assert_eq!(
        text(&output.stderr),
        "note: CLIENT_SECRET is not set in the environment, and .env is not read\n"
    );
}

#[test]
#[ignore = "runs cargo"]
fn bad_settings_are_refused_and_not_shown() {
    let (long, letter) = (format!("{SECRET}0"), format!("{}g", &SECRET[1..]));
    for (name, bad) in [
        ("CLIENT_SECRET", &*long),
        ("CLIENT_SECRET", &letter),
        ("CLIENT_KEYS", "xxx, another-key"),
    ] {
        let output = example(
            Path::new(env!("CARGO_TARGET_TMPDIR")),
            &[("CLIENT_SECRET", SECRET), (name, bad)],
        );
        assert_eq!(output.status.code(), Some(2));
        let error = text(&output.stderr);
        assert!(
            error.starts_with(&format!("error: {name}: ")) && error.contains("expected"),
            "{error}"
        );
        assert!(!error.contains("panicked") && !error.contains("xxx"), "{error}");
    }
}
