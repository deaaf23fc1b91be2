//! TLS to the `PostgreSQL` that `tests/run` starts; `CERTIFICATES` is its folder with two authorities and a certificate
//! of the first.

use crate::database::sql_at;
use crate::harness::{INVALID_TOKEN, Service, library, new_folder, new_key, new_secret, run, until};
use std::{env, fs};

const ISSUER: &str = "; set sslrootcert to the file of its CA";
const NAME: &str = "; set host to a name in it";
const DATE: &str = "; renew it, or set this machine's clock";
const KIND: &str = "; issue one of version 3 for servers, signed by a CA";
const NO_TLS: &str = "server does not support TLS";

fn file(name: &str) -> String {
    let folder = env::var("CERTIFICATES").expect("set by tests/run");
    format!("{folder}/{name}")
}

/// The server's database `postgres`. Of the options, `AUTHORITY` stands for the file of its authority, `OTHER` for that
/// of another one of the same name; the host `SOCKET` is its Unix socket.
fn url(host: &str, options: &str) -> String {
    let server = env::var("SERVER_URL").expect("set by tests/run");
    let options = options
        .replace("AUTHORITY", &format!("sslrootcert={}", file("authority.crt")))
        .replace("OTHER", &format!("sslrootcert={}", file("other.crt")));
    let host = host.replace("SOCKET", &file("").replace('/', "%2F"));
    if host.is_empty() {
        // Its port stands among the options then.
        let (server, port) = server.rsplit_once("127.0.0.1:").unwrap();
        return format!("{server}/postgres?port={port}&{options}");
    }
    format!("{}/postgres?{options}", server.replace("127.0.0.1", &host))
}

fn sql(statement: &str) -> String {
    sql_at(&url("127.0.0.1", ""), statement)
}

/// Runs a command that connects: it succeeds if `error` is empty, and its last line ends with the error otherwise.
#[track_caller]
fn assert_connects(host: &str, options: &str, error: &str) {
    assert_connects_with("", host, options, error);
}

#[track_caller]
fn assert_connects_with(library: &str, host: &str, options: &str, error: &str) {
    // The file stands for the system's authorities.
    let (url, system) = (url(host, options), file("authority.crt"));
    let settings = [
        ("DATABASE_URL", &*url),
        ("SSL_CERT_FILE", &system),
        ("LD_PRELOAD", library),
    ];
    let output = run(&settings, &["migrate"]);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.success(), error.is_empty(), "{host} {options}: {stderr}");
    let is_as_expected = error.is_empty() || stderr.trim_end().ends_with(error);
    assert!(is_as_expected, "{host} {options}: {stderr}");
}

/// Gives the server another setting until it is dropped.
struct Setting(&'static str);

impl Setting {
    fn new(name: &'static str, value: &str) -> Self {
        sql(&format!("ALTER SYSTEM SET {name} = '{value}'"));
        sql("SELECT pg_reload_conf()");
        until(|| sql(&format!("SHOW {name}")) == value);
        Self(name)
    }
}

impl Drop for Setting {
    fn drop(&mut self) {
        let set = sql(&format!("SHOW {}", self.0));
        sql(&format!("ALTER SYSTEM RESET {}", self.0));
        sql("SELECT pg_reload_conf()");
        until(|| sql(&format!("SHOW {}", self.0)) != set);
    }
}

#[test]
#[ignore = "needs PostgreSQL: tests/run"]
fn modes_verify_what_libpq_verifies() {
    for (host, options, error) in [
        ("127.0.0.1", "", ""),
        ("127.0.0.1", "sslmode=disable", ""),
        ("127.0.0.1", "sslmode=prefer", ""),
        ("127.0.0.1", "sslmode=require&channel_binding=require", ""),
        ("localhost", "sslmode=require&OTHER", ISSUER),
        ("localhost", "sslmode=verify-ca&OTHER", ISSUER),
        ("localhost", "sslmode=verify-full&OTHER", ISSUER),
        ("db.example", "sslmode=require&AUTHORITY&hostaddr=127.0.0.1", ""),
        ("db.example", "sslmode=verify-ca&AUTHORITY&hostaddr=127.0.0.1", ""),
        // Without a host the address is the name.
        ("", "sslmode=verify-full&hostaddr=127.0.0.1", ""),
        // A socket needs no TLS.
        ("SOCKET", "sslmode=verify-full", ""),
    ] {
        assert_connects(host, options, error);
    }
    for options in [
        "sslmode=verify-full&AUTHORITY",
        "sslmode=verify-full",
        "sslrootcert=system",
    ] {
        let elsewhere = format!("{options}&hostaddr=127.0.0.1");
        for (host, options, error) in [
            ("localhost", options, ""),
            ("127.0.0.1", options, ""),
            ("db.example", &elsewhere, NAME),
            ("127.0.0.2", &elsewhere, NAME),
        ] {
            assert_connects(host, options, error);
        }
    }

    let verifying = ["require&AUTHORITY", "verify-ca&AUTHORITY", "verify-full&AUTHORITY"];
    for days in [-3, 3] {
        let clock = library(&format!(
            "#define _GNU_SOURCE\n#include <sys/syscall.h>\n#include <time.h>\n#include <unistd.h>\n\
             int clock_gettime(clockid_t id, struct timespec *t) {{\n\
             long r = syscall(SYS_clock_gettime, id, t); if (id == CLOCK_REALTIME) t->tv_sec += {days} * 86400;\n\
             return r; }}\n"
        ));
        for mode in verifying {
            assert_connects_with(&clock, "localhost", &format!("sslmode={mode}"), DATE);
        }
        assert_connects_with(&clock, "localhost", "sslmode=require", "");
    }
    let authority = Setting::new("ssl_cert_file", &file("authority.crt"));
    let key = Setting::new("ssl_key_file", &file("authority.key"));
    for mode in verifying {
        assert_connects("localhost", &format!("sslmode={mode}"), KIND);
    }
    drop((key, authority));

    let _off = Setting::new("ssl", "off");
    for mode in verifying.into_iter().chain(["require"]) {
        assert_connects("localhost", &format!("sslmode={mode}"), NO_TLS);
    }
    assert_connects("localhost", "sslmode=prefer", "");
}

#[test]
#[ignore = "needs PostgreSQL: tests/run"]
fn damaged_certificate_beside_a_good_one_is_refused() {
    let certificate = |base64: &str| format!("-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----\n");
    let good = fs::read_to_string(file("authority.crt")).unwrap();
    let path = new_folder().join("authorities.pem");
    let options = format!("sslmode=verify-full&sslrootcert={}", path.display());
    let damaged = "DATABASE_URL: sslrootcert: expected a PEM file of CA certificates, all of them undamaged";
    for (added, error) in [("", ""), (&certificate("AAAA"), damaged), (&certificate("A"), damaged)] {
        fs::write(&path, format!("{good}{added}")).unwrap();
        assert_connects("localhost", &options, error);
    }
}

#[test]
#[ignore = "needs PostgreSQL: tests/run"]
fn service_says_whether_the_database_is_verified() {
    assert_connects("localhost", "", "");
    let secret = new_secret();
    let token = new_key(&secret).token;
    let verified = "INFO service::tls: the service verifies the database's certificate and name sslmode=";
    let nameless = "INFO service::tls: the service verifies the database's certificate, but not its name sslmode=";
    let local = "INFO service::tls: the service does not verify the database, which is on this machine sslmode=";
    let warned = "WARN service::tls: the service does not verify the database, so an attacker may forge its answers";
    for (host, options, line, is_encrypted) in [
        ("localhost", "sslmode=verify-full&AUTHORITY", verified, "t"),
        ("localhost", "sslmode=require&AUTHORITY", nameless, "t"),
        ("localhost", "", local, "t"),
        ("localhost", "sslmode=disable", local, "f"),
        ("SOCKET", "sslmode=verify-full&AUTHORITY", local, "f"),
        ("db.example", "sslmode=require&hostaddr=127.0.0.1", local, "t"),
        // Addresses that are for documentation: nothing answers there.
        ("localhost", "hostaddr=192.0.2.1", warned, ""),
        ("192.0.2.1", "sslmode=require", warned, ""),
        ("db.example", "sslmode=disable", warned, ""),
    ] {
        let url = url(host, &format!("application_name=tls&{options}"));
        let service = Service::start(&[("CLIENT_SECRET", &secret), ("DATABASE_URL", &url)]);
        service.wait_for_log(line);
        if !is_encrypted.is_empty() {
            service.get_apps_with(&token).assert_refused(INVALID_TOKEN);
            let last = "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
                        WHERE application_name = 'tls' ORDER BY backend_start DESC LIMIT 1";
            assert_eq!(sql(last), is_encrypted, "{options}");
        }
    }

    let wrong = url("localhost", "sslmode=verify-full&sslrootcert=") + &file("server.crt");
    let service = Service::start(&[("CLIENT_SECRET", &secret), ("DATABASE_URL", &wrong)]);
    service.get_apps_with(&token).assert_unavailable();
    service.wait_for_log(&format!("certificate: UnknownIssuer{ISSUER}"));
}
