//! Accounts from endpoints that answer with JSON, well or badly.

mod support;

use std::path::Path;
use std::time::Duration;

use seatline_agent::accounts;
use support::agent::Agent;
use support::endpoint::{HttpServer, json, with_head};
use support::{config, server};

fn source(url: &str, rest: &str) -> String {
    format!("[accounts]\ntime_limit = 20\n[accounts.json]\nurl = '{url}'\n{rest}")
}

fn read(url: &str, rest: &str) -> Vec<String> {
    support::read(Path::new("/"), &source(url, rest)).expect("the accounts")
}

fn refusal(url: &str, rest: &str) -> (&'static str, String) {
    support::refusal(Path::new("/"), &source(url, rest))
}

/// The users of a page, from `first` on.
fn users(first: usize, number: usize) -> String {
    let users: Vec<String> = (first..first + number).map(|user| format!("{{\"identity\": {user}}}")).collect();
    format!("[{}]", users.join(","))
}

#[test]
fn c4_every_field_is_read_from_a_list_of_objects() {
    let server = HttpServer::start(|_, out| {
        json(
            out,
            r#"[{"identity": "ann@example.org", "licensed_access": true, "last_seen": "2026-03-01T10:00:00Z"},
                {"identity": "Zoë", "active": false, "last_seen": null, "licensed_access": false},
                {"identity": "bot-7", "service_account": true}]"#,
        )
    });
    assert_eq!(
        read(&server.url("/users"), ""),
        ["ann@example.org al- 2026-03-01", "Zoë --- never", "bot-7 als unknown"]
    );
}

#[test]
fn what_is_on_this_machine_is_read_without_the_proxy_of_the_environment() {
    let server = HttpServer::start(|_, out| json(out, r#"[{"identity": "ann"}]"#));
    let agent = Agent::reading(&source(&server.url("/users"), ""));
    let mut check = agent.command(&["accounts", "check", "--json"]);
    for name in ["ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY"] {
        check.env(name, "http://127.0.0.1:1");
    }
    let checked = check.env_remove("NO_PROXY").env_remove("no_proxy").output().expect("it starts");
    let checked: serde_json::Value = serde_json::from_slice(&checked.stdout).expect("JSON");
    assert_eq!(checked["accounts"]["total"], 1, "{checked}");
}

#[test]
fn c4_the_whole_agent_counts_from_an_endpoint() {
    let server = HttpServer::start(|path, out| match path {
        "/count" => json(out, r#"{"data": [{"x": 1}], "stats": {"pages": 17}}"#),
        _ => json(out, r#"{"users": [{"mail": "a", "state": "on"}, {"mail": "b", "state": "off"}]}"#),
    });
    let fields =
        "items = 'users'\n[accounts.json.fields]\nidentity = 'mail'\nactive = { field = 'state', is = 'on' }\n";
    let dimension = format!(
        "[[dimension]]\nname = 'pages'\n[dimension.json]\nurl = '{}'\nvalue = '/stats/pages'\n",
        server.url("/count")
    );
    let agent = Agent::reading(&(source(&server.url("/users"), fields) + &dimension));
    let preview = agent.run(&["report", "preview", "--json"]).json();
    let collected = &preview["next"]["outcome"]["collected"];
    assert_eq!(collected["accounts"]["total"], 2, "{collected}");
    assert_eq!(collected["accounts"]["deactivated"], 1, "{collected}");
    assert!(collected.to_string().contains("17"), "{collected}");
}

#[test]
fn pages_are_followed_by_url_cursor_header_number_and_offset() {
    let expected: Vec<String> = (1..=5).map(|user| format!("{user} al- unknown")).collect();
    let page = |body: &str, next: &str| format!("{{\"next\": {next}, \"data\": {{\"users\": {body}}}}}");
    let by_url = HttpServer::start(move |path, out| match path {
        "/users" => json(out, &page(&users(1, 2), "\"/users?page=2\"")),
        "/users?page=2" => json(out, &page(&users(3, 2), "\"?page=3\"")),
        _ => json(out, &page(&users(5, 1), "null")),
    });
    assert_eq!(read(&by_url.url("/users"), "items = '/data/users'\nnext = 'next'\n"), expected);
    let by_cursor = HttpServer::start(move |path, out| match path {
        "/users?n=2" => json(out, &page(&users(1, 2), "\"a&b\"")),
        "/users?n=2&after=a%26b" => json(out, &page(&users(3, 2), "7")),
        "/users?n=2&after=7" => json(out, &page(&users(5, 1), "\"\"")),
        _ => with_head(out, "500 Wrong", "", path),
    });
    let rest = "items = 'data.users'\nnext = 'next'\nnext_parameter = 'after'\n";
    assert_eq!(read(&by_cursor.url("/users?n=2"), rest), expected);
    let by_link = HttpServer::start(|path, out| {
        let host = "http://127.0.0.1";
        match path {
            "/users" => with_head(out, "200 OK", "Link: </users?page=2>; rel=\"next\"\r\n", &users(1, 4)),
            _ => with_head(out, "200 OK", &format!("Link: <{host}/users>; rel=\"prev\"\r\n"), &users(5, 1)),
        }
    });
    assert_eq!(read(&by_link.url("/users"), "next_link = true\n"), expected);
    let by_number = HttpServer::start(|path, out| match path {
        "/users?page=0" => json(out, &users(1, 3)),
        "/users?page=1" => json(out, &users(4, 2)),
        _ => json(out, "[]"),
    });
    assert_eq!(read(&by_number.url("/users"), "page_parameter = 'page'\nfirst_page = 0\n"), expected);
    let by_offset = HttpServer::start(|path, out| match path {
        "/users?first=0" => json(out, &users(1, 3)),
        "/users?first=3" => json(out, &users(4, 2)),
        _ => json(out, "[]"),
    });
    assert_eq!(read(&by_offset.url("/users"), "offset_parameter = 'first'\n"), expected);
    assert_eq!(by_offset.asked().len(), 3);
}

#[test]
fn a_token_or_a_password_comes_from_its_file_and_goes_into_the_header() {
    let server = HttpServer::start(|_, out| json(out, &users(1, 1)));
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("secret"), "hunter2\n").expect("the secret");
    let read = |rest: &str| support::read(dir.path(), &source(&server.url("/"), rest)).expect("the accounts");
    read("token_file = 'secret'\n");
    read("token_file = 'secret'\ntoken_header = 'PRIVATE-TOKEN'\n");
    read("user = 'ann'\npassword_file = 'secret'\n");
    assert_eq!(server.asked(), ["/ Bearer hunter2", "/ hunter2", "/ Basic YW5uOmh1bnRlcjI="]);
    let refused = support::refusal(dir.path(), &source(&server.url("/"), "token_file = 'none'\n"));
    assert_eq!(refused.0, "source-secret");
    std::fs::write(dir.path().join("secret"), "hunter2\nmore").expect("the secret");
    let (code, text) = support::refusal(dir.path(), &source(&server.url("/"), "token_file = 'secret'\n"));
    assert!(code == "source-denied" && !text.contains("hunter2"), "{text}");
}

#[test]
fn a_status_that_is_not_200_is_told_and_a_redirect_is_not_followed() {
    let server = HttpServer::start(|path, out| match path {
        "/denied" => with_head(out, "401 No", "", "hunter2"),
        "/moved" => with_head(out, "302 There", "Location: /elsewhere\r\n", ""),
        "/elsewhere" => json(out, &users(1, 1)),
        _ => with_head(out, "500 Broken", "", "hunter2"),
    });
    let (code, text) = refusal(&server.url("/denied"), "");
    assert_eq!(code, "source-denied");
    assert!(text.ends_with("refuses the token or the password (status 401)"), "{text}");
    let (code, text) = refusal(&server.url("/moved"), "");
    assert!(code == "source-answer" && text.contains("(status 302)"), "{text}");
    assert!(!server.asked().contains(&"/elsewhere".to_owned()), "it was followed");
    let (code, text) = refusal(&server.url("/broken"), "");
    assert!(code == "source-answer" && text.ends_with("answers with status 500"), "{text}");
}

#[test]
fn a_next_page_on_another_server_is_refused_before_it_gets_the_token() {
    let other = HttpServer::start(|_, out| json(out, &users(1, 1)));
    let elsewhere = other.url("/users");
    let server =
        HttpServer::start(move |_, out| json(out, &format!("{{\"n\": \"{elsewhere}\", \"u\": {}}}", users(1, 1))));
    let (code, text) = refusal(&server.url("/"), "items = 'u'\nnext = 'n'\n");
    assert_eq!(code, "source-answer");
    assert!(text.ends_with("names another server for the next page"), "{text}");
    assert!(other.asked().is_empty());
}

#[test]
fn pages_without_end_are_left() {
    let same = HttpServer::start(|_, out| json(out, &format!("{{\"n\": \"c\", \"u\": {}}}", users(1, 1))));
    let (code, _) = refusal(&same.url("/"), "items = 'u'\nnext = 'n'\nnext_parameter = 'c'\n");
    assert_eq!(code, "source-pages");
    assert!(same.asked().len() < 4, "{:?}", same.asked());
    let circle = HttpServer::start(|path, out| {
        let next = if path.ends_with('1') { 2 } else { 1 };
        json(out, &format!("{{\"n\": {next}, \"u\": []}}"))
    });
    let (code, _) = refusal(&circle.url("/"), "items = 'u'\nnext = 'n'\nnext_parameter = 'c'\n");
    assert_eq!(code, "source-pages", "pages without accounts, in a circle");
    let deaf = HttpServer::start(|_, out| json(out, &users(1, 2)));
    let (code, _) = refusal(&deaf.url("/"), "page_parameter = 'page'\n");
    assert_eq!(code, "source-pages", "the parameter is not heard");
    let endless = HttpServer::start(|path, out| {
        let page: u64 = path.rsplit('=').next().and_then(|page| page.parse().ok()).unwrap_or(0);
        json(out, &format!("{{\"n\": {}, \"u\": []}}", page + 1))
    });
    let text = source(&endless.url("/"), "items = 'u'\nnext = 'n'\nnext_parameter = 'c'\n").replace("20", "120");
    let (code, text) = support::refusal(Path::new("/"), &text);
    assert_eq!(code, "source-pages");
    assert!(text.ends_with("has more than 10000 pages: ask for larger ones"), "{text}");
}

#[test]
fn an_answer_that_cannot_be_understood_counts_nothing_and_is_not_repeated() {
    for (body, code) in [
        ("<html>hunter2</html>", "source-answer"),
        ("{\"hunter2\": []}", "source-answer"),
        ("{\"u\": {\"hunter2\": 1}}", "source-answer"),
        ("{\"u\": [{\"identity\": 1}, \"hunter2\"]}", "source-record"),
        ("{\"u\": [{\"identity\": 1}]} hunter2", "source-answer"),
        ("{\"u\": [{\"identity\": {\"hunter2\": 1}}]}", "source-value"),
        ("{\"u\": [{\"identity\": \"hunter2\", \"active\": \"hunter2\"}]}", "source-value"),
        ("{\"u\": [{\"identity\": 1}, ", "source-broken-off"),
    ] {
        let server = HttpServer::start(move |_, out| json(out, body));
        let (found, text) = refusal(&server.url("/"), "items = 'u'\n");
        assert_eq!(found, code, "{body}: {text}");
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[test]
fn a_server_that_hangs_up_midway_counts_nothing() {
    let server = HttpServer::start(|_, out| {
        write!(out, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n[{{\"identity\": 1}},")
    });
    let (code, text) = refusal(&server.url("/"), "");
    assert_eq!(
        (code, text.as_str()),
        ("source-broken-off", "reading broke off after 1 rows: the connection was closed")
    );
    let chunked = HttpServer::start(|_, out| {
        write!(out, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n14\r\n[{{\"identity\": 1234}}]\r\n")
    });
    assert_eq!(refusal(&chunked.url("/"), "").0, "source-broken-off", "the last chunk is missing");
    let silent = HttpServer::start(|_, _| Ok(()));
    assert_eq!(refusal(&silent.url("/"), "").0, "source-unreachable");
    let strange = HttpServer::start(|_, out| write!(out, "220 mail.example.org ESMTP\r\n"));
    let (code, text) = refusal(&strange.url("/"), "");
    assert!(code == "source-answer" && text.ends_with("does not answer as HTTP has it"), "{code} {text}");
}

#[test]
fn an_account_beyond_its_bound_and_a_head_beyond_its_own_are_refused() {
    let wide = HttpServer::start(|_, out| {
        write!(out, "HTTP/1.1 200 OK\r\n\r\n[{{\"identity\": 1}}, {{\"identity\": \"")?;
        loop {
            out.write_all(&[b'x'; 4096])?;
        }
    });
    let (code, text) = refusal(&wide.url("/"), "");
    assert_eq!(code, "source-too-large");
    assert_eq!(text, "after 1 rows, an account, or what is beside the accounts, has more than 262144 bytes");
    let head = HttpServer::start(|_, out| {
        write!(out, "HTTP/1.1 200 OK\r\nX: ")?;
        loop {
            out.write_all(&[b'x'; 4096])?;
        }
    });
    assert_eq!(refusal(&head.url("/"), "").0, "source-answer");
}

#[test]
fn an_endpoint_without_end_or_that_drips_is_left_at_the_time_limit() {
    let endless = HttpServer::start(|_, out| {
        write!(out, "HTTP/1.1 200 OK\r\n\r\n[{{\"identity\": 1}}")?;
        loop {
            out.write_all(b", {\"identity\": 1}")?;
        }
    });
    let dripping = HttpServer::start(|_, out| {
        write!(out, "HTTP/1.1 200 OK\r\n\r\n[")?;
        loop {
            // No test waits for this: a byte every tenth of a second is what the server does.
            std::thread::sleep(Duration::from_millis(100));
            out.write_all(b" ")?;
            out.flush()?;
        }
    });
    let silent = HttpServer::start(|_, _| {
        loop {
            std::thread::park();
        }
    });
    for server in [endless, dripping, silent] {
        let text = source(&server.url("/"), "").replace("20", "1");
        let (code, error) = support::refusal(Path::new("/"), &text);
        assert_eq!(code, "source-time-limit", "{error}");
    }
}

#[test]
fn a_certificate_must_be_trusted_and_for_the_host() {
    let certificates = server::certificates();
    let server = HttpServer::start_tls(certificates.path(), |_, out| json(out, &users(1, 1)));
    let text = |host: &str, rest: &str| source(&format!("https://{host}:{}/", server.port), rest);
    let ca = "tls_ca_file = 'ca.pem'\n";
    let read = support::read(certificates.path(), &text("127.0.0.1", ca)).expect("a connection by TLS");
    assert_eq!(read, ["1 al- unknown"]);
    let (code, error) = support::refusal(certificates.path(), &text("127.0.0.1", ""));
    assert!(code == "source-unreachable" && error.contains("UnknownIssuer"), "{error}");
    let (_, error) = support::refusal(certificates.path(), &text("localhost", ca));
    assert!(error.contains("not valid for name"), "{error}");
    assert_eq!(server.asked().len(), 1, "nobody else was asked anything");
}

#[test]
fn a_dimension_is_one_number_of_an_answer() {
    let server = HttpServer::start(|path, out| {
        let body = match path {
            "/plain" => "17",
            "/text" => r#"{"a": [{"n": "18"}]}"#,
            "/real" => r#"{"n": 19.0}"#,
            "/half" => r#"{"n": 1.5}"#,
            "/negative" => r#"{"n": -1}"#,
            "/word" => r#"{"n": "many"}"#,
            _ => r#"{"m": 1}"#,
        };
        json(out, body)
    });
    let dimension = |name: &str, value: &str| {
        let url = server.url(&format!("/{name}"));
        format!("[[dimension]]\nname = '{name}'\n[dimension.json]\nurl = '{url}'\n{value}\n")
    };
    let n = "value = 'n'";
    let text = [
        dimension("plain", ""),
        dimension("text", "value = 'a.*.n'"),
        dimension("real", n),
        dimension("half", n),
        dimension("negative", n),
        dimension("word", n),
        dimension("none", n),
    ]
    .concat();
    let config = config(Path::new("/"), &text);
    let numbers: Vec<_> =
        config.dimensions.iter().map(|dimension| accounts::measure(dimension).map_err(|error| error.code())).collect();
    let none = Err("source-not-a-number");
    assert_eq!(numbers, [Ok(17), Ok(18), Ok(19), none, none, none, none]);
}
