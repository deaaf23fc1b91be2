//! tower: a function for a layer of tower-http, which guards every service of `http` requests, such as axum's router. The
//! handler finds the key's id in the request's extensions.

use super::authorize::{ClientKeys, UNAUTHORIZED};
use axum::{Extension, Router, routing::get};
use client_keys::KeyId;
use http::{
    Request, Response, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE},
};
use std::{future::ready, sync::Arc};
use tower_http::auth::AsyncRequireAuthorizationLayer;

pub fn authorize<B, R: From<&'static str>>(
    keys: &ClientKeys,
    mut request: Request<B>,
) -> Result<Request<B>, Response<R>> {
    let headers = request.headers().get_all(AUTHORIZATION);
    match keys.authorize(headers.iter().map(HeaderValue::as_bytes)) {
        Ok(key_id) => {
            request.extensions_mut().insert(key_id);
            Ok(request)
        }
        Err(challenge) => {
            let mut response = Response::new(UNAUTHORIZED.into());
            *response.status_mut() = StatusCode::UNAUTHORIZED;
            let headers = response.headers_mut();
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            Err(response)
        }
    }
}

/// Guards paths without a route, too. As a layer of `router` itself, it would let axum name a route's methods in the
/// `Allow` header of a 401. A route that you add to the result is public.
pub fn guard(router: Router, keys: ClientKeys) -> Router {
    let keys = Arc::new(keys);
    let layer = AsyncRequireAuthorizationLayer::new(move |request: Request<_>| ready(authorize(&keys, request)));
    Router::new().fallback_service(router).layer(layer)
}

async fn apps(Extension(id): Extension<KeyId>) -> String {
    id.to_string()
}

pub fn app(keys: ClientKeys) -> Router {
    guard(Router::new().route("/apps", get(apps)), keys)
}
