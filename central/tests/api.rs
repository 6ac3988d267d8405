//! The API of `docs/central-api.md`, over real HTTP with a token.

mod support;

use serde_json::{Value, json};
use support::{Central, Product};

fn call(central: &Central, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
    let mut response = central.request(method, path, body.as_ref());
    let status = response.status().as_u16();
    let value: Value = response.body_mut().read_json().expect("JSON, also for errors");
    if status >= 400 {
        let message = value["message"].as_str().expect("a message");
        assert!(value["code"].is_string() && !message.contains('\n'), "{value}");
    }
    (status, value)
}

fn code(central: &Central, method: &str, path: &str, body: Option<Value>) -> (u16, String) {
    let (status, value) = call(central, method, path, body);
    (status, value["code"].as_str().unwrap_or_default().to_owned())
}

#[test]
fn w1_applications_are_added_and_read_over_the_api() {
    let central = Central::started();
    let new = json!({ "name": "Company wiki", "product": "acme-wiki", "url": "https://wiki.example.org" });
    let (status, added) = call(&central, "POST", "/api/v1/applications", Some(new.clone()));
    assert_eq!(status, 201);
    let path = format!("/api/v1/applications/{}", added["id"].as_str().expect("an id"));
    assert_eq!(call(&central, "GET", &path, None), (200, added.clone()));
    let page = central.api("/api/v1/applications?limit=1");
    assert_eq!((&page["items"][0]["id"], &page["next"]), (&added["id"], &Value::Null));
    assert_eq!(code(&central, "POST", "/api/v1/applications", Some(new)), (409, "conflict".to_owned()));
    let licenses = central.api(&format!("{path}/licenses"));
    assert_eq!(licenses["troubles"][0]["code"], "not-linked");
    assert_eq!(central.api(&format!("{path}/links")), json!([]));
}

#[test]
fn a_link_is_made_and_kept_over_the_api() {
    let central = Central::started();
    let application = central.application("Company wiki");
    let (status, invite) = call(&central, "POST", "/api/v1/invites", Some(json!({})));
    assert_eq!(status, 201);
    let open = central.api("/api/v1/invites");
    assert_eq!((&open["items"][0]["id"], &open["items"][0]["expires_at"]), (&invite["id"], &invite["expires_at"]));
    let withdrawn = call(&central, "POST", "/api/v1/invites", Some(json!({ "application": application }))).1;
    let of_withdrawn = format!("/api/v1/invites/{}", withdrawn["id"].as_str().expect("an id"));
    assert_eq!(central.request("DELETE", &of_withdrawn, None).status(), 204);
    assert_eq!(code(&central, "DELETE", &of_withdrawn, None), (404, "not-found".to_owned()));
    let late = Product::new(2, withdrawn["invite"].as_str().expect("an invite")).exchange(&central);
    assert_eq!(late.refusals[0].code, "invite-unknown");
    let mut product = Product::new(1, invite["invite"].as_str().expect("an invite"));
    product.take(&product.exchange(&central));
    assert_eq!(central.api("/api/v1/invites")["items"], json!([]), "it is used");
    let used = format!("/api/v1/invites/{}", invite["id"].as_str().expect("an id"));
    assert_eq!(code(&central, "DELETE", &used, None), (409, "conflict".to_owned()));
    let path = format!("/api/v1/links/{}", product.link.clone().expect("linked"));
    assert_eq!(central.api(&path)["state"], "pending");
    assert_eq!(code(&central, "POST", &format!("{path}/suspend"), None), (409, "conflict".to_owned()));
    let approval = json!({ "application": application });
    let (status, approved) = call(&central, "POST", &format!("{path}/approve"), Some(approval));
    assert_eq!((status, &approved["state"]), (200, &json!("approved")));
    assert_eq!(approved["fingerprint"], json!(product.key.public().fingerprint()));
    let (status, set) = call(&central, "PATCH", &format!("{path}/settings"), Some(json!({ "interval": 90 })));
    assert_eq!((status, &set["settings"]["interval"]), (200, &json!(90)));
    let of_application = central.api(&format!("/api/v1/applications/{application}/links"));
    assert_eq!(of_application, json!([set]), "a link is the same wherever it is shown");
    let far = json!({ "interval": 90_000_000 });
    assert_eq!(code(&central, "PATCH", &format!("{path}/settings"), Some(far)), (400, "invalid".to_owned()));
    let chosen = format!("/api/v1/applications/{application}/link");
    assert_eq!(call(&central, "PUT", &chosen, Some(json!({ "link": null }))).1["link"], Value::Null);
    let link = json!({ "link": product.link });
    assert_eq!(call(&central, "PUT", &chosen, Some(link.clone())).1["link"], link["link"]);
    assert_eq!(call(&central, "POST", &format!("{path}/suspend"), None).1["state"], "suspended");
    assert_eq!(central.api("/api/v1/links")["items"][0]["id"], link["link"]);
}

#[test]
fn b1_the_exact_bytes_of_a_report_are_evidence() {
    let central = Central::started();
    let mut product = central.linked("Company wiki", 1);
    let sealed: Vec<String> = (1..=3).map(|users| product.report(users)).collect();
    product.send(&central, &sealed);
    let path = format!("/api/v1/links/{}/reports", product.link.clone().expect("linked"));
    let first = central.api(&format!("{path}?limit=2"));
    let rest = central.api(&format!("{path}?limit=2&after={}", first["next"].as_str().expect("there is more")));
    let numbers: Vec<_> = [&first, &rest].iter().flat_map(|page| page["items"].as_array().expect("rows")).collect();
    assert_eq!(numbers.iter().map(|row| row["sequence"].as_u64()).collect::<Vec<_>>(), [Some(3), Some(2), Some(1)]);
    assert_eq!(numbers[2]["previous"], Value::Null);
    for (place, sealed) in sealed.iter().enumerate() {
        let mut response = central.request("GET", &format!("{path}/{}", place + 1), None);
        assert_eq!(response.headers()["content-type"], "text/plain; charset=utf-8");
        assert_eq!(response.body_mut().read_to_string().expect("text"), *sealed);
    }
    for missing in ["4", "0", "-1", "x", "99999999999999999999", "%00", "1'"] {
        assert_eq!(code(&central, "GET", &format!("{path}/{missing}"), None).0, 404, "{missing}");
    }
    assert_eq!(central.api(&path.replace("reports", "refused-reports")), json!([]));
}

#[test]
fn b7_the_classes_of_accounts_add_up_over_the_api() {
    let central = Central::started();
    let mut product = central.linked("Company wiki", 1);
    let sealed = product.report(40);
    product.send(&central, &[sealed]);
    let id = central.json(&["application", "list"])[0]["id"].as_str().expect("an id").to_owned();
    let accounts = central.api(&format!("/api/v1/applications/{id}/licenses"))["counted"]["accounts"].clone();
    let classes = ["counted", "deactivated", "no_access", "never_signed_in", "service_accounts"];
    let sum: u64 = classes.iter().map(|class| accounts[class].as_u64().expect("a count")).sum();
    assert_eq!((sum, accounts["total"].as_u64(), accounts["dormant"].as_u64()), (50, Some(50), Some(20)));
}

#[test]
fn bad_input_to_the_api_is_told_and_changes_nothing() {
    let central = Central::started();
    let applications = "/api/v1/applications";
    for (body, expected) in [
        (json!({ "name": "x" }), "invalid"),
        (json!({ "name": "x", "product": "acme-wiki", "vendor": "y" }), "invalid"),
        (json!({ "name": 1, "product": "acme-wiki" }), "invalid"),
        (json!({ "name": "\u{202e}x", "product": "acme-wiki" }), "invalid"),
        (json!({ "name": "x".repeat(101), "product": "acme-wiki" }), "invalid"),
        (json!(null), "invalid"),
    ] {
        assert_eq!(code(&central, "POST", applications, Some(body.clone())), (400, expected.to_owned()), "{body}");
    }
    let (_, refused) = call(&central, "POST", applications, Some(json!({ "name": 1, "product": "acme-wiki" })));
    let reason = "the body cannot be read: name: invalid type: integer `1`, expected a string at line 1 column 9";
    assert_eq!(refused["message"], reason);
    let huge = json!({ "name": "x".repeat(70_000), "product": "acme-wiki" });
    assert_eq!(code(&central, "POST", applications, Some(huge)), (413, "too-large".to_owned()));
    assert_eq!(code(&central, "POST", applications, None), (415, "not-json".to_owned()));
    for bad in ["limit=x", "limit=-1"] {
        assert_eq!(code(&central, "GET", &format!("{applications}?{bad}"), None).0, 400, "{bad}");
    }
    assert_eq!(code(&central, "GET", &format!("{applications}?after={}", "x".repeat(1100)), None).1, "invalid-cursor");
    assert_eq!(central.api(&format!("{applications}?limit=4000000000"))["items"], json!([]));
    for missing in ["/api/v1/applications/x", "/api/v1/links/..%2f..", "/api/v1/nothing", "/api/v1/applications/%ff"] {
        assert!([400, 404].contains(&code(&central, "GET", missing, None).0), "{missing}");
    }
    assert_eq!(code(&central, "DELETE", applications, None), (405, "method-not-allowed".to_owned()));
    let allowed = central.request("DELETE", applications, None).headers()["allow"].to_str().expect("text").to_owned();
    assert!(allowed.contains("GET") && allowed.contains("POST"), "{allowed}");
    let nowhere = json!({ "application": "0123456789abcdef01234567" });
    assert_eq!(code(&central, "POST", "/api/v1/invites", Some(nowhere)), (404, "not-found".to_owned()));
}

#[test]
fn the_server_says_who_it_is_and_who_asks() {
    let central = Central::started();
    let server = central.api("/api/v1/server");
    assert_eq!((&server["signed_in"], &server["public_url"]), (&json!("ada"), &json!(central.url())));
    assert_eq!(server["fingerprint"], central.json(&["invite"])["fingerprint"]);
}
