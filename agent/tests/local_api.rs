//! The local API beside a product (`g7`), over real HTTP.

mod support;

use serde_json::{Value, json};
use support::api::Api;
use support::http::{Answer, get, send};
use support::wait::until;

/// Asks again and again until the answer is as it is to be.
fn wait_until(ask: impl Fn() -> Answer, is_so: impl Fn(&Answer) -> bool) -> Answer {
    until("another answer", || Some(ask()).filter(&is_so))
}

#[test]
fn g7_s8_s9_a_feature_is_answered_and_a_license_that_is_set_switches_it_at_once() {
    let api = Api::start();
    let feature = || api.json("/v1/features/sso");
    assert_eq!(feature(), json!({ "feature": "sso", "enabled": false, "verdict": "unlicensed" }));
    let key = api.agent.issue(&["--kind", "commercial", "--id", "L-1", "--feature", "sso", "--feature", "audit"]);
    let set = api.post("/v1/licenses", &json!({ "key": key }));
    assert_eq!(set.status, 200, "{set:?}");
    assert_eq!((&set.json()["license"]["id"], &set.json()["was_set"]), (&"L-1".into(), &false.into()));
    assert_eq!(feature(), json!({ "feature": "sso", "enabled": true, "verdict": "licensed" }));
    assert_eq!(api.json("/v1/features")["features"], json!(["audit", "sso"]));
    assert_eq!(api.post("/v1/licenses", &json!({ "key": key })).json()["was_set"], true);
    assert_eq!(api.json("/v1/standing")["standing"]["governed_by"], "L-1");
}

#[test]
fn s9_a_license_that_another_process_sets_switches_features_without_a_restart() {
    let api = Api::start();
    let key = api.agent.issue(&["--kind", "commercial", "--feature", "sso"]);
    api.agent.run(&["license", "set", &key]).ok();
    wait_until(|| api.get("/v1/features/sso"), |answer| answer.json()["enabled"] == true);
}

#[test]
fn g2_a_key_as_it_was_pasted_is_taken_as_plain_text() {
    let api = Api::start();
    let key = api.agent.issue(&["--kind", "commercial", "--id", "L-1"]);
    let mail = format!(
        "> -----BEGIN LICENSE-----\n> {}\n> -----END LICENSE-----\n",
        key.split_at(40).0.to_owned() + "\n> " + key.split_at(40).1
    );
    let bearer = format!("Bearer {}", api.admin);
    let headers = [("Authorization", bearer.as_str()), ("Content-Type", "text/plain; charset=utf-8")];
    let set = send(&api.address, "POST", "/v1/licenses", &headers, &mail);
    assert_eq!(set.status, 200, "{set:?}");
    assert_eq!(api.json("/v1/licenses")["keys"][0]["license"]["id"], "L-1");
}

#[test]
fn c1_a_key_that_is_refused_says_why_and_changes_nothing() {
    let api = Api::start();
    let good = api.agent.issue(&["--kind", "commercial", "--id", "GOOD"]);
    api.post("/v1/licenses", &json!({ "key": good }));
    let other = api.agent.issue(&["--kind", "commercial", "--product", "other-product"]);
    let cases = [
        (other, "wrong-product"),
        (good[..good.len() - 20].to_owned(), "truncated"),
        (String::new(), "empty"),
        ("hello".to_owned(), "not-a-document"),
    ];
    for (key, code) in cases {
        let refused = api.post("/v1/licenses", &json!({ "key": key }));
        assert_eq!(refused.refused(422), code, "{refused:?}");
    }
    let keys = api.json("/v1/licenses")["keys"].as_array().expect("keys").len();
    assert_eq!((keys, &api.json("/v1/standing")["standing"]["governed_by"]), (1, &"GOOD".into()));
}

#[test]
fn c8_a_key_is_set_for_one_node() {
    let api = Api::start();
    let key = api.agent.issue(&["--kind", "commercial", "--mode", "node", "--id", "N-1"]);
    let sent = |node: &str| json!({ "key": key, "node": node });
    assert_eq!(api.post("/v1/licenses/preview", &sent("main")).status, 200);
    assert_eq!(api.post("/v1/licenses", &sent("main\n")).status, 422);
    assert_eq!(api.post("/v1/licenses", &sent("main")).status, 200);
    assert_eq!(api.json("/v1/licenses")["keys"][0]["nodes"], json!(["main"]));
}

#[test]
fn b3_what_a_key_would_change_is_shown_and_not_done() {
    let api = Api::start();
    let key = api.agent.issue(&["--kind", "commercial", "--limit", "users=2", "--feature", "sso"]);
    let preview = api.post("/v1/licenses/preview", &json!({ "key": key }));
    assert_eq!(preview.status, 200, "{preview:?}");
    let preview = preview.json();
    assert_eq!(preview["features_gained"], json!(["sso"]));
    assert_eq!(preview["warnings"][0]["code"], "below-count", "four are counted: {preview}");
    assert_eq!(api.json("/v1/features")["features"], json!([]));
    assert_eq!(api.json("/v1/licenses")["keys"], json!([]));
}

#[test]
fn a6_whether_there_may_be_more_is_answered_by_each_limits_behaviour() {
    let api = Api::start();
    let key = api.agent.issue(&["--kind", "commercial", "--limit", "users=4", "--limit", "pages=20:refuse"]);
    api.post("/v1/licenses", &json!({ "key": key }));
    let check = |dimension: &str, body: Value| {
        let answer = api.send(&api.reader, "POST", &format!("/v1/limits/{dimension}/check"), Some(&body));
        assert_eq!(answer.status, 200, "{answer:?}");
        let answer = answer.json();
        (answer["allowed"].as_bool().expect("a decision"), answer["code"].as_str().expect("a code").to_owned())
    };
    assert_eq!(check("pages", json!({ "additional": 1 })), (true, "near".to_owned()), "17 are counted");
    assert_eq!(check("pages", json!({ "additional": 4 })), (false, "refused".to_owned()));
    assert_eq!(check("pages", json!({ "used": 3, "additional": 4 })), (true, "within".to_owned()));
    assert!(check("users", json!({ "additional": 1 })).0, "users can be made without limit");
    assert_eq!(check("workers", json!({})), (true, "not-limited".to_owned()));
    let limits = api.json("/v1/limits");
    assert_eq!((&limits["limits"][0]["used"], &limits["limits"][0]["max"]), (&4.into(), &4.into()), "{limits}");
    assert!(limits.get("add_ons").is_none(), "{limits}");

    let add_on = ["--kind", "commercial", "--product", "acme-draw", "--add-on-of", "acme-wiki", "--limit", "pages=9"];
    api.post("/v1/licenses", &json!({ "key": api.agent.issue(&add_on) }));
    let limits = api.json("/v1/limits");
    let of_add_on = &limits["add_ons"][0];
    assert_eq!((&of_add_on["product"], &of_add_on["limits"][0]["max"]), (&"acme-draw".into(), &9.into()), "{limits}");
}

#[test]
fn a4_banners_are_answered_as_data_and_as_a_piece_of_html() {
    let api = Api::start();
    let licensee_of_an_attacker = ["--kind", "commercial", "--limit", "users=3:restrict"];
    api.post("/v1/licenses", &json!({ "key": api.agent.issue(&licensee_of_an_attacker) }));
    let banner = &api.json("/v1/banners")["banners"][0];
    assert_eq!((&banner["level"], &banner["dimension"]), (&"error".into(), &"users".into()), "{banner}");
    let html = api.get("/v1/banners.html");
    assert_eq!(html.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(html.body.starts_with(r#"<div class="seatline-banner seatline-banner-error" role="alert">"#), "{html:?}");
    assert!(html.body.contains(banner["text"].as_str().expect("a text")), "{html:?}");
}

#[test]
fn w6_a_synchronisation_is_begun_from_here_and_tells_how_it_ended() {
    let api = Api::start();
    assert_eq!(api.json("/v1/sync"), json!({ "running": false }));
    let begun = api.post("/v1/sync", &json!({}));
    assert_eq!(begun.status, 202, "{begun:?}");
    let ended = wait_until(|| api.get("/v1/sync"), |answer| answer.json()["running"] == false);
    assert_eq!(ended.json()["last"]["problems"], json!([]), "{ended:?}");
    let status = api.json("/v1/status");
    assert_eq!((&status["last_run"]["trigger"], &status["last_run"]["counts"]["users"]), (&"demand".into(), &4.into()));
    assert_eq!(api.json("/v1/product")["id"], "acme-wiki");
}

#[test]
fn nothing_is_answered_without_a_token_and_nothing_changed_without_the_role() {
    let api = Api::start();
    for path in ["/v1/features/sso", "/v1/status", "/v1/no-such-route", "/v1/"] {
        assert_eq!(get(&api.address, path).refused(401), "unauthorised", "{path}");
    }
    assert_eq!(api.get("/v1/no-such-route").refused(404), "not-found");
    for (path, body) in [("/v1/licenses", json!({ "key": "x" })), ("/v1/sync", json!({}))] {
        assert_eq!(api.send(&api.reader, "POST", path, Some(&body)).refused(403), "forbidden", "{path}");
    }
    assert_eq!(api.send(&api.reader, "DELETE", "/v1/licenses", None).refused(405), "method-not-allowed");
}

#[test]
fn a_token_counts_from_its_creation_until_it_is_revoked() {
    let api = Api::start();
    let late = api.agent.token("late", "read");
    assert_eq!(api.send(&late, "GET", "/v1/features", None).status, 200, "a new one counts at once");
    let revoked = api.agent.run(&["token", "revoke", "late", "--json"]).json();
    assert_eq!(revoked["revoked"]["name"], "late");
    wait_until(|| api.send(&late, "GET", "/v1/features", None), |answer| answer.status == 401);
    assert_eq!(api.get("/v1/features").status, 200, "the others stay");
}

#[test]
fn wrong_tokens_that_come_at_once_are_slowed_down_like_those_that_come_one_by_one() {
    let api = Api::start();
    let guess = || send(&api.address, "GET", "/v1/status", &[("Authorization", "Bearer sla_wrong")], "").status;
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let guesses: Vec<_> = (0..40).map(|_| scope.spawn(guess)).collect();
        guesses.into_iter().map(|guess| guess.join().expect("an answer")).collect()
    });
    let refused = statuses.iter().filter(|status| **status == 401).count();
    let throttled = statuses.iter().filter(|status| **status == 429).count();
    assert!(refused < 10 && refused + throttled == 40, "{statuses:?}");
    assert_eq!(api.get("/v1/status").status, 200, "nobody else waits");
}

#[test]
fn whoever_tries_many_wrong_tokens_has_to_wait_and_nobody_else() {
    let api = Api::start();
    let mut refused: Vec<Answer> = Vec::new();
    while refused.last().is_none_or(|answer| answer.status == 401) {
        refused.push(api.send("sla_wrong", "GET", "/v1/features", None));
        assert!(refused.len() < 20, "{refused:?}");
    }
    let last = refused.last().expect("an answer");
    assert_eq!(last.refused(429), "throttled");
    assert!(last.header("retry-after").is_some_and(|seconds| seconds.parse::<u64>().is_ok()), "{last:?}");
    assert!(refused.len() > 3, "a mistake or two are free of any wait");
    assert_eq!(api.get("/v1/features").status, 200, "a right token is not slowed down");
}

#[test]
fn what_is_malformed_is_refused_with_a_reason() {
    let api = Api::start();
    let check = "/v1/limits/users/check";
    for body in [json!({ "additional": -1 }), json!({ "additional": "1" }), json!({ "more": 1 }), json!([]), json!(1)] {
        assert_eq!(api.post(check, &body).refused(400), "invalid", "{body}");
    }
    for dimension in ["Users", "a%20b", "%00", &"x".repeat(200)] {
        let answer = api.post(&format!("/v1/limits/{dimension}/check"), &json!({ "additional": 1 }));
        assert_eq!(answer.refused(400), "invalid", "{dimension}");
    }
    for feature in ["%FF", "a%0Ab", "%C3%A9", &"x".repeat(200)] {
        assert_eq!(api.get(&format!("/v1/features/{feature}")).refused(400), "invalid", "{feature}");
    }
    let bearer = format!("Bearer {}", api.admin);
    let post = |headers: &[(&str, &str)], body: &str| {
        send(&api.address, "POST", "/v1/licenses", &[&[("Authorization", bearer.as_str())], headers].concat(), body)
    };
    assert_eq!(post(&[], "{}").refused(415), "not-json");
    assert_eq!(post(&[("Content-Type", "application/json")], "{").refused(400), "invalid");
    assert_eq!(post(&[("Content-Type", "application/json")], "{\"key\":1}").refused(400), "invalid");
    assert_eq!(post(&[("Content-Type", "text/plain")], "x").refused(422), "not-a-document");
    let large = "x".repeat(300 * 1024);
    assert_eq!(
        post(&[("Content-Type", "application/json")], &json!({ "key": large }).to_string()).refused(413),
        "too-large"
    );
    assert_eq!(post(&[("Content-Type", "text/plain")], &large).refused(413), "too-large");
}

#[test]
fn g3_a_state_that_cannot_be_read_leaves_the_last_good_answers_and_says_so() {
    let api = Api::start();
    let key = api.agent.issue(&["--kind", "commercial", "--feature", "sso"]);
    api.post("/v1/licenses", &json!({ "key": key }));
    for slot in ["licenses", "api-tokens"] {
        std::fs::write(api.agent.path(&format!("state/{slot}.json")), "rubbish").expect("damage");
    }
    let standing = wait_until(|| api.get("/v1/standing"), |answer| answer.json().get("problem").is_some());
    assert_eq!(standing.json()["problem"]["code"], "store-damaged");
    assert_eq!(api.json("/v1/features/sso")["enabled"], true);
    assert_eq!(api.get("/v1/licenses").refused(503), "store-damaged");
    assert_eq!(get(&api.address, "/healthz").refused(503), "store-damaged");
}
