//! Alone in its program, because it sets the program's subscriber.

use arc_swap::ArcSwap;
use client_keys::{ClientKey, ClientSecret, VerifyError, issue};
use getrandom::SysRng;
use middleware::authorize::{ClientKeys, INVALID_TOKEN, NO_TOKEN};
use std::fs::{self, File};
use std::sync::Arc;

#[test]
fn log_names_the_key_or_the_reason_and_never_the_token() {
    let path = format!("{}/log", env!("CARGO_TARGET_TMPDIR"));
    let log = File::create(&path).unwrap();
    let log = tracing_subscriber::fmt()
        .with_ansi(false)
        .without_time()
        .with_target(false)
        .with_writer(log);
    tracing::subscriber::set_global_default(log.finish()).unwrap();

    let [secret, another] = [(); 2].map(|()| {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).unwrap();
        ClientSecret::from_bytes(&bytes)
    });
    let key = issue(&secret, &mut SysRng).unwrap();
    let unlisted = issue(&secret, &mut SysRng).unwrap();
    let foreign = issue(&another, &mut SysRng).unwrap();
    let keys = ClientKeys {
        secret,
        previous: None,
        allowed: Arc::new(ArcSwap::from_pointee(vec![key.key_id])),
    };
    let bearer = |key: &ClientKey| format!("Bearer {}", key.key_access_token.as_str());
    let authorize = |header: &str| keys.authorize([header.as_bytes()]);

    assert_eq!(authorize(&bearer(&key)), Ok(key.key_id));
    assert_eq!(authorize(&bearer(&unlisted)), Err(INVALID_TOKEN));
    assert_eq!(authorize(&bearer(&foreign)), Err(INVALID_TOKEN));
    assert_eq!(authorize(&format!("{}=", bearer(&key))), Err(INVALID_TOKEN));
    assert_eq!(authorize(&bearer(&key).replace("Bearer", "Basic")), Err(NO_TOKEN));

    let id = unlisted.key_id;
    let expected = [
        format!(" INFO accepted key_id={} secret=\"current\"", key.key_id),
        format!(
            " WARN refused: {} key_id={id} secret=\"current\"",
            VerifyError::Unlisted(id)
        ),
        format!(" WARN refused: {}", VerifyError::Inauthentic),
        format!(" WARN refused: {}", VerifyError::Malformed),
        " WARN refused: expected one Authorization header with a bearer token".to_owned(),
    ];
    let log = fs::read_to_string(path).unwrap();
    assert_eq!(log.lines().collect::<Vec<_>>(), expected);
}
