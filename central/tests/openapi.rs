//! The description of the API is true: every route is described, every description is a route, what a body may hold is
//! what the server takes, and every answer is what it is described as.

mod support;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use seatline_central::api::{description, routes};
use seatline_protocol::report::{Measured, Outcome};
use seatline_protocol::{
    Collected, Continuity, ContinuityAnswer, Dimension, ExchangeRequest, IdentityPart, License, Measurement, Observed,
    Omission, ServerId, seal, standing,
};
use seatline_tests::schema::Description;
use seatline_tests::until;
use serde_json::{Value, json};
use support::bodies::takes_what_is_described;
use support::{Central, PASSWORD, Product, agent, counts};
use ureq::http::Response;

fn described() -> Value {
    serde_json::from_str(description()).expect("JSON")
}

/// The operations, each with its method and path.
fn operations(description: &Value) -> Vec<(String, String, &Value)> {
    let paths = description["paths"].as_object().expect("paths");
    let of_path = |(path, item): (&String, &'_ Value)| -> Vec<(String, String)> {
        item.as_object().expect("an item").keys().map(|method| (method.to_uppercase(), path.clone())).collect()
    };
    let named: Vec<(String, String)> = paths.iter().flat_map(of_path).collect();
    named
        .into_iter()
        .map(|(method, path)| {
            let operation = &description["paths"][&path][method.to_lowercase()];
            (method, path, operation)
        })
        .collect()
}

#[test]
fn every_route_is_described_and_every_description_is_a_route() {
    let description = described();
    let operations = operations(&description);
    let described: BTreeSet<String> = operations.iter().map(|(method, path, _)| format!("{method} {path}")).collect();
    let of_api = routes().into_iter().filter(|route| route.path.starts_with("/api/"));
    let there: BTreeSet<String> = of_api.map(|route| format!("{} {}", route.method, route.path)).collect();
    assert_eq!(described, there);
    let ids: BTreeSet<&str> =
        operations.iter().filter_map(|(.., operation)| operation["operationId"].as_str()).collect();
    assert_eq!(ids.len(), operations.len(), "each operation has a name of its own");
    for (method, path, operation) in &operations {
        assert!(operation["summary"].as_str().is_some_and(|summary| summary.len() > 3), "{method} {path}");
        for name in path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
            let parameters = operation["parameters"].as_array().expect("parameters");
            assert!(parameters.iter().any(|parameter| parameter["name"] == name), "{method} {path}: {name}");
        }
    }
}

#[test]
fn a_body_is_described_as_the_server_takes_it() {
    let central = Central::started();
    assert_eq!(central.api("/api/v1/openapi.json"), described(), "it is served");
    let description = described();
    for (method, path, operation) in operations(&description) {
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        let id = "0123456789abcdef01234567";
        let link = "00000000-0000-0000-0000-000000000000";
        let address = path
            .replace("{application}", id)
            .replace("{link}", link)
            .replace("{user}", "nobody")
            .replace("{channel}", id)
            .replace("{count}", id);
        let person = operation["security"].as_array().is_some_and(|security| security.len() == 1);
        if schema.is_null() || person {
            // What is for people alone is not taken from this program; its handlers share these types.
            continue;
        }
        let ask = |body: Value| {
            let mut answer = central.request(&method, &address, Some(&body));
            let error: Value = answer.body_mut().read_json().expect("JSON");
            error["message"].as_str().unwrap_or_default().to_owned()
        };
        takes_what_is_described(&description, schema, &ask, &|body| body, &format!("{method} {path}"));
    }
}

/// A license with whatever a license can say.
fn license(id: &str, product: &str, expires: Option<Timestamp>, add_on_of: Option<&str>) -> License {
    let limit = |dimension: &str, max: Value| json!({ "dimension": dimension, "max": max, "extra": 5, "counting": "account", "behaviour": "restrict" });
    let limits = [limit("users", json!(20)), limit("pages", json!(9)), limit("spaces", Value::Null)];
    let license = json!({
        "id": id, "product": product, "edition": "enterprise", "kind": "commercial", "licensee": "Example Ltd", "limits": limits,
        "features": ["sso"], "issued": "2026-01-01T00:00:00Z", "expires": expires, "grace_days": 14,
        "maintenance_until": expires, "support": true, "servers": [], "mode": "installation", "add_on_of": add_on_of,
    });
    serde_json::from_value(license).expect("a license")
}

/// What a run came to that found much to tell.
fn rich(product: &Product, users: u64) -> Outcome {
    let Outcome::Collected(mut collected) = counts(users) else { unreachable!("it counts") };
    let facts = product.facts();
    let counted: [(Dimension, u64); 2] =
        [("users", users), ("pages", 8)].map(|(name, count)| (name.parse().expect("a dimension"), count));
    let observed =
        Observed { edition: facts.edition.clone(), counts: counted.into(), ..Observed::new(facts.id, facts.server_id) };
    let soon = Timestamp::now() + SignedDuration::from_hours(24 * 20);
    let licenses = [
        license("FULL-1", "acme-wiki", Some(soon), None),
        license("CHARTS-1", "charts", None, Some("acme-wiki")),
        license("OTHER-1", "other", None, None),
    ];
    let measured = |name: &str, value| Measurement { dimension: name.parse().expect("a dimension"), value };
    collected.measurements =
        vec![measured("pages", Measured::Value(8)), measured("drafts", Measured::Failed("no answer".to_owned()))];
    collected.standing = Some(standing(&licenses, &observed, Timestamp::now()));
    collected.omissions = vec![Omission { subject: "nodes".to_owned(), reason: "not granted".to_owned() }];
    collected.notes = vec!["a remark".to_owned()];
    Outcome::Collected(Box::<Collected>::new(*collected))
}

/// What there is to be asked for, with a name for each part of a path.
struct World {
    central: Central,
    cookie: String,
    names: BTreeMap<&'static str, String>,
}

/// A server with something of everything: chains with gaps and forks, links in every state, users and tokens.
fn world() -> World {
    let central = Central::started();
    let mut product = central.linked("Company wiki", 1);
    let application = central.json(&["application", "list"])[0]["id"].as_str().expect("an id").to_owned();
    for users in [12, 19, 31] {
        let sealed = product.seal(&product.draft(rich(&product, users)));
        product.sealed.push(sealed);
    }
    let lost = product.report(7);
    product.sealed.push(product.seal(&product.draft(rich(&product, 33))));
    let sent: Vec<String> = product.sealed.iter().filter(|sealed| **sealed != lost).cloned().collect();
    assert!(product.send(&central, &sent).refusals.is_empty());
    let mut copy = product.clone();
    copy.sealed.truncate(4);
    let forked = copy.report(99);
    assert_eq!(product.send(&central, std::slice::from_ref(&forked)).refusals.len(), 1);
    let moved = Continuity {
        link: product.link.clone().expect("linked"),
        previous: ServerId::from_random([8; 20]),
        present: product.facts().server_id,
        changed_at: Timestamp::now(),
        changed: [IdentityPart::Host].into(),
        staging: false,
        answer: Some(ContinuityAnswer::Moved),
    };
    let moved = seal::seal(&moved, &product.key).expect("sealed");
    support::send(&central, &ExchangeRequest { continuity: vec![moved], ..Default::default() });
    let link = product.link.clone().expect("linked").to_string();
    for (n, action) in [(2, "suspend"), (3, "remove")] {
        let other = central.linked(&format!("Application {n}"), n).link.expect("linked").to_string();
        match action {
            "suspend" => central.json(&["link", "suspend", &other]),
            _ => central.json(&["link", "remove", &other, "--yes"]),
        };
    }
    let mut waiting = Product::new(4, &central.invite(None));
    waiting.take(&waiting.exchange(&central));
    central.invite(None);
    central.json(&["link", "answer", &link, "--question", "fork", "--is", "copy-off", "--why", "a copy of May"]);
    central.input(&["user", "add", "vic", "--role", "viewer", "--password-stdin"], PASSWORD);
    central.json(&["link", "sync", &link]);
    let form = [("name", "ada"), ("password", PASSWORD)];
    let signed_in = agent().post(format!("{}/sign-in", central.url())).send_form(form).expect("answered");
    let cookie = signed_in.headers()["set-cookie"].to_str().expect("text");
    let cookie = cookie.split(';').next().expect("a cookie").to_owned();
    let channel = channels(&central);
    let invite = central.json(&["invite", "list"])[0]["id"].as_str().expect("an id").to_owned();
    let digest = central.api(&format!("/api/v1/links/{link}/refused-reports"))[0]["digest"].clone();
    central.json(&["people", "--group", "sales", "--every", "month"]);
    let count = central.json(&["people", "--all", "--count"])["newest"]["id"].as_str().expect("an id").to_owned();
    let names = [
        ("{application}", application),
        ("{link}", link),
        ("{user}", "ada".to_owned()),
        ("{channel}", channel),
        ("{count}", count),
        ("{invite}", invite),
        ("{sequence}", "1".to_owned()),
        ("{digest}", digest.as_str().expect("a digest").to_owned()),
    ];
    let world = World { central, cookie, names: names.into() };
    // Lists of the fleet are made by the review, within about a second.
    let has_items = |path: &str| world.central.api(path)["items"].as_array().is_some_and(|items| !items.is_empty());
    let has_failed = || {
        let messages = world.central.api("/api/v1/messages");
        messages["items"][0]["deliveries"][0]["failures"].as_u64().is_some_and(|failures| failures > 0)
    };
    let lists = ["/api/v1/fleet/totals?of=concerns", "/api/v1/fleet/ends", "/api/v1/alerts?state=past"];
    until("there is something in each list", || (lists.into_iter().all(has_items) && has_failed()).then_some(()));
    world
}

/// Two channels, with whatever a channel can say, that are told at once; and a mail server that is not there.
fn channels(central: &Central) -> String {
    let ask = |method: &str, path: &str, body: Value| {
        let mut answer = central.request(method, path, Some(&body));
        assert!(answer.status().is_success(), "{path}: {answer:?}");
        answer.body_mut().read_json::<Value>().expect("JSON")
    };
    let mail = json!({ "host": "127.0.0.1", "port": 1, "security": "plain", "sender": "central@example.org" });
    let reminders = json!({ "expiry_days": [60, 30], "thresholds": { "users": 80 } });
    let pace = json!({ "settle": 0, "calm": 0 });
    ask("PUT", "/api/v1/alert-settings", json!({ "reminders": reminders, "pace": pace, "mail": mail }));
    let night = json!({ "days": ["saturday", "sunday"], "from": "22:00", "until": "06:30" });
    let scope = json!({ "least": "note", "codes": ["limit"], "groups": ["sales"], "tags": ["critical"] });
    let hook = json!({ "kind": "webhook", "url": "https://hooks.example.org/x?key=y" });
    let quiet = json!({ "zone": "Europe/Berlin", "times": [night], "pass": "problem" });
    ask("POST", "/api/v1/channels", json!({ "name": "Chat", "to": hook, "scope": scope, "quiet": quiet }));
    let mail = json!({ "kind": "mail", "recipients": ["ada@example.org"] });
    let all = json!({ "least": "note", "staging": true });
    let made =
        ask("POST", "/api/v1/channels", json!({ "name": "Operations", "to": mail, "scope": all, "per_hour": 3600 }));
    made["id"].as_str().expect("an id").to_owned()
}

impl World {
    /// Asks as the person with the session, and holds the answer to the description of `path`.
    fn held(
        &self,
        description: &Description,
        method: &str,
        path: &str,
        query: &str,
        body: Option<&Value>,
    ) -> (u16, Value) {
        let mut address = self.names.iter().fold(path.to_owned(), |path, (name, value)| path.replace(name, value));
        address += query;
        let mut response = self.ask(method, &address, body);
        let status = response.status().as_u16();
        let kind = response.headers().get("content-type").map_or("", |kind| kind.to_str().expect("text")).to_owned();
        let text = response.body_mut().read_to_string().expect("text");
        assert_eq!(description.refuses(path, method, status, &kind, &text), None, "{address}");
        (status, serde_json::from_str(&text).unwrap_or_default())
    }

    fn ask(&self, method: &str, address: &str, body: Option<&Value>) -> Response<ureq::Body> {
        let request = ureq::http::Request::builder().method(method).uri(format!("{}{address}", self.central.url()));
        let request = request.header("cookie", &self.cookie);
        match body {
            Some(body) => {
                let request = request.header("Content-Type", "application/json").body(body.to_string());
                agent().run(request.expect("a request")).expect("answered")
            }
            None => agent().run(request.body(()).expect("a request")).expect("answered"),
        }
    }
}

/// What has to be asked behind the `?`.
fn query(path: &str, application: &str) -> String {
    match path {
        "/api/v1/links/{link}/difference" => "?from=1&to=3".to_owned(),
        "/api/v1/people" => format!("?application={application}"),
        "/api/v1/retention/preview" => "?reports_days=400".to_owned(),
        _ => String::new(),
    }
}

#[test]
fn every_answer_is_what_it_is_described_as() {
    let mut world = world();
    let description = Description(described());
    let application = world.names["{application}"].clone();
    let gets = description.operations().into_iter().filter(|(_, method, _)| method == "GET").map(|(path, ..)| path);
    let mut empty = BTreeSet::new();
    for path in gets.collect::<Vec<_>>() {
        let (status, answer) = world.held(&description, "GET", &path, &query(&path, &application), None);
        assert_eq!(status, 200, "{path}: {answer}");
        let items = answer.get("items").unwrap_or(&answer);
        if items.as_array().is_some_and(Vec::is_empty) {
            empty.insert(path);
        }
    }
    let without = ["/api/v1/links/{link}/keys".to_owned()];
    assert_eq!(empty, without.into(), "an empty list proves nothing of what stands in it");
    let (status, past) = world.held(&description, "GET", "/api/v1/alerts", "?state=past", None);
    assert!(status == 200 && past["items"][0]["ended_at"].is_string(), "{past}");
    alerts(&world, &description);
    world.names.insert("{user}", "vic".to_owned());
    changes(&world, &description);
}

/// What is changed of alerts and channels, and what that gives.
fn alerts(world: &World, description: &Description) {
    let ask = |method: &str, path: &str, body: Value, expected: u16| {
        let (status, answer) = world.held(description, method, path, "", Some(&body).filter(|body| !body.is_null()));
        assert_eq!(status, expected, "{method} {path}: {answer}");
        answer
    };
    let alert = ask("GET", "/api/v1/alerts", Value::Null, 200)["items"][0].clone();
    let matter = json!({ "application": alert["application"], "code": alert["code"], "subject": alert["subject"] });
    let mut known = matter.clone();
    known["until"] = json!(Timestamp::now() + SignedDuration::from_hours(24));
    ask("POST", "/api/v1/alerts/acknowledge", known, 200);
    let alerts = ask("GET", "/api/v1/alerts", Value::Null, 200);
    let items = alerts["items"].as_array().expect("a list");
    assert!(items.iter().any(|alert| alert["acknowledged"]["by"] == "ada"), "{alerts}");
    assert!(items.iter().any(|alert| alert["told"][0]["news"].is_string() || alert["told"][0]["told_at"].is_string()));
    ask("POST", "/api/v1/alerts/withdraw", matter, 204);
    let all = "/api/v1/channels";
    let hook = json!({ "name": "Pager", "to": { "kind": "webhook", "url": "https://pager.example.org/" } });
    assert!(ask("POST", all, hook.clone(), 201)["secret"].is_string());
    ask("POST", all, hook, 409);
    ask("POST", all, json!({ "name": "Pager", "to": { "kind": "pigeon" } }), 400);
    let one = "/api/v1/channels/{channel}";
    let mail = json!({ "name": "People", "to": { "kind": "mail", "recipients": ["bob@example.org"] } });
    ask("PUT", one, mail, 200);
    let tested = ask("POST", &format!("{one}/test"), Value::Null, 200);
    assert_eq!(tested["items"][0]["taken"], false, "{tested}");
    ask("POST", &format!("{one}/secret"), Value::Null, 400);
    ask("DELETE", one, Value::Null, 204);
    ask("GET", one, Value::Null, 404);
}

/// What changes something, and what is refused.
fn changes(world: &World, description: &Description) {
    let ask = |method: &str, path: &str, body: Value, expected: u16| {
        let (status, answer) = world.held(description, method, path, "", Some(&body).filter(|body| !body.is_null()));
        assert_eq!(status, expected, "{method} {path}: {answer}");
    };
    let (of, link) = ("/api/v1/applications/{application}", "/api/v1/links/{link}");
    ask("POST", "/api/v1/applications", json!({ "name": "Another", "product": "acme-wiki" }), 201);
    ask("POST", "/api/v1/applications", json!({ "name": "Another", "product": "acme-wiki" }), 409);
    ask("POST", "/api/v1/applications", json!({ "name": "Another" }), 400);
    ask("POST", "/api/v1/applications", json!({ "name": "x".repeat(70_000), "product": "x" }), 413);
    ask("PATCH", of, json!({ "url": "https://wiki.example.org" }), 200);
    ask("PUT", &format!("{of}/labels"), json!({ "group": "sales", "tags": ["critical"] }), 200);
    ask("POST", "/api/v1/invites", json!({}), 201);
    ask("DELETE", "/api/v1/invites/{invite}", Value::Null, 204);
    ask("DELETE", "/api/v1/invites/{invite}", Value::Null, 404);
    ask("POST", "/api/v1/people-counts", json!({ "use": "staging" }), 202);
    ask("POST", "/api/v1/people-counts", json!({ "use": "both" }), 400);
    ask("PUT", "/api/v1/people-schedules", json!({ "scope": { "group": "sales" }, "every": "week" }), 200);
    ask("PUT", "/api/v1/people-schedules", json!({ "scope": { "group": "sales" }, "every": null }), 200);
    ask("PUT", "/api/v1/people-schedules", json!({ "scope": { "group": "sales" }, "every": "hour" }), 400);
    ask("PATCH", &format!("{link}/settings"), json!({ "interval": "90m" }), 200);
    ask("PATCH", &format!("{link}/settings"), json!({ "interval": 1 }), 400);
    ask("POST", &format!("{link}/rotate"), Value::Null, 202);
    ask("POST", &format!("{link}/refuse"), Value::Null, 409);
    ask("POST", &format!("{link}/suspend"), Value::Null, 200);
    ask("POST", "/api/v1/users", json!({ "name": "otto", "role": "operator", "password": PASSWORD }), 403);
    ask("POST", "/api/v1/account/confirm", json!({ "password": "wrong" }), 403);
    let settings = json!({ "pace": { "settle": 60 } });
    ask("PUT", "/api/v1/alert-settings", settings.clone(), 403);
    ask("POST", "/api/v1/account/confirm", json!({ "password": PASSWORD }), 200);
    ask("PUT", "/api/v1/alert-settings", settings, 200);
    ask("PATCH", "/api/v1/retention", json!({ "reports_days": 400 }), 200);
    ask("PATCH", "/api/v1/retention", json!({ "reports_days": 1 }), 400);
    ask("POST", "/api/v1/users", json!({ "name": "otto", "role": "operator", "password": PASSWORD }), 201);
    ask("PATCH", "/api/v1/users/{user}", json!({ "role": "operator" }), 200);
    ask("POST", "/api/v1/account/tokens", json!({ "label": "nightly", "scopes": ["read"], "days": 9 }), 201);
    for (label, days, expected) in [("x".repeat(100), 3650, 201), ("x".repeat(101), 9, 400), (String::new(), 9, 400)] {
        let token = json!({ "label": label, "scopes": ["read"], "days": days });
        ask("POST", "/api/v1/account/tokens", token, expected);
    }
    for days in [0, 3651] {
        ask("POST", "/api/v1/account/tokens", json!({ "label": "x", "scopes": ["read"], "days": days }), 400);
    }
    ask("DELETE", "/api/v1/users/{user}", Value::Null, 204);
    ask("GET", "/api/v1/users/{user}", Value::Null, 404);
    ask("DELETE", of, Value::Null, 200);
    ask("GET", link, Value::Null, 404);
}
