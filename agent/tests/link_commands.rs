//! The link and the reports over it, by command and by file, through the real binary. The real central server stands on
//! the other side in `tests/`; here its documents are sealed by the test, and it cannot be reached.

mod support;

use jiff::SignedDuration;
use seatline_host::store::{Directory, Log, StoreError, change, records};
use seatline_protocol::{Counting, Digest, ExchangeResponse, Outcome, Refusal, Report, Rotation, seal};
use serde_json::Value;
use support::agent::{Agent, stock_plugin};
use support::central::{Central, answer, open};

#[test]
fn a_link_is_made_after_it_was_shown_whom_and_what() {
    let (agent, central) = (Agent::new(), Central::new());
    let invite = central.invite();
    let asked = agent.run(&["link", "accept", &invite]);
    assert_eq!(asked.code, 3);
    for shown in ["Example Central at http://127.0.0.1:1", &central.key.public().fingerprint(), "server ID", "licensee"]
    {
        assert!(asked.err.contains(shown), "{shown} is not shown: {}", asked.err);
    }
    assert_eq!(agent.run(&["link", "show", "--json"]).json()["link"], Value::Null);
    let accepted = agent.run(&["link", "accept", &invite, "--yes", "--json"]).json();
    assert_eq!(accepted["link"]["state"], "joining");
    assert_eq!(accepted["problem"]["code"], "central-unreachable", "the link is made although nobody answers yet");
    assert_eq!(agent.run(&["link", "show", "--json"]).json()["link"], accepted["link"]);
    agent.run(&["link", "accept", &invite, "--yes"]).refused("already-linked");
}

#[test]
fn an_invite_that_is_none_or_is_over_is_refused_and_nothing_is_linked() {
    let (agent, central) = (Agent::new(), Central::new());
    let good = central.invite();
    let license = agent.issue(&["--kind", "commercial"]);
    let cases = [
        ("invite-expired", central.invite_for(SignedDuration::from_secs(-1))),
        ("truncated", good[..good.len() - 7].to_owned()),
        ("not-a-document", "https://central.example.org".to_owned()),
        ("damaged", license),
        ("empty", String::new()),
    ];
    for (code, invite) in cases {
        agent.run(&["link", "accept", &invite, "--yes"]).refused(code);
    }
    assert_eq!(agent.run(&["link", "show", "--json"]).json()["link"], Value::Null);
    agent.run(&["link", "remove", "--yes"]).refused("not-linked");
    agent.run(&["report", "export", "-"]).refused("not-linked");
    agent.run(&["sync"]).refused("not-linked");
}

/// An agent with plugin whose link was approved by file.
fn linked(central: &Central) -> Agent {
    let agent = Agent::new();
    agent.install_plugin();
    central.links(&agent);
    agent
}

/// The sealed reports that wait, which are what the preview shows, to the byte.
fn waiting(agent: &Agent) -> Vec<(String, Report)> {
    let reports = agent.waiting();
    let preview = agent.run(&["report", "preview", "--json"]).json();
    let shown: Vec<&Value> =
        preview["pending"].as_array().expect("pending").iter().map(|report| &report["sealed"]).collect();
    assert_eq!(shown, reports.iter().map(|(sealed, _)| sealed).collect::<Vec<_>>());
    reports
}

#[test]
fn g4_reports_and_receipts_travel_by_file_and_leave_the_outbox_once() {
    let central = Central::new();
    let agent = linked(&central);
    for _ in 0..2 {
        let line = agent.run(&["sync"]).refused("central-unreachable");
        assert!(line.contains("the report waits in the outbox"), "{line}");
    }
    let reports = waiting(&agent);
    assert_eq!(reports.len(), 2);
    assert_eq!(reports[1].1.previous, Some(Digest::of(reports[0].0.as_bytes())), "b1: each names the one before");
    let status = agent.run(&["status", "--json"]).json();
    assert_eq!((&status["outbox"]["pending"], &status["exchange"]["failures"]), (&2.into(), &2.into()));

    let response = central.receipts(&reports);
    assert_eq!(answer(&agent, &response).json()["receipts"].as_array().map(Vec::len), Some(2));
    assert_eq!(answer(&agent, &response).json()["receipts"].as_array().map(Vec::len), Some(0), "the second time: none");
    assert!(waiting(&agent).is_empty());
    let status = agent.run(&["status", "--json"]).json();
    assert_eq!((&status["outbox"]["pending"], &status["exchange"]["failures"]), (&0.into(), &0.into()));
    assert_eq!(status["exchange"]["last_receipt"]["sequence"], 2, "b2");
}

#[test]
fn g4_one_file_holds_64_reports_is_for_its_owner_alone_and_says_how_many_more_wait() {
    use std::os::unix::fs::PermissionsExt as _;
    let agent = linked(&Central::new());
    agent.run(&["sync"]).refused("central-unreachable");
    let store = Directory::open(agent.path("state")).expect("the state");
    let one = records(&store, Log::Outbox).expect("the outbox").remove(0);
    let filled: Result<(), StoreError> =
        change(&store, |locked| locked.rewrite(Log::Outbox, &mut |_| false, &vec![one; 70]));
    filled.expect("many reports");
    let path = agent.path("reports.json");
    let export = |more: &[&str]| agent.run(&[&["report", "export", path.to_str().expect("a path")], more].concat());
    let exported = export(&["--json"]).json();
    assert_eq!((&exported["reports"], &exported["more"]), (&64.into(), &6.into()));
    assert!(
        export(&[]).ok().ends_with("6 reports more in the outbox: import the receipts of these, and export again.\n")
    );
    let shown = agent.run(&["report", "export", "-"]);
    assert!(
        shown.err.contains("6 reports more in the outbox") && shown.err.ends_with("[more-reports]\n"),
        "{}",
        shown.err
    );
    assert_eq!(path.metadata().expect("the file").permissions().mode() & 0o777, 0o600);
}

#[test]
fn b7_every_account_falls_into_one_class_by_the_rule_that_central_has_set() {
    let agent = linked(&Central::new());
    agent.run(&["sync"]).refused("central-unreachable");
    let Outcome::Collected(collected) = &waiting(&agent)[0].1.outcome else { panic!("the run failed") };
    let accounts = collected.accounts.as_ref().expect("accounts");
    assert_eq!((accounts.total, accounts.counted, accounts.dormant, accounts.dormancy_days), (8, 3, 1, 30));
    assert_eq!(
        (accounts.deactivated, accounts.no_access, accounts.never_signed_in, accounts.service_accounts),
        (2, 1, 1, 1)
    );
    assert_eq!(accounts.counting, Counting::FirstSignIn);
    assert!(accounts.adds_up());
}

#[test]
fn b6_the_preview_shows_what_would_leave_and_keeps_nothing() {
    let agent = linked(&Central::new());
    let preview = agent.run(&["report", "preview", "--json"]).json();
    let sealed = preview["next"]["sealed"].as_str().expect("the sealed report");
    let report = serde_json::to_value(open(sealed)).expect("JSON");
    assert_eq!(report, preview["next"]["report"], "the bytes say what is shown");
    assert!(!report.to_string().contains("example.org"), "no mail address leaves");
    assert!(waiting(&agent).is_empty());
    assert!(agent.run(&["report", "preview"]).ok().contains("A run now would report:"));
}

#[test]
fn an_answer_that_is_garbage_forged_or_a_refusal_changes_nothing() {
    let central = Central::new();
    let agent = linked(&central);
    agent.run(&["sync"]).refused("central-unreachable");
    let path = agent.path("answer.json");
    std::fs::write(&path, "<html>").expect("garbage");
    agent.run(&["report", "import-receipts", path.to_str().expect("a path")]).refused("malformed");
    std::fs::write(&path, vec![b' '; 2 << 20]).expect("too much");
    agent.run(&["report", "import-receipts", path.to_str().expect("a path")]).refused("too-large");
    let forged = Central::with_key(4).receipts(&waiting(&agent));
    answer(&agent, &forged).refused("unknown-key");
    let refusals = vec![Refusal::new("report", Some(0), "fork", "another report has its place")];
    answer(&agent, &ExchangeResponse { refusals, ..Default::default() }).refused("fork");
    assert_eq!(waiting(&agent).len(), 1);
    assert_eq!(agent.run(&["status", "--json"]).json()["exchange"]["problem"]["code"], "fork");
}

#[test]
fn w3_a_join_that_is_refused_for_good_is_shown_with_the_way_out_until_the_link_is_removed() {
    let (agent, central) = (Agent::new(), Central::new());
    agent.run(&["link", "accept", &central.invite(), "--yes"]).ok();
    let refusals = vec![Refusal::new("join", None, "invite-expired", "the invite's thirty minutes are over")];
    answer(&agent, &ExchangeResponse { refusals, ..Default::default() }).refused("invite-expired");
    let link = &agent.run(&["link", "show", "--json"]).json()["link"];
    assert_eq!((&link["state"], &link["refusal"]["code"]), (&"refused".into(), &"invite-expired".into()));
    let shown = agent.run(&["link", "show"]).ok();
    assert!(shown.contains("the join was refused: remove this link, and accept a new invite"), "{shown}");
    assert!(shown.contains("the invite's thirty minutes are over [invite-expired]"), "{shown}");
    let status = agent.run(&["status"]).ok();
    assert!(status.contains("refused)") && status.contains("`seatline link remove`"), "{status}");
    assert!(!status.contains("Next attempt"), "{status}");
    agent.run(&["link", "remove", "--yes"]).ok();
    agent.run(&["link", "accept", &central.invite(), "--yes"]).ok();
}

#[test]
fn a_database_that_cannot_be_read_is_reported_as_such_and_counts_nothing() {
    let agent = linked(&Central::new());
    std::fs::remove_file(agent.path("wiki.db")).expect("the database is gone");
    agent.run(&["sync"]).refused("central-unreachable");
    let report = &waiting(&agent)[0].1;
    let said = serde_json::to_string(&report.outcome).expect("JSON");
    assert!(said.contains("source-missing"), "{said}");
    if let Outcome::Collected(collected) = &report.outcome {
        assert_eq!(collected.accounts, None);
    }
}

#[test]
fn a_key_is_replaced_and_what_waits_is_exported_with_the_old_keys_word_for_the_new_one() {
    let agent = linked(&Central::new());
    agent.run(&["sync"]).refused("central-unreachable");
    let before = agent.run(&["link", "show", "--json"]).json()["link"].take();
    let rotated = agent.run(&["link", "rotate", "--json"]).json();
    assert_eq!(rotated["problem"]["code"], "central-unreachable", "it is told with the next exchange");
    let rotation = &rotated["link"]["rotation"];
    assert_eq!(
        (&rotation["previous_fingerprint"], &rotation["is_known"]),
        (&before["fingerprint"], &Value::Bool(false))
    );
    assert_ne!(rotated["link"]["fingerprint"], before["fingerprint"]);
    agent.run(&["link", "rotate"]).refused("rotation-under-way");
    agent.run(&["sync"]).refused("central-unreachable");
    let exported = agent.exported();
    let rotation = exported.rotation.expect("it goes with every exchange until it is answered");
    let keys = exported.reports.iter().map(|sealed| seal::key_id::<Report>(sealed).expect("a key").fingerprint());
    let old = seal::key_id::<Rotation>(&rotation).expect("the key that vouches").fingerprint();
    assert_eq!(before["fingerprint"], old.as_str());
    let new = rotated["link"]["fingerprint"].as_str().expect("it").to_owned();
    assert_eq!(keys.collect::<Vec<_>>(), [old, new]);
    let removed = agent.run(&["link", "remove", "--yes", "--json"]).json();
    assert_eq!(removed["retired_reports"], 2);
    agent.run(&["link", "rotate"]).refused("not-linked");
}

#[test]
fn a_link_that_is_removed_keeps_its_unreceived_reports_apart() {
    let agent = linked(&Central::new());
    agent.run(&["sync"]).refused("central-unreachable");
    assert_eq!(agent.run(&["link", "remove"]).code, 3);
    let removed = agent.run(&["link", "remove", "--yes", "--json"]).json();
    assert_eq!(removed["retired_reports"], 1);
    assert_eq!(removed["discarded_reports"], 0);
    assert_eq!(agent.run(&["link", "show", "--json"]).json()["link"], Value::Null);
}

#[test]
fn b6_a_link_that_is_removed_says_before_and_after_that_held_reports_go_with_it() {
    let agent = linked(&Central::new());
    agent.run(&["report", "hold", "on"]).ok();
    for _ in 0..2 {
        agent.run(&["sync"]).ok();
    }
    let (code, shown) = on_a_terminal(&agent, "link remove", "n\n");
    assert_eq!(code, 3, "{shown}");
    assert!(shown.contains("(http://127.0.0.1:1), and discard 2 reports that wait for approval? [y/N]"), "{shown}");
    let removed = agent.run(&["link", "remove", "--yes"]).ok();
    assert!(removed.ends_with("Never approved, and discarded: 2 reports.\n"), "{removed}");
}

/// Runs a command on a terminal of its own, with `input` typed.
fn on_a_terminal(agent: &Agent, arguments: &str, input: &str) -> (i32, String) {
    use std::io::Write as _;
    use std::process::Stdio;
    let line = format!("{} {arguments}", env!("CARGO_BIN_EXE_seatline"));
    let mut script = std::process::Command::new("script");
    script.args(["-qec", &line, "/dev/null"]).env("SEATLINE_DIR", agent.path("")).env_remove("NO_COLOR");
    let child = script.env("TERM", "xterm").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut child = child.expect("the command `script` of Debian's package `bsdutils`");
    child.stdin.take().expect("its input").write_all(input.as_bytes()).expect("what is typed");
    let output = child.wait_with_output().expect("its output");
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn on_a_terminal_it_asks_and_only_yes_is_yes() {
    let agent = linked(&Central::new());
    for answer in ["n\n", "\n", "perhaps\n"] {
        let (code, shown) = on_a_terminal(&agent, "link remove", answer);
        assert_eq!(code, 3, "{shown}");
        assert!(shown.contains("Remove the link to Example Central (http://127.0.0.1:1)? [y/N]"), "{shown}");
        assert!(shown.contains("\u{1b}["), "a terminal has colours: {shown}");
    }
    let install = format!("plugin install {} --grant accounts --grant application-link", stock_plugin().display());
    let (code, shown) = on_a_terminal(&agent, &install, "n\n");
    assert_eq!(code, 3, "{shown}");
    assert!(shown.contains("Install it, and grant it accounts, application-link alone? [y/N]"), "{shown}");
    let (code, shown) = on_a_terminal(&agent, "link remove", "y\n");
    assert_eq!(code, 0, "{shown}");
    assert_eq!(agent.run(&["link", "show", "--json"]).json()["link"], Value::Null);
}

#[test]
fn b6_reports_are_held_until_they_are_approved_and_what_leaves_is_what_was_shown() {
    let central = Central::new();
    let agent = linked(&central);
    assert_eq!(agent.run(&["report", "hold", "--json"]).json()["since"], Value::Null);
    assert!(agent.run(&["report", "hold", "on"]).ok().starts_with("Reports are held for approval since "));
    for _ in 0..3 {
        let synced = agent.run(&["sync"]);
        assert!(synced.err.contains("[report-held]"), "{synced:?}");
    }
    assert!(agent.waiting().is_empty());
    let status = agent.run(&["status", "--json"]).json();
    assert_eq!((&status["hold"]["held"], &status["outbox"]["pending"]), (&3.into(), &0.into()));
    assert!(agent.run(&["status"]).ok().contains("3 reports for approval"));
    agent.run(&["report", "hold", "off"]).refused("reports-held");

    let shown = agent.run(&["report", "hold", "--json"]).json();
    let digest = |at: usize| shown["reports"][at]["digest"].as_str().expect("a digest").to_owned();
    assert!(agent.run(&["report", "hold"]).ok().contains(&digest(2)));
    assert_eq!(agent.run(&["report", "discard", &digest(2), "--json"]).json()["discarded"], 1);
    agent.run(&["report", "approve", &digest(2)]).refused("not-held");
    let approved = agent.run(&["report", "approve", &digest(0), "--json"]).json();
    assert_eq!(approved["approved"][0]["sequence"], 1);
    assert_eq!(agent.waiting()[0].0, shown["reports"][0]["sealed"].as_str().expect("the bytes"));
    agent.run(&["report", "approve", "--all"]).ok();
    assert_eq!(agent.waiting().len(), 2);
    assert_eq!(agent.run(&["report", "approve"]).code, 2, "which one?");
    assert_eq!(agent.run(&["report", "approve", "sha256:zz"]).code, 2);
    agent.run(&["report", "discard", "--all"]).refused("nothing-held");
    assert_eq!(agent.run(&["report", "hold", "off", "--json"]).json()["since"], Value::Null);
}
