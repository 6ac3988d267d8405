//! Accounts from a real OpenLDAP server, and from directories that do not behave.

mod support;

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use seatline_agent::accounts::SourceError;
use support::agent::Agent;
use support::server;
use support::slapd::Slapd;

/// One server for all tests of this file.
static SERVER: LazyLock<Slapd> = LazyLock::new(|| Slapd::start(&people()));

/// Four people of every kind, users as Active Directory has them, and a great many more below a branch of their own.
fn people() -> String {
    let person = |uid: &str, rest: &str| {
        format!(
            "dn: uid={uid},ou=people,dc=example,dc=org\nobjectClass: inetOrgPerson\nuid: {uid}\ncn: {uid}\nsn: {uid}\n{rest}\n"
        )
    };
    let readers = "dn: ou=readers,dc=example,dc=org\nobjectClass: organizationalUnit\nou: readers\n\n";
    let mut ldif = [
        readers.to_owned(),
        person("ann", "mail: ann@example.org\nuserPassword: secret\nauthTimestamp: 20260301101112Z\n"),
        person("zoe", "mail:: Wm/Dqw==\nemployeeType: former\n"),
        person("bot-7", "employeeType: Robot\n"),
        person("limited", "userPassword: secret\n").replace("ou=people", "ou=readers"),
    ]
    .concat();
    ldif.push_str("dn: ou=groups,dc=example,dc=org\nobjectClass: organizationalUnit\nou: groups\n\n");
    ldif.push_str("dn: ou=ad,dc=example,dc=org\nobjectClass: organizationalUnit\nou: ad\n\n");
    for (name, control, logon) in [("eve", "512", "134167968000000000"), ("fay", "514", "0"), ("gus", "66048", "")] {
        let logon = if logon.is_empty() { String::new() } else { format!("lastLogonTimestamp: {logon}\n") };
        ldif.push_str(&format!(
            "dn: cn={name},ou=ad,dc=example,dc=org\nobjectClass: user\nobjectCategory: person\ncn: {name}\nsn: {name}\n\
             sAMAccountName: {name}\nuserAccountControl: {control}\n{logon}\n"
        ));
    }
    ldif.push_str("dn: ou=many,dc=example,dc=org\nobjectClass: organizationalUnit\nou: many\n\n");
    for number in 0..2500 {
        ldif.push_str(&format!(
            "dn: uid=u{number},ou=many,dc=example,dc=org\nobjectClass: inetOrgPerson\nuid: u{number}\ncn: u\nsn: u\n\n"
        ));
    }
    ldif
}

fn source_at(url: &str, base: &str, rest: &str) -> String {
    format!("[accounts]\ntime_limit = 20\n[accounts.ldap]\nurl = '{url}'\nbase = '{base}dc=example,dc=org'\n{rest}")
}

const BIND: &str = "bind_dn = 'cn=admin,dc=example,dc=org'\npassword_file = 'password'\n";

fn dir() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("password"), "hunter2\n").expect("the password");
    dir
}

fn read(base: &str, rest: &str) -> Vec<String> {
    let text = source_at(&SERVER.url(), base, &format!("{BIND}{rest}"));
    let mut accounts = support::read(dir().path(), &text).expect("the accounts");
    accounts.sort();
    accounts
}

fn refusal(base: &str, rest: &str) -> (&'static str, String) {
    support::refusal(dir().path(), &source_at(&SERVER.url(), base, rest))
}

const FIELDS: &str = "[accounts.ldap.fields]
    active = { field = 'employeeType', is_not = 'former' }
    licensed_access = { field = 'memberOf', is = 'cn=wiki,ou=groups,dc=example,dc=org' }
    last_seen = 'authTimestamp'
    service_account = { field = 'employeeType', is = 'robot' }";

#[test]
fn c4_every_field_is_read_from_attributes() {
    // The overlay makes memberOf of what is added while the server runs.
    let group = "dn: cn=users,ou=groups,dc=example,dc=org\nchangetype: add\nobjectClass: groupOfNames\ncn: users\n\
                 member: uid=ann,ou=people,dc=example,dc=org\nmember: uid=bot-7,ou=people,dc=example,dc=org\n";
    let file = dir();
    std::fs::write(file.path().join("group.ldif"), group).expect("the group");
    let mut add = Command::new("ldapmodify");
    add.args(["-x", "-H", &SERVER.url(), "-D", "cn=admin,dc=example,dc=org", "-w", "hunter2", "-f"]);
    let added = add.arg(file.path().join("group.ldif")).output().expect("Debian's package `ldap-utils`");
    assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
    assert_eq!(
        read("ou=people,", &FIELDS.replace("cn=wiki", "cn=users")),
        ["Zoë --- never", "ann@example.org al- 2026-03-01", "bot-7 als never"]
    );
}

#[test]
fn c4_active_directory_is_read_by_its_schema() {
    let accounts = read("ou=ad,", "schema = 'active-directory'\n");
    assert_eq!(accounts, ["eve al- 2026-03-01", "fay -l- never", "gus al- never"]);
}

#[test]
fn c4_the_whole_agent_counts_from_a_directory() {
    let agent = Agent::reading(&source_at(&SERVER.socket(), "ou=ad,", &format!("{BIND}schema = 'active-directory'\n")));
    std::fs::write(agent.path("password"), "hunter2").expect("the password");
    let preview = agent.run(&["report", "preview", "--json"]).json();
    let accounts = &preview["next"]["outcome"]["collected"]["accounts"];
    assert_eq!((&accounts["total"], &accounts["deactivated"]), (&3.into(), &1.into()), "{accounts}");
}

#[test]
fn pages_are_followed_to_the_end_whatever_their_size() {
    for size in [1000, 999, 2500, 10_000] {
        let accounts = read("ou=many,", &format!("page_size = {size}\n"));
        assert_eq!(accounts.len(), 2500, "in pages of {size}");
        assert_eq!(accounts[0], "u0 al- unknown");
    }
    assert_eq!(read("ou=many,", "filter = '(uid=u12*)'\nscope = 'one'\n").len(), 111);
    assert_eq!(read("", "scope = 'one'\n"), [""; 0], "nobody is directly below the top");
    assert_eq!(read("ou=many,", "filter = '(uid=nobody)'\n"), [""; 0]);
}

#[test]
fn who_may_not_read_and_what_is_not_there_are_told() {
    let (code, text) = refusal("ou=people,", "");
    assert_eq!(code, "source-denied", "{text}");
    let wrong = BIND.replace("cn=admin", "cn=nobody");
    let (code, text) = refusal("", &wrong);
    assert_eq!(code, "source-denied");
    assert!(text.ends_with("refuses the bind_dn or the password"), "{text}");
    let (_, text) = refusal("ou=nothing,", BIND);
    assert!(text.contains("has no entry `base`"), "{text}");
    let (_, text) = refusal("no name,", BIND);
    assert!(text.contains("does not accept `base`"), "{text}");
    let (code, text) = refusal("", "bind_dn = 'x'\npassword_file = 'none'\n");
    assert_eq!((code, text.contains("none cannot be read")), ("source-secret", true), "{text}");
    let (code, text) = support::refusal(Path::new("/"), &source_at("ldap://127.0.0.1:1", "", ""));
    assert_eq!(code, "source-unreachable");
    assert!(text.starts_with("cannot reach the directory 127.0.0.1:1: "), "{text}");
}

#[test]
fn a_list_that_the_server_cuts_off_counts_nothing() {
    let dir = dir();
    std::fs::write(dir.path().join("password"), "secret").expect("the password");
    let bind = "bind_dn = 'uid=limited,ou=readers,dc=example,dc=org'\npassword_file = 'password'\n";
    let (code, text) = support::refusal(dir.path(), &source_at(&SERVER.url(), "ou=many,", bind));
    assert_eq!(code, "source-broken-off");
    assert!(text.contains("limit"), "{text}");
}

#[test]
fn a_value_that_cannot_be_understood_fails_the_pass_and_is_not_repeated() {
    let (code, text) = refusal(
        "ou=ad,",
        &format!("{BIND}schema = 'active-directory'\n[accounts.ldap.fields]\nidentity = 'description'\n"),
    );
    assert_eq!(code, "source-value");
    assert!(text.starts_with("row 1: `identity` is missing"), "{text}");
    let (_, text) = refusal(
        "ou=ad,",
        &format!("{BIND}schema = 'active-directory'\n[accounts.ldap.fields]\nactive = 'sAMAccountName'\n"),
    );
    assert!(text.starts_with("row 1: `active` must be") && !text.contains("eve"), "{text}");
}

#[test]
fn a_connection_by_tls_needs_a_certificate_that_is_trusted_and_for_the_host() {
    let certificates = server::certificates();
    std::fs::write(certificates.path().join("password"), "hunter2").expect("the password");
    let one = "dn: uid=ann,ou=people,dc=example,dc=org\nobjectClass: inetOrgPerson\nuid: ann\ncn: a\nsn: a\n";
    let server = Slapd::start_with(one, Some(certificates.path()));
    let ca = "tls_ca_file = 'ca.pem'\n";
    let (ldaps, ldap) = (|host: &str| format!("ldaps://{host}:{}", server.tls_port), server.url());
    let text = |url: &str, rest: &str| source_at(url, "ou=people,", &format!("{BIND}{rest}"));
    for source in [text(&ldaps("127.0.0.1"), ca), text(&ldap, &format!("start_tls = true\n{ca}"))] {
        assert_eq!(support::read(certificates.path(), &source).expect("a connection by TLS"), ["ann al- unknown"]);
    }
    for source in [text(&ldaps("127.0.0.1"), ""), text(&ldap, "start_tls = true\n")] {
        let (code, error) = support::refusal(certificates.path(), &source);
        assert!(code == "source-unreachable" && error.contains("UnknownIssuer"), "{error}");
    }
    let (_, error) = support::refusal(certificates.path(), &text(&ldaps("localhost"), ca));
    assert!(error.contains("not valid for name"), "{error}");
    let (_, error) = support::refusal(certificates.path(), &text(&SERVER.url(), &format!("start_tls = true\n{ca}")));
    assert!(error.ends_with("the server does not start TLS"), "{error}");
}

/// What becomes of reading from a directory that plays `part`, without signing in.
fn read_from(
    rest: &str,
    seconds: u64,
    part: impl FnOnce(&mut TcpStream) + Send + 'static,
) -> Result<Vec<String>, SourceError> {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("its address").port();
    let server = std::thread::spawn(move || part(&mut listener.accept().expect("a client").0));
    let text = source_at(&format!("ldap://127.0.0.1:{port}"), "", rest)
        .replace("time_limit = 20", &format!("time_limit = {seconds}"));
    let read = support::read(Path::new("/"), &text);
    server.join().expect("its part is played");
    read
}

/// The code and the line of the refusal to read from it, within two seconds.
fn from_server(rest: &str, part: impl FnOnce(&mut TcpStream) + Send + 'static) -> (&'static str, String) {
    let error = read_from(rest, 2, part).expect_err("a refusal");
    (error.code(), error.to_string())
}

/// Waits for a request, and gives the bytes of its number.
fn request(stream: &mut TcpStream) -> Vec<u8> {
    let mut request = [0; 1024];
    let read = stream.read(&mut request).expect("a request");
    assert!(read > 8, "a request");
    // SEQUENCE, its length in one byte or two, INTEGER, its length.
    let number = if request[1] < 0x80 { 3 } else { 4 };
    request[number + 1..][..usize::from(request[number])].to_vec()
}

/// An element of BER: its tag, its length, its content.
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let [_, a, b, c] = u32::try_from(content.len()).expect("short").to_be_bytes();
    [&[tag, 0x83, a, b, c], content].concat()
}

/// A message with `content` behind its number.
fn message(number: &[u8], content: &[u8]) -> Vec<u8> {
    element(0x30, &[element(2, number), content.to_vec()].concat())
}

/// An entry of the name `uid=NAME` with an attribute `uid` of the same value, and others with their values.
fn entry_of(number: &[u8], name: &str, others: &[(&str, Vec<String>)]) -> Vec<u8> {
    let attribute = |name: &str, values: &[String]| {
        let values: Vec<u8> = values.iter().flat_map(|value| element(4, value.as_bytes())).collect();
        element(0x30, &[element(4, name.as_bytes()), element(0x31, &values)].concat())
    };
    let others = others.iter().flat_map(|(name, values)| attribute(name, values));
    let attributes: Vec<u8> = attribute("uid", &[name.to_owned()]).into_iter().chain(others).collect();
    let name = element(4, format!("uid={name}").as_bytes());
    message(number, &element(0x64, &[name, element(0x30, &attributes)].concat()))
}

fn entry(number: &[u8]) -> Vec<u8> {
    entry_of(number, "ann", &[])
}

/// The end of a page that is not the last.
fn page_end(number: &[u8]) -> Vec<u8> {
    let control = b"\xa0\x24\x30\x22\x04\x161.2.840.113556.1.4.319\x04\x08\x30\x06\x02\x01\x00\x04\x01c";
    message(number, &[&b"\x65\x07\x0a\x01\x00\x04\x00\x04\x00"[..], control].concat())
}

/// The end of the last page.
fn end(number: &[u8]) -> Vec<u8> {
    message(number, b"\x65\x07\x0a\x01\x00\x04\x00\x04\x00")
}

#[test]
fn an_account_in_thousands_of_groups_is_found_in_the_last_of_them() {
    let rest = "[accounts.ldap.fields]\nlicensed_access = { field = 'memberOf', is = 'cn=wiki' }\n";
    let read = read_from(rest, 20, |stream| {
        let groups = (0..20_000).map(|n| format!("cn=group-{n}")).chain(["cn=wiki".to_owned()]).collect();
        let number = request(stream);
        let whole = [entry_of(&number, "ann", &[("memberOf", groups)]), entry(&number), end(&number)].concat();
        stream.write_all(&whole).expect("a client");
    });
    assert_eq!(read.expect("the accounts"), ["ann al- unknown", "ann a-- unknown"]);
}

#[test]
fn more_pages_than_any_directory_has_end_the_pass() {
    let read = read_from("", 300, |stream| {
        for page in 0..10_000 {
            let number = request(stream);
            let whole = [entry_of(&number, &format!("u{page}"), &[]), page_end(&number)].concat();
            stream.write_all(&whole).expect("a client");
        }
    });
    let error = read.expect_err("no end");
    assert_eq!(error.code(), "source-pages");
    assert!(error.to_string().ends_with("has more than 10000 pages: ask for larger ones"), "{error}");
}

#[test]
fn an_answer_about_tls_that_is_too_long_is_not_waited_for() {
    let (code, text) = from_server("start_tls = true\n", |stream| {
        request(stream);
        stream.write_all(b"\x30\x82\x10\x01").expect("a client");
        let _ = stream.read(&mut [0]);
    });
    assert_eq!(code, "source-unreachable");
    assert!(text.ends_with("the server does not start TLS"), "{text}");
}

#[test]
fn a_page_that_comes_again_ends_the_pass() {
    let (code, text) = from_server("", |stream| {
        for _ in 0..2 {
            let number = request(stream);
            stream.write_all(&[entry(&number), page_end(&number)].concat()).expect("a client");
        }
    });
    assert_eq!(code, "source-pages");
    assert!(text.ends_with("gives the same page again, without end"), "{text}");
}

#[test]
fn a_directory_that_hangs_up_or_gives_garbage_counts_nothing() {
    let (code, text) = from_server("", |stream| {
        let number = request(stream);
        stream.write_all(&entry(&number)).expect("a client");
    });
    assert_eq!(
        (code, text.as_str()),
        ("source-broken-off", "reading broke off after 1 rows: the connection was closed")
    );
    for garbage in [
        &b"HTTP/1.1 400 Bad Request\r\n\r\nhunter2"[..],
        b"\x30\x85\x01\x01\x01\x01\x01",
        b"\x30\x00",
        b"\x30\x03\x02\x01\x02",
        b"\x30\x05\x02\x01\x01\x64\x00",
        b"\x30\x05\x02\x01\x01\x65\x00",
        b"\x30\x0c\x02\x01\x01\x64\x07\x04\x01x\x30\x02\x04\x00",
    ] {
        let (code, text) = from_server("", move |stream| {
            request(stream);
            stream.write_all(garbage).expect("a client");
        });
        assert!(["source-answer", "source-broken-off"].contains(&code), "{code}: {garbage:?}");
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[test]
fn an_entry_beyond_its_bound_is_refused_before_it_comes() {
    let (code, text) = from_server("", |stream| {
        let number = request(stream);
        stream.write_all(&entry(&number)).expect("a client");
        stream.write_all(b"\x30\x84\x7f\xff\xff\xff").expect("a client");
        let _ = stream.read(&mut [0]);
    });
    assert_eq!(code, "source-too-large");
    assert!(text.ends_with("an entry has more than 1048576 bytes"), "{text}");
}

#[test]
fn a_directory_without_end_or_that_drips_is_left_at_the_time_limit() {
    let (code, _) = from_server("", |stream| {
        let number = request(stream);
        let many = entry(&number).repeat(1000);
        while stream.write_all(&many).is_ok() {}
    });
    assert_eq!(code, "source-time-limit");
    let (code, _) = from_server("", |stream| {
        request(stream);
        let _ = stream.write_all(b"\x30\x82\x7f\xff");
        // No test waits for this: a byte every tenth of a second is what the server does.
        while stream.write_all(b"x").is_ok() {
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
    });
    assert_eq!(code, "source-time-limit");
    let (code, _) = from_server("start_tls = true\n", |stream| {
        request(stream);
        let _ = stream.read(&mut [0]);
    });
    assert_eq!(code, "source-time-limit");
}
