//! The crate behind the same command line as the other languages: `issue`, or `verify TOKEN`.

use client_keys::{ClientSecret, KeyId, VerifyError, issue, verify};
use std::{env, error::Error, ffi::OsStr, process::ExitCode};

fn main() -> ExitCode {
    run().unwrap_or_else(|error| {
        eprintln!("{error}");
        ExitCode::from(2)
    })
}

fn run() -> Result<ExitCode, Box<dyn Error>> {
    let secret: ClientSecret = variable("CLIENT_SECRET")?
        .parse()
        .map_err(|error| format!("CLIENT_SECRET: {error}"))?;
    let allowed: Vec<KeyId> = KeyId::parse_list(&variable("CLIENT_KEYS")?)
        .collect::<Result<_, _>>()
        .map_err(|error| format!("CLIENT_KEYS: {error}"))?;

    let arguments: Vec<_> = env::args_os().skip(1).collect();
    // Bytes, not `str`: a token may come in any encoding, and is then malformed.
    let arguments: Vec<_> = arguments.iter().map(|a| a.as_encoded_bytes()).collect();
    match arguments[..] {
        [b"issue"] => {
            let key = issue(&secret, &mut getrandom::SysRng)?;
            println!(
                "key_id={}\nkey_access_token={}",
                key.key_id,
                key.key_access_token.as_str()
            );
            Ok(ExitCode::SUCCESS)
        }
        [b"verify", token] => Ok(answer(verify(&secret, &allowed, token))),
        _ => Err("usage: client-keys-interop issue | verify TOKEN".into()),
    }
}

fn answer(result: Result<KeyId, VerifyError>) -> ExitCode {
    match result {
        Ok(key_id) => {
            println!("accepted {key_id}");
            return ExitCode::SUCCESS;
        }
        Err(VerifyError::Malformed) => println!("malformed"),
        Err(VerifyError::Inauthentic) => println!("inauthentic"),
        Err(VerifyError::Unlisted(key_id)) => println!("unlisted {key_id}"),
        Err(other) => println!("{other}"),
    }
    ExitCode::FAILURE
}

/// The text of a variable, empty if it is not set. `VarError` would show what it could not read.
fn variable(name: &str) -> Result<String, String> {
    env::var_os(name)
        .as_deref()
        .unwrap_or(OsStr::new(""))
        .to_str()
        .map(String::from)
        .ok_or_else(|| format!("{name}: not UTF-8"))
}
