//! `GET /apps` as the service answers it, without the middleware: what `tests/load` compares the service with.

#[path = "../src/apps.rs"]
mod apps;

use axum::{Router, routing::get};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    eprintln!("listening address={}", listener.local_addr()?);
    let router = Router::new().route("/apps", get(apps::apps));
    axum::serve(listener, Router::new().fallback_service(router)).await
}
