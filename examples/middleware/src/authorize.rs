//! Shared by all frameworks. Copy this file, your framework's and `from_env.rs`.

use arc_swap::ArcSwap;
use client_keys::{ClientSecret, KeyId, VerifyError, verify};
use std::sync::Arc;
use tracing::{info, warn};

/// The `WWW-Authenticate` of a 401, without and with a token in the request: RFC 6750 section 3.
pub const NO_TOKEN: &str = r#"Bearer realm="apps""#;
pub const INVALID_TOKEN: &str = r#"Bearer realm="apps", error="invalid_token""#;

/// The body of every 401.
pub const UNAUTHORIZED: &str = r#"{"error":"unauthorized"}"#;

pub struct ClientKeys {
    pub secret: ClientSecret,
    /// The secret that is being rotated out. Its tokens are still accepted: never set a stolen one.
    pub previous: Option<ClientSecret>,
    /// Each request reads the list that is current then, so another thread can replace it as a whole.
    pub allowed: Arc<ArcSwap<Vec<KeyId>>>,
}

impl ClientKeys {
    /// Returns the id of the key that made the request. `authorization` has the values of all `Authorization` headers.
    ///
    /// # Errors
    ///
    /// Returns the `WWW-Authenticate` of the 401. Only the log has the reason.
    pub fn authorize<'a>(&self, authorization: impl IntoIterator<Item = &'a [u8]>) -> Result<KeyId, &'static str> {
        let Some(token) = bearer_token(authorization) else {
            warn!("refused: expected one Authorization header with a bearer token");
            return Err(NO_TOKEN);
        };
        let allowed = self.allowed.load();
        let (verified, secret) = match (verify(&self.secret, &allowed, token), &self.previous) {
            // On this error only: after any other, the previous secret would turn `Unlisted` into `Inauthentic`.
            (Err(VerifyError::Inauthentic), Some(previous)) => (verify(previous, &allowed, token), "previous"),
            (result, _) => (result, "current"),
        };
        match verified {
            Ok(key_id) => {
                info!(%key_id, secret, "accepted");
                Ok(key_id)
            }
            Err(why) => {
                if let VerifyError::Unlisted(key_id) = why {
                    warn!(%key_id, secret, "refused: {why}");
                } else {
                    warn!("refused: {why}");
                }
                Err(INVALID_TOKEN)
            }
        }
    }
}

/// Returns the token of the only `Authorization: Bearer <token>` (RFC 6750 section 2.1, RFC 9110 section 11.4).
///
/// If there are several headers, a proxy may have checked a different one. The value is bytes: it need not be UTF-8.
fn bearer_token<'a>(authorization: impl IntoIterator<Item = &'a [u8]>) -> Option<&'a [u8]> {
    let mut values = authorization.into_iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return None;
    };
    let (scheme, rest) = value.split_at_checked("Bearer".len())?;
    let token = &rest[rest.iter().position(|byte| *byte != b' ')?..];
    (scheme.eq_ignore_ascii_case(b"Bearer") && token.len() < rest.len()).then_some(token)
}
