//! Nothing is answered to whoever is not signed in, and nothing to whom his role or his token's scopes do not allow it: told of
//! every route that the router has (`g11`).

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use axum::response::Response;
use seatline_central::actions::accounts::NewToken;
use seatline_central::central::Central;
use seatline_central::domain::{AccountName, Actor, Area, Clock, Role, Scope, Scopes};
use seatline_central::keyring::Keyring;
use seatline_central::server::{App, Route, router, routes};
use seatline_central::store::sql::{DATABASE_FILE, SqlStore};
use seatline_web::Peer;
use tempfile::TempDir;
use tower::ServiceExt as _;

/// The routes that are open to everybody.
const OPEN: [&str; 5] = ["/healthz", "/link/v1/exchange", "/assets/{*path}", "/sign-in", "/sign-out"];
const PASSWORD: &str = "correct horse battery staple";

/// A server with an account of each role.
struct Server {
    _dir: TempDir,
    central: Central,
    router: axum::Router,
}

impl Server {
    async fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let store = Arc::new(SqlStore::sqlite(&dir.path().join(DATABASE_FILE)).expect("a store"));
        let keys = Keyring::open(dir.path()).expect("keys");
        let central = Central::open(store, keys, Clock::system(), "Central", "http://127.0.0.1:8095").await;
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
    let body = axum::body::to_bytes(response.into_body(), 64 * 1024).await.expect("a body");
    let error: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
    error["code"].as_str().unwrap_or_default().to_owned()
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
        let at_least = if changes { Role::Operator } else { Role::Viewer };
        assert!(route.need.role >= at_least, "{} {} changes something", route.method, route.path);
        if matches!(route.need.area, Area::Accounts | Area::Audit) {
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
                let refused = match path.starts_with("/api/") {
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
            if route.path.starts_with("/api/") {
                assert_eq!(code(response).await == "role-too-low", !allowed, "{what}");
            } else {
                assert_eq!(status == StatusCode::FORBIDDEN, !allowed, "{what}");
            }
        }
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
            if !route.path.starts_with("/api/") {
                assert_eq!(response.status(), StatusCode::SEE_OTHER, "pages are for people: {what}");
                continue;
            }
            let allowed = scope.covers(route.need.area, route.need.role);
            assert_eq!(code(response).await == "scope-missing", !allowed, "{what}");
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
