//! The same job in other crates: with a prepared server secret, each takes a token's text and returns its id if listed.

use crate::{limits::of_text, measure::Subject, own::random};

/// Contestants that open an id, sealed or signed under the secret.
pub const OPEN: [&str; 5] = ["cookie", "jsonwebtoken", "pasetors", "fernet", "branca"];
/// Compares a stored hash of the token, and has no secret.
pub const HASHES: &str = "prefixed-api-key";

pub fn subjects() -> Vec<Subject> {
    vec![
        cookie(),
        jsonwebtoken(),
        pasetors(),
        fernet(),
        branca(),
        prefixed_api_key(),
    ]
}

/// An id as its 30 digits, for payloads that must be text.
fn random_digits() -> String {
    client_keys::KeyId::from_bytes(random()).to_string()
}

fn cookie() -> Subject {
    use cookie::{Cookie, CookieJar, Key};

    let (key, digits) = (Key::from(&random::<64>()), random_digits());
    let mut jar = CookieJar::new();
    jar.private_mut(&key).add(("key", digits.clone()));
    let token = jar.get("key").expect("just added").value().to_owned();
    let listed = digits.clone();
    of_text("cookie", token, &digits, move |token| {
        let cookie = jar.private(&key).decrypt(Cookie::new("key", token.to_owned()))?;
        (cookie.value() == listed).then(|| cookie.value().to_owned())
    })
}

fn jsonwebtoken() -> Subject {
    use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};

    #[derive(serde::Serialize, serde::Deserialize)]
    struct Claims {
        key_id: String,
    }

    let (secret, digits) = (random::<32>(), random_digits());
    let claims = Claims { key_id: digits.clone() };
    let token = encode(
        &Header::new(Algorithm::HS256),
        &claims,
        &EncodingKey::from_secret(&secret),
    );
    let key = DecodingKey::from_secret(&secret);
    let mut validation = Validation::new(Algorithm::HS256);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    let listed = digits.clone();
    of_text("jsonwebtoken", token.expect("serialises"), &digits, move |token| {
        let found = decode::<Claims>(token, &key, &validation).ok()?.claims.key_id;
        (found == listed).then_some(found)
    })
}

fn pasetors() -> Subject {
    use pasetors::{
        Local,
        keys::SymmetricKey,
        token::UntrustedToken,
        version4::{LocalToken, V4},
    };

    let (key, digits) = (
        SymmetricKey::<V4>::from(&random::<32>()).expect("32 bytes"),
        random_digits(),
    );
    let token = LocalToken::encrypt(&key, digits.as_bytes(), None, None).expect("encrypts");
    let listed = digits.clone();
    of_text("pasetors", token, &digits, move |token| {
        let untrusted = UntrustedToken::<Local, V4>::try_from(token).ok()?;
        let trusted = LocalToken::decrypt(&key, &untrusted, None, None).ok()?;
        (trusted.payload() == listed).then(|| trusted.payload().to_owned())
    })
}

fn fernet() -> Subject {
    let fernet = fernet::Fernet::new(&fernet::Fernet::generate_key()).expect("its own key");
    let id = random::<15>().to_vec();
    let listed = id.clone();
    of_text("fernet", fernet.encrypt(&id), &id, move |token| {
        fernet.decrypt(token).ok().filter(|found| *found == listed)
    })
}

fn branca() -> Subject {
    let mut branca = branca::Branca::new(&random::<32>()).expect("32 bytes");
    let id = random::<15>().to_vec();
    let token = branca.encode(&id).expect("encodes");
    let listed = id.clone();
    // A time to live of zero: tokens do not expire.
    of_text("branca", token, &id, move |token| {
        branca.decode(token, 0).ok().filter(|found| *found == listed)
    })
}

fn prefixed_api_key() -> Subject {
    use prefixed_api_key::{PrefixedApiKey, PrefixedApiKeyController};

    let controller = PrefixedApiKeyController::configure()
        .prefix("ck".to_owned())
        .seam_defaults()
        .finalize();
    let controller = controller.expect("complete");
    let (key, hash) = controller.generate_key_and_hash();
    let id = key.short_token().to_owned();
    let listed = id.clone();
    of_text(HASHES, key.to_string(), &id, move |token| {
        let key = PrefixedApiKey::from_string(token).ok()?;
        (key.short_token() == listed && controller.check_hash(&key, &hash)).then(|| key.short_token().to_owned())
    })
}
