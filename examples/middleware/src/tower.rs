//! tower: a layer, for every service of `http` requests. The handler finds the key's id in the request's extensions.

use super::authorize::{ClientKeys, UNAUTHORIZED};
use http::{
    Request, Response, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE},
};
use std::sync::Arc;
use tower_http::validate_request::{ValidateRequest, ValidateRequestHeaderLayer};

#[derive(Clone)]
pub struct Authorize {
    pub keys: Arc<ClientKeys>,
}

impl<B> ValidateRequest<B> for Authorize {
    type ResponseBody = String;

    fn validate(&mut self, request: &mut Request<B>) -> Result<(), Response<String>> {
        let headers = request.headers().get_all(AUTHORIZATION);
        match self.keys.authorize(headers.iter().map(HeaderValue::as_bytes)) {
            Ok(key_id) => {
                request.extensions_mut().insert(key_id);
                Ok(())
            }
            Err(challenge) => {
                let mut response = Response::new(UNAUTHORIZED.to_owned());
                *response.status_mut() = StatusCode::UNAUTHORIZED;
                let headers = response.headers_mut();
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
                headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
                Err(response)
            }
        }
    }
}

pub fn layer(keys: ClientKeys) -> ValidateRequestHeaderLayer<Authorize> {
    ValidateRequestHeaderLayer::custom(Authorize { keys: Arc::new(keys) })
}
