//! System Info (`s1`) and Support (`s11`) on the pages, through the real binary and without JavaScript.

mod support;

use support::agent::Agent;
use support::central::Central;
use support::person::Person;
use support::site::Site as World;
use support::wait::until;

/// A running agent with an administrator who has signed in, after `prepare`.
fn world(prepare: impl FnOnce(&Agent)) -> World {
    World::new(prepare)
}

/// Sets a license that was issued with these options.
fn license(agent: &Agent, options: &[&str]) {
    agent.run(&["license", "set", &agent.issue(&[&["--kind", "commercial"], options].concat())]).ok();
}

#[test]
fn s1_system_info_shows_what_a_vendor_asks_for() {
    let world = world(|agent| {
        agent.reconfigure("version = \"4.2.0\"", "version = \"4.2.0\"\nedition = 'Enterprise'\nnodes = ['n1', 'n2']");
        agent.install_plugin();
        Central::new().links(agent);
        agent.run(&["sync"]);
    });
    let info = world.agent.run(&["system-info", "--json"]).json();
    let page = world.ada.get("/system");
    assert_eq!(page.status, 200);
    let server_id = world.agent.server_id();
    let text = |field: &str| info.pointer(field).and_then(|value| value.as_str()).expect("a text").to_owned();
    assert_eq!(text("/server_id"), server_id);
    for shown in [
        text("/server_id"),
        text("/product/version"),
        text("/product/edition"),
        text("/versions/seatline"),
        text("/versions/contract"),
        text("/versions/wasmtime"),
        text("/state_store"),
        text("/plugin/digest"),
        text("/link/central_name"),
        "n1".to_owned(),
        "n2".to_owned(),
        "Was set back".to_owned(),
        "on demand".to_owned(),
        "Unlicensed".to_owned(),
    ] {
        assert!(page.body.contains(&shown), "{shown}: {}", page.body);
    }
    assert_eq!((text("/state_store"), info["runs"][0]["accounts"].as_u64()), ("files".to_owned(), Some(8)));
    assert_eq!(info["unread"], serde_json::json!([]));
    let people = world.agent.run(&["system-info"]).ok();
    assert!(people.contains(&server_id) && people.contains("wasmtime"), "{people}");
    assert_eq!(Person::signed_in(&world.address, "vic").get("/system").status, 200, "a viewer may look");
}

#[test]
fn s1_a_clock_that_was_set_back_and_a_state_that_is_damaged_are_told() {
    let mut world = world(|agent| {
        agent.run(&["sync"]);
        let path = agent.path("state/last-exchange.json");
        let state = r#"{"tried_at":null,"succeeded_at":null,"failures":0,"problem":null,"next_attempt_at":null,
            "last_receipt":null,"clock_floor":"2199-01-01T00:00:00Z"}"#;
        std::fs::write(path, state).expect("a receipt of the future");
    });
    let page = world.ada.get("/system").body;
    assert!(page.contains("The clock of this machine was set back"), "{page}");
    // The run at the start would write them anew.
    world.running.until("the run failed");
    std::fs::write(world.agent.path("state/past-runs.json"), "{ damaged").expect("damaged");
    let page = world.ada.get("/system");
    assert_eq!(page.status, 200, "it opens in every state");
    assert!(page.body.contains("<code>past-runs</code> of the state is damaged"), "{}", page.body);
    let info = world.agent.run(&["system-info", "--json"]).json();
    assert_eq!(info["unread"][0]["code"], "store-damaged");
    assert!(info["clock"]["behind_seconds"].as_u64().is_some_and(|seconds| seconds > 3600));
}

#[test]
fn s11_support_is_a_tab_only_for_whom_the_license_entitles_to_it() {
    let world = world(|agent| license(agent, &["--id", "L-1"]));
    let tab = "href=\"/support\"";
    assert!(!world.ada.get("/license").body.contains(tab));
    let page = world.ada.get("/support");
    assert!(page.status == 200 && page.body.contains("Support is not included"), "{}", page.body);
    assert_eq!(world.ada.get("/support/file").header("location"), Some("/support"), "and no file");

    license(&world.agent, &["--id", "L-2", "--support", "--replaces", "L-1", "--maintenance-until", "2090-01-01"]);
    // Another process's change is seen within about a second.
    until("the tab", || world.ada.get("/license").body.contains(tab).then_some(()));
    let page = world.ada.get("/support").body;
    assert!(page.contains("2090-01-01") && page.contains("Download the file"), "{page}");
    let file = world.ada.get("/support/file");
    let disposition = file.header("content-disposition").expect("a file").to_owned();
    assert!(disposition.starts_with("attachment; filename=\"support-information-"), "{disposition}");
    let json: serde_json::Value = serde_json::from_str(&file.body).expect("JSON");
    assert_eq!((&json["format"], &json["licenses"]["support"]), (&"seatline-support-information".into(), &true.into()));

    let vic = Person::signed_in(&world.address, "vic");
    let page = vic.get("/support");
    assert!(page.status == 200 && page.body.contains(tab) && !page.body.contains("Download the file"));
    assert_eq!(vic.get("/support/file").status, 403);
}

#[test]
fn s11_support_ends_with_the_maintenance() {
    let world = world(|agent| license(agent, &["--id", "L-1", "--support", "--maintenance-until", "2026-01-01"]));
    let page = world.ada.get("/support").body;
    assert!(page.contains("Support is not included") && !page.contains("href=\"/support\""), "{page}");
}

#[test]
fn s2_a_server_id_that_has_changed_is_told_with_what_to_do() {
    let mut world = world(|agent| {
        Central::new().links(agent);
        agent.configure(
            "\n[identity]\npolicy = 'database-bound'\nbirth_mark = 'select max(rowid) from users'\nlook_every = 1\n",
        );
    });
    let before = world.agent.server_id();
    let page = world.ada.get("/system").body;
    assert!(page.contains("bound to the path of the database and the birth mark of the data"), "{page}");
    assert!(!page.contains("The server ID has changed"), "a policy asks nobody");
    let database = rusqlite::Connection::open(world.agent.path("wiki.db")).expect("the database");
    database.execute_batch("insert into users select * from users").expect("other data");
    world.running.until("the server ID has changed: the birth mark of the data");
    let page = world.ada.get("/system").body;
    for said in ["The server ID has changed", &before, "seatline server-id confirm", "because of the birth mark"] {
        assert!(page.contains(said), "{said}: {page}");
    }
    std::fs::remove_file(world.agent.path("wiki.db")).expect("the database is gone");
    world.running.until("the product's database was not read");
    assert!(world.ada.get("/system").body.contains("The server ID could not be confirmed"));
}
