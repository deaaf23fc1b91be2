//! Each test runs `ClientKeys::from_env` in a process of its own, and compares every line that it writes.

use client_keys::{ClientKey, ClientSecret, VerifyError, issue};
use getrandom::SysRng;
use middleware::authorize::ClientKeys;
use std::{
    env,
    ffi::{OsStr, OsString},
    fs,
    io::{self, BufRead, BufReader, Write},
    os::unix::{ffi::OsStrExt, fs::symlink},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        atomic::{AtomicUsize, Ordering::Relaxed},
        mpsc::{self, Receiver, RecvTimeoutError},
    },
    thread,
    time::Duration,
};

/// Nothing here takes that long, however busy the machine is.
const PATIENCE: Duration = Duration::from_mins(1);

const NAMES: [&str; 4] = [
    "CLIENT_SECRET",
    "CLIENT_SECRET_PREVIOUS",
    "CLIENT_KEYS",
    "CLIENT_KEYS_FILE",
];

/// Takes an `Authorization` header from each line of its standard input.
#[test]
#[ignore = "the process that the tests start"]
fn process() {
    let log = tracing_subscriber::fmt().with_ansi(false).without_time();
    let lines = AtomicUsize::new(0);
    let writer = move || {
        assert!(lines.fetch_add(1, Relaxed) != 1 || env::var_os("PANIC").is_none());
        io::stderr()
    };
    log.with_target(false).with_writer(writer).init();
    match ClientKeys::from_env() {
        Ok(keys) => io::stdin().lines().for_each(|header| {
            let _ = keys.authorize([header.unwrap().as_bytes()]);
        }),
        Err(mistake) => eprintln!("{mistake}"),
    }
}

struct Process(Child, Receiver<String>);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Process {
    fn start(variables: &[(&str, &OsStr)]) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--ignored", "--exact", "process", "--nocapture"])
            .envs(NAMES.map(|name| (name, "")))
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (sender, written) = mpsc::channel();
        thread::spawn(move || lines.for_each(|line| drop(sender.send(line.unwrap()))));
        Self(child, written)
    }

    #[track_caller]
    fn writes(&self, expected: &str) {
        assert_eq!(self.1.recv_timeout(PATIENCE).as_deref(), Ok(expected));
    }

    #[track_caller]
    fn has(&self, count: usize) {
        self.writes(&format!(" INFO client keys are those of CLIENT_KEYS count={count}"));
    }

    fn send(&self, key: &ClientKey) {
        let token = key.key_access_token.as_str();
        writeln!(self.0.stdin.as_ref().unwrap(), "Bearer {token}").unwrap();
    }

    #[track_caller]
    fn accepts(&self, key: &ClientKey) {
        self.send(key);
        self.writes(&format!(" INFO accepted key_id={} secret=\"current\"", key.key_id));
    }

    #[track_caller]
    fn refuses(&self, key: &ClientKey) {
        self.send(key);
        let why = VerifyError::Unlisted(key.key_id);
        self.writes(&format!(
            " WARN refused: {why} key_id={} secret=\"current\"",
            key.key_id
        ));
    }
}

fn secret_and_keys() -> (OsString, [ClientKey; 2]) {
    let digits = [(); 4].map(|()| format!("{:016x}", getrandom::u64().unwrap())).concat();
    let secret: ClientSecret = digits.parse().unwrap();
    (digits.into(), [(); 2].map(|()| issue(&secret, &mut SysRng).unwrap()))
}

fn empty_folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir(&folder).unwrap();
    folder
}

#[test]
fn variable_holds_the_list() {
    let (secret, [listed, unlisted]) = secret_and_keys();
    let list = format!("{}, ", listed.key_id);
    let process = Process::start(&[("CLIENT_SECRET", &secret), ("CLIENT_KEYS", list.as_ref())]);
    process.has(1);
    process.accepts(&listed);
    process.refuses(&unlisted);

    let process = Process::start(&[("CLIENT_SECRET", &secret)]);
    process.writes(" WARN CLIENT_KEYS is not set or empty: every key is refused");
    process.refuses(&listed);
}

#[test]
fn previous_secret_is_accepted_and_named_in_the_log() {
    let (secret, [key, other]) = secret_and_keys();
    let (previous, [old, unlisted]) = secret_and_keys();
    let (_, [foreign, _]) = secret_and_keys();
    let list = format!("{},{}", key.key_id, old.key_id);
    let variables = [
        ("CLIENT_SECRET", &*secret),
        ("CLIENT_SECRET_PREVIOUS", &*previous),
        ("CLIENT_KEYS", list.as_ref()),
    ];
    let process = Process::start(&variables);
    process.has(2);
    process.accepts(&key);
    process.send(&old);
    process.writes(&format!(" INFO accepted key_id={} secret=\"previous\"", old.key_id));
    process.refuses(&other);
    process.send(&foreign);
    process.writes(&format!(" WARN refused: {}", VerifyError::Inauthentic));
    process.send(&unlisted);
    let (why, id) = (VerifyError::Unlisted(unlisted.key_id), unlisted.key_id);
    process.writes(&format!(" WARN refused: {why} key_id={id} secret=\"previous\""));
}

#[test]
fn file_holds_the_list_and_may_change() {
    let (secret, [first, second]) = secret_and_keys();
    let ids = [first.key_id, second.key_id];
    let folder = empty_folder("reload");
    let path = folder.join("CLIENT_KEYS");
    // As kubelet updates the volume of a ConfigMap.
    symlink("..data/CLIENT_KEYS", &path).unwrap();
    let update = |version: &str, text: &str| {
        fs::create_dir(folder.join(version)).unwrap();
        fs::write(folder.join(version).join("CLIENT_KEYS"), text).unwrap();
        symlink(version, folder.join("..data_tmp")).unwrap();
        fs::rename(folder.join("..data_tmp"), folder.join("..data")).unwrap();
    };
    let rename = |text: &str| {
        fs::write(folder.join("new"), text).unwrap();
        fs::rename(folder.join("new"), &path).unwrap();
    };
    update("..1", &format!("{}\n", ids[0]));
    let process = Process::start(&[("CLIENT_SECRET", &secret), ("CLIENT_KEYS_FILE", path.as_ref())]);
    let keeps_the_list = |why: &str| {
        let kept = "ERROR CLIENT_KEYS stays as it was until you correct the file: CLIENT_KEYS_FILE:";
        process.writes(&format!("{kept} {why}"));
        // Time to repeat the line, which it must not.
        thread::sleep(Duration::from_secs(5));
        process.accepts(&second);
    };
    process.has(1);
    process.accepts(&first);
    process.refuses(&second);

    update("..2", &format!("{},\r\n{}\n", ids[0], ids[1]));
    process.has(2);
    process.accepts(&second);
    for (version, text) in [("..3", "xxx\n INFO forged"), ("..4", "yyy\n INFO forged")] {
        update(version, &format!("{}, {text}", ids[0]));
        keeps_the_list("entry 2: expected 30 hexadecimal digits, found 16 characters");
    }
    fs::remove_file(&path).unwrap();
    keeps_the_list("No such file or directory (os error 2)");

    rename(&format!("{},{}", ids[0], ids[1]));
    process.has(2);
    rename(&ids[1].to_string());
    process.has(1);
    process.refuses(&first);
    process.accepts(&second);
    rename("\n");
    process.writes(" WARN CLIENT_KEYS is not set or empty: every key is refused");
    process.refuses(&second);
}

#[test]
fn file_is_read_again_after_the_log_failed() {
    let (secret, [first, second]) = secret_and_keys();
    let folder = empty_folder("panic");
    let path = folder.join("CLIENT_KEYS");
    fs::write(&path, first.key_id.to_string()).unwrap();
    let process = Process::start(&[
        ("CLIENT_SECRET", &secret),
        ("CLIENT_KEYS_FILE", path.as_ref()),
        ("PANIC", "1".as_ref()),
    ]);
    process.has(1);
    fs::write(folder.join("new"), format!("{},{}", first.key_id, second.key_id)).unwrap();
    fs::rename(folder.join("new"), &path).unwrap();
    while process.1.recv_timeout(PATIENCE).unwrap() != " INFO client keys are those of CLIENT_KEYS count=2" {}
    process.send(&second);
    let accepted = format!(" INFO accepted key_id={} secret=\"current\"", second.key_id);
    while process.1.recv_timeout(PATIENCE).unwrap() != accepted {}
}

#[test]
fn mistake_at_the_start_is_named_and_shows_no_text() {
    let (secret, [key, _]) = secret_and_keys();
    let fails = |variables: &[(&str, &OsStr)], expected: &str| {
        let process = Process::start(variables);
        process.writes(expected);
        let end = process.1.recv_timeout(PATIENCE);
        assert_eq!(end, Err(RecvTimeoutError::Disconnected), "{expected}");
    };
    let fails_with = |name: &str, text: &[u8], expected: &str| {
        let variables = [("CLIENT_SECRET", &*secret), (name, OsStr::from_bytes(text))];
        fails(&variables, &format!("{name}: {expected}"));
    };
    fails(&[], "CLIENT_SECRET is not set: make one with `openssl rand -hex 32`");
    for name in ["CLIENT_SECRET", "CLIENT_SECRET_PREVIOUS"] {
        fails_with(
            name,
            &[secret.as_bytes(), b"\n"].concat(),
            "expected 64 hexadecimal digits, found 65 characters",
        );
    }
    for name in NAMES {
        fails_with(name, b"xxx\xff", "expected UTF-8");
    }
    fails_with(
        "CLIENT_KEYS",
        b"xxx",
        "entry 1: expected 30 hexadecimal digits, found 3 characters",
    );
    let id = key.key_id.to_string();
    fails(
        &[
            ("CLIENT_SECRET", &secret),
            ("CLIENT_KEYS", id.as_ref()),
            ("CLIENT_KEYS_FILE", "xxx".as_ref()),
        ],
        "CLIENT_KEYS and CLIENT_KEYS_FILE are both set; remove one",
    );

    let folder = empty_folder("mistakes");
    let fails = |name: &str, expected: &str| {
        fails_with("CLIENT_KEYS_FILE", folder.join(name).as_os_str().as_bytes(), expected);
    };
    assert!(
        Command::new("mkfifo")
            .arg(folder.join("pipe"))
            .status()
            .unwrap()
            .success()
    );
    fs::write(folder.join("large"), vec![b','; (1 << 20) + 1]).unwrap();
    fs::write(folder.join("not UTF-8"), b"xxx\xff").unwrap();
    fs::write(folder.join("NUL"), b"\0").unwrap();
    for name in ["pipe", "large", "", "/dev/zero"] {
        fails(name, "expected a regular file of at most 1 MiB");
    }
    fails("missing", "No such file or directory (os error 2)");
    fails("not UTF-8", "stream did not contain valid UTF-8");
    fails("NUL", "entry 1: expected 30 hexadecimal digits, found 1 character");
}
