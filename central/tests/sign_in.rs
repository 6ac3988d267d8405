//! Stories of who may look: over real HTTP, as a browser sends it.

mod support;

use support::{Central, PASSWORD, agent};
use ureq::http::header::{COOKIE, LOCATION, SET_COOKIE};
use ureq::http::{Request, Response};

/// A form as a browser sends it from this server's own page.
fn post(central: &Central, path: &str, headers: &[(&str, &str)], form: &str) -> Response<ureq::Body> {
    let mut request = Request::builder()
        .method("POST")
        .uri(format!("{}{path}", central.url()))
        .header("Content-Type", "application/x-www-form-urlencoded");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    agent().run(request.body(form.to_owned()).expect("a request")).expect("answered")
}

fn get(central: &Central, path: &str, cookie: &str) -> Response<ureq::Body> {
    agent().get(format!("{}{path}", central.url())).header(COOKIE, cookie).call().expect("answered")
}

fn header(response: &Response<ureq::Body>, name: ureq::http::HeaderName) -> String {
    response.headers().get(&name).map_or_else(String::new, |value| value.to_str().expect("text").to_owned())
}

fn form(name: &str, password: &str, next: &str) -> String {
    format!("name={name}&password={}&next={next}", password.replace(' ', "+"))
}

/// Signs in as `ada`; gives the cookie.
fn sign_in(central: &Central, headers: &[(&str, &str)]) -> String {
    let response = post(central, "/sign-in", headers, &form("ada", PASSWORD, "/applications"));
    assert_eq!((response.status().as_u16(), header(&response, LOCATION)), (303, "/applications".to_owned()));
    header(&response, SET_COOKIE).split(';').next().expect("a cookie").to_owned()
}

#[test]
fn a_session_begins_at_sign_in_and_ends_at_sign_out() {
    let central = Central::started();
    let cookie = sign_in(&central, &[]);
    assert_eq!(get(&central, "/applications", &cookie).status(), 200);
    assert_eq!(get(&central, "/api/v1/applications", &cookie).status(), 200);
    let out = post(&central, "/sign-out", &[("Cookie", &cookie)], "");
    assert_eq!(header(&out, LOCATION), "/sign-in");
    assert!(header(&out, SET_COOKIE).contains("Max-Age=0"));
    assert_eq!(get(&central, "/applications", &cookie).status(), 303, "the cookie alone is worth nothing any more");
}

#[test]
fn another_password_ends_the_sessions_and_the_old_password() {
    let central = Central::started();
    let cookie = sign_in(&central, &[]);
    central.input(&["admin", "password", "ada", "--password-stdin"], "another battery staple");
    assert_eq!(get(&central, "/applications", &cookie).status(), 303, "while the server runs");
    assert_eq!(post(&central, "/sign-in", &[], &form("ada", PASSWORD, "")).status(), 401);
    assert_eq!(post(&central, "/sign-in", &[], &form("ada", "another battery staple", "")).status(), 303);
    assert_eq!(central.api("/api/v1/server")["signed_in"], "ada", "an API token stays until it is revoked");
}

#[test]
fn the_cookie_is_for_this_server_alone_and_new_at_every_sign_in() {
    let central = Central::started();
    let response = post(&central, "/sign-in", &[], &form("ada", PASSWORD, ""));
    let set = header(&response, SET_COOKIE);
    for attribute in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=43200"] {
        assert!(set.contains(attribute), "{set}");
    }
    assert!(!set.contains("Secure"), "plain HTTP on the loopback interface: {set}");
    let first = set.split(';').next().expect("a cookie").to_owned();
    let second = sign_in(&central, &[("Cookie", &first)]);
    assert_ne!(first, second);
    assert_eq!(get(&central, "/applications", &first).status(), 303, "the session before has ended");
    assert_eq!(get(&central, "/applications", &second).status(), 200);
}

#[test]
fn a_wrong_password_and_a_wrong_name_are_told_alike_and_slowed_down() {
    let central = Central::started();
    let wrong = |name: &str| {
        let mut response = post(&central, "/sign-in", &[], &form(name, "not the password", ""));
        assert_eq!(header(&response, SET_COOKIE), "");
        (response.status().as_u16(), response.body_mut().read_to_string().expect("a page").replace(name, "NAME"))
    };
    let (status, page) = wrong("ada");
    assert_eq!(status, 401);
    assert_eq!(wrong("eve"), (401, page));
    for _ in 0..4 {
        wrong("ada");
    }
    assert_eq!(wrong("ada").0, 429);
    let right = post(&central, "/sign-in", &[], &form("ada", PASSWORD, ""));
    assert_eq!(right.status(), 429, "the right password waits as long");
    central.json(&["token", "list"]);
    let other = central.input(&["admin", "create", "bob", "--password-stdin"], PASSWORD);
    assert_eq!(other["name"], "bob");
    let bob = post(&central, "/sign-in", &[], &form("bob", PASSWORD, ""));
    assert_eq!(bob.status(), 303, "others are not held up");
}

#[test]
fn behind_a_trusted_proxy_whoever_guesses_slows_down_himself_alone() {
    let mut central = Central::started();
    let from = |central: &Central, client: &str, password: &str| {
        let forwarded = [("X-Forwarded-For", client)];
        post(central, "/sign-in", &forwarded, &form("ada", password, "")).status().as_u16()
    };
    for n in 0..5 {
        assert_eq!(from(&central, &format!("192.0.2.{n}"), "not the password"), 401);
    }
    assert_eq!(from(&central, "192.0.2.99", PASSWORD), 429, "no proxy is trusted: anybody may write the header");
    central.end();
    central.start_with(&["--proxy", "127.0.0.1"]);
    for _ in 0..5 {
        assert_eq!(from(&central, "192.0.2.1", "not the password"), 401);
    }
    assert_eq!(from(&central, "192.0.2.1", PASSWORD), 429);
    assert_eq!(from(&central, "192.0.2.2", PASSWORD), 303, "her own address has failed nothing");
}

#[test]
fn sign_in_leads_to_no_other_site() {
    let central = Central::started();
    for next in ["https%3A%2F%2Fevil.example%2F", "%2F%2Fevil.example", "%2F%5Cevil.example", "/%09/evil.example"] {
        let response = post(&central, "/sign-in", &[], &form("ada", PASSWORD, next));
        assert_eq!(header(&response, LOCATION), "/", "{next}");
    }
    let wanted = get(&central, "/applications/new?x=1", "");
    assert_eq!(header(&wanted, LOCATION), "/sign-in?next=/applications/new%3Fx%3D1");
}

#[test]
fn what_another_site_makes_a_browser_send_is_refused() {
    let central = Central::started();
    let own = central.url().to_owned();
    let cookie = sign_in(&central, &[("Sec-Fetch-Site", "same-origin"), ("Origin", &own)]);
    let add = |headers: &[(&str, &str)]| {
        let all = [&[("Cookie", cookie.as_str())], headers].concat();
        post(&central, "/applications", &all, "name=Wiki&product=acme-wiki&url=").status().as_u16()
    };
    for foreign in [
        &[("Sec-Fetch-Site", "cross-site"), ("Origin", "https://evil.example")][..],
        &[("Sec-Fetch-Site", "same-site"), ("Origin", "http://other.localhost")],
        &[("Origin", "https://evil.example")],
        &[("Origin", "null")],
    ] {
        assert_eq!(add(foreign), 403, "{foreign:?}");
    }
    assert_eq!(central.api("/api/v1/applications")["items"], serde_json::json!([]), "nothing was added");
    assert_eq!(add(&[("Sec-Fetch-Site", "same-origin"), ("Origin", &own)]), 303);
    let other = post(&central, "/sign-in", &[("Origin", "https://evil.example")], &form("ada", PASSWORD, ""));
    assert_eq!(other.status(), 403, "nobody is signed in by another site either");
    let out = post(&central, "/sign-out", &[("Cookie", &cookie), ("Sec-Fetch-Site", "cross-site")], "");
    assert_eq!(out.status(), 403);
}

#[test]
fn every_answer_tells_the_browser_to_trust_nothing_else() {
    let central = Central::started();
    for path in ["/", "/sign-in", "/healthz", "/api/v1/links", "/no/such/page", "/assets/none"] {
        let response = get(&central, path, "");
        let policy = header(&response, ureq::http::header::CONTENT_SECURITY_POLICY);
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(header(&response, ureq::http::header::X_CONTENT_TYPE_OPTIONS), "nosniff", "{path}");
    }
    let cookie = sign_in(&central, &[]);
    let page = get(&central, "/applications", &cookie);
    assert_eq!(header(&page, ureq::http::header::CACHE_CONTROL), "no-store");
}

#[test]
fn a_token_opens_the_api_alone_and_only_until_it_is_revoked() {
    let central = Central::started();
    let made = central.json(&["token", "create", "ada", "--label", "story"]);
    let (token, id) = (made["token"].as_str().expect("a token"), made["id"].as_str().expect("an id"));
    let with = |path: &str, token: &str| {
        let url = format!("{}{path}", central.url());
        let request = agent().get(url).header("Authorization", format!("Bearer {token}"));
        request.call().expect("answered").status().as_u16()
    };
    assert_eq!(with("/api/v1/applications", token), 200);
    assert_eq!(with("/applications", token), 303, "pages are for people");
    for bad in ["", "slt_", "slt_AAAA", &token[..token.len() - 1], &token.to_uppercase()] {
        assert_eq!(with("/api/v1/applications", bad), 401, "{bad}");
    }
    central.json(&["token", "revoke", id]);
    assert_eq!(with("/api/v1/applications", token), 401);
}

#[test]
fn the_first_sign_in_page_says_how_to_make_an_administrator() {
    let mut central = Central::idle();
    central.start();
    let page = get(&central, "/sign-in", "").body_mut().read_to_string().expect("a page");
    assert!(page.contains("seatline-central admin create"), "{page}");
}
