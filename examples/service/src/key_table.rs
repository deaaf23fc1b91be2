//! The allow list in a database: a key that is revoked there is refused at its next request, on every instance.

use client_keys::KeyId;
use deadpool_postgres::{ClientWrapper, Hook, HookError, Manager, ManagerConfig, Pool, RecyclingMethod};
use std::sync::{Arc, Mutex, PoisonError};
use std::{collections::HashSet, error::Error, mem, time::Duration};
use tokio::{sync::mpsc, task::JoinHandle, time::timeout};
use tokio_postgres::{Config, NoTls};
use tracing::warn;

/// How long a request may wait for the database, from asking for a connection to the answer.
const LIMIT: Duration = Duration::from_secs(2);
const LATE: &str = "no answer from the database within two seconds";
/// Before that the database itself gives up: otherwise the statement would go on, on a connection that the next one gets.
const STATEMENT_LIMIT: &str = "SET statement_timeout = '1500ms'";
/// Connections of one instance. A look-up is one round trip, so a few serve many requests.
const CONNECTIONS: usize = 8;
type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Keys whose `last_used_at` waits to be written, each once: never more than there are in the table.
type Used = Arc<Mutex<HashSet<KeyId>>>;

pub struct KeyTable {
    pool: Pool,
    used: Used,
    wake: mpsc::Sender<()>,
}

impl KeyTable {
    /// Connects at the first request, not here: a service may start before its database.
    ///
    /// The task ends when the table is dropped and what waits is written.
    pub fn new(config: Config) -> Result<(Self, JoinHandle<()>)> {
        // `Fast` checks whether the connection was closed, without another round trip.
        let recycling_method = RecyclingMethod::Fast;
        let manager = Manager::from_config(config, NoTls, ManagerConfig { recycling_method });
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
    /// That a key was used is written once a minute, by a task of its own: no request waits for it or fails with it.
    pub async fn is_listed(&self, key_id: KeyId) -> Result<bool> {
        const LOOK_UP: &str = "SELECT coalesce(last_used_at < now() - interval '1 minute', true) \
                               FROM client_keys WHERE id = $1 AND revoked_at IS NULL";
        let look_up = async {
            let connection = self.pool.get().await?;
            let statement = connection.prepare_cached(LOOK_UP).await?;
            let id = key_id.to_bytes();
            Result::Ok(connection.query_opt(&statement, &[&id.as_slice()]).await?)
        };
        let row = timeout(LIMIT, look_up).await.map_err(|_| LATE)??;
        if row.as_ref().is_some_and(|row| row.get(0)) {
            self.used.lock().unwrap_or_else(PoisonError::into_inner).insert(key_id);
            // Fails if the task is about to look anyway.
            let _ = self.wake.try_send(());
        }
        Ok(row.is_some())
    }
}

async fn note_used(pool: Pool, used: Used, mut woken: mpsc::Receiver<()>) {
    // The condition once more, as another instance may have been first; and the rows in order, lest two of them deadlock.
    const NOTE: &str = "UPDATE client_keys SET last_used_at = now() WHERE id IN ( \
                        SELECT id FROM client_keys \
                        WHERE id = ANY($1) AND coalesce(last_used_at < now() - interval '1 minute', true) \
                        ORDER BY id FOR UPDATE)";
    while woken.recv().await.is_some() {
        let used = mem::take(&mut *used.lock().unwrap_or_else(PoisonError::into_inner));
        let ids: Vec<[u8; 15]> = used.into_iter().map(KeyId::to_bytes).collect();
        let ids: Vec<&[u8]> = ids.iter().map(<[u8; 15]>::as_slice).collect();
        let note = async {
            let connection = pool.get().await?;
            let statement = connection.prepare_cached(NOTE).await?;
            Result::Ok(connection.execute(&statement, &[&ids]).await?)
        };
        if let Err(error) = timeout(LIMIT, note).await.map_err(|_| LATE.into()).flatten() {
            warn!(keys = ids.len(), error = &*error, "last_used_at not written");
        }
    }
}
