//! The page of the plugin (`b6`, `b7`), through the real binary and without JavaScript.

mod support;

use std::path::Path;

use seatline_agent::pages::secure::MAX_KEPT_BYTES;
use seatline_host::store::{Directory, Log, StoreError, change, records};
use support::agent::{Agent, stock_plugin};
use support::central::{Central, open};
use support::http::Answer;
use support::person::{PASSWORD, Person, hidden};
use support::plugin::honest_plugin;
use support::site::Site as World;
use support::wait::until;

/// A running agent with an administrator who has signed in, after `prepare`. It has made its run of the start.
fn world(prepare: impl FnOnce(&Agent)) -> World {
    let world = World::new(prepare);
    // What is listed among the runs has its report.
    let runs = || world.agent.run(&["system-info", "--json"]).json()["runs"].as_array().cloned().unwrap_or_default();
    until("the run of the start", || runs().iter().any(|run| run["trigger"] == "start").then_some(()));
    world
}

fn linked(agent: &Agent) {
    agent.install_plugin();
    Central::new().links(agent);
}

impl World {
    fn page(&self) -> String {
        let page = self.ada.get("/plugin");
        assert_eq!(page.status, 200, "{page:?}");
        page.body
    }

    /// Sends a change, with the password confirmed.
    fn change(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.ada.confirm();
        self.ada.post(path, fields)
    }

    /// Uploads a file, with the password confirmed.
    fn offer(&self, bytes: &[u8]) -> Answer {
        self.ada.confirm();
        let answer = offer(&self.ada, bytes);
        self.ada.post("/confirm/end", &[]);
        answer
    }

    /// The digests of the reports that wait.
    fn held(&self) -> Vec<String> {
        let held = self.agent.run(&["report", "hold", "--json"]).json();
        let reports = held["reports"].as_array().expect("reports");
        reports.iter().map(|report| report["digest"].as_str().expect("a digest").to_owned()).collect()
    }
}

fn offer(person: &Person, bytes: &[u8]) -> Answer {
    let mut body = b"--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"p.wasm\"\r\n\r\n".to_vec();
    body.extend_from_slice(bytes);
    body.extend_from_slice(b"\r\n--x--\r\n");
    person.send_bytes("POST", "/plugin/offer", &[("Content-Type", "multipart/form-data; boundary=x")], &body)
}

fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).expect("a plugin")
}

fn leads_to(answer: &Answer, done: &str) {
    let expected = format!("/plugin?done={done}");
    assert_eq!((answer.status, answer.header("location")), (303, Some(expected.as_str())), "{answer:?}");
}

#[test]
fn b6_the_page_shows_what_the_plugin_is_may_do_and_how_its_runs_went() {
    let world = world(|agent| {
        agent.install_plugin();
        agent.run(&["sync"]);
    });
    let page = world.page();
    let listed = world.agent.run(&["plugin", "list", "--json"]).json();
    for shown in [
        listed["current"]["digest"].as_str().expect("a digest"),
        listed["current"]["version"].as_str().expect("a version"),
        "reads every account&#39;s state and last sign-in under a pseudonym, without names or addresses",
        "Granted",
        "Counted",
        "on demand",
        "start",
        "Journal (",
        "the product is not linked, so nothing has left",
    ] {
        assert!(page.to_lowercase().contains(&shown.to_lowercase()), "{shown}: {page}");
    }
    std::fs::remove_file(world.agent.path("wiki.db")).expect("removed");
    world.agent.run(&["sync"]);
    let page = world.page();
    assert!(page.contains("Counted in part"), "{page}");
}

#[test]
fn b7_the_difference_between_the_last_two_counts_is_shown_by_class() {
    let world = world(|agent| {
        agent.install_plugin();
    });
    let database = rusqlite::Connection::open(world.agent.path("wiki.db")).expect("the database");
    let more = "INSERT INTO users VALUES ('x@example.org', 1, 1, '2020-01-01', 0), ('y@example.org', 0, 1, NULL, 0)";
    database.execute_batch(more).expect("two accounts");
    world.agent.run(&["sync"]);
    let page = world.page();
    let row = |what: &str| {
        let rest = page.split_once(&format!("<th scope=\"row\">{what}</th>")).unwrap_or_else(|| panic!("{page}")).1;
        let cells = rest.split("</tr>").next().expect("the row").split("<td class=\"num\">").skip(1);
        cells.map(|cell| cell.split('<').next().expect("a number").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(row("Counted"), ["4", "5", "+1"]);
    assert_eq!(row("of these dormant"), ["2", "3", "+1"]);
    assert_eq!(row("Deactivated"), ["2", "3", "+1"]);
    assert_eq!(row("All accounts"), ["8", "10", "+2"]);
    assert_eq!(row("Pages"), ["17", "17", "0"]);
}

#[test]
fn b6_the_exact_bytes_of_the_last_report_and_of_the_next_are_shown_and_can_be_kept() {
    let world = world(linked);
    let sealed = world.agent.waiting().pop().expect("a report").0;
    let page = world.page();
    assert!(page.contains(&sealed), "as it is sent");
    assert!(page.contains("&#34;observed_at&#34;"), "and decoded: {page}");
    let token = world.ada.get("/plugin/last.token");
    assert_eq!((token.status, &token.body), (200, &sealed));
    assert_eq!(token.header("content-disposition"), Some("attachment; filename=\"report-1.token\""));
    let json: seatline_protocol::Report =
        serde_json::from_str(&world.ada.get("/plugin/last.json").body).expect("a report");
    assert_eq!(json, open(&sealed));

    let next = world.ada.get("/plugin/next");
    assert_eq!(next.status, 200);
    assert!(next.body.contains("<dt>Report</dt><dd>2, made") && next.body.contains("v4.public."), "{}", next.body);
    assert_eq!(world.agent.waiting().len(), 1, "nothing is kept");
}

#[test]
fn b6_without_a_link_the_next_report_is_what_was_counted_and_there_is_no_last_one() {
    let world = world(|agent| agent.install_plugin());
    let next = world.ada.get("/plugin/next").body;
    assert!(next.contains("Nothing would leave") && next.contains("&#34;counted&#34;: 4"), "{next}");
    assert_eq!(world.ada.get("/plugin/last.token").header("location"), Some("/plugin"));
}

#[test]
fn b6_a_next_report_that_takes_long_to_count_gets_its_page_all_the_same() {
    let world = world(|agent| {
        linked(agent);
        let count = "if [ -p gate ]; then cat gate; else echo 1; fi";
        agent.configure(&format!(
            "[[dimension]]\nname = 'channels'\n[dimension.command]\nrun = ['sh', '-c', 'cd {} && {count}']\n",
            agent.path("").display()
        ));
    });
    let gate = world.agent.path("gate");
    assert!(std::process::Command::new("mkfifo").arg(&gate).status().expect("mkfifo").success());
    let asked = world.ada.get("/plugin/next");
    let page = asked.header("location").unwrap_or_else(|| panic!("{asked:?}")).to_owned();
    let waiting = world.ada.get(&page);
    assert!(waiting.status == 200 && waiting.body.contains("The product is counted since"), "{waiting:?}");
    assert!(waiting.body.contains("<noscript><meta http-equiv=\"refresh\" content=\"2\"></noscript>"), "{waiting:?}");
    let polled = world.ada.send("GET", &page, &[("HX-Request", "true")], "");
    assert_eq!(polled.status, 204, "nothing new");
    let joined = world.ada.get("/plugin/next");
    assert_eq!(joined.header("location"), Some(page.as_str()), "whoever asks meanwhile waits for the same count");

    std::fs::write(&gate, "42\n").expect("the count goes on");
    std::fs::remove_file(&gate).expect("removed");
    let ready =
        until("the report", || Some(world.ada.get(&page).body).filter(|page| page.contains("As it would leave")));
    assert!(ready.contains("&#34;value&#34;: 42") && !ready.contains("http-equiv"), "{ready}");
    assert_eq!(world.ada.get(&page).status, 200, "it stands there until the product is counted again");
    let gone = world.ada.get("/plugin/next?since=9000000000000");
    assert!(gone.status == 404 && gone.body.contains("There is no such report"), "{gone:?}");
    for wrong in ["since=x", "since=99999999999999999999"] {
        assert_eq!(world.ada.get(&format!("/plugin/next?{wrong}")).status, 400, "{wrong}");
    }
}

#[test]
fn b6_whoever_may_look_can_keep_what_has_left_and_has_nothing_counted() {
    let world = world(linked);
    let sealed = world.agent.waiting().pop().expect("a report").0;
    let vic = Person::signed_in(&world.address, "vic");
    let page = vic.get("/plugin").body;
    assert!(page.contains(&sealed) && page.contains("/plugin/last.token"), "{page}");
    assert_eq!(vic.get("/plugin/last.token").body, sealed);
    assert_eq!(vic.get("/plugin/last.json").status, 200);
    assert!(!page.contains("/plugin/next") && vic.get("/plugin/next").status == 403);
}

#[test]
fn b6_reports_are_held_on_the_page_and_leave_as_the_bytes_that_were_approved() {
    let world = world(linked);
    leads_to(&world.change("/plugin/hold", &[("hold", "on")]), "held");
    for _ in 0..3 {
        world.agent.run(&["sync"]);
    }
    let held = world.held();
    let page = world.page();
    assert!(held.len() == 3 && held.iter().all(|digest| page.contains(digest.as_str())), "{page}");
    let refused = world.change("/plugin/hold", &[("hold", "off")]);
    assert!(refused.status == 409 && refused.body.contains("3 reports wait for approval"), "{}", refused.body);

    leads_to(&world.change("/plugin/report/discard", &[("digest", &held[2])]), "discarded");
    leads_to(&world.change("/plugin/report/approve", &[("digest", &held[1])]), "approved");
    let left: Vec<String> = world
        .agent
        .waiting()
        .iter()
        .map(|(sealed, _)| seatline_protocol::Digest::of(sealed.as_bytes()).to_string())
        .collect();
    assert_eq!(left[1..], held[..2]);
    for path in ["/plugin/report/approve", "/plugin/report/discard"] {
        let replayed = world.change(path, &[("digest", &held[1])]);
        assert!(replayed.status == 409 && replayed.body.contains("Nothing was changed"), "{}", replayed.body);
    }
    leads_to(&world.change("/plugin/hold", &[("hold", "off")]), "released");
}

#[test]
fn b6_of_many_reports_that_wait_the_oldest_are_shown_and_how_many_more_there_are() {
    let world = world(linked);
    leads_to(&world.change("/plugin/hold", &[("hold", "on")]), "held");
    world.agent.run(&["sync"]);
    let store = Directory::open(world.agent.path("state")).expect("the store");
    let one = records(&store, Log::Held).expect("what is held").remove(0);
    let filled: Result<(), StoreError> =
        change(&store, |locked| locked.rewrite(Log::Held, &mut |_| false, &vec![one; 23]));
    filled.expect("filled");
    let (page, held) = (world.page(), world.held());
    assert_eq!(held.iter().filter(|digest| page.contains(digest.as_str())).count(), 20);
    assert!(page.contains(&held[19]) && page.contains("3 more wait behind these."), "{page}");
}

#[test]
fn b6_an_update_that_asks_for_more_shows_the_difference_and_waits_for_approval_by_password() {
    let world = world(|agent| {
        let stock = stock_plugin();
        let grants = ["--grant", "usage", "--grant", "application-link"];
        agent.run(&[&["plugin", "install", stock.to_str().expect("a path"), "--yes"], &grants[..]].concat()).ok();
    });
    leads_to(&world.offer(&read(&honest_plugin())), "offered");
    let page = world.page();
    assert!(page.contains("An update waits for your approval") && page.contains("honest"), "{page}");
    assert!(page.contains("It asks for 4 things that nobody has granted yet"), "{page}");
    assert_eq!(page.matches("Asked anew").count(), 4);
    let current = || world.agent.run(&["plugin", "list", "--json"]).json()["current"]["name"].clone();
    assert_eq!(current(), "license-visibility", "nothing that runs is changed");

    let waiting = page.split("id=\"waiting\"").nth(1).expect("what waits");
    let digest = hidden(waiting, "digest");
    let asked = world.ada.post("/plugin/approve", &[("digest", &digest)]);
    assert!(asked.status == 403 && asked.body.contains("Confirm your password"), "{asked:?}");
    assert_eq!(current(), "license-visibility");
    let other = format!("sha256:{}", "0".repeat(64));
    assert_eq!(world.change("/plugin/approve", &[("digest", &other)]).status, 409, "another one was looked at");
    leads_to(&world.change("/plugin/approve", &[("digest", &digest)]), "installed");
    assert_eq!(current(), "honest");
    assert_eq!(world.change("/plugin/approve", &[("digest", &digest)]).status, 409, "replayed");
    leads_to(&world.offer(&read(&stock_plugin())), "offered");
    let digest = hidden(world.page().split("id=\"waiting\"").nth(1).expect("what waits"), "digest");
    leads_to(&world.change("/plugin/decline", &[("digest", &digest)]), "declined");
    assert!(!world.page().contains("id=\"waiting\""));
}

#[test]
fn c2_a_plugin_takes_the_place_of_one_that_waits_by_password_alone() {
    let world = world(|agent| agent.install_plugin());
    let waiting = || world.agent.run(&["plugin", "list", "--json"]).json()["waiting"]["name"].clone();
    let honest = read(&honest_plugin());
    let asked = offer(&world.ada, &honest);
    assert!(asked.status == 403 && asked.body.contains("Confirm your password"), "{asked:?}");
    assert!(waiting().is_null());
    // What has room is kept while its sender is asked.
    let kept = hidden(&asked.body, "pending");
    leads_to(&world.ada.post("/plugin/offer", &[("confirm-password", PASSWORD), ("pending", &kept)]), "offered");
    assert_eq!(waiting(), "honest");

    world.ada.post("/confirm/end", &[]);
    let large = vec![0; MAX_KEPT_BYTES];
    let asked = offer(&world.ada, &large);
    assert!(asked.status == 403 && asked.body.contains("Choose the file again after this"), "{asked:?}");
    assert!(!asked.body.contains("name=\"pending\""), "{asked:?}");
    let confirmed = world.ada.post("/confirm?next=/plugin", &[("confirm-password", PASSWORD)]);
    assert_eq!(confirmed.header("location"), Some("/plugin"), "back to the form");
    assert!(asked.body.contains("action=\"/confirm?next=/plugin\""), "{asked:?}");
    assert_eq!(waiting(), "honest", "and what waits goes on waiting");
}

#[test]
fn b6_a_file_that_is_no_plugin_is_refused_at_its_field_and_does_not_wait() {
    let world = world(|agent| agent.install_plugin());
    let silent = stock_plugin().with_file_name("fixtures").join("silent.wasm");
    let cases: [(&[u8], &str); 3] = [
        (b"", "Choose the file of a plugin first"),
        (b"#!/bin/sh", "The file is not a WebAssembly component"),
        (&read(&silent), "on a simulated product"),
    ];
    for (bytes, why) in cases {
        let refused = world.offer(bytes);
        assert!(refused.status == 422 && refused.body.contains(why), "{why}: {}", refused.body);
        assert!(refused.body.contains("aria-invalid=\"true\""), "{}", refused.body);
    }
    assert!(world.agent.run(&["plugin", "list", "--json"]).json()["waiting"].is_null());
    let large = vec![0; 17 << 20];
    assert_eq!(world.offer(&large).status, 413);
}

#[test]
fn bad_forms_are_refused_without_harm_and_a_viewer_changes_nothing() {
    let world = world(linked);
    leads_to(&world.change("/plugin/hold", &[("hold", "on")]), "held");
    world.agent.run(&["sync"]);
    let vic = Person::signed_in(&world.address, "vic");
    assert!(!vic.get("/plugin").body.contains("<form method=\"post\" action=\"/plugin"));
    assert_eq!(offer(&vic, &read(&honest_plugin())).status, 403);
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let cross = [form[0], ("Origin", "https://evil.example")];
    for path in
        ["/plugin/hold", "/plugin/report/approve", "/plugin/report/discard", "/plugin/approve", "/plugin/decline"]
    {
        let digest = format!("hold=off&digest={}", world.held()[0]);
        assert_eq!(vic.send("POST", path, &form, &digest).status, 403, "{path}: wrong role");
        assert_eq!(world.ada.send("POST", path, &cross, &digest).status, 403, "{path}: cross-site");
        world.ada.post("/confirm/end", &[]);
        assert_eq!(world.ada.send("POST", path, &form, &digest).status, 403, "{path}: no confirmation");
        world.ada.confirm();
        for (headers, body, status) in [
            (&form[..], "", 400),
            (&form[..], "hold=maybe&digest=sha256:zz", 400),
            (&form[..], "digest=%ff%00&hold=%0a", 400),
            (&[("Content-Type", "application/json")][..], "{}", 415),
        ] {
            let answer = world.ada.send("POST", path, headers, body);
            assert_eq!(answer.status, status, "{path}: {body}");
            assert!(answer.body.contains("<h1>"), "{path}: a page says why");
        }
        let large = format!("digest={}", "x".repeat(600 * 1024));
        assert_eq!(world.ada.send("POST", path, &form, &large).status, 413, "{path}: oversized");
    }
    let evil = [("Content-Type", "multipart/form-data; boundary=x"), ("Origin", "https://evil.example")];
    assert_eq!(world.ada.send("POST", "/plugin/offer", &evil, "--x--").status, 403);
    assert_eq!(world.ada.post("/plugin/offer", &[("file", "x")]).status, 400, "no file");
    assert_eq!(world.held().len(), 1, "nothing was changed");
}
