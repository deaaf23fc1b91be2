//! The program as its users meet it: processes, a `.env`, bytes on a socket.

use client_keys::{ClientSecret, issue};
use getrandom::SysRng;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};
use std::{env, fs};

/// Nothing here takes that long, however busy the machine is.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Looks again and again until something is found or [`PATIENCE`] is over.
pub fn wait_for<T>(mut find: impl FnMut() -> Option<T>) -> Option<T> {
    let start = Instant::now();
    loop {
        let found = find();
        if found.is_some() || start.elapsed() > PATIENCE {
            return found;
        }
        sleep(Duration::from_millis(10));
    }
}

#[track_caller]
pub fn until(mut done: impl FnMut() -> bool) {
    assert!(wait_for(|| done().then_some(())).is_some());
}

pub fn took(action: impl FnOnce()) -> Duration {
    let start = Instant::now();
    action();
    start.elapsed()
}

/// Where the logs and `sensitive.txt` of a run are; `tests/run` empties it before and searches it after.
fn run_folder() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
}

/// Notes a text that no log of this run may hold.
pub fn sensitive(text: &str) {
    let path = run_folder().join("sensitive.txt");
    let mut file = fs::File::options().create(true).append(true).open(path).unwrap();
    // One write: tests run in parallel.
    file.write_all(format!("{text}\n").as_bytes()).unwrap();
}

pub fn new_folder() -> PathBuf {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let folder = run_folder().join(format!("{}-{number}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// A library for `LD_PRELOAD`.
pub fn library(source: &str) -> String {
    let folder = new_folder();
    let (file, library) = (folder.join("library.c"), folder.join("library.so"));
    fs::write(&file, source).unwrap();
    let cc = Command::new("cc")
        .args(["-shared", "-fPIC", "-o"])
        .args([&library, &file])
        .status();
    assert!(cc.unwrap().success());
    library.to_str().unwrap().to_owned()
}

/// 64 random digits, as `openssl rand -hex 32` prints them.
pub fn new_secret() -> String {
    let [a, b, c, d] = [(); 4].map(|()| getrandom::u64().unwrap());
    let text = format!("{a:016x}{b:016x}{c:016x}{d:016x}");
    sensitive(&text);
    text
}

pub struct Key {
    pub id: String,
    pub token: String,
}

pub fn new_key(secret: &str) -> Key {
    let secret: ClientSecret = secret.parse().unwrap();
    let key = issue(&secret, &mut SysRng).unwrap();
    let (id, token) = (key.key_id.to_string(), key.key_access_token.as_str().to_owned());
    sensitive(&token);
    Key { id, token }
}

/// The program with these settings and no others, logging all that it can.
pub fn program(folder: &Path, settings: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_service"));
    command
        .current_dir(folder)
        .env_clear()
        .env("RUST_LOG", "trace")
        .envs(settings.iter().copied());
    command
}

/// Runs it to its end. Its standard error is kept with the logs.
#[track_caller]
pub fn run(settings: &[(&str, &str)], arguments: &[&str]) -> Output {
    run_in(&new_folder(), settings, arguments)
}

#[track_caller]
pub fn run_in(folder: &Path, settings: &[(&str, &str)], arguments: &[&str]) -> Output {
    let (stdout, stderr) = (folder.join("stdout"), folder.join("stderr.log"));
    let mut process = program(folder, settings)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(fs::File::create(&stdout).unwrap())
        .stderr(fs::File::create(&stderr).unwrap())
        .spawn()
        .unwrap();
    let status = end_of(&mut process);
    Output {
        status: status.expect("started to serve instead"),
        stdout: fs::read(stdout).unwrap(),
        stderr: fs::read(stderr).unwrap(),
    }
}

/// Runs it to its end: with this status, nothing on standard output, and this as the last line of standard error.
#[track_caller]
pub fn assert_fails(folder: &Path, settings: &[(&str, &str)], arguments: &[&str], status: i32, error: &str) {
    let output = run_in(folder, settings, arguments);
    let stderr = String::from_utf8(output.stderr).unwrap();
    let last = stderr.lines().last();
    assert_eq!(
        last,
        Some(format!("service: {error}").as_str()),
        "{settings:?} {arguments:?}"
    );
    assert_eq!(output.status.code(), Some(status), "{settings:?} {arguments:?}");
    assert_eq!(output.stdout, b"");
}

/// What is set is wrong.
#[track_caller]
pub fn assert_mistake(folder: &Path, settings: &[(&str, &str)], error: &str) {
    assert_fails(folder, settings, &[], 2, error);
}

/// A process that takes too long is killed, and has no status.
fn end_of(process: &mut Child) -> Option<ExitStatus> {
    let status = wait_for(|| process.try_wait().unwrap());
    if status.is_none() {
        process.kill().unwrap();
        process.wait().unwrap();
    }
    status
}

fn spawn(folder: &Path, settings: &[(&str, &str)], port: u16, stderr: impl Into<Stdio>) -> Child {
    let mut command = program(folder, settings);
    command
        .env("PORT", port.to_string())
        .stdin(Stdio::null())
        .stderr(stderr);
    command.spawn().unwrap()
}

pub struct Service {
    process: Child,
    log: PathBuf,
    pub port: u16,
}

impl Service {
    pub fn start(settings: &[(&str, &str)]) -> Self {
        Self::start_in(&new_folder(), settings)
    }

    /// Not yet listening.
    pub fn spawn_in(folder: &Path, settings: &[(&str, &str)]) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let log = folder.join(format!("{}.log", COUNT.fetch_add(1, Ordering::Relaxed)));
        let process = spawn(folder, settings, 0, fs::File::create(&log).unwrap());
        Self { process, log, port: 0 }
    }

    pub fn start_in(folder: &Path, settings: &[(&str, &str)]) -> Self {
        let mut service = Self::spawn_in(folder, settings);
        let listening = "listening address=127.0.0.1:";
        let line = service.wait_for_log(listening);
        let port = line.rsplit(':').next().unwrap();
        service.port = port.parse().unwrap();
        service
    }

    /// Its standard error is a pipe, read until it listens.
    pub fn start_with_pipe(settings: &[(&str, &str)]) -> (Self, BufReader<ChildStderr>) {
        let mut process = spawn(&new_folder(), settings, 0, Stdio::piped());
        let mut pipe = BufReader::new(process.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains("listening address=") {
            line.clear();
            assert_ne!(pipe.read_line(&mut line).unwrap(), 0);
        }
        let port = line.trim_end().rsplit(':').next().unwrap().parse().unwrap();
        let log = "/dev/null".into();
        (Self { process, log, port }, pipe)
    }

    /// With a standard error that takes nothing, which cannot tell the port.
    pub fn start_without_log(settings: &[(&str, &str)], stderr: impl Into<Stdio>) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let process = spawn(&new_folder(), settings, port, stderr);
        let log = "/dev/null".into();
        let mut service = Self { process, log, port };
        until(|| {
            assert_eq!(service.process.try_wait().unwrap(), None);
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        service
    }

    /// Sends this many requests on one connection; each is answered with this status.
    pub fn send_many(&self, count: usize, header: &str, status: &str) {
        let stream = self.connect();
        let mut answers = BufReader::new(stream.try_clone().unwrap());
        scope(|scope| {
            scope.spawn(|| {
                let requests = format!("GET /apps HTTP/1.1\r\nHost: localhost\r\n{header}\r\n").repeat(count);
                (&stream).write_all(requests.as_bytes()).unwrap();
            });
            let mut answered = 0;
            let mut line = String::new();
            while answered < count {
                line.clear();
                assert_ne!(answers.read_line(&mut line).unwrap(), 0, "{answered} answers");
                if let Some((_, answer)) = line.split_once("HTTP/1.1 ") {
                    assert!(answer.starts_with(status), "{line}");
                    answered += 1;
                }
            }
        });
    }

    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// The first line of the log with this text in it.
    #[track_caller]
    pub fn wait_for_log(&self, text: &str) -> String {
        self.wait_for_log_after(0, text)
    }

    #[track_caller]
    pub fn wait_for_log_after(&self, length: usize, text: &str) -> String {
        let line = wait_for(|| {
            // Whole lines only: the last one may still be being written.
            let log = self.log();
            let mut lines = log[length..].split_inclusive('\n').filter(|line| line.ends_with('\n'));
            lines
                .find(|line| line.contains(text))
                .map(|line| line.trim_end().to_owned())
        });
        line.unwrap_or_else(|| panic!("no {text:?} in:\n{}", self.log()))
    }

    /// Sends SIGHUP, and waits for this text in what the log says after it.
    #[track_caller]
    pub fn reload(&self, text: &str) {
        let length = self.log().len();
        self.signal("HUP");
        self.wait_for_log_after(length, text);
    }

    /// Sends these bytes on a connection of their own and reads until the service closes it.
    #[track_caller]
    pub fn send(&self, bytes: &[u8]) -> Answer {
        let mut stream = self.connect();
        // A refused head may be answered, and the connection closed, before all of it is written.
        let _ = stream.write_all(bytes);
        Answer::read(stream)
    }

    pub fn get_health(&self) -> Answer {
        self.send(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    }

    /// `GET /apps` with these lines, each a whole header.
    #[track_caller]
    pub fn get_apps(&self, headers: &[&[u8]]) -> Answer {
        let mut request = b"GET /apps HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n".to_vec();
        for header in headers {
            request.extend_from_slice(header);
            request.extend_from_slice(b"\r\n");
        }
        request.extend_from_slice(b"\r\n");
        self.send(&request)
    }

    #[track_caller]
    pub fn get_apps_with(&self, token: &str) -> Answer {
        self.get_apps(&[format!("Authorization: Bearer {token}").as_bytes()])
    }

    pub fn connect(&self) -> TcpStream {
        let address = SocketAddr::from(([127, 0, 0, 1], self.port));
        let stream = TcpStream::connect_timeout(&address, PATIENCE).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    pub fn id(&self) -> u32 {
        self.process.id()
    }

    pub fn signal(&self, name: &str) {
        let process = self.process.id().to_string();
        let status = Command::new("kill").args(["-s", name, &process]).status();
        assert!(status.unwrap().success());
    }

    /// Stops it, and returns how long that took.
    #[track_caller]
    pub fn stop(&mut self, name: &str) -> Duration {
        took(|| {
            self.signal(name);
            assert_eq!(self.wait().code(), Some(0));
        })
    }

    #[track_caller]
    pub fn wait(&mut self) -> ExitStatus {
        let status = end_of(&mut self.process);
        status.unwrap_or_else(|| panic!("did not end:\n{}", self.log()))
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    #[track_caller]
    pub fn read(mut stream: TcpStream) -> Self {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        Self {
            status: head.split(' ').nth(1).unwrap().parse().unwrap(),
            head: head.to_owned(),
            body: body.to_owned(),
        }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self
            .head
            .lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(field, _)| field.eq_ignore_ascii_case(name))?;
        Some(value)
    }

    #[track_caller]
    pub fn assert_accepted(&self) {
        assert_eq!(self.status, 200, "{self:?}");
        assert_eq!(self.header("cache-control"), Some("private"));
        let apps: serde_json::Value = serde_json::from_str(&self.body).unwrap();
        assert_eq!(apps[0]["id"], 1);
        assert_eq!(apps[0]["name"], "ba6811fb3e073d");
    }

    #[track_caller]
    pub fn assert_refused(&self, challenge: &str) {
        assert_eq!(self.status, 401, "{self:?}");
        assert_eq!(self.header("cache-control"), Some("private"));
        assert_eq!(self.header("www-authenticate"), Some(challenge), "{self:?}");
        assert_eq!(self.body, r#"{"error":"unauthorized"}"#);
    }

    #[track_caller]
    pub fn assert_unavailable(&self) {
        assert_eq!(self.status, 503, "{self:?}");
        assert_eq!(self.header("cache-control"), Some("private"));
        assert_eq!(self.header("www-authenticate"), None);
        assert_eq!(self.header("retry-after"), Some("5"));
        assert_eq!(self.body, r#"{"error":"unavailable"}"#);
    }
}

/// RFC 6750 section 3: where no token came, and where one did.
pub const NO_TOKEN: &str = r#"Bearer realm="apps""#;
pub const INVALID_TOKEN: &str = r#"Bearer realm="apps", error="invalid_token""#;
