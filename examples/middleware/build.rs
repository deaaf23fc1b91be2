//! Describes the gRPC service here, because a `.proto` file would need a compiler.

use tonic_build::manual::{Builder, Method, Service};

fn main() {
    let get = Method::builder()
        .name("get")
        .route_name("Get")
        .input_type("String")
        .output_type("String")
        .codec_path("tonic_prost::ProstCodec")
        .build();
    let apps = Service::builder()
        .name("Apps")
        .package("client_keys")
        .method(get)
        .build();
    Builder::new().build_client(false).compile(&[apps]);
}
