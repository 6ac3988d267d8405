//! Another pseudonym key, through the real programs (`b9`).

use seatline_tests::{Agent, Central, Vendor};
use serde_json::{Value, json};

/// A linked product of its own, and the id of its application.
fn linked(central: &Central, name: &str) -> (Agent, String) {
    let agent = Agent::new(&Vendor::new());
    let added = central.run(&["application", "add", name, "--product", "acme-wiki", "--json"]).json();
    let invite = central.run(&["invite", "--application", name, "--json"]).json();
    agent.link(invite["invite"].as_str().expect("an invite"));
    (agent, added["id"].as_str().expect("an id").to_owned())
}

fn keys(central: &Central) -> Value {
    central.run(&["pseudonym-key", "show", "--json"]).json()
}

/// b9: each product turns with its next report, one of them by file; nobody is counted twice meanwhile, or taken for
/// another.
#[test]
fn b9_products_turn_to_another_pseudonym_key_and_people_are_never_mixed() {
    let mut central = Central::start();
    let ((first, one), (second, other)) = (linked(&central, "First"), linked(&central, "Second"));
    for agent in [&first, &second] {
        agent.run(&["sync"]).ok();
    }
    let people = |central: &Central| central.get(&format!("/api/v1/people?application={one}&application={other}"));
    assert_eq!(people(&central)["together"]["likely"], 60.0, "the same people use both");
    let before = keys(&central);
    assert_eq!((&before["keys"][0]["links"], &before["keys"][0]["made_at"]), (&json!(2), &json!(null)));

    let made = central.run(&["pseudonym-key", "replace", "--json"]).json();
    assert_ne!(made["present"], before["present"]);
    let replaced = &made["keys"][1];
    assert_eq!((&replaced["id"], &replaced["links"]), (&before["present"], &json!(2)), "nobody has turned yet");
    assert_eq!(replaced["applications"].as_array().map(Vec::len), Some(2), "and they are named");
    assert_eq!(people(&central)["together"]["likely"], 60.0, "what was counted before stands");

    // The first is online: an exchange brings the key, and the report after it is made with it.
    // A server looks every few seconds whether another one, or the command line, has made a key.
    let has_turned = || {
        first.run(&["sync"]).ok();
        first.status()["link"]["pseudonym_key"] == made["present"]
    };
    assert!((0..500).any(|_| has_turned()), "it was never handed the key");
    let synced = first.run(&["sync", "--json"]).json();
    assert_eq!(synced["report"]["repeats"], json!(null), "it is something new");
    let apart = people(&central);
    assert_eq!(apart["together"], json!(null), "equal people have different pseudonyms");
    assert_eq!((&apart["at_least"], &apart["at_most"]), (&json!(60.0), &json!(120.0)));
    assert_eq!(apart["overlaps"], json!([]));
    let uses = keys(&central);
    let links: Vec<_> = uses["keys"].as_array().expect("keys").iter().map(|key| key["links"].clone()).collect();
    assert_eq!(links, [json!(1), json!(1)]);
    assert_eq!(uses["keys"][1]["applications"][0]["name"], "Second");

    // The second has no connection: the answer by file brings the key.
    let request = second.dir().join("request.json");
    central.kill();
    let counted_offline = || drop(second.run(&["sync"]).refused("central-unreachable"));
    let carry = || {
        second.run(&["report", "export", &request.display().to_string()]).ok();
        let answer = central.import(&request);
        second.run(&["report", "import-receipts", &answer.display().to_string(), "--json"]).json()
    };
    counted_offline();
    let taken = carry();
    assert_eq!(taken["pseudonym_key_replaced"], true);
    counted_offline();
    carry();
    central.serve();
    assert_eq!(people(&central)["together"]["likely"], 60.0, "and they are one again");
    assert_eq!(keys(&central)["keys"].as_array().map(Vec::len), Some(1), "the old key is used by nobody");

    let audit = central.get("/api/v1/audit");
    assert!(audit.to_string().contains("pseudonym-key.replace"), "{audit}");
}
