//! tonic: an interceptor. The handler finds the key's id in the request's extensions.

use super::authorize::ClientKeys;
use crate::generated::apps_server::{Apps, AppsServer};
use client_keys::KeyId;
use std::sync::Arc;
use tokio::net::TcpListener;
use tonic::{
    Request, Response, Status,
    metadata::{AsciiMetadataValue, MetadataValue},
    service::{Interceptor, InterceptorLayer},
    transport::{self, Server, server::TcpIncoming},
};

#[derive(Clone)]
pub struct Authorize {
    pub keys: Arc<ClientKeys>,
}

impl Interceptor for Authorize {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let values = request.metadata().get_all("authorization").into_iter();
        match self.keys.authorize(values.map(AsciiMetadataValue::as_encoded_bytes)) {
            Ok(key_id) => {
                request.extensions_mut().insert(key_id);
                Ok(request)
            }
            Err(challenge) => {
                let mut status = Status::unauthenticated("unauthorized");
                let challenge = MetadataValue::from_static(challenge);
                status.metadata_mut().insert("www-authenticate", challenge);
                Err(status)
            }
        }
    }
}

struct Handler;

#[tonic::async_trait]
impl Apps for Handler {
    async fn get(&self, request: Request<String>) -> Result<Response<String>, Status> {
        let key_id: Option<&KeyId> = request.extensions().get();
        let key_id = key_id.ok_or_else(|| Status::internal("not guarded"))?;
        Ok(Response::new(key_id.to_string()))
    }
}

pub async fn serve(listener: TcpListener, keys: ClientKeys) -> Result<(), transport::Error> {
    // As a layer, it also guards unknown services; `AppsServer::with_interceptor` would not.
    let authorize = Authorize { keys: Arc::new(keys) };
    let mut server = Server::builder().layer(InterceptorLayer::new(authorize));
    let server = server.add_service(AppsServer::new(Handler));
    server.serve_with_incoming(TcpIncoming::from(listener)).await
}
