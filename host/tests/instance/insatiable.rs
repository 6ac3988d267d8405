//! A central server that listens, and whatever it is sent wants something more.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use seatline_host::sandbox::Trigger;
use seatline_protocol::{ExchangeRequest, ExchangeResponse, PublicKey, Rotation, Settings, seal};

use crate::given::{Central, Instance};
use crate::rotation::joined_key;

/// Reads an exchange from one connection.
fn request(stream: &TcpStream) -> ExchangeRequest {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).expect("a line of the head");
        let line = line.trim_end().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(number) = line.strip_prefix("content-length: ") {
            length = number.parse().expect("a length");
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("the body");
    serde_json::from_slice(&body).expect("an exchange")
}

fn answer(mut stream: &TcpStream, response: &ExchangeResponse) {
    let body = serde_json::to_vec(response).expect("JSON");
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    stream.write_all(&[head.as_bytes(), &body].concat()).expect("an answer");
}

/// Answers every request by taking the key that it brings, and asking for the next one; counts the requests. After two
/// hundred it has enough, so that a product that goes on and on is found out.
fn wants_keys(listener: TcpListener, central: Central, mut key: PublicKey) -> Arc<AtomicU64> {
    let asked = Arc::<AtomicU64>::default();
    let counted = Arc::clone(&asked);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.expect("a connection");
            let mut response = ExchangeResponse::default();
            if let Some(sealed) = request(&stream).rotation {
                let rotation: Rotation = seal::open(&sealed, std::slice::from_ref(&key)).expect("by the key before");
                key = rotation.key;
                response = central.approval(&key.id());
            }
            let revision = counted.fetch_add(1, Ordering::SeqCst) + 1;
            let replace_key = (revision < 200).then(|| key.id());
            let settings = Settings { replace_key, ..central.wanted(revision) };
            response.settings = central.wishes(&settings).settings;
            answer(&stream, &response);
        }
    });
    asked
}

#[test]
fn a_central_server_that_always_wants_another_key_holds_up_no_count() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("its address"));
    let (instance, central) = (Instance::new(), Central { url, ..Central::new() });
    let key = joined_key(&instance, &central);
    let asked = wants_keys(listener, central, key);
    instance.host.collect(Trigger::Demand).expect("a report");
    let outcome = instance.host.exchange().expect("nothing is in the way");
    assert!(outcome.key_replaced);
    assert_eq!(asked.load(Ordering::SeqCst), 32, "as many requests as two full outboxes take, and then an end");
    let synced = instance.host.sync(Trigger::Interval);
    assert!(synced.collected.expect("it is counted all the same").report.is_some());
}
