//! System Info (`s1`) and Support (`s11`) on the pages, through the real binary and without JavaScript.

mod support;

use support::agent::Agent;
use support::central::Central;
use support::http::Answer;
use support::person::{Person, hidden};
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
    change(&mut world);
    let page = world.ada.get("/system").body;
    for said in ["The server ID has changed", &before, "seatline server-id confirm", "because of the birth mark"] {
        assert!(page.contains(said), "{said}: {page}");
    }
    std::fs::remove_file(world.agent.path("wiki.db")).expect("the database is gone");
    world.running.until("the product's database was not read");
    assert!(world.ada.get("/system").body.contains("The server ID could not be confirmed"));
}

/// A linked agent whose server ID is bound to its data, which have become others since the last look.
fn changed() -> World {
    let mut world = world(|agent| {
        Central::new().links(agent);
        agent.configure(
            "\n[identity]\npolicy = 'database-bound'\nbirth_mark = 'select max(rowid) from users'\nlook_every = 1\n",
        );
    });
    change(&mut world);
    world
}

fn change(world: &mut World) {
    let database = rusqlite::Connection::open(world.agent.path("wiki.db")).expect("the database");
    database.execute_batch("insert into users select * from users").expect("other data");
    world.running.until("the server ID has changed: the birth mark of the data");
}

#[test]
fn b4_a_change_of_the_server_id_is_answered_on_the_page_with_the_password() {
    let mut world = changed();
    let leads_to = |answer: &Answer, done: &str| {
        let expected = format!("/system?done={done}");
        assert_eq!((answer.status, answer.header("location")), (303, Some(expected.as_str())), "{answer:?}");
    };
    let page = world.ada.get("/system").body;
    assert!(page.contains("What was this change of the server ID?") && page.contains("Example Central"), "{page}");
    let seen = hidden(&page, "server-id");
    assert_eq!(seen, world.agent.server_id());
    let vic = Person::signed_in(&world.address, "vic");
    let page = vic.get("/system").body;
    assert!(page.contains("The server ID has changed") && !page.contains("/system/server-id"), "{page}");

    let path = "/system/server-id";
    let moved = [("answer", "moved"), ("server-id", seen.as_str())];
    assert_eq!(vic.post(path, &moved).status, 403);
    let asked = world.ada.post(path, &moved);
    assert!(asked.status == 403 && asked.body.contains("Confirm your password"), "{asked:?}");
    world.ada.confirm();
    for fields in [&[][..], &[("answer", "maybe"), ("server-id", &seen)], &[("answer", "moved"), ("server-id", "x")]] {
        assert_eq!(world.ada.post(path, fields).status, 400, "{fields:?}");
    }
    let other = world.ada.post(path, &[("answer", "moved"), ("server-id", "6C49-PHGB-64KX-JV40-FE8P")]);
    assert!(other.status == 409 && other.body.contains("Nothing was changed"), "another one was looked at: {other:?}");
    world.misuse(path, true);
    // Nobody answers at the central server's address, and the word holds all the same.
    leads_to(&world.ada.post(path, &moved), "moved-untold");
    let page = world.ada.get("/system?done=moved-untold").body;
    assert!(page.contains("Noted: this instance has moved.") && !page.contains("id=\"question\""), "{page}");
    assert_eq!(world.ada.post(path, &moved).status, 409, "replayed");

    change(&mut world);
    let seen = hidden(&world.ada.get("/system").body, "server-id");
    leads_to(&world.ada.post(path, &[("answer", "copy"), ("server-id", &seen)]), "copy-untold");
    let page = world.ada.get("/system?done=copy-untold").body;
    assert!(page.contains("tell its administrator that this is a copy") && !page.contains("id=\"question\""), "{page}");
    assert!(world.agent.run(&["link", "show", "--json"]).json()["link"].is_null());
    for unknown in ["moved-", "x", "-untold"] {
        assert!(!world.ada.get(&format!("/system?done={unknown}")).body.contains("Noted"), "{unknown}");
    }
}
