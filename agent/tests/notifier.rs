//! The part of `seatline run` that tells administrators: at the start, and soon after whatever makes a notice due.

mod support;

use serde_json::json;
use support::agent::Agent;
use support::mail::mail_server::MailServer;
use support::mail::read;
use support::running::Running;

fn agent() -> Agent {
    let agent = Agent::new();
    agent.configure("\n[log]\nformat = 'json'\n");
    agent
}

#[test]
fn s5_s6_it_looks_at_the_start_and_soon_after_a_run_and_tells_nothing_twice() {
    let (agent, mut server) = (agent(), MailServer::plain());
    agent.install_plugin();
    agent.tells_by_mail(&server);
    agent.licensed_for("L-1", 20);
    let mut running = Running::start(&agent, &["--listen", "off"], &[]);
    assert!(read(&server.mail()).0.contains("License L-1 expires on"));
    running.until("collected");

    // A threshold that is set is told while it runs, and a count that passes the limit as soon as it was counted.
    agent.run(&["notices", "settings", "--threshold", "users=80"]).ok();
    assert_eq!(read(&server.mail()).0, "[Acme Wiki] The threshold of 80 % is reached: 4 of 5 users");
    let wiki = rusqlite::Connection::open(agent.path("wiki.db")).expect("the database");
    wiki.execute_batch("update users set active = 1, access = 1, bot = 0, seen = datetime('now')").expect("more users");
    agent.run(&["sync"]).refused("not-linked");
    let (subject, text) = read(&server.mail());
    assert_eq!(subject, "[Acme Wiki] The limit is exceeded: 8 of 5 users");
    assert!(text.contains("Bring the count down by 3"), "{text}");
    running.signal("TERM");
    running.until("stopped");
    assert_eq!(running.ended(), Some(0));

    // After a restart there is nothing new: the next mail is the test.
    let mut running = Running::start(&agent, &["--listen", "off"], &[]);
    running.until("collected");
    let checked = agent.run(&["notices", "check", "--json"]).json();
    assert_eq!(checked, json!({"due": [], "tried": 0}));
    agent.run(&["notices", "test"]).ok();
    assert_eq!(read(&server.mail()).0, "[Acme Wiki] A test of the notifications");
}

#[test]
fn s7_a_mail_server_that_would_take_no_mail_is_told_at_the_start() {
    let (agent, server) = (agent(), MailServer::plain());
    agent.tells_by_mail(&server);
    drop(server);
    let mut running = Running::start(&agent, &["--listen", "off"], &[]);
    assert_eq!(running.until("no mail would arrive")["code"], "mail-unreachable");
    let probe = agent.run(&["notices", "show", "--json"]).json()["mail_server"].clone();
    assert_eq!(probe["problem"]["code"], "mail-unreachable", "{probe}");
}

#[test]
fn a_key_in_the_configured_file_that_is_refused_is_told() {
    let (agent, mut server) = (agent(), MailServer::plain());
    agent.tells_by_mail(&server);
    agent.reconfigure("[license]", "[license]\nfile = 'license.key'");
    let key = agent.issue(&["--kind", "commercial", "--product", "other-product"]);
    std::fs::write(agent.path("license.key"), key).expect("the key");
    let _running = Running::start(&agent, &["--listen", "off"], &[]);
    let (subject, text) = read(&server.mail());
    assert_eq!(subject, "[Acme Wiki] A license key that lies ready is refused");
    assert!(text.replace('\n', " ").contains("is for the product `other-product`"), "{text}");
}

#[test]
fn a_damaged_state_of_the_notices_stops_nothing_and_is_told_once() {
    let agent = agent();
    agent.install_plugin();
    std::fs::write(agent.path("state/notices.json"), "rubbish").expect("damage");
    let mut running = Running::start(&agent, &["--listen", "off"], &[]);
    let first = running.until("no notice is told until this is mended");
    assert_eq!(first["code"], "store-damaged");
    running.signal("TERM");
    running.until("stopped");
    assert_eq!(running.ended(), Some(0));
}
