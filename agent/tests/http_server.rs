//! What stands around everything that `seatline run` answers over HTTP: where it listens, by what names it is called,
//! and what of a browser is refused.

mod support;

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;

use support::agent::Agent;
use support::http::{get, raw, send};
use support::running::Running;

fn agent() -> Agent {
    let agent = Agent::new();
    agent.configure("\n[log]\nformat = 'json'\n");
    agent
}

#[test]
fn g7_it_answers_on_a_port_of_this_machine() {
    let agent = agent();
    let mut running = Running::start(&agent, &[], &[]);
    let address = running.address();
    assert!(address.starts_with("127.0.0.1:"), "{address}");
    let health = get(&address, "/healthz");
    assert_eq!((health.status, health.body.as_str()), (200, "ok\n"));
    let csp = health.header("content-security-policy").expect("the headers of every answer");
    assert!(csp.starts_with("default-src 'none'"), "{csp}");
    assert_eq!(send(&address, "DELETE", "/healthz", &[], "").refused(405), "method-not-allowed");
    running.signal("TERM");
    running.until("stopped");
    assert_eq!(running.ended(), Some(0));
}

#[test]
fn g7_it_answers_on_a_unix_socket_for_owner_and_group_and_replaces_one_that_was_left() {
    let agent = agent();
    let path = agent.path("api.sock");
    let listen = format!("unix:{}", path.display());
    let mut killed = Running::start(&agent, &["--listen", &listen], &[]);
    assert_eq!(killed.address(), listen);
    assert_eq!(path.metadata().expect("the socket").permissions().mode() & 0o777, 0o660);
    assert_eq!(get(&listen, "/healthz").status, 200);
    let line = agent.run(&["run", "--listen", &listen]).refused("listen");
    assert!(line.contains("another program answers there"), "{line}");
    killed.signal("KILL");
    killed.ended();
    assert!(path.exists(), "a killed agent leaves it");

    let mut running = Running::start(&agent, &["--listen", &listen], &[]);
    running.address();
    assert_eq!(get(&listen, "/healthz").status, 200);
    running.signal("TERM");
    assert_eq!(running.ended(), Some(0));
    assert!(!path.exists(), "an agent that ends well takes it away");
}

#[test]
fn a_port_in_use_is_one_clear_error() {
    let agent = agent();
    let other = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = other.local_addr().expect("its address").to_string();
    let line = agent.run(&["run", "--listen", &address]).refused("listen");
    assert!(line.contains(&address) && line.contains("`listen` in [http] of seatline.toml"), "{line}");
}

#[test]
fn it_listens_beyond_this_machine_only_if_the_configuration_says_so() {
    let agent = agent();
    let line = agent.run(&["run", "--listen", "0.0.0.0:0"]).refused("listen");
    assert!(line.contains("allow_remote = true"), "{line}");
    agent.configure("\n[http]\nallow_remote = true\n");
    let mut running = Running::start(&agent, &["--listen", "0.0.0.0:0"], &[]);
    let address = running.address().replace("0.0.0.0", "127.0.0.1");
    assert_eq!(get(&address, "/healthz").status, 200);
}

#[test]
fn it_listens_nowhere_if_that_is_switched_off() {
    let agent = agent();
    let mut running = Running::start(&agent, &["--listen", "off"], &[]);
    loop {
        let entry = running.entry();
        assert_ne!(entry["message"], "listening");
        if entry["message"] == "the run failed: no plugin is installed" || entry["code"] == "no-plugin" {
            break;
        }
    }
}

#[test]
fn only_requests_that_call_it_by_a_name_of_its_own_are_answered() {
    let agent = agent();
    agent.configure("\n[http]\nhosts = ['wiki-host']\npublic_url = 'https://seatline.example.org'\n");
    let mut running = Running::start(&agent, &[], &[]);
    let address = running.address();
    for host in [&address, "localhost", "[::1]:8096", "wiki-host:8096", "seatline.example.org"] {
        assert_eq!(send(&address, "GET", "/healthz", &[("Host", host)], "").status, 200, "{host}");
    }
    for host in ["evil.example", "localhost.evil.example", ""] {
        let answer = send(&address, "GET", "/healthz", &[("Host", host)], "");
        assert_eq!(answer.refused(421), "unknown-host", "{host}");
    }
    for request in [
        "GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
        "GET http://evil.example/healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    ] {
        let status = raw(&address, request.as_bytes()).status;
        assert!(status == 421 || status == 400, "{status}: {request}");
    }
}

#[test]
fn what_another_site_makes_a_browser_send_is_refused() {
    let agent = agent();
    agent.configure("\n[http]\npublic_url = 'https://seatline.example.org'\n");
    let mut running = Running::start(&agent, &[], &[]);
    let address = running.address();
    let post = |path: &str, headers: &[(&str, &str)]| send(&address, "POST", path, headers, "x");
    for other in [("Origin", "https://evil.example"), ("Origin", "null"), ("Sec-Fetch-Site", "cross-site")] {
        assert_eq!(post("/healthz", &[other]).refused(403), "cross-origin", "{other:?}");
        let page = post("/sign-in", &[other]);
        assert_eq!(page.status, 403, "{other:?}");
        assert!(page.body.contains("The request came from another site"), "{}", page.body);
    }
    let own = format!("http://{address}");
    for ours in
        [("Origin", own.as_str()), ("Sec-Fetch-Site", "same-origin"), ("Origin", "https://seatline.example.org")]
    {
        assert_eq!(post("/healthz", &[ours, ("Host", &address)]).refused(405), "method-not-allowed", "{ours:?}");
        assert_eq!(post("/sign-out", &[ours, ("Host", &address)]).header("location"), Some("/sign-in"), "{ours:?}");
    }
    let answer = send(&address, "OPTIONS", "/healthz", &[("Origin", "https://evil.example")], "");
    assert_eq!(answer.header("access-control-allow-origin"), None, "no other site may read an answer");
}
