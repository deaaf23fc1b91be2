//! The service with its ids in `PostgreSQL`, which `tests/run` starts for these tests:
//! `SERVER_URL` is its URL without a database's name, `PG_CTL` the command that stops and starts it.
//! One test at a time: they share the server, and one of them stops it.

use crate::harness::{
    INVALID_TOKEN, Key, Service, assert_fails, library, new_folder, new_key, new_secret, program, run, took, until,
};
use client_keys::rand_core::{TryCryptoRng, TryRng};
use client_keys::{ClientSecret, KeyId, VerifyError, issue, verify};
use regex::Regex;
use std::collections::HashSet;
use std::convert::Infallible;
use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{scope, sleep};
use std::time::Duration;
use std::{env, fs, mem};

struct Database {
    name: String,
    url: String,
    /// With a role that has no more rights than the service needs.
    service_url: String,
    secret: String,
}

impl Database {
    /// A database of its own, with the table.
    fn new() -> Self {
        let database = Self::without_table();
        database.operate(&["migrate"]);
        database.grant();
        database
    }

    fn without_table() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("keys_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let server = env::var("SERVER_URL").expect("set by tests/run");
        let (password, secret) = (new_secret(), new_secret());
        for statement in [
            format!("DROP DATABASE IF EXISTS {name}"),
            format!("DROP ROLE IF EXISTS {name}"),
            format!("CREATE DATABASE {name}"),
            format!("CREATE ROLE {name} LOGIN PASSWORD '{password}'"),
        ] {
            sql_at(&format!("{server}/postgres"), &statement);
        }
        let url = format!("{server}/{name}");
        let (_, host) = server.rsplit_once('@').unwrap();
        let service_url = format!("postgresql://{name}:{password}@{host}/{name}");
        Self {
            name,
            url,
            service_url,
            secret,
        }
    }

    fn grant(&self) {
        self.sql(&format!(
            "GRANT SELECT, UPDATE (last_used_at) ON client_keys TO {}",
            self.name
        ));
    }

    fn settings(&self) -> [(&str, &str); 2] {
        [("CLIENT_SECRET", &self.secret), ("DATABASE_URL", &self.url)]
    }

    fn start(&self) -> Service {
        self.start_with(&[])
    }

    fn start_with(&self, settings: &[(&str, &str)]) -> Service {
        let own = [
            ("CLIENT_SECRET", self.secret.as_str()),
            ("DATABASE_URL", &self.service_url),
        ];
        Service::start(&[&own, settings].concat())
    }

    /// Runs a command of the program that succeeds; its standard output.
    #[track_caller]
    fn operate(&self, arguments: &[&str]) -> String {
        let output = run(&self.settings(), arguments);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    #[track_caller]
    fn assert_fails(&self, arguments: &[&str], status: i32, error: &str) {
        assert_fails(&new_folder(), &self.settings(), arguments, status, error);
    }

    /// A handle and its token.
    fn issue(&self, label: &str) -> (String, String) {
        let output = self.operate(&["issue", label]);
        let (handle, token) = output.trim_end().split_once('\n').unwrap();
        let token = token.strip_prefix("key_access_token: ").unwrap();
        crate::harness::sensitive(token);
        (handle.strip_prefix("handle: ").unwrap().to_owned(), token.to_owned())
    }

    fn revoked(&self) -> (String, String) {
        let (handle, token) = self.issue("revoked");
        self.operate(&["revoke", &handle]);
        (handle, token)
    }

    /// An authentic key that is not in the table.
    fn unlisted(&self) -> Key {
        new_key(&self.secret)
    }

    /// Locks what the statement locks until it is released.
    fn lock(&self, statement: &str) -> Lock {
        let mut psql = psql(&self.url)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut statements = psql.stdin.take().unwrap();
        writeln!(statements, "BEGIN; {statement};").unwrap();
        let locked = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'";
        until(|| self.sql(locked) == "1");
        Lock { psql, statements }
    }

    fn sql(&self, statement: &str) -> String {
        sql_at(&self.url, statement)
    }
}

struct Lock {
    psql: Child,
    statements: ChildStdin,
}

impl Lock {
    /// What the statement has changed stays.
    fn release(mut self) {
        writeln!(self.statements, "COMMIT;").unwrap();
        drop(self.statements);
        assert!(self.psql.wait().unwrap().success());
    }
}

fn psql(url: &str) -> Command {
    let mut psql = Command::new("psql");
    psql.args(["--no-psqlrc", "-qAtv", "ON_ERROR_STOP=1", url]);
    psql
}

#[track_caller]
pub fn sql_at(url: &str, statement: &str) -> String {
    let output = psql(url).args(["-c", statement]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

fn pg_dump(url: &str) -> String {
    let output = Command::new("pg_dump").arg(url).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
fn server(action: &str) {
    let pg_ctl = env::var("PG_CTL").expect("set by tests/run");
    let command = format!("{pg_ctl} {action}");
    // pg_ctl's server would hold a pipe open.
    let status = Command::new("sh")
        .args(["-c", &command])
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success(), "{action}");
}

#[test]
#[ignore = "needs PostgreSQL: tests/run"]
fn revocation_holds_at_the_next_request_on_every_instance() {
    let database = Database::new();
    let (handle, token) = database.issue("Trivial Inc.");
    let (_, other) = database.issue("somebody else");
    let key = format!("{handle} label=\"Trivial Inc.\"");
    let instances = [database.start(), database.start()];
    for service in &instances {
        for token in [&token, &other] {
            service.get_apps_with(token).assert_accepted();
        }
        service
            .get_apps_with(&database.unlisted().token)
            .assert_refused(INVALID_TOKEN);
        service.wait_for_log("refused why=\"not in the table\" handle=");
        service.wait_for_log(&format!("accepted handle={key} secret=\"current\""));
    }
    let revoked = database.operate(&["revoke", &handle.to_uppercase()]);
    assert!(
        revoked.starts_with(&format!("{handle} has been revoked since 20")),
        "{revoked}"
    );
    for service in &instances {
        service.get_apps_with(&token).assert_refused(INVALID_TOKEN);
        service.wait_for_log(&format!("refused why=\"revoked\" handle={key} secret=\"current\""));
        service.get_apps_with(&other).assert_accepted();
    }
    // Revoking again keeps the date.
    assert_eq!(database.operate(&["revoke", &handle]), revoked);
    // A new key is accepted at once.
    let (_, new) = database.issue("Trivial Inc., second key");
    for service in &instances {
        service.get_apps_with(&new).assert_accepted();
    }
}

#[test]
#[ignore = "needs PostgreSQL: tests/run"]
fn operator_sees_whose_the_keys_are() {
    let database = Database::new();
    let (handle, _) = database.issue("Trivial Inc.");
    let (unused, _) = database.issue("O'Hara; DROP TABLE client_keys --");
    database.operate(&["revoke", &handle]);
    let list = database.operate(&["list"]);
    let rows: Vec<Vec<&str>> = list.lines().map(|line| line.split('\t').collect()).collect();
    let names = [
        "handle",
        "created_at",
        "expires_at",
        "revoked_at",
        "last_used_at",
        "label",
    ];
    assert_eq!(rows[0], names);
    assert_eq!((rows[1][0], rows[1][5]), (handle.as_str(), "Trivial Inc."));
    assert!(rows[1][1].starts_with("20") && rows[1][3].starts_with("20"), "{list}");
    assert_eq!(
        (rows[2][0], rows[2][5]),
        (unused.as_str(), "O'Hara; DROP TABLE client_keys --")
    );
    assert_eq!(rows[2][2..5], ["-", "-", "-"]);
    assert_eq!(rows.len(), 3);

    database.assert_fails(
        &["issue"],
        2,
        "issue LABEL: expected the name of the client that gets the key",
    );
    let absent = "0".repeat(16);
    database.assert_fails(
        &["revoke", &absent],
        1,
        &format!("revoke: {absent} is not in the table; see `service list`"),
    );
    database.assert_fails(
        &["revoke", &handle[..15]],
        2,
        "revoke HANDLE: expected the 16 hexadecimal digits that `service list` shows",
    );
    // A key that could not be listed is not shown, nor is the row.
    database.sql("ALTER TABLE client_keys ADD CONSTRAINT no_interns CHECK (label <> 'intern')");
    let violated = "db error: new row for relation \"client_keys\" violates check constraint \"no_interns\"";
    database.assert_fails(&["issue", "intern"], 1, violated);
    // Nor is one whose hash, or only whose handle, is that of another key.
    for rest in ["substr(other.hash, 9)", "substr(NEW.hash, 9)"] {
        database.sql(&format!(
            "CREATE OR REPLACE FUNCTION collide() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             SELECT substr(other.hash, 1, 8) || {rest} INTO NEW.hash FROM client_keys other LIMIT 1; RETURN NEW; END $$; \
             CREATE OR REPLACE TRIGGER collide BEFORE INSERT ON client_keys FOR EACH ROW EXECUTE FUNCTION collide()"
        ));
        let taken = "issue: another key has the new key's handle, so no key was issued; run the command again";
        database.assert_fails(&["issue", "a"], 1, taken);
    }
    database.sql("DROP TRIGGER collide ON client_keys");
    // Nor does the table take from others what would forge a line of `list`.
    for label in [r"a\tb", r"a\nb", r"a\rb", r"a\x1b[2K"] {
        let insert = format!("INSERT INTO client_keys (hash, label) VALUES (sha256(''), E'{label}')");
        let output = psql(&database.url).args(["-c", &insert]).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.contains("client_keys_label_check"), "{label}: {stderr}");
    }
    assert_eq!(database.sql("SELECT count(*) FROM client_keys"), "2");
    // What it takes from them all the same is not printed as it is.
    database.sql(r"UPDATE client_keys SET label = E'a\u202eb\u200b'");
    let list = database.operate(&["list"]);
    assert_eq!(list.matches("\ta\u{fffd}b\u{fffd}\n").count(), 2, "{list}");
}

#[test]
#[ignore = "needs PostgreSQL: tests/run"]
fn migration_keeps_the_keys_and_runs_twice_and_at_once() {
    for first in ["SELECT", include_str!("../../migrations/0001_client_keys.sql")] {
        let database = Database::without_table();
        database.sql(first);
        let keys = [database.unlisted(), database.unlisted()];
        let dates = "created_at, revoked_at, last_used_at, label";
        let earlier = first != "SELECT";
        let before = earlier.then(|| {
            for (key, revoked) in keys.iter().zip(["NULL", "now()"]) {
                database.sql(&format!(
                    "INSERT INTO client_keys VALUES (decode('{}', 'hex'), 'kept', now() - interval '1 day', {revoked}, now())",
                    key.id
                ));
            }
            database.grant();
            database.sql(&format!("SELECT sha256(id), {dates} FROM client_keys ORDER BY 1"))
        });
        let folder = new_folder();
        let mut migrate = program(&folder, &database.settings());
        migrate.arg("migrate").stderr(Stdio::null());
        let mut runs: Vec<_> = (0..4).map(|_| migrate.spawn().unwrap()).collect();
        for run in &mut runs {
            assert!(run.wait().unwrap().success());
        }
        let rows = || database.sql(&format!("SELECT hash, {dates} FROM client_keys ORDER BY 1"));
        assert_eq!(rows(), before.clone().unwrap_or_default());
        let dump = || {
            let dump = pg_dump(&database.url);
            // Without a random number that pg_dump adds.
            dump.lines()
                .filter(|line| !line.contains("restrict "))
                .collect::<Vec<_>>()
                .join("\n")
        };
        let migrated = dump();
        database.operate(&["migrate"]);
        assert_eq!(dump(), migrated);
        if earlier {
            let service = database.start();
            service.get_apps_with(&keys[0].token).assert_accepted();
            service.get_apps_with(&keys[1].token).assert_refused(INVALID_TOKEN);
            // The ids are not in the table's file either.
            let file = "pg_read_binary_file(pg_relation_filepath('client_keys'))";
            for (bytes, found) in [("sha256(id)", "t"), ("id", "f")] {
                let id = format!("(SELECT decode('{}', 'hex') AS id) AS key", keys[0].id);
                let search = format!("CHECKPOINT; SELECT position({bytes} IN {file}) > 0 FROM {id}");
                assert_eq!(database.sql(&search), found, "{bytes}");
            }
            database.operate(&["issue", "hashed"]);
            let stored = "SELECT DISTINCT label || ' ' || id_was_stored FROM client_keys ORDER BY 1";
            assert_eq!(database.sql(stored), "hashed false\nkept true");
        }
    }
}

#[test]
#[ignore = "needs PostgreSQL: tests/run"]
fn without_its_table_or_its_database_the_service_answers_503() {
    let database = Database::without_table();
    let absent = format!("{}_absent", database.url);
    let token = database.unlisted();
    let service = database.start();
    service.get_apps_with(&token.token).assert_unavailable();
    let no_table = r#"relation "client_keys" does not exist"#;
    service.wait_for_log(r#"relation \"client_keys\" does not exist; run `service migrate`""#);
    database.assert_fails(&["list"], 1, &format!("db error: {no_table}; run `service migrate`"));
    database.sql(include_str!("../../migrations/0001_client_keys.sql"));
    let no_column = "db error: column \"handle\" does not exist; run `service migrate`";
    database.assert_fails(&["list"], 1, no_column);
    let service = Service::start(&[("CLIENT_SECRET", &database.secret), ("DATABASE_URL", &absent)]);
    service.get_apps_with(&token.token).assert_unavailable();
    service.wait_for_log(r#"_absent\" does not exist"#);
}

#[test]
#[ignore = "needs PostgreSQL: tests/run"]
fn stopped_database_is_503_and_accepts_no_key() {
    let database = Database::new();
    let (_, token) = database.issue("in");
    let (handle, revoked) = database.revoked();
    let unlisted = database.unlisted();
    let forged = new_key(&new_secret());
    let before = [database.start(), database.start()];
    for service in &before {
        service.get_apps_with(&token).assert_accepted();
        service.get_apps_with(&revoked).assert_refused(INVALID_TOKEN);
    }

    server("stop -m fast");
    let during = database.start();
    for service in before.iter().chain([&during]) {
        // More than there are connections: none may be left that thinks itself alive.
        for _ in 0..10 {
            for token in [&token, &revoked, &unlisted.token] {
                let took = took(|| service.get_apps_with(token).assert_unavailable());
                assert!(took < Duration::from_secs(3), "{took:?}");
            }
        }
        // What can be told without the database is.
        service.get_apps_with(&forged.token).assert_refused(INVALID_TOKEN);
        service.get_apps_with("ck1_").assert_refused(INVALID_TOKEN);
        assert_eq!(service.get_health().status, 200);
    }
    let refused = "error connecting to server: Connection refused (os error 111)";
    database.assert_fails(&["revoke", &handle], 1, refused);

    server("start");
    for service in before.iter().chain([&during]) {
        service.get_apps_with(&token).assert_accepted();
        service.get_apps_with(&revoked).assert_refused(INVALID_TOKEN);
        service.get_apps_with(&unlisted.token).assert_refused(INVALID_TOKEN);
    }

    // Without a word: the connections are there, and the server behind them is another one.
    server("restart -m immediate");
    for service in before.iter().chain([&during]) {
        until(|| service.get_apps_with(&token).status == 200);
        service.get_apps_with(&revoked).assert_refused(INVALID_TOKEN);
    }
}

#[test]
#[ignore = "needs PostgreSQL: tests/run"]
fn use_is_noted_once_a_minute_and_costs_no_request() {
    let database = Database::new();
    let (_, token) = database.issue("busy");
    let used = || database.sql("SELECT coalesce(last_used_at::text, '') FROM client_keys");
    let service = database.start();
    assert_eq!(used(), "");
    service.get_apps_with(&token).assert_accepted();
    until(|| !used().is_empty());
    let first = used();
    for _ in 0..20 {
        service.get_apps_with(&token).assert_accepted();
    }
    sleep(Duration::from_millis(500));
    assert_eq!(used(), first);
    database.sql("UPDATE client_keys SET last_used_at = now() - interval '61 seconds'");
    service.get_apps_with(&token).assert_accepted();
    until(|| used() > first);

    // Somebody locks the row, for longer than a write may take.
    database.sql("UPDATE client_keys SET last_used_at = NULL");
    let lock = database.lock("SELECT FROM client_keys FOR UPDATE");
    let is_accepted_at_once = || {
        let took = took(|| service.get_apps_with(&token).assert_accepted());
        assert!(took < Duration::from_secs(1), "{took:?}");
    };
    let not_written = "WARN service::key_table: last_used_at not written keys=1 error=";
    until(|| {
        is_accepted_at_once();
        service.log().contains(not_written)
    });
    // Nor is the connection that waited for the lock a trap for those who get it next.
    for _ in 0..100 {
        is_accepted_at_once();
    }
    lock.release();
    until(|| {
        is_accepted_at_once();
        !used().is_empty()
    });
}

#[test]
#[ignore = "needs PostgreSQL: tests/run"]
fn every_use_is_noted_or_counted() {
    const KEYS: usize = 300;
    let database = Database::new();
    let keys: Vec<Key> = (0..KEYS).map(|_| database.unlisted()).collect();
    let rows = keys
        .iter()
        .map(|key| format!("(sha256(decode('{}', 'hex')), 'a')", key.id));
    let rows: Vec<String> = rows.collect();
    database.sql(&format!(
        "INSERT INTO client_keys (hash, label) VALUES {}",
        rows.join(", ")
    ));
    let use_all_at_once = |service: &Service| {
        scope(|scope| {
            for keys in keys.chunks(KEYS / 10) {
                scope.spawn(move || {
                    for key in keys {
                        service.get_apps_with(&key.token).assert_accepted();
                    }
                });
            }
        });
    };
    let noted = || {
        database
            .sql("SELECT count(last_used_at) FROM client_keys")
            .parse::<usize>()
            .unwrap()
    };

    // Also what waits when the service is stopped: here behind a lock, which is gone before the write gives up.
    let mut service = database.start();
    let lock = database.lock("SELECT FROM client_keys FOR UPDATE");
    use_all_at_once(&service);
    service.signal("TERM");
    service.wait_for_log("stopping");
    lock.release();
    assert_eq!(service.wait().code(), Some(0));
    let not_written = |service: &Service| -> usize {
        let log = service.log();
        let counts = log
            .lines()
            .filter_map(|line| line.split_once("last_used_at not written keys=")?.1.split(' ').next());
        counts.map(|count| count.parse::<usize>().unwrap()).sum()
    };
    assert!(noted() > 0);
    assert_eq!(noted() + not_written(&service), KEYS);

    database.sql("UPDATE client_keys SET last_used_at = NULL");
    let service = database.start();
    use_all_at_once(&service);
    until(|| noted() + not_written(&service) == KEYS);
    assert_eq!(not_written(&service), 0);

    // None of them, as with a replica, or a role that may only read: each is in a count.
    database.sql("UPDATE client_keys SET last_used_at = NULL");
    let url = format!(
        "{}?options=-c%20default_transaction_read_only%3Don",
        database.service_url
    );
    let mut reading = database.start_with(&[("DATABASE_URL", &url)]);
    use_all_at_once(&reading);
    let line = reading.wait_for_log("last_used_at not written keys=");
    assert!(line.contains("read-only transaction"), "{line}");
    reading.stop("TERM");
    assert_eq!((noted(), not_written(&reading)), (0, KEYS));
}

/// Also if most of its time went into connecting.
#[test]
#[ignore = "needs PostgreSQL: tests/run"]
fn revoking_behind_a_lock_fails_soon_and_for_good() {
    let database = Database::new();
    let (handle, token) = database.issue("a");
    let slow = library(
        "#include <sys/syscall.h>\n#include <unistd.h>\n\
         int connect(int s, void *a, unsigned n) { sleep(8); return syscall(SYS_connect, s, a, n); }\n",
    );
    for library in ["", &slow] {
        let lock = database.lock("SELECT FROM client_keys FOR UPDATE");
        let [secret, url] = database.settings();
        let output = run(&[secret, url, ("LD_PRELOAD", library)], &["revoke", &handle]);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        lock.release();
        until(|| database.sql("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()") == "1");
        database.start().get_apps_with(&token).assert_accepted();
    }
}

#[test]
#[ignore = "needs PostgreSQL: tests/run"]
fn secret_is_rotated_with_the_ids_in_the_database() {
    let mut database = Database::new();
    let (_, before) = database.issue("before");
    let (handle, revoked) = database.revoked();
    let old = mem::replace(&mut database.secret, new_secret());
    let (_, after) = database.issue("after");
    let during = database.start_with(&[("CLIENT_SECRET_PREVIOUS", &old)]);
    during.get_apps_with(&before).assert_accepted();
    during.get_apps_with(&after).assert_accepted();
    during.get_apps_with(&revoked).assert_refused(INVALID_TOKEN);
    during.wait_for_log(&format!(
        "refused why=\"revoked\" handle={handle} label=\"revoked\" secret=\"previous\""
    ));
    let done = database.start();
    done.get_apps_with(&before).assert_refused(INVALID_TOKEN);
    done.get_apps_with(&after).assert_accepted();
}

#[test]
#[ignore = "needs PostgreSQL: tests/run"]
fn more_requests_at_once_than_connections_are_all_answered() {
    let database = Database::new();
    let (_, token) = database.issue("in");
    let (_, revoked) = database.revoked();
    let service = database.start();
    scope(|scope| {
        for (token, status) in [(&token, 200), (&revoked, 401)].into_iter().cycle().take(32) {
            let service = &service;
            scope.spawn(move || {
                for _ in 0..20 {
                    assert_eq!(service.get_apps_with(token).status, status);
                }
            });
        }
    });
    let connections =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    assert!(database.sql(connections).parse::<u8>().unwrap() <= 8);
}

#[test]
#[ignore = "needs PostgreSQL: tests/run"]
fn locked_table_is_503_soon_and_over_as_soon_as_the_lock_is() {
    let database = Database::new();
    let (_, token) = database.issue("in");
    let service = database.start();
    service.get_apps_with(&token).assert_accepted();
    let lock = database.lock("LOCK TABLE client_keys IN ACCESS EXCLUSIVE MODE");
    // More at once than there are connections.
    scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| {
                let took = took(|| service.get_apps_with(&token).assert_unavailable());
                assert!(took < Duration::from_secs(4), "{took:?}");
            });
        }
    });
    lock.release();
    let took = took(|| service.get_apps_with(&token).assert_accepted());
    assert!(took < Duration::from_secs(1), "{took:?}");
}

#[test]
#[ignore = "needs PostgreSQL: tests/run"]
fn log_has_the_address_that_the_proxy_sets() {
    let database = Database::new();
    let [(_, listed), (revoked_handle, revoked)] = ["listed", "revoked"].map(|label| database.issue(label));
    database.operate(&["revoke", &revoked_handle]);
    let service = database.start();
    let get = |token: &str| {
        let authorization = format!("Authorization: Bearer {token}");
        service.get_apps(&[authorization.as_bytes(), b"X-Real-IP: 203.0.113.7"])
    };
    let last = |event: &str| assert!(service.wait_for_log(event).ends_with(" address=203.0.113.7"), "{event}");
    get(&listed).assert_accepted();
    last("accepted handle=");
    get(&revoked).assert_refused(INVALID_TOKEN);
    last("refused why=\"revoked\"");
    get(&database.unlisted().token).assert_refused(INVALID_TOKEN);
    last("refused why=\"not in the table\"");
    let lock = database.lock("LOCK TABLE client_keys IN ACCESS EXCLUSIVE MODE");
    get(&listed).assert_unavailable();
    last("look-up failed handle=");
    lock.release();
}

#[test]
#[ignore = "needs PostgreSQL: tests/run"]
fn expired_key_is_refused_from_its_date_on() {
    let database = Database::new();
    // Neither the zone of the database nor its style of dates changes the date.
    database.sql(&format!(
        "ALTER DATABASE {} SET timezone = 'Pacific/Kiritimati'",
        database.name
    ));
    let rule = "issue --expires: expected a date after today (UTC), such as 2027-01-31";
    let today = database.sql("SELECT (now() AT TIME ZONE 'UTC')::date");
    for date in [
        &today,
        "2020-01-31",
        "2099-02-29",
        "0000-01-31",
        "2099-1-31",
        "tomorrow",
        "infinity",
        "2099-01-31 12:00",
        "",
    ] {
        database.assert_fails(&["issue", "a", "--expires", date], 2, rule);
    }
    database.assert_fails(
        &["issue", "--expires", "2099-01-31"],
        2,
        "issue LABEL: expected the name of the client that gets the key",
    );
    let output = database.operate(&["issue", "guest", "--expires", "2099-01-31"]);
    let (_, token) = output.trim_end().rsplit_once(' ').unwrap();
    crate::harness::sensitive(token);
    let list = database.operate(&["list"]);
    assert_eq!(list.lines().count(), 2, "{list}");
    assert!(list.contains("\t2099-01-31 00:00:00+00\t-\t-\tguest\n"), "{list}");
    let service = database.start();
    service.get_apps_with(token).assert_accepted();
    database.sql("UPDATE client_keys SET expires_at = now() + interval '1 hour'");
    service.get_apps_with(token).assert_accepted();
    database.sql("UPDATE client_keys SET expires_at = now()");
    service.get_apps_with(token).assert_refused(INVALID_TOKEN);
    service.wait_for_log(&format!(
        "refused why=\"expired\" {} label=\"guest\"",
        &output[..24].replace(": ", "=")
    ));
}

/// Runs a command at a terminal and types this once the prompt is there; what the terminal shows.
fn at_terminal(settings: &[(&str, &str)], command: &str, prompt: &str, typed: &str) -> String {
    let command = format!("{command}; echo status=$?; stty -a");
    let mut script = Command::new("timeout")
        .args(["60", "script", "-qec", &command, "/dev/null"])
        .env("SERVICE", env!("CARGO_BIN_EXE_service"))
        .env("RUST_LOG", "off")
        .envs(settings.iter().copied())
        .current_dir(new_folder())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut stdin, mut stdout) = (script.stdin.take().unwrap(), script.stdout.take().unwrap());
    let mut shown = Vec::new();
    let mut byte = [0];
    while !shown.ends_with(prompt.as_bytes()) {
        stdout.read_exact(&mut byte).unwrap();
        shown.push(byte[0]);
    }
    stdin.write_all(typed.as_bytes()).unwrap();
    stdout.read_to_end(&mut shown).unwrap();
    script.wait().unwrap();
    let shown = String::from_utf8(shown).unwrap().replace('\r', "");
    assert!(shown.contains(" echo ") && shown.contains(" icanon "), "{shown}");
    shown
}

#[test]
#[ignore = "needs PostgreSQL: tests/run"]
fn all_keys_are_revoked_at_once() {
    let database = Database::new();
    let (handle, token) = database.issue("a");
    database.issue("b");
    let earlier = database.operate(&["revoke", &handle]);
    let (_, last) = database.issue("c");
    let service = database.start();
    let revoked = || database.sql("SELECT count(revoked_at) FROM client_keys");
    database.assert_fails(
        &["revoke", "--all"],
        2,
        "revoke --all asks for confirmation, and this is no terminal; add --yes",
    );
    assert_eq!(revoked(), "1");
    service.get_apps_with(&last).assert_accepted();
    assert_eq!(database.operate(&["revoke", "--all", "--yes"]), "keys revoked: 2\n");
    for token in [token, last] {
        service.get_apps_with(&token).assert_refused(INVALID_TOKEN);
    }
    assert_eq!(database.operate(&["revoke", &handle]), earlier);
    let (_, new) = database.issue("d");
    assert_eq!(database.operate(&["revoke", "--all", "--yes"]), "keys revoked: 1\n");
    service.get_apps_with(&new).assert_refused(INVALID_TOKEN);
    for arguments in [["revoke", &handle, "--all"].as_slice(), &["revoke", "--yes"]] {
        assert_eq!(run(&database.settings(), arguments).status.code(), Some(2));
    }
}

#[test]
#[ignore = "needs PostgreSQL: tests/run"]
fn key_that_is_being_issued_is_revoked_with_all() {
    let database = Database::new();
    let mut issuing = database.lock("INSERT INTO client_keys (hash, label) VALUES (sha256('a'), 'a')");
    scope(|scope| {
        let revoking = scope.spawn(|| database.operate(&["revoke", "--all", "--yes"]));
        // The session itself looks, because the command does not wait for long.
        let until_it_waits = "DO $$ BEGIN FOR i IN 1..3000 LOOP \
            EXIT WHEN EXISTS (SELECT FROM pg_locks WHERE relation = 'client_keys'::regclass AND NOT granted); \
            PERFORM pg_sleep(0.01); END LOOP; END $$;";
        writeln!(issuing.statements, "{until_it_waits}").unwrap();
        issuing.release();
        assert_eq!(revoking.join().unwrap(), "keys revoked: 1\n");
    });
}

#[test]
#[ignore = "needs PostgreSQL: tests/run"]
fn revoking_all_keys_is_confirmed_at_a_terminal() {
    let database = Database::new();
    database.issue("a");
    database.issue("b");
    let prompt = "Revoke all keys (2) for good? Type yes: ";
    for (typed, end, revoked) in [
        (
            "y\n",
            "service: revoke --all: the answer was not yes, so no key was revoked\nstatus=1\n",
            "0",
        ),
        ("yes\n", "keys revoked: 2\nstatus=0\n", "2"),
    ] {
        let shown = at_terminal(&database.settings(), "$SERVICE revoke --all", prompt, typed);
        assert!(shown.contains(end), "{shown}");
        assert_eq!(database.sql("SELECT count(revoked_at) FROM client_keys"), revoked);
    }
}

fn run_whose(settings: &[(&str, &str)], input: &str) -> Output {
    let folder = new_folder();
    let mut process = program(&folder, settings)
        .arg("whose")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It does not read more than a token can have.
    let _ = process.stdin.take().unwrap().write_all(input.as_bytes());
    let output = process.wait_with_output().unwrap();
    fs::write(folder.join("stderr.log"), &output.stderr).unwrap();
    output
}

/// What `whose` prints for this input, or its error.
fn whose(settings: &[(&str, &str)], input: &str) -> String {
    let Output { status, stdout, stderr } = run_whose(settings, input);
    let (stdout, stderr) = (String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap());
    if status.success() {
        return stdout;
    }
    assert_eq!((status.code(), stdout.as_str()), (Some(1), ""));
    stderr.lines().last().unwrap().to_owned()
}

#[test]
#[ignore = "needs PostgreSQL: tests/run"]
fn whose_token_it_is_is_told_without_showing_it() {
    let mut database = Database::new();
    let (before, token_before) = database.issue("before");
    let old = mem::replace(&mut database.secret, new_secret());
    let (after, token_after) = database.issue("after");
    let (revoked, token_revoked) = database.revoked();
    let unlisted = database.unlisted();
    let service = database.start_with(&[("CLIENT_SECRET_PREVIOUS", &old)]);
    let fingerprint = |secret: &str| {
        let line = service.wait_for_log(&format!("service::serve: {secret}"));
        let (_, fingerprint) = line.rsplit_once(" fingerprint=").unwrap();
        format!("secret: {secret}, fingerprint {fingerprint}\n")
    };
    let (current, previous) = (fingerprint("CLIENT_SECRET"), fingerprint("CLIENT_SECRET_PREVIOUS"));
    let settings = [
        ("CLIENT_SECRET", database.secret.as_str()),
        ("CLIENT_SECRET_PREVIOUS", &old),
        ("DATABASE_URL", &database.service_url),
    ];
    for (token, handle, label, secret, accepted) in [
        (format!("{token_after}\n"), &after, "after", &current, "yes"),
        (format!("{token_before}\r\n"), &before, "before", &previous, "yes"),
        (token_revoked, &revoked, "revoked", &current, "no, revoked"),
    ] {
        let shown = whose(&settings, &token);
        assert!(
            shown.starts_with(&format!("handle: {handle}\ncreated_at: 20")),
            "{shown}"
        );
        let end = format!("\nlast_used_at: -\nlabel: {label}\n{secret}accepted: {accepted}\n");
        assert!(shown.ends_with(&end), "{shown}");
    }
    let shown = whose(&settings, &unlisted.token);
    let end = format!("\n{current}accepted: no, not in the table\n");
    assert!(shown.starts_with("handle: ") && shown.ends_with(&end), "{shown}");
    assert_eq!(shown.lines().count(), 3);
    assert_eq!(database.sql("SELECT count(last_used_at) FROM client_keys"), "0");

    let no_token = "service: whose: not a client key token: expected \"ck1_\" and 58 characters of base64url";
    for input in [
        "",
        "\n",
        &token_after[..61],
        &format!("{token_after}\n\n"),
        &format!(" {token_after}"),
        &token_after.repeat(1000),
    ] {
        assert_eq!(whose(&settings, input), no_token, "{input:?}");
    }
    let foreign = "service: whose: token altered, or issued under another secret";
    assert_eq!(whose(&settings, &new_key(&new_secret()).token), foreign);
    let unexpected = "unexpected argument found; see service --help";
    assert_fails(&new_folder(), &settings, &["whose", &token_after], 2, unexpected);

    // The same without a database.
    let id = &unlisted.id;
    let listed = |list: &str| whose(&[settings[0], ("CLIENT_KEYS", list)], &unlisted.token);
    assert_eq!(listed(id), format!("key_id: {id}\n{current}accepted: yes\n"));
    assert_eq!(
        listed(""),
        format!("key_id: {id}\n{current}accepted: no, not in CLIENT_KEYS\n")
    );
}

#[test]
#[ignore = "needs PostgreSQL: tests/run"]
fn whose_shows_no_token_at_a_terminal() {
    let database = Database::new();
    let (_, token) = database.issue("a");
    // Nobody types before the echo is off.
    let command = "(until stty -F /dev/tty | grep -q -- -echo; do sleep 0.1; done; echo silent) & $SERVICE whose";
    for (last, end) in [("\n", "accepted: yes\nstatus=0\n"), ("\x03", "interrupted\nstatus=1\n")] {
        let shown = at_terminal(&database.settings(), command, "silent", &format!("{token}{last}"));
        assert!(shown.contains("Token: ") && shown.contains(end), "{shown}");
        assert!(!shown.contains(&token[10..20]), "{shown}");
    }
}

/// Draws the same id each time.
struct Draw([u8; 15]);

impl TryRng for Draw {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        unreachable!()
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        unreachable!()
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        bytes[12..].copy_from_slice(&self.0);
        Ok(())
    }
}

impl TryCryptoRng for Draw {}

fn forge(secret: &str, id: &str) -> String {
    let (secret, id): (ClientSecret, KeyId) = (secret.parse().unwrap(), id.parse().unwrap());
    let Ok(key) = issue(&secret, &mut Draw(id.to_bytes()));
    key.key_access_token.as_str().to_owned()
}

/// Every id that may be made of a text: of its hexadecimal digits and lists of bytes, cut and filled up to 15 bytes.
fn ids_in(text: &str) -> HashSet<String> {
    let digits = Regex::new("[0-9A-Fa-f]{16,}").unwrap();
    let lists = Regex::new(r"\d{1,3}(, \d{1,3}){7,}").unwrap();
    let lists = lists.find_iter(text).map(|list| {
        let bytes = list.as_str().split(", ").filter_map(|byte| byte.parse::<u8>().ok());
        bytes.fold(String::new(), |digits, byte| format!("{digits}{byte:02x}"))
    });
    let digits = digits.find_iter(text).map(|digits| digits.as_str().to_lowercase());
    let texts = digits
        .chain(lists)
        .flat_map(|text| [format!("{text:0<30}"), format!("{text:0>30}")]);
    let windows = |text: String| -> Vec<String> {
        (0..=text.len() - 30)
            .map(|start| text[start..start + 30].to_owned())
            .collect()
    };
    texts.flat_map(windows).collect()
}

#[test]
#[ignore = "needs PostgreSQL: tests/run"]
fn stolen_secret_forges_nothing_from_the_dump_and_all_logs() {
    let database = Database::new();
    database.sql(&format!("ALTER DATABASE {} SET log_statement = 'all'", database.name));
    let mut operator = String::new();
    let mut note = |Output { stdout, stderr, .. }| {
        let texts = [stdout, stderr].map(|text| String::from_utf8(text).unwrap());
        let (shown, token) = texts[0]
            .trim_end()
            .split_once("\nkey_access_token: ")
            .unwrap_or((&texts[0], ""));
        operator.extend([shown, &texts[1]]);
        token.to_owned()
    };
    let tokens = ["a", "b"].map(|label| note(run(&database.settings(), &["issue", label])));
    let service = database.start();
    for token in &tokens {
        service.get_apps_with(token).assert_accepted();
    }
    service
        .get_apps_with(&database.unlisted().token)
        .assert_refused(INVALID_TOKEN);
    until(|| database.sql("SELECT count(last_used_at) FROM client_keys") == "2");
    note(run_whose(&database.settings(), &tokens[0]));
    note(run(&database.settings(), &["list"]));

    let pg_ctl = env::var("PG_CTL").unwrap();
    let log = pg_ctl.split_once(" -l ").unwrap().1.split(' ').next().unwrap();
    let sources = [
        pg_dump(&database.url),
        service.log(),
        fs::read_to_string(log).unwrap(),
        operator,
    ];
    let secret: ClientSecret = database.secret.parse().unwrap();
    let mut found = HashSet::new();
    for (number, source) in sources.iter().enumerate() {
        let in_source = ids_in(source);
        for token in &tokens {
            let Err(VerifyError::Unlisted(id)) = verify(&secret, &[], token) else {
                panic!()
            };
            let hash = database.sql(&format!("SELECT sha256('\\x{id}')"));
            assert!(
                in_source.contains(&hash[2..32]),
                "source {number} does not show the hash"
            );
            assert!(!in_source.contains(&id.to_string()), "source {number} shows an id");
            service
                .get_apps_with(&forge(&database.secret, &id.to_string()))
                .assert_accepted();
        }
        found.extend(in_source);
    }
    println!("{} ids", found.len());
    for id in found {
        service
            .get_apps_with(&forge(&database.secret, &id))
            .assert_refused(INVALID_TOKEN);
    }
}
