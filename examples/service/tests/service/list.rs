//! The service with its allow list in `CLIENT_KEYS`.

use crate::harness::{
    Answer, INVALID_TOKEN, NO_TOKEN, Service, new_folder, new_key, new_secret, program, run, run_in, sensitive,
};
use std::{
    ffi::OsStr,
    fs,
    io::{Read, Write},
    net::TcpListener,
    os::unix::ffi::OsStrExt,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// What the program printed on standard output after `name: `.
#[track_caller]
fn printed<'a>(output: &'a str, name: &str) -> &'a str {
    let found = output
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    found.unwrap()
}

#[test]
fn walk_through_holds_from_the_shell_to_fetch() {
    let folder = new_folder();
    let secret = Command::new("openssl")
        .args(["rand", "-hex", "32"])
        .output()
        .unwrap()
        .stdout;
    let secret = String::from_utf8(secret).unwrap();
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

    Service::start_in(&folder, &[])
        .get_apps_with(token)
        .assert_refused(INVALID_TOKEN);

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
    service.wait_for_log(&format!("let in key_id={id} secret=\"current\""));
}

#[test]
fn environment_goes_before_dotenv() {
    let folder = new_folder();
    let (written, set) = (new_secret(), new_secret());
    let key = new_key(&set);
    fs::write(
        folder.join(".env"),
        format!("CLIENT_SECRET={written}\nCLIENT_KEYS=\"{}\"\n", key.key_id),
    )
    .unwrap();
    let service = Service::start_in(&folder, &[("CLIENT_SECRET", &set)]);
    service.get_apps_with(key.key_access_token.as_str()).assert_let_in();
}

/// A service that lets one key in, and the key's token.
fn guarded() -> (Service, String) {
    let secret = new_secret();
    let key = new_key(&secret);
    let settings = [
        ("CLIENT_SECRET", secret.as_str()),
        ("CLIENT_KEYS", &key.key_id.to_string()),
    ];
    (Service::start(&settings), key.key_access_token.as_str().to_owned())
}

#[test]
fn every_spelling_of_rfc_9110_is_let_in() {
    let (service, token) = guarded();
    for header in [
        format!("Authorization: Bearer {token}"),
        format!("authorization: bearer {token}"),
        format!("AUTHORIZATION: BEARER {token}"),
        format!("Authorization: bEaReR {token}"),
        format!("Authorization: Bearer     {token}"),
        // White space around a field's value is no part of it: RFC 9110 section 5.5.
        format!("Authorization:Bearer {token}"),
        format!("Authorization: \t Bearer {token}"),
        format!("Authorization: Bearer {token}  "),
        format!("Authorization: Bearer {token} \t "),
    ] {
        service.get_apps(&[header.as_bytes()]).assert_let_in();
    }
}

#[test]
fn everything_else_is_refused_alike() {
    let (service, token) = guarded();
    let (_, unlisted) = guarded();
    let long = format!("Authorization: Bearer {}", "A".repeat(8 << 10));
    let long_behind = format!("Authorization: Bearer {token}{}", "A".repeat(8 << 10));
    let good = format!("Authorization: Bearer {token}");
    let foreign = format!("Authorization: Bearer {unlisted}");
    service.get_apps(&[]).assert_refused(NO_TOKEN);
    for header in [
        "Authorization:".to_owned(),
        "Authorization: Bearer".to_owned(),
        "Authorization: Bearer  ".to_owned(),
        "Authorization: Basic Y2xpZW50OmtleQ==".to_owned(),
        format!("Authorization: {token}"),
        format!("Authorization: Bearer{token}"),
        format!("Authorization: Bearer\t{token}"),
        format!("Authorization: Token {token}"),
        format!("Authorization: Bearer: {token}"),
        format!("Authorization: \"Bearer\" {token}"),
        format!("X-Authorization: Bearer {token}"),
    ] {
        service.get_apps(&[header.as_bytes()]).assert_refused(NO_TOKEN);
    }
    let (other, bad) = (good.replace("Bearer", "bearer"), "Authorization: Basic x");
    for two in [
        [good.as_str(), &good],
        [&good, &other],
        [&good, &foreign],
        [&foreign, &good],
        [&good, bad],
        [bad, &good],
        [&good, "Authorization:"],
    ] {
        service.get_apps(&two.map(str::as_bytes)).assert_refused(NO_TOKEN);
    }
    let with = |before: &[u8], after: &[u8]| [b"Authorization: Bearer ", before, token.as_bytes(), after].concat();
    for header in [
        foreign.into_bytes(),
        long.into_bytes(),
        long_behind.into_bytes(),
        b"Authorization: Bearer \xff\xfe\x80".to_vec(),
        b"Authorization: Bearer t\xc3\xb6ken".to_vec(),
        with(b"", b"\xff"),
        with(b"\xff", b""),
        with(b"", b"="),
        with(b"", b","),
        with(b"", b" x"),
        with(b"", b", Bearer x"),
        with(b"\"", b"\""),
        with(b"\t", b""),
        with(b"token=", b""),
        with(b"Bearer ", b""),
        with(b"x, Bearer ", b""),
    ] {
        service.get_apps(&[&header]).assert_refused(INVALID_TOKEN);
    }
    service.get_apps_with(&token).assert_let_in();
}

#[test]
fn what_is_no_http_never_gets_as_far_as_a_check() {
    let (service, token) = guarded();
    let with = |after: &[u8]| [b"Authorization: Bearer ", token.as_bytes(), after].concat();
    for header in [
        with(b"\0"),
        with(b"\x7f"),
        with(b"\x01"),
        with(b"\rX: y"),
        // Line folding, which RFC 9112 section 5.2 has abolished.
        [b"Authorization: Bearer\r\n ".as_slice(), token.as_bytes()].concat(),
        [b"Authorization : Bearer ".as_slice(), token.as_bytes()].concat(),
    ] {
        let answer = service.get_apps(&[&header]);
        assert_eq!(answer.status, 400, "{answer:?}");
    }
    let answer = service.get_apps(&[format!("Authorization: Bearer {}", "A".repeat(1 << 20)).as_bytes()]);
    assert_eq!(answer.status, 431, "{answer:?}");
    service.get_apps_with(&token).assert_let_in();
    assert_eq!(service.log().matches("let in").count(), 1);
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
    let header = format!("Authorization: Bearer {token}\r\n");
    for (line, status) in [
        ("GET /apps", 200),
        ("GET /apps?page=1", 200),
        ("POST /apps", 405),
        ("OPTIONS /apps", 405),
        ("GET /apps/", 404),
        ("GET //apps", 404),
        ("GET /health/", 404),
        ("GET /health/../apps", 404),
        ("GET /", 404),
        ("OPTIONS *", 404),
    ] {
        send(line, "").assert_refused(NO_TOKEN);
        assert_eq!(send(line, &header).status, status, "{line}");
    }
    // RFC 6750 section 2.3 is not for this service: a token in a URL ends up in logs.
    send(&format!("GET /apps?access_token={token}"), "").assert_refused(NO_TOKEN);
}

#[test]
fn wrong_settings_stop_the_start() {
    let (secret, id) = (new_secret(), new_key(&new_secret()).key_id.to_string());
    let (short, wrong) = (&secret[1..], secret.replace(&secret[..1], "g"));
    sensitive(short);
    let two = format!("{id}, another-key");
    let cases: [(&[(&str, &str)], &str); 14] = [
        (&[], "CLIENT_SECRET: not set"),
        (&[("CLIENT_SECRET", "")], "CLIENT_SECRET: not set"),
        (
            &[("CLIENT_SECRET", "8d105ffc...")],
            "CLIENT_SECRET: expected 64 hexadecimal digits, found 11 characters",
        ),
        (
            &[("CLIENT_SECRET", short)],
            "CLIENT_SECRET: expected 64 hexadecimal digits, found 63 characters",
        ),
        (
            &[("CLIENT_SECRET", &wrong)],
            "CLIENT_SECRET: expected 64 hexadecimal digits, character 1 is not one",
        ),
        (
            &[("CLIENT_SECRET", &secret), ("CLIENT_SECRET_PREVIOUS", short)],
            "CLIENT_SECRET_PREVIOUS: expected 64 hexadecimal digits, found 63 characters",
        ),
        (
            &[("CLIENT_SECRET", &secret), ("CLIENT_KEYS", "xxx, another-key")],
            "CLIENT_KEYS: entry 1: expected 30 hexadecimal digits, found 3 characters",
        ),
        (
            &[("CLIENT_SECRET", &secret), ("CLIENT_KEYS", &two)],
            "CLIENT_KEYS: entry 2: expected 30 hexadecimal digits, found 11 characters",
        ),
        (
            &[("CLIENT_SECRET", &secret), ("PORT", "http")],
            "PORT: invalid digit found in string",
        ),
        (
            &[("CLIENT_SECRET", &secret), ("PORT", "65536")],
            "PORT: number too large to fit in target type",
        ),
        (
            // Of a network that is for documentation: no machine's own.
            &[("CLIENT_SECRET", &secret), ("HOST", "192.0.2.1"), ("PORT", "0")],
            "HOST, PORT: Cannot assign requested address (os error 99)",
        ),
        (
            &[("CLIENT_SECRET", &secret), ("DATABASE_URL", "mysql://u:hunter2@h/d")],
            "DATABASE_URL: invalid connection string",
        ),
        (
            &[
                ("CLIENT_SECRET", &secret),
                ("DATABASE_URL", "postgresql://u:hunter2@h/d?sslmode=require"),
            ],
            "DATABASE_URL: sslmode=require, but this program speaks no TLS",
        ),
        (
            &[
                ("CLIENT_SECRET", &secret),
                ("CLIENT_KEYS", "xxx"),
                ("DATABASE_URL", "postgresql://u:hunter2@h/d"),
            ],
            "CLIENT_KEYS: entry 1: expected 30 hexadecimal digits, found 3 characters",
        ),
    ];
    sensitive("hunter2");
    for (settings, expected) in cases {
        let output = run(settings, &[]);
        assert_eq!(
            String::from_utf8_lossy(&output.stderr).lines().last(),
            Some(format!("service: {expected}").as_str())
        );
        assert_eq!(output.status.code(), Some(2), "{expected}");
    }
}

#[test]
fn wrong_dotenv_stops_the_start_and_is_not_shown() {
    let folder = new_folder();
    let secret = new_secret();
    for wrong in [
        format!("CLIENT_SECRET=\"{secret}"),
        format!("CLIENT_SECRET {secret}"),
        format!("CLIENT_SECRET='{secret}' x"),
        format!("CLIENT_SECRET={secret}\0"),
    ] {
        fs::write(folder.join(".env"), format!("PORT=0\n{wrong}\n")).unwrap();
        let output = run_in(&folder, &[], &[]);
        assert_eq!(
            String::from_utf8_lossy(&output.stderr),
            "service: .env: line 2 is not NAME=value\n"
        );
        assert_eq!(output.status.code(), Some(2));
    }
}

#[test]
fn name_that_dotenv_sets_twice_stops_the_start() {
    let folder = new_folder();
    let id = new_key(&new_secret()).key_id;
    for (first, second) in [("", ""), ("export ", ""), ("", "export "), ("\u{feff}", "")] {
        let text = format!("{first}CLIENT_KEYS={id}\n\n{second}CLIENT_KEYS=\n");
        fs::write(folder.join(".env"), text).unwrap();
        let output = run_in(&folder, &[], &[]);
        assert_eq!(
            String::from_utf8_lossy(&output.stderr),
            "service: .env: line 3 sets a name a second time\n"
        );
        assert_eq!(output.status.code(), Some(2));
    }
}

#[test]
fn dotenv_may_start_with_a_byte_order_mark() {
    let folder = new_folder();
    fs::write(folder.join(".env"), format!("\u{feff}CLIENT_SECRET={}\n", new_secret())).unwrap();
    assert!(run_in(&folder, &[], &["issue"]).status.success());
}

#[test]
fn dotenv_does_not_replace_what_is_not_utf_8() {
    let folder = new_folder();
    fs::write(folder.join(".env"), format!("CLIENT_SECRET={}\n", new_secret())).unwrap();
    let output = program(&folder, &[])
        .arg("issue")
        .env("CLIENT_SECRET", OsStr::from_bytes(b"\xff"))
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "service: CLIENT_SECRET: not UTF-8\n"
    );
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn log_that_takes_nothing_does_not_stop_the_service() {
    let secret = new_secret();
    let key = new_key(&secret);
    let id = key.key_id.to_string();
    let mut service = Service::start_without_log(&[("CLIENT_SECRET", &secret), ("CLIENT_KEYS", &id)]);
    service.get_apps_with(key.key_access_token.as_str()).assert_let_in();
    service.get_apps(&[]).assert_refused(NO_TOKEN);
    service.signal("TERM");
    assert_eq!(service.wait().code(), Some(0));

    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let status = program(&new_folder(), &[]).stderr(full).status().unwrap();
    assert_eq!(status.code(), Some(2));
}

#[test]
fn wrong_commands_are_told_what_is_right() {
    let secret = new_secret();
    let settings = [("CLIENT_SECRET", secret.as_str())];
    let no_database = "service: DATABASE_URL: not set, and this command needs it";
    let no_label = "service: issue LABEL: expected one line of text, without tabs";
    let cases: [(&[&str], &str); 8] = [
        (&["serve"], "service: usage:"),
        (&["issue", "a", "b"], "service: usage:"),
        (&["issue", "a"], no_database),
        (&["issue", "a\tb"], no_label),
        (&["issue", "a\x1b[2K"], no_label),
        (&["migrate"], no_database),
        (&["list"], no_database),
        (&["revoke", "0123456789abcdef0123456789abcd"], no_database),
    ];
    for (arguments, expected) in cases {
        let output = run(&settings, arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert_eq!(output.stdout, b"");
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(stderr.lines().next(), Some(expected));
    }
    let output = run(&settings, &["revoke", "xxx"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "service: revoke KEY_ID: expected 30 hexadecimal digits, found 3 characters\n"
    );
}

#[test]
fn occupied_port_is_a_failure_of_status_1() {
    let occupied = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = occupied.local_addr().unwrap().port().to_string();
    let output = run(&[("CLIENT_SECRET", &new_secret()), ("PORT", &port)], &[]);
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(
        stderr.contains(&format!("service: 127.0.0.1:{port}: Address already in use")),
        "{stderr}"
    );
}

#[test]
fn without_a_list_nobody_is_let_in() {
    let secret = new_secret();
    let key = new_key(&secret);
    let settings: [&[(&str, &str)]; 3] = [
        &[("CLIENT_SECRET", &secret)],
        &[("CLIENT_SECRET", &secret), ("CLIENT_KEYS", "")],
        &[("CLIENT_SECRET", &secret), ("CLIENT_KEYS", " , ")],
    ];
    for settings in settings {
        let service = Service::start(settings);
        service.wait_for_log("WARN service::serve: CLIENT_KEYS is not set or empty: nobody is let in");
        service
            .get_apps_with(key.key_access_token.as_str())
            .assert_refused(INVALID_TOKEN);
        service.wait_for_log(&format!(
            "refused why=key id not in the allow list key_id={} secret=\"current\"",
            key.key_id
        ));
    }
}

#[test]
fn log_tells_why_a_request_was_refused() {
    let (service, token) = guarded();
    for (headers, why) in [
        (vec![], r#"why="no Authorization header""#),
        (vec!["Authorization: Basic x"], r#"why="not the Bearer scheme""#),
        (vec!["Authorization: Bearer"], r#"why="no token after Bearer""#),
        (
            vec!["Authorization: Bearer x", "Authorization: Bearer x"],
            r#"why="more than one Authorization header""#,
        ),
        (
            vec!["Authorization: Bearer x"],
            r#"why=not a client key token: expected "ck1_" and 58 characters of base64url"#,
        ),
        (
            vec![&format!("Authorization: Bearer {}", guarded().1)],
            "why=token altered, or not issued under this client secret",
        ),
    ] {
        let headers: Vec<&[u8]> = headers.into_iter().map(str::as_bytes).collect();
        assert_eq!(service.get_apps(&headers).status, 401);
        service.wait_for_log(&format!("WARN service::authorize: refused {why}"));
    }
    service.get_apps_with(&token).assert_let_in();
}

#[test]
fn secret_is_rotated_without_a_gap() {
    let (old, new) = (new_secret(), new_secret());
    let [before, revoked] = [new_key(&old), new_key(&old)];
    let [after, unlisted] = [new_key(&new), new_key(&new)];
    let keys = format!("{}, {}", before.key_id, after.key_id);
    let during = Service::start(&[
        ("CLIENT_SECRET", &new),
        ("CLIENT_SECRET_PREVIOUS", &old),
        ("CLIENT_KEYS", &keys),
    ]);
    for (key, secret) in [(&before, "previous"), (&after, "current")] {
        during.get_apps_with(key.key_access_token.as_str()).assert_let_in();
        during.wait_for_log(&format!("let in key_id={} secret=\"{secret}\"", key.key_id));
    }
    // Each says that it is unlisted; an `or_else` on every error would have called the second inauthentic.
    for (key, secret) in [(&revoked, "previous"), (&unlisted, "current")] {
        during
            .get_apps_with(key.key_access_token.as_str())
            .assert_refused(INVALID_TOKEN);
        during.wait_for_log(&format!(
            "refused why=key id not in the allow list key_id={} secret=\"{secret}\"",
            key.key_id
        ));
    }
    during
        .get_apps_with(new_key(&new_secret()).key_access_token.as_str())
        .assert_refused(INVALID_TOKEN);

    let done = Service::start(&[
        ("CLIENT_SECRET", &new),
        ("CLIENT_SECRET_PREVIOUS", ""),
        ("CLIENT_KEYS", &keys),
    ]);
    done.get_apps_with(before.key_access_token.as_str())
        .assert_refused(INVALID_TOKEN);
    done.get_apps_with(after.key_access_token.as_str()).assert_let_in();
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
        let before = Instant::now();
        service.signal(signal);
        assert_eq!(service.wait().code(), Some(0));
        assert!(before.elapsed() < Duration::from_secs(5), "{:?}", before.elapsed());
        service.wait_for_log("service::serve: stopping");
        assert!(!service.log().contains("stopped with connections open"));
    }
}

/// A database that takes connections and never says a word.
#[test]
fn silent_database_is_503_soon_and_sigterm_waits_for_the_answer() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("postgresql://u@{}/d", silent.local_addr().unwrap());
    let secret = new_secret();
    let key = new_key(&secret);
    // The id is listed, but not there where the ids are.
    let mut service = Service::start(&[
        ("CLIENT_SECRET", &secret),
        ("CLIENT_KEYS", &key.key_id.to_string()),
        ("DATABASE_URL", &url),
    ]);
    service.wait_for_log("WARN service::serve: CLIENT_KEYS is not used: DATABASE_URL is set");
    let before = Instant::now();
    service
        .get_apps_with(key.key_access_token.as_str())
        .assert_unavailable();
    let took = before.elapsed();
    assert!(
        took > Duration::from_millis(1900) && took < Duration::from_secs(4),
        "{took:?}"
    );
    service.wait_for_log(&format!(
        "ERROR service::authorize: not looked up key_id={}",
        key.key_id
    ));
    // What is refused without the database does not wait for it.
    let before = Instant::now();
    service
        .get_apps_with(new_key(&new_secret()).key_access_token.as_str())
        .assert_refused(INVALID_TOKEN);
    assert!(before.elapsed() < Duration::from_secs(1), "{:?}", before.elapsed());

    let mut stream = service.connect();
    let request = format!(
        "GET /apps HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\r\n",
        key.key_access_token.as_str()
    );
    stream.write_all(request.as_bytes()).unwrap();
    std::thread::sleep(Duration::from_millis(500));
    service.signal("TERM");
    Answer::read(stream).assert_unavailable();
    assert_eq!(service.wait().code(), Some(0));
}
