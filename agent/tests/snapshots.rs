//! What people see: help, errors, licenses, status. A change of these files is a change of the interface.

mod support;

use support::agent::{Agent, Finished, seatline, stock_plugin};
use support::central::Central;
use support::mail::mail_server::MailServer;
use support::mail::read;

/// Everything that a command wrote, with what differs from run to run named.
fn seen(agent: &Agent, finished: Finished) -> String {
    let server_id = agent.server_id();
    let text = format!("{}{}(status {})", finished.err, finished.out, finished.code);
    let directory = agent.path("");
    text.replace(&server_id, "SERVER-ID")
        .replace(directory.to_str().expect("a path"), "DIR/")
        .split('\n')
        .map(steady)
        .collect::<Vec<_>>()
        .join("\n")
}

/// A line with its times, durations and digests replaced. Times in the far future are part of the scene and stay.
fn steady(line: &str) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    let replaced = words.iter().enumerate().map(|(index, word)| {
        let next = words.get(index + 1).copied().unwrap_or_default();
        let after = words.get(index + 2).copied().unwrap_or_default();
        let bare = word.trim_start_matches("sha256:").trim_matches(|c: char| !c.is_ascii_alphanumeric());
        let is_number = !bare.is_empty() && bare.bytes().all(|byte| byte.is_ascii_digit() || byte == b',');
        let is_hex = bare.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_day = bare.len() == 10 && bare.starts_with("20") && bare.as_bytes()[4] == b'-';
        let name = if is_day && !bare.starts_with("209") {
            "YYYY-MM-DD"
        } else if bare.len() == 5 && bare.as_bytes()[2] == b':' && next.starts_with("UTC") {
            "HH:MM"
        } else if is_number && (after == "left)" || next == "ms)" || next == "bytes") {
            "N"
        } else if is_hex && (bare.len() == 64 || bare.len() == 12) {
            "DIGEST"
        } else {
            bare
        };
        if bare.is_empty() { (*word).to_owned() } else { word.replace(bare, name) }
    });
    replaced.collect::<Vec<_>>().join(" ")
}

#[test]
fn s5_s6_s7_a_mail_says_what_why_and_what_to_do() {
    let (agent, mut server) = (Agent::new(), MailServer::plain());
    agent.install_plugin();
    agent.tells_by_mail(&server);
    agent.run(&["license", "set", &agent.issue(&["--kind", "commercial", "--id", "L-1", "--limit", "users=4"])]).ok();
    agent.run(&["sync"]).refused("not-linked");
    agent.run(&["notices", "check"]).ok();
    let limit = read(&server.mail());
    let expires = ["--limit", "users=3", "--expires", "2090-01-01", "--replaces", "L-1"];
    let key = agent.issue(&[&["--kind", "commercial", "--id", "L-2"], &expires[..]].concat());
    agent.run(&["license", "set", &key]).ok();
    agent.run(&["notices", "check"]).ok();
    let exceeded = read(&server.mail());
    agent.run(&["notices", "test"]).ok();
    let mails = [limit, exceeded, read(&server.mail())].map(|(subject, text)| format!("Subject: {subject}\n\n{text}"));
    let shown = mails.join("\n========\n").replace(&agent.server_id(), "SERVER-ID");
    let shown = shown.split('\n').map(steady).collect::<Vec<_>>().join("\n");
    insta::assert_snapshot!("mails", shown);
}

#[test]
fn the_help_says_what_there_is_with_examples() {
    for (name, arguments) in [
        ("help", &["--help"][..]),
        ("help_license", &["license", "--help"]),
        ("help_license_issue", &["license", "issue", "--help"]),
        ("help_link_accept", &["link", "accept", "--help"]),
        ("help_run", &["run", "--help"]),
    ] {
        insta::assert_snapshot!(name, seatline(arguments).ok());
    }
}

#[test]
fn an_error_is_one_line_with_its_code() {
    let agent = Agent::new();
    let lines = [
        agent.run(&["license", "set", "hello"]),
        agent.run(&["license", "set", "hello", "--json"]),
        agent.run(&["plugin", "install", "nowhere.wasm"]),
        agent.run(&["link", "remove"]),
        agent.run(&["sync"]),
    ];
    agent.configure("\n[acounts]\n");
    let mut text: Vec<String> = lines
        .into_iter()
        .map(|finished| format!("{}{}(status {})", finished.err, finished.out, finished.code))
        .collect();
    let broken = agent.run(&["status"]);
    text.push(format!(
        "{}(status {})",
        broken.err.replace(agent.path("").to_str().expect("a path"), "DIR/"),
        broken.code
    ));
    insta::assert_snapshot!("errors", text.join("\n"));
}

#[test]
fn licenses_are_shown_with_their_kind_their_limits_and_the_time_left() {
    let agent = Agent::new();
    insta::assert_snapshot!("license_show_none", seen(&agent, agent.run(&["license", "show"])));
    agent.install_plugin();
    agent.run(&["sync"]).refused("not-linked");
    for options in [
        &["--id", "Y1", "--limit", "users=3", "--expires", "2090-01-01"][..],
        &["--id", "Y2", "--limit", "users=3+1", "--limit", "pages=10:restrict", "--feature", "sso", "--replaces", "Y1"],
    ] {
        let key = agent.issue(&[&["--kind", "commercial"], options].concat());
        agent.run(&["license", "set", &key]).ok();
    }
    insta::assert_snapshot!("license_show", seen(&agent, agent.run(&["license", "show"])));
}

#[test]
fn the_status_shows_everything_at_a_glance() {
    let agent = Agent::new();
    insta::assert_snapshot!("status_new", seen(&agent, agent.run(&["status"])));
    agent.install_plugin();
    agent.run(&["link", "accept", &Central::new().invite(), "--yes"]).ok();
    std::fs::write(agent.path("answer"), serde_json::to_string(&Central::new().approval(&agent)).expect("JSON"))
        .expect("answer");
    agent.run(&["report", "import-receipts", agent.path("answer").to_str().expect("a path")]).ok();
    agent.run(&["sync"]).refused("central-unreachable");
    let status = seen(&agent, agent.run(&["status"]));
    insta::assert_snapshot!("status_central_down", status);
}

#[test]
fn what_is_asked_before_a_plugin_and_a_link_says_what_it_means() {
    let agent = Agent::new();
    let install = agent.run(&["plugin", "install", stock_plugin().to_str().expect("a path")]);
    insta::assert_snapshot!("plugin_install", seen(&agent, install));
    let accept = agent.run(&["link", "accept", &Central::new().invite()]);
    insta::assert_snapshot!("link_accept", seen(&agent, accept));
}
