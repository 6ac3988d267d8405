//! Accounts from servers that speak the protocol of MySQL otherwise than a real one.

mod support;

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};

/// A greeting of a server that asks for `plugin`.
fn greeting(plugin: &str) -> Vec<u8> {
    let mut payload = b"\x0a8.4.0\0\x01\0\0\0abcdefgh\0\xff\xf7\x2d\x02\0\xff\x81\x15".to_vec();
    payload.extend([0; 10]);
    payload.extend(b"ijklmnopqrst\0");
    payload.extend(plugin.bytes().chain([0]));
    payload
}

const OK: &[u8] = b"\0\0\0\x02\0\0\0";

fn send(stream: &mut TcpStream, sequence: u8, payload: &[u8]) {
    let [a, b, c, _] = u32::try_from(payload.len()).expect("short").to_le_bytes();
    stream.write_all(&[&[a, b, c, sequence], payload].concat()).expect("a peer");
}

fn receive(stream: &mut TcpStream) -> Vec<u8> {
    let mut head = [0; 4];
    stream.read_exact(&mut head).expect("a packet");
    let mut payload = vec![0; u32::from_le_bytes([head[0], head[1], head[2], 0]) as usize];
    stream.read_exact(&mut payload).expect("a packet");
    payload
}

/// What becomes of reading from a server that plays `part`, with the password `hunter2`.
fn from_server(part: impl FnOnce(&mut TcpStream) + Send + 'static) -> (&'static str, String) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("its address").port();
    let server = std::thread::spawn(move || part(&mut listener.accept().expect("a client").0));
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("password"), "hunter2").expect("the password");
    let address = format!("mysql://x@127.0.0.1:{port}/wiki");
    let text = format!(
        "[accounts]\ndatabase = '{address}'\nquery = 'select 1 as identity'\ntime_limit = 2\npassword_file = 'password'\n"
    );
    let refusal = support::refusal(dir.path(), &text);
    server.join().expect("its part is played");
    refusal
}

/// Answers what sets up a session, and then the query with one column.
fn begin_rows(stream: &mut TcpStream) {
    send(stream, 0, &greeting("mysql_native_password"));
    receive(stream);
    send(stream, 2, OK);
    for _ in 0..5 {
        receive(stream);
        send(stream, 1, OK);
    }
    receive(stream);
    send(stream, 1, &[1]);
    send(stream, 2, b"\x03def\0\0\0\x08identity\0\x0c\x2d\0\xff\0\0\0\xfd\0\0\0\0\0");
    send(stream, 3, b"\xfe\0\0\x02\0");
}

#[test]
fn a_password_goes_encrypted_to_a_server_of_mysql_without_tls() {
    let dir = tempfile::tempdir().expect("a directory");
    let secret = dir.path().join("key.pem");
    let openssl = |arguments: &str, input: &[u8]| {
        let mut openssl = Command::new("openssl");
        openssl.args(arguments.split(' ')).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = openssl.spawn().expect("Debian's package `openssl` is needed for this test");
        child.stdin.take().expect("its input").write_all(input).expect("the input");
        child.wait_with_output().expect("its output").stdout
    };
    openssl(&format!("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out {}", secret.display()), b"");
    let public = openssl(&format!("pkey -in {} -pubout", secret.display()), b"");
    let (code, _) = from_server(move |stream| {
        send(stream, 0, &greeting("caching_sha2_password"));
        let response = receive(stream);
        assert!(!response.windows(7).any(|window| window == b"hunter2"), "the password goes in clear");
        send(stream, 2, &[1, 4]);
        assert_eq!(receive(stream), [2], "it asks for the key");
        send(stream, 4, &[&[1], &public[..]].concat());
        let encrypted = receive(stream);
        let decrypt = format!("pkeyutl -decrypt -inkey {} -pkeyopt rsa_padding_mode:oaep", secret.display());
        let masked = openssl(&decrypt, &encrypted);
        let password: Vec<u8> = masked.iter().zip(b"abcdefghijklmnopqrst").map(|(byte, mask)| byte ^ mask).collect();
        assert_eq!(password, b"hunter2\0");
        send(stream, 6, b"\xff\x15\x04#28000Access denied");
    });
    assert_eq!(code, "source-denied");
}

#[test]
fn a_server_that_does_not_keep_to_the_protocol_is_left() {
    const STRANGER: &str = "what answers is no server of MySQL or MariaDB";
    let (code, text) = from_server(|stream| {
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    assert_eq!(code, "source-unreachable");
    assert!(text.ends_with(STRANGER), "{text}");
    let (_, text) = from_server(|stream| send(stream, 0, &greeting("mysql_native_password")[..20]));
    assert!(text.ends_with(STRANGER), "{text}");
    let (_, text) = from_server(|_| ());
    assert!(text.ends_with("the connection was closed"), "{text}");
    let (_, text) = from_server(|stream| {
        send(stream, 0, &greeting("mysql_native_password"));
        receive(stream);
        send(stream, 2, b"\xfemysql_clear_password\0");
    });
    assert!(text.ends_with("the password in clear, which it gets by TLS alone"), "{text}");
    let (_, text) = from_server(|stream| {
        send(stream, 0, &greeting("mysql_native_password"));
        for round in 0..8 {
            receive(stream);
            send(stream, 2 + 2 * round, b"\xfemysql_native_password\0abcdefghijklmnopqrst\0");
        }
    });
    assert!(text.ends_with(STRANGER), "it asks without end: {text}");
}

#[test]
fn a_server_that_asks_for_a_file_of_this_machine_gets_none() {
    let (code, text) = from_server(|stream| {
        send(stream, 0, &greeting("mysql_native_password"));
        receive(stream);
        send(stream, 2, OK);
        receive(stream);
        send(stream, 1, b"\xfb/etc/passwd");
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
        assert!(rest.is_empty(), "something was sent");
    });
    assert_eq!(code, "source-broken-off");
    assert_eq!(text, "reading broke off after 0 rows: the server does not keep to the protocol");
}

#[test]
fn a_server_that_hangs_up_or_gives_garbage_in_the_middle_counts_nothing() {
    let (code, text) = from_server(|stream| {
        begin_rows(stream);
        send(stream, 4, b"\x03ann");
    });
    assert_eq!(code, "source-broken-off");
    assert_eq!(text, "reading broke off after 1 rows: the connection was closed");
    let (_, text) = from_server(|stream| {
        begin_rows(stream);
        send(stream, 4, b"\xfcann");
        let _ = stream.read(&mut [0]);
    });
    assert_eq!(text, "reading broke off after 0 rows: the server does not keep to the protocol");
    let (_, text) = from_server(|stream| {
        begin_rows(stream);
        let _ = stream.write_all(&[0xFF, 0xFF, 0xFF, 4]);
        let _ = stream.read(&mut [0]);
    });
    assert_eq!(text, "reading broke off after 0 rows: a row has more than 16777214 bytes");
}

#[test]
fn a_server_that_never_ends_or_drips_is_left_at_the_time_limit() {
    let (code, _) = from_server(|stream| {
        begin_rows(stream);
        let mut sequence = 4_u8;
        while stream.write_all(&[4, 0, 0, sequence, 3, b'a', b'n', b'n']).is_ok() {
            sequence = sequence.wrapping_add(1);
        }
    });
    assert_eq!(code, "source-time-limit");
    let (code, _) = from_server(|stream| {
        send(stream, 0, &greeting("mysql_native_password"));
        receive(stream);
        let _ = stream.write_all(&[255, 255, 0, 2]);
        // No test waits for this: a byte every tenth of a second is what the server does.
        while stream.write_all(b"x").is_ok() {
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
    });
    assert_eq!(code, "source-time-limit");
}
