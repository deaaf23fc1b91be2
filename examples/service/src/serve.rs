//! Serves requests until SIGTERM or SIGINT, and reads the allow list of `.env` again at SIGHUP.

use crate::authorize::{ACCEPTED_UNDER_PREVIOUS, Allowed, ClientKeys, authorize};
use crate::{Failure, Mistake, apps::apps, key_table::KeyTable, log, settings::Settings};
use arc_swap::ArcSwap;
use axum::{Json, Router, middleware, routing::get};
use serde_json::{Value, json};
use signal_hook::{consts::SIGINT, consts::SIGTERM, iterator::Signals};
use std::io::{self, ErrorKind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::{process, sync::Arc, thread, time::Duration};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::{net::TcpListener, select, sync::oneshot, time::interval};
use tracing::{error, info, warn};

/// How long requests may continue after SIGTERM. With the log's second that makes eight; Docker kills after ten.
const GRACE: Duration = Duration::from_secs(7);

pub async fn serve(settings: Settings) -> Result<(), Failure> {
    // Before anything that may wait: without a handler, SIGHUP kills the process, and SIGTERM does nothing to the first
    // process of a container.
    let (mut stop, mut hangup) = (stop_signal()?, signal(SignalKind::hangup())?);
    info!("settings: {}", settings.sources()?);
    let (keys, noting) = client_keys(&settings)?;
    let (host, port) = settings.address()?;
    // Erases the text of the secrets.
    drop(settings);
    let bound = select! {
        bound = TcpListener::bind((host.as_str(), port)) => bound,
        _ = &mut stop => return Ok(()),
    };
    let listener = bound.map_err(|error| -> Failure {
        match error.kind() {
            // The setting may be right, and the port free the next time.
            ErrorKind::AddrInUse => format!("{host}:{port}: {error}").into(),
            _ => Mistake(format!("HOST, PORT: {error}")).into(),
        }
    })?;
    info!(address = %listener.local_addr()?, "listening");
    let serving = axum::serve(listener, router(keys.clone())).with_graceful_shutdown(async {
        let _ = stop.await;
    });
    let mut hour = interval(Duration::from_hours(1));
    let watch = async {
        loop {
            select! {
                _ = hangup.recv() => reload(&keys.allowed).await,
                _ = hour.tick() => {}
            }
            report_previous();
        }
    };
    select! {
        done = serving.into_future() => done?,
        () = watch => {}
    }
    drop(keys);
    if let Some(noting) = noting {
        noting.await?;
    }
    report_previous();
    Ok(())
}

/// Replaces the list by that of `.env`, or logs why it does not.
async fn reload(allowed: &Allowed) {
    let Allowed::List(list) = allowed else {
        return info!("nothing to reload: each request reads the client keys from the database");
    };
    // In a thread of its own, because reading the file may block.
    match spawn_blocking(Settings::reload_key_list).await {
        Ok(Ok(ids)) => {
            let count = ids.len();
            list.store(Arc::new(ids));
            log_count(count);
        }
        Ok(Err(why)) => error!("CLIENT_KEYS stays as it was: {why}"),
        Err(why) => error!("CLIENT_KEYS stays as it was: {why}"),
    }
}

fn log_count(count: usize) {
    if count == 0 {
        warn!("CLIENT_KEYS is not set or empty: every key is refused");
    } else {
        info!(count, "client keys are those of CLIENT_KEYS");
    }
}

/// At the level WARN, because a rotation should end, and because its progress must show where requests are not logged.
fn report_previous() {
    if let Some(count) = ACCEPTED_UNDER_PREVIOUS.get() {
        let count = count.load(Ordering::Relaxed);
        warn!(count, "requests accepted under CLIENT_SECRET_PREVIOUS since the start");
    }
}

/// Receives a message at SIGTERM or SIGINT. A thread waits for the signals and ends the process after the grace period,
/// whatever hangs in the runtime.
fn stop_signal() -> io::Result<oneshot::Receiver<()>> {
    let mut signals = Signals::new([SIGTERM, SIGINT])?;
    let (stop, stopping) = oneshot::channel();
    thread::spawn(move || {
        signals.forever().next();
        info!("stopping");
        let _ = stop.send(());
        thread::sleep(GRACE);
        warn!("stopped with connections open");
        report_previous();
        log::end(String::new());
        process::exit(0);
    });
    Ok(stopping)
}

fn client_keys(settings: &Settings) -> Result<(Arc<ClientKeys>, Option<JoinHandle<()>>), Failure> {
    let current = settings.secret()?;
    info!(fingerprint = %current.fingerprint, "CLIENT_SECRET");
    let previous = settings.previous_secret()?;
    if let Some(previous) = &previous {
        let fingerprint = &previous.fingerprint;
        info!(%fingerprint, "CLIENT_SECRET_PREVIOUS: tokens under it are accepted as well");
        if *fingerprint == current.fingerprint {
            warn!("CLIENT_SECRET_PREVIOUS and CLIENT_SECRET are the same secret");
        }
        ACCEPTED_UNDER_PREVIOUS.get_or_init(AtomicU64::default);
    }
    // Also with a database: a wrong list is a mistake, even if the service does not use it.
    let list = settings.key_list()?;
    let (allowed, noting) = if let Some(config) = settings.database()? {
        if !list.is_empty() {
            warn!("CLIENT_KEYS is not used: DATABASE_URL is set");
        }
        info!("client keys are those of the database");
        let (table, noting) = KeyTable::new(config)?;
        (Allowed::Table(table), Some(noting))
    } else {
        log_count(list.len());
        (Allowed::List(ArcSwap::from_pointee(list)), None)
    };
    let keys = ClientKeys {
        secret: current.secret,
        previous: previous.map(|previous| previous.secret),
        allowed,
    };
    Ok((Arc::new(keys), noting))
}

/// The middleware guards everything but `/health`, whatever the path and method, so that a caller without a key learns
/// no route. With `route_layer`, axum would name the route's methods in the `Allow` header of a refusal.
fn router(keys: Arc<ClientKeys>) -> Router {
    let guarded = Router::new().route("/apps", get(apps));
    Router::new()
        .fallback_service(guarded)
        .layer(middleware::from_fn_with_state(keys, authorize))
        .route("/health", get(health))
}

/// Says that this instance answers, not whether the database does: a restart of the service would not bring it back.
async fn health() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}
