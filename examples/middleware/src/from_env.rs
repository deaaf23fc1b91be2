//! Reads the secrets and the allow list from the environment. A list in a file may change without a restart.

use super::authorize::ClientKeys;
use arc_swap::ArcSwap;
use client_keys::{ClientSecret, KeyId};
use std::fs::{self, File};
use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::{env, sync::Arc, thread, time::Duration};
use tracing::{error, info, warn};

impl ClientKeys {
    /// Reads `CLIENT_SECRET`, during a rotation `CLIENT_SECRET_PREVIOUS`, and the list from `CLIENT_KEYS` or from the
    /// file whose path is `CLIENT_KEYS_FILE`.
    ///
    /// # Errors
    ///
    /// Names the variable and says what is wrong, but shows neither its text nor the file's.
    pub fn from_env() -> Result<Self, String> {
        let current =
            secret("CLIENT_SECRET")?.ok_or("CLIENT_SECRET is not set: make one with `openssl rand -hex 32`")?;
        let previous = secret("CLIENT_SECRET_PREVIOUS")?;
        let (list, path) = (variable("CLIENT_KEYS")?, variable("CLIENT_KEYS_FILE")?);
        let (name, text) = match (list.is_empty(), path.is_empty()) {
            (_, true) => ("CLIENT_KEYS", Ok(list)),
            (true, false) => ("CLIENT_KEYS_FILE", read(&path)),
            (false, false) => return Err("CLIENT_KEYS and CLIENT_KEYS_FILE are both set; remove one".to_owned()),
        };
        let allowed = Arc::default();
        replace(&allowed, text.clone()).map_err(|why| format!("{name}: {why}"))?;
        if !path.is_empty() {
            let allowed = allowed.clone();
            thread::spawn(move || reload(&path, text, &allowed));
        }
        Ok(Self {
            secret: current,
            previous,
            allowed,
        })
    }
}

/// Reads the file every two seconds, and acts on each change.
fn reload(path: &str, mut before: Result<String, String>, allowed: &ArcSwap<Vec<KeyId>>) {
    loop {
        thread::sleep(Duration::from_secs(2));
        let now = read(path);
        // Logging may panic, for example if nothing reads it any more. That must not end the thread: it tries again.
        let handled = now != before
            && catch_unwind(AssertUnwindSafe(|| {
                if let Err(why) = replace(allowed, now.clone()) {
                    error!("CLIENT_KEYS stays as it was until you correct the file: CLIENT_KEYS_FILE: {why}");
                }
            }))
            .is_ok();
        if handled {
            before = now;
        }
    }
}

fn replace(allowed: &ArcSwap<Vec<KeyId>>, text: Result<String, String>) -> Result<(), String> {
    let list: Result<Vec<_>, _> = KeyId::parse_list(&text?).collect();
    let list = list.map_err(|error| error.to_string())?;
    let count = list.len();
    allowed.store(Arc::new(list));
    if count == 0 {
        warn!("CLIENT_KEYS is not set or empty: every key is refused");
    } else {
        info!(count, "client keys are those of CLIENT_KEYS");
    }
    Ok(())
}

fn read(path: &str) -> Result<String, String> {
    read_file(path).map_err(|error| error.to_string())
}

/// Reads at most 1 MiB of a regular file, because a pipe or a device might never end.
fn read_file(path: &str) -> io::Result<String> {
    let mut text = String::new();
    if fs::metadata(path)?.is_file() && File::open(path)?.take((1 << 20) + 1).read_to_string(&mut text)? <= 1 << 20 {
        return Ok(text);
    }
    Err(io::Error::other("expected a regular file of at most 1 MiB"))
}

fn secret(name: &str) -> Result<Option<ClientSecret>, String> {
    let text = variable(name)?;
    let secret = (!text.is_empty()).then(|| text.parse());
    secret.transpose().map_err(|error| format!("{name}: {error}"))
}

fn variable(name: &str) -> Result<String, String> {
    let text = env::var_os(name).unwrap_or_default().into_string();
    // The error itself would show the text.
    text.map_err(|_| format!("{name}: expected UTF-8"))
}
