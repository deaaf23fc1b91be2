//! actix-web: `App::wrap(from_fn(authorize))`. The handler takes the key's id as `ReqData<KeyId>`.

use super::authorize::{ClientKeys, UNAUTHORIZED};
use actix_web::{
    App, Error, HttpMessage, HttpResponse, HttpServer,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::header::{AUTHORIZATION, ContentType, HeaderValue, WWW_AUTHENTICATE},
    middleware::{Next, from_fn},
    web::{self, Data, ReqData},
};
use client_keys::KeyId;
use std::{io, net::TcpListener};

/// Around the whole `App`, it also guards paths without a route.
pub async fn authorize(
    keys: Data<ClientKeys>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let headers = request.headers().get_all(AUTHORIZATION);
    match keys.authorize(headers.map(HeaderValue::as_bytes)) {
        Ok(key_id) => {
            request.extensions_mut().insert(key_id);
            Ok(next.call(request).await?.map_into_left_body())
        }
        Err(challenge) => {
            let response = HttpResponse::Unauthorized()
                .insert_header((WWW_AUTHENTICATE, challenge))
                .content_type(ContentType::json())
                .body(UNAUTHORIZED);
            Ok(request.into_response(response).map_into_right_body())
        }
    }
}

async fn apps(key_id: ReqData<KeyId>) -> String {
    key_id.to_string()
}

pub async fn serve(listener: TcpListener, keys: ClientKeys) -> io::Result<()> {
    let keys = Data::new(keys);
    let app = move || {
        App::new()
            .app_data(keys.clone())
            .wrap(from_fn(authorize))
            .service(web::resource("/apps").get(apps))
    };
    HttpServer::new(app).listen(listener)?.run().await
}
