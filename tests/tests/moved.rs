//! A product whose database is another one, and its central server: what both are told, and that nothing is lost (`b4`,
//! `s3`).

use seatline_tests::{Agent, Central, Vendor, until};
use serde_json::{Value, json};

/// A wiki that is linked, and whose server ID is bound to its database.
fn linked(central: &Central) -> Agent {
    let agent = Agent::new(&Vendor::new());
    install(&agent, "7f3a");
    agent.configure(BOUND);
    agent.link(&central.invite());
    agent.run(&["sync"]).ok();
    agent
}

const BOUND: &str =
    "\n[identity]\npolicy = 'database-bound'\nbirth_mark = 'select id from installation'\nlook_every = 1\n";

/// Puts the mark of an installation into the wiki's database.
fn install(agent: &Agent, mark: &str) {
    let installation = format!(
        "create table if not exists installation (id text); delete from installation;
         insert into installation values ('{mark}')"
    );
    agent.wiki.open().execute_batch(&installation).expect("installed");
}

fn trouble(licenses: &Value) -> Option<&str> {
    licenses["troubles"][0]["code"].as_str()
}

#[test]
fn b4_data_of_another_instance_under_a_running_agent_are_told_to_central_and_nothing_is_lost() {
    let central = Central::start();
    let agent = linked(&central);
    let before = agent.status()["server_id"].clone();
    assert_eq!(central.licenses()["product"]["server_id"], before);

    let running = agent.start(&["run"]);
    until("the first report of the running agent", || (central.licenses()["reported"]["sequence"] == 2).then_some(()));
    install(&agent, "of another instance");
    let asked = until("the change is asked about", || {
        let licenses = central.licenses();
        (trouble(&licenses) == Some("server-id-changed")).then_some(licenses)
    });
    let change = &asked["identity_changes"][0];
    assert_eq!((&change["previous"], &change["changed"]), (&before, &json!(["birth-mark"])));
    running.kill();

    // What is reported meanwhile waits, also through a restart.
    agent.run(&["sync"]).refused("server-id-unconfirmed");
    assert_eq!(agent.status()["outbox"]["pending"], 1);
    assert_eq!(central.licenses()["reported"]["sequence"], 2);
    agent.run(&["server-id", "confirm", "--restored", "--yes"]).ok();
    let after = central.licenses();
    assert_eq!((&after["troubles"], &after["reported"]["sequence"]), (&json!([]), &json!(3)), "{after:#}");
    assert_eq!(after["identity_changes"][0]["answer"], "restored");
    assert_eq!(after["identity_changes"].as_array().map(Vec::len), Some(1), "told twice, and one change");
    assert_ne!(after["product"]["server_id"], before);
    assert_eq!((&after["link"]["chain"]["stored"], &after["link"]["chain"]["forks"]), (&json!(3), &json!(0)));
}

#[test]
fn s3_a_staging_copy_with_the_link_of_production_spoils_nothing_and_counts_in_no_total() {
    let central = Central::start();
    let production = linked(&central);
    let staging = production.copied();
    staging.configure(&format!("{BOUND}staging = true\n"));
    staging.wiki.hire(500);
    staging.run(&["sync"]).refused("server-id-unconfirmed");
    let shown = central.licenses();
    assert_eq!(trouble(&shown), Some("staging-copy"), "{shown:#}");
    assert_eq!(shown["counted"]["accounts"]["counted"], 60, "those of production");

    production.run(&["sync"]).ok();
    let confirmed = staging.run(&["server-id", "confirm", "--copy", "--yes", "--json"]).json();
    assert_eq!((&confirmed["problem"], &confirmed["retired_reports"]), (&Value::Null, &json!(1)));
    production.run(&["sync"]).ok();
    let shown = central.licenses();
    assert_eq!((&shown["troubles"], &shown["identity_changes"][0]["answer"]), (&json!([]), &json!("copy")));
    assert_eq!((&shown["link"]["chain"]["forks"], &shown["reported"]["sequence"]), (&json!(0), &json!(3)));
    assert!(shown["product"].get("staging").is_none_or(|staging| staging == false));

    // Staging is linked as an application of its own, and says what it is.
    central.run(&["application", "add", "Staging wiki", "--product", "example-wiki"]).ok();
    let invite = central.run(&["invite", "--application", "Staging wiki", "--json"]).json();
    staging.link(invite["invite"].as_str().expect("an invite"));
    staging.run(&["sync"]).ok();
    let own = central.run(&["licenses", "Staging wiki", "--json"]).json();
    assert_eq!((&own["product"]["staging"], &own["troubles"]), (&json!(true), &json!([])), "{own:#}");
    assert_eq!(central.licenses()["counted"]["accounts"]["counted"], 60, "production is as it was");
}
