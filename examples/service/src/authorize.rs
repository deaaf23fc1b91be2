//! Accepts or refuses each request by its client key. All `Authorization` handling is in this file.

use crate::describe;
use crate::key_table::{Entry, KeyHash, KeyTable};
use arc_swap::ArcSwap;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Json, middleware::Next};
use client_keys::{ClientSecret, KeyId, VerifyError, verify};
use serde_json::json;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use tracing::{error, field::display, info, warn};

/// Counts the requests that were accepted under the previous secret, if there is one: the log may drop their lines.
pub static ACCEPTED_UNDER_PREVIOUS: OnceLock<AtomicU64> = OnceLock::new();

pub struct ClientKeys {
    pub secret: ClientSecret,
    /// The secret that is being rotated out. Its tokens are still accepted: with a list, never set a stolen one.
    pub previous: Option<ClientSecret>,
    pub allowed: Allowed,
}

pub enum Allowed {
    List(ArcSwap<Vec<KeyId>>),
    Table(KeyTable),
}

const INVALID_TOKEN: &str = r#"Bearer realm="apps", error="invalid_token""#;
/// Some shared caches give one client's answer to others, although RFC 9111 section 3.5 forbids it.
const CACHE_CONTROL: &str = "private";

/// Accepts a request with a listed client key, and adds the key's id or its [`Entry`] in the table as an extension.
///
/// The log shows the id or the handle, the reason and the client's address. The answer shows none of them, and nothing
/// shows the token.
pub async fn authorize(State(keys): State<Arc<ClientKeys>>, mut request: Request, next: Next) -> Response {
    // Without an address, the lines lack the field. It stands last, so that `grep 'address=…$'` finds no longer address.
    let address = client_address(request.headers()).map(display);
    let token = match bearer_token(request.headers()) {
        Ok(token) => token,
        Err(why) => {
            warn!(why, address, "refused");
            return unauthorized(r#"Bearer realm="apps""#);
        }
    };
    let (verified, secret) = keys.verify(token);
    match (verified, &keys.allowed) {
        // The list given to `verify` was empty, so the table decides about an authentic token. From here on the hash
        // replaces the id.
        (Err(VerifyError::Unlisted(key_id)), Allowed::Table(table)) => {
            let handle = KeyHash::of(key_id);
            let entry = match table.look_up(handle).await {
                Ok(entry) => entry,
                Err(error) => {
                    error!(%handle, error = describe(&*error), address, "look-up failed");
                    return unavailable();
                }
            };
            let Entry { handle, label, refused } = &entry;
            if let Some(why) = refused {
                warn!(why, %handle, label, secret, address, "refused");
                return unauthorized(INVALID_TOKEN);
            }
            info!(%handle, label, secret, address, "accepted");
            request.extensions_mut().insert(entry);
        }
        (Ok(key_id), _) => {
            info!(%key_id, secret, address, "accepted");
            request.extensions_mut().insert(key_id);
        }
        (Err(why), _) => {
            if let VerifyError::Unlisted(key_id) = why {
                warn!(%why, %key_id, secret, address, "refused");
            } else {
                warn!(%why, address, "refused");
            }
            return unauthorized(INVALID_TOKEN);
        }
    }
    if secret == "previous"
        && let Some(count) = ACCEPTED_UNDER_PREVIOUS.get()
    {
        count.fetch_add(1, Ordering::Relaxed);
    }
    let mut response = next.run(request).await;
    let cache_control = response.headers_mut().entry(header::CACHE_CONTROL);
    cache_control.or_insert(HeaderValue::from_static(CACHE_CONTROL));
    response
}

impl ClientKeys {
    fn verify(&self, token: &[u8]) -> (Result<KeyId, VerifyError>, &'static str) {
        let list;
        let allowed = match &self.allowed {
            Allowed::List(ids) => {
                list = ids.load();
                list.as_slice()
            }
            Allowed::Table(_) => &[],
        };
        match (verify(&self.secret, allowed, token), &self.previous) {
            // On this error only: after any other, the previous secret would turn `Unlisted` into `Inauthentic`.
            (Err(VerifyError::Inauthentic), Some(previous)) => (verify(previous, allowed, token), "previous"),
            (answer, _) => (answer, "current"),
        }
    }
}

/// Returns the token of the only `Authorization: Bearer <token>`: RFC 6750 section 2.1, with the grammar of RFC 9110
/// section 11.4.
///
/// Parsed by hand, because typed extractors take the first of several headers, and a proxy may have checked the last.
/// Returned as bytes, because a field's value need not be UTF-8.
fn bearer_token(headers: &HeaderMap) -> Result<&[u8], &'static str> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next().ok_or("no Authorization header")?.as_bytes();
    if values.next().is_some() {
        return Err("more than one Authorization header");
    }
    let (scheme, token) = match value.iter().position(|byte| *byte == b' ') {
        Some(space) => value.split_at(space),
        None => (value, [].as_slice()),
    };
    if !scheme.eq_ignore_ascii_case(b"Bearer") {
        return Err("not the Bearer scheme");
    }
    match token.iter().position(|byte| *byte != b' ') {
        Some(start) => Ok(&token[start..]),
        None => Err("no token after Bearer"),
    }
}

/// The address in the only `X-Real-IP`, which the proxy sets. A caller that bypasses the proxy can send any address.
fn client_address(headers: &HeaderMap) -> Option<IpAddr> {
    let mut values = headers.get_all("x-real-ip").iter();
    let address = values.next()?.to_str().ok()?.parse().ok()?;
    values.next().is_none().then_some(address)
}

/// RFC 6750 section 3: at least one parameter after `Bearer`, and an error code only if the request had a token.
fn unauthorized(challenge: &'static str) -> Response {
    let headers = [
        (header::WWW_AUTHENTICATE, challenge),
        (header::CACHE_CONTROL, CACHE_CONTROL),
    ];
    let body = Json(json!({ "error": "unauthorized" }));
    (StatusCode::UNAUTHORIZED, headers, body).into_response()
}

/// The answer when the look-up failed. Not 401, which would make the client replace its token.
fn unavailable() -> Response {
    let headers = [(header::RETRY_AFTER, "5"), (header::CACHE_CONTROL, CACHE_CONTROL)];
    let body = Json(json!({ "error": "unavailable" }));
    (StatusCode::SERVICE_UNAVAILABLE, headers, body).into_response()
}
