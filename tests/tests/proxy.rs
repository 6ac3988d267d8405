//! A product that is let out through a proxy alone: a real Tinyproxy, which asks who it is.

use std::fs;
use std::process::Command;

use jiff::{SignedDuration, Timestamp};
use seatline_protocol::pairing::Secret;
use seatline_protocol::{Invite, SecretKey, seal};
use seatline_tests::tinyproxy::{PASSWORD, Tinyproxy, USER};
use seatline_tests::{Agent, Central, Finished, Vendor, binaries};

/// Runs the agent with everything in its log, and with `environment`.
fn run(agent: &Agent, environment: &[(&str, &str)], arguments: &[&str]) -> Finished {
    let mut command = Command::new(binaries().join("seatline"));
    command.args(arguments).env("SEATLINE_DIR", agent.dir()).env("SEATLINE_LISTEN", "127.0.0.1:0");
    command.env("SEATLINE_LOG", "trace").envs(environment.iter().copied());
    Finished::from(command.output().expect("the binary starts"))
}

/// An invite of a central server at `url`.
fn invite_to(url: &str) -> String {
    let now = Timestamp::now();
    let invite = Invite {
        central_url: url.to_owned(),
        central_name: "Example Central".to_owned(),
        secret: Secret::from_bytes([6; 32]),
        issued_at: now,
        expires_at: now + SignedDuration::from_mins(30),
        application: None,
        return_url: None,
    };
    seal::seal_introducing(&invite, &SecretKey::from_seed(&[3; 32])).expect("an invite")
}

/// Asserts that nothing that was said tells the password, in clear or as it is sent.
fn is_silent(said: &Finished) {
    for secret in [PASSWORD, "d2lraTpodW50ZXIy", "another-one", "YW5vdGhlci1vbmU"] {
        assert!(!said.stdout.contains(secret) && !said.stderr.contains(secret), "{secret}: {said:?}");
    }
}

/// b1, g3
#[test]
fn g3_reports_go_through_the_proxy_that_lets_out_and_wait_while_it_does_not() {
    let (vendor, central, mut proxy) = (Vendor::new(), Central::start(), Tinyproxy::start());
    let agent = Agent::new(&vendor);
    let (url, password) = (proxy.url(), agent.dir().join("proxy.password"));
    agent.configure(&format!(
        "\n[link]\nproxy = \"{url}\"\nproxy_user = \"{USER}\"\nproxy_password_file = \"proxy.password\"\n"
    ));
    let host = central.url().strip_prefix("http://").expect("a URL").to_owned();
    let invite = central.invite();

    // What belongs to the proxy is missing, or wrong: that is what is told, and nothing of it.
    let accepted = run(&agent, &[], &["link", "accept", &invite, "--yes"]);
    is_silent(&accepted);
    accepted.ok();
    let missing = run(&agent, &[], &["sync"]);
    is_silent(&missing);
    assert!(missing.refused("central-proxy").contains("proxy.password"));
    fs::write(&password, "another-one\n").expect("written");
    let wrong = run(&agent, &[], &["sync"]);
    is_silent(&wrong);
    let wrong = wrong.refused("central-proxy");
    assert!(
        wrong.contains(&url)
            && wrong.contains("it wants a user and a password, or others")
            && wrong.contains(&central.url()),
        "{wrong}"
    );

    fs::write(&password, format!("{PASSWORD}\n")).expect("written");
    let passed = proxy.passed(&host);
    let sent = run(&agent, &[], &["sync"]);
    is_silent(&sent);
    sent.ok();
    assert!(proxy.passed(&host) > passed, "through the proxy");
    agent.run(&["sync"]).ok();
    let link = agent.run(&["link", "show", "--json"]).json();
    let link = link["link"].as_str().or(link["link"]["link"].as_str()).expect("a link").to_owned();
    let stored = central.reports(&link).len();
    assert!(stored > 0);
    let doctor = run(&agent, &[], &["doctor"]);
    is_silent(&doctor);
    assert!(doctor.stdout.contains(&format!("through the proxy {url}")), "{}", doctor.stdout);

    // It refuses, and then it is gone: the reports wait.
    fs::write(&password, "another-one\n").expect("written");
    let refused = run(&agent, &[], &["sync"]);
    is_silent(&refused);
    refused.refused("central-proxy");
    proxy.stop();
    let gone = agent.run(&["sync"]).refused("central-unreachable");
    assert!(gone.contains(&format!("through the proxy {url}")), "{gone}");
    assert_eq!((central.reports(&link).len(), agent.status()["outbox"]["pending"].as_u64()), (stored, Some(2)));

    // Its administrator opens another way.
    let config = agent.dir().join("seatline.toml");
    let text = fs::read_to_string(&config).expect("the configuration");
    let directly = text.split("proxy_user").next().expect("a part").replace(&url, "none");
    fs::write(&config, directly).expect("written");
    agent.run(&["sync"]).ok();
    assert_eq!(central.reports(&link).len(), stored + 3);
}

/// g3
#[test]
fn g3_the_proxy_of_the_environment_is_asked_unless_the_configuration_says_otherwise() {
    let (agent, proxy) = (Agent::new(&Vendor::new()), Tinyproxy::start());
    // Nobody listens there, and it is none of the loopback network's: whether it was asked to lead there, the proxy says.
    let place = "0.0.0.0:1";
    run(&agent, &[], &["link", "accept", &invite_to(&format!("https://{place}")), "--yes"]).ok();
    let (named, asked) = (proxy.named(), || proxy.passed(place));

    let away = run(&agent, &[("HTTPS_PROXY", &named)], &["sync"]);
    is_silent(&away);
    away.refused("central-proxy");
    assert_eq!(asked(), 1);
    let refused = run(&agent, &[("HTTPS_PROXY", &proxy.url())], &["sync"]);
    assert!(refused.refused("central-proxy").contains("407"));
    let before = asked();
    run(&agent, &[("HTTPS_PROXY", &named), ("NO_PROXY", "0.0.0.0")], &["sync"]).refused("central-unreachable");
    agent.configure("\n[link]\nproxy = \"none\"\n");
    run(&agent, &[("HTTPS_PROXY", &named)], &["sync"]).refused("central-unreachable");
    assert_eq!(asked(), before, "neither came to it");
}

/// g3
#[test]
fn g3_a_central_server_on_this_machine_is_asked_without_the_proxy_of_the_environment() {
    let (vendor, central, proxy) = (Vendor::new(), Central::start(), Tinyproxy::start());
    let agent = Agent::new(&vendor);
    let link = agent.link(&central.invite())["link"]["link"].as_str().expect("a link").to_owned();
    let named = proxy.named();
    let environment: Vec<(&str, &str)> =
        ["ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY"].into_iter().map(|name| (name, &*named)).collect();
    run(&agent, &environment, &["sync"]).ok();
    assert_eq!(central.reports(&link).len(), 1);
    assert_eq!(proxy.passed(central.url().strip_prefix("http://").expect("a URL")), 0);
    let doctor = run(&agent, &environment, &["doctor"]);
    assert!(doctor.stdout.contains("answered in") && !doctor.stdout.contains("proxy"), "{}", doctor.stdout);
}
