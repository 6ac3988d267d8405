//! A central server that is down, slow or not itself: the reports wait, and the administrator is told.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::{SignedDuration, Timestamp};
use seatline_protocol::exchange::ExchangeResponse;
use seatline_protocol::pairing::Secret;
use seatline_protocol::{Invite, Receipt, Repeat, SecretKey, seal};
use seatline_tests::server::{Guarded, certificates, free_port};
use seatline_tests::{Agent, Central, Vendor};

/// Something that listens where the central server did, and answers every request with the same bytes.
struct Impostor {
    asked: Arc<AtomicUsize>,
}

impl Impostor {
    fn answering(address: SocketAddr, answer: Option<Vec<u8>>) -> Self {
        let listener = TcpListener::bind(address).expect("the central server is gone");
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        std::thread::spawn(move || {
            let mut held = Vec::new();
            for stream in listener.incoming() {
                let mut stream = stream.expect("a connection");
                read_request(&mut stream);
                count.fetch_add(1, Ordering::SeqCst);
                match &answer {
                    Some(answer) => drop(stream.write_all(answer)),
                    None => held.push(stream),
                }
            }
        });
        Self { asked }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

/// Reads a request to its end, as its content-length says.
fn read_request(stream: &mut TcpStream) {
    let (mut request, mut buffer) = (Vec::new(), [0; 8192]);
    loop {
        let read = stream.read(&mut buffer).unwrap_or(0);
        request.extend(&buffer[..read]);
        let text = String::from_utf8_lossy(&request);
        let whole = text.split_once("\r\n\r\n").is_some_and(|(head, body)| {
            let length =
                head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
            body.len() >= length.unwrap_or(0)
        });
        if read == 0 || whole {
            return;
        }
    }
}

fn http(status: &str, headers: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\n{headers}connection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len())
        .into_bytes()
}

/// An agent that is linked, with one report at the central server, which is gone.
fn abandoned() -> (Agent, Central) {
    let (vendor, mut central) = (Vendor::new(), Central::start());
    let agent = Agent::new(&vendor);
    agent.link(&central.invite());
    agent.run(&["sync"]).ok();
    central.kill();
    (agent, central)
}

/// Synchronises against an impostor, and sees the report wait and the reason stand in the status.
fn kept(answer: Option<Vec<u8>>, code: &str) -> String {
    let (agent, central) = abandoned();
    let impostor = Impostor::answering(central.address(), answer);
    let line = agent.run(&["sync"]).refused(code);
    assert_eq!(impostor.asked(), 1, "it was asked once");
    let status = agent.status();
    assert_eq!(status["outbox"]["pending"], 1);
    assert_eq!(status["exchange"]["failures"], 1);
    assert_eq!(status["exchange"]["problem"]["code"], code);
    assert!(status["exchange"]["next_attempt_at"].is_string(), "it backs off");
    line
}

#[test]
fn g3_reports_wait_while_the_central_server_is_down_and_arrive_when_it_is_back() {
    let (agent, mut central) = abandoned();
    for failures in 1..=3 {
        agent.run(&["sync"]).refused("central-unreachable");
        assert_eq!(agent.status()["exchange"]["failures"], failures);
    }
    assert_eq!(agent.status()["outbox"]["pending"], 3);
    central.serve();
    let synced = agent.run(&["sync", "--json"]).json();
    assert_eq!(synced["exchange"]["receipts"].as_array().map(Vec::len), Some(4), "all that waited was sent");
    let status = agent.status();
    assert_eq!((&status["outbox"]["pending"], &status["exchange"]["failures"]), (&0.into(), &0.into()));
}

#[test]
fn garbage_instead_of_an_answer_is_told_as_such() {
    let line = kept(Some(b"\x16\x03\x01\x00garbage\r\n\r\n".to_vec()), "central-garbage");
    assert!(line.contains("is it a Seatline central server?"), "{line}");
    kept(Some(http("200 OK", "", "<html>a login page</html>")), "central-garbage");
    kept(Some(http("200 OK", "", &"[".repeat(2_000_000))), "central-garbage");
}

#[test]
fn an_error_of_the_server_is_told_with_its_status_and_without_its_page() {
    let line = kept(Some(http("502 Bad Gateway", "", "<h1>\u{1b}[31mproxy</h1>")), "central-status");
    assert!(line.contains("HTTP status 502") && !line.contains("proxy"), "{line}");
}

#[test]
fn a_server_that_asks_for_time_is_left_alone_for_so_long_and_for_a_day_at_the_most() {
    for (asked, hours) in [("7200", 2), ("99999999999", 24)] {
        let (agent, central) = abandoned();
        let headers = format!("retry-after: {asked}\r\n");
        let _impostor = Impostor::answering(central.address(), Some(http("503 Service Unavailable", &headers, "")));
        agent.run(&["sync"]).refused("central-status");
        let exchange = &agent.status()["exchange"];
        let time = |field: &str| exchange[field].as_str().expect("a time").parse::<Timestamp>().expect("a time");
        let left_alone = time("next_attempt_at").duration_since(time("tried_at"));
        let wanted = SignedDuration::from_hours(hours);
        assert!((wanted..wanted * 2).contains(&left_alone), "{asked}: {exchange}");
    }
}

#[test]
fn a_redirect_is_not_followed() {
    let (_, elsewhere) = abandoned();
    let impostor = Impostor::answering(elsewhere.address(), Some(http("200 OK", "", "{}")));
    let location = format!("location: {}/link/v1/exchange\r\n", elsewhere.url());
    kept(Some(http("307 Temporary Redirect", &location, "")), "central-status");
    assert_eq!(impostor.asked(), 0, "nothing went elsewhere");
}

/// It takes the whole time that an exchange may take.
#[test]
fn a_server_that_never_answers_is_given_up() {
    kept(None, "central-slow");
}

#[test]
fn a_central_server_whose_certificate_nobody_here_vouches_for_is_told_nothing() {
    let (certificates, port) = (certificates(), free_port());
    let mut server = Command::new("openssl");
    server
        .args(["s_server", "-www", "-accept", &port.to_string(), "-cert"])
        .arg(certificates.path().join("server.pem"));
    server.arg("-key").arg(certificates.path().join("server.key"));
    let mut guard = Guarded::start(certificates.path(), &server);
    guard.wait(certificates.path(), || TcpStream::connect(("127.0.0.1", port)).is_ok());

    let made = Timestamp::now();
    let invite = Invite {
        central_url: format!("https://127.0.0.1:{port}"),
        central_name: "Licenses".to_owned(),
        secret: Secret::from_bytes([1; 32]),
        issued_at: made,
        expires_at: made + SignedDuration::from_mins(30),
        application: None,
        return_url: None,
    };
    let invite = seal::seal_introducing(&invite, &SecretKey::from_seed(&[9; 32])).expect("sealed");
    let agent = Agent::without_plugin(&Vendor::new());
    let problem = agent.link(&invite)["problem"].clone();
    assert_eq!(problem["code"], "central-tls", "{problem}");
    assert!(problem["message"].as_str().is_some_and(|why| why.contains("among those that this system trusts")));
    assert_eq!(agent.status()["exchange"]["problem"]["code"], "central-tls");
}

/// Whoever sits at the central server's address without its key can take nothing out of the outbox.
#[test]
fn b2_a_receipt_of_another_key_is_refused_and_the_report_stays() {
    let (agent, central) = abandoned();
    agent.run(&["sync"]).refused("central-unreachable");
    let preview = agent.run(&["report", "preview", "--json"]).json();
    let sealed = preview["pending"][0]["sealed"].as_str().expect("a sealed report");
    let next: Repeat = serde_json::from_value(preview["next"]["report"].clone()).expect("it says nothing new");
    let receipt = Receipt {
        link: next.link,
        sequence: next.sequence.previous().expect("the one that waits"),
        report: seatline_protocol::Digest::of(sealed.as_bytes()),
        received_at: next.observed_at,
        verdict: seatline_protocol::ReceiptVerdict::Chained,
    };
    let forger = SecretKey::from_seed(&[9; 32]);
    let forged = seal::seal(&receipt, &forger).expect("a forged receipt");
    let answer = ExchangeResponse { receipts: vec![forged], ..ExchangeResponse::default() };
    let body = serde_json::to_string(&answer).expect("JSON");
    let _impostor = Impostor::answering(central.address(), Some(http("200 OK", "", &body)));
    agent.run(&["sync"]).refused("unknown-key");
    assert_eq!(agent.status()["outbox"]["pending"], 2);
}

#[test]
fn w3_an_invite_that_another_product_has_used_makes_no_link_and_one_that_was_accepted_before_says_so() {
    let (vendor, mut central) = (Vendor::new(), Central::start());
    let [early, first, late] = [(); 3].map(|()| Agent::without_plugin(&vendor));
    let invite = central.invite();
    central.kill();
    assert_eq!(early.link(&invite)["problem"]["code"], "central-unreachable");
    central.serve();
    first.link(&invite);
    let line = late.run(&["link", "accept", &invite, "--yes"]).refused("invite-unknown");
    assert!(line.contains("so there is no link: ") && line.contains("ask for a new one"), "{line}");
    assert!(late.status()["link"].is_null());

    let line = early.run(&["sync"]).refused("invite-unknown");
    assert!(line.contains("remove this link (`seatline link remove`), and accept a new invite"), "{line}");
    let status = early.status();
    assert_eq!(status["link"]["state"], "refused");
    assert_eq!(status["exchange"]["failures"], 2, "the central server was asked once by each command");
    assert!(status["exchange"]["next_attempt_at"].is_null(), "it is not sent again of its own accord");
    early.run(&["link", "remove", "--yes"]).ok();
    assert_eq!(early.link(&central.invite())["link"]["state"], "approved");
}
