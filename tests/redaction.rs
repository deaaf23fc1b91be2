//! Neither `Debug` nor an error shows anything of a secret, a token or a refused text.

mod common;

use client_keys::{ClientSecret, VerifyError};
use common::{issue_key, random_secret};

/// C-DEBUG, C-DEBUG-NONEMPTY
#[test]
fn debug_shows_ids_and_nothing_of_secrets_and_tokens() {
    let secret = random_secret();
    let key = issue_key(&secret);
    let id = key.key_id;
    assert_eq!(format!("{secret:?}"), "ClientSecret { .. }");
    assert_eq!(format!("{:?}", key.key_access_token), "AccessToken { .. }");
    assert_eq!(
        format!("{key:?}"),
        format!("ClientKey {{ key_id: {id}, key_access_token: AccessToken {{ .. }} }}")
    );
    assert_eq!(format!("{id:?}"), id.to_string());
    assert_eq!(format!("{:?}", VerifyError::Unlisted(id)), format!("Unlisted({id})"));
}

#[test]
fn parse_errors_show_nothing_of_the_refused_text() {
    let text = format!("{}g", "5ec2e7".repeat(11));
    let error = text[3..].parse::<ClientSecret>().expect_err("not a secret");
    for shown in [error.to_string(), format!("{error:?}"), format!("{error:#?}")] {
        assert!(["5e", "c2", "e7"].iter().all(|part| !shown.contains(part)), "{shown}");
    }
}
