//! The commands that a person runs: `issue`, and with a database `migrate`, `list` and `revoke`.

use crate::Failure;
use client_keys::{ClientSecret, KeyId, issue};
use getrandom::SysRng;
use std::io::{Write, stdout};
use tokio_postgres::{Client, Config, NoTls};

const MIGRATION: &str = include_str!("../migrations/0001_client_keys.sql");

async fn connect(config: &Config) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = config.connect(NoTls).await?;
    // Ends with the client; what goes wrong before is an error of the statement that it happens to.
    tokio::spawn(connection);
    Ok(client)
}

pub async fn migrate(config: &Config) -> Result<(), Failure> {
    connect(config).await?.batch_execute(MIGRATION).await?;
    Ok(())
}

/// Prints the id and the token: the only time that anybody sees the token.
pub async fn issue_key(secret: &ClientSecret, table: Option<(&Config, &str)>) -> Result<(), Failure> {
    let key = issue(secret, &mut SysRng)?;
    if let Some((config, label)) = table {
        const INSERT: &str = "INSERT INTO client_keys (id, label) VALUES ($1, $2)";
        // Before it is shown: a token that nobody holds is harmless, one that nobody listed is a puzzle.
        let client = connect(config).await?;
        let id = key.key_id.to_bytes();
        client.execute(INSERT, &[&id.as_slice(), &label]).await?;
    }
    let mut out = stdout().lock();
    writeln!(out, "key_id: {}", key.key_id)?;
    writeln!(out, "key_access_token: {}", key.key_access_token.as_str())?;
    Ok(())
}

pub async fn list(config: &Config) -> Result<(), Failure> {
    const LIST: &str = "SELECT encode(id, 'hex'), created_at::text, \
                        coalesce(revoked_at::text, '-'), coalesce(last_used_at::text, '-'), label \
                        FROM client_keys ORDER BY created_at, id";
    let mut out = stdout().lock();
    writeln!(out, "key_id\tcreated_at\trevoked_at\tlast_used_at\tlabel")?;
    for row in connect(config).await?.query(LIST, &[]).await? {
        let columns: Vec<&str> = (0..row.len()).map(|column| row.get(column)).collect();
        writeln!(out, "{}", columns.join("\t"))?;
    }
    Ok(())
}

/// Revoking twice keeps the first date. An unknown id is an error: most likely a slip, and its key would still come in.
pub async fn revoke(config: &Config, key_id: KeyId) -> Result<(), Failure> {
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
