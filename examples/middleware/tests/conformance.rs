//! One table of requests for every framework and for the service: all of them accept and refuse the same requests.
//!
//! HTTP/1.1 requests are bytes on a socket. HTTP/2 compresses headers, so the `h2` crate sends the table's headers to
//! tonic; it does not look at their values.

use arc_swap::ArcSwap;
use client_keys::{ClientKey, ClientSecret, issue};
use getrandom::SysRng;
use hyper::{
    HeaderMap, Request, Response,
    body::{Bytes, Incoming},
    header::{HeaderName, HeaderValue},
    server::conn::http1,
    service::Service,
};
use hyper_util::rt::TokioIo;
use middleware::authorize::{ClientKeys, INVALID_TOKEN, NO_TOKEN, UNAUTHORIZED};
use rocket::{Config, config::LogLevel, fairing::AdHoc};
use std::{
    collections::HashMap,
    convert::Infallible,
    fs,
    io::{BufRead, BufReader, Read, Write},
    iter,
    net::{Ipv4Addr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};
use tokio::{runtime::Runtime, time::timeout};

/// Nothing here takes that long, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Framework {
    ActixWeb,
    Axum,
    ExampleService,
    Hyper,
    Rocket,
    Tonic,
    Warp,
}

use Framework::{ActixWeb, Axum, ExampleService, Hyper, Rocket, Tonic, Warp};

/// Status and `WWW-Authenticate`. With 200, the handler got the id of the listed key.
type Expected = (u16, Option<&'static str>);

const ACCEPTED: Expected = (200, None);
const REFUSED: Expected = (401, Some(NO_TOKEN));
const INVALID: Expected = (401, Some(INVALID_TOKEN));
const BAD_REQUEST: Expected = (400, None);
const NOT_FOUND: Expected = (404, None);
const METHOD_NOT_ALLOWED: Expected = (405, None);

struct Case {
    name: &'static str,
    method: &'static str,
    path: String,
    /// Header lines without their line ends.
    headers: Vec<Vec<u8>>,
    expected: Expected,
    exceptions: Vec<(Framework, Expected)>,
}

fn case(name: &'static str, headers: &[&[u8]], expected: Expected) -> Case {
    Case {
        name,
        method: "GET",
        path: "/apps".to_owned(),
        headers: headers.iter().map(|header| header.to_vec()).collect(),
        expected,
        exceptions: Vec::new(),
    }
}

impl Case {
    fn to(self, method: &'static str, path: &str) -> Self {
        let path = path.to_owned();
        Self { method, path, ..self }
    }

    /// Sets what a framework answers instead, for a reason outside the middleware.
    fn except(mut self, framework: Framework, expected: Expected, reason: &str) -> Self {
        assert!(expected != self.expected && !reason.is_empty(), "{}", self.name);
        self.exceptions.push((framework, expected));
        self
    }

    fn expected(&self, framework: Framework) -> Expected {
        let mut exceptions = self.exceptions.iter();
        let exception = exceptions.find(|(name, _)| *name == framework);
        exception.map_or(self.expected, |(_, expected)| *expected)
    }

    fn bytes(&self) -> Vec<u8> {
        let (method, path) = (self.method, &self.path);
        let head = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close");
        let mut lines = vec![head.as_bytes()];
        lines.extend(self.headers.iter().map(Vec::as_slice));
        lines.extend([b"".as_slice(); 2]);
        lines.join(b"\r\n".as_slice())
    }
}

struct Keys {
    secret: String,
    listed: [ClientKey; 2],
    unlisted: String,
    other_secret: String,
}

impl Keys {
    fn new() -> Self {
        let new_secret = || [(); 4].map(|()| format!("{:016x}", getrandom::u64().unwrap())).concat();
        let issue = |secret: &str| issue(&secret.parse::<ClientSecret>().unwrap(), &mut SysRng).unwrap();
        let secret = new_secret();
        let [unlisted, other_secret] = [issue(&secret), issue(&new_secret())];
        Self {
            listed: [issue(&secret), issue(&secret)],
            unlisted: unlisted.key_access_token.as_str().to_owned(),
            other_secret: other_secret.key_access_token.as_str().to_owned(),
            secret,
        }
    }

    fn client_keys(&self) -> ClientKeys {
        let allowed = self.listed.iter().map(|key| key.key_id).collect();
        ClientKeys {
            secret: self.secret.parse().unwrap(),
            previous: None,
            allowed: Arc::new(ArcSwap::from_pointee(allowed)),
        }
    }
}

/// In the texts of `f`, `{}` is the token of `key`, which is listed.
#[rustfmt::skip]
fn table(keys: &Keys, key: &ClientKey) -> Vec<Case> {
    let token = key.key_access_token.as_str();
    let (head, tail) = token.split_at(30);
    let (first, rest) = tail.split_at(1);
    let changed = format!("{head}{}{rest}", if first == "A" { "B" } else { "A" });
    let filler = "A".repeat(8 << 10);
    let f = |text: &str| text.replace("{}", token).into_bytes();
    let with = |before: &[u8]| [b"Authorization: Bearer ", head.as_bytes(), before, tail.as_bytes()].concat();
    let bearer = |token: &str| format!("Authorization: Bearer {token}").into_bytes();

    let good: &[u8] = &f("Authorization: Bearer {}");
    let basic: &[u8] = b"Authorization: Basic Y2xpZW50OmtleQ==";
    let unlisted: &[u8] = &bearer(&keys.unlisted);
    let preflight: &[&[u8]] = &[b"Origin: http://localhost", b"Access-Control-Request-Method: GET"];
    let invalid_utf_8: &[u8] = &with(b"\xff");

    let blanks = "HTTP/1.1 drops blanks around a value, in HTTP/2 they are an error: RFC 9113 section 8.2.1";
    let utf_8 = "Rocket drops headers that are not UTF-8, before any code of the application runs";
    let no_405 = "Rocket matches no route if the method differs, so it answers 404";
    let grpc = "gRPC has one status, UNIMPLEMENTED, for unknown services and methods";

    vec![
        case("no header", &[], REFUSED),
        case("listed", &[good], ACCEPTED),
        case("unlisted", &[unlisted], INVALID),
        case("other secret", &[&bearer(&keys.other_secret)], INVALID),
        case("one character changed", &[&bearer(&changed)], INVALID),
        case("one character less", &[&bearer(&token[..61])], INVALID),
        case("padded", &[&f("Authorization: Bearer {}=")], INVALID),
        case("quoted", &[&f("Authorization: Bearer \"{}\"")], INVALID),
        case("two tokens", &[&f("Authorization: Bearer {} {}")], INVALID),
        case("8 KiB", &[&bearer(&filler)], INVALID),
        case("8 KiB after the token", &[&bearer(&format!("{token}{filler}"))], INVALID),
        // Letter case and white space.
        case("header in lower case", &[&f("authorization: Bearer {}")], ACCEPTED),
        case("header in upper case", &[&f("AUTHORIZATION: Bearer {}")], ACCEPTED),
        case("scheme in lower case", &[&f("Authorization: bearer {}")], ACCEPTED),
        case("scheme in upper case", &[&f("Authorization: BEARER {}")], ACCEPTED),
        case("scheme in mixed case", &[&f("Authorization: bEaReR {}")], ACCEPTED),
        case("several spaces", &[&f("Authorization: Bearer    {}")], ACCEPTED),
        case("tab", &[&f("Authorization: Bearer\t{}")], REFUSED),
        case("space and tab", &[&f("Authorization: Bearer \t{}")], INVALID),
        case("tab and space", &[&f("Authorization: Bearer\t {}")], REFUSED),
        case("trailing blanks", &[&f("Authorization: Bearer {} \t ")], ACCEPTED).except(Tonic, INVALID, blanks),
        case("leading blanks", &[&f("Authorization: \t Bearer {}")], ACCEPTED).except(Tonic, REFUSED, blanks),
        // No token.
        case("empty", &[b"Authorization:"], REFUSED),
        case("Bearer alone", &[b"Authorization: Bearer"], REFUSED),
        case("Bearer and spaces", &[b"Authorization: Bearer  "], REFUSED),
        case("no space", &[&f("Authorization: Bearer{}")], REFUSED),
        case("no scheme", &[&f("Authorization: {}")], REFUSED),
        case("longer scheme", &[&f("Authorization: Bearers {}")], REFUSED),
        case("other scheme of six letters", &[&f("Authorization: Digest {}")], REFUSED),
        case("Basic", &[basic], REFUSED),
        case("Basic with the token", &[&f("Authorization: Basic {}")], REFUSED),
        case("other header", &[&f("Proxy-Authorization: Bearer {}")], REFUSED),
        case("in the query", &[], REFUSED).to("GET", &format!("/apps?access_token={token}")),
        // Several: a proxy may have checked a different one.
        case("twice the same", &[good, good], REFUSED),
        case("three times the same", &[good, good, good], REFUSED),
        case("listed, then unlisted", &[good, unlisted], REFUSED),
        case("unlisted, then listed", &[unlisted, good], REFUSED),
        case("Bearer, then Basic", &[good, basic], REFUSED),
        case("Basic, then Bearer", &[basic, good], REFUSED),
        case("empty, then Bearer", &[b"Authorization:", good], REFUSED),
        case("Bearer, then empty", &[good, b"Authorization:"], REFUSED),
        case("not UTF-8, then listed", &[invalid_utf_8, good], REFUSED).except(Rocket, ACCEPTED, utf_8),
        case("listed, then not UTF-8", &[good, invalid_utf_8], REFUSED).except(Rocket, ACCEPTED, utf_8),
        case("trailing comma", &[&f("Authorization: Bearer {},")], INVALID),
        case("Bearer, comma, Bearer", &[&f("Authorization: Bearer {}, Bearer {}")], INVALID),
        case("Bearer, comma, Basic", &[&f("Authorization: Bearer {}, Basic eA==")], INVALID),
        case("Basic, comma, Bearer", &[&f("Authorization: Basic eA==, Bearer {}")], REFUSED),
        // Bytes. HTTP parsers refuse a NUL, before the middleware sees the request.
        case("0xFF in the token", &[invalid_utf_8], INVALID).except(Rocket, REFUSED, utf_8),
        case("0xFF in the scheme", &[&[b"Authorization: Bearer\xff ", token.as_bytes()].concat()], REFUSED),
        case("UTF-8 in the token", &[&with("é".as_bytes())], INVALID),
        case("NUL in the token", &[&with(b"\0")], BAD_REQUEST),
        // Refusals do not reveal which routes and methods exist.
        case("unknown path, no token", &[], REFUSED).to("GET", "/unknown"),
        case("unknown path, invalid token", &[unlisted], INVALID).to("GET", "/unknown"),
        case("unknown path, listed", &[good], NOT_FOUND).to("GET", "/unknown"),
        case("root, no token", &[], REFUSED).to("GET", "/"),
        case("path below, no token", &[], REFUSED).to("GET", "/apps/1"),
        case("path with a query, no token", &[], REFUSED).to("GET", "/apps?id=1"),
        case("path with a trailing slash, no token", &[], REFUSED).to("GET", "/apps/"),
        case("path not UTF-8, no token", &[], REFUSED).to("GET", "/%FF"),
        case("other method, no token", &[], REFUSED).to("POST", "/apps"),
        case("other method, invalid token", &[unlisted], INVALID).to("POST", "/apps"),
        case("other method, listed", &[good], METHOD_NOT_ALLOWED)
            .to("POST", "/apps")
            .except(Rocket, NOT_FOUND, no_405)
            .except(Tonic, NOT_FOUND, grpc),
        case("HEAD, no token", &[], REFUSED).to("HEAD", "/apps"),
        case("HEAD of an unknown path, no token", &[], REFUSED).to("HEAD", "/unknown"),
        case("OPTIONS, no token", &[], REFUSED).to("OPTIONS", "/apps"),
        case("CORS preflight, no token", preflight, REFUSED).to("OPTIONS", "/apps"),
        case("unknown method, no token", &[], REFUSED).to("BREW", "/apps"),
        case("unknown method and path, no token", &[], REFUSED).to("BREW", "/unknown"),
    ]
}

struct Answer {
    status: u16,
    www_authenticate: Option<String>,
    /// The other headers, without `Date`.
    headers: Vec<(String, String)>,
    body: String,
}

fn assert_conformance(framework: Framework, keys: &Keys, send: impl Fn(&Case) -> Answer) {
    for key in &keys.listed {
        assert_conformance_of(framework, &table(keys, key), &key.key_id.to_string(), &send);
    }
}

fn assert_conformance_of(framework: Framework, table: &[Case], key_id: &str, send: impl Fn(&Case) -> Answer) {
    let handled = match framework {
        // Its handler shows no id.
        ExampleService => {
            r#"[{"id":1,"name":"ba6811fb3e073d","user_id":1},{"id":2,"name":"0f3c1f8e5d9a42","user_id":1}]"#
        }
        _ => key_id,
    };
    let refused = if framework == Tonic {
        "unauthorized"
    } else {
        UNAUTHORIZED
    };
    // A method's refusals have the same headers, whatever the path.
    let mut refusals = HashMap::new();
    let mut faults = Vec::new();
    for case in table {
        let answer = send(case);
        let mut fault = |what: String| faults.push(format!("{framework:?}: {}: {what}", case.name));
        let (status, www_authenticate) = case.expected(framework);
        let expected = (status, www_authenticate, status == 200);
        let actual = (
            answer.status,
            answer.www_authenticate.as_deref(),
            answer.body == handled,
        );
        if actual != expected {
            fault(format!("{actual:?} instead of {expected:?}"));
        }
        if answer.status == 401 {
            // HTTP answers HEAD without a body; gRPC has no HEAD.
            let bodiless = case.method == "HEAD" && framework != Tonic;
            if answer.body != if bodiless { "" } else { refused } {
                fault(format!("the body {:?}", answer.body));
            }
            let first = refusals.entry(case.method).or_insert_with(|| answer.headers.clone());
            if *first != answer.headers {
                fault(format!("the headers {:?}, before {first:?}", answer.headers));
            }
        }
    }
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

/// Sends the request after an accepted one on the same connection, which must not change the answer.
fn http(port: u16, keys: &Keys, case: &Case) -> Answer {
    let token = keys.listed[0].key_access_token.as_str();
    let accepted = format!("GET /apps HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n");
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
        .write_all(&[accepted.as_bytes(), &case.bytes()].concat())
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer
        .strip_prefix("HTTP/1.1 200 ")
        .and_then(|answer| answer.split_once("HTTP/1.1 "))
        .and_then(|(_, answer)| answer.split_once("\r\n\r\n"))
        .unwrap_or_else(|| panic!("{}: {answer:?}", case.name));
    let (status, headers) = head.split_once("\r\n").unwrap();
    let headers = headers.lines().map(|line| line.split_once(": ").unwrap());
    Answer::new(status.split(' ').next().unwrap().parse().unwrap(), headers, body)
}

impl Answer {
    fn new<'a>(status: u16, headers: impl Iterator<Item = (&'a str, &'a str)>, body: &str) -> Self {
        let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()));
        let headers = headers.filter(|(name, _)| name != "date");
        let (challenge, mut headers): (Vec<_>, Vec<_>) = headers.partition(|(name, _)| name == "www-authenticate");
        headers.sort();
        Self {
            status,
            www_authenticate: challenge
                .into_iter()
                .map(|(_, value)| value)
                .reduce(|a, b| a + ", " + &b),
            headers,
            body: body.to_owned(),
        }
    }
}

fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// Serves until the process ends.
fn in_background<F: Future<Output = ()>>(serve: impl FnOnce() -> F + Send + 'static) {
    thread::spawn(move || Runtime::new().unwrap().block_on(serve()));
}

#[test]
fn actix_web_conforms() {
    let keys = Keys::new();
    let (client_keys, (listener, port)) = (keys.client_keys(), listener());
    in_background(move || async { middleware::actix_web::serve(listener, client_keys).await.unwrap() });
    assert_conformance(ActixWeb, &keys, |case| http(port, &keys, case));
}

#[test]
fn hyper_conforms() {
    let keys = Keys::new();
    let (client_keys, (listener, port)) = (keys.client_keys(), listener());
    in_background(move || serve(listener, middleware::hyper::service(client_keys)));
    assert_conformance(Hyper, &keys, |case| http(port, &keys, case));
}

#[test]
fn axum_conforms() {
    let keys = Keys::new();
    let (client_keys, (listener, port)) = (keys.client_keys(), listener());
    in_background(move || async {
        let listener: tokio::net::TcpListener = listener.try_into().unwrap();
        axum::serve(listener, middleware::tower::app(client_keys))
            .await
            .unwrap();
    });
    assert_conformance(Axum, &keys, |case| http(port, &keys, case));
}

async fn serve<S>(listener: TcpListener, service: S)
where
    S: Service<Request<Incoming>, Response = Response<String>, Error = Infallible, Future: Send> + Clone,
    S: Send + 'static,
{
    let listener: tokio::net::TcpListener = listener.try_into().unwrap();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let service = service.clone();
        tokio::spawn(async move {
            // The error is the client's: it sent something other than HTTP.
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

#[test]
fn rocket_conforms() {
    let keys = Keys::new();
    let client_keys = keys.client_keys();
    let (sender, port) = mpsc::channel();
    in_background(move || async {
        let config = Config {
            port: 0,
            log_level: LogLevel::Off,
            ..Config::default()
        };
        let port = AdHoc::on_liftoff("port", |rocket| {
            let port = rocket.config().port;
            Box::pin(async move { sender.send(port).unwrap() })
        });
        let rocket = middleware::rocket::rocket(client_keys).configure(config).attach(port);
        rocket.launch().await.map(drop).unwrap();
    });
    let port = port.recv().unwrap();
    assert_conformance(Rocket, &keys, |case| http(port, &keys, case));
}

#[test]
fn warp_conforms() {
    let keys = Keys::new();
    let (client_keys, (listener, port)) = (keys.client_keys(), listener());
    in_background(move || async {
        let listener: tokio::net::TcpListener = listener.try_into().unwrap();
        warp::serve(middleware::warp::routes(client_keys))
            .incoming(listener)
            .run()
            .await;
    });
    assert_conformance(Warp, &keys, |case| http(port, &keys, case));
}

#[test]
fn tonic_conforms() {
    let keys = Keys::new();
    let (client_keys, (listener, port)) = (keys.client_keys(), listener());
    in_background(move || async {
        let listener = listener.try_into().unwrap();
        middleware::tonic::serve(listener, client_keys).await.unwrap();
    });
    let runtime = Runtime::new().unwrap();
    assert_conformance(Tonic, &keys, |case| {
        let answer = runtime.block_on(async { timeout(PATIENCE, grpc(port, case)).await });
        answer.unwrap_or_else(|_| panic!("{}: no answer", case.name))
    });
}

/// Maps `/apps` to the gRPC service, the HTTP method to a method of it, and the gRPC status to an HTTP status.
async fn grpc(port: u16, case: &Case) -> Answer {
    let stream = tokio::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port))
        .await
        .unwrap();
    let (mut client, connection) = h2::client::handshake(stream).await.unwrap();
    let connection = tokio::spawn(connection);
    let path = match (case.path.as_str(), case.method) {
        ("/apps", "GET") => "/client_keys.Apps/Get",
        ("/apps", "POST") => "/client_keys.Apps/Post",
        (path, _) => path,
    };
    let mut request = Request::post(format!("http://localhost{path}")).body(()).unwrap();
    let headers = request.headers_mut();
    headers.insert("content-type", HeaderValue::from_static("application/grpc"));
    headers.insert("te", HeaderValue::from_static("trailers"));
    for header in &case.headers {
        let colon = header.iter().position(|byte| *byte == b':').unwrap();
        let value = header[colon + 1..].strip_prefix(b" ").unwrap_or_default();
        let name = HeaderName::from_bytes(&header[..colon]).unwrap();
        let Ok(value) = HeaderValue::from_bytes(value) else {
            return malformed(port, path, value);
        };
        headers.append(name, value);
    }
    let (response, mut body) = client.send_request(request, false).unwrap();
    // An empty message: not compressed, length 0. The refusal may arrive before this is sent.
    let _ = body.send_data(Bytes::from_static(&[0; 5]), true);
    let response = response.await.unwrap();
    assert_eq!(response.status(), 200, "{}", case.name);
    let (head, mut body) = response.into_parts();
    let mut message = Vec::new();
    while let Some(data) = body.data().await {
        message.extend_from_slice(&data.unwrap());
    }
    let trailers = body.trailers().await.unwrap().unwrap_or_default();
    connection.abort();

    let mut fields: HeaderMap = head.headers;
    fields.extend(trailers);
    let status = match fields.remove("grpc-status").unwrap().as_bytes() {
        b"0" => 200,
        b"12" => 404,
        b"16" => 401,
        other => panic!("{}: grpc-status {other:?}", case.name),
    };
    let body = match status {
        // After the frame's five bytes: the tag of field 1 and the text's length.
        200 => str::from_utf8(&message[7..]).unwrap(),
        _ => fields.get("grpc-message").map_or("", |text| text.to_str().unwrap()),
    };
    let headers = fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.to_str().unwrap()));
    Answer::new(status, headers, body)
}

/// Writes the frames itself, because no client sends such a value. Returns 400 for HTTP/2's answer to a malformed
/// request, a connection error (RFC 9113 section 8.1.1).
fn malformed(port: u16, path: &str, authorization: &[u8]) -> Answer {
    const HEADERS: u8 = 1;
    const SETTINGS: u8 = 4;
    const GOAWAY: u8 = 7;
    // The last stream that was served, and PROTOCOL_ERROR.
    const REASON: [u8; 8] = [0, 0, 0, 0, 0, 0, 0, 1];
    let frame = |kind, flags, stream, payload: &[u8]| {
        let [_, length @ ..] = u32::try_from(payload.len()).unwrap().to_be_bytes();
        [&length[..], &[kind, flags, 0, 0, 0, stream], payload].concat()
    };
    let answer = |authorization: &[u8]| {
        let mut block = Vec::new();
        for (name, value) in [
            (":method", b"POST".as_slice()),
            (":scheme", b"http"),
            (":authority", b"localhost"),
            (":path", path.as_bytes()),
            ("content-type", b"application/grpc"),
            ("te", b"trailers"),
            ("authorization", authorization),
        ] {
            // Literal, not indexed; lengths below 127 are one byte: RFC 7541 sections 6.2.2 and 5.1.
            block.push(0);
            for text in [name.as_bytes(), value] {
                block.push(u8::try_from(text.len()).ok().filter(|length| *length < 127).unwrap());
                block.extend_from_slice(text);
            }
        }
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        // Flags: the header block and the stream end here.
        let frames = [frame(SETTINGS, 0, 0, &[]), frame(HEADERS, 5, 1, &block)].concat();
        stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").unwrap();
        stream.write_all(&frames).unwrap();
        loop {
            let mut head = [0; 9];
            stream.read_exact(&mut head).unwrap();
            let [a, b, c, kind, ..] = head;
            let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
            stream.read_exact(&mut payload).unwrap();
            if kind == HEADERS || kind == GOAWAY {
                return (kind, payload);
            }
        }
    };
    let text: Vec<u8> = authorization.iter().copied().filter(|byte| *byte != 0).collect();
    assert_eq!(
        answer(&text).0,
        HEADERS,
        "the same frames without the NUL are a request"
    );
    assert_eq!(answer(authorization), (GOAWAY, REASON.to_vec()));
    Answer::new(400, iter::empty(), "")
}

struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn service_conforms() {
    let keys = Keys::new();
    let ids = keys.listed.each_ref().map(|key| key.key_id.to_string()).join(",");
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../service/Cargo.toml");
    // After the build, cargo replaces itself with the service.
    let mut process = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--locked", "--manifest-path", manifest])
        .current_dir(env!("CARGO_TARGET_TMPDIR"))
        .env_remove("CLIENT_SECRET_PREVIOUS")
        .env_remove("DATABASE_URL")
        .envs([("CLIENT_SECRET", &keys.secret), ("CLIENT_KEYS", &ids)])
        .envs([("HOST", "127.0.0.1"), ("PORT", "0"), ("RUST_LOG", "info")])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut log = BufReader::new(process.stderr.take().unwrap())
        .lines()
        .map_while(Result::ok);
    let _process = Process(process);
    let port = log.by_ref().find_map(|line| {
        let (_, rest) = line.split_once("127.0.0.1:")?;
        rest.split(|character: char| !character.is_ascii_digit())
            .next()?
            .parse()
            .ok()
    });
    let port = port.expect("the service names its port");
    thread::spawn(move || log.for_each(drop));
    assert_conformance(ExampleService, &keys, |case| http(port, &keys, case));
}

#[test]
fn readme_has_the_versions_that_were_tested() {
    let read = |name: &str| fs::read_to_string(format!("{}/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let readme = read("../README.md");
    let rows: Vec<[&str; 2]> = (readme.lines())
        .filter_map(|line| {
            let [framework, file, version, ..] = line.strip_prefix("| ")?.split(" | ").collect::<Vec<_>>()[..] else {
                return None;
            };
            file.contains(".rs`](").then_some([framework, version])
        })
        .collect();
    assert_eq!(rows.len(), 7, "{rows:?}");
    let lock = read("Cargo.lock");
    for [framework, version] in rows {
        let package = format!("name = \"{}\"\nversion = \"{version}\"\n", framework.to_lowercase());
        assert!(lock.contains(&package), "{framework}: not {version}");
    }
}

#[test]
fn front_page_has_the_code_that_was_tested() {
    let read = |name: &str| fs::read_to_string(format!("{}/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let (readme, code) = (read("../../README.md"), read("src/tower.rs"));
    for line in [
        "async fn apps(Extension(id): Extension<KeyId>)",
        "guard(Router::new().route(\"/apps\", get(apps)), ",
    ] {
        assert!(readme.contains(line) && code.contains(line), "{line}");
    }
}
