//! TLS to the `PostgreSQL` that `tests/run` starts; `CERTIFICATES` is its folder with two authorities and certificates of
//! the first.

use crate::harness::{INVALID_TOKEN, PATIENCE, Service, new_key, new_secret, run};
use std::process::Command;
use std::time::{Duration, Instant};
use std::{env, thread::sleep};

const ISSUER: &str = "; set sslrootcert to the file of its authority";
const NAME: &str = "; set host to one of its names";
const EXPIRED: &str = "; renew it, or set the clock";
const NO_TLS: &str = "server does not support TLS";

fn file(name: &str) -> String {
    let folder = env::var("CERTIFICATES").expect("set by tests/run");
    format!("{folder}/{name}")
}

/// The server's database `postgres`; `AUTHORITY` in the options stands for the file of its authority, `OTHER` for that of
/// another one of the same name.
fn url(host: &str, options: &str) -> String {
    let server = env::var("SERVER_URL").expect("set by tests/run");
    let options = options
        .replace("AUTHORITY", &file("authority.crt"))
        .replace("OTHER", &file("other.crt"));
    if host.is_empty() {
        // Its port stands among the options then.
        let (server, port) = server.rsplit_once("127.0.0.1:").unwrap();
        return format!("{server}/postgres?port={port}&{options}");
    }
    format!("{}/postgres?{options}", server.replace("127.0.0.1", host))
}

/// Runs a command that connects: it succeeds if `error` is empty, and its last line ends with the error otherwise.
#[track_caller]
fn assert_connects(host: &str, options: &str, error: &str) {
    let (url, authority) = (url(host, options), file("authority.crt"));
    let output = run(&[("DATABASE_URL", &url), ("SSL_CERT_FILE", &authority)], &["migrate"]);
    let stderr = String::from_utf8(output.stderr).unwrap();
    let last = stderr.lines().last().unwrap();
    assert_eq!(output.status.success(), error.is_empty(), "{host} {options}: {last}");
    assert!(error.is_empty() || last.ends_with(error), "{host} {options}: {last}");
}

fn sql(statement: &str) -> String {
    let psql = Command::new("psql")
        .args(["--no-psqlrc", "-qAtc", statement, &url("127.0.0.1", "")])
        .output()
        .unwrap();
    assert!(psql.status.success(), "{psql:?}");
    String::from_utf8(psql.stdout).unwrap().trim_end().to_owned()
}

/// Gives the server another setting until it is dropped.
struct Setting(&'static str);

impl Setting {
    fn new(name: &'static str, value: &str) -> Self {
        sql(&format!("ALTER SYSTEM SET {name} = '{value}'"));
        Self::reload(name, |now| now == value);
        Self(name)
    }

    fn reload(name: &str, done: impl Fn(&str) -> bool) {
        sql("SELECT pg_reload_conf()");
        let start = Instant::now();
        while !done(&sql(&format!("SHOW {name}"))) {
            assert!(start.elapsed() < PATIENCE);
            sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Setting {
    fn drop(&mut self) {
        let set = sql(&format!("SHOW {}", self.0));
        sql(&format!("ALTER SYSTEM RESET {}", self.0));
        Self::reload(self.0, |now| now != set);
    }
}

#[test]
#[ignore = "needs PostgreSQL: tests/run"]
fn modes_verify_what_libpq_verifies() {
    for options in [
        "",
        "sslmode=disable",
        "sslmode=prefer",
        "sslmode=require&channel_binding=require",
    ] {
        assert_connects("127.0.0.1", options, "");
    }
    // `SSL_CERT_FILE` stands for the system's authorities.
    for options in [
        "sslmode=verify-full&sslrootcert=AUTHORITY",
        "sslmode=verify-full",
        "sslrootcert=system",
    ] {
        assert_connects("127.0.0.1", options, "");
        assert_connects("localhost", options, "");
        for host in ["elsewhere.example", "127.0.0.2"] {
            assert_connects(host, &format!("{options}&hostaddr=127.0.0.1"), NAME);
        }
    }
    // A socket needs no TLS, but what has an address is none.
    let socket = &file("").replace('/', "%2F");
    assert_connects(socket, "sslmode=verify-full", "");
    assert_connects(
        socket,
        "sslmode=verify-full&hostaddr=127.0.0.1",
        "no hostname provided for TLS handshake",
    );
    // Without a host the address is the name.
    assert_connects("", "sslmode=verify-full&hostaddr=127.0.0.1", "");
    for mode in ["require", "verify-ca", "verify-full"] {
        assert_connects("localhost", &format!("sslmode={mode}&sslrootcert=OTHER"), ISSUER);
        if mode != "verify-full" {
            let options = format!("sslmode={mode}&sslrootcert=AUTHORITY&hostaddr=127.0.0.1");
            assert_connects("elsewhere.example", &options, "");
        }
    }

    let expired = Setting::new("ssl_cert_file", &file("expired.crt"));
    let key = Setting::new("ssl_key_file", &file("expired.key"));
    for (mode, error) in [("require", EXPIRED), ("verify-ca", EXPIRED), ("verify-full", EXPIRED)] {
        assert_connects("localhost", &format!("sslmode={mode}&sslrootcert=AUTHORITY"), error);
    }
    assert_connects("localhost", "sslmode=require", "");
    drop((key, expired));

    let _off = Setting::new("ssl", "off");
    for mode in [
        "require",
        "verify-ca&sslrootcert=AUTHORITY",
        "verify-full&sslrootcert=AUTHORITY",
    ] {
        assert_connects("localhost", &format!("sslmode={mode}"), NO_TLS);
    }
    assert_connects("localhost", "sslmode=prefer", "");
}

#[test]
#[ignore = "needs PostgreSQL: tests/run"]
fn service_says_whether_the_database_is_verified() {
    assert_connects("localhost", "", "");
    let secret = new_secret();
    let token = new_key(&secret).token;
    let verified = "the database's certificate is verified sslmode=\"verify-full\"";
    let not_its_name = "the database's certificate is verified, its name is not sslmode=\"require\"";
    let local =
        |mode| format!("INFO service::tls: the database is not verified; it is on this machine sslmode=\"{mode}\"");
    let warned = |mode| {
        format!(
            "WARN service::tls: the database is not verified: others may forge its answers; set sslmode=verify-full sslmode=\"{mode}\""
        )
    };
    for (host, options, line, is_encrypted) in [
        (
            "localhost",
            "sslmode=verify-full&sslrootcert=AUTHORITY",
            verified,
            Some("t"),
        ),
        (
            "localhost",
            "sslmode=require&sslrootcert=AUTHORITY",
            not_its_name,
            Some("t"),
        ),
        ("localhost", "", &local("prefer"), Some("t")),
        ("localhost", "sslmode=disable", &local("disable"), Some("f")),
        (
            &file("").replace('/', "%2F"),
            "sslmode=verify-full&sslrootcert=AUTHORITY",
            &local("verify-full"),
            Some("f"),
        ),
        (
            "db.example",
            "sslmode=require&hostaddr=127.0.0.1",
            &local("require"),
            Some("t"),
        ),
        // Addresses that are for documentation.
        ("localhost", "hostaddr=192.0.2.1", &warned("prefer"), None),
        ("192.0.2.1", "sslmode=require", &warned("require"), None),
        ("db.example", "sslmode=disable", &warned("disable"), None),
    ] {
        let url = url(host, &format!("application_name=tls&{options}"));
        let service = Service::start(&[("CLIENT_SECRET", &secret), ("DATABASE_URL", &url)]);
        service.wait_for_log(line);
        if let Some(is_encrypted) = is_encrypted {
            service.get_apps_with(&token).assert_refused(INVALID_TOKEN);
            let ssl =
                "SELECT DISTINCT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'tls'";
            assert_eq!(sql(ssl), is_encrypted, "{options}");
        }
    }

    let wrong = url("localhost", "sslmode=verify-full&sslrootcert=") + &file("server.crt");
    let service = Service::start(&[("CLIENT_SECRET", &secret), ("DATABASE_URL", &wrong)]);
    service.get_apps_with(&token).assert_unavailable();
    service.wait_for_log(&format!("certificate: UnknownIssuer{ISSUER}"));
}
