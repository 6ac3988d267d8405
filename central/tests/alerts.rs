//! Alerts through the real program: a concern begins, and a mail server and a receiver of webhooks hear of it, once.

#[path = "../../delivery/tests/support/mail_server.rs"]
#[allow(dead_code, reason = "each file of stories uses its own part of it")]
mod mail_server;
#[path = "../../delivery/tests/support/receiver.rs"]
mod receiver;
mod support;

use std::net::TcpListener;
use std::time::{Duration, Instant};

use mail_server::MailServer;
use receiver::Receiver;
use seatline_tests::postgres::Postgres;
use serde_json::{Value, json};
use support::Central;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn put(central: &Central, path: &str, body: &Value) -> Value {
    ask(central, "PUT", path, Some(body), 200)
}

fn ask(central: &Central, method: &str, path: &str, body: Option<&Value>, status: u16) -> Value {
    let mut response = central.request(method, path, body);
    let answer: Value = response.body_mut().read_json().unwrap_or_default();
    assert_eq!(response.status(), status, "{method} {path}: {answer}");
    answer
}

/// Tells at once, on this machine, and by this mail server.
fn hasty(central: &Central, mail: Option<u16>) {
    let mail = mail
        .map(|port| json!({"host": "localhost", "port": port, "security": "plain", "sender": "central@example.org"}));
    let settings = json!({"pace": {"settle": 0, "calm": 0}, "local_webhooks": true, "mail": mail});
    put(central, "/api/v1/alert-settings", &settings);
}

/// A channel that is told of everything.
fn channel(name: &str, to: &Value) -> Value {
    json!({"name": name, "to": to, "scope": {"least": "note"}, "per_hour": 3600})
}

fn webhook(central: &Central, url: &str) -> Value {
    let mut body = channel("Hook", &json!({"kind": "webhook", "url": url}));
    body["secret"] = SECRET.into();
    ask(central, "POST", "/api/v1/channels", Some(&body), 201)
}

/// What `look` gives, as soon as it gives anything.
fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{what}, within a minute");
        std::thread::park_timeout(Duration::from_millis(50));
    }
}

#[test]
fn an_alert_arrives_by_webhook_and_mail_once_and_so_does_that_it_is_over() {
    let central = Central::started();
    let (mut hook, mut post) = (Receiver::start(&json!({"secret": SECRET})), MailServer::plain());
    hasty(&central, Some(post.port));
    let added = webhook(&central, &format!("{}?key=hunter2", hook.url()));
    assert_eq!(added["secret"], SECRET, "it is shown this once");
    let to = json!({"kind": "mail", "recipients": ["ada@example.org"]});
    ask(&central, "POST", "/api/v1/channels", Some(&channel("Operations", &to)), 201);

    let application = central.application("Company wiki");
    let call = hook.call();
    assert_eq!((&call["verified"], &call["path"]), (&true.into(), &"/hook?key=hunter2".into()), "{call}");
    assert_eq!(call["body"]["type"], "alerts.changed");
    let item = &call["body"]["data"]["items"][0];
    assert_eq!(
        (&item["code"], &item["news"], &item["name"]),
        (&"not-linked".into(), &"began".into(), &"Company wiki".into())
    );
    let mail = post.mail();
    let text = mail["text"].as_str().expect("a text");
    assert_eq!(mail["to"], json!(["ada@example.org"]));
    assert!(text.contains("Company wiki: Not linked yet") && text.contains("Message-ID: <"), "{text}");
    assert!(text.contains(&format!("/applications/{application}/licenses")), "{text}");

    let shown = central.text("/api/v1/channels") + &central.text("/api/v1/messages") + &central.text("/api/v1/audit");
    assert!(!shown.contains("hunter2") && !shown.contains("whsec_"), "no secret is shown again: {shown}");
    let alert = until("it is noted who was told", || {
        let alerts = central.api("/api/v1/alerts");
        (alerts["items"][0]["told"].as_array()?.len() == 2).then(|| alerts["items"][0].clone())
    });
    assert!(alert["told"].as_array().expect("a list").iter().all(|told| told["told_at"].is_string()), "{alert}");

    ask(&central, "DELETE", &format!("/api/v1/applications/{application}"), None, 200);
    let over = hook.call();
    assert_eq!((&over["verified"], &over["body"]["data"]["items"][0]["news"]), (&true.into(), &"over".into()));
    assert_ne!(over["id"], call["id"]);
    let text = post.mail()["text"].as_str().expect("a text").to_owned();
    assert!(text.contains("[over]"), "{text}");
    let messages = central.api("/api/v1/messages");
    assert_eq!(messages["items"].as_array().map(Vec::len), Some(4), "two to each, and no more: {messages}");
    let database = std::fs::read(central.dir().join("central.db")).expect("the database");
    let log = std::fs::read(central.dir().join("central.db-wal")).unwrap_or_default();
    let holds = |bytes: &[u8]| bytes.windows(7).any(|window| window == b"hunter2");
    assert!(!holds(&database) && !holds(&log), "secrets are encrypted at rest");
}

#[test]
fn s7_a_test_says_what_the_other_side_says() {
    let central = Central::started();
    let post =
        MailServer::start(&json!({"security": "plain", "refuse": {"gone@example.org": "550 5.1.1 No such user"}}));
    let to = json!({"kind": "mail", "recipients": ["gone@example.org", "ada@example.org"]});
    let added = ask(&central, "POST", "/api/v1/channels", Some(&channel("Operations", &to)), 201);
    let test = format!("/api/v1/channels/{}/test", added["id"].as_str().expect("an id"));
    let tried = ask(&central, "POST", &test, None, 200);
    assert_eq!(tried["items"][0]["code"], "mail-not-set", "{tried}");
    hasty(&central, Some(post.port));
    let tried = ask(&central, "POST", &test, None, 200);
    let (gone, ada) = (&tried["items"][0], &tried["items"][1]);
    assert_eq!((&gone["place"], &gone["taken"]), (&"gone@example.org".into(), &false.into()));
    assert!(gone["problem"].as_str().expect("words").contains("550 5.1.1 No such user"), "{gone}");
    assert_eq!((&ada["taken"], &ada["problem"]), (&true.into(), &Value::Null));
    assert_eq!(central.api("/api/v1/messages")["items"], json!([]), "nothing of a test is kept");
}

#[test]
fn a_webhook_to_this_machine_is_called_only_where_an_administrator_allows_it() {
    let central = Central::started();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("it does not wait");
    let port = listener.local_addr().expect("its address").port();
    // A name that leads here is as good as the address.
    for host in ["127.0.0.1", "localhost"] {
        let mut body = channel(host, &json!({"kind": "webhook", "url": format!("http://{host}:{port}/")}));
        body["scope"]["codes"] = json!(["fork"]);
        let added = ask(&central, "POST", "/api/v1/channels", Some(&body), 201);
        let test = format!("/api/v1/channels/{}/test", added["id"].as_str().expect("an id"));
        let tried = ask(&central, "POST", &test, None, 200);
        let problem = tried["items"][0]["problem"].as_str().expect("a problem");
        assert!(problem.contains("may not call this machine"), "{problem}");
    }
    assert!(listener.accept().is_err(), "nobody came");
}

#[test]
fn a_message_that_is_not_taken_is_tried_again_with_the_same_id() {
    let central = Central::started();
    let mut hook = Receiver::start(&json!({"secret": SECRET, "answers": [500, 500]}));
    hasty(&central, None);
    webhook(&central, &hook.url());
    central.application("Company wiki");
    let first = hook.call();
    let failing = until("the failure is shown", || {
        let messages = central.api("/api/v1/messages");
        let delivery = messages["items"][0]["deliveries"][0].clone();
        (delivery["failures"] == 1).then_some(delivery)
    });
    assert!(failing["problem"].as_str().expect("words").contains("HTTP status 500"), "{failing}");
    assert!(failing["next_at"].is_string() && failing["given_up_at"].is_null(), "{failing}");
    let figures = central.api("/api/v1/alerts/figures");
    assert_eq!((&figures["waiting"], &figures["failing"]), (&1.into(), &1.into()), "{figures}");
    // Whoever saves the settings has mended something: what waits is tried at once.
    for _ in 0..2 {
        hasty(&central, None);
        let again = hook.call();
        assert_eq!((&again["id"], &again["verified"]), (&first["id"], &true.into()));
        hasty(&central, None);
    }
    until("it is taken", || {
        let delivery = central.api("/api/v1/messages")["items"][0]["deliveries"][0].clone();
        delivery["taken_at"].is_string().then_some(())
    });
}

#[test]
fn of_two_replicas_one_tells_and_a_kill_loses_nothing() {
    let server = Postgres::start_with(&["max_connections=100"]);
    server.execute("CREATE DATABASE central");
    let mut one = Central::started_on(&server.address("owner", "central"));
    let mut other = one.replica();
    other.start();
    let mut hook = Receiver::start(&json!({"secret": SECRET}));
    hasty(&one, None);
    webhook(&one, &hook.url());
    let mut told = std::collections::BTreeMap::new();
    let mut hear = |hook: &mut Receiver, name: &str| loop {
        let call = hook.call();
        assert_eq!(call["verified"], true);
        let items = call["body"]["data"]["items"].as_array().expect("items").clone();
        let id = call["id"].as_str().expect("an id").to_owned();
        for item in &items {
            told.entry(item["name"].as_str().expect("a name").to_owned())
                .or_insert_with(std::collections::BTreeSet::new)
                .insert(id.clone());
        }
        if items.iter().any(|item| item["name"] == name) {
            return;
        }
    };
    for n in 0..5 {
        let name = format!("Application {n}");
        one.application(&name);
        hear(&mut hook, &name);
    }
    one.kill();
    // Whoever had the lease is gone without giving it back: the other takes over when it has ended.
    other.application("After the kill");
    hear(&mut hook, "After the kill");
    assert!(told.values().all(|ids| ids.len() == 1), "each alert is in one message: {told:?}");
}
