//! What the pages do with alerts, by the command line and over the API; and several alerts that are acknowledged at
//! once.

mod support;

use seatline_tests::until;
use std::fs;

use serde_json::{Value, json};
use support::{Central, PASSWORD, Visitor};

#[test]
fn s5_s6_the_settings_and_the_mail_server_are_set_by_command() {
    let central = Central::started();
    let shown = central.json(&["alerts", "settings"]);
    assert_eq!((&shown["reminders"]["expiry_days"], &shown["pace"]["settle"]), (&json!([60, 30]), &60.into()));
    let mut set = vec!["alerts", "settings", "--expiry-days", "90,14", "--evaluation-days", "none"];
    set.extend(["--threshold", "users=80", "--threshold", "nodes=100", "--settle", "5", "--local-webhooks", "true"]);
    let set = central.json(&set);
    assert_eq!(set, central.api("/api/v1/alert-settings"), "the same as over the API");
    assert_eq!(set["reminders"]["expiry_days"], json!([90, 14]));
    assert_eq!(
        (&set["reminders"]["maintenance_days"], &set["reminders"]["evaluation_days"]),
        (&json!([60, 30]), &json!([]))
    );
    assert_eq!(set["reminders"]["thresholds"], json!({ "nodes": 100, "users": 80 }));
    assert_eq!((&set["pace"], &set["local_webhooks"]), (&json!({ "settle": 5, "calm": 600 }), &true.into()));
    let usual = central.json(&["alerts", "settings", "--threshold", "users=usual"]);
    assert_eq!(usual["reminders"]["thresholds"], json!({ "nodes": 100 }));
    assert_eq!(central.failure(&["alerts", "settings", "--expiry-days", "30,30"]), "invalid");
    assert_eq!(central.failure(&["alerts", "settings", "--threshold", "users=0"]), "invalid");

    assert_eq!(central.failure(&["alerts", "mail-server", "--port", "25"]), "invalid", "of which server?");
    let host = ["alerts", "mail-server", "--host", "mail.example.org", "--sender", "licenses@example.org"];
    let more = ["--user", "central", "--security", "tls", "--password-stdin"];
    let made = central.input(&[&host[..], &more].concat(), "hunter2");
    assert_eq!((&made["mail"]["security"], &made["has_password"]), (&"tls".into(), &true.into()), "{made}");
    assert!(!made.to_string().contains("hunter2"));
    let sender = central.json(&["alerts", "mail-server", "--sender", "other@example.org"]);
    assert_eq!((&sender["mail"]["host"], &sender["has_password"]), (&"mail.example.org".into(), &true.into()));
    let elsewhere = central.json(&["alerts", "mail-server", "--host", "evil.example.org"]);
    assert_eq!(elsewhere["has_password"], false, "it goes to no other server");
    assert_eq!(elsewhere["reminders"], usual["reminders"], "the rest stays");
    assert_eq!(central.json(&["alerts", "mail-server", "--none"])["mail"], Value::Null);
}

#[test]
fn a_channel_is_changed_by_command_and_what_is_not_named_stays() {
    let central = Central::started();
    let add = ["alerts", "add-mail", "Operations", "--to", "ada@example.org", "--tag", "critical", "--per-hour", "4"];
    central.json(&add);
    let one = || central.json(&["alerts", "channels"])[0].clone();
    let mut quiet = vec!["alerts", "change", "operations", "--quiet", "monday-friday 22:00-07:00"];
    quiet.extend(["--quiet", "saturday,sunday 00:00-00:00", "--zone", "Europe/Berlin", "--pass", "problem"]);
    let changed = central.json(&quiet);
    assert_eq!(changed, one());
    assert_eq!((&changed["scope"]["tags"], &changed["per_hour"]), (&json!(["critical"]), &4.into()));
    let times = changed["quiet"]["times"].as_array().expect("times");
    assert_eq!(
        (times.len(), &times[0]["until"], times[0]["days"].as_array().map(Vec::len)),
        (2, &"07:00".into(), Some(5))
    );
    assert_eq!((&changed["quiet"]["zone"], &changed["quiet"]["pass"]), (&"Europe/Berlin".into(), &"problem".into()));
    let zone =
        central.json(&["alerts", "change", "Operations", "--zone", "UTC", "--off", "--tag", "", "--least", "note"]);
    assert_eq!((zone["quiet"]["times"].as_array().map(Vec::len), &zone["enabled"]), (Some(2), &false.into()));
    assert_eq!((&zone["scope"]["tags"], &zone["scope"]["least"]), (&json!([]), &"note".into()));
    let last = central.json(&[
        "alerts",
        "change",
        "Operations",
        "--no-quiet",
        "--on",
        "--to",
        "bob@example.org",
        "--name",
        "People",
    ]);
    assert_eq!((&last["quiet"], &last["enabled"], &last["name"]), (&Value::Null, &true.into(), &"People".into()));
    assert_eq!(last["to"]["recipients"], json!(["bob@example.org"]));
    assert_eq!(central.failure(&["alerts", "change", "People", "--zone", "UTC"]), "invalid", "there are none");
    assert_eq!(central.failure(&["alerts", "change", "People", "--url", "https://x.example.org/"]), "invalid");
    assert_eq!(central.failure(&["alerts", "change", "People", "--code", "nothing"]), "invalid");
    assert_eq!(central.failure(&["alerts", "change", "Nobody", "--on"]), "not-found");
    let output = central.run(&["alerts", "change", "People", "--quiet", "noday 22:00-07:00"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");

    let hook = central.json(&["alerts", "add-webhook", "Chat", "https://hooks.example.org/x?key=y"]);
    let moved = central.json(&["alerts", "change", "Chat", "--url", "https://chat.example.org/z?key=y"]);
    assert_eq!(moved["to"]["url"], "https://chat.example.org/z?…");
    let pem = central.dir().join("authority.pem");
    fs::write(&pem, "no certificate").expect("written");
    assert_eq!(central.failure(&["alerts", "change", "Chat", "--ca-file", pem.to_str().expect("text")]), "invalid");
    let secret = central.json(&["alerts", "secret", "Chat"]);
    assert!(secret["secret"].as_str().expect("a secret").starts_with("whsec_") && secret["secret"] != hook["secret"]);
    assert_eq!(central.failure(&["alerts", "secret", "People"]), "invalid", "only a webhook has one");
    assert_eq!(central.json(&["alerts", "messages", "--channel", "Chat"]), json!([]));
}

/// Some applications without a link, once they are reviewed: that is worth a note.
fn unlinked(central: &Central, many: usize) -> Vec<Value> {
    (0..many).for_each(|n| drop(central.application(&format!("Application {n}"))));
    until("all are reviewed", || {
        let alerts = central.api("/api/v1/alerts?limit=200")["items"].as_array().expect("a list").clone();
        (alerts.len() == many).then_some(alerts)
    })
}

fn key(alert: &Value) -> Value {
    json!({ "application": alert["application"], "code": alert["code"], "subject": alert["subject"] })
}

fn known(central: &Central) -> usize {
    let alerts = central.api("/api/v1/alerts?limit=200");
    alerts["items"].as_array().expect("a list").iter().filter(|alert| alert["acknowledged"].is_object()).count()
}

#[test]
fn several_alerts_are_acknowledged_at_once_and_each_is_in_the_audit_log() {
    let central = Central::started();
    let alerts = unlinked(&central, 5);
    let path = "/api/v1/alerts/acknowledge-several";
    let ask = |body: Value, expected: u16| {
        let mut answer = central.request("POST", path, Some(&body));
        let (status, answer) = (answer.status().as_u16(), answer.body_mut().read_json::<Value>().expect("JSON"));
        assert_eq!(status, expected, "{answer}");
        answer
    };
    let mut keys: Vec<Value> = alerts[..2].iter().map(key).collect();
    keys.push(json!({ "application": alerts[0]["application"], "code": "fork" }));
    keys.push(keys[0].clone());
    let done = ask(json!({ "alerts": keys, "why": "a trial" }), 200);
    assert_eq!(done["acknowledged"].as_array().map(Vec::len), Some(2), "each once: {done}");
    assert_eq!(done["not_open"][0]["code"], "fork", "what is not open hinders nothing: {done}");
    assert_eq!(known(&central), 2);
    let entries = central.api("/api/v1/audit?kind=alert")["items"].as_array().expect("entries").clone();
    assert_eq!(entries.iter().filter(|entry| entry["action"] == "alert.acknowledge").count(), 2, "{entries:?}");

    for odd in ["code=nonsense", "gravity=high", "state=shut"] {
        let refused = central.request("GET", &format!("/api/v1/alerts?{odd}"), None);
        assert_eq!(refused.status(), 400, "{odd}: an empty list would pass for one where all is well");
    }
    assert_eq!(central.failure(&["alerts", "list", "--code", "nonsense"]), "invalid");
    let one = key(&alerts[2]);
    ask(json!({ "alerts": vec![&one; 101] }), 400);
    ask(json!({ "alerts": [] }), 400);
    ask(json!({ "alerts": [&one], "until": "2020-01-01T00:00:00Z" }), 400);
    ask(json!({ "alerts": [&one], "why": "x".repeat(201) }), 400);
    assert_eq!(known(&central), 2, "where a rule is broken, nothing is acknowledged");

    let list = central.json(&["alerts", "list"]).to_string();
    let done = central.input(&["alerts", "acknowledge", "--stdin", "--why", "all of them", "--days", "7"], &list);
    assert_eq!(done["acknowledged"].as_array().map(Vec::len), Some(5), "{done}");
    assert_eq!(known(&central), 5);
    let output = central.run(&["alerts", "acknowledge"]);
    assert_eq!(output.status.code(), Some(2), "one, or those on standard input: {output:?}");
}

#[test]
fn those_that_are_ticked_on_the_page_are_acknowledged() {
    let central = Central::started();
    let alerts = unlinked(&central, 3);
    let ada = Visitor::sign_in(&central, "ada", PASSWORD);
    let page = |path: &str| ada.get(path).1;
    // The filter of the list stays, whatever becomes of the form.
    let post = |form: Vec<(&str, String)>| {
        let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        ada.post("/alerts/acknowledge-several?code=not-linked", &form)
    };
    let box_of = |alert: &Value| format!("{} not-linked ", alert["application"].as_str().expect("an id"));
    let shown = page("/alerts");
    for alert in &alerts {
        let value = format!(r#"type="checkbox" class="tick" form="several" name="alert" value="{}""#, box_of(alert));
        assert!(shown.contains(&value), "{value}: {shown}");
    }
    let (status, _, shown) = post(vec![("why", "none of them".to_owned())]);
    assert!(status == 422 && shown.contains("Tick the alerts that you know of."), "{shown}");
    assert!(shown.contains(r#"value="none of them""#), "what was typed stays: {shown}");
    let ticked = vec![("alert", box_of(&alerts[0])), ("alert", box_of(&alerts[2])), ("why", "a trial".to_owned())];
    let (status, _, shown) = post([ticked.clone(), vec![("until", "2020-01-01T08:00".to_owned())]].concat());
    assert!(status == 422 && shown.contains("id=\"error-until-several\""), "{shown}");
    assert!(shown.contains(r#"value="a trial""#) && shown.contains(r#"value="2020-01-01T08:00""#), "{shown}");
    assert_eq!(shown.matches(" checked aria-label=").count(), 2, "what was ticked stays so: {shown}");
    assert_eq!(known(&central), 0);
    let (_, to, _) = post([ticked, vec![("days", "7".to_owned())]].concat());
    assert_eq!(to, "/alerts?code=not-linked&done=several-2-0");
    assert_eq!(known(&central), 2);
    let shown = page(&to);
    assert!(shown.contains("2 alerts acknowledged.") && shown.matches("Acknowledged by ada").count() == 2, "{shown}");
    assert!(!shown.contains("acknowledge-several"), "one alone has its own form");
    assert_eq!(post(vec![("alert", "no alert".to_owned())]).0, 400, "what is none of the list is refused");
}

#[test]
fn an_alert_is_acknowledged_until_a_time_that_somebody_sets() {
    let central = Central::started();
    let application = central.application("Company wiki");
    central.application("Issue tracker");
    until("both are reviewed", || (central.api("/api/v1/alerts")["items"].as_array()?.len() == 2).then_some(()));
    let ada = Visitor::sign_in(&central, "ada", PASSWORD);
    let (_, shown) = ada.get("/alerts");
    assert!(shown.contains("Or until a time (UTC)") && shown.contains(r#"type="datetime-local""#), "{shown}");
    let typed = in_days(10);
    let post = |until: &str, days: &str| {
        let matter = [("application", application.as_str()), ("code", "not-linked"), ("subject", "")];
        let said = [("why", "an order"), ("until", until), ("days", days)];
        ada.post("/alerts/acknowledge?gravity=note", &[&matter[..], &said].concat())
    };
    for (until, days, why) in [
        ("2020-01-01T00:00", "", "A time that is to come, within a year"),
        ("2999-01-01T00:00", "", "A time that is to come, within a year"),
        ("soon", "", "such as 2026-12-24 08:00"),
        (&typed, "7", "and not both"),
    ] {
        let (status, _, said) = post(until, days);
        assert!(status == 422 && said.to_lowercase().contains(&why.to_lowercase()), "{until}: {status} {said}");
        assert!(
            said.contains(r#"<details class="more" open>"#) && said.contains("id=\"error-until-"),
            "{until}: {said}"
        );
        assert!(said.contains(r#"value="an order""#), "what was typed stays: {until}: {said}");
    }
    let is_known = |alert: &Value| alert["acknowledged"].is_object();
    let alerts = central.api("/api/v1/alerts");
    assert!(!alerts["items"].as_array().expect("a list").iter().any(is_known), "what is refused changes nothing");
    assert_eq!(post(&typed, "").1, "/alerts?gravity=note&done=acknowledged");
    let until_of = |alert: &Value| alert["acknowledged"]["until"].as_str().map(str::to_owned);
    let known = central.api("/api/v1/alerts")["items"].as_array().expect("a list").iter().find_map(until_of);
    assert!(known.is_some_and(|until| until.starts_with(&typed)));

    let time = format!("{typed}:00Z");
    let known = central.json(&["alerts", "acknowledge", "Issue tracker", "not-linked", "--until", &time]);
    assert_eq!(known["until"], time.as_str(), "the same on the command line");
}

/// A minute in some days, in UTC, as a browser sends it.
fn in_days(days: i64) -> String {
    let at = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * days);
    at.strftime("%Y-%m-%dT%H:%M").to_string()
}
