//! What anybody may send to the open doors: each is answered by a code, cheaply, and the server goes on.

mod support;

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};

use seatline_protocol::continuity::MAX_STATEMENTS;
use seatline_protocol::exchange::{MAX_REPORTS, MAX_REQUEST_BYTES};
use seatline_protocol::seal::Document as _;
use seatline_protocol::{ExchangeResponse, Report};
use support::{Central, agent};

/// Sends a body to the link; gives the status and the code of the one refusal.
fn send(central: &Central, body: &[u8]) -> (u16, String) {
    let url = format!("{}/link/v1/exchange", central.url());
    let mut response = agent().post(url).header("Content-Type", "application/json").send(body).expect("answered");
    let answer: ExchangeResponse = response.body_mut().read_json().expect("an answer of the same form");
    assert_eq!(answer.refusals.len(), 1, "{answer:?} to {:?}", String::from_utf8_lossy(&body[..body.len().min(40)]));
    assert_eq!(answer.refusals[0].document, "exchange");
    assert!(!answer.refusals[0].message.contains('\n'));
    (response.status().as_u16(), answer.refusals[0].code.clone())
}

/// Sends bytes as they are, closes the sending side, and gives the first line of what comes back.
fn raw(central: &Central, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(central.url().trim_start_matches("http://")).expect("connected");
    stream.write_all(bytes).expect("sent");
    let mut answer = Vec::new();
    // A server that has heard enough may close before everything is sent or read.
    let _ = stream.shutdown(Shutdown::Write);
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).lines().next().unwrap_or_default().to_owned()
}

#[test]
fn what_is_no_exchange_is_refused_as_malformed() {
    let central = Central::started();
    let deep = "[".repeat(100_000);
    for body in [
        &b""[..],
        b"{",
        b"[]",
        b"null",
        b"{\"reports\": \"one\"}",
        b"{\"reports\": [1]}",
        b"{\"join\": null, \"join\": null}",
        b"{}{}",
        b"{\"reports\": [\"\xff\xfe\"]}",
        b"\xff\xfe{\x00}\x00",
        deep.as_bytes(),
    ] {
        let (status, code) = send(&central, body);
        assert_eq!(
            (status, code.as_str()),
            (400, "malformed"),
            "{:?}",
            String::from_utf8_lossy(&body[..body.len().min(40)])
        );
    }
}

#[test]
fn what_is_too_large_is_refused_by_its_announced_length_already() {
    let central = Central::started();
    let announced = format!(
        "POST /link/v1/exchange HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        MAX_REQUEST_BYTES + 1
    );
    assert_eq!(raw(&central, announced.as_bytes()), "HTTP/1.1 413 Payload Too Large");
    let boundless = "POST /link/v1/exchange HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunk = format!("{:x}\r\n{}\r\n", 1 << 20, " ".repeat(1 << 20));
    let sent = [boundless.to_owned(), chunk.repeat(5), "0\r\n\r\n".to_owned()].concat();
    assert_eq!(raw(&central, sent.as_bytes()), "HTTP/1.1 413 Payload Too Large");
    let many = serde_json::json!({ "reports": vec!["x"; MAX_REPORTS + 1] }).to_string();
    assert_eq!(send(&central, many.as_bytes()), (413, "too-large".to_owned()));
    let many = serde_json::json!({ "continuity": vec!["x"; MAX_STATEMENTS + 1] }).to_string();
    assert_eq!(send(&central, many.as_bytes()), (413, "too-large".to_owned()));
}

#[test]
fn as_many_reports_as_are_allowed_are_answered_one_by_one() {
    let central = Central::started();
    let large = "x".repeat(60_000);
    let body = serde_json::json!({ "reports": vec![large; MAX_REPORTS] });
    let url = format!("{}/link/v1/exchange", central.url());
    let mut response = agent().post(url).send_json(&body).expect("answered");
    let answer: ExchangeResponse = response.body_mut().read_json().expect("an answer");
    let codes: Vec<_> = answer.refusals.iter().map(|refusal| refusal.code.as_str()).collect();
    assert_eq!(codes, vec!["not-a-document"; MAX_REPORTS]);
    let huge = serde_json::json!({ "reports": [format!("v4.public.{}", "A".repeat(Report::MAX_BYTES))] });
    let url = format!("{}/link/v1/exchange", central.url());
    let mut response = agent().post(url).send_json(&huge).expect("answered");
    let answer: ExchangeResponse = response.body_mut().read_json().expect("an answer");
    assert_eq!(answer.refusals[0].code, "too-large");
}

#[test]
fn a_request_that_breaks_off_harms_nobody() {
    let central = Central::started();
    for bytes in [
        &b"POST /link/v1/exchange HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{\"rep"[..],
        b"POST /link/v1/exchange HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST /link/v1/exchange HTTP/1.1\r\nHo",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/9.9\r\n\r\n",
        b"",
    ] {
        let line = raw(&central, bytes);
        assert!(!line.contains(" 500 "), "{line}");
    }
    let header = format!("GET /healthz HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "a".repeat(100_000));
    let line = raw(&central, header.as_bytes());
    assert!(line.contains("431") || line.is_empty(), "a giant header is not read to its end: {line}");
    let health = agent().get(format!("{}/healthz", central.url())).call().expect("answered");
    assert_eq!(health.status(), 200, "and the server goes on");
}

/// Bytes that become a thousand times as many where somebody unpacks them: a document of spaces, as `gzip` packs it.
fn bomb() -> Vec<u8> {
    let mut packing = std::process::Command::new("gzip")
        .arg("-9")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("gzip, which belongs to every system");
    let mut input = packing.stdin.take().expect("it was asked for");
    let writing = std::thread::spawn(move || {
        (0..64).for_each(|_| input.write_all(&[b' '; 1 << 20]).expect("it reads"));
    });
    let packed = packing.wait_with_output().expect("it ends").stdout;
    writing.join().expect("written");
    packed
}

#[test]
fn what_is_packed_is_never_unpacked() {
    let central = Central::started();
    let bomb = bomb();
    assert!(bomb.len() < 100_000, "64 MiB as {} bytes", bomb.len());
    for path in ["/link/v1/exchange", "/link/v1/wait"] {
        for coding in ["gzip", "deflate", "br", "zstd"] {
            let request = agent().post(format!("{}{path}", central.url())).header("Content-Encoding", coding);
            let status = request.send(&bomb[..]).expect("answered").status();
            assert!([400, 413].contains(&status.as_u16()), "{path}, {coding}: {status}");
        }
    }
}

#[test]
fn a_flood_of_strangers_from_one_address_is_told_to_wait_and_no_other_address_is() {
    let mut central = Central::idle();
    central.input(&["admin", "create", "ada", "--password-stdin"], support::PASSWORD);
    central.start_with(&["--proxy", "127.0.0.1"]);
    let from = |address: &str, body: &str| {
        let url = format!("{}/link/v1/exchange", central.url());
        agent().post(url).header("X-Forwarded-For", address).send(body).expect("answered")
    };
    let many = serde_json::json!({ "reports": vec!["x"; MAX_REPORTS] }).to_string();
    let told = (0..1000).find_map(|_| {
        let mut response = from("192.0.2.1", &many);
        assert_eq!(from("192.0.2.2", "{}").status(), 200, "another address is not held up");
        (response.status() != 200).then(|| {
            let answer: ExchangeResponse = response.body_mut().read_json().expect("an answer of the same form");
            (response.status().as_u16(), response.headers()["retry-after"].clone(), answer.refusals[0].code.clone())
        })
    });
    let (status, seconds, code) = told.expect("it is told to wait");
    assert_eq!((status, code.as_str()), (503, "unavailable"));
    assert!(seconds.to_str().expect("text").parse::<u64>().expect("seconds") >= 1);
    let wait = agent().post(format!("{}/link/v1/wait", central.url())).header("X-Forwarded-For", "192.0.2.1");
    assert_eq!(wait.send("{}").expect("answered").status(), 503, "on both doors");
}

#[test]
fn the_link_takes_posts_alone() {
    let central = Central::started();
    let response = agent().get(format!("{}/link/v1/exchange", central.url())).call().expect("answered");
    assert_eq!(response.status(), 405);
}
