//! The commands that a person runs: `issue` and `whose`, and with a database `migrate`, `list` and `revoke`.

use crate::key_table::{Entry, KeyHash, LOOK_UP};
use crate::{Command, Failure, Mistake, settings::Secret, settings::Settings, tls::Config};
use client_keys::{ClientSecret, VerifyError, issue, verify};
use getrandom::SysRng;
use regex::Regex;
use std::fs::File;
use std::io::{IsTerminal, Read, Write, stderr, stdin, stdout};
use std::time::{Duration, Instant};
use std::{borrow::Cow, os::fd::AsFd, sync::LazyLock};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::timeout;
use tokio_postgres::{Client, Row, error::SqlState};
use zeroize::Zeroizing;

const MIGRATIONS: [&str; 2] = [
    include_str!("../migrations/0001_client_keys.sql"),
    include_str!("../migrations/0002_hash_and_end_date.sql"),
];
/// How long a command may take: somebody waits for it, perhaps to revoke a stolen key.
const LIMIT: Duration = Duration::from_secs(10);
const DATE_RULE: &str = "issue --expires: expected a date after today (UTC), such as 2027-01-31";
static DATE: LazyLock<Regex> = LazyLock::new(|| Regex::new("^[0-9]{4}-[0-9]{2}-[0-9]{2}$").unwrap());
static HANDLE: LazyLock<Regex> = LazyLock::new(|| Regex::new("^[0-9A-Fa-f]{16}$").unwrap());
/// Characters that move a terminal's cursor, reverse its text or are invisible.
static UNPRINTABLE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"[\p{Other}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]").unwrap());
/// Begins with a visible character (U+2800 is a braille cell without dots), ends with one, and fits on a line.
static LABEL: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^[\p{L}\p{N}\p{P}\p{S}--\u{2800}](.{0,98}[^\p{Z}\u{2800}])?$").unwrap());

type Parsed = Result<String, &'static str>;

pub fn parse_label(text: &str) -> Parsed {
    let is_label = LABEL.is_match(text) && !UNPRINTABLE.is_match(text);
    let rule = "issue LABEL: expected 1 to 100 visible characters, without white space at either end";
    is_label.then(|| text.to_owned()).ok_or(rule)
}

pub fn parse_date(text: &str) -> Parsed {
    DATE.is_match(text).then(|| text.to_owned()).ok_or(DATE_RULE)
}

pub fn parse_handle(text: &str) -> Parsed {
    let rule = "revoke HANDLE: expected the 16 hexadecimal digits that `service list` shows";
    HANDLE.is_match(text).then(|| text.to_ascii_lowercase()).ok_or(rule)
}

pub async fn operate(command: Command, settings: &Settings) -> Result<(), Failure> {
    let database = settings.database()?;
    let table = || {
        let missing = || Mistake("DATABASE_URL is not set, and this command needs it".to_owned());
        database.as_ref().ok_or_else(missing)
    };
    match command {
        Command::Issue { label, expires } => {
            let entry = match (label, expires) {
                (Some(label), expires) => Some((table()?, label, expires)),
                (None, None) if database.is_none() => None,
                _ => Err(Mistake(
                    "issue LABEL: expected the name of the client that gets the key".to_owned(),
                ))?,
            };
            in_time(issue_key(&settings.secret()?.secret, entry)).await
        }
        Command::Migrate => in_time(migrate(table()?)).await,
        Command::List => in_time(list(table()?)).await,
        Command::Revoke {
            handle: Some(handle), ..
        } => in_time(revoke(table()?, &handle)).await,
        Command::Revoke { yes, .. } => {
            if !yes {
                confirm_revoke_all(table()?).await?;
            }
            in_time(revoke_all(table()?)).await
        }
        Command::Whose => {
            let token = read_token()?;
            in_time(whose(settings, database.as_ref(), &token)).await
        }
    }
}

async fn in_time<T>(operation: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let late = |_| format!("DATABASE_URL: the database did not answer within {LIMIT:?}");
    timeout(LIMIT, operation).await.map_err(late)?
}

/// The first thing that each operation does: what is left of its time limits the statements.
async fn connect(config: &Config) -> Result<Client, Failure> {
    let start = Instant::now();
    let (client, connection) = config.postgres.connect(config.tls.clone()).await?;
    // Ends with the client. If the connection fails, the next statement returns the error.
    tokio::spawn(connection);
    // The database gives up before the command does, so that no key is issued or revoked after the command failed. A
    // statement may wait twice, when it is prepared and when it runs; the last second is for the answers' way.
    let left = LIMIT.saturating_sub(start.elapsed() + Duration::from_secs(1)) / 2;
    // Zero would switch the limit off. Dates are read and shown in UTC.
    let session = format!("SET statement_timeout = {}; SET timezone = 'UTC'", left.as_millis() + 1);
    client.batch_execute(&session).await?;
    Ok(client)
}

async fn migrate(config: &Config) -> Result<(), Failure> {
    let client = connect(config).await?;
    for migration in MIGRATIONS {
        client.batch_execute(migration).await?;
    }
    Ok(())
}

/// Prints the token, and before it the key id or, with a table, the handle. Nothing shows the token again.
async fn issue_key(secret: &ClientSecret, entry: Option<(&Config, String, Option<String>)>) -> Result<(), Failure> {
    let key = issue(secret, &mut SysRng)?;
    let (name, value) = if let Some((config, label, expires)) = entry {
        // Lists the key before it shows the token, because a token that is not listed looks valid to its client.
        let hash = KeyHash::of(key.key_id);
        insert(config, hash, &label, expires.as_deref()).await?;
        ("handle", hash.to_string())
    } else {
        ("key_id", key.key_id.to_string())
    };
    let token = key.key_access_token.as_str();
    let shown = writeln!(stdout(), "{name}: {value}\nkey_access_token: {token}");
    Ok(shown.map_err(|error| {
        format!("standard output: {error}; the token of {value} is lost: revoke it and issue another key")
    })?)
}

async fn insert(config: &Config, hash: KeyHash, label: &str, expires: Option<&str>) -> Result<(), Failure> {
    const INSERT: &str = "INSERT INTO client_keys (hash, label, expires_at) \
                          SELECT $1::bytea, $2::text, $3::text::timestamptz \
                          WHERE coalesce($3::text::timestamptz > now(), true)";
    let client = connect(config).await?;
    let inserted = client.execute(INSERT, &[&hash.as_bytes(), &label, &expires]).await;
    match inserted.as_ref().map_err(tokio_postgres::Error::code) {
        Ok(0) | Err(Some(&SqlState::DATETIME_FIELD_OVERFLOW)) => Err(Mistake(DATE_RULE.to_owned()))?,
        Err(Some(&SqlState::UNIQUE_VIOLATION)) => {
            Err("issue: another key has the new key's handle, so no key was issued; run the command again")?
        }
        _ => Ok(inserted.map(|_| ())?),
    }
}

/// The keys of the table, or the one with this hash.
async fn rows(client: &Client, hash: Option<KeyHash>) -> Result<(Vec<String>, Vec<Row>), Failure> {
    const LIST: &str = "SELECT handle, created_at::text, expires_at::text, revoked_at::text, last_used_at::text, label \
                        FROM client_keys WHERE $1::bytea IS NULL OR hash = $1 ORDER BY created_at, hash";
    let statement = client.prepare(LIST).await?;
    let names = statement.columns().iter().map(|column| column.name().to_owned());
    let hash = hash.as_ref().map(KeyHash::as_bytes);
    Ok((names.collect(), client.query(&statement, &[&hash]).await?))
}

fn printable(row: &Row) -> impl Iterator<Item = Cow<'_, str>> {
    let columns = (0..row.len()).map(|column| row.get::<_, Option<&str>>(column));
    columns.map(|text| UNPRINTABLE.replace_all(text.unwrap_or("-"), "\u{fffd}"))
}

async fn list(config: &Config) -> Result<(), Failure> {
    let (names, rows) = rows(&connect(config).await?, None).await?;
    let mut out = stdout().lock();
    writeln!(out, "{}", names.join("\t"))?;
    for row in rows {
        writeln!(out, "{}", printable(&row).collect::<Vec<_>>().join("\t"))?;
    }
    Ok(())
}

/// Revoking twice keeps the first date. An unknown handle is an error, because the key that was meant stays accepted.
async fn revoke(config: &Config, handle: &str) -> Result<(), Failure> {
    const REVOKE: &str = "UPDATE client_keys SET revoked_at = coalesce(revoked_at, now()) \
                          WHERE handle = $1 RETURNING revoked_at::text";
    let revoked = connect(config).await?.query_opt(REVOKE, &[&handle]).await?;
    let row = revoked.ok_or_else(|| format!("revoke: {handle} is not in the table; see `service list`"))?;
    let since: &str = row.get(0);
    writeln!(stdout(), "{handle} has been revoked since {since}")?;
    Ok(())
}

async fn confirm_revoke_all(config: &Config) -> Result<(), Failure> {
    const COUNT: &str = "SELECT count(*) FROM client_keys WHERE revoked_at IS NULL";
    if !stdin().is_terminal() {
        Err(Mistake(
            "revoke --all asks for confirmation, and this is no terminal; add --yes".to_owned(),
        ))?;
    }
    let count = in_time(async { Ok(connect(config).await?.query_one(COUNT, &[]).await?) });
    let count: i64 = count.await?.get(0);
    write!(stderr(), "Revoke all keys ({count}) for good? Type yes: ")?;
    let mut answer = String::new();
    stdin().read_line(&mut answer)?;
    if answer.trim() == "yes" {
        Ok(())
    } else {
        Err("revoke --all: the answer was not yes, so no key was revoked")?
    }
}

async fn revoke_all(config: &Config) -> Result<(), Failure> {
    // Without the lock, a key that is being issued would stay accepted, and the service's writes could deadlock.
    const LOCK: &str = "LOCK TABLE client_keys IN SHARE ROW EXCLUSIVE MODE";
    const REVOKE: &str = "UPDATE client_keys SET revoked_at = now() WHERE revoked_at IS NULL";
    let mut client = connect(config).await?;
    let transaction = client.transaction().await?;
    transaction.batch_execute(LOCK).await?;
    let count = transaction.execute(REVOKE, &[]).await?;
    transaction.commit().await?;
    writeln!(stdout(), "keys revoked: {count}")?;
    Ok(())
}

/// Reads a token: without its trailing newline, and without echo at a terminal.
fn read_token() -> Result<Zeroizing<Vec<u8>>, Failure> {
    /// Longer than any token.
    const LIMIT: u8 = 100;
    if stdin().is_terminal() {
        // `rpassword` raises SIGINT before it restores the terminal, so the signal must not end the process.
        let _interrupt = signal(SignalKind::interrupt())?;
        return Ok(Zeroizing::new(rpassword::prompt_password("Token: ")?.into_bytes()));
    }
    // Not through `Stdin`, which keeps a copy. Large enough from the start, because a buffer that grows leaves copies.
    let mut bytes = Zeroizing::new(Vec::with_capacity(2 * usize::from(LIMIT)));
    let input = File::from(stdin().as_fd().try_clone_to_owned()?);
    input.take(LIMIT.into()).read_to_end(&mut bytes)?;
    let line = bytes.strip_suffix(b"\r\n").or(bytes.strip_suffix(b"\n"));
    Ok(Zeroizing::new(line.unwrap_or(&bytes).to_vec()))
}

async fn whose(settings: &Settings, database: Option<&Config>, token: &[u8]) -> Result<(), Failure> {
    let list = database.map_or_else(|| settings.key_list(), |_| Ok(Vec::new()))?;
    let secrets = [
        ("CLIENT_SECRET", Some(settings.secret()?)),
        ("CLIENT_SECRET_PREVIOUS", settings.previous_secret()?),
    ];
    let mut answers = secrets.into_iter().filter_map(|(name, secret)| {
        let Secret { secret, fingerprint } = secret?;
        Some((name, fingerprint, verify(&secret, &list, token)))
    });
    let opened = answers.find(|(.., verified)| *verified != Err(VerifyError::Inauthentic));
    let (name, fingerprint, verified) = opened.ok_or("whose: token altered, or issued under another secret")?;
    let (key_id, mut refused) = match verified {
        Ok(key_id) => (key_id, None),
        Err(VerifyError::Unlisted(key_id)) => (key_id, Some("not in CLIENT_KEYS".to_owned())),
        Err(why) => Err(format!("whose: {why}"))?,
    };
    let mut out = stdout().lock();
    if let Some(config) = database {
        let hash = KeyHash::of(key_id);
        writeln!(out, "handle: {hash}")?;
        let client = connect(config).await?;
        let (names, rows) = rows(&client, Some(hash)).await?;
        for (name, value) in rows.iter().flat_map(|row| names.iter().zip(printable(row)).skip(1)) {
            writeln!(out, "{name}: {value}")?;
        }
        let row = client.query_opt(LOOK_UP, &[&hash.as_bytes()]).await?;
        refused = Entry::new(hash, row.as_ref()).refused;
    } else {
        writeln!(out, "key_id: {key_id}")?;
    }
    let accepted = refused.map_or("yes".to_owned(), |why| format!("no, {why}"));
    writeln!(out, "secret: {name}, fingerprint {fingerprint}\naccepted: {accepted}")?;
    Ok(())
}
