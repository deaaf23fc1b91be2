//! client-keys as middleware: a file for each framework; `authorize.rs` and `from_env.rs` for all of them.

pub mod actix_web;
pub mod authorize;
pub mod from_env;
pub mod hyper;
pub mod rocket;
pub mod tonic;
pub mod tower;
pub mod warp;

#[expect(
    clippy::allow_attributes_without_reason,
    clippy::default_trait_access,
    clippy::doc_markdown,
    unused_qualifications,
    reason = "tonic-build writes it"
)]
mod generated {
    ::tonic::include_proto!("client_keys.Apps");
}
