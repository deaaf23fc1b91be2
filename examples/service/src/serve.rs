use crate::authorize::{Allowed, ClientKeys, authorize};
use crate::{Failure, Mistake, apps::apps, key_table::KeyTable, log, settings::Settings};
use axum::{Json, Router, middleware, routing::get};
use serde_json::{Value, json};
use std::io::{self, ErrorKind};
use std::{process, sync::Arc, thread, time::Duration};
use tokio::signal::unix::{SignalKind, signal};
use tokio::{net::TcpListener, runtime::Builder, select, sync::oneshot, task::JoinHandle, time::sleep};
use tracing::{info, warn};

/// How long requests may go on after SIGTERM. With the log's second that makes eight, less than the ten that Docker leaves
/// until it kills.
const GRACE: Duration = Duration::from_secs(7);

pub async fn serve(settings: &Settings) -> Result<(), Failure> {
    info!("settings: {}", settings.sources()?);
    let (keys, noting) = client_keys(settings)?;
    let (host, port) = settings.address()?;
    let listener = TcpListener::bind((host.as_str(), port))
        .await
        .map_err(|error| -> Failure {
            match error.kind() {
                // Nothing is wrong with the setting: the port may be free the next time.
                ErrorKind::AddrInUse => format!("{host}:{port}: {error}").into(),
                _ => Mistake(format!("HOST, PORT: {error}")).into(),
            }
        })?;
    let stop = stop_signal()?;
    info!(address = %listener.local_addr()?, "listening");
    axum::serve(listener, router(keys))
        .with_graceful_shutdown(async {
            let _ = stop.await;
        })
        .await?;
    if let Some(noting) = noting {
        noting.await?;
    }
    Ok(())
}

/// Arrives with SIGTERM or SIGINT. A thread with a runtime of its own waits for them and ends the process after the
/// grace period, whatever hangs in the other runtime.
fn stop_signal() -> io::Result<oneshot::Receiver<()>> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let entered = runtime.enter();
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    drop(entered);
    let (stop, stopping) = oneshot::channel();
    thread::spawn(move || {
        runtime.block_on(async {
            select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            info!("stopping");
            let _ = stop.send(());
            sleep(GRACE).await;
            warn!("stopped with connections open");
            log::end(String::new());
            process::exit(0);
        });
    });
    Ok(stopping)
}

fn client_keys(settings: &Settings) -> Result<(ClientKeys, Option<JoinHandle<()>>), Failure> {
    let secret = settings.secret()?;
    info!(fingerprint = %secret.fingerprint, "CLIENT_SECRET");
    let previous = settings.previous_secret()?;
    if let Some(previous) = &previous {
        let fingerprint = &previous.fingerprint;
        info!(%fingerprint, "tokens under CLIENT_SECRET_PREVIOUS are accepted as well");
        if *fingerprint == secret.fingerprint {
            warn!("CLIENT_SECRET_PREVIOUS and CLIENT_SECRET are the same secret");
        }
    }
    // Also with a database: a list that is wrong is a mistake, whether or not it is used.
    let list = settings.key_list()?;
    let (allowed, noting) = if let Some(config) = settings.database()? {
        if !list.is_empty() {
            warn!("CLIENT_KEYS is not used: DATABASE_URL is set");
        }
        info!("client keys are those of the database");
        let (table, noting) = KeyTable::new(config)?;
        (Allowed::Table(table), Some(noting))
    } else {
        match list.len() {
            0 => warn!("CLIENT_KEYS is not set or empty: every key is refused"),
            count => info!(count, "client keys are those of CLIENT_KEYS"),
        }
        (Allowed::List(list), None)
    };
    let keys = ClientKeys {
        secret: secret.secret,
        previous: previous.map(|previous| previous.secret),
        allowed,
    };
    Ok((keys, noting))
}

/// The middleware guards everything but `/health`, whatever the path and method: a caller without a key learns no route.
///
/// Not `route_layer`, because axum would name the route's methods in the `Allow` header of a refusal.
fn router(keys: ClientKeys) -> Router {
    let guarded = Router::new().route("/apps", get(apps));
    Router::new()
        .fallback_service(guarded)
        .layer(middleware::from_fn_with_state(Arc::new(keys), authorize))
        .route("/health", get(health))
}

/// Says that this instance answers, not whether the database does: restarting instances would not bring it back.
async fn health() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}
