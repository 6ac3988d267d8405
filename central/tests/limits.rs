//! Every limit of the open doors, each run into; and a store that fails.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use axum::body::{Body, to_bytes};
use axum::http::{Request, Response, StatusCode, header};
use axum::response::IntoResponse as _;
use jiff::Timestamp;
use rusqlite::Connection;
use seatline_central::central::Central;
use seatline_central::domain::people::count::MOST_OPEN;
use seatline_central::domain::{Actor, Clock, SessionId};
use seatline_central::keyring::Keyring;
use seatline_central::link::http::Door;
use seatline_central::server::{App, router};
use seatline_central::store::sql::{DATABASE_FILE, SqlStore};
use seatline_central::store::{Sessions as _, StoreError};
use seatline_protocol::pairing::Secret;
use seatline_protocol::report::ProductFacts;
use seatline_protocol::{ExchangeRequest, ExchangeResponse, Join, SecretKey, ServerId, seal};
use seatline_web::{ApiError, Limits, Proxies, serve};
use serde_json::json;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tower::ServiceExt as _;

/// A long time for a test: what takes longer does not happen.
const LONG: Duration = Duration::from_secs(60);
/// A short time: a limit that is run into.
const SHORT: Duration = Duration::from_millis(50);
/// As much memory as no test needs.
const AMPLE: usize = 1 << 30;

const HEALTH: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
/// The begin of an exchange whose body is still to come, and of a product's wait.
const BEGUN: &[u8] = b"POST /link/v1/exchange HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n";
const WAIT_BEGUN: &[u8] = b"POST /link/v1/wait HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n";

async fn app(door: Door) -> (App, TempDir) {
    let dir = tempfile::tempdir().expect("a directory");
    let store = Arc::new(SqlStore::sqlite(&dir.path().join(DATABASE_FILE)).expect("a store"));
    let keys = Keyring::open(dir.path()).expect("keys");
    let central = Central::open(store, keys, Clock::system(), "Central", "http://127.0.0.1:8095").await.expect("open");
    (App { door, ..App::new(central).expect("an app") }, dir)
}

/// A server of this process with limits of its own.
struct Server {
    address: SocketAddr,
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    fn start(door: Door, limits: Limits) -> Self {
        Self::start_with(door, limits, |app| app)
    }

    fn start_with(door: Door, limits: Limits, change: fn(App) -> App) -> Self {
        let (tell, told) = std::sync::mpsc::channel();
        let (end, ended) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            tokio::runtime::Runtime::new().expect("a runtime").block_on(async {
                let (app, _dir) = app(door).await;
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
                tell.send(listener.local_addr().expect("its address")).expect("somebody waits");
                let ended = async { drop(ended.await) };
                serve(listener, router(change(app)).expect("a router"), limits, ended).await;
            });
        });
        Self { address: told.recv().expect("it starts"), end: Some(end), thread: Some(thread) }
    }

    /// A connection on which `bytes` were sent.
    fn sent(&self, bytes: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).expect("connected");
        stream.set_read_timeout(Some(LONG)).expect("set");
        stream.write_all(bytes).expect("sent");
        stream
    }

    /// Tells the server to end, without waiting for it.
    fn tell_to_end(&mut self) {
        self.end.take().expect("it runs").send(()).expect("it listens");
    }

    fn wait_for_its_end(&mut self) {
        self.thread.take().expect("it runs").join().expect("it ends well");
    }
}

/// A connection from another address of this machine, on which `bytes` were sent.
fn sent_from(source: &str, to: SocketAddr, bytes: &[u8]) -> TcpStream {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().expect("a runtime");
    let connecting = async {
        let socket = tokio::net::TcpSocket::new_v4()?;
        socket.bind(SocketAddr::new(source.parse().expect("an address"), 0))?;
        socket.connect(to).await?.into_std()
    };
    let mut stream = runtime.block_on(connecting).expect("connected");
    stream.set_nonblocking(false).expect("set");
    stream.set_read_timeout(Some(LONG)).expect("set");
    stream.write_all(bytes).expect("sent");
    stream
}

/// The first line of what comes back; empty where the connection is closed.
fn first_line(stream: &mut TcpStream) -> String {
    let (mut line, mut byte) = (Vec::new(), [0]);
    while line.last() != Some(&b'\n') && stream.read(&mut byte).expect("something in time") == 1 {
        line.push(byte[0]);
    }
    String::from_utf8(line).expect("text").trim_end().to_owned()
}

/// Asks again and again until the first line of the answer is `expected`.
fn wait_for(server: &Server, request: &[u8], expected: &str) {
    let begin = Instant::now();
    loop {
        let line = first_line(&mut server.sent(request));
        if line == expected {
            return;
        }
        assert!(begin.elapsed() < LONG, "still {line}");
    }
}

#[test]
fn a_body_that_does_not_come_is_given_up() {
    let server = Server::start(Door::new(AMPLE, SHORT), Limits::default());
    for begun in [BEGUN, WAIT_BEGUN] {
        assert_eq!(first_line(&mut server.sent(begun)), "HTTP/1.1 408 Request Timeout");
    }
}

#[test]
fn a_form_that_does_not_come_is_given_up() {
    let server = Server::start_with(Door::default(), Limits::default(), |app| App { request_time: SHORT, ..app });
    let begun = b"POST /sign-in HTTP/1.1\r\nHost: x\r\n\
        Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 9\r\n\r\nn";
    assert_eq!(first_line(&mut server.sent(begun)), "HTTP/1.1 408 Request Timeout");
}

#[test]
fn a_header_that_is_too_long_is_refused() {
    let server = Server::start(Door::default(), Limits::default());
    let head = |bytes: usize| format!("GET /healthz HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "x".repeat(bytes));
    for (bytes, expected) in [(30 << 10, "200 OK"), (64 << 10, "431 Request Header Fields Too Large")] {
        assert_eq!(first_line(&mut server.sent(head(bytes).as_bytes())), format!("HTTP/1.1 {expected}"));
    }
}

#[test]
fn requests_that_are_read_at_once_have_bounded_memory() {
    let server = Server::start(Door::new(8192, LONG), Limits::default());
    let whole = [BEGUN, b"{}"].concat();
    wait_for(&server, &whole, "HTTP/1.1 200 OK");
    let large = server.sent(b"POST /link/v1/exchange HTTP/1.1\r\nHost: x\r\nContent-Length: 8192\r\n\r\n");
    wait_for(&server, &whole, "HTTP/1.1 503 Service Unavailable");
    drop(large);
    wait_for(&server, &whole, "HTTP/1.1 200 OK");
}

#[test]
fn what_is_announced_and_not_sent_keeps_nobody_out() {
    const BUDGET: usize = 4 * 1024 * 1024;
    let server = Server::start(Door::new(BUDGET, LONG), Limits::default());
    let announced = format!("POST /link/v1/exchange HTTP/1.1\r\nHost: x\r\nContent-Length: {BUDGET}\r\n\r\n{{");
    let flood: Vec<TcpStream> = (0..32).map(|_| server.sent(announced.as_bytes())).collect();
    let whole = [BEGUN, b"{}"].concat();
    for _ in 0..20 {
        assert_eq!(first_line(&mut server.sent(&whole)), "HTTP/1.1 200 OK");
    }
    drop(flood);
}

#[test]
fn a_header_that_does_not_come_closes_the_connection() {
    let server = Server::start(Door::default(), Limits { header_time: SHORT, ..Limits::default() });
    for begun in [&b""[..], b"GET /healthz HTT"] {
        let line = first_line(&mut server.sent(begun));
        assert!(line.is_empty() || line.contains("408"), "{line}");
    }
    wait_for(&server, HEALTH, "HTTP/1.1 200 OK");
}

/// The address of the largest file that anybody may ask for.
fn script(server: &Server) -> String {
    let mut page = String::new();
    let asked = b"GET /sign-in HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    server.sent(asked).read_to_string(&mut page).expect("the page");
    let found = page.split('"').find(|text| text.starts_with("/assets/") && text.ends_with("/htmx.min.js"));
    found.expect("it loads the script").to_owned()
}

#[test]
fn whoever_reads_nothing_of_his_answers_makes_room_for_another() {
    let limits = Limits { connections: 1, answer_time: SHORT, header_time: LONG, ..Limits::default() };
    let server = Server::start(Door::default(), limits);
    let asked = format!("GET {} HTTP/1.1\r\nHost: x\r\n\r\n", script(&server));
    // Fifty megabytes of answers, which no connection holds on their way.
    let greedy = server.sent(asked.repeat(1000).as_bytes());
    assert_eq!(first_line(&mut server.sent(HEALTH)), "HTTP/1.1 200 OK");
    drop(greedy);
}

#[test]
fn connections_beyond_the_limit_wait_for_one_to_close() {
    let server = Server::start(Door::default(), Limits { connections: 2, ..Limits::default() });
    let mut open: Vec<TcpStream> = (0..2).map(|_| server.sent(HEALTH)).collect();
    for stream in &mut open {
        assert_eq!(first_line(stream), "HTTP/1.1 200 OK");
    }
    let mut third = server.sent(HEALTH);
    third.set_read_timeout(Some(SHORT)).expect("set");
    assert!(third.read(&mut [0]).is_err(), "it is not answered yet");
    open.pop();
    third.set_read_timeout(Some(LONG)).expect("set");
    assert_eq!(first_line(&mut third), "HTTP/1.1 200 OK");
}

#[test]
fn one_address_has_so_many_connections_and_leaves_room_for_the_others() {
    let server = Server::start(Door::default(), Limits { connections: 100, per_address: 2, ..Limits::default() });
    let mut open: Vec<TcpStream> = (0..2).map(|_| server.sent(HEALTH)).collect();
    for stream in &mut open {
        assert_eq!(first_line(stream), "HTTP/1.1 200 OK");
    }
    // What was turned away was told at once, unless it spoke too late to hear it.
    let mut third = TcpStream::connect(server.address).expect("connected");
    third.set_read_timeout(Some(LONG)).expect("set");
    assert_eq!(first_line(&mut third), "HTTP/1.1 503 Service Unavailable");
    let mut elsewhere = sent_from("127.0.0.2", server.address, HEALTH);
    assert_eq!(first_line(&mut elsewhere), "HTTP/1.1 200 OK", "another address is not held up");
    open.pop();
    let begin = Instant::now();
    loop {
        let mut next = TcpStream::connect(server.address).expect("connected");
        next.set_read_timeout(Some(SHORT)).expect("set");
        if next.read(&mut [0]).is_err() {
            // It is not turned away, and waits for a request.
            next.set_read_timeout(Some(LONG)).expect("set");
            next.write_all(HEALTH).expect("sent");
            assert_eq!(first_line(&mut next), "HTTP/1.1 200 OK");
            break;
        }
        assert!(begin.elapsed() < LONG, "who goes makes room");
    }
}

#[test]
fn a_named_proxy_comes_in_everybodys_name_and_may_have_all_connections() {
    let proxies = Proxies::new(["127.0.0.1".parse().expect("an address")]);
    let server = Server::start(Door::default(), Limits { per_address: 2, proxies, ..Limits::default() });
    let mut open: Vec<TcpStream> = (0..5).map(|_| server.sent(HEALTH)).collect();
    for stream in &mut open {
        assert_eq!(first_line(stream), "HTTP/1.1 200 OK");
    }
}

#[test]
fn what_is_being_answered_is_answered_before_the_end() {
    let mut server = Server::start(Door::default(), Limits { ending_time: LONG, ..Limits::default() });
    let mut idle = server.sent(HEALTH);
    assert_eq!(first_line(&mut idle), "HTTP/1.1 200 OK");
    let mut begun = server.sent(&[HEALTH, BEGUN].concat());
    assert_eq!(first_line(&mut begun), "HTTP/1.1 200 OK", "so the request after it is being read");
    server.tell_to_end();
    begun.write_all(b"{}").expect("sent");
    let mut rest = String::new();
    begun.read_to_string(&mut rest).expect("it is answered and closed");
    assert!(rest.contains("HTTP/1.1 200 OK"), "{rest}");
    server.wait_for_its_end();
}

#[test]
fn what_does_not_end_is_given_up_at_the_end() {
    let mut server = Server::start(Door::new(AMPLE, LONG), Limits { ending_time: SHORT, ..Limits::default() });
    let mut begun = server.sent(&[HEALTH, BEGUN].concat());
    assert_eq!(first_line(&mut begun), "HTTP/1.1 200 OK");
    server.tell_to_end();
    server.wait_for_its_end();
}

#[tokio::test]
async fn writes_beyond_the_queue_are_refused_and_the_others_kept() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join(DATABASE_FILE);
    let store = SqlStore::sqlite(&path).expect("a store");
    let other = Connection::open(&path).expect("another program");
    other.execute_batch("BEGIN IMMEDIATE").expect("it writes");
    let (session, now) = (SessionId::from_random([1; 12]), Timestamp::UNIX_EPOCH);
    let mut writes: Vec<_> = (0..2000).map(|_| (Box::pin(store.use_session(&session, now)), None)).collect();
    let mut context = Context::from_waker(Waker::noop());
    for (write, outcome) in &mut writes {
        if let Poll::Ready(refused) = write.as_mut().poll(&mut context) {
            *outcome = Some(refused);
        }
    }
    other.execute_batch("COMMIT").expect("it has written");
    let (mut kept, mut refused) = (0, 0);
    for (write, outcome) in writes {
        let outcome = match outcome {
            Some(outcome) => outcome,
            None => write.await,
        };
        match outcome {
            Ok(()) => kept += 1,
            Err(StoreError::Overloaded) => refused += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert!(kept >= 1024 && refused > 0, "{kept} kept, {refused} refused");
}

#[tokio::test]
async fn b9_counts_of_people_beyond_those_that_may_wait_are_refused_by_their_code() {
    // Nobody counts here.
    let (App { central, .. }, _dir) = app(Door::default()).await;
    let scope = |n: u32| serde_json::from_value(json!({ "group": format!("group {n}") })).expect("a scope");
    let ask = async |n| central.ask_count(&Actor::command_line("ada"), &scope(n)).await;
    for n in 0..MOST_OPEN {
        ask(n).await.expect("it waits");
    }
    let refused = ask(MOST_OPEN).await.expect_err("one too many");
    assert_eq!(
        (refused.code(), ApiError::from(refused).into_response().status()),
        ("too-many-counts", StatusCode::CONFLICT)
    );
    ask(0).await.expect("it waits already");
}

async fn answer(app: &App, request: Request<Body>) -> Response<Body> {
    router(app.clone()).expect("a router").oneshot(request).await.expect("answered")
}

fn join() -> String {
    let product = ProductFacts {
        id: "acme-wiki".parse().expect("a product id"),
        name: "Acme Wiki".to_owned(),
        version: "1".to_owned(),
        edition: None,
        server_id: ServerId::from_random([1; 20]),
        staging: false,
        nodes: Vec::new(),
    };
    let join = Join { secret: Secret::from_bytes([1; 32]), issued_at: jiff::Timestamp::now(), product };
    seal::seal_introducing(&join, &SecretKey::from_seed(&[1; 32])).expect("sealed")
}

#[tokio::test]
async fn a_store_that_fails_is_told_as_something_to_try_again() {
    let (app, dir) = app(Door::default()).await;
    let database = Connection::open(dir.path().join(DATABASE_FILE)).expect("opened");
    database.execute_batch("DROP TABLE invites; DROP TABLE leftovers; DROP TABLE sessions").expect("broken");
    let body = serde_json::to_string(&ExchangeRequest { join: Some(join()), ..Default::default() }).expect("JSON");
    let exchange = Request::post("/link/v1/exchange").body(Body::from(body)).expect("a request");
    let response = answer(&app, exchange).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(response.headers().contains_key(header::RETRY_AFTER));
    let bytes = to_bytes(response.into_body(), 10_000).await.expect("a body");
    let told: ExchangeResponse = serde_json::from_slice(&bytes).expect("an answer of the same form");
    assert_eq!(told.refusals[0].code, "unavailable");
    assert!(!told.refusals[0].message.contains("invites"), "what the database says stays in the log");
    let health = Request::get("/healthz").body(Body::empty()).expect("a request");
    assert_eq!(answer(&app, health).await.status(), StatusCode::SERVICE_UNAVAILABLE);
    for path in ["/api/v1/applications", "/applications"] {
        let request = Request::get(path).header(header::COOKIE, "seatline-central=AAAA").body(Body::empty());
        let response = answer(&app, request.expect("a request")).await;
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE, "{path}");
    }
}
