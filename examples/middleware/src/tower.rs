//! tower: a layer, for every service of `http` requests. The handler finds the key's id in the request's extensions.

use crate::{
    authorize::{ClientKeys, UNAUTHORIZED},
    hyper::routes,
};
use http::{
    Request, Response, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE},
};
use hyper::body::Incoming;
use std::{convert::Infallible, sync::Arc};
use tower::{Service, ServiceBuilder};
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

pub fn service(
    keys: ClientKeys,
) -> impl Service<Request<Incoming>, Response = Response<String>, Error = Infallible, Future: Send> + Clone {
    let authorize = ValidateRequestHeaderLayer::custom(Authorize { keys: Arc::new(keys) });
    ServiceBuilder::new()
        .layer(authorize)
        .service_fn(async |request| Ok(routes(request).await))
}
