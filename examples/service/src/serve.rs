use crate::{
    Failure, Mistake,
    apps::apps,
    authorize::{Allowed, ClientKeys, authorize},
    key_table::KeyTable,
    settings,
};
use axum::{Json, Router, middleware, routing::get};
use serde_json::{Value, json};
use std::{io::ErrorKind, sync::Arc, time::Duration};
use tokio::{
    net::TcpListener,
    select,
    signal::unix::{SignalKind, signal},
    sync::oneshot,
    time::sleep,
};
use tokio_postgres::Config;
use tracing::{info, warn};

/// How long requests may go on after SIGTERM: less than the 10 seconds that Docker leaves until it kills.
const GRACE: Duration = Duration::from_secs(8);

pub async fn serve(database: Option<Config>) -> Result<(), Failure> {
    let keys = client_keys(database)?;
    let (host, port) = settings::address()?;
    let listener = TcpListener::bind((host.as_str(), port))
        .await
        .map_err(|error| -> Failure {
            match error.kind() {
                // Nothing is wrong with the setting: the port may be free the next time.
                ErrorKind::AddrInUse => format!("{host}:{port}: {error}").into(),
                _ => Mistake(format!("HOST, PORT: {error}")).into(),
            }
        })?;
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    info!(address = %listener.local_addr()?, "listening");

    let (stop, stopping) = oneshot::channel();
    let server = axum::serve(listener, router(keys)).with_graceful_shutdown(async move {
        select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        info!("stopping");
        let _ = stop.send(());
    });
    select! {
        result = server.into_future() => result?,
        () = async {
            let _ = stopping.await;
            sleep(GRACE).await;
        } => warn!("stopped with connections open"),
    }
    Ok(())
}

fn client_keys(database: Option<Config>) -> Result<ClientKeys, Failure> {
    let secret = settings::secret()?;
    let previous = settings::previous_secret()?;
    if previous.is_some() {
        info!("tokens under CLIENT_SECRET_PREVIOUS are accepted as well");
    }
    // Also with a database: a list that is wrong is a mistake, whether or not it is used.
    let list = settings::key_list()?;
    let allowed = if let Some(config) = database {
        if !list.is_empty() {
            warn!("CLIENT_KEYS is not used: DATABASE_URL is set");
        }
        info!("client keys are those of the database");
        Allowed::Table(KeyTable::new(config)?)
    } else {
        match list.len() {
            0 => warn!("CLIENT_KEYS is not set or empty: nobody is let in"),
            count => info!(count, "client keys are those of CLIENT_KEYS"),
        }
        Allowed::List(list)
    };
    Ok(ClientKeys {
        secret,
        previous,
        allowed,
    })
}

/// All but `/health` is behind the middleware, whatever its path and method: a stranger learns of no route.
///
/// As a service of its own: around a single route, axum would tell the route's methods in the refusal's `Allow`.
fn router(keys: ClientKeys) -> Router {
    let guarded = Router::new().route("/apps", get(apps));
    Router::new()
        .fallback_service(guarded)
        .layer(middleware::from_fn_with_state(Arc::new(keys), authorize))
        .route("/health", get(health))
}

/// That this instance answers. Not whether the database does: restarting instances would not bring it back.
async fn health() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}
