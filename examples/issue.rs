//! The console of the walk-through: issues a client key and shows `verify` at work on it.
//!
//! Reads `CLIENT_SECRET` and `CLIENT_KEYS` from the environment; both may be missing. Does not read `.env`.

use client_keys::{ClientSecret, KeyId, issue, verify};
use getrandom::SysRng;
use std::env::{self, VarError};
use std::error::Error;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // `eprintln!` would panic if it cannot write.
            let _ = writeln!(io::stderr(), "error: {error}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let mut out = io::stdout().lock();
    let secret = match variable("CLIENT_SECRET")? {
        Some(text) => text.parse().map_err(|error| format!("CLIENT_SECRET: {error}"))?,
        None => make_secret(&mut out)?,
    };
    let mut allowed: Vec<KeyId> = KeyId::parse_list(&variable("CLIENT_KEYS")?.unwrap_or_default())
        .collect::<Result<_, _>>()
        .map_err(|error| format!("CLIENT_KEYS: {error}"))?;

    let key = issue(&secret, &mut SysRng)?;
    let token = key.key_access_token.as_str();
    writeln!(out, "key_id:           {}", key.key_id)?;
    writeln!(out, "key_access_token: {token}")?;
    writeln!(out, "Store the token now: a lost token cannot be recovered.")?;
    writeln!(out)?;

    let others = allowed.clone();
    allowed.push(key.key_id);
    let list: Vec<String> = allowed.iter().map(KeyId::to_string).collect();
    writeln!(out, "To accept the client, list its id in .env:")?;
    writeln!(out, "CLIENT_KEYS={}", list.join(","))?;
    writeln!(out)?;
    writeln!(out, "The client sends:")?;
    writeln!(out, "Authorization: Bearer {token}")?;
    writeln!(out)?;

    writeln!(
        out,
        "verify, id listed:             {}",
        answer(&secret, &allowed, token)
    )?;
    writeln!(
        out,
        "verify, id removed:            {}",
        answer(&secret, &others, token)
    )?;
    writeln!(
        out,
        "verify, one character changed: {}",
        answer(&secret, &allowed, &change_one(token))
    )?;
    Ok(())
}

fn variable(name: &str) -> Result<Option<String>, String> {
    match env::var(name) {
        Ok(text) => Ok(Some(text)),
        Err(VarError::NotPresent) => {
            // The output then ignores the secret and the list of that file.
            if Path::new(".env").exists() {
                let note = "is not set in the environment, and .env is not read";
                let _ = writeln!(io::stderr(), "note: {name} {note}");
            }
            Ok(None)
        }
        Err(VarError::NotUnicode(_)) => Err(format!("{name}: not UTF-8 text")),
    }
}

/// A secret from the operating system's generator, as `openssl rand -hex 32` makes it.
fn make_secret(out: &mut impl Write) -> Result<ClientSecret, Box<dyn Error>> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    let digits = bytes.map(|byte| format!("{byte:02x}")).concat();
    writeln!(
        out,
        "CLIENT_SECRET is not set. Here is a new one from the operating system's generator; keep it in .env:"
    )?;
    writeln!(out, "CLIENT_SECRET={digits}")?;
    writeln!(out)?;
    Ok(digits.parse()?)
}

fn answer(secret: &ClientSecret, allowed: &[KeyId], token: &str) -> String {
    match verify(secret, allowed, token) {
        Ok(id) => format!("accepted, {id}"),
        Err(error) => format!("refused: {error}"),
    }
}

/// Changes the first character after the token's prefix.
fn change_one(token: &str) -> String {
    let (prefix, rest) = token.split_at("ck1_".len());
    let changed = if rest.starts_with('A') { 'B' } else { 'A' };
    format!("{prefix}{changed}{}", &rest[1..])
}
