//! Nothing is answered to whoever is not signed in, and nothing to whom his role or his token's scopes do not allow it:
//! told of every route that the router has (`g11`).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};
use seatline_central::actions::accounts::NewToken;
use seatline_central::central::Central;
use seatline_central::domain::{
    AccountName, Actor, Area, Clock, NewSession, Role, Scope, Scopes, SessionId, SignOn, Subject, TokenHash,
};
use seatline_central::keyring::Keyring;
use seatline_central::server::{App, Route, is_for_programs, router, routes};
use seatline_central::store::sql::{DATABASE_FILE, SqlStore};
use seatline_web::Peer;
use tempfile::TempDir;
use tower::ServiceExt as _;

/// The routes that are open to everybody.
const OPEN: [&str; 8] = [
    "/healthz",
    "/sign-in/single-sign-on",
    "/sign-in/single-sign-on/callback",
    "/link/v1/exchange",
    "/link/v1/wait",
    "/assets/{*path}",
    "/sign-in",
    "/sign-out",
];
const PASSWORD: &str = "correct horse battery staple";

/// A server with an account of each role.
struct Server {
    _dir: TempDir,
    central: Central,
    router: axum::Router,
}

impl Server {
    async fn new() -> Self {
        Self::with(Clock::system()).await
    }

    async fn with(clock: Clock) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let store = Arc::new(SqlStore::sqlite(&dir.path().join(DATABASE_FILE)).expect("a store"));
        let keys = Keyring::open(dir.path()).expect("keys");
        let central = Central::open(store, keys, clock, "Central", "http://127.0.0.1:8095").await;
        let central = central.expect("a central server");
        for role in Role::ALL {
            let actor = Actor::command_line("story");
            central.add_account(&actor, role.name(), role, PASSWORD).await.expect("an account");
        }
        let router = router(App::new(central.clone()).expect("an app")).expect("a router");
        Self { _dir: dir, central, router }
    }

    async fn ask(&self, request: axum::http::request::Builder) -> Response {
        let mut request = request.body(Body::empty()).expect("a request");
        request.extensions_mut().insert(Peer("127.0.0.1".parse().expect("an address")));
        self.router.clone().oneshot(request).await.expect("answered")
    }

    /// The cookie of a session of `role`.
    async fn session(&self, role: Role) -> String {
        let mut request = Request::post("/sign-in")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(format!("name={role}&password={}", PASSWORD.replace(' ', "+"))))
            .expect("a request");
        request.extensions_mut().insert(Peer("127.0.0.1".parse().expect("an address")));
        let response = self.router.clone().oneshot(request).await.expect("answered");
        let cookie = response.headers()["set-cookie"].to_str().expect("text");
        cookie.split(';').next().expect("a cookie").to_owned()
    }

    /// A token of the account of `role` with one scope.
    async fn token(&self, role: Role, scope: Scope) -> String {
        let owner: AccountName = role.name().parse().expect("a name");
        let scopes = Scopes::new([scope]).expect("a scope");
        let new = NewToken { label: "story", scopes, days: None };
        let made = self.central.create_token(&Actor::command_line("story"), &owner, new).await.expect("a token");
        made.0.to_string()
    }
}

/// The address of a route, with ids that name nothing: whoever may ask is told so, and nothing is changed.
fn address(path: &str) -> String {
    path.replace(['{', '}', '*'], "")
}

fn asked(route: &Route) -> axum::http::request::Builder {
    Request::builder().method(&route.method).uri(address(route.path))
}

/// The code of a refusal, as the API gives it.
async fn code(response: Response) -> String {
    let error: serde_json::Value = serde_json::from_str(&text(response).await).unwrap_or_default();
    error["code"].as_str().unwrap_or_default().to_owned()
}

async fn text(response: Response) -> String {
    let body = axum::body::to_bytes(response.into_body(), 1024 * 1024).await.expect("a body");
    String::from_utf8(body.to_vec()).expect("text")
}

/// The paths of a router, read from what it shows of itself: so that a new route is in this test the day it is made.
fn paths(router: &axum::Router) -> BTreeSet<String> {
    let shown = format!("{router:?}");
    let paths = shown.split('"').filter(|text| text.starts_with('/') && !text.contains("__private"));
    paths.map(str::to_owned).collect()
}

#[tokio::test]
async fn g11_every_route_is_open_or_in_the_table_that_says_what_it_needs() {
    let server = Server::new().await;
    let table = routes();
    let listed = table.iter().map(|route| route.path).chain(OPEN).map(str::to_owned).collect();
    assert_eq!(paths(&server.router), listed);
    for route in &table {
        let changes = route.method != Method::GET;
        let at_least = if changes && !route.need.person { Role::Operator } else { Role::Viewer };
        assert!(route.need.role >= at_least, "{} {} changes something", route.method, route.path);
        if matches!(route.need.area, Area::Accounts | Area::Audit) && !route.need.person {
            assert_eq!(route.need.role, Role::Administrator, "{} {}", route.method, route.path);
        }
    }
}

#[tokio::test]
async fn every_route_but_the_open_ones_is_refused_without_a_session() {
    let server = Server::new().await;
    let paths = paths(&server.router);
    for known in OPEN.iter().chain(&["/", "/applications", "/api/v1/links/{link}/settings"]) {
        assert!(paths.contains(*known), "the walk finds {known}: {paths:?}");
    }
    let guarded = paths.iter().map(String::as_str).filter(|path| !OPEN.contains(path));
    for path in guarded.chain(["/no/such/page", "/api/v1/no-such-route", "/api/"]) {
        for method in [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            for cookie in ["", "seatline-central=", "seatline-central=AAAA", "__Host-seatline-central=AAAA"] {
                let request = Request::builder().method(&method).uri(address(path)).header("cookie", cookie);
                let response = server.ask(request).await;
                let refused = match is_for_programs(path) {
                    true => StatusCode::UNAUTHORIZED,
                    false => StatusCode::SEE_OTHER,
                };
                assert_eq!(response.status(), refused, "{method} {path} with `{cookie}`");
                if refused == StatusCode::SEE_OTHER {
                    let to = response.headers()["location"].to_str().expect("text");
                    assert!(to == "/sign-in" || to.starts_with("/sign-in?next=/"), "{to}");
                }
            }
        }
    }
}

#[tokio::test]
async fn g11_every_route_is_refused_to_a_smaller_role_and_to_no_other() {
    let server = Server::new().await;
    for role in Role::ALL {
        let cookie = server.session(role).await;
        for route in routes() {
            let response = server.ask(asked(&route).header("cookie", &cookie)).await;
            let (status, allowed) = (response.status(), role >= route.need.role);
            let what = format!("{role}: {} {}: {status}", route.method, route.path);
            assert_ne!(status, StatusCode::METHOD_NOT_ALLOWED, "{what}");
            assert_ne!(status, StatusCode::UNAUTHORIZED, "{what}");
            if is_for_programs(route.path) {
                assert_eq!(code(response).await == "role-too-low", !allowed, "{what}");
            } else {
                assert_eq!(text(response).await.contains("Your role does not allow this"), !allowed, "{what}");
            }
        }
    }
}

#[tokio::test]
async fn c2_what_asks_for_a_confirmed_password_is_not_done_without_it() {
    let server = Server::new().await;
    let cookie = server.session(Role::Administrator).await;
    for route in routes().into_iter().filter(|route| route.path != "/confirm") {
        let response = server.ask(asked(&route).header("cookie", &cookie)).await;
        let what = format!("{} {}: {}", route.method, route.path, response.status());
        let leads_to = response.headers().get("location").map_or("", |to| to.to_str().expect("text")).to_owned();
        let text = text(response).await;
        let asks = leads_to.starts_with("/confirm") || text.contains("confirm-password");
        assert_eq!(asks, route.need.confirmed, "{what}: {text}");
    }
}

#[tokio::test]
async fn g11_a_token_may_what_its_scope_covers_and_its_owner_may_and_no_more() {
    let server = Server::new().await;
    let scopes = Role::ALL.into_iter().flat_map(|role| {
        let areas = Area::ALL.into_iter().map(Some).chain([None]);
        areas.map(move |area| Scope { area, role })
    });
    for scope in scopes {
        let token = server.token(Role::Administrator, scope).await;
        for route in routes() {
            let response = server.ask(asked(&route).header("authorization", format!("Bearer {token}"))).await;
            let what = format!("{scope}: {} {}: {}", route.method, route.path, response.status());
            if !is_for_programs(route.path) {
                assert_eq!(response.status(), StatusCode::SEE_OTHER, "pages are for people: {what}");
                continue;
            }
            let code = code(response).await;
            let allowed = scope.covers(route.need.area, route.need.role);
            assert_eq!(code == "session-needed", route.need.person, "{what}");
            assert_eq!(code == "scope-missing", !allowed && !route.need.person, "{what}");
        }
    }
}

#[tokio::test]
async fn g11_a_token_loses_what_its_owner_loses_at_once() {
    let server = Server::new().await;
    let everything = Scope { area: None, role: Role::Operator };
    let token = server.token(Role::Operator, everything).await;
    let (actor, owner) = (Actor::command_line("story"), "operator".parse().expect("a name"));
    let ask = async || {
        let request = Request::post("/api/v1/invites").header("authorization", format!("Bearer {token}"));
        code(server.ask(request).await).await
    };
    assert_eq!(ask().await, "not-json", "it may");
    server.central.change_role(&actor, &owner, Role::Viewer).await.expect("changed");
    assert_eq!(ask().await, "role-too-low");
    server.central.remove_account(&actor, &owner).await.expect("removed");
    assert_eq!(ask().await, "unauthorised");
}

#[tokio::test]
async fn g10_a_token_rests_where_its_owner_has_not_come_by_single_sign_on_for_a_month() {
    let days = Arc::new(AtomicI64::new(0));
    let now = Arc::clone(&days);
    let clock = Clock::new(move || Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * now.load(Ordering::SeqCst)));
    let server = Server::with(clock).await;
    let subject = Subject { issuer: "https://id.example.org".to_owned(), subject: "7".to_owned() };
    let name: AccountName = "grace".parse().expect("a name");
    let person = SignOn { subject, name: name.clone(), role: Role::Viewer };
    let (store, actor) = (server.central.store(), Actor::command_line("story"));
    let act = || server.central.act(&actor).expect("an act");
    store.sign_on(&act(), &person).await.expect("kept").expect("an account");
    let read = Scopes::new([Scope { area: None, role: Role::Viewer }]).expect("a scope");
    let new = NewToken { label: "story", scopes: read, days: None };
    let hers = server.central.create_token(&actor, &name, new).await.expect("a token").0.to_string();
    let local = server.token(Role::Viewer, Scope { area: None, role: Role::Viewer }).await;
    let ask = async |day: i64, token: &str| {
        days.store(day, Ordering::SeqCst);
        code(server.ask(Request::get("/api/v1/server").header("authorization", format!("Bearer {token}"))).await).await
    };
    assert_eq!((ask(30, &hers).await, ask(31, &hers).await), (String::new(), "token-rests".to_owned()));
    assert_eq!(ask(1000, &local).await, "", "who has a password here is looked after here");
    let session = NewSession {
        id: SessionId::from_random([1; 12]),
        token: TokenHash::of(b"story"),
        account: name,
        created_at: server.central.now(),
        expires_at: server.central.now(),
        address: "127.0.0.1".parse().expect("an address"),
        browser: String::new(),
    };
    store.begin_session(&act(), &session, None).await.expect("she has signed in again");
    assert_eq!((ask(1030, &hers).await, ask(1031, &hers).await), (String::new(), "token-rests".to_owned()));
}

#[tokio::test]
async fn a_session_ends_when_nobody_uses_it_and_at_the_latest_after_twelve_hours() {
    let minutes = Arc::new(AtomicI64::new(0));
    let now = Arc::clone(&minutes);
    let clock = Clock::new(move || Timestamp::UNIX_EPOCH + SignedDuration::from_mins(now.load(Ordering::SeqCst)));
    let server = Server::with(clock).await;
    let runs_at = async |cookie: &str, minute: i64| {
        minutes.store(minute, Ordering::SeqCst);
        let response = server.ask(Request::get("/account").header("cookie", cookie)).await;
        // The use is noted in the background.
        let name = "viewer".parse().expect("a name");
        while response.status() == StatusCode::OK
            && server.central.store().sessions_of(&name, server.central.now(), Timestamp::MIN).await.expect("read")[0]
                .last_used_at
                != server.central.now()
        {
            tokio::task::yield_now().await;
        }
        response.status() == StatusCode::OK
    };
    let cookie = server.session(Role::Viewer).await;
    assert!(runs_at(&cookie, 119).await);
    assert!(!runs_at(&cookie, 119 + 120).await, "nobody used it for two hours");
    let cookie = server.session(Role::Viewer).await;
    for hour in 0..12 {
        assert!(runs_at(&cookie, 239 + hour * 60).await, "{hour}");
    }
    assert!(!runs_at(&cookie, 239 + 12 * 60).await, "used or not");
}

#[tokio::test]
async fn a_token_that_asks_too_often_waits_and_no_other_does() {
    let server = Server::with(Clock::new(|| Timestamp::UNIX_EPOCH)).await;
    let read = Scope { area: None, role: Role::Viewer };
    let (eager, calm) = (server.token(Role::Viewer, read).await, server.token(Role::Viewer, read).await);
    let ask = async |token: &str| {
        server.ask(Request::get("/api/v1/server").header("authorization", format!("Bearer {token}"))).await
    };
    let mut asked = 0;
    let refused = loop {
        let response = ask(&eager).await;
        if response.status() != StatusCode::OK {
            break response;
        }
        asked += 1;
    };
    assert_eq!((asked, refused.status()), (600, StatusCode::TOO_MANY_REQUESTS));
    assert_eq!(refused.headers()["retry-after"], "1");
    assert_eq!(code(refused).await, "too-many-requests");
    assert_eq!(ask(&calm).await.status(), StatusCode::OK);
    for _ in 0..60 {
        assert_eq!(ask("slt_wrong").await.status(), StatusCode::UNAUTHORIZED);
    }
    assert_eq!(ask("slt_another").await.status(), StatusCode::TOO_MANY_REQUESTS, "whoever guesses is slowed down");
    assert_eq!(ask(&calm).await.status(), StatusCode::OK, "and a right one from there is not");
}
