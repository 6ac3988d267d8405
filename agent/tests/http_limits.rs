//! Every limit of the agent's HTTP server, each run into. That of a body and that of wrong tokens are in
//! `local_api.rs`.

mod support;

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use seatline_agent::http::server::{CONNECTIONS, PER_ADDRESS};
use seatline_agent::http::{App, RequestLimits, router};
use seatline_agent::instance::Instance;
use seatline_web::{Limits, Listener, serve};
use support::agent::Agent;
use support::running::Running;

/// A long time for a test: what takes longer does not happen.
const LONG: Duration = Duration::from_secs(60);
/// A short time: a limit that is run into.
const SHORT: Duration = Duration::from_millis(50);

const HEALTH: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// Serves an instance in this process, with limits of its own.
fn serve_here(agent: &Agent, limits: RequestLimits) -> SocketAddr {
    let dir = agent.path("seatline.toml").parent().expect("the data directory").to_owned();
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let instance = Arc::new(Instance::open_as_it_is(&dir).expect("an instance"));
        let router = router(App::new(instance).expect("an app").limited(limits)).expect("a router");
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(async {
            let listener = Listener::bind(&"127.0.0.1:0".parse().expect("an address")).await.expect("a free port");
            let address = listener.address().expect("its address").to_string();
            tell.send(address.parse().expect("a socket address")).expect("somebody waits");
            serve(listener, router, Limits::default(), std::future::pending()).await;
        });
    });
    told.recv().expect("it starts")
}

fn connected(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("connected");
    stream.set_read_timeout(Some(LONG)).expect("set");
    stream
}

/// A connection that comes from another address than most.
fn connected_from(from: &str, to: SocketAddr) -> TcpStream {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let stream = runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
        socket.bind(SocketAddr::new(from.parse().expect("an address"), 0)).expect("bound");
        socket.connect(to).await.expect("connected").into_std().expect("a plain socket")
    });
    stream.set_nonblocking(false).expect("set");
    stream.set_read_timeout(Some(LONG)).expect("set");
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

#[test]
fn a_body_that_does_not_come_is_given_up() {
    let agent = Agent::new();
    let token = agent.token("operator", "admin");
    let address = serve_here(&agent, RequestLimits { time: SHORT, ..RequestLimits::default() });
    let mut begun = connected(address);
    let head = format!(
        "POST /v1/licenses HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: 9\r\n\r\n{{"
    );
    begun.write_all(head.as_bytes()).expect("sent");
    assert_eq!(first_line(&mut begun), "HTTP/1.1 408 Request Timeout");
}

#[test]
fn a_form_that_does_not_come_is_given_up() {
    let agent = Agent::new();
    let address = serve_here(&agent, RequestLimits { page_time: SHORT, ..RequestLimits::default() });
    let mut begun = connected(address);
    let head = b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\n\
        Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 9\r\n\r\nn";
    begun.write_all(head).expect("sent");
    assert_eq!(first_line(&mut begun), "HTTP/1.1 408 Request Timeout");
}

#[test]
fn a_header_that_is_too_long_is_refused() {
    let agent = Agent::new();
    let address = serve_here(&agent, RequestLimits::default());
    let head = |bytes: usize| format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n", "x".repeat(bytes));
    for (bytes, expected) in [(30 << 10, "200 OK"), (64 << 10, "431 Request Header Fields Too Large")] {
        let mut stream = connected(address);
        stream.write_all(head(bytes).as_bytes()).expect("sent");
        assert_eq!(first_line(&mut stream), format!("HTTP/1.1 {expected}"));
    }
}

#[test]
fn a_body_that_is_too_large_is_refused_by_its_announced_length_already() {
    let agent = Agent::new();
    let token = agent.token("operator", "admin");
    let address = serve_here(&agent, RequestLimits { body_bytes: 100, ..RequestLimits::default() });
    let head = |length: usize| {
        format!(
            "POST /v1/licenses HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
        )
    };
    let mut announced = connected(address);
    announced.write_all(head(101).as_bytes()).expect("sent");
    assert_eq!(first_line(&mut announced), "HTTP/1.1 413 Payload Too Large");
    let mut fits = connected(address);
    fits.write_all(format!("{}{:<100}", head(100), "{\"key\":\"x\"}").as_bytes()).expect("sent");
    assert_eq!(first_line(&mut fits), "HTTP/1.1 422 Unprocessable Entity");
}

#[test]
fn connections_beyond_the_limit_wait_for_one_to_close() {
    let agent = Agent::new();
    agent.configure("\n[log]\nformat = 'json'\n");
    let mut running = Running::start(&agent, &[], &[]);
    let address: SocketAddr = running.address().parse().expect("an address");
    let mut open: Vec<TcpStream> = (0..CONNECTIONS).map(|_| connected(address)).collect();
    for stream in &mut open {
        stream.write_all(HEALTH).expect("sent");
        assert_eq!(first_line(stream), "HTTP/1.1 200 OK");
    }
    let mut beyond = connected(address);
    beyond.write_all(HEALTH).expect("sent");
    beyond.set_read_timeout(Some(SHORT)).expect("set");
    assert!(beyond.read(&mut [0]).is_err(), "it is not answered yet");
    open.pop();
    beyond.set_read_timeout(Some(LONG)).expect("set");
    assert_eq!(first_line(&mut beyond), "HTTP/1.1 200 OK");
}

#[test]
fn one_address_of_many_connections_keeps_no_other_out() {
    let agent = Agent::new();
    agent.configure("\n[log]\nformat = 'json'\n[http]\nproxies = ['127.0.0.3']\n");
    let mut running = Running::start(&agent, &[], &[]);
    let address: SocketAddr = running.address().parse().expect("an address");
    let line = |mut stream: TcpStream| {
        // Whoever is turned away may be so before he has said anything.
        let _ = stream.write_all(HEALTH);
        (first_line(&mut stream), stream)
    };
    let mut open = Vec::new();
    for (from, most) in [("127.0.0.2", PER_ADDRESS), ("127.0.0.3", PER_ADDRESS + 1), ("127.0.0.1", PER_ADDRESS + 1)] {
        for _ in 0..most {
            let (answer, stream) = line(connected_from(from, address));
            assert_eq!(answer, "HTTP/1.1 200 OK", "{from}");
            open.push(stream);
        }
    }
    assert_eq!(line(connected_from("127.0.0.2", address)).0, "HTTP/1.1 503 Service Unavailable");
}

#[test]
fn what_is_being_answered_does_not_keep_the_agent_from_its_end() {
    let agent = Agent::new();
    agent.configure("\n[log]\nformat = 'json'\n");
    let mut running = Running::start(&agent, &[], &[]);
    let mut idle = connected(running.address().parse().expect("an address"));
    idle.write_all(HEALTH).expect("sent");
    assert_eq!(first_line(&mut idle), "HTTP/1.1 200 OK");
    let begun = Instant::now();
    running.signal("TERM");
    running.until("stopped");
    assert!(begun.elapsed() < Limits::default().ending_time, "nobody waits for what asks nothing");
    assert_eq!(running.ended(), Some(0));
}
