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
use seatline_tests::tinyproxy::Tinyproxy;
use serde_json::{Value, json};
use support::{Central, PASSWORD, Visitor};

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
    webhook_of(central, "Hook", url)
}

fn webhook_of(central: &Central, name: &str, url: &str) -> Value {
    let mut body = channel(name, &json!({"kind": "webhook", "url": url}));
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
    let tried = central.run(&["alerts", "test", "Operations"]);
    assert!(tried.status.code() == Some(1) && tried.stderr.ends_with(b" [not-taken]\n"), "{tried:?}");
    let tried = central.run(&["alerts", "test", "Operations", "--json"]);
    let shown: Value = serde_json::from_slice(&tried.stdout).expect("one JSON value, and no error behind it");
    assert_eq!((&shown[0]["taken"], tried.status.code()), (&false.into(), Some(1)));
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
fn a_proxy_of_the_environment_is_asked_only_where_webhooks_may_lead_anywhere() {
    let mut central = Central::started();
    let (mut hook, proxy) = (Receiver::start(&json!({"secret": SECRET})), Tinyproxy::start());
    central.end();
    central.start_in(&[], &[("HTTPS_PROXY", &proxy.named())]);
    let tested = |url: &str| {
        let added = webhook_of(&central, url, url);
        let test = format!("/api/v1/channels/{}/test", added["id"].as_str().expect("an id"));
        ask(&central, "POST", &test, None, 200)["items"][0].clone()
    };
    let unknown = tested("https://hooks.invalid/");
    assert_eq!(unknown["code"], "webhook-unreachable", "{unknown}");
    let place = hook.url().split('/').nth(2).expect("a host").to_owned();
    assert_eq!((proxy.passed("hooks.invalid:443"), proxy.passed(&place)), (0, 0), "no name was given to it");

    hasty(&central, None);
    let taken = tested(&hook.url());
    assert_eq!((&taken["taken"], &hook.call()["verified"]), (&true.into(), &true.into()), "{taken}");
    assert_eq!(proxy.passed(&place), 1, "it went through the proxy");
    central.end();
    central.start_in(&[], &[("HTTPS_PROXY", &proxy.url())]);
    let channels = central.api("/api/v1/channels")["items"].clone();
    let channels = channels.as_array().expect("a list").iter();
    let id = channels.filter(|it| it["name"] == hook.url()).find_map(|it| it["id"].as_str()).expect("an id").to_owned();
    let refused = ask(&central, "POST", &format!("/api/v1/channels/{id}/test"), None, 200)["items"][0].clone();
    assert!(refused["problem"].as_str().expect("words").contains("proxy"), "who comes is not named: {refused}");
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

#[test]
fn a_channel_is_made_tried_changed_and_removed_on_the_pages() {
    let central = Central::started();
    let mut hook = Receiver::start(&json!({"secret": SECRET}));
    hasty(&central, None);
    let ada = Visitor::sign_in(&central, "ada", PASSWORD);
    let url = format!("{}?key=hunter2", hook.url());
    let mut form = vec![("kind", "webhook"), ("name", "Chat"), ("url", url.as_str()), ("secret", SECRET)];
    form.extend([("least", "note"), ("per_hour", "many"), ("events", "yes"), ("staging", "no")]);
    let (status, _, page) = ada.post("/alerts/channels", &form);
    assert_eq!(status, 422);
    assert!(page.contains("A whole number.") && page.contains("value=\"Chat\""), "what was typed stays: {page}");
    assert!(!page.contains(SECRET), "but for the secret");
    form.retain(|(name, _)| *name != "per_hour");
    form.push(("per_hour", "3600"));
    let (status, _, page) = ada.post("/alerts/channels", &form);
    assert!(status == 200 && page.contains(SECRET), "it is shown this once: {page}");
    let id = central.api("/api/v1/channels")["items"][0]["id"].as_str().expect("an id").to_owned();
    let path = format!("/alerts/channels/{id}");

    let (status, _, page) = ada.post(&format!("{path}/test"), &[]);
    assert!(status == 200 && page.contains("The test was taken everywhere."), "{page}");
    assert_eq!(hook.call()["body"]["type"], "alerts.test");

    let shown = format!("{}?…", hook.url());
    form.retain(|(name, _)| !["kind", "url", "secret"].contains(name));
    form.extend([("url", shown.as_str()), ("zone", "Europe/Berlin"), ("from-0", "22:00"), ("until-0", "22:30")]);
    assert_eq!(ada.post(&path, &form).0, 422, "a quiet time has days");
    let night = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    form.extend(night.map(|day| ("days-0", day)));
    let (status, to, page) = ada.post(&path, &form);
    assert_eq!((status, to.as_str()), (303, format!("{path}?done=saved").as_str()), "{page}");
    let channel = central.api(&format!("/api/v1/channels/{id}"));
    assert_eq!(channel["quiet"]["times"][0]["days"].as_array().map(Vec::len), Some(7), "{channel}");
    ada.post(&format!("{path}/test"), &[]);
    assert_eq!(hook.call()["path"], "/hook?key=hunter2", "the whole URL stays, and so does the secret");

    let (_, _, page) = ada.post(&format!("{path}/secret"), &[]);
    assert!(page.contains("whsec_") && !page.contains(SECRET), "another one");
    ada.post(&format!("{path}/test"), &[]);
    assert_eq!(hook.call()["verified"], false, "the receiver does not know it yet");
    for page in ["/alerts", "/alerts/channels", path.as_str(), "/alerts/messages", "/administration/audit"] {
        let (status, page) = ada.get(page);
        assert!(
            status == 200 && !page.contains("whsec_") && !page.contains("hunter2"),
            "no page shows a secret: {page}"
        );
    }
    assert_eq!(ada.post(&format!("{path}/remove"), &[]).1, "/alerts/channels?done=removed");
    assert_eq!(ada.get(&path).0, 404);
}

#[test]
fn an_alert_is_acknowledged_on_the_page_and_hostile_text_stays_text() {
    let central = Central::started();
    let post = MailServer::plain();
    hasty(&central, Some(post.port));
    let application = central.application("<img src=x onerror=alert(1)>");
    central.input(&["user", "add", "vera", "--role", "viewer", "--password-stdin"], "a viewer's long password");
    let (ada, vera) =
        (Visitor::sign_in(&central, "ada", PASSWORD), Visitor::sign_in(&central, "vera", "a viewer's long password"));
    let (_, page) =
        until("it is reviewed", || Some(ada.get("/alerts")).filter(|(_, page)| page.contains("Not linked yet")));
    assert!(!page.contains("<img src=x") && page.contains("&#60;img src=x"), "{page}");
    let alert = [("application", application.as_str()), ("code", "not-linked"), ("subject", "")];
    let known = [&alert[..], &[("why", "a trial"), ("days", "7")]].concat();
    assert_eq!(vera.post("/alerts/acknowledge", &known).0, 403, "a viewer reads");
    assert!(vera.get("/alerts").1.contains("Not linked yet") && !vera.get("/alerts").1.contains("I know of it"));
    assert_eq!(ada.post("/alerts/acknowledge", &known).1, "/alerts?done=acknowledged");
    let (_, page) = ada.get("/alerts");
    assert!(page.contains("Acknowledged by ada") && page.contains("a trial"), "{page}");
    let to = json!({"kind": "mail", "recipients": ["ada@example.org"]});
    ask(&central, "POST", "/api/v1/channels", Some(&channel("Operations", &to)), 201);
    assert_eq!(ada.post("/alerts/withdraw", &alert).1, "/alerts?done=withdrawn");
    let mut post = post;
    let text = post.mail()["text"].as_str().expect("a text").to_owned();
    let subjects = text.lines().filter(|line| line.starts_with("Subject: ")).count();
    assert!(subjects == 1 && text.contains("Not linked yet"), "{text}");
    assert_eq!(ada.post("/alerts/withdraw", &alert).0, 404, "there is none any more");
}

#[test]
fn s5_the_settings_are_set_on_the_page_and_the_password_goes_to_no_other_server() {
    let central = Central::started();
    let ada = Visitor::sign_in(&central, "ada", PASSWORD);
    let mut form = vec![("expiry_days", "90, 14"), ("maintenance_days", ""), ("evaluation_days", "7")];
    form.extend([
        ("thresholds", "users 80"),
        ("settle", "60"),
        ("calm", "600"),
        ("host", "mail.example.org"),
        ("port", ""),
    ]);
    form.extend([
        ("security", "starttls"),
        ("sender", "central@example.org"),
        ("user", "central"),
        ("password", "hunter2"),
    ]);
    let (status, _, page) = ada.post("/administration/alerts", &form);
    assert!(status == 403 && page.contains("confirm-password"), "who it is is confirmed first: {page}");
    ada.post("/confirm", &[("confirm-password", PASSWORD)]);
    assert_eq!(ada.post("/administration/alerts", &form).1, "/administration/alerts?done=saved");
    let settings = central.api("/api/v1/alert-settings");
    assert_eq!((&settings["reminders"]["expiry_days"], &settings["has_password"]), (&json!([90, 14]), &true.into()));
    assert_eq!(settings["reminders"]["thresholds"], json!({"users": 80}));
    let (_, page) = ada.get("/administration/alerts");
    assert!(!page.contains("hunter2") && page.contains("One is known."), "{page}");
    form.retain(|(name, _)| !["password", "host"].contains(name));
    let mut elsewhere = form.clone();
    elsewhere.push(("host", "evil.example.org"));
    form.push(("host", "mail.example.org"));
    ada.post("/administration/alerts", &form);
    assert_eq!(central.api("/api/v1/alert-settings")["has_password"], true, "it stays for the same server");
    ada.post("/administration/alerts", &elsewhere);
    assert_eq!(central.api("/api/v1/alert-settings")["has_password"], false, "and goes to no other one");
    elsewhere.retain(|(name, _)| *name != "expiry_days");
    elsewhere.push(("expiry_days", "30, 30"));
    let (status, _, page) = ada.post("/administration/alerts", &elsewhere);
    assert!(status == 422 && page.contains("different numbers of days"), "{page}");
}
