//! The main job, end to end: from an empty machine to the Licenses tab.

use seatline_tests::{Agent, Central, Vendor};
use serde_json::json;

/// w1, w5, c4, b7: what is counted in the product's database stands on the Licenses tab.
#[test]
fn w5_the_counts_of_a_real_product_arrive_on_the_licenses_tab() {
    let (vendor, central) = (Vendor::new(), Central::start());
    let agent = Agent::new(&vendor);
    agent.run(&["license", "set", &vendor.license(100, &["--feature", "sso"])]).ok();
    assert_eq!(agent.link(&central.invite())["link"]["state"], "approved", "an invite for an application is approved");

    let synced = agent.run(&["sync", "--json"]).json();

    let shown = central.licenses();
    let accounts = &shown["counted"]["accounts"];
    assert_eq!(accounts["total"], 77);
    assert_eq!(accounts["counted"], 60, "c4: only accounts that may use the product count");
    assert_eq!(accounts["deactivated"], 10);
    assert_eq!(accounts["no_access"], 5);
    assert_eq!(accounts["service_accounts"], 2);
    assert_eq!(shown["counted"]["verdict"], "licensed");
    assert_eq!(shown["counted"]["limits"][0]["used"], 60);
    assert_eq!(shown["counted"]["limits"][0]["max"], 100);
    assert_eq!(shown["counted"]["features"], json!(["sso"]));
    assert_eq!(shown["counted"]["measurements"][0]["dimension"], "pages");
    assert_eq!(shown["counted"]["measurements"][0]["value"], 3);
    assert_eq!(shown["product"]["server_id"], agent.status()["server_id"]);
    assert_eq!(shown["troubles"], json!([]));
    assert_eq!(shown["reported"]["digest"], synced["report"]["digest"], "the stored report is the one that was sent");
    assert_eq!(central.get(&format!("/api/v1/applications/{}/licenses", id(&central)))["counted"], shown["counted"]);
}

fn id(central: &Central) -> String {
    let list = central.get("/api/v1/applications");
    list["items"][0]["id"].as_str().expect("an application has an id").to_owned()
}

/// b6: the bytes that were shown are the bytes that are stored.
#[test]
fn b6_the_exact_bytes_that_wait_are_shown_and_no_name_is_in_them() {
    let (vendor, mut central) = (Vendor::new(), Central::start());
    let agent = Agent::new(&vendor);
    let link = agent.link(&central.invite())["link"]["link"].as_str().expect("a link").to_owned();
    central.kill();
    agent.run(&["sync"]).refused("central-unreachable");
    let preview = agent.run(&["report", "preview", "--json"]).json();
    let shown = preview["pending"][0]["sealed"].as_str().expect("a sealed report").to_owned();
    assert!(!preview.to_string().contains("person"), "no name is in what would leave");
    central.serve();
    agent.run(&["sync"]).ok();
    let evidence = central.text(&format!("/api/v1/links/{link}/reports/1"));
    assert_eq!(evidence.trim(), shown);
}

/// b1, b2: the second report names the first, and each has its receipt.
#[test]
fn b1_reports_are_chained_and_b2_receipted() {
    let (vendor, central) = (Vendor::new(), Central::start());
    let agent = Agent::new(&vendor);
    let link = agent.link(&central.invite())["link"]["link"].as_str().expect("a link").to_owned();
    for expected in 1..=3 {
        let synced = agent.run(&["sync", "--json"]).json();
        assert_eq!(synced["exchange"]["receipts"][0]["sequence"], expected);
        assert_eq!(synced["exchange"]["receipts"][0]["verdict"], "chained");
        assert_eq!(synced["exchange"]["receipts"][0]["report"], synced["report"]["digest"]);
    }
    assert_eq!(central.reports(&link).len(), 3);
    assert_eq!(agent.status()["outbox"]["pending"], 0);
}

/// A link that was not made for an application waits until the fingerprint was compared and approved.
#[test]
fn an_open_invite_waits_for_approval_and_sends_no_count_before() {
    let (vendor, central) = (Vendor::new(), Central::start());
    let agent = Agent::new(&vendor);
    let link = agent.link(&central.open_invite());
    assert_eq!(link["link"]["state"], "pending");
    let synced = agent.run(&["sync", "--json"]).json();
    assert!(synced["report"].is_null(), "there is no chain before the approval");

    let id = link["link"]["link"].as_str().expect("a link");
    let at_central = central.get(&format!("/api/v1/links/{id}"));
    assert_eq!(at_central["fingerprint"], link["link"]["fingerprint"], "both sides show the same fingerprint");
    central.approve(id);

    let synced = agent.run(&["sync", "--json"]).json();
    assert_eq!(synced["exchange"]["receipts"][0]["sequence"], 1);
    assert_eq!(central.licenses()["counted"]["accounts"]["counted"], 60);
}

/// g4: without any connection, the same documents travel as files.
#[test]
fn g4_everything_works_by_file() {
    let (vendor, mut central) = (Vendor::new(), Central::start());
    let agent = Agent::new(&vendor);
    let invite = central.invite();
    central.kill();
    agent.link(&invite);
    let request = agent.dir().join("request.json");
    let carry = || {
        agent.run(&["report", "export", &request.display().to_string()]).ok();
        let answer = central.import(&request);
        agent.run(&["report", "import-receipts", &answer.display().to_string(), "--json"]).json()
    };
    carry();
    assert_eq!(agent.status()["link"]["state"], "approved", "the join went by file");
    agent.run(&["sync"]).refused("central-unreachable");
    agent.run(&["sync"]).refused("central-unreachable");
    assert_eq!(agent.status()["outbox"]["pending"], 2);

    let taken = carry();
    assert_eq!(taken["receipts"].as_array().map(Vec::len), Some(2));
    assert_eq!(agent.status()["outbox"]["pending"], 0);
    assert_eq!(central.licenses()["counted"]["accounts"]["counted"], 60);
    // The same file may be carried again: nothing is counted twice.
    central.import(&request);
    assert_eq!(central.licenses()["link"]["chain"]["stored"], 2);
}

/// c10, g1: a renewal takes effect at once, the old key stays as history; a second vendor's key is trusted beside it.
#[test]
fn c10_a_renewal_is_seen_with_the_next_report() {
    let (vendor, central) = (Vendor::new(), Central::start());
    let agent = Agent::new(&vendor);
    agent.run(&["license", "set", &vendor.license(50, &["--id", "OLD"])]).ok();
    agent.link(&central.invite());
    agent.run(&["sync"]).ok();
    assert_eq!(central.licenses()["counted"]["limits"][0]["state"], "over");

    agent.run(&["license", "set", &vendor.license(200, &["--id", "NEW", "--replaces", "OLD"])]).ok();
    agent.run(&["sync"]).ok();
    let counted = &central.licenses()["counted"];
    assert_eq!(counted["governed_by"], "NEW");
    assert_eq!(counted["limits"][0]["state"], "within");
    let licenses = counted["licenses"].as_array().expect("licenses");
    let old = licenses.iter().find(|license| license["id"] == "OLD").expect("history");
    assert_eq!(old["status"], "replaced");
}

/// w6: at start and at the interval, without anyone doing anything.
#[test]
fn w6_a_running_agent_reports_by_itself_and_ends_when_it_is_asked() {
    let (vendor, central) = (Vendor::new(), Central::start());
    let agent = Agent::new(&vendor);
    let running = agent.start(&["run"]);
    let link = agent.link(&central.invite())["link"]["link"].as_str().expect("a link").to_owned();
    seatline_tests::until("a first report", || (!central.reports(&link).is_empty()).then_some(()));
    central.set_interval(&link, 60);
    agent.run(&["sync"]).ok();
    let before = central.reports(&link).len();
    agent.wiki.hire(7);
    seatline_tests::until("a report at the interval", || (central.reports(&link).len() > before).then_some(()));
    assert_eq!(central.licenses()["counted"]["accounts"]["counted"], 67);
    let ended = running.terminate();
    assert_eq!(ended.code, 0, "{}", ended.stderr);
}
