//! The description of the local API is true: every route is described, every description is a route, and every answer
//! is what it is described as.

mod support;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use seatline_agent::http::api::description;
use seatline_agent::http::{App, router};
use seatline_agent::instance::Instance;
use seatline_tests::schema::Description;
use serde_json::{Value, json};
use support::agent::Agent;
use support::api::Api;
use support::central::Central;
use support::http::{Answer, get, send};
use tower::ServiceExt as _;

fn described() -> Description {
    Description(serde_json::from_str(description()).expect("JSON"))
}

/// The routes of the API that are not described: the description itself, and what catches all others.
const OTHERS: [&str; 3] = ["/v1/openapi.json", "/v1/", "/v1/{*path}"];

/// The paths of a router under `/v1`, read from what it shows of itself: so that a new route is in this test the day it
/// is made.
fn paths(router: &axum::Router) -> BTreeSet<String> {
    let shown = format!("{router:?}");
    let paths = shown.split('"').filter(|text| text.starts_with("/v1/") && !text.contains("__private"));
    paths.filter(|path| !OTHERS.contains(path)).map(str::to_owned).collect()
}

#[tokio::test]
async fn g7_every_route_is_described_and_every_description_is_a_route() {
    let agent = Agent::new();
    let token = agent.token("operator", "admin");
    let dir = agent.path("seatline.toml").parent().expect("the data directory").to_owned();
    let instance = Arc::new(Instance::open_as_it_is(&dir).expect("an instance"));
    let router = router(App::new(instance).expect("an app")).expect("a router");
    let description = described();
    let operations = description.operations();
    let described: BTreeSet<String> = operations.iter().map(|(path, ..)| path.clone()).collect();
    assert_eq!(paths(&router), described);
    let ids = operations.iter().filter_map(|(.., operation)| operation["operationId"].as_str());
    assert_eq!(ids.collect::<BTreeSet<_>>().len(), operations.len(), "each operation has a name of its own");

    for path in &described {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            let is_described = operations.iter().any(|(other, of, _)| other == path && of == method);
            let request = Request::builder()
                .method(method)
                .uri(path.replace(['{', '}'], ""))
                .header("host", "localhost")
                .header("authorization", format!("Bearer {token}"));
            let request = request.body(Body::empty()).expect("a request");
            let answer = router.clone().oneshot(request).await.expect("answered");
            let is_taken = answer.status() != StatusCode::METHOD_NOT_ALLOWED;
            assert_eq!(is_taken, is_described, "{method} {path}: {}", answer.status());
        }
    }
}

/// A running agent whose answers are held to the description.
struct Held {
    api: Api,
    description: Description,
    /// The statuses that were answered, by path and method.
    seen: RefCell<BTreeMap<(String, String), BTreeSet<u16>>>,
}

impl Held {
    /// Holds an answer to the description of `path`.
    fn hold(&self, path: &str, method: &str, answer: Answer) -> Answer {
        let content_type = answer.header("content-type").unwrap_or_default();
        let refused = self.description.refuses(path, method, answer.status, content_type, &answer.body);
        assert_eq!(refused, None);
        let key = (path.to_owned(), method.to_owned());
        self.seen.borrow_mut().entry(key).or_default().insert(answer.status);
        answer
    }

    fn get(&self, path: &str) -> Answer {
        self.hold(path, "GET", self.api.get(&path.replace("{feature}", "sso")))
    }

    fn post(&self, token: &str, path: &str, body: &Value) -> Answer {
        self.hold(path, "POST", self.api.send(token, "POST", path, Some(body)))
    }

    /// Asks everything that can be asked.
    fn get_all(&self) {
        for path in self.gets() {
            self.get(&path);
        }
    }

    fn gets(&self) -> Vec<String> {
        let operations = self.description.operations().into_iter();
        operations.filter(|(_, method, _)| method == "GET").map(|(path, ..)| path).collect()
    }

    /// A license key of these options, as it is set.
    fn key(&self, options: &[&str]) -> Value {
        json!({ "key": self.api.agent.issue(options) })
    }
}

#[test]
fn g7_every_answer_is_what_it_is_described_as() {
    let held = Held { api: Api::start(), description: described(), seen: RefCell::default() };
    let (api, admin, reader) = (&held.api, held.api.admin.as_str(), held.api.reader.as_str());
    let served = get(&api.address, "/v1/openapi.json");
    assert_eq!((served.status, served.body.as_str()), (200, description()), "it is served without a token");

    held.get_all();
    link(&api.agent);
    with_licenses(&held);
    synchronise(&held);
    refused(&held);
    moved(&held);
    damaged(&held);
    while held.hold("/v1/features", "GET", api.send("sla_wrong", "GET", "/v1/features", None)).status != 429 {}
    held.hold("/v1/sync", "POST", api.send(admin, "POST", "/v1/sync", None));
    held.hold("/v1/sync", "POST", api.send(reader, "POST", "/v1/sync", None)).refused(403);

    let seen = held.seen.borrow();
    for (path, method, operation) in held.description.operations() {
        let statuses = operation["responses"].as_object().expect("responses").keys();
        let mut good = statuses.map(|status| status.parse().expect("a status")).filter(|status: &u16| *status < 300);
        let seen = seen.get(&(path.clone(), method.clone()));
        assert!(good.all(|status| seen.is_some_and(|seen| seen.contains(&status))), "{method} {path}: {seen:?}");
    }
}

/// Links the agent to a central server that approves it.
fn link(agent: &Agent) {
    let central = Central::new();
    // Nobody answers at its address: the link is made all the same, and approved by file.
    agent.run(&["link", "accept", &central.invite(), "--yes"]).ok();
    let answer = agent.path("answer.json");
    std::fs::write(&answer, serde_json::to_string(&central.approval(agent)).expect("JSON")).expect("the answer");
    agent.run(&["report", "import-receipts", answer.to_str().expect("a path")]).ok();
}

/// Licenses with whatever a license can say, each previewed, set, and everything asked with it.
fn with_licenses(held: &Held) {
    let (admin, reader) = (held.api.admin.as_str(), held.api.reader.as_str());
    let full = "--kind commercial --id FULL --limit users=3+1:restrict --limit pages=9 --feature sso --expires 2090-01-01 \
                --grace-days 14 --maintenance-until 2089-01-01 --replaces OLD --counting account --not-before 2025-01-01";
    let soon = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * 8);
    let short = format!("--kind evaluation --id SHORT --expires {soon} --grace-days 3000");
    let add_on =
        "--kind commercial --id EXTRA --product charts --add-on-of acme-wiki --feature charts --limit charts=3";
    for options in [full, &short, add_on] {
        let key = held.key(&options.split_whitespace().collect::<Vec<_>>());
        assert_eq!(held.post(reader, "/v1/licenses/preview", &key).status, 200);
        assert_eq!(held.post(admin, "/v1/licenses", &key).status, 200);
        held.get_all();
    }
    let later = held.key(&["--kind", "commercial", "--not-before", "2080-01-01", "--limit", "users=1"]);
    assert!(held.post(reader, "/v1/licenses/preview", &later).json().get("takes_effect_at").is_some());
    let request = "/v1/licenses/request";
    let wish = held.hold(request, "GET", held.api.get("/v1/licenses/request?add_on=charts&wish=more")).json();
    assert_eq!((&wish["add_on"], &wish["wish"]), (&"charts".into(), &"more".into()), "s10");
    for bad in ["?add_on=Charts", "?more=1"] {
        held.hold(request, "GET", held.api.get(&format!("{request}{bad}"))).refused(400);
    }
    let check = "/v1/limits/{dimension}/check";
    for (dimension, body) in [
        ("users", json!({ "additional": 5 })),
        ("pages", json!({ "used": 8, "additional": 1 })),
        ("charts", json!({ "additional": 1, "add_on": "charts" })),
        ("workers", json!({})),
    ] {
        let path = check.replace("{dimension}", dimension);
        held.hold(check, "POST", held.api.send(reader, "POST", &path, Some(&body)));
    }
}

/// A synchronisation over the link, which nobody answers, and what the agent tells of it.
fn synchronise(held: &Held) {
    assert_eq!(held.post(&held.api.admin, "/v1/sync", &json!({})).status, 202);
    let ended = loop {
        let state = held.get("/v1/sync").json();
        if state["running"] == false {
            break state;
        }
    };
    assert!(ended["last"]["report"].is_object() && ended["last"]["problems"][0].is_object(), "{ended}");
    held.get_all();
}

/// What is refused.
fn refused(held: &Held) {
    let (api, admin, reader) = (&held.api, held.api.admin.as_str(), held.api.reader.as_str());
    for path in held.gets() {
        held.hold(&path, "GET", get(&api.address, &path)).refused(401);
        held.hold(&path, "GET", send(&api.address, "GET", &path, &[("Host", "evil.example")], "")).refused(421);
    }
    let feature = "/v1/features/{feature}";
    held.hold(feature, "GET", api.get("/v1/features/%FF")).refused(400);
    let check = "/v1/limits/{dimension}/check";
    held.hold(check, "POST", api.send(reader, "POST", "/v1/limits/X/check", Some(&json!({})))).refused(400);
    held.post(reader, "/v1/licenses", &json!({ "key": "x" })).refused(403);
    for path in ["/v1/licenses/preview", "/v1/licenses"] {
        held.post(admin, path, &json!({ "key": "nonsense" })).refused(422);
        held.post(admin, path, &json!({})).refused(400);
        held.post(admin, path, &json!({ "key": "x".repeat(300 * 1024) })).refused(413);
        held.hold(path, "POST", api.send(admin, "POST", path, None)).refused(415);
        held.hold(path, "POST", send(&api.address, "POST", path, &[], "")).refused(401);
    }
}

/// A change of the server ID, and a person's word on it.
fn moved(held: &Held) {
    let (api, admin, reader) = (&held.api, held.api.admin.as_str(), held.api.reader.as_str());
    let (path, word) = ("/v1/server-id/confirm", json!({ "answer": "moved" }));
    held.post(admin, path, &word).refused(409);
    api.agent.configure("[identity]\npolicy = 'database-bound'\nbirth_mark = 'select max(rowid) from users'\n");
    api.agent.run(&["server-id"]).ok();
    let database = rusqlite::Connection::open(api.agent.path("wiki.db")).expect("the database");
    database.execute_batch("insert into users select * from users").expect("other data");
    api.agent.run(&["server-id"]).ok();
    assert!(held.get("/v1/server-id").json()["unconfirmed"].is_object(), "b4");
    held.post(reader, path, &word).refused(403);
    held.post(admin, path, &json!({ "answer": "maybe" })).refused(400);
    let confirmed = held.post(admin, path, &word);
    assert_eq!((confirmed.status, &confirmed.json()["answer"]), (200, &"moved".into()));
    assert!(held.get("/v1/server-id").json()["unconfirmed"].is_null());
}

/// What is answered where the state cannot be read.
fn damaged(held: &Held) {
    let before = ["licenses", "last-run"].map(|slot| {
        let path = held.api.agent.path(&format!("state/{slot}.json"));
        let content = std::fs::read(&path).expect("the state");
        std::fs::write(&path, "rubbish").expect("damage");
        (path, content)
    });
    for path in ["/v1/licenses", "/v1/status"] {
        held.get(path).refused(503);
    }
    while held.get("/v1/standing").json().get("problem").is_none() {}
    for (path, content) in before {
        std::fs::write(path, content).expect("mended");
    }
}
