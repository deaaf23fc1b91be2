//! hyper, without tower: a function around the handler, which finds the key's id in the request's extensions.

use super::authorize::{ClientKeys, UNAUTHORIZED};
use client_keys::KeyId;
use hyper::{
    Method, Request, Response, StatusCode,
    body::Incoming,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE},
    service::{Service, service_fn},
};
use std::{convert::Infallible, sync::Arc};

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

pub async fn routes(request: Request<Incoming>) -> Response<String> {
    let mut response = Response::new(String::new());
    let key_id = request.extensions().get::<KeyId>();
    match (request.uri().path(), request.method(), key_id) {
        ("/apps", &Method::GET, Some(key_id)) => *response.body_mut() = key_id.to_string(),
        ("/apps", ..) => *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED,
        _ => *response.status_mut() = StatusCode::NOT_FOUND,
    }
    response
}

pub fn service(
    keys: ClientKeys,
) -> impl Service<Request<Incoming>, Response = Response<String>, Error = Infallible, Future: Send> + Clone {
    let keys = Arc::new(keys);
    service_fn(move |request| {
        let keys = keys.clone();
        async move { Ok(authorize(&keys, request, routes).await) }
    })
}
