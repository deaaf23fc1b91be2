//! The commands that a person runs: `issue`, and with a database `migrate`, `list` and `revoke`.

use crate::{Command, Failure, Mistake, settings::Settings};
use client_keys::{ClientSecret, KeyId, issue};
use getrandom::SysRng;
use regex::Regex;
use std::io::{Write, stdout};
use std::{sync::LazyLock, time::Duration};
use tokio::time::timeout;
use tokio_postgres::{Client, Config, NoTls};

const MIGRATION: &str = include_str!("../migrations/0001_client_keys.sql");
/// How long a command may take: somebody waits for it, perhaps to revoke a stolen key.
const LIMIT: Duration = Duration::from_secs(10);
/// Before that the database itself gives up: otherwise a statement could still take effect after its error.
const STATEMENT_LIMIT: &str = "SET statement_timeout = '5s'";
/// Characters that move a terminal's cursor, reverse its text or are invisible.
static UNPRINTABLE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"[\p{Other}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]").unwrap());
/// Begins with a visible character (U+2800 is a braille cell without dots), ends with no blank, and fits on a line.
static LABEL: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^[\p{L}\p{N}\p{P}\p{S}--\u{2800}](.{0,98}[^\p{Z}\u{2800}])?$").unwrap());

pub async fn operate(command: Command, settings: &Settings) -> Result<(), Failure> {
    let database = settings.database()?;
    let table = || {
        let missing = || Mistake("DATABASE_URL: not set, and this command needs it".to_owned());
        database.as_ref().ok_or_else(missing)
    };
    let operation = async {
        match command {
            Command::Issue { label: None } if database.is_some() => {
                Err(Mistake("issue LABEL: say whose key it is".to_owned()))?
            }
            Command::Issue { label: None } => issue_key(&settings.secret()?.secret, None).await,
            Command::Issue { label: Some(label) } if UNPRINTABLE.is_match(&label) || !LABEL.is_match(&label) => {
                let rule = "issue LABEL: expected 1 to 100 visible characters, without a blank at either end";
                Err(Mistake(rule.to_owned()))?
            }
            Command::Issue { label: Some(label) } => {
                issue_key(&settings.secret()?.secret, Some((table()?, &label))).await
            }
            Command::Migrate => Ok(connect(table()?).await?.batch_execute(MIGRATION).await?),
            Command::List => list(table()?).await,
            Command::Revoke { key_id } => {
                let key_id = key_id
                    .parse()
                    .map_err(|error| Mistake(format!("revoke KEY_ID: {error}")))?;
                revoke(table()?, key_id).await
            }
        }
    };
    let late = |_| format!("DATABASE_URL: no answer within {} seconds", LIMIT.as_secs());
    timeout(LIMIT, operation).await.map_err(late)?
}

async fn connect(config: &Config) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = config.connect(NoTls).await?;
    // Ends with the client; what goes wrong before is an error of the statement that it happens to.
    tokio::spawn(connection);
    client.batch_execute(STATEMENT_LIMIT).await?;
    Ok(client)
}

/// Prints the id and the token. Nothing shows the token again.
async fn issue_key(secret: &ClientSecret, table: Option<(&Config, &str)>) -> Result<(), Failure> {
    let key = issue(secret, &mut SysRng)?;
    if let Some((config, label)) = table {
        const INSERT: &str = "INSERT INTO client_keys (id, label) VALUES ($1, $2)";
        // Lists the id before it shows the token: a lost token is harmless, a token that is not listed is a puzzle.
        let client = connect(config).await?;
        let id = key.key_id.to_bytes();
        client.execute(INSERT, &[&id.as_slice(), &label]).await?;
    }
    let (id, token) = (key.key_id, key.key_access_token.as_str());
    let shown = writeln!(stdout(), "key_id: {id}\nkey_access_token: {token}");
    Ok(shown.map_err(|error| {
        format!("standard output: {error}; the token of {id} is lost: revoke it and issue another key")
    })?)
}

async fn list(config: &Config) -> Result<(), Failure> {
    const LIST: &str = "SELECT encode(id, 'hex'), created_at::text, \
                        coalesce(revoked_at::text, '-'), coalesce(last_used_at::text, '-'), label \
                        FROM client_keys ORDER BY created_at, id";
    let rows = connect(config).await?.query(LIST, &[]).await?;
    let mut out = stdout().lock();
    writeln!(out, "key_id\tcreated_at\trevoked_at\tlast_used_at\tlabel")?;
    for row in rows {
        let columns = (0..row.len()).map(|column| UNPRINTABLE.replace_all(row.get(column), "\u{fffd}"));
        writeln!(out, "{}", columns.collect::<Vec<_>>().join("\t"))?;
    }
    Ok(())
}

/// Revoking twice keeps the first date. An unknown id is an error: most likely a typing error, and the key is accepted.
async fn revoke(config: &Config, key_id: KeyId) -> Result<(), Failure> {
    const REVOKE: &str = "UPDATE client_keys SET revoked_at = coalesce(revoked_at, now()) \
                          WHERE id = $1 RETURNING revoked_at::text";
    let id = key_id.to_bytes();
    let client = connect(config).await?;
    let revoked = client.query_opt(REVOKE, &[&id.as_slice()]).await?;
    let row = revoked.ok_or_else(|| format!("revoke: {key_id} is not in the table"))?;
    let since: &str = row.get(0);
    writeln!(stdout(), "{key_id} is revoked since {since}")?;
    Ok(())
}
