//! What an administrator does on the pages, through the real router over a real database.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use seatline_protocol::pairing::Secret;
use seatline_protocol::{Digest, LinkId, SecretKey, seal};
use seatline_web::Peer;
use seatline_web::address::escape;
use tempfile::TempDir;
use tower::ServiceExt as _;

use super::world;
use crate::central::Central;
use crate::domain::{Actor, Application, Clock, Incoming, LinkState, Redeemed, Redemption, Role, TokenHash};
use crate::keyring::Keyring;
use crate::server::{App, router};
use crate::store::sql::SqlStore;

/// Who does what the stories begin with.
pub(super) fn story() -> Actor {
    Actor::command_line("story")
}

const PASSWORD: &str = "correct horse battery staple";

/// A central server with the administrator `ada`, and her browser.
pub(super) struct Browser {
    _dir: TempDir,
    pub(super) central: Central,
    router: Router,
    cookie: String,
}

/// An answer.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) location: String,
    cookie: String,
    pub(super) content_type: String,
    pub(super) body: String,
}

impl Browser {
    async fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let store = Arc::new(SqlStore::sqlite(&dir.path().join("central.db")).expect("a store"));
        let keys = Keyring::new(SecretKey::from_seed(&[1; 32]), Secret::from_bytes([2; 32]));
        let central =
            Central::open(store, keys, Clock::new(world::now), "Example Organisation", "https://central.example")
                .await
                .expect("a central server");
        central.add_account(&story(), "ada", Role::Administrator, PASSWORD).await.expect("an administrator");
        central.add_account(&story(), "otto", Role::Operator, PASSWORD).await.expect("an operator");
        central.add_account(&story(), "vic", Role::Viewer, PASSWORD).await.expect("a viewer");
        let router = router(App::new(central.clone()).expect("an app")).expect("a router");
        Self { _dir: dir, central, router, cookie: String::new() }
    }

    pub(super) async fn signed_in() -> Self {
        let mut browser = Self::new().await;
        browser.sign_in("Ada").await;
        browser
    }

    /// Signs in as another: `ada`, `otto` the operator, or `vic` the viewer.
    pub(super) async fn sign_in(&mut self, name: &str) {
        let answer = self.post("/sign-in", &[("name", name), ("password", PASSWORD)]).await;
        self.cookie = answer.cookie.split(';').next().unwrap_or_default().to_owned();
    }

    /// Confirms the password, for what asks for it.
    pub(super) async fn confirm(&self) {
        let answer = self.post("/confirm?next=/", &[("confirm-password", PASSWORD)]).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    }

    /// Brings a report of the application's link, whose key is `key`.
    pub(super) async fn report(&self, link: &LinkId, key: &SecretKey) -> String {
        self.numbered_report(link, key, 1, 4180).await
    }

    /// As [`Self::report`], with its place in the chain and the users that it counted.
    pub(super) async fn numbered_report(&self, link: &LinkId, key: &SecretKey, number: u64, users: u64) -> String {
        let mut report = world::counted(number, world::collected(users, &[world::license()])).report;
        report.link = link.clone();
        let sealed = seal::seal(&report, key).expect("sealed");
        let incoming = Incoming {
            digest: Digest::of(sealed.as_bytes()),
            sealed: sealed.clone(),
            entry: report.into(),
            key: key.public().id(),
        };
        self.central.store().admit(link, vec![incoming], self.central.now()).await.expect("admitted");
        sealed
    }

    async fn ask(&self, mut request: Request<Body>) -> Answer {
        request.extensions_mut().insert(Peer("127.0.0.1".parse().expect("an address")));
        let (parts, body) = self.router.clone().oneshot(request).await.expect("an answer").into_parts();
        let header = |name| {
            let value = parts.headers.get(name).and_then(|value| value.to_str().ok());
            value.unwrap_or_default().to_owned()
        };
        let (status, location) = (parts.status, header(header::LOCATION));
        let (cookie, content_type) = (header(header::SET_COOKIE), header(header::CONTENT_TYPE));
        let body = to_bytes(body, 1024 * 1024).await.expect("a body");
        let body = String::from_utf8(body.to_vec()).expect("text");
        Answer { status, location, cookie, content_type, body }
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        let request = Request::get(path).header(header::COOKIE, &self.cookie);
        self.ask(request.body(Body::empty()).expect("a request")).await
    }

    pub(super) async fn post(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        self.post_from("same-origin", path, form).await
    }

    async fn post_from(&self, site: &str, path: &str, form: &[(&str, &str)]) -> Answer {
        let pairs: Vec<String> = form.iter().map(|(name, value)| format!("{name}={}", escape(value))).collect();
        let request = Request::post(path)
            .header(header::COOKIE, &self.cookie)
            .header("sec-fetch-site", site)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.ask(request.body(Body::from(pairs.join("&"))).expect("a request")).await
    }

    /// Adds the application that [`world`] knows.
    pub(super) async fn application(&self) -> Application {
        self.central
            .add_application(&story(), "Company wiki", "acme-wiki", "https://wiki.example.org")
            .await
            .expect("added")
    }

    /// Links a product whose key is `key`, by an invite for `application` or for none.
    pub(super) async fn link(&self, key: &SecretKey, application: Option<&Application>) -> LinkId {
        let made = self.central.make_invite(&story(), application.map(|found| &found.id)).await.expect("an invite");
        let keys = [self.central.public_key()];
        let invite: seatline_protocol::Invite = seal::open(&made.invite, &keys).expect("its own seal");
        let redemption = Redemption {
            secret: TokenHash::of(invite.secret.expose()),
            key: key.public(),
            product: world::product(),
            link: LinkId::from_random(*key.public().as_bytes().first_chunk().expect("32 bytes")),
            now: self.central.now(),
        };
        match self.central.store().redeem(&redemption).await.expect("redeemed") {
            Redeemed::Link(link) => link.id,
            other => unreachable!("the invite is new: {other:?}"),
        }
    }
}

#[tokio::test]
async fn nobody_sees_a_page_without_signing_in_and_is_led_back_after_it() {
    let browser = Browser::new().await;
    let turned_away = browser.get("/applications/new").await;
    assert_eq!(
        (turned_away.status, turned_away.location.as_str()),
        (StatusCode::SEE_OTHER, "/sign-in?next=/applications/new")
    );
    let wrong =
        browser.post("/sign-in", &[("name", "ada"), ("password", "guessed"), ("next", "/applications/new")]).await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    assert!(
        wrong.body.contains("value=\"ada\"") && wrong.body.contains("value=\"/applications/new\""),
        "{}",
        wrong.body
    );
    assert!(
        wrong.body.contains("The name or the password is wrong.") && !wrong.body.contains("guessed"),
        "{}",
        wrong.body
    );
    let form = [("name", "ada"), ("password", PASSWORD), ("next", "/applications/new")];
    let right = browser.post("/sign-in", &form).await;
    assert_eq!((right.status, right.location.as_str()), (StatusCode::SEE_OTHER, "/applications/new"));
}

#[tokio::test]
async fn guesses_that_come_at_once_are_slowed_down_as_those_one_after_the_other() {
    let browser = Arc::new(Browser::new().await);
    let mut guesses = tokio::task::JoinSet::new();
    for n in 0..20 {
        let browser = Arc::clone(&browser);
        guesses.spawn(async move {
            let password = format!("guess number {n}");
            browser.post("/sign-in", &[("name", "ada"), ("password", &password)]).await.status
        });
    }
    let answers = guesses.join_all().await;
    let checked = answers.iter().filter(|status| **status == StatusCode::UNAUTHORIZED).count();
    let refused = answers.iter().filter(|status| **status == StatusCode::TOO_MANY_REQUESTS).count();
    // Four are free, the fifth begins the wait, and a second one may be on its way at that moment.
    assert!((5..=6).contains(&checked) && checked + refused == 20, "{answers:?}");
}

#[tokio::test]
async fn signing_out_ends_the_session() {
    let browser = Browser::signed_in().await;
    assert_eq!(browser.get("/applications").await.status, StatusCode::OK);
    assert_eq!(browser.post("/sign-out", &[]).await.location, "/sign-in");
    assert_eq!(browser.get("/applications").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn w1_an_application_is_added_and_a_refused_value_stays_in_its_field() {
    let browser = Browser::signed_in().await;
    let refused = browser.post("/applications", &[("name", "My wiki"), ("product", "Acme Wiki"), ("url", "")]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        refused.body.contains("value=\"My wiki\"") && refused.body.contains("value=\"Acme Wiki\""),
        "{}",
        refused.body
    );
    assert!(refused.body.contains("id=\"error-product\""), "{}", refused.body);
    let added = browser.post("/applications", &[("name", "My wiki"), ("product", "acme-wiki"), ("url", "")]).await;
    assert_eq!(added.status, StatusCode::SEE_OTHER);
    assert!(browser.get(&added.location).await.body.contains("Create invite"));
    let again = browser.post("/applications", &[("name", "MY WIKI"), ("product", "acme-wiki")]).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    assert!(again.body.contains("id=\"error-name\""), "{}", again.body);
}

#[tokio::test]
async fn w1_an_application_is_changed_and_a_refused_value_stays_in_its_field() {
    let browser = Browser::signed_in().await;
    let path = format!("/applications/{}", browser.application().await.id);
    browser.central.add_application(&story(), "Other", "acme-wiki", "").await.expect("added");
    let change = async |name: &str, product: &str| {
        let form = [("name", name), ("product", product), ("url", "https://new.example.org")];
        browser.post(&format!("{path}/change"), &form).await
    };
    for (name, product, status, field) in [
        ("Wiki of all", "Acme Wiki", StatusCode::UNPROCESSABLE_ENTITY, "product"),
        ("OTHER", "acme-wiki", StatusCode::CONFLICT, "name"),
    ] {
        let refused = change(name, product).await;
        assert_eq!(refused.status, status, "{name}");
        for shown in
            [&format!("id=\"error-{field}\""), &format!("value=\"{name}\""), "https://new.example.org", "open>"]
        {
            assert!(refused.body.contains(shown), "{shown}: {}", refused.body);
        }
    }
    assert_eq!(change("Wiki of all", "acme-wiki").await.location, format!("{path}?done=changed"));
    assert!(browser.get(&path).await.body.contains("<h1>Wiki of all "));
}

#[tokio::test]
async fn w3_an_invite_is_shown_once_and_opens_with_the_servers_key() {
    let browser = Browser::signed_in().await;
    let path = format!("/applications/{}", browser.application().await.id);
    let made = browser.post(&format!("{path}/invites"), &[]).await;
    let token = made.body.split("seatline link accept ").nth(1).and_then(|rest| rest.split('<').next());
    let invite: seatline_protocol::Invite =
        seal::open(token.expect("the command is shown"), &[browser.central.public_key()]).expect("an invite");
    assert_eq!(invite.application.as_deref(), Some("Company wiki"));
    assert!(made.body.contains(&browser.central.public_key().fingerprint()));
    assert!(!browser.get(&path).await.body.contains("v4.public."), "it is not shown again");
}

#[tokio::test]
async fn w4_the_synchronisation_interval_is_set_on_the_details_tab() {
    let browser = Browser::signed_in().await;
    let application = browser.application().await;
    let link = browser.link(&SecretKey::from_seed(&[7; 32]), Some(&application)).await;
    let path = format!("/applications/{}", application.id);
    let id = link.to_string();
    let form = |interval| {
        [
            ("link", id.as_str()),
            ("interval", interval),
            ("dormancy_days", "30"),
            ("counting", "first-sign-in"),
            ("daily_mib", "64"),
        ]
    };
    let saved = browser.post(&format!("{path}/link"), &form("21600")).await;
    assert_eq!(saved.location, format!("{path}?done=saved"), "{}", saved.body);
    let settings = browser.central.link(&link).await.expect("the link").settings;
    assert_eq!((settings.interval, settings.dormancy_days, settings.revision), (21_600, 30, 2));
    assert_eq!(settings.daily_mib, 64);
    let refused = browser.post(&format!("{path}/link"), &form("7")).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        refused.body.contains("id=\"error-interval\"") && refused.body.contains("value=\"30\""),
        "{}",
        refused.body
    );
    let other = browser.central.add_application(&story(), "Other", "acme-wiki", "").await.expect("added");
    let foreign = browser.post(&format!("/applications/{}/link", other.id), &form("300")).await;
    assert!(foreign.body.contains("id=\"error-link\""), "a link of another application is not changed");
    assert_eq!(browser.central.link(&link).await.expect("the link").settings.revision, 2);
}

#[tokio::test]
async fn a_waiting_link_is_approved_by_its_fingerprint_suspended_and_approved_again() {
    let browser = Browser::signed_in().await;
    let application = browser.application().await;
    let key = SecretKey::from_seed(&[8; 32]);
    let link = browser.link(&key, None).await;
    let path = format!("/applications/{}", application.id);
    let waiting = browser.get(&path).await.body;
    assert!(waiting.contains("Waiting for approval") && waiting.contains(&key.public().fingerprint()), "{waiting}");
    let state = async || browser.central.link(&link).await.expect("the link").state;
    for (action, expected) in
        [("approve", LinkState::Approved), ("suspend", LinkState::Suspended), ("approve", LinkState::Approved)]
    {
        let answer = browser.post(&format!("{path}/links/{link}/{action}"), &[]).await;
        assert_eq!((answer.status, state().await), (StatusCode::SEE_OTHER, expected), "{action}");
    }
    let other = browser.central.add_application(&story(), "Other", "acme-wiki", "").await.expect("added").id;
    for (action, refused) in [("suspend", StatusCode::NOT_FOUND), ("approve", StatusCode::CONFLICT)] {
        let answer = browser.post(&format!("/applications/{other}/links/{link}/{action}"), &[]).await;
        assert_eq!(
            (answer.status, state().await),
            (refused, LinkState::Approved),
            "{action} under another application"
        );
    }
}

#[tokio::test]
async fn b8_a_reason_that_is_too_long_stays_in_the_form_of_its_question() {
    let browser = Browser::signed_in().await;
    let application = browser.application().await;
    let key = SecretKey::from_seed(&[7; 32]);
    let link = browser.link(&key, Some(&application)).await;
    for users in [4100, 4180] {
        browser.numbered_report(&link, &key, 1, users).await;
    }
    let answer = async |why: &str| {
        let path = format!("/applications/{}/links/{link}/answer", application.id);
        browser.post(&path, &[("question", "fork"), ("explanation", "restored"), ("why", why)]).await
    };
    let long = "because ".repeat(60);
    let refused = answer(&long).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    for shown in
        [&format!("value=\"{long}\""), "value=\"restored\" selected", "id=\"error-why-fork\"", "400 characters"]
    {
        assert!(refused.body.contains(shown), "{shown}: {}", refused.body);
    }
    assert_eq!(seatline_ui::audit::findings(&refused.body), Vec::<String>::new());
    assert_eq!(answer("because").await.location, format!("/applications/{}?done=answered", application.id));
}

#[tokio::test]
async fn what_another_site_makes_the_browser_send_changes_nothing_and_says_so_on_a_page() {
    let browser = Browser::signed_in().await;
    let form = [("name", "Planted"), ("product", "acme-wiki")];
    let refused = browser.post_from("cross-site", "/applications", &form).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(refused.body.contains("came from another site"), "{}", refused.body);
    assert!(!browser.get("/applications").await.body.contains("Planted"));
}

#[tokio::test]
async fn what_is_not_there_is_a_page_and_on_the_api_json() {
    let browser = Browser::signed_in().await;
    let unknown = format!("/applications/{}/licenses", "0".repeat(24));
    for path in ["/nothing", "/applications/xyz", "/applications/xyz/reports/1", &unknown] {
        let answer = browser.get(path).await;
        assert_eq!(
            (answer.status, answer.content_type.as_str()),
            (StatusCode::NOT_FOUND, "text/html; charset=utf-8"),
            "{path}"
        );
        assert_eq!(seatline_ui::audit::findings(&answer.body), Vec::<String>::new(), "{path}");
        assert!(answer.body.contains("aria-label=\"Main\"") && answer.body.contains("Sign out"), "{}", answer.body);
        assert!(!answer.body.contains("aria-current"), "it is a page of no section: {}", answer.body);
    }
    assert_eq!(browser.get("/api/v1/nothing").await.content_type, "application/json");
}

#[tokio::test]
async fn b1_the_exact_bytes_of_a_report_are_handed_out_and_a_refresh_knows_what_is_new() {
    let browser = Browser::signed_in().await;
    let application = browser.application().await;
    let key = SecretKey::from_seed(&[7; 32]);
    let link = browser.link(&key, Some(&application)).await;
    let path = format!("/applications/{}", application.id);
    let refresh = async |seen: &str| {
        let request = Request::get(format!("{path}/licenses?seen={seen}"));
        let request = request.header(header::COOKIE, &browser.cookie).header("hx-request", "true");
        browser.ask(request.body(Body::empty()).expect("a request")).await.status
    };
    assert_eq!(refresh("0-0-0-never-reported").await, StatusCode::NO_CONTENT);

    let sealed = browser.report(&link, &key).await;

    assert_eq!(refresh("0-0-0-never-reported").await, StatusCode::OK, "there is something new");
    let tab = browser.get(&format!("{path}/licenses")).await.body;
    assert!(tab.contains("4,180") && tab.contains("of 5,000"), "{tab}");
    assert_eq!(seatline_ui::audit::findings(&tab), Vec::<String>::new());
    let bytes = browser.get(&format!("{path}/reports/1")).await;
    assert_eq!((bytes.content_type.as_str(), bytes.body == sealed), ("application/octet-stream", true));
    assert!(browser.get(&format!("{path}/reports")).await.body.contains("/reports/1"));
    assert_eq!(browser.get(&format!("{path}/reports/2")).await.status, StatusCode::NOT_FOUND);
}
