//! Webhooks to a real receiver, which verifies each call with the reference library in Python.

#[path = "support/certificates.rs"]
mod certificates;
#[path = "support/mail_server.rs"]
#[allow(dead_code, reason = "mail is for other tests")]
mod mail_server;
#[path = "support/receiver.rs"]
mod receiver;

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use certificates::write_certificates;
use jiff::Timestamp;
use receiver::Receiver;
use seatline_delivery::Trust;
use seatline_delivery::webhook::{Call, Caller, TIME_LIMIT, WebhookError, WebhookSecret};
use serde_json::json;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn call(caller: &Caller, url: &str, secret: &str) -> Result<(), WebhookError> {
    let secret: WebhookSecret = secret.parse().expect("a secret");
    let call = Call { url, secret: &secret, id: "msg-1", body: br#"{"title": "L\u00e4uft ab"}"# };
    caller.call(call, Timestamp::now())
}

#[test]
fn a_call_is_verified_by_the_reference_library_and_one_of_another_secret_is_not() {
    let mut receiver = Receiver::start(&json!({"secret": SECRET}));
    let caller = Caller::new(&Trust::System, TIME_LIMIT);
    assert_eq!(call(&caller, &receiver.url(), SECRET), Ok(()));
    let received = receiver.call();
    assert_eq!((&received["verified"], &received["id"]), (&true.into(), &"msg-1".into()));
    assert_eq!(received["body"]["title"], "Läuft ab");

    let other = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let refused = call(&caller, &receiver.url(), other).expect_err("another secret");
    assert!(refused.to_string().contains("HTTP status 401: it does not take the signature"), "{refused}");
}

#[test]
fn a_receiver_over_tls_must_have_a_certificate_of_a_trusted_authority() {
    let dir = tempfile::tempdir().expect("a directory");
    write_certificates(dir.path());
    let mut receiver = Receiver::start(&json!({"secret": SECRET, "certificate": dir.path().join("server.pem")}));
    let trust = Trust::of(Some(&dir.path().join("ca.pem"))).expect("the authority");
    assert_eq!(call(&Caller::new(&trust, TIME_LIMIT), &receiver.url(), SECRET), Ok(()));
    assert_eq!(receiver.call()["verified"], true);
    let refused = call(&Caller::new(&Trust::System, TIME_LIMIT), &receiver.url(), SECRET).expect_err("nobody known");
    assert_eq!(refused.code(), "webhook-tls", "{refused}");
}

#[test]
fn a_redirect_is_not_followed_and_a_refusal_says_when_to_come_back() {
    let caller = Caller::new(&Trust::System, TIME_LIMIT);
    for (status, code, is_final) in
        [(302, "webhook-status", false), (503, "webhook-status", false), (410, "webhook-status", true)]
    {
        let mut receiver = Receiver::start(&json!({"secret": SECRET, "answers": [status]}));
        let url = format!("{}?key=hunter2", receiver.url());
        let refused = call(&caller, &url, SECRET).expect_err("a refusal");
        assert_eq!((refused.code(), refused.is_final()), (code, is_final), "{refused}");
        assert!(!refused.to_string().contains("hunter2"), "{refused}");
        assert_eq!(refused.retry_after(), Some(Duration::from_secs(120)));
        receiver.call();
        // Nobody came to the place that the redirect led to: the next call is this one.
        assert_eq!(call(&caller, &url, SECRET), Ok(()));
        assert_eq!(receiver.call()["path"], "/hook?key=hunter2");
    }
}

#[test]
fn a_receiver_that_asks_for_more_than_a_day_is_called_again_after_one() {
    let caller = Caller::new(&Trust::System, TIME_LIMIT);
    for (asked, waits) in [("86399", Some(86_399)), ("99999999999", Some(86_400)), ("-1", None), ("tomorrow", None)] {
        let receiver = Receiver::start(&json!({"secret": SECRET, "answers": [503], "retry_after": asked}));
        let refused = call(&caller, &receiver.url(), SECRET).expect_err("not now");
        assert_eq!(refused.retry_after(), waits.map(Duration::from_secs), "{asked}");
    }
}

#[test]
fn a_receiver_that_hangs_is_left_in_time_and_an_endless_answer_is_not_read() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/", listener.local_addr().expect("its address"));
    std::thread::spawn(move || {
        let mut hanging = listener.accept().expect("a connection").0;
        std::thread::spawn(move || drop(hanging.read_to_end(&mut Vec::new())));
        let mut endless = listener.accept().expect("a connection").0;
        let mut request = [0; 4096];
        let _ = endless.read(&mut request);
        endless.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").expect("a head");
        while endless.write_all(b"5\r\nhello\r\n").is_ok() {}
    });
    let caller = Caller::new(&Trust::System, Duration::from_millis(500));
    assert_eq!(call(&caller, &url, SECRET), Err(WebhookError::Slow { url: url.clone() }));
    let begun = Instant::now();
    assert_eq!(call(&caller, &url, SECRET), Ok(()), "its head says that it is taken");
    assert!(begun.elapsed() < Duration::from_secs(10));
    assert_eq!(call(&caller, "http://127.0.0.1:1/", SECRET).expect_err("nobody").code(), "webhook-unreachable");
}
