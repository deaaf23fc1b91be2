//! Rocket: a request guard, which gives the handler the key's id, and a catcher, which answers every refusal.

use super::authorize::{ClientKeys, UNAUTHORIZED};
use client_keys::KeyId;
use rocket::{
    Build, Ignite, Request, Responder, Rocket, Sentinel, async_trait, catch, catchers,
    fairing::{AdHoc, Fairing},
    get,
    http::{Header, Status},
    request::{FromRequest, Outcome},
    routes,
};

/// Guards the routes that have it as an argument and no others: Rocket has no middleware around several routes.
#[derive(Clone, Copy)]
pub struct Authorized(pub KeyId);

#[async_trait]
impl<'r> FromRequest<'r> for Authorized {
    type Error = &'static str;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Self::Error> {
        match authorize(request) {
            Ok(key_id) => Outcome::Success(Self(key_id)),
            Err(challenge) => Outcome::Error((Status::Unauthorized, challenge)),
        }
    }
}

/// Stops the launch if a route has the guard, and `client_keys` is not attached.
impl Sentinel for Authorized {
    fn abort(rocket: &Rocket<Ignite>) -> bool {
        rocket.state::<ClientKeys>().is_none()
    }
}

/// Verifies once per request. Rocket has dropped every header that is not UTF-8 by now.
fn authorize(request: &Request<'_>) -> Result<KeyId, &'static str> {
    let headers = request.headers().get("Authorization").map(str::as_bytes);
    let keys: &ClientKeys = request.rocket().state().expect("both callers need `client_keys`");
    *request.local_cache(|| keys.authorize(headers))
}

#[derive(Responder)]
#[response(status = 401, content_type = "json")]
struct Refusal(&'static str, Header<'static>);

/// Answers each error with the same 401 unless the key is listed, since a 404 would tell which routes exist.
/// A more specific catcher takes precedence, and has to do the same.
#[catch(default)]
fn refuse(status: Status, request: &Request<'_>) -> Result<(Status, String), Refusal> {
    match authorize(request) {
        Ok(_) => Ok((status, status.to_string())),
        Err(challenge) => Err(Refusal(UNAUTHORIZED, Header::new("WWW-Authenticate", challenge))),
    }
}

pub fn client_keys(keys: ClientKeys) -> impl Fairing {
    AdHoc::on_ignite("client keys", async |rocket| {
        rocket.manage(keys).register("/", catchers![refuse])
    })
}

#[get("/apps")]
fn apps(key: Authorized) -> String {
    key.0.to_string()
}

pub fn rocket(keys: ClientKeys) -> Rocket<Build> {
    rocket::build().attach(client_keys(keys)).mount("/", routes![apps])
}
