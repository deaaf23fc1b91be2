//! hyper, without tower: a function around the handler, which finds the key's id in the request's extensions.

use crate::authorize::{ClientKeys, UNAUTHORIZED};
use client_keys::KeyId;
use hyper::{
    Method, Request, Response, StatusCode,
    body::Incoming,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{convert::Infallible, io, sync::Arc};
use tokio::net::TcpListener;

pub async fn authorize<H, F>(keys: &ClientKeys, mut request: Request<Incoming>, handler: H) -> Response<String>
where
    H: FnOnce(Request<Incoming>) -> F,
    F: Future<Output = Response<String>>,
{
    let headers = request.headers().get_all(AUTHORIZATION);
    match keys.authorize(headers.iter().map(HeaderValue::as_bytes)) {
        Ok(key_id) => {
            request.extensions_mut().insert(key_id);
            handler(request).await
        }
        Err(challenge) => {
            let mut response = Response::new(UNAUTHORIZED.to_owned());
            *response.status_mut() = StatusCode::UNAUTHORIZED;
            let headers = response.headers_mut();
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            response
        }
    }
}

async fn routes(request: Request<Incoming>) -> Response<String> {
    let mut response = Response::new(String::new());
    match (
        request.uri().path(),
        request.method(),
        request.extensions().get::<KeyId>(),
    ) {
        ("/apps", &Method::GET, Some(key_id)) => *response.body_mut() = key_id.to_string(),
        ("/apps", ..) => *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED,
        _ => *response.status_mut() = StatusCode::NOT_FOUND,
    }
    response
}

pub async fn serve(listener: TcpListener, keys: ClientKeys) -> io::Result<()> {
    let keys = Arc::new(keys);
    loop {
        let (stream, _) = listener.accept().await?;
        let keys = keys.clone();
        tokio::spawn(async move {
            let answer = async |request| Ok::<_, Infallible>(authorize(&keys, request, routes).await);
            let mut server = http1::Builder::new();
            // With a timer, hyper closes the connection of a client that does not finish its request's head.
            let server = server.timer(TokioTimer::new());
            let _ = server.serve_connection(TokioIo::new(stream), service_fn(answer)).await;
        });
    }
}
