//! Reads the settings from the environment and `.env`. An error names the setting and never quotes it.

use crate::tls::{self, Options};
use crate::{Mistake, dotenv::Dotenv};
use base16ct::HexDisplay;
use client_keys::{ClientSecret, KeyId, ParseError};
use sha2::{Digest, Sha256};
use std::env::{self, VarError};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::{error::Error, fmt::Display, str::FromStr, time::Duration};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslNegotiation};
use tracing_subscriber::EnvFilter;
use zeroize::Zeroizing;

const NAMES: &str = "CLIENT_SECRET CLIENT_SECRET_FILE CLIENT_SECRET_PREVIOUS CLIENT_SECRET_PREVIOUS_FILE CLIENT_KEYS \
                     DATABASE_URL HOST PORT RUST_LOG";

const NOT_UTF_8: &str = "expected UTF-8";

pub struct Settings(Dotenv);

/// A secret, and the eight digits by which the log names it.
pub struct Secret {
    pub secret: ClientSecret,
    pub fingerprint: String,
}

impl FromStr for Secret {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let secret = text.parse()?;
        let mut bytes = Zeroizing::new([0; 32]);
        base16ct::mixed::decode(text, &mut *bytes).expect("as parsed above");
        // The fingerprint tells nothing about the 32 bytes, because they are random.
        let hash = Sha256::new_with_prefix("client-keys fingerprint").chain_update(bytes.as_slice());
        let fingerprint = format!("{:x}", HexDisplay(&hash.finalize()[..4]));
        Ok(Self { secret, fingerprint })
    }
}

impl Settings {
    /// Loads `.env` from the working directory, if the file exists.
    pub fn load() -> Result<Self, Mistake> {
        let dotenv = match read_file(".env") {
            Ok(bytes) => Dotenv::parse(&bytes, environment),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Dotenv::default()),
            Err(error) => Err(error.to_string()),
        };
        dotenv.map(Self).map_err(|error| mistake(".env", error))
    }

    /// Where each setting came from.
    pub fn sources(&self) -> Result<String, Mistake> {
        let sources = NAMES
            .split(' ')
            .map(|name| Ok(format!("{name} {}", self.find(name)?.1)));
        Ok(sources.collect::<Result<Vec<_>, _>>()?.join(", "))
    }

    pub fn secret(&self) -> Result<Secret, Mistake> {
        let missing = "CLIENT_SECRET is not set; make one with `openssl rand -hex 32`";
        let secret = self.secret_or_file("CLIENT_SECRET")?;
        secret.ok_or_else(|| Mistake(missing.to_owned()))
    }

    /// The secret that is being rotated out, if one is.
    pub fn previous_secret(&self) -> Result<Option<Secret>, Mistake> {
        self.secret_or_file("CLIENT_SECRET_PREVIOUS")
    }

    fn secret_or_file(&self, name: &str) -> Result<Option<Secret>, Mistake> {
        let file = &format!("{name}_FILE");
        match (self.find(name)?, self.find(file)?) {
            ((text, _), (None, _)) => text.map(|text| parse(name, &text)).transpose(),
            ((None, _), (Some(path), _)) => {
                let bytes = read_file(&path).map_err(|error| mistake(file, error))?;
                let text = str::from_utf8(&bytes).map_err(|_| mistake(file, NOT_UTF_8))?;
                // Containers and editors end a file with one newline. A second one is a mistake.
                let line = text.strip_suffix("\r\n").or(text.strip_suffix('\n'));
                parse(file, line.unwrap_or(text)).map(Some)
            }
            ((_, from), (_, file_from)) => Err(Mistake(format!(
                "{name} ({from}) and {file} ({file_from}) are both set; \
                 write the secret into the file and remove {name}"
            ))),
        }
    }

    /// The allow list. Without one it is empty, and the service refuses every key.
    pub fn key_list(&self) -> Result<Vec<KeyId>, Mistake> {
        let text = self.text("CLIENT_KEYS")?.unwrap_or_default();
        let ids: Result<_, _> = KeyId::parse_list(&text).collect();
        ids.map_err(|error| mistake("CLIENT_KEYS", error))
    }

    /// The allow list that `.env` holds now. The file must set it, if only to nothing: a missing line may be a mistake.
    pub fn reload_key_list() -> Result<Vec<KeyId>, Mistake> {
        if environment("CLIENT_KEYS").is_some() {
            return Err(Mistake(
                "the environment sets it, which only a restart changes".to_owned(),
            ));
        }
        let settings = Self::load()?;
        match settings.0.get("CLIENT_KEYS") {
            Ok(None) => Err(mistake(".env", "the file is missing or does not set it")),
            _ => settings.key_list(),
        }
    }

    /// The database that holds the allow list, if `CLIENT_KEYS` does not.
    pub fn database(&self) -> Result<Option<tls::Config>, Mistake> {
        let url = self.text("DATABASE_URL")?;
        let config = url.map(|url| database(&url)).transpose();
        config.map_err(|rule| mistake("DATABASE_URL", rule))
    }

    /// Loopback by default, because the service speaks no TLS: a proxy does.
    pub fn address(&self) -> Result<(String, u16), Mistake> {
        let host = self.text("HOST")?.unwrap_or_else(|| "127.0.0.1".to_owned());
        let port = self.text("PORT")?.unwrap_or_else(|| "3000".to_owned());
        let wrong = |_| mistake("PORT", "expected a number from 0 to 65535");
        Ok((host, port.parse().map_err(wrong)?))
    }

    /// What to log. `None` if the setting is wrong: the service starts all the same.
    pub fn log_filter(&self) -> Result<Option<EnvFilter>, Mistake> {
        let text = self.text("RUST_LOG")?.unwrap_or_else(|| "info".to_owned());
        Ok(EnvFilter::builder().parse(text).ok())
    }

    fn text(&self, name: &str) -> Result<Option<String>, Mistake> {
        Ok(self.find(name)?.0.map(|text| text.to_string()))
    }

    /// A setting's text, and where it came from. An empty text counts as not set: `NAME=` switches a setting off.
    fn find(&self, name: &str) -> Result<(Option<Zeroizing<String>>, &'static str), Mistake> {
        match env::var(name).map(Zeroizing::new) {
            Err(VarError::NotUnicode(_)) => return Err(mistake(name, NOT_UTF_8)),
            Ok(text) if !text.is_empty() => return Ok((Some(text), "from the environment")),
            _ => {}
        }
        match self.0.get(name) {
            Ok(Some(text)) if !text.is_empty() => Ok((Some(Zeroizing::new(text.to_owned())), "from .env")),
            Ok(_) => Ok((None, "not set")),
            Err(error) => Err(mistake(name, format!(".env: {error}"))),
        }
    }
}

fn mistake(name: &str, error: impl Display) -> Mistake {
    Mistake(format!("{name}: {error}"))
}

fn parse(name: &str, text: &str) -> Result<Secret, Mistake> {
    text.parse().map_err(|error: ParseError| mistake(name, error))
}

/// The bytes of a regular file, because a pipe or a device might never end.
fn read_file(path: &str) -> io::Result<Zeroizing<Vec<u8>>> {
    const LIMIT: usize = 1 << 20;
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("expected a regular file"));
    }
    // Large enough from the start: a buffer that grows leaves copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(LIMIT + 1));
    File::open(path)?.take(LIMIT as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > LIMIT {
        return Err(io::Error::other("expected at most 1 MiB"));
    }
    Ok(bytes)
}

fn environment(name: &str) -> Option<String> {
    env::var(name).ok().filter(|text| !text.is_empty())
}

/// Refuses what would otherwise fail at each connection, so that every request got a 503.
fn database(url: &str) -> Result<tls::Config, String> {
    /// When a silent connection counts as dead. The kernel would take a quarter of an hour.
    const SILENCE: Duration = Duration::from_secs(5);
    if !url.starts_with("postgresql://") && !url.starts_with("postgres://") {
        return Err("expected postgresql://user:password@host/database".to_owned());
    }
    if url.contains(|c: char| c.is_whitespace() || c.is_control()) || url.contains("%00") {
        return Err("found white space or a control character; percent-encode those of the password".to_owned());
    }
    // The client library would end the password at the first @ and look up what follows as a host.
    if url.matches('@').count() > 1 {
        return Err("found more than one @; write %40 for those of user, password and database".to_owned());
    }
    let (url, options) = Options::take(url);
    let mut config: Config = url.parse().map_err(|error| unreadable(&url, &error))?;
    let hosts = config.get_hosts().len().max(config.get_hostaddrs().len());
    let ports = config.get_ports();
    let is_socket = |host: &Host| matches!(host, Host::Unix(_));
    let sockets = config.get_hosts().iter().filter(|host| is_socket(host)).count();
    let wrong = if hosts == 0 || config.get_hosts().contains(&Host::Tcp(String::new())) {
        "expected a host"
    } else if config.get_user() == Some("") {
        "expected a user before the @"
    } else if ports.contains(&0) || ports.len() > 1 && ports.len() != hosts {
        "expected one port above 0 for all hosts, or one for each"
    } else if ![0, hosts].contains(&config.get_hosts().len()) || ![0, hosts].contains(&config.get_hostaddrs().len()) {
        "expected as many values of hostaddr as hosts"
    } else if ![0, hosts].contains(&sockets) {
        "expected only Unix sockets, or none"
    } else if config.get_ssl_negotiation() == SslNegotiation::Direct {
        "sslnegotiation=direct is not supported"
    } else {
        config.tcp_user_timeout(SILENCE);
        return tls::Config::new(config, options);
    };
    Err(wrong.to_owned())
}

/// The reason, without any part of a password: the name of an unknown option may be one if the password stands among
/// the options or contains a `?`.
fn unreadable(url: &str, error: &tokio_postgres::Error) -> String {
    let reason = error.source().map(ToString::to_string).unwrap_or_default();
    let options = url.split_once('?').map_or("", |(_, options)| options);
    let named = !options.contains(['@', '%']) && !options.contains("password");
    if reason.starts_with("invalid value for option") || reason.starts_with("unknown option") && named {
        reason
    } else if reason.starts_with("unknown option") {
        "found an unknown option, whose name may be part of the password; percent-encode `?` and `&` there".to_owned()
    } else {
        "invalid connection string".to_owned()
    }
}
