//! HTTP as it is on the wire: what no client library would send can be sent too.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use serde_json::Value;

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The header lines, their names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl Answer {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), Some("application/json"), "{self:?}");
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// The code of the error with this status.
    pub fn refused(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{self:?}");
        self.json()["code"].as_str().expect("a code").to_owned()
    }
}

/// Sends a request to `address` as `seatline run` tells it, with more header lines, and a body that they describe.
pub fn send(address: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    send_bytes(address, method, path, headers, body.as_bytes())
}

/// The same with any bytes as the body.
pub fn send_bytes(address: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let mut request = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
        request.push_str("Host: localhost\r\n");
    }
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() {
        request.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    raw(address, &[request.as_bytes(), b"\r\n", body].concat())
}

/// `GET` without more.
pub fn get(address: &str, path: &str) -> Answer {
    send(address, "GET", path, &[], "")
}

/// Sends bytes as they are, and reads the answer to the end of the connection.
pub fn raw(address: &str, request: &[u8]) -> Answer {
    let patience = Some(Duration::from_secs(60));
    let mut bytes = Vec::new();
    // A server that has heard enough may close before everything is sent.
    match address.strip_prefix("unix:") {
        Some(path) => {
            let mut stream = UnixStream::connect(path).expect("connected");
            stream.set_read_timeout(patience).expect("set");
            let _ = stream.write_all(request);
            stream.read_to_end(&mut bytes).expect("an answer");
        }
        None => {
            let mut stream = TcpStream::connect(address).expect("connected");
            stream.set_read_timeout(patience).expect("set");
            let _ = stream.write_all(request);
            stream.read_to_end(&mut bytes).expect("an answer");
        }
    }
    parse(&String::from_utf8(bytes).expect("text"))
}

fn parse(text: &str) -> Answer {
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|status| status.parse().ok());
    let header = |line: &str| {
        let (name, value) = line.split_once(": ").expect("a header");
        (name.to_ascii_lowercase(), value.to_owned())
    };
    Answer { status: status.expect("a status"), headers: lines.map(header).collect(), body: body.to_owned() }
}
