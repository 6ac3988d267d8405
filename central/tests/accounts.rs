//! Accounts on the pages and over the API (`g11`): over real HTTP, as a browser and a program send it.

mod support;

use serde_json::{Value, json};
use support::{Central, PASSWORD, agent};
use ureq::http::header::{COOKIE, LOCATION, SET_COOKIE};
use ureq::http::{Request, Response};

/// A person with a browser.
struct Person<'c> {
    central: &'c Central,
    cookie: String,
}

impl<'c> Person<'c> {
    fn sign_in(central: &'c Central, name: &str, password: &str) -> Self {
        let mut person = Self { central, cookie: String::new() };
        let response = person.form("/sign-in", &[("name", name), ("password", password)]);
        assert_eq!(response.status(), 303, "{name} signs in");
        let cookie = response.headers()[SET_COOKIE].to_str().expect("text");
        person.cookie = cookie.split(';').next().expect("a cookie").to_owned();
        person
    }

    fn ask(&self, method: &str, path: &str, content_type: &str, body: String) -> Response<ureq::Body> {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.central.url()))
            .header("Content-Type", content_type)
            .header("User-Agent", "Story/1.0")
            .header("Referer", format!("{}/administration/users/new", self.central.url()))
            .header(COOKIE, &self.cookie);
        agent().run(request.body(body).expect("a request")).expect("answered")
    }

    fn form(&self, path: &str, fields: &[(&str, &str)]) -> Response<ureq::Body> {
        let body: Vec<String> =
            fields.iter().map(|(name, value)| format!("{name}={}", value.replace(' ', "+"))).collect();
        self.ask("POST", path, "application/x-www-form-urlencoded", body.join("&"))
    }

    fn page(&self, path: &str) -> (u16, String) {
        let mut response = agent().get(format!("{}{path}", self.central.url())).header(COOKIE, &self.cookie).call();
        let response = response.as_mut().expect("answered");
        (response.status().as_u16(), response.body_mut().read_to_string().expect("text"))
    }

    fn api(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let mut response = self.ask(method, path, "application/json", body.to_string());
        let body = response.body_mut().read_to_string().expect("text");
        (response.status().as_u16(), serde_json::from_str(&body).unwrap_or(Value::Null))
    }

    fn confirm(&self, password: &str) -> u16 {
        self.form("/confirm?next=/account", &[("confirm-password", password)]).status().as_u16()
    }
}

fn location(response: &Response<ureq::Body>) -> &str {
    response.headers().get(LOCATION).map_or("", |value| value.to_str().expect("text"))
}

/// The text between two others.
fn between<'p>(page: &'p str, begin: &str, end: &str) -> &'p str {
    let from = page.split_once(begin).unwrap_or_else(|| panic!("{begin} in {page}")).1;
    from.split_once(end).unwrap_or_else(|| panic!("{end} in {page}")).0
}

#[test]
fn c2_users_are_changed_after_the_password_was_confirmed() {
    let central = Central::started();
    let ada = Person::sign_in(&central, "ada", PASSWORD);
    let new = [("name", "vic"), ("role", "viewer")];
    let asked = ada.ask("GET", "/administration/users/new", "text/plain", String::new());
    assert_eq!((asked.status().as_u16(), location(&asked)), (303, "/confirm?next=/administration/users/new"));
    let mut refused = ada.form("/administration/users", &new);
    assert_eq!(refused.status(), 403);
    let page = refused.body_mut().read_to_string().expect("text");
    assert!(
        page.contains("action=\"/confirm?next=/administration/users/new\""),
        "back to where the form stands: {page}"
    );
    assert_eq!(ada.api("POST", "/api/v1/users", &json!({})).1["code"], "confirm-password");

    assert_eq!(ada.confirm("not the password"), 403);
    assert_eq!(ada.confirm(PASSWORD), 303);
    assert!(ada.page("/administration/users").1.contains("Secure session until"));
    let mut added = ada.form("/administration/users", &new);
    assert_eq!(added.status(), 200);
    let page = added.body_mut().read_to_string().expect("text");
    let password = between(&page, "aria-label=\"Password\">", "</pre>");
    let vic = Person::sign_in(&central, "vic", password);
    assert_eq!(vic.page("/administration/users").0, 403);
    assert!(!vic.page("/applications").1.contains("/administration"), "what is not for him is not shown");
    assert_eq!(vic.form("/applications", &[("name", "Wiki"), ("product", "acme-wiki")]).status(), 403);

    assert_eq!(ada.form("/administration/users", &[("name", "vic"), ("role", "viewer")]).status(), 409);
    assert_eq!(ada.form("/administration/users", &[("name", "a b"), ("role", "viewer")]).status(), 422);
    assert_eq!(ada.form("/administration/users", &[("name", "eve"), ("role", "owner")]).status(), 422);
    assert_eq!(ada.form("/confirm/end", &[]).status(), 303);
    assert_eq!(ada.form("/administration/users/vic/role", &[("role", "operator")]).status(), 403, "it is ended");
}

#[test]
fn g11_an_administrator_changes_others_and_never_himself() {
    let central = Central::started();
    central.input(&["user", "add", "vic", "--role", "viewer", "--password-stdin"], PASSWORD);
    let (ada, vic) = (Person::sign_in(&central, "ada", PASSWORD), Person::sign_in(&central, "vic", PASSWORD));
    assert_eq!(ada.confirm(PASSWORD), 303);
    assert_eq!(ada.form("/administration/users/vic/role", &[("role", "operator")]).status(), 303);
    assert_eq!(
        vic.form("/applications", &[("name", "Wiki"), ("product", "acme-wiki"), ("url", "")]).status(),
        303,
        "at once"
    );
    assert_eq!(ada.form("/administration/users/vic/role", &[("role", "viewer")]).status(), 303);
    let chat = [("name", "Chat"), ("product", "acme-chat"), ("url", "")];
    assert_eq!(
        vic.form("/applications", &chat).status(),
        403,
        "what is taken from him too, in the session that he has"
    );
    for (path, field) in [("role", ("role", "viewer")), ("remove", ("", ""))] {
        let refused = ada.form(&format!("/administration/users/ada/{path}"), &[field]);
        assert_eq!(refused.status(), 409, "{path}");
    }
    assert_eq!(ada.api("PATCH", "/api/v1/users/ada", &json!({"role": "viewer"})).1["code"], "own-account");
    assert_eq!(ada.api("DELETE", "/api/v1/users/ada", &json!({})).1["code"], "own-account");
    let listed = ada.api("GET", "/api/v1/users/vic/sessions", &json!({})).1;
    assert_eq!((&listed[0]["browser"], &listed[0]["address"]), (&json!("Story/1.0"), &json!("127.0.0.1")));
    assert_eq!(ada.form("/administration/users/vic/end-sessions", &[]).status(), 303);
    assert_eq!(vic.page("/applications").0, 303, "his session is ended");
    let vic = Person::sign_in(&central, "vic", PASSWORD);
    assert_eq!(ada.form("/administration/users/vic/password", &[]).status(), 200);
    assert_eq!(vic.page("/applications").0, 303, "another password ends them too");
    assert_eq!(ada.form("/administration/users/vic/remove", &[]).status(), 303);
    assert_eq!(ada.page("/administration/users/vic").0, 404);
    let program = |method: &str, path: &str, body: Value| {
        let mut answer = central.request(method, path, Some(&body));
        (answer.status().as_u16(), answer.body_mut().read_to_string().expect("text"))
    };
    let eve = json!({"name": "eve", "role": "viewer", "password": PASSWORD});
    assert_eq!(program("POST", "/api/v1/users", eve).0, 201, "a token needs no confirmation");
    assert_eq!(program("PUT", "/api/v1/users/eve/password", json!({"password": "short"})).0, 400);
    assert_eq!(program("PUT", "/api/v1/users/eve/password", json!({"password": "another battery staple"})).0, 204);
    assert_eq!(program("PATCH", "/api/v1/users/eve", json!({"role": "operator"})).0, 200);
    assert!(program("DELETE", "/api/v1/users/ada", json!({})).1.contains("own-account"), "nor by her own token");
    assert_eq!(program("DELETE", "/api/v1/users/eve", json!({})).0, 204);
    assert!(program("POST", "/api/v1/account/tokens", json!({})).1.contains("session-needed"));
}

#[test]
fn whoever_tries_passwords_over_the_api_waits() {
    let central = Central::started();
    let ada = Person::sign_in(&central, "ada", PASSWORD);
    let confirm = |password: &str| ada.api("POST", "/api/v1/account/confirm", &json!({"password": password}));
    for _ in 0..5 {
        assert_eq!(confirm("wrong").1["code"], "wrong-password");
    }
    let (status, refused) = confirm(PASSWORD);
    assert_eq!(
        (status, &refused["code"]),
        (429, &json!("too-many-attempts")),
        "the right one waits as long: {refused}"
    );
}

#[test]
fn g11_everybody_sees_and_ends_his_own_sessions_and_tokens() {
    let central = Central::started();
    central.input(&["user", "add", "vic", "--role", "viewer", "--password-stdin"], PASSWORD);
    let (here, there) = (Person::sign_in(&central, "vic", PASSWORD), Person::sign_in(&central, "vic", PASSWORD));
    let page = here.page("/account").1;
    assert_eq!((page.matches("Story/1.0").count(), page.matches("(this one)").count()), (2, 1));
    let id = between(&page, "/account/sessions/", "/end\"").to_owned();
    let ada = Person::sign_in(&central, "ada", PASSWORD);
    ada.form(&format!("/account/sessions/{id}/end"), &[]);
    assert_eq!(there.page("/account").0, 200, "nobody ends another's");
    assert_eq!(here.form(&format!("/account/sessions/{id}/end"), &[]).status(), 303);
    assert_eq!((there.page("/account").0, here.page("/account").0), (303, 200));
    let (more, another) = (Person::sign_in(&central, "vic", PASSWORD), Person::sign_in(&central, "vic", PASSWORD));
    assert_eq!(here.form("/account/sessions/end-others", &[]).status(), 303);
    assert_eq!((more.page("/account").0, another.page("/account").0, here.page("/account").0), (303, 303, 200));

    assert_eq!(here.api("POST", "/api/v1/account/confirm", &json!({"password": "wrong"})).1["code"], "wrong-password");
    assert_eq!(here.api("POST", "/api/v1/account/confirm", &json!({"password": PASSWORD})).0, 200);
    let wanted = |scope: &str| json!({"label": "story", "scopes": [scope], "days": 1});
    assert_eq!(here.api("POST", "/api/v1/account/tokens", &wanted("operate")).1["code"], "invalid", "he is a viewer");
    let (status, made) = here.api("POST", "/api/v1/account/tokens", &wanted("reports:read"));
    assert_eq!((status, &made["scopes"]), (201, &json!(["reports:read"])));
    let sent = [("label", "form"), ("area", ""), ("right", "read"), ("days", "30")];
    let mut shown = here.form("/account/tokens", &sent);
    assert!(shown.body_mut().read_to_string().expect("text").contains("slt_"));
    let page = here.page("/account").1;
    assert!(page.contains("reports:read") && !page.contains("slt_"), "{page}");
    assert_eq!(
        here.form(&format!("/account/tokens/{}/revoke", made["id"].as_str().expect("an id")), &[]).status(),
        303
    );
    assert!(!here.page("/account").1.contains("reports:read"));
}

#[test]
fn a_password_is_changed_by_the_present_one_and_guessing_it_is_slowed_down() {
    let central = Central::started();
    let (here, there) = (Person::sign_in(&central, "ada", PASSWORD), Person::sign_in(&central, "ada", PASSWORD));
    let change = |old: &str, new: &str| here.form("/account/password", &[("old", old), ("new", new)]).status().as_u16();
    assert_eq!(change(PASSWORD, "short"), 422);
    assert_eq!(change("not the password", "another battery staple"), 403);
    assert_eq!(change(PASSWORD, "another battery staple"), 303);
    assert_eq!((here.page("/account").0, there.page("/account").0), (200, 303), "other sessions are ended");
    for _ in 0..5 {
        assert_eq!(change(PASSWORD, "yet another staple"), 403);
    }
    assert_eq!(change("another battery staple", "yet another staple"), 429);
    assert_eq!(here.confirm("another battery staple"), 429, "nor is there a way around by the confirmation");
}

#[test]
fn a_confirmation_leads_to_no_other_site() {
    let central = Central::started();
    let ada = Person::sign_in(&central, "ada", PASSWORD);
    for next in ["https%3A%2F%2Fevil.example%2F", "%2F%2Fevil.example", "%2F%5Cevil.example", "/%09/evil.example"] {
        let path = format!("/confirm?next={next}");
        let asked = ada.page(&path).1;
        assert!(!asked.contains("evil.example"), "{next}: {asked}");
        assert_eq!(location(&ada.form(&path, &[("confirm-password", PASSWORD)])), "/", "{next}");
        let confirmed = ada.ask("GET", &path, "text/plain", String::new());
        assert_eq!((confirmed.status().as_u16(), location(&confirmed)), (303, "/"), "{next}, confirmed already");
        ada.form("/confirm/end", &[]);
    }
}

#[test]
fn a_session_that_was_planted_before_the_sign_in_is_worth_nothing() {
    let central = Central::started();
    let planted = format!("seatline-central={}", "A".repeat(43));
    let mut person = Person { central: &central, cookie: planted.clone() };
    let response = person.form("/sign-in", &[("name", "ada"), ("password", PASSWORD)]);
    let cookie = response.headers()[SET_COOKIE].to_str().expect("text").split(';').next().expect("a cookie").to_owned();
    assert_ne!(cookie, planted);
    assert_eq!(person.page("/account").0, 303, "the planted one is nobody's");
    person.cookie = cookie;
    assert_eq!(person.page("/account").0, 200);
}

#[test]
fn g11_a_list_tells_only_of_what_was_done() {
    let central = Central::started();
    let ada = Person::sign_in(&central, "ada", PASSWORD);
    for (list, done, told) in [
        ("/administration/tokens", "revoked", "The token is revoked."),
        ("/administration/users", "removed", "The user is removed."),
    ] {
        assert!(ada.page(&format!("{list}?done={done}")).1.contains(told), "{list}");
        assert!(!ada.page(&format!("{list}?done=nonsense")).1.contains(told), "{list}");
    }
}

#[test]
fn g11_the_audit_log_tells_who_what_when_and_from_where() {
    let central = Central::started();
    let ada = Person::sign_in(&central, "ada", PASSWORD);
    ada.form("/applications", &[("name", "=Wiki"), ("product", "acme-wiki"), ("url", "")]);
    central.request("POST", "/api/v1/invites", Some(&json!({})));
    let entries = central.api("/api/v1/audit")["items"].clone();
    let told: Vec<(&str, &str, &str)> = entries
        .as_array()
        .expect("a list")
        .iter()
        .map(|entry| {
            let text = |name: &str| entry[name].as_str().unwrap_or_default();
            (text("action"), text("actor_kind"), text("address"))
        })
        .collect();
    let expected = [
        ("invite.make", "token", "127.0.0.1"),
        ("application.add", "person", "127.0.0.1"),
        ("session.begin", "person", "127.0.0.1"),
        ("token.create", "command-line", ""),
        ("account.add", "command-line", ""),
    ];
    assert_eq!(told, expected, "the newest first");
    assert_eq!((&entries[1]["actor"], &entries[1]["after"]["name"]), (&json!("ada"), &json!("=Wiki")));
    assert_eq!(entries[0]["token"], entries[3]["object"]["id"], "the token names itself");
    let first = central.api("/api/v1/audit?limit=2");
    let rest = central.api(&format!("/api/v1/audit?after={}", first["next"].as_str().expect("more")));
    assert_eq!((first["items"].as_array().map(Vec::len), rest["items"].as_array().map(Vec::len)), (Some(2), Some(3)));
    assert_eq!(central.api("/api/v1/audit?kind=application")["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(central.api("/api/v1/audit.json"), entries, "the whole of it in one file");
    let mut csv = central.request("GET", "/api/v1/audit.csv?actor=ada", None);
    let csv = csv.body_mut().read_to_string().expect("text");
    assert_eq!(csv.lines().count(), 4, "a head and what ada did: {csv}");
    assert!(csv.contains(",'=Wiki,"), "no cell is a formula: {csv}");
    let page = ada.page("/administration/audit").1;
    assert!(page.contains("application.add") && page.contains("command line") && page.contains("127.0.0.1"), "{page}");
    let (status, page) = ada.page("/administration/audit?actor=nobody&kind=&object=");
    assert!(status == 200 && page.contains("There is no entry of this kind"), "{page}");
    assert_eq!(central.request("GET", "/api/v1/audit?from=yesterday", None).status(), 400);
    let unknown = central.request("GET", "/api/v1/audit?kind=applications", None);
    assert_eq!(unknown.status(), 400, "a kind that no entry has is no empty list");
}
