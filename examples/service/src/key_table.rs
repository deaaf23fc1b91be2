//! The allow list in a database: a key that is revoked there is refused at its next request, on every instance.

use crate::describe;
use crate::tls::Config;
use base16ct::HexDisplay;
use client_keys::KeyId;
use deadpool_postgres::{ClientWrapper, Hook, HookError, Manager, ManagerConfig, Pool, RecyclingMethod};
use sha2::{Digest, Sha256};
use std::sync::{Arc, Mutex, PoisonError};
use std::{collections::HashSet, error::Error, fmt, mem, time::Duration};
use tokio::{sync::mpsc, task::JoinHandle, time::timeout};
use tokio_postgres::Row;
use tracing::warn;

/// How long a request may wait for the database: for a connection and for the answer.
const LIMIT: Duration = Duration::from_secs(2);
const LATE: &str = "the database did not answer within two seconds";
/// The database gives up earlier. Otherwise the statement would continue on a connection that another request gets.
const STATEMENT_LIMIT: &str = "SET statement_timeout = '1500ms'";
/// Connections of one instance. A look-up is one round trip, so a few serve many requests.
const CONNECTIONS: usize = 8;
type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Selects a key's label, why the service refuses it (if it does), and whether to write `last_used_at`.
pub const LOOK_UP: &str = "SELECT label, CASE WHEN revoked_at IS NOT NULL THEN 'revoked' \
                                              WHEN expires_at <= now() THEN 'expired' END, \
                           coalesce(last_used_at < now() - interval '1 minute', true) \
                           FROM client_keys WHERE hash = $1";

/// SHA-256 of a key id. The table, the log and the operator's commands hold the hash instead of the id: with a stolen
/// secret, an attacker can make a token for a known id, but not for a hash.
///
/// It needs neither salt nor stretching, because nobody can guess an id of 120 random bits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyHash([u8; 32]);

impl KeyHash {
    pub fn of(key_id: KeyId) -> Self {
        Self(Sha256::digest(key_id.to_bytes()).into())
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// The key's handle, as in the table's column of that name.
impl fmt::Display for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", HexDisplay(&self.0[..8]))
    }
}

/// What the table says about a key. Handlers find it among the request's extensions.
#[derive(Clone)]
pub struct Entry {
    pub handle: KeyHash,
    pub label: Option<String>,
    pub refused: Option<String>,
}

impl Entry {
    /// `row` is the answer to [`LOOK_UP`].
    pub fn new(handle: KeyHash, row: Option<&Row>) -> Self {
        let label = row.map(|row| row.get(0));
        let refused = row.map_or_else(|| Some("not in the table".to_owned()), |row| row.get(1));
        Self { handle, label, refused }
    }
}

/// Keys whose `last_used_at` is to be written, each once: never more than the table has.
type Used = Arc<Mutex<HashSet<KeyHash>>>;

pub struct KeyTable {
    pool: Pool,
    used: Used,
    wake: mpsc::Sender<()>,
}

impl KeyTable {
    /// Connects at the first request, because a service may start before its database.
    ///
    /// The task ends once the table is dropped and every `last_used_at` is written.
    pub fn new(config: Config) -> Result<(Self, JoinHandle<()>)> {
        config.report();
        // `Fast` checks whether the connection was closed, without another round trip.
        let recycling_method = RecyclingMethod::Fast;
        let manager = Manager::from_config(config.postgres, config.tls, ManagerConfig { recycling_method });
        let limit = Hook::async_fn(|connection: &mut ClientWrapper, _| {
            let set = connection.batch_execute(STATEMENT_LIMIT);
            Box::pin(async { set.await.map_err(HookError::Backend) })
        });
        let pool = Pool::builder(manager)
            .max_size(CONNECTIONS)
            .post_create(limit)
            .build()?;
        let used = Used::default();
        let (wake, woken) = mpsc::channel(1);
        let noting = tokio::spawn(note_used(pool.clone(), used.clone(), woken));
        Ok((Self { pool, used, wake }, noting))
    }

    /// Queries the database each time, because a cached answer would accept a revoked key.
    ///
    /// A task of its own writes `last_used_at` once a minute: no request waits for that or fails with it.
    pub async fn look_up(&self, hash: KeyHash) -> Result<Entry> {
        let look_up = async {
            let connection = self.pool.get().await?;
            let statement = connection.prepare_cached(LOOK_UP).await?;
            Result::Ok(connection.query_opt(&statement, &[&hash.as_bytes()]).await?)
        };
        let row = timeout(LIMIT, look_up).await.map_err(|_| LATE)??;
        let entry = Entry::new(hash, row.as_ref());
        if entry.refused.is_none() && row.is_some_and(|row| row.get(2)) {
            self.used.lock().unwrap_or_else(PoisonError::into_inner).insert(hash);
            // Fails if the task was already woken.
            let _ = self.wake.try_send(());
        }
        Ok(entry)
    }
}

async fn note_used(pool: Pool, used: Used, mut woken: mpsc::Receiver<()>) {
    // Checks the condition again, because another instance may have been first. Locks the rows in order, so that two
    // instances do not deadlock.
    const NOTE: &str = "UPDATE client_keys SET last_used_at = now() WHERE hash IN ( \
                        SELECT hash FROM client_keys \
                        WHERE hash = ANY($1) AND coalesce(last_used_at < now() - interval '1 minute', true) \
                        ORDER BY hash FOR UPDATE)";
    while woken.recv().await.is_some() {
        let used = mem::take(&mut *used.lock().unwrap_or_else(PoisonError::into_inner));
        let hashes: Vec<&[u8]> = used.iter().map(KeyHash::as_bytes).collect();
        let note = async {
            let connection = pool.get().await?;
            let statement = connection.prepare_cached(NOTE).await?;
            Result::Ok(connection.execute(&statement, &[&hashes]).await?)
        };
        if let Err(error) = timeout(LIMIT, note).await.map_err(|_| LATE.into()).flatten() {
            warn!(
                keys = hashes.len(),
                error = describe(&*error),
                "last_used_at not written"
            );
        }
    }
}
