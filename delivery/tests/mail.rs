//! Mail to real mail servers, and to servers that mean no good.

#[path = "support/certificates.rs"]
mod certificates;
#[path = "support/mail_server.rs"]
mod mail_server;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant, SystemTime};

use certificates::write_certificates;
use mail_server::MailServer as Real;
use seatline_delivery::mail::Letter;
use seatline_delivery::smtp::{Credentials, Mail, MailError, MailServer, Security, TIME_LIMIT, deliver, probe};
use seatline_delivery::{MailAddress, Trust};
use serde_json::json;

fn address(text: &str) -> MailAddress {
    text.parse().expect("an address")
}

fn letter(to: &str) -> Mail {
    let (from, to) = (address("seatline@example.org"), address(to));
    let letter = Letter {
        from: (&from, "Seatline für Wiki"),
        to: &to,
        subject: "License L-1 expires — soon",
        text: "It expires.\n.\n..and a dot\n",
        id: "abc",
        date: SystemTime::UNIX_EPOCH,
    };
    let bytes = letter.to_bytes().expect("a mail");
    Mail { to, bytes }
}

fn server(port: u16, security: Security) -> MailServer {
    let host = "localhost".to_owned();
    MailServer { host, port, security, credentials: None, trust: Trust::System, time_limit: TIME_LIMIT }
}

fn credentials(password: &str) -> Option<Credentials> {
    Some(Credentials { user: "wiki".to_owned(), password: password.to_owned().into() })
}

fn send(server: &MailServer, to: &[&str]) -> Vec<Result<(), MailError>> {
    let mails: Vec<_> = to.iter().map(|to| letter(to)).collect();
    let mut results = Vec::new();
    deliver(server, &address("seatline@example.org"), &mails, |at, result| {
        assert_eq!(at, results.len(), "one after the other");
        results.push(result);
        true
    });
    results
}

fn code(results: &[Result<(), MailError>]) -> &str {
    results[0].as_ref().map_or_else(MailError::code, |()| "taken")
}

/// A server with certificates, and how it is trusted.
fn encrypted(security: &str, more: &serde_json::Value) -> (Real, Trust, tempfile::TempDir) {
    let dir = tempfile::tempdir().expect("a directory");
    write_certificates(dir.path());
    let mut wish = json!({"security": security, "certificate": dir.path().join("server.pem")});
    for (key, value) in more.as_object().into_iter().flatten() {
        wish[key] = value.clone();
    }
    let trust = Trust::of(Some(&dir.path().join("ca.pem"))).expect("the authority");
    (Real::start(&wish), trust, dir)
}

#[test]
fn s5_a_mail_arrives_as_it_was_written_over_starttls_and_tls_with_either_authentication() {
    for (name, security) in [("starttls", Security::StartTls), ("tls", Security::Tls)] {
        for without in ["LOGIN", "PLAIN"] {
            let more = json!({"users": {"wiki": "hunter2 ü"}, "without": [without]});
            let (mut real, trust, _dir) = encrypted(name, &more);
            let server = MailServer { trust, credentials: credentials("hunter2 ü"), ..server(real.port, security) };
            assert_eq!(send(&server, &["ada@example.org"]), [Ok(())], "{name} without {without}");
            let mail = real.mail();
            assert_eq!((&mail["to"][0], &mail["user"]), (&"ada@example.org".into(), &"wiki".into()));
            assert_eq!(mail["encrypted"], true, "{name}");
            let text = mail["text"].as_str().expect("the mail");
            assert!(text.contains("\r\n.\r\n..and a dot\r\n"), "{text}");
            assert!(text.is_ascii() && text.contains("Subject: License L-1 expires =?utf-8?"), "{text}");
        }
    }
}

#[test]
fn s7_a_certificate_of_nobody_known_or_for_another_host_is_refused() {
    for (name, security) in [("starttls", Security::StartTls), ("tls", Security::Tls)] {
        let (real, trust, dir) = encrypted(name, &json!({}));
        assert_eq!(code(&send(&server(real.port, security), &["ada@example.org"])), "mail-tls");
        let other = Real::start(&json!({"security": name, "certificate": dir.path().join("other.pem")}));
        let refused = send(&MailServer { trust, ..server(other.port, security) }, &["ada@example.org"]);
        assert_eq!(code(&refused), "mail-tls", "{refused:?}");
    }
}

#[test]
fn s7_what_is_wrong_with_the_settings_is_told_and_holds_no_password() {
    let (real, trust, _dir) = encrypted("starttls", &json!({"users": {"wiki": "right"}}));
    let with = |password| MailServer {
        trust: trust.clone(),
        credentials: credentials(password),
        ..server(real.port, Security::StartTls)
    };
    assert_eq!(probe(&with("right")), Ok(()), "nothing is wrong with these");
    let refused = send(&with("hunter2"), &["ada@example.org"]);
    assert_eq!(probe(&with("hunter2")), refused[0], "it is told without a mail too");
    assert_eq!(code(&refused), "mail-credentials");
    assert!(!format!("{refused:?}").contains("hunter2"), "{refused:?}");
    // Who says nothing of himself is refused too.
    let nobody = MailServer { credentials: None, ..with("") };
    assert_eq!(code(&send(&nobody, &["ada@example.org"])), "mail-sender");

    let plain = Real::plain();
    assert_eq!(code(&send(&server(plain.port, Security::StartTls), &["ada@example.org"])), "mail-no-starttls");
    assert_eq!(code(&send(&server(plain.port, Security::Tls), &["ada@example.org"])), "mail-tls");
    let unasked = MailServer { credentials: credentials("x"), ..server(plain.port, Security::Plain) };
    let refused = send(&unasked, &["ada@example.org"]);
    assert_eq!(code(&refused), "mail-no-authentication", "{refused:?}");

    assert_eq!(code(&send(&server(1, Security::Plain), &["ada@example.org"])), "mail-unreachable");
    let nowhere = MailServer { host: "mail.invalid".to_owned(), ..server(25, Security::StartTls) };
    assert_eq!(code(&send(&nowhere, &["ada@example.org"])), "mail-unreachable");
}

#[test]
fn a_mail_leaves_this_machine_encrypted_or_not_at_all() {
    let elsewhere = MailServer { host: "192.0.2.1".to_owned(), ..server(25, Security::Plain) };
    assert_eq!(code(&send(&elsewhere, &["ada@example.org"])), "mail-not-encrypted");
}

#[test]
fn a_recipient_that_is_refused_is_in_the_way_of_no_other() {
    let mut real = Real::start(&json!({
        "security": "plain",
        "refuse": {"gone@example.org": "550 5.1.1 No such user"},
        "greylist": ["new@example.org"],
    }));
    let server = server(real.port, Security::Plain);
    let to = ["gone@example.org", "new@example.org", "ada@example.org"];
    let results = send(&server, &to);
    let [Err(gone), Err(new), Ok(())] = &results[..] else { panic!("{results:?}") };
    assert_eq!((gone.code(), gone.is_final()), ("mail-recipient", true));
    assert!(gone.to_string().ends_with("gone@example.org: 550 5.1.1 No such user"), "{gone}");
    assert_eq!((new.code(), new.is_final()), ("mail-recipient", false));
    assert_eq!(real.mail()["to"][0], "ada@example.org");
    assert_eq!(send(&server, &["new@example.org"]), [Ok(())], "after the first try the stranger is known");
    assert_eq!(real.mail()["to"][0], "new@example.org");
}

/// A server that behaves as `act` does, once.
fn hostile(act: impl FnOnce(TcpStream) + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("its address").port();
    std::thread::spawn(move || act(listener.accept().expect("a connection").0));
    port
}

#[test]
fn a_server_that_hangs_or_drips_is_left_in_time() {
    let hang = |mut stream: TcpStream| drop(stream.read_to_end(&mut Vec::new()));
    let drip = |mut stream: TcpStream| {
        while stream.write_all(b"2").is_ok() {
            std::thread::yield_now();
            std::thread::park_timeout(Duration::from_millis(20));
        }
    };
    let ports = [hostile(hang), hostile(drip)];
    for (port, security) in [(ports[0], Security::Plain), (ports[1], Security::StartTls)] {
        let server = MailServer { time_limit: Duration::from_millis(500), ..server(port, security) };
        let begun = Instant::now();
        let results = send(&server, &["ada@example.org", "bob@example.org"]);
        assert!(begun.elapsed() < Duration::from_secs(10), "it took {:?}", begun.elapsed());
        let slow = Err(MailError::Slow { server: format!("localhost:{port}") });
        assert_eq!(results, [slow.clone(), slow]);
    }
}

#[test]
fn a_line_without_end_is_not_kept() {
    let port = hostile(|mut stream| while stream.write_all(&[b'2'; 4096]).is_ok() {});
    let results = send(&server(port, Security::Plain), &["ada@example.org"]);
    assert!(results[0].as_ref().is_err_and(|error| error.to_string().ends_with("a line has no end")), "{results:?}");
}

#[test]
fn what_was_said_before_starttls_does_not_count_after_it() {
    let port = hostile(|mut stream| {
        let mut commands = BufReader::new(stream.try_clone().expect("the same connection")).lines();
        stream.write_all(b"220 mail.test\r\n").expect("a greeting");
        commands.next();
        stream.write_all(b"250-mail.test\r\n250 STARTTLS\r\n").expect("an offer");
        commands.next();
        stream.write_all(b"220 go on\r\n250-mail.test\r\n250 AUTH PLAIN\r\n").expect("an injection");
        drop(stream.read_to_end(&mut Vec::new()));
    });
    let results = send(&server(port, Security::StartTls), &["ada@example.org"]);
    assert!(
        results[0].as_ref().is_err_and(|error| error.to_string().contains("somebody stood between")),
        "{results:?}"
    );
}
