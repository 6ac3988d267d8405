//! Reports that say nothing new, through the real programs: small, whole as evidence, and never in the way.

use std::fs;
use std::path::PathBuf;

use seatline_tests::{Agent, Central, Vendor};
use serde_json::{Value, json};

/// An agent with a linked product, and the id of the link.
fn linked(central: &Central) -> (Agent, String) {
    let agent = Agent::new(&Vendor::new());
    let link = agent.link(&central.invite())["link"]["link"].as_str().expect("a link").to_owned();
    (agent, link)
}

/// Synchronises, and gives the number of the report that the new one repeats, if it does.
fn sync(agent: &Agent) -> Value {
    agent.run(&["sync", "--json"]).json()["report"]["repeats"].clone()
}

/// The evidence of everything, verified by the program with the public key alone.
fn verified(central: &Central) -> Value {
    let file = central.dir().join("evidence.jsonl").display().to_string();
    let exported = central.run(&["evidence", "--all", "--out", &file, "--json"]).json();
    let key = exported["key"].as_str().expect("the key").to_owned();
    central.run(&["verify", &file, "--key", &key, "--json"]).json()
}

/// b1, b12: the second and the third report repeat the first, the evidence holds, and what changes is said in full.
#[test]
fn b12_a_product_that_says_nothing_new_says_it_in_a_few_bytes_and_proves_it() {
    let central = Central::start();
    let (agent, link) = linked(&central);
    assert_eq!([sync(&agent), sync(&agent), sync(&agent)], [json!(null), json!(1), json!(1)]);
    let counted = central.licenses();
    assert_eq!(counted["counted"]["accounts"]["counted"], 60);
    assert_eq!((&counted["counted"]["sequence"], &counted["reported"]["sequence"]), (&json!(3), &json!(3)));
    let preview = agent.run(&["report", "preview", "--json"]).json();
    assert_eq!(preview["next"]["report"]["repeats"]["sequence"], 1, "what would leave is shown as it would");

    agent.wiki.hire(5);
    assert_eq!(sync(&agent), json!(null), "five people more are something new");
    assert_eq!(central.licenses()["counted"]["accounts"]["counted"], 65);
    assert_eq!(sync(&agent), json!(4));

    let rows = central.get(&format!("/api/v1/links/{link}/reports"))["items"].clone();
    let rows = rows.as_array().expect("rows");
    let listed: Vec<_> = rows.iter().rev().map(|row| row["repeats"].clone()).collect();
    assert_eq!(listed, [json!(null), json!(1), json!(1), json!(null), json!(4)]);
    let bytes = central.text(&format!("/api/v1/links/{link}/reports/3"));
    assert_eq!(bytes.len() as u64, rows[2]["bytes"].as_u64().expect("a number"));
    assert!(bytes.len() < 700, "{} bytes", bytes.len());

    let verdict = verified(&central);
    assert_eq!(
        (&verdict["holds"], &verdict["totals"]["reports"], &verdict["totals"]["repeats"]),
        (&json!(true), &json!(5), &json!(3))
    );
    assert_eq!(verdict["sections"][0]["chain"]["state"], "whole");
    let difference = central.get(&format!("/api/v1/links/{link}/difference?from=1&to=3"));
    let total = difference["classes"].as_array().expect("classes").last().expect("the total").clone();
    assert_eq!((&total["class"], &total["before"], &total["after"]), (&json!("total"), &json!(77), &json!(77)));
}

/// g4: by file go the same bytes.
#[test]
fn g4_repeats_travel_by_file() {
    let mut central = Central::start();
    let (agent, link) = linked(&central);
    sync(&agent);
    central.kill();
    agent.run(&["sync"]).refused("central-unreachable");
    agent.run(&["sync"]).refused("central-unreachable");
    let request = agent.dir().join("request.json");
    agent.run(&["report", "export", &request.display().to_string()]).ok();
    let sent: Value = serde_json::from_slice(&fs::read(&request).expect("the file")).expect("JSON");
    let sent: Vec<_> = sent["reports"].as_array().expect("reports").iter().map(Value::to_string).collect();
    assert!(sent.len() == 2 && sent.iter().all(|report| report.len() < 700), "two repeats");
    let answer = central.import(&request);
    agent.run(&["report", "import-receipts", &answer.display().to_string(), "--json"]).json();
    assert_eq!(agent.status()["outbox"]["pending"], 0);
    central.serve();
    for (number, sealed) in [2, 3].into_iter().zip(sent) {
        let stored = central.text(&format!("/api/v1/links/{link}/reports/{number}"));
        assert_eq!(json!(stored).to_string(), sealed);
    }
    assert_eq!(verified(&central)["totals"]["repeats"], 2);
}

/// b1: a central server that was restored from a backup gets what it has lost again, as far as it is repeated.
#[test]
fn b1_a_restored_central_server_is_sent_what_is_repeated_once_more() {
    let mut central = Central::start();
    let (agent, link) = linked(&central);
    central.kill();
    let files = |dir: PathBuf| -> Vec<PathBuf> {
        let files = fs::read_dir(dir).expect("a directory").map(|file| file.expect("a file").path());
        files.filter(|path| path.display().to_string().contains("central.db")).collect()
    };
    let backup: Vec<_> =
        files(central.dir().to_owned()).into_iter().map(|path| (fs::read(&path).expect("read"), path)).collect();
    central.serve();
    assert_eq!([sync(&agent), sync(&agent)], [json!(null), json!(1)]);

    central.kill();
    files(central.dir().to_owned()).iter().for_each(|path| fs::remove_file(path).expect("removed"));
    backup.iter().for_each(|(bytes, path)| fs::write(path, bytes).expect("written"));
    central.serve();
    assert_eq!(central.reports(&link), [], "it has forgotten all reports");

    assert_eq!(sync(&agent), json!(1), "the product does not know that");
    let numbers: Vec<u64> = central.reports(&link).into_iter().map(|(number, _)| number).collect();
    assert_eq!(
        numbers,
        [1, 3],
        "what is repeated came before the repeat; what was received and is nobody's is missing"
    );
    assert_eq!(agent.status()["outbox"]["pending"], 0);
    assert_eq!(sync(&agent), json!(1));
    assert_eq!(central.licenses()["counted"]["accounts"]["counted"], 60);
    let file = central.dir().join("evidence.jsonl").display().to_string();
    central.run(&["evidence", "--all", "--out", &file]).ok();
    let verdict = central.run(&["verify", &file, "--json"]);
    assert!(verdict.stdout.contains("\"gap\""), "{}", verdict.stdout);
}
