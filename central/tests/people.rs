//! People of more applications than are counted at once, over the API and on the command line (`b9`).

mod support;

use datasketches::theta::ThetaSketchBuilder;
use seatline_protocol::report::Outcome;
use seatline_tests::until;
use serde_json::{Value, json};
use support::product::counts;
use support::{Central, Product};

/// One more than are counted at once in production, and a staging instance.
const PRODUCTS: u8 = 130;

/// The answer to a change, which must have this status.
fn ask(central: &Central, method: &str, path: &str, body: &Value, status: u16) -> Value {
    let mut response = central.request(method, path, Some(body).filter(|body| !body.is_null()));
    let answer: Value = response.body_mut().read_json().expect("JSON");
    assert_eq!(response.status(), status, "{method} {path}: {answer}");
    answer
}

/// A run that counted the n-th product's twenty people: ten of them use the next one too.
fn people(n: u8) -> Outcome {
    let mut sketch = ThetaSketchBuilder::default().lg_k(12).build().expect("a sketch");
    (u64::from(n) * 10..u64::from(n) * 10 + 20).for_each(|person| sketch.update(person));
    let Outcome::Collected(mut collected) = counts(20) else { unreachable!("it counts") };
    collected.people = Some(sketch.compact(true).serialize());
    Outcome::Collected(collected)
}

/// A server whose products have all reported and were reviewed. The last one is a staging instance.
fn fleet() -> Central {
    let central = Central::started();
    for n in 1..=PRODUCTS {
        let application = json!({ "name": format!("Wiki {n}"), "product": "acme-wiki" });
        let id = ask(&central, "POST", "/api/v1/applications", &application, 201)["id"].clone();
        let labels = json!({ "group": if n % 2 == 0 { "sales" } else { "support" } });
        let path = format!("/api/v1/applications/{}/labels", id.as_str().expect("an id"));
        ask(&central, "PUT", &path, &labels, 200);
        let invite = ask(&central, "POST", "/api/v1/invites", &json!({ "application": id }), 201);
        let mut product = Product::new(n, invite["invite"].as_str().expect("an invite"));
        let joined = product.exchange(&central);
        assert!(product.take(&joined).is_empty(), "{joined:?}");
        let mut report = product.draft(people(n));
        report.product.staging = n == PRODUCTS;
        let sent = product.send(&central, &[product.seal(&report)]);
        assert!(sent.refusals.is_empty(), "{sent:?}");
    }
    let reviewed = |used_for: &str| {
        let totals = central.api(&format!("/api/v1/fleet/totals?use={used_for}"));
        let users = totals["items"].as_array().expect("a list").iter().find(|sum| sum["dimension"] == "users").cloned();
        users.map_or(0, |sum| sum["applications"].as_u64().expect("a number"))
    };
    let are_all = || reviewed("production") == u64::from(PRODUCTS) - 1 && reviewed("staging") == 1;
    until("all are reviewed", || are_all().then_some(()));
    central
}

#[test]
fn b9_people_of_a_whole_fleet_are_counted_once_while_the_server_serves_and_without_it() {
    let mut central = fleet();
    // Small sets are counted at once: a group, and what is for staging.
    let sales = central.api("/api/v1/people?group=sales");
    assert_eq!((&sales["together"]["likely"], &sales["seats"]), (&json!(1280.0), &json!(1280)), "64 of production");
    assert_eq!(central.api("/api/v1/people?use=staging")["seats"], 20);
    let refused = ask(&central, "GET", "/api/v1/people?use=production", &Value::Null, 400);
    assert!(refused["message"].as_str().is_some_and(|why| why.contains("POST /api/v1/people-counts")), "{refused}");

    // The whole fleet is counted by the job of the server.
    let asked = ask(&central, "POST", "/api/v1/people-counts", &json!({}), 202);
    assert_eq!((&asked["asked_by"], &asked["to_look_at"]), (&json!("ada"), &json!(130)));
    let path = format!("/api/v1/people-counts/{}", asked["id"].as_str().expect("an id"));
    let count = until("they are counted", || {
        let count = central.api(&path);
        assert_ne!(count["state"], "failed", "{count}");
        (count["state"] == "done").then_some(count)
    });
    let counted = &count["counted"];
    assert_eq!(counted["together"], json!({ "low": 1300.0, "likely": 1300.0, "high": 1300.0 }));
    assert_eq!((&counted["applications"], &counted["counted"]), (&json!(129), &json!(129)), "staging stands apart");
    assert_eq!(counted["seats_above_people"]["likely"], 2580.0 - 1300.0);
    assert_eq!(
        (&counted["parts"][0]["name"], &counted["parts"][0]["people"]["likely"]),
        (&json!("acme-wiki"), &json!(1300.0))
    );

    // Of one product, its groups, and who is in both.
    let of_product = central.json(&["people", "--product", "acme-wiki", "--count"]);
    let counted = &of_product["newest"]["counted"];
    assert_eq!((&counted["parts_by"], &counted["parts"][1]["name"]), (&json!("group"), &json!("sales")));
    assert_eq!(counted["overlaps"][0]["people"]["likely"], 1280.0, "all of sales are neighbours of support");
    let listed = central.api("/api/v1/people-counts?product=acme-wiki");
    assert_eq!(listed["items"][0]["id"], of_product["newest"]["id"]);
    assert_eq!(central.api("/api/v1/people-counts")["items"].as_array().map(Vec::len), Some(2));

    let audit = central.api("/api/v1/audit?kind=people-count");
    assert_eq!(audit["items"].as_array().map(Vec::len), Some(2), "{audit}");

    // A small set is counted by a schedule too, at once and then each week.
    let set = central.json(&["people", "--group", "sales", "--every", "week"]);
    assert_eq!((&set["every"], &set["scope"]["group"]), (&json!("week"), &json!("sales")));
    let made = until("the first count is made", || {
        let counts = central.api("/api/v1/people-counts?group=sales");
        Some(counts["items"][0].clone()).filter(|count| count["state"] == "done")
    });
    assert_eq!(
        (&made["counted"]["together"]["likely"], &made["asked_by"]),
        (&json!(1280.0), &json!(format!("{}, by schedule", set["set_by"].as_str().expect("a name"))))
    );
    let schedules = central.api("/api/v1/people-schedules");
    let (next, set_at) = (schedules["items"][0]["next_at"].to_string(), schedules["items"][0]["set_at"].to_string());
    assert!(next > set_at && central.json(&["people", "--schedules"]) == schedules["items"], "{schedules}");
    let ended = json!({ "scope": { "group": "sales" }, "every": null });
    assert_eq!(ask(&central, "PUT", "/api/v1/people-schedules", &ended, 200)["items"], json!([]));

    // No server runs: the command counts by itself.
    central.kill();
    let again = central.json(&["people", "--all", "--count"]);
    assert_eq!(again["newest"]["counted"]["together"]["likely"], 1300.0);
    assert_eq!(again["earlier"][0]["id"], asked["id"], "what was counted before stands beside it");
    let shown = central.run(&["people", "--all"]);
    let shown = String::from_utf8(shown.stdout).expect("text");
    for words in [
        "Together: 1,300, who hold 2,580 seats",
        "Seats above people: 1,280",
        "All applications in production: 129 of 129",
    ] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
}

#[test]
fn b9_ten_sets_are_counted_by_a_schedule_and_the_next_is_refused_by_its_code() {
    let central = Central::started();
    let set = |n: usize| json!({ "scope": { "group": format!("group {n}") }, "every": "month" });
    for n in 0..10 {
        ask(&central, "PUT", "/api/v1/people-schedules", &set(n), 200);
    }
    let refused = ask(&central, "PUT", "/api/v1/people-schedules", &set(10), 409);
    assert_eq!(refused["code"], "too-many-schedules");
    assert_eq!(central.failure(&["people", "--group", "another", "--every", "week"]), "too-many-schedules");
    ask(&central, "PUT", "/api/v1/people-schedules", &set(3), 200);
}
