//! The service with its ids in `PostgreSQL`, which `.ci/service` starts for these tests:
//! `SERVER_URL` is its URL without a database's name, `PG_CTL` the command that stops and starts it.
//! One test at a time: they share the server, and one of them stops it.

use crate::harness::{
    INVALID_TOKEN, Key, PATIENCE, Service, assert_fails, new_folder, new_key, new_secret, program, run,
};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};
use std::{env, io::Write, mem};

struct Database {
    url: String,
    secret: String,
}

impl Database {
    /// A database of its own, with the table.
    fn new() -> Self {
        let database = Self::without_table();
        database.operate(&["migrate"]);
        database
    }

    fn without_table() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("keys_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let server = env::var("SERVER_URL").expect("set by .ci/service");
        sql_at(
            &format!("{server}/postgres"),
            &format!("DROP DATABASE IF EXISTS {name}"),
        );
        sql_at(&format!("{server}/postgres"), &format!("CREATE DATABASE {name}"));
        Self {
            url: format!("{server}/{name}"),
            secret: new_secret(),
        }
    }

    fn settings(&self) -> [(&str, &str); 2] {
        [("CLIENT_SECRET", &self.secret), ("DATABASE_URL", &self.url)]
    }

    fn start(&self) -> Service {
        Service::start(&self.settings())
    }

    /// As with a replica, or a role that may only read.
    fn start_reading(&self) -> Service {
        let url = format!("{}?options=-c%20default_transaction_read_only%3Don", self.url);
        Service::start(&[("CLIENT_SECRET", &self.secret), ("DATABASE_URL", &url)])
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

    /// An id and its token.
    fn issue(&self, label: &str) -> (String, String) {
        let output = self.operate(&["issue", label]);
        let (id, token) = output.trim_end().split_once('\n').unwrap();
        let token = token.strip_prefix("key_access_token: ").unwrap();
        crate::harness::sensitive(token);
        (id.strip_prefix("key_id: ").unwrap().to_owned(), token.to_owned())
    }

    fn revoked(&self) -> (String, String) {
        let (id, token) = self.issue("revoked");
        self.operate(&["revoke", &id]);
        (id, token)
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
    fn release(mut self) {
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
fn sql_at(url: &str, statement: &str) -> String {
    let output = psql(url).args(["-c", statement]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

#[track_caller]
fn server(action: &str) {
    let pg_ctl = env::var("PG_CTL").expect("set by .ci/service");
    let command = format!("{pg_ctl} {action}");
    // pg_ctl's server would hold a pipe open.
    let status = Command::new("sh")
        .args(["-c", &command])
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success(), "{action}");
}

/// Until the service has noticed what became of its connections.
#[track_caller]
fn until(done: impl Fn() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < PATIENCE);
        sleep(Duration::from_millis(20));
    }
}

#[test]
#[ignore = "needs PostgreSQL: .ci/service"]
fn revocation_holds_at_the_next_request_on_every_instance() {
    let database = Database::new();
    let (id, token) = database.issue("Trivial Inc.");
    let (_, other) = database.issue("somebody else");
    let instances = [database.start(), database.start()];
    for service in &instances {
        for token in [&token, &other] {
            service.get_apps_with(token).assert_accepted();
        }
        service
            .get_apps_with(&database.unlisted().token)
            .assert_refused(INVALID_TOKEN);
        service.wait_for_log(&format!("accepted key_id={id} secret=\"current\""));
    }
    let revoked = database.operate(&["revoke", &id.to_uppercase()]);
    assert!(revoked.starts_with(&format!("{id} is revoked since 20")), "{revoked}");
    for service in &instances {
        service.get_apps_with(&token).assert_refused(INVALID_TOKEN);
        service.wait_for_log(&format!(
            "refused why=key id not in the allow list key_id={id} secret=\"current\""
        ));
        service.get_apps_with(&other).assert_accepted();
    }
    // Revoking again keeps the date.
    assert_eq!(database.operate(&["revoke", &id]), revoked);
    // A new key is accepted at once.
    let (_, new) = database.issue("Trivial Inc., second key");
    for service in &instances {
        service.get_apps_with(&new).assert_accepted();
    }
}

#[test]
#[ignore = "needs PostgreSQL: .ci/service"]
fn operator_sees_whose_the_keys_are() {
    let database = Database::new();
    let (id, _) = database.issue("Trivial Inc.");
    let (unused, _) = database.issue("O'Hara; DROP TABLE client_keys --");
    database.operate(&["revoke", &id]);
    let list = database.operate(&["list"]);
    let rows: Vec<Vec<&str>> = list.lines().map(|line| line.split('\t').collect()).collect();
    assert_eq!(rows[0], ["key_id", "created_at", "revoked_at", "last_used_at", "label"]);
    assert_eq!((rows[1][0], rows[1][4]), (id.as_str(), "Trivial Inc."));
    assert!(rows[1][1].starts_with("20") && rows[1][2].starts_with("20"), "{list}");
    assert_eq!(
        (rows[2][0], rows[2][4]),
        (unused.as_str(), "O'Hara; DROP TABLE client_keys --")
    );
    assert_eq!(rows[2][2..4], ["-", "-"]);
    assert_eq!(rows.len(), 3);

    database.assert_fails(&["issue"], 2, "issue LABEL: say whose key it is");
    let absent = "0".repeat(30);
    database.assert_fails(
        &["revoke", &absent],
        1,
        &format!("revoke: {absent} is not in the table"),
    );
    // A key that could not be listed is not shown, nor is the row.
    database.sql("ALTER TABLE client_keys ADD CONSTRAINT no_interns CHECK (label <> 'intern')");
    let violated = "db error: new row for relation \"client_keys\" violates check constraint \"no_interns\"";
    database.assert_fails(&["issue", "intern"], 1, violated);
    // Nor does the table take from others what would forge a line of `list`.
    for label in [r"a\tb", r"a\nb", r"a\rb", r"a\x1b[2K"] {
        let insert =
            format!("INSERT INTO client_keys (id, label) VALUES (decode(repeat('00', 15), 'hex'), E'{label}')");
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
#[ignore = "needs PostgreSQL: .ci/service"]
fn migration_runs_twice_and_at_once() {
    let database = Database::without_table();
    let (id, token) = {
        let folder = new_folder();
        let mut runs: Vec<_> = (0..4)
            .map(|_| {
                program(&folder, &database.settings())
                    .arg("migrate")
                    .stderr(Stdio::null())
                    .spawn()
                    .unwrap()
            })
            .collect();
        for run in &mut runs {
            assert!(run.wait().unwrap().success());
        }
        database.issue("kept")
    };
    database.operate(&["migrate"]);
    database.start().get_apps_with(&token).assert_accepted();
    assert_eq!(database.sql("SELECT encode(id, 'hex') FROM client_keys"), id);
}

#[test]
#[ignore = "needs PostgreSQL: .ci/service"]
fn without_its_table_or_its_database_the_service_answers_503() {
    let database = Database::without_table();
    let absent = format!("{}_absent", database.url);
    let token = database.unlisted();
    let service = database.start();
    service.get_apps_with(&token.token).assert_unavailable();
    let no_table = r#"relation "client_keys" does not exist"#;
    service.wait_for_log(no_table);
    database.assert_fails(&["list"], 1, &format!("db error: {no_table}; run migrate"));
    let service = Service::start(&[("CLIENT_SECRET", &database.secret), ("DATABASE_URL", &absent)]);
    service.get_apps_with(&token.token).assert_unavailable();
    service.wait_for_log("_absent\" does not exist");
}

#[test]
#[ignore = "needs PostgreSQL: .ci/service"]
fn stopped_database_is_503_and_accepts_no_key() {
    let database = Database::new();
    let (_, token) = database.issue("in");
    let (id, revoked) = database.revoked();
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
                let start = Instant::now();
                service.get_apps_with(token).assert_unavailable();
                assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
            }
        }
        // What can be told without the database is.
        service.get_apps_with(&forged.token).assert_refused(INVALID_TOKEN);
        service.get_apps_with("ck1_").assert_refused(INVALID_TOKEN);
        let health = service.send(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        assert_eq!(health.status, 200);
    }
    let refused = "error connecting to server: Connection refused (os error 111)";
    database.assert_fails(&["revoke", &id], 1, refused);

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
#[ignore = "needs PostgreSQL: .ci/service"]
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
    let lock = database.lock("SELECT id FROM client_keys FOR UPDATE");
    let is_accepted_at_once = || {
        let start = Instant::now();
        service.get_apps_with(&token).assert_accepted();
        assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
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

    database.sql("UPDATE client_keys SET last_used_at = NULL");
    let reading = database.start_reading();
    reading.get_apps_with(&token).assert_accepted();
    let line = reading.wait_for_log("last_used_at not written keys=1");
    assert!(line.contains("read-only transaction"), "{line}");
    reading.get_apps_with(&token).assert_accepted();
    assert_eq!(used(), "");
}

#[test]
#[ignore = "needs PostgreSQL: .ci/service"]
fn every_use_is_noted_or_counted() {
    const KEYS: usize = 300;
    let database = Database::new();
    let keys: Vec<Key> = (0..KEYS).map(|_| database.unlisted()).collect();
    let rows = keys.iter().map(|key| format!("(decode('{}', 'hex'), 'a')", key.id));
    let rows: Vec<String> = rows.collect();
    database.sql(&format!(
        "INSERT INTO client_keys (id, label) VALUES {}",
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
    let lock = database.lock("SELECT id FROM client_keys FOR UPDATE");
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

    // None of them: each is in a count.
    database.sql("UPDATE client_keys SET last_used_at = NULL");
    let mut reading = database.start_reading();
    use_all_at_once(&reading);
    reading.stop("TERM");
    assert_eq!((noted(), not_written(&reading)), (0, KEYS));
}

#[test]
#[ignore = "needs PostgreSQL: .ci/service"]
fn revoking_behind_a_lock_fails_soon_and_for_good() {
    let database = Database::new();
    let (id, token) = database.issue("a");
    let lock = database.lock("SELECT id FROM client_keys FOR UPDATE");
    let canceled = "db error: canceling statement due to statement timeout";
    database.assert_fails(&["revoke", &id], 1, canceled);
    lock.release();
    database.start().get_apps_with(&token).assert_accepted();
}

#[test]
#[ignore = "needs PostgreSQL: .ci/service"]
fn secret_is_rotated_with_the_ids_in_the_database() {
    let mut database = Database::new();
    let (_, before) = database.issue("before");
    let (id, revoked) = database.revoked();
    let old = mem::replace(&mut database.secret, new_secret());
    let (_, after) = database.issue("after");
    let mut settings = database.settings().to_vec();
    settings.push(("CLIENT_SECRET_PREVIOUS", &old));
    let during = Service::start(&settings);
    during.get_apps_with(&before).assert_accepted();
    during.get_apps_with(&after).assert_accepted();
    during.get_apps_with(&revoked).assert_refused(INVALID_TOKEN);
    during.wait_for_log(&format!(
        "refused why=key id not in the allow list key_id={id} secret=\"previous\""
    ));
    let done = database.start();
    done.get_apps_with(&before).assert_refused(INVALID_TOKEN);
    done.get_apps_with(&after).assert_accepted();
}

#[test]
#[ignore = "needs PostgreSQL: .ci/service"]
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
#[ignore = "needs PostgreSQL: .ci/service"]
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
                let start = Instant::now();
                service.get_apps_with(&token).assert_unavailable();
                assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
            });
        }
    });
    lock.release();
    let start = Instant::now();
    service.get_apps_with(&token).assert_accepted();
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
}
