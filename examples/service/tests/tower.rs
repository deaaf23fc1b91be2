//! The middleware as a plain `tower` layer, for any framework on `tower` and a list of ids.
#![expect(clippy::result_large_err, reason = "the layer wants the response itself")]

use client_keys::{ClientSecret, KeyId, issue, verify};
use getrandom::SysRng;
use http::{
    HeaderMap, Request, Response,
    header::{AUTHORIZATION, WWW_AUTHENTICATE},
};
use std::convert::Infallible;
use tower::{Layer, ServiceExt, service_fn};
use tower_http::validate_request::ValidateRequestHeaderLayer;

const NO_TOKEN: &str = r#"Bearer realm="apps""#;
const INVALID_TOKEN: &str = r#"Bearer realm="apps", error="invalid_token""#;

/// What the layer calls; where this returns an error, its response is the answer.
fn authorize<B>(
    secret: &ClientSecret,
    client_keys: &[KeyId],
    request: &mut Request<B>,
) -> Result<(), Response<String>> {
    let token = bearer_token(request.headers()).ok_or_else(|| unauthorized(NO_TOKEN))?;
    let key_id = verify(secret, client_keys, token).map_err(|_why| unauthorized(INVALID_TOKEN))?;
    request.extensions_mut().insert(key_id);
    Ok(())
}

/// Exactly one header, the scheme in any case, one space or more: see `authorize.rs` of the service.
fn bearer_token(headers: &HeaderMap) -> Option<&[u8]> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return None;
    };
    let (scheme, token) = value.as_bytes().split_at_checked("Bearer".len())?;
    let spaces = token.iter().position(|byte| *byte != b' ')?;
    (scheme.eq_ignore_ascii_case(b"Bearer") && spaces > 0).then(|| &token[spaces..])
}

fn unauthorized(challenge: &'static str) -> Response<String> {
    let response = Response::builder().status(401);
    let response = response.header(WWW_AUTHENTICATE, challenge);
    response.body("unauthorized".to_owned()).expect("both are constants")
}

#[tokio::test]
async fn layer_lets_in_and_refuses_as_the_service_does() {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).unwrap();
    let secret = ClientSecret::from_bytes(&bytes);
    let key = issue(&secret, &mut SysRng).unwrap();
    let unlisted = issue(&secret, &mut SysRng).unwrap();

    let client_keys = [key.key_id];
    let layer =
        ValidateRequestHeaderLayer::custom(|request: &mut Request<String>| authorize(&secret, &client_keys, request));
    let service = layer.layer(service_fn(async |request: Request<String>| {
        let key_id = request.extensions().get::<KeyId>().unwrap();
        Ok::<_, Infallible>(Response::new(key_id.to_string()))
    }));
    let answer = async |values: &[&str]| {
        let request = values.iter().fold(Request::builder(), |request, value| {
            request.header(AUTHORIZATION, *value)
        });
        let request = request.body(String::new()).unwrap();
        let response = service.clone().oneshot(request).await.unwrap();
        let challenge = response.headers().get(WWW_AUTHENTICATE);
        let challenge = challenge.map(|value| value.to_str().unwrap().to_owned());
        (response.status().as_u16(), challenge, response.into_body())
    };

    let (token, unlisted) = (key.key_access_token.as_str(), unlisted.key_access_token.as_str());
    let good = format!("Bearer {token}");
    for value in [&good, &format!("bEARER   {token}")] {
        assert_eq!(answer(&[value]).await, (200, None, key.key_id.to_string()));
    }
    let refused = |challenge: &str| (401, Some(challenge.to_owned()), "unauthorized".to_owned());
    for value in [
        "Bearer x",
        &format!("Bearer {token}="),
        &format!("Bearer \t{token}"),
        &format!("Bearer {unlisted}"),
    ] {
        assert_eq!(answer(&[value]).await, refused(INVALID_TOKEN), "{value:?}");
    }
    for value in [
        "",
        "B",
        "Bearer",
        "Bearer ",
        &format!("Bearer{token}"),
        &format!("Bearer\t{token}"),
        &format!("Basics {token}"),
    ] {
        assert_eq!(answer(&[value]).await, refused(NO_TOKEN), "{value:?}");
    }
    assert_eq!(answer(&[]).await, refused(NO_TOKEN));
    assert_eq!(answer(&[&good, &good]).await, refused(NO_TOKEN));
}
