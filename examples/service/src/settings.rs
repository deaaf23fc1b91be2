//! What the operator sets, in the environment or in `.env`. An error says which setting, never what it held.

use crate::Mistake;
use client_keys::{ClientSecret, KeyId};
use std::{
    collections::HashSet,
    env::{self, VarError},
    fmt::Display,
    fs,
    io::ErrorKind,
    str::FromStr,
    time::Duration,
};
use tokio_postgres::{Config, config::SslMode};

/// Puts the `.env` of the working directory, if there is one, into the environment; what is set there already stays.
///
/// Before any thread is started: nothing may read the environment meanwhile.
pub fn load_dotenv() -> Result<(), Mistake> {
    let text = match fs::read_to_string(".env") {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Mistake(format!(".env: {error}"))),
    };
    // dotenvy's iterator does not know the byte order mark.
    let lines = text.strip_prefix('\u{feff}').unwrap_or(&text).lines();
    let mut names = HashSet::new();
    for (number, line) in (1..).zip(lines) {
        // Not an error's own text, which would show the line.
        let wrong = || Mistake(format!(".env: line {number} is not NAME=value"));
        // No variable can hold a NUL, and the panic of `env::set_var` would show the value.
        if line.contains('\0') {
            return Err(wrong());
        }
        let line = quote(line);
        for variable in dotenvy::from_read_iter(line.as_bytes()) {
            let (name, _) = variable.map_err(|_| wrong())?;
            // dotenvy would replace what is not UTF-8.
            self::text(&name)?;
            // dotenvy keeps the first, a shell the last: somebody who appends a shorter list must not be ignored.
            if !names.insert(name) {
                return Err(Mistake(format!(".env: line {number} sets a name a second time")));
            }
        }
        dotenvy::from_read(line.as_bytes()).map_err(|_| wrong())?;
    }
    Ok(())
}

/// Quotes a plain value, which for dotenvy ends at the first space: the walk-through has `CLIENT_KEYS=xxx, another-key`.
fn quote(line: &str) -> String {
    let plain = line.split_once(" #").map_or(line, |(line, _comment)| line);
    match plain.split_once('=') {
        Some((name, value)) if !value.contains(['"', '\'']) => format!("{name}='{}'", value.trim()),
        _ => line.to_owned(),
    }
}

pub fn secret() -> Result<ClientSecret, Mistake> {
    read("CLIENT_SECRET")?.ok_or_else(|| Mistake("CLIENT_SECRET: not set".to_owned()))
}

/// The secret that is being rotated out, if one is.
pub fn previous_secret() -> Result<Option<ClientSecret>, Mistake> {
    read("CLIENT_SECRET_PREVIOUS")
}

/// The allow list; empty, which lets nobody in, if there is none.
pub fn key_list() -> Result<Vec<KeyId>, Mistake> {
    let text = text("CLIENT_KEYS")?.unwrap_or_default();
    KeyId::parse_list(&text)
        .collect::<Result<_, _>>()
        .map_err(|error| Mistake(format!("CLIENT_KEYS: {error}")))
}

/// Where the ids are, if not in `CLIENT_KEYS`.
pub fn database() -> Result<Option<Config>, Mistake> {
    /// After which a silent connection counts as dead, instead of the kernel's quarter of an hour.
    const SILENCE: Duration = Duration::from_secs(5);
    let Some(url) = text("DATABASE_URL")? else {
        return Ok(None);
    };
    // Not the error's own causes: they may hold a part of the URL, and so of a password.
    let mut config: Config = url
        .parse()
        .map_err(|error: tokio_postgres::Error| Mistake(format!("DATABASE_URL: {error}")))?;
    if config.get_ssl_mode() == SslMode::Require {
        return Err(Mistake(
            "DATABASE_URL: sslmode=require, but this program speaks no TLS".to_owned(),
        ));
    }
    config.tcp_user_timeout(SILENCE);
    Ok(Some(config))
}

/// Loopback unless told otherwise: the tokens are only as secret as the connection, and TLS is the proxy's.
pub fn address() -> Result<(String, u16), Mistake> {
    let host = text("HOST")?.unwrap_or_else(|| "127.0.0.1".to_owned());
    Ok((host, read("PORT")?.unwrap_or(3000)))
}

fn read<T: FromStr<Err: Display>>(name: &str) -> Result<Option<T>, Mistake> {
    text(name)?
        .map(|text| text.parse().map_err(|error| Mistake(format!("{name}: {error}"))))
        .transpose()
}

/// A variable's text. Empty counts as not set: `NAME=` is how a line in `.env` is switched off.
fn text(name: &str) -> Result<Option<String>, Mistake> {
    match env::var(name) {
        Ok(text) => Ok(Some(text).filter(|text| !text.is_empty())),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => Err(Mistake(format!("{name}: not UTF-8"))),
    }
}
