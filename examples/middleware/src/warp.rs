//! warp: a filter, which gives the key's id to the handler, and a `recover` for its rejections.

use super::authorize::{ClientKeys, UNAUTHORIZED};
use client_keys::KeyId;
use std::{future::ready, sync::Arc};
use warp::{
    Filter, Rejection, Reply,
    header::headers_cloned,
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE},
    },
    reject::{self, Reject},
    reply,
};

#[derive(Debug)]
struct Unauthorized(&'static str);

impl Reject for Unauthorized {}

/// Before the path's filter, it also guards paths without a route.
pub fn authorize(keys: Arc<ClientKeys>) -> impl Filter<Extract = (KeyId,), Error = Rejection> + Clone {
    headers_cloned().and_then(move |headers: HeaderMap| {
        let values = headers.get_all(AUTHORIZATION).iter().map(HeaderValue::as_bytes);
        let result = keys.authorize(values);
        ready(result.map_err(|challenge| reject::custom(Unauthorized(challenge))))
    })
}

/// Answers the refusals of `authorize` and leaves other rejections to warp.
pub async fn refuse(rejection: Rejection) -> Result<impl Reply, Rejection> {
    let Some(Unauthorized(challenge)) = rejection.find() else {
        return Err(rejection);
    };
    let reply = reply::with_status(UNAUTHORIZED, StatusCode::UNAUTHORIZED);
    let reply = reply::with_header(reply, CONTENT_TYPE, "application/json");
    Ok(reply::with_header(reply, WWW_AUTHENTICATE, *challenge))
}

pub fn routes(keys: ClientKeys) -> impl Filter<Extract: Reply, Error = Rejection> + Clone {
    let apps = warp::path!("apps").and(warp::get());
    let apps = authorize(Arc::new(keys))
        .and(apps)
        .map(|key_id: KeyId| key_id.to_string());
    apps.recover(refuse)
}
