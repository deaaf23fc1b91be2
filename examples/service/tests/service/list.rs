//! The service with its allow list in `CLIENT_KEYS`.

use crate::harness::{
    Answer, INVALID_TOKEN, Key, NO_TOKEN, PATIENCE, Service, assert_fails, assert_mistake, library, new_folder,
    new_key, new_secret,
};
use crate::harness::{program, run, run_in, sensitive, took, until};
use std::io::{BufRead, PipeReader, PipeWriter, Read, Write, pipe};
use std::os::fd::OwnedFd;
use std::os::unix::{ffi::OsStrExt, net::UnixStream};
use std::process::{Command, Stdio};
use std::thread::{ScopedJoinHandle, scope, sleep, spawn};
use std::time::Duration;
use std::{ffi::OsStr, fs, net::TcpListener, sync::mpsc};

/// What the program printed on standard output after `name: `.
#[track_caller]
fn printed<'a>(output: &'a str, name: &str) -> &'a str {
    let mut lines = output.lines();
    lines
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
        .unwrap()
}

#[test]
fn walk_through_holds_from_the_shell_to_fetch() {
    let folder = new_folder();
    let openssl = Command::new("openssl").args(["rand", "-hex", "32"]).output();
    let secret = String::from_utf8(openssl.unwrap().stdout).unwrap();
    sensitive(secret.trim());
    let step_1 = format!("# .env\nCLIENT_SECRET={} # paste your secret here\n", secret.trim());
    fs::write(folder.join(".env"), &step_1).unwrap();

    let keys = [(); 2].map(|()| {
        let output = run_in(&folder, &[], &["issue"]);
        assert!(output.status.success(), "{output:?}");
        let output = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.lines().count(), 2, "{output}");
        sensitive(printed(&output, "key_access_token"));
        output
    });
    let [(id, token), (another, _)] = keys
        .each_ref()
        .map(|key| (printed(key, "key_id"), printed(key, "key_access_token")));

    let service = Service::start_in(&folder, &[]);
    service.get_apps_with(token).assert_refused(INVALID_TOKEN);

    let step_4 = format!("{step_1}CLIENT_KEYS={id}, {another} # key_id from key\n");
    fs::write(folder.join(".env"), step_4).unwrap();
    let service = Service::start_in(&folder, &[]);
    let client = fs::read_to_string("tests/service/walk-through.mjs").unwrap();
    let client = client.replace("3000", &service.port.to_string()).replace("yyy", token);
    let mut node = Command::new("node")
        .args(["--input-type=module", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = node.stdin.take().unwrap();
    write!(stdin, "{client}\nconsole.log(JSON.stringify(data))").unwrap();
    drop(stdin);
    let output = node.wait_with_output().unwrap();
    assert!(output.status.success());
    let data: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(data[0]["id"], 1);
    assert_eq!(data[0]["user_id"], 1);
    assert_eq!(data[0]["name"], "ba6811fb3e073d");
    service.wait_for_log(&format!("accepted key_id={id} secret=\"current\""));
}

#[test]
fn environment_goes_before_dotenv_unless_it_is_empty() {
    let folder = new_folder();
    let (written, set) = (new_secret(), new_secret());
    let [old, new] = [new_key(&written), new_key(&set)];
    let text = format!(
        "CLIENT_SECRET={written}\nCLIENT_KEYS={}, {}\nRUST_LOG=\n",
        old.id, new.id
    );
    fs::write(folder.join(".env"), text).unwrap();
    for (secret, key, from) in [("", &old, "from .env"), (&set, &new, "from the environment")] {
        // An empty variable, as Compose's `${CLIENT_KEYS:-}` makes it, does not hide the line of `.env`.
        let settings = [("CLIENT_SECRET", secret), ("CLIENT_KEYS", ""), ("HOST", "")];
        let service = Service::start_in(&folder, &settings);
        service.wait_for_log(&format!(
            "settings: CLIENT_SECRET {from}, CLIENT_SECRET_FILE not set, CLIENT_SECRET_PREVIOUS not set, \
             CLIENT_SECRET_PREVIOUS_FILE not set, CLIENT_KEYS from .env, DATABASE_URL not set, HOST not set, \
             PORT from the environment, RUST_LOG from the environment"
        ));
        service.get_apps_with(&key.token).assert_accepted();
    }
}

fn bearer(key: &Key) -> String {
    format!("Authorization: Bearer {}\r\n", key.token)
}

/// A service that accepts one key, and the key's token.
fn guarded() -> (Service, String) {
    let secret = new_secret();
    let key = new_key(&secret);
    let settings = [("CLIENT_SECRET", secret.as_str()), ("CLIENT_KEYS", &key.id)];
    (Service::start(&settings), key.token)
}

#[test]
fn everything_but_health_is_guarded() {
    let (service, token) = guarded();
    let send = |line: &str, headers: &str| {
        let head = format!("{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n");
        service.send(head.as_bytes())
    };
    let health = send("GET /health", "");
    assert_eq!(health.status, 200);
    assert_eq!(health.body, r#"{"status":"ok"}"#);
    // Which requests are accepted, the conformance test of `../middleware` checks for the service too.
    let header = format!("Authorization: Bearer {token}\r\n");
    for line in ["GET //apps", "GET /health/", "GET /health/../apps", "OPTIONS *"] {
        send(line, "").assert_refused(NO_TOKEN);
        assert_eq!(send(line, &header).status, 404, "{line}");
    }
}

#[test]
fn wrong_settings_stop_the_start() {
    let (secret, id) = (new_secret(), new_key(&new_secret()).id);
    let (short, wrong) = (&secret[1..], secret.replace(&secret[..1], "g"));
    sensitive(short);
    let two = format!("{id}, another-key");
    let [long, short_by_1, short_list] = [("64", "11"), ("64", "63"), ("30", "11")]
        .map(|(expected, found)| format!("expected {expected} hexadecimal digits, found {found} characters"));
    let second = format!("entry 2: {short_list}");
    for (name, text, expected) in [
        ("CLIENT_SECRET", "8d105ffc...", &*long),
        ("CLIENT_SECRET", short, &short_by_1),
        (
            "CLIENT_SECRET",
            &wrong,
            "expected 64 hexadecimal digits, found another character at position 1",
        ),
        ("CLIENT_SECRET_PREVIOUS", short, &short_by_1),
        ("CLIENT_KEYS", "another-key", &format!("entry 1: {short_list}")),
        ("CLIENT_KEYS", &two, &second),
        ("PORT", "http", "expected a number from 0 to 65535"),
        ("PORT", "65536", "expected a number from 0 to 65535"),
    ] {
        // The list of a service with a database must be right as well.
        let rest = [("CLIENT_SECRET", secret.as_str()), ("DATABASE_URL", "postgresql://h/d")];
        let settings: Vec<_> = rest.into_iter().chain([(name, text)]).collect();
        assert_mistake(&new_folder(), &settings, &format!("{name}: {expected}"));
    }
    for settings in [[].as_slice(), &[("CLIENT_SECRET", "")]] {
        let missing = "CLIENT_SECRET is not set; make one with `openssl rand -hex 32`";
        assert_mistake(&new_folder(), settings, missing);
    }
    // Of a network that is for documentation: no machine's own.
    let settings = [("CLIENT_SECRET", secret.as_str()), ("HOST", "192.0.2.1"), ("PORT", "0")];
    let error = "HOST, PORT: Cannot assign requested address (os error 99)";
    assert_mistake(&new_folder(), &settings, error);
}

/// Errors, and below each the URLs that get it. Without these errors, each connection would fail. `hunter2` is part of
/// a password, also where it looks like an option.
const WRONG_URLS: &str = "\
expected postgresql://user:password@host/database
    mysql://u:hunter2@h/d
    host=h user=u password=hunter2
    BLANKpostgresql://u:hunter2@h/d
found white space or a control character; percent-encode those of the password
    postgresql://u:hunter2@h/dNEWLINE
    postgresql://u:hunter2@h/d\rNEWLINE
    postgresql://u:hunter2@h/dBLANK
    postgresql://u:hunter2@hBLANK/d
    postgresql://u:hunter2%00@h/d
    postgresql://u:hunter2@h/d?sslmode=disableNEWLINE
unknown option `pool`
    postgresql://u:hunter2@h/d?pool=5
unknown option `sslcert`
    postgres://h/d?connect_timeout=3&sslcert=/x
unknown option `sslcrl`
    postgres://h/d?sslmode=require&sslcrl=/x
unknown option `gssencmode`
    postgres://h/d?gssencmode=disable
found an unknown option, whose name may be part of the password; percent-encode `?` and `&` there
    postgresql://u:?hunter2=@h/d?pool=5
    postgresql:///d?host=h&password=x&hunter2=1
    postgresql:///d?host=h&p%61ssword=x&hunter2=1
found more than one @; write %40 for those of user, password and database
    postgresql://u:x@hunter2@h/d
    postgresql://u:x@hunter2/@h/d
    postgresql://u:@h?hunter2=@h/d
invalid value for option `port`
    postgresql://u:hunter2@h:http/d
    postgresql://u:hunter2
invalid value for option `keepalives`
    postgresql://u:hunter2@h/d?keepalives=yes
invalid connection string
    postgresql://u:hunter2@h/d?x
expected a host
    postgresql://u:hunter2@/d
    postgresql://u:hunter2@:5432/d
    postgresql:///d?user=u
expected a user before the @
    postgresql://:hunter2@h/d
expected one port above 0 for all hosts, or one for each
    postgresql://u:hunter2@h:0/d
    postgresql://u:hunter2@h,i,j:1/d?port=1
expected as many values of hostaddr as hosts
    postgresql://u:hunter2@h,i/d?hostaddr=127.0.0.1
    postgresql://u:hunter2@h/d?hostaddr=127.0.0.1,127.0.0.2
expected only Unix sockets, or none
    postgresql://u:hunter2@%2Ftmp,h/d
host: TLS needs a DNS name or an IP address
    postgresql://u:hunter2@a..b/d
    postgresql://u:hunter2@h,-/d?sslmode=require
    postgresql://u:hunter2@[fe80::1%25eth0]/d
    postgresql://u:hunter2@%2Ftmp/d?hostaddr=127.0.0.1
sslnegotiation=direct is not supported
    postgresql://u:hunter2@h/d?sslnegotiation=direct
sslmode: expected disable, prefer, require, verify-ca or verify-full
    postgresql://u:?sslmode=hunter2@h/d?sslmode=allow
    postgresql://u:hunter2@h/d?sslmode=verify-full&ssl%6Dode=
sslmode=verify-ca needs sslrootcert
    postgresql://u:hunter2@h/d?sslmode=verify-ca
sslrootcert needs sslmode=verify-full
    postgresql://u:hunter2@h/d?sslrootcert=/absent
    postgresql://u:hunter2@h/d?sslmode=disable&sslrootcert=/absent
sslrootcert=system needs sslmode=verify-full
    postgresql://u:hunter2@h/d?sslmode=verify-ca&sslrootcert=system
    postgresql://u:hunter2@h/d?sslmode=require&sslrootcert=system
sslrootcert: No such file or directory (os error 2)
    postgresql://u:hunter2@h/d?sslmode=require&sslrootcert=/absent
    postgresql://u:hunter2@h/d?sslmode=verify-full&sslrootcert=
sslrootcert: expected a PEM file of CA certificates, all of them undamaged
    postgresql://u:hunter2@h/d?sslmode=verify-full&sslrootcert=%2Fdev%2Fnull
channel_binding=require needs sslmode=require, verify-ca or verify-full
    postgresql://u:hunter2@h/d?channel_binding=require
    postgresql://u:hunter2@%2Ftmp/d?channel_binding=require&sslmode=require";

#[test]
fn wrong_database_urls_stop_the_start_and_show_no_password() {
    let secret = new_secret();
    sensitive("hunter2");
    let mut expected = "";
    for line in WRONG_URLS.lines() {
        if let Some(url) = line.strip_prefix("    ") {
            let url = url.replace("BLANK", " ").replace("NEWLINE", "\n");
            let settings = [("CLIENT_SECRET", secret.as_str()), ("DATABASE_URL", &url)];
            assert_mistake(&new_folder(), &settings, &format!("DATABASE_URL: {expected}"));
        } else {
            expected = line;
        }
    }
}

/// The tests of the reader have each rule.
#[test]
fn wrong_dotenv_stops_the_start_and_is_not_shown() {
    let folder = new_folder();
    let secret = new_secret();
    let quote = "a value that begins with a quote must end with it, and only a comment may follow";
    for (wrong, error) in [
        (format!("CLIENT_SECRET {secret}"), ".env: line 2: expected NAME=value"),
        (
            format!("CLIENT_SECRET='{secret}"),
            &format!("CLIENT_SECRET: .env: line 2: {quote}"),
        ),
    ] {
        fs::write(folder.join(".env"), format!("PORT=0\n{wrong}\n")).unwrap();
        assert_mistake(&folder, &[], error);
    }
    fs::remove_file(folder.join(".env")).unwrap();
    fs::create_dir(folder.join(".env")).unwrap();
    assert_mistake(&folder, &[], ".env: expected a regular file");
}

#[test]
fn dotenv_does_not_replace_what_is_not_utf_8() {
    let folder = new_folder();
    fs::write(folder.join(".env"), format!("CLIENT_SECRET={}\n", new_secret())).unwrap();
    let mut issue = program(&folder, &[]);
    issue.arg("issue").env("CLIENT_SECRET", OsStr::from_bytes(b"\xff"));
    let output = issue.output().unwrap();
    assert_eq!(output.stderr, b"service: CLIENT_SECRET: expected UTF-8\n");
    assert_eq!(output.status.code(), Some(2));
}

/// Standard errors that take nothing: a full disk, a pipe whose reader is gone.
#[test]
fn log_that_takes_nothing_does_not_stop_the_service() {
    let full = || fs::File::options().write(true).open("/dev/full").unwrap();
    let (_, broken) = pipe().unwrap();
    for stderr in [Stdio::from(full()), Stdio::from(broken)] {
        let secret = new_secret();
        let key = new_key(&secret);
        let id = key.id;
        let settings = [
            ("CLIENT_SECRET", secret.as_str()),
            ("CLIENT_KEYS", &id),
            ("RUST_LOG", "wrong=wrong"),
        ];
        let mut service = Service::start_without_log(&settings, stderr);
        service.get_apps_with(&key.token).assert_accepted();
        service.get_apps(&[]).assert_refused(NO_TOKEN);
        service.stop("TERM");
    }
    let status = program(&new_folder(), &[]).stderr(full()).status().unwrap();
    assert_eq!(status.code(), Some(2));
}

#[test]
fn wrong_log_filter_is_reported() {
    let service = Service::start(&[("CLIENT_SECRET", &new_secret()), ("RUST_LOG", "service=loud")]);
    service
        .wait_for_log("WARN service: RUST_LOG is not a filter that the service understands; it logs at the level info");
}

/// More than the log keeps while it cannot write.
const REQUESTS: usize = 20_000;

/// The refused requests in the log, and the lines that it says to be missing.
fn counted(log: &str) -> usize {
    let counts = log.lines().filter_map(|line| line.strip_suffix(" lines dropped"));
    let dropped: usize = counts
        .map(|line| line.rsplit(' ').next().unwrap().parse::<usize>().unwrap())
        .sum();
    log.matches("refused why=").count() + dropped
}

/// A pipe that stays open and that is not read.
#[test]
fn unread_log_does_not_stop_the_service_and_counts_what_it_dropped() {
    let (secret, level) = (new_secret(), ("RUST_LOG", "service=info"));
    let (mut service, pipe) = Service::start_with_pipe(&[("CLIENT_SECRET", &secret), level]);
    service.send_many(REQUESTS, "", "401");
    assert_eq!(service.get_health().status, 200);
    // There is room again: every line that is missing is in a count.
    let (read, lines) = mpsc::channel();
    spawn(move || pipe.lines().try_for_each(|line| read.send(line.unwrap())));
    let next_line = || lines.recv_timeout(PATIENCE).unwrap();
    let (mut log, mut count) = (String::new(), 0);
    while count < REQUESTS {
        let line = next_line();
        count += counted(&line);
        log += &line;
    }
    assert_eq!(count, REQUESTS);
    assert!(log.contains(" lines dropped"));
    service.get_apps(&[]).assert_refused(NO_TOKEN);
    assert!(next_line().contains("refused why="));
    service.stop("TERM");
    assert!(next_line().ends_with("INFO service::serve: stopping"));

    let (mut service, _pipe) = Service::start_with_pipe(&[("CLIENT_SECRET", &secret), level]);
    for requests in [2000, REQUESTS] {
        service.send_many(requests, "", "401");
    }
    assert!(service.stop("TERM") < EIGHT_SECONDS);
    // Nor do the last words of a command wait.
    let (_pipe, stuck) = pipe_that_is_full();
    let mut revoke = program(&new_folder(), &[]);
    let took = took(|| {
        let status = revoke.args(["revoke", "x"]).stderr(stuck).status();
        assert_eq!(status.unwrap().code(), Some(2));
    });
    assert!(took < EIGHT_SECONDS);
}

/// A standard error that fails instead of waiting, until somebody reads.
#[test]
fn log_lines_that_fail_are_counted() {
    let (mut reader, writer) = UnixStream::pair().unwrap();
    for stream in [&reader, &writer] {
        stream.set_nonblocking(true).unwrap();
    }
    let (secret, level) = (new_secret(), ("RUST_LOG", "service=info"));
    let settings = [("CLIENT_SECRET", secret.as_str()), level];
    let service = Service::start_without_log(&settings, OwnedFd::from(writer));
    let (mut log, mut sent, mut more) = (Vec::new(), 0, REQUESTS);
    until(|| {
        service.send_many(more, "", "401");
        (sent, more) = (sent + more, 1);
        sleep(Duration::from_millis(20));
        // An error, since there is no end, behind all that there is.
        reader.read_to_end(&mut log).unwrap_err();
        counted(str::from_utf8(&log).unwrap()) >= sent
    });
    let log = String::from_utf8(log).unwrap();
    assert_eq!(counted(&log), sent);
    assert!(log.contains(" lines dropped"));
}

fn pipe_that_is_full() -> (PipeReader, PipeWriter) {
    let (reader, writer) = pipe().unwrap();
    let mut filling = writer.try_clone().unwrap();
    // Ends when the reader is dropped.
    spawn(move || while filling.write_all(&[b'\n'; 4096]).is_ok() {});
    sleep(Duration::from_millis(500));
    (reader, writer)
}

#[test]
fn wrong_commands_are_told_what_is_right() {
    let secret = new_secret();
    let key = new_key(&secret);
    let token = &key.token;
    let settings = [("CLIENT_SECRET", secret.as_str())];
    let no_database = "DATABASE_URL is not set, and this command needs it";
    let unexpected = "unexpected argument found; see service --help";
    let cases: [(&[&str], &str); 14] = [
        (&["serve"], "unrecognized subcommand; see service --help"),
        (&[token], "unrecognized subcommand; see service --help"),
        (&["issue", "a", "b"], unexpected),
        (&["issue", "--hlep"], unexpected),
        (&["issue", "-x"], unexpected),
        (&["--verbose"], unexpected),
        (&["list", token], unexpected),
        (
            &["revoke"],
            "one or more required arguments were not provided; see service --help",
        ),
        (
            &["revoke", token],
            "revoke HANDLE: expected the 16 hexadecimal digits that `service list` shows",
        ),
        (&["issue", "a"], no_database),
        (&["migrate"], no_database),
        (&["list"], no_database),
        (&["revoke", "0123456789abcdef"], no_database),
        (&["revoke", "--all", "--yes"], no_database),
    ];
    for (arguments, expected) in cases {
        assert_fails(&new_folder(), &settings, arguments, 2, expected);
    }
    let mut latin_1 = program(&new_folder(), &settings);
    let output = latin_1
        .args([OsStr::new("issue"), OsStr::from_bytes(b"\xfcber")])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stderr.starts_with(b"service: invalid UTF-8 was detected"));
}

#[test]
fn options_are_answered_with_the_usage() {
    for (arguments, expected) in [
        (
            ["help", "revoke"].as_slice(),
            "Usage: service revoke [OPTIONS] [HANDLE]\n",
        ),
        (&["--help"], "Usage: service [COMMAND]\n"),
        (&["--version"], concat!("service ", env!("CARGO_PKG_VERSION"), "\n")),
    ] {
        let output = run(&[], arguments);
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        let stdout = String::from_utf8(output.stdout).unwrap();
        assert!(stdout.contains(expected), "{arguments:?}: {stdout}");
    }
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let status = program(&new_folder(), &[])
        .arg("--help")
        .stdout(full.try_clone().unwrap())
        .status();
    assert_eq!(status.unwrap().code(), Some(1));
    // A token that could not be shown is not lost without a word.
    let output = program(&new_folder(), &[("CLIENT_SECRET", &new_secret())])
        .arg("issue")
        .stdout(full)
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    let lost = " is lost: revoke it and issue another key\n";
    assert!(stderr.ends_with(lost), "{stderr}");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn label_that_shows_nothing_or_disturbs_a_terminal_is_refused() {
    let settings = [
        ("CLIENT_SECRET", new_secret()),
        ("DATABASE_URL", "postgresql://127.0.0.1:1/d".to_owned()),
    ];
    let settings = settings.each_ref().map(|(name, text)| (*name, text.as_str()));
    let rule = "issue LABEL: expected 1 to 100 visible characters, without white space at either end";
    let disturbing = [
        0x08, 0x09, 0x0a, 0x0d, 0x1b, 0x7f, 0x85, 0x9b, 0xad, 0x378, 0x115f, 0x200b, 0x200f, 0x2028, 0x2029, 0x202e,
        0x2066, 0xe000, 0xfe0f, 0xfeff, 0xe0041,
    ];
    let disturbing = disturbing.map(|code| format!("a{}b", char::from_u32(code).unwrap()));
    // At either end, or alone.
    let invisible = [0x09, 0x20, 0xa0, 0x2800, 0x3000, 0x3164].map(|code| char::from_u32(code).unwrap());
    let invisible = invisible.map(|c| [format!("{c}"), format!("{c}a"), format!("a{c}")]);
    let others = [String::new(), "\u{301}a".to_owned(), "ö".repeat(101)];
    for wrong in disturbing.iter().chain(invisible.as_flattened()).chain(&others) {
        assert_fails(&new_folder(), &settings, &["issue", "--", wrong], 2, rule);
    }
    // These get as far as the database, which is not there.
    let longest = "ö".repeat(100);
    let right = "Trivial Inc.|O'Hara & Söhne|e\u{301}|株式会社|हिन्दी|שלום|🦀 2|--help|$".split('|');
    for right in right.chain([longest.as_str()]) {
        let refused = "error connecting to server: Connection refused (os error 111)";
        assert_fails(&new_folder(), &settings, &["issue", "--", right], 1, refused);
    }
}

#[test]
fn occupied_port_is_a_failure_of_status_1() {
    let occupied = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = occupied.local_addr().unwrap().port().to_string();
    let error = format!("127.0.0.1:{port}: Address already in use (os error 98)");
    let settings = [("CLIENT_SECRET", &*new_secret()), ("PORT", &port)];
    assert_fails(&new_folder(), &settings, &[], 1, &error);
}

#[test]
fn without_a_list_every_key_is_refused() {
    let secret = new_secret();
    let key = new_key(&secret);
    for list in ["", " , "] {
        let service = Service::start(&[("CLIENT_SECRET", &secret), ("CLIENT_KEYS", list)]);
        service.wait_for_log("WARN service::serve: CLIENT_KEYS is not set or empty: every key is refused");
        service.get_apps_with(&key.token).assert_refused(INVALID_TOKEN);
        service.wait_for_log(&format!(
            "refused why=key id not in the allow list key_id={} secret=\"current\"",
            key.id
        ));
    }
}

#[test]
fn log_tells_why_a_request_was_refused() {
    let (service, token) = guarded();
    let altered = format!("Authorization: Bearer {token}=");
    let malformed = r#"why=not a client key token: expected "ck1_" and 58 characters of base64url"#;
    for (headers, why) in [
        (vec![], r#"why="no Authorization header""#),
        (vec!["Authorization: Basic x"], r#"why="not the Bearer scheme""#),
        (vec!["Authorization: Bearer"], r#"why="no token after Bearer""#),
        (
            vec!["Authorization: Bearer x"; 2],
            r#"why="more than one Authorization header""#,
        ),
        (vec!["Authorization: Bearer x"], malformed),
        (vec![&altered], malformed),
        (
            vec![&format!("Authorization: Bearer {}", guarded().1)],
            "why=token altered, or not issued under this client secret",
        ),
    ] {
        let headers: Vec<&[u8]> = headers.into_iter().map(str::as_bytes).collect();
        assert_eq!(service.get_apps(&headers).status, 401);
        service.wait_for_log(&format!("WARN service::authorize: refused {why}"));
    }
    service.get_apps_with(&token).assert_accepted();
}

#[test]
fn log_has_the_address_of_the_only_x_real_ip() {
    let secret = new_secret();
    let [listed, unlisted] = [new_key(&secret), new_key(&secret)];
    let service = Service::start(&[("CLIENT_SECRET", &secret), ("CLIENT_KEYS", &listed.id)]);
    let requests = [
        (bearer(&listed), "accepted key_id="),
        (bearer(&unlisted), "refused why=key id not"),
        (bearer(&new_key(&new_secret())), "refused why=token altered"),
        ("Authorization: Bearer x\r\n".to_owned(), "refused why=not a client"),
        (String::new(), "refused why=\"no Authorization"),
    ];
    let one = "X-Real-IP: 203.0.113.7\r\n";
    let mut cases = vec![
        (one.as_bytes().to_vec(), " address=203.0.113.7"),
        (b"x-real-ip:\t2001:DB8::7 \r\n".to_vec(), " address=2001:db8::7"),
        (b"X-Real-IP: 203.0.113.7\xff\r\n".to_vec(), ""),
    ];
    for (other, malformed) in [
        ("", "203.0.113.7, 203.0.113.8"),
        ("", "203.0.113.7 address=203.0.113.8"),
        ("", "203.0.113.7:80"),
        ("", "[2001:db8::7]"),
        ("", "203.0.113.007"),
        ("", ""),
        (one, "203.0.113.7"),
        (one, "x"),
        ("X-Forwarded-For: 203.0.113.7\r\nForwarded: for=203.0.113.7\r\n", "x"),
    ] {
        cases.push((format!("{other}X-Real-IP: {malformed}\r\n").into_bytes(), ""));
    }
    cases.push((Vec::new(), ""));
    for (headers, end) in &cases {
        for (authorization, event) in &requests {
            let head = format!("GET /apps HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{authorization}");
            let length = service.log().len();
            service.send(&[head.as_bytes(), headers, b"\r\n"].concat());
            let line = service.wait_for_log_after(length, "service::authorize: ");
            assert!(line.contains(event), "{line}");
            assert!(line.ends_with(end), "{line}");
            assert_eq!(line.contains("address="), !end.is_empty(), "{line}");
        }
    }
}

#[test]
fn secret_is_rotated_without_a_gap() {
    let (old, new) = (new_secret(), new_secret());
    let [before, revoked] = [new_key(&old), new_key(&old)];
    let [after, unlisted] = [new_key(&new), new_key(&new)];
    let keys = format!("{}, {}", before.id, after.id);
    let during = Service::start(&[
        ("CLIENT_SECRET", &new),
        ("CLIENT_SECRET_PREVIOUS", &old),
        ("CLIENT_KEYS", &keys),
    ]);
    for (key, secret) in [(&before, "previous"), (&after, "current")] {
        during.get_apps_with(&key.token).assert_accepted();
        during.wait_for_log(&format!("accepted key_id={} secret=\"{secret}\"", key.id));
    }
    // Each says that it is unlisted; an `or_else` on every error would have called the second inauthentic.
    for (key, secret) in [(&revoked, "previous"), (&unlisted, "current")] {
        during.get_apps_with(&key.token).assert_refused(INVALID_TOKEN);
        during.wait_for_log(&format!(
            "refused why=key id not in the allow list key_id={} secret=\"{secret}\"",
            key.id
        ));
    }
    let other = new_key(&new_secret());
    during.get_apps_with(&other.token).assert_refused(INVALID_TOKEN);

    let list = ("CLIENT_KEYS", keys.as_str());
    let done = Service::start(&[("CLIENT_SECRET", &new), ("CLIENT_SECRET_PREVIOUS", ""), list]);
    done.get_apps_with(&before.token).assert_refused(INVALID_TOKEN);
    done.get_apps_with(&after.token).assert_accepted();
}

/// Every form that a file of one line may have, and every way to get it wrong.
#[test]
fn secrets_are_read_from_files() {
    let folder = new_folder();
    let [secret, previous] = [new_secret(), new_secret()];
    let keys = [new_key(&secret), new_key(&previous)];
    let [a, b] = keys.each_ref().map(|key| &key.id);
    let dotenv = format!("CLIENT_KEYS={a}, {b}\nCLIENT_SECRET_FILE=current\n");
    fs::write(folder.join(".env"), dotenv).unwrap();
    let path = folder.join("previous");
    let settings = [("CLIENT_SECRET_PREVIOUS_FILE", path.to_str().unwrap())];
    for newline in ["", "\n", "\r\n"] {
        fs::write(folder.join("current"), format!("{secret}{newline}")).unwrap();
        fs::write(&path, format!("{previous}{newline}")).unwrap();
        let service = Service::start_in(&folder, &settings);
        service.wait_for_log("CLIENT_SECRET_FILE from .env, CLIENT_SECRET_PREVIOUS not set");
        for key in &keys {
            service.get_apps_with(&key.token).assert_accepted();
        }
    }
    let with_both = new_folder();
    fs::write(with_both.join(".env"), format!("CLIENT_SECRET_PREVIOUS={previous}")).unwrap();
    let error = "CLIENT_SECRET_PREVIOUS (from .env) and CLIENT_SECRET_PREVIOUS_FILE (from the environment) are both set; \
                 write the secret into the file and remove CLIENT_SECRET_PREVIOUS";
    let both = [settings[0], ("CLIENT_SECRET", &secret)];
    assert_mistake(&with_both, &both, error);
    let length = |found| format!("expected 64 hexadecimal digits, found {found} characters");
    for (bytes, expected) in [
        (format!("{previous}\n\n").as_bytes(), length(65)),
        (format!("{previous}\r\r\n").as_bytes(), length(65)),
        (format!(" {previous}").as_bytes(), length(65)),
        (b"", length(0)),
        (b"\xff\n", "expected UTF-8".to_owned()),
        (&vec![b'0'; (1 << 20) + 1], "expected at most 1 MiB".to_owned()),
    ] {
        fs::write(&path, bytes).unwrap();
        assert_mistake(&folder, &settings, &format!("CLIENT_SECRET_PREVIOUS_FILE: {expected}"));
    }
    fs::remove_file(&path).unwrap();
    let fifo = folder.join("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    for (path, expected) in [
        (&path, "No such file or directory (os error 2)"),
        (&folder, "expected a regular file"),
        (&fifo, "expected a regular file"),
        (&folder.join("current/x"), "Not a directory (os error 20)"),
    ] {
        let settings = [("CLIENT_SECRET_FILE", path.to_str().unwrap())];
        assert_mistake(&folder, &settings, &format!("CLIENT_SECRET_FILE: {expected}"));
    }
}

#[test]
fn log_names_secrets_by_their_fingerprints() {
    // `(printf 'client-keys fingerprint'; xxd -r -p <<<"$CLIENT_SECRET") | sha256sum | cut -c 1-8`
    let secret = "8d105ffc00112233445566778899aabbccddeeff00112233445566778899aabb";
    let upper = secret.to_uppercase();
    let service = Service::start(&[("CLIENT_SECRET", secret), ("CLIENT_SECRET_PREVIOUS", &upper)]);
    service.wait_for_log("CLIENT_SECRET fingerprint=a6c099d5");
    service.wait_for_log("CLIENT_SECRET_PREVIOUS: tokens under it are accepted as well fingerprint=a6c099d5");
    service.wait_for_log("WARN service::serve: CLIENT_SECRET_PREVIOUS and CLIENT_SECRET are the same secret");
}

/// What a log says at the level WARN, of which it drops lines, hourly and at the end.
#[test]
fn acceptances_under_the_previous_secret_are_counted() {
    let (old, new) = (new_secret(), new_secret());
    let [before, after] = [new_key(&old), new_key(&new)];
    let list = format!("{}, {}", before.id, after.id);
    // Whose hours are seconds.
    let clock = library(
        "#define _GNU_SOURCE\n#include <sys/syscall.h>\n#include <sys/epoll.h>\n#include <time.h>\n#include <unistd.h>\n\
         int clock_gettime(clockid_t id, struct timespec *t) {\n\
         long r = syscall(SYS_clock_gettime, id, t); if (id == CLOCK_MONOTONIC) t->tv_sec *= 3600; return r; }\n\
         int epoll_wait(int e, struct epoll_event *v, int n, int ms) {\n\
         return syscall(SYS_epoll_pwait, e, v, n, ms > 100 ? 100 : ms, 0, 8); }\n",
    );
    let settings = [
        ("CLIENT_SECRET", new.as_str()),
        ("CLIENT_SECRET_PREVIOUS", &old),
        ("CLIENT_KEYS", &list),
        ("RUST_LOG", "service=info"),
    ];
    let (mut service, pipe) = Service::start_with_pipe(&settings);
    service.send_many(REQUESTS, &bearer(&before), "200");
    service.send_many(2, &bearer(&after), "200");
    let unlisted = new_key(&old);
    service.get_apps_with(&unlisted.token).assert_refused(INVALID_TOKEN);
    let (read, lines) = mpsc::channel();
    spawn(move || pipe.lines().try_for_each(|line| read.send(line.unwrap())));
    let seen = |expected: &str| while !lines.recv_timeout(PATIENCE).unwrap().ends_with(expected) {};
    let count = |count| {
        format!("WARN service::serve: requests accepted under CLIENT_SECRET_PREVIOUS since the start count={count}")
    };
    seen(" lines dropped");
    service.signal("HUP");
    seen(&count(REQUESTS));
    service.send_many(1, &bearer(&before), "200");
    service.stop("TERM");
    seen(&count(REQUESTS + 1));

    let log = new_folder().join("warn.log");
    let [current, previous, keys, _] = settings;
    let settings = [current, previous, keys, ("RUST_LOG", "warn"), ("LD_PRELOAD", &clock)];
    let service = Service::start_without_log(&settings, fs::File::create(&log).unwrap());
    for (number, lines) in [(0, 3), (1, 2)] {
        until(|| fs::read_to_string(&log).unwrap().matches(&count(number)).count() >= lines);
        service.get_apps_with(&before.token).assert_accepted();
    }
}

#[test]
fn sighup_reads_the_list_of_dotenv_again() {
    let folder = new_folder();
    let secret = new_secret();
    let keys = [new_key(&secret), new_key(&secret)];
    let [a, b] = keys.each_ref().map(|key| &key.id);
    // As Rails takes it.
    let first = format!(
        "\u{feff}# shared\r\n \r\nCLIENT_SECRET=\"{secret}\" \t# it's\r\n\t\r\nexport CLIENT_KEYS = {a}, {b}\t# two\r\n\
         PEM=\"-----BEGIN\r\nCLIENT_KEYS=\r\n\"\r\nURL=http://${{HOST}}/\\n\r\nSHA=$(git rev-parse HEAD)\r\nURL: x"
    );
    let path = folder.join(".env");
    fs::write(&path, &first).unwrap();
    let service = Service::start_in(&folder, &[]);
    let assert_accepts = |accepted: &[&Key]| {
        for key in &keys {
            let status = if accepted.iter().any(|other| other.id == key.id) {
                200
            } else {
                401
            };
            assert_eq!(service.get_apps_with(&key.token).status, status);
        }
    };
    let same = |why: &str| format!("ERROR service::serve: CLIENT_KEYS stays as it was: {why}");
    let read = |text: String, expected: &str| {
        fs::write(&path, text).unwrap();
        service.reload(expected);
    };
    assert_accepts(&[&keys[0], &keys[1]]);
    // Of this file nothing but the list counts.
    let list_alone = format!("CLIENT_KEYS={b}\nCLIENT_SECRET=x\nDATABASE_URL=x");
    read(
        list_alone,
        "INFO service::serve: client keys are those of CLIENT_KEYS count=1",
    );
    let absent = ".env: the file is missing or does not set it";
    let wrong_id = "CLIENT_KEYS: entry 2: expected 30 hexadecimal digits, found 11 characters";
    for (text, why) in [
        ("", absent),
        ("PORT=1\n# CLIENT_KEYS=@", absent),
        ("CLIENT_KEYS=@, another-key", wrong_id),
        (
            "CLIENT_KEYS=@\nCLIENT_KEYS=",
            "CLIENT_KEYS: .env: line 2: this line sets it a second time; remove one of them",
        ),
        ("CLIENT_KEYS=@\nPORT", ".env: line 2: expected NAME=value"),
    ] {
        read(text.replace('@', a), &same(why));
        assert_accepts(&[&keys[1]]);
    }
    read(
        "CLIENT_KEYS= # none\n".to_owned(),
        "WARN service::serve: CLIENT_KEYS is not set or empty: every key is refused",
    );
    assert_accepts(&[]);
    read(format!("CLIENT_KEYS={a},{b}, {a}"), "count=3");
    fs::remove_file(&path).unwrap();
    service.reload(&same(absent));
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    service.reload(&same(".env: expected a regular file"));
    assert_accepts(&[&keys[0], &keys[1]]);

    let (service, token) = guarded();
    service.reload(&same("the environment sets it, which only a restart changes"));
    service.get_apps_with(&token).assert_accepted();
    let database = ("DATABASE_URL", "postgresql://127.0.0.1:1/d");
    let service = Service::start(&[("CLIENT_SECRET", &secret), database]);
    service.reload("nothing to reload: each request reads the client keys from the database");
}

#[test]
fn reloading_under_load_answers_nothing_wrongly() {
    const REQUESTS: usize = 3000;
    let folder = new_folder();
    let secret = new_secret();
    let [kept, taken] = [new_key(&secret), new_key(&secret)];
    let others: Vec<String> = (0..3998).map(|number| format!("{number:030x}")).collect();
    let lists = [
        format!("{},{},{}", taken.id, others.join(","), kept.id),
        format!("{},{}", kept.id, others.join(", ")),
    ];
    let replace = |list: &str| {
        let text = format!("CLIENT_SECRET={secret}\nCLIENT_KEYS={list}\n");
        fs::write(folder.join(".env.new"), text).unwrap();
        fs::rename(folder.join(".env.new"), folder.join(".env")).unwrap();
    };
    replace(&lists[0]);
    let service = Service::start_in(&folder, &[("RUST_LOG", "service=info")]);
    scope(|scope| {
        let load = [(); 2].map(|()| scope.spawn(|| service.send_many(REQUESTS, &bearer(&kept), "200")));
        let mut reloads = 0;
        while reloads < 4 || !load.iter().all(ScopedJoinHandle::is_finished) {
            replace(&lists[1]);
            service.reload("CLIENT_KEYS count=3999");
            service.send_many(10, &bearer(&taken), "401");
            replace(&lists[0]);
            service.reload("CLIENT_KEYS count=4000");
            service.send_many(10, &bearer(&taken), "200");
            reloads += 2;
        }
    });
}

#[test]
fn sigterm_ends_the_service_with_idle_connections_open() {
    for signal in ["TERM", "INT"] {
        let (mut service, token) = guarded();
        let mut kept = service.connect();
        let request = format!("GET /apps HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n");
        kept.write_all(request.as_bytes()).unwrap();
        let mut start = [0; 15];
        kept.read_exact(&mut start).unwrap();
        assert_eq!(&start, b"HTTP/1.1 200 OK");
        let took = service.stop(signal);
        assert!(took < Duration::from_secs(5), "{took:?}");
        service.wait_for_log("service::serve: stopping");
        assert!(!service.log().contains("stopped with connections open"));
    }
}

/// Here with some room for a slow machine. Docker kills after ten.
const EIGHT_SECONDS: Duration = Duration::from_secs(12);

#[test]
fn sigterm_leaves_a_request_seven_seconds_and_no_more() {
    let settings = [
        ("CLIENT_SECRET", new_secret()),
        ("CLIENT_SECRET_PREVIOUS", new_secret()),
    ];
    let mut service = Service::start(&settings.each_ref().map(|(name, text)| (*name, text.as_str())));
    let mut unfinished = service.connect();
    unfinished.write_all(b"GET /apps HTTP/1.1\r\nHost: loc").unwrap();
    sleep(Duration::from_millis(500));
    let storm = format!(
        "kill -s TERM {0}; for i in $(seq 100); do kill -s HUP {0}; done",
        service.id()
    );
    let took = took(|| {
        assert!(Command::new("sh").args(["-c", &storm]).status().unwrap().success());
        assert_eq!(service.wait().code(), Some(0));
    });
    assert!(took > Duration::from_secs(6) && took < EIGHT_SECONDS, "{took:?}");
    service.wait_for_log("WARN service::serve: stopped with connections open");
    assert!(
        service.log().ends_with("since the start count=0\n"),
        "{}",
        service.log()
    );
}

/// The look-up of a host name that hangs: libc's, which no signal or timeout ends.
#[test]
fn sigterm_and_commands_do_not_wait_for_a_look_up_of_a_host_name() {
    let library = library("#include <unistd.h>\nint getaddrinfo(void) { for (;;) sleep(1000); }\n");
    let secret = new_secret();
    let settings = [
        ("CLIENT_SECRET", secret.as_str()),
        ("DATABASE_URL", "postgresql://u:hunter2@hangs.example/d"),
        ("LD_PRELOAD", &library),
    ];
    let mut service = Service::start(&settings);
    service.get_apps_with(&new_key(&secret).token).assert_unavailable();
    assert!(service.stop("TERM") < EIGHT_SECONDS);
    assert_no_answer(&settings, &["list"]);
    // Its own address: SIGTERM ends it before it listens too, and SIGHUP does not.
    let settings = [settings[0], settings[2], ("HOST", "hangs.example")];
    let mut service = Service::spawn_in(&new_folder(), &settings);
    service.wait_for_log("settings: ");
    service.signal("HUP");
    assert!(service.stop("TERM") < Duration::from_secs(5));
}

#[track_caller]
fn assert_no_answer(settings: &[(&str, &str)], arguments: &[&str]) {
    let error = "DATABASE_URL: the database did not answer within 10s";
    let took = took(|| assert_fails(&new_folder(), settings, arguments, 1, error));
    assert!(took < Duration::from_secs(15), "{took:?}");
}

/// A database that takes connections and never says a word.
#[test]
fn commands_do_not_wait_for_a_silent_database() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("postgresql://u@{}/d", silent.local_addr().unwrap());
    let secret = new_secret();
    let settings = [("CLIENT_SECRET", secret.as_str()), ("DATABASE_URL", &url)];
    let handle = "0123456789abcdef";
    scope(|scope| {
        for arguments in [
            vec!["revoke", handle],
            vec!["issue", "a"],
            vec!["list"],
            vec!["migrate"],
        ] {
            scope.spawn(move || assert_no_answer(&settings, &arguments));
        }
    });
}

#[test]
fn silent_database_is_503_soon_and_sigterm_waits_for_the_answer() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("postgresql://u@{}/d", silent.local_addr().unwrap());
    let secret = new_secret();
    let key = new_key(&secret);
    // The id is listed, but not there where the ids are.
    let mut service = Service::start(&[
        ("CLIENT_SECRET", &secret),
        ("CLIENT_KEYS", &key.id),
        ("DATABASE_URL", &url),
    ]);
    service.wait_for_log("WARN service::serve: CLIENT_KEYS is not used: DATABASE_URL is set");
    let waited = took(|| service.get_apps_with(&key.token).assert_unavailable());
    let about_two = Duration::from_millis(1900)..Duration::from_secs(4);
    assert!(about_two.contains(&waited), "{waited:?}");
    let line = service.wait_for_log("ERROR service::authorize: look-up failed handle=");
    assert!(
        line.ends_with(" error=\"the database did not answer within two seconds\""),
        "{line}"
    );
    // What is refused without the database does not wait for it.
    let other = new_key(&new_secret());
    let waited = took(|| service.get_apps_with(&other.token).assert_refused(INVALID_TOKEN));
    assert!(waited < Duration::from_secs(1), "{waited:?}");

    let mut stream = service.connect();
    let request = format!(
        "GET /apps HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\r\n",
        &key.token
    );
    stream.write_all(request.as_bytes()).unwrap();
    sleep(Duration::from_millis(500));
    service.signal("TERM");
    Answer::read(stream).assert_unavailable();
    assert_eq!(service.wait().code(), Some(0));
}
