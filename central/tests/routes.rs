//! Nothing is answered to whoever is not signed in: told of every route that the router has.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use seatline_central::central::Central;
use seatline_central::domain::Clock;
use seatline_central::keyring::Keyring;
use seatline_central::server::{App, router};
use seatline_central::store::sql::{DATABASE_FILE, SqlStore};
use tower::ServiceExt as _;

/// The routes that are open to everybody.
const OPEN: [&str; 5] = ["/healthz", "/link/v1/exchange", "/assets/{*path}", "/sign-in", "/sign-out"];

/// The paths of a router, read from what it shows of itself: so that a new route is in this test the day it is made.
fn paths(router: &axum::Router) -> Vec<String> {
    let shown = format!("{router:?}");
    let mut paths: Vec<String> = shown
        .split('"')
        .filter(|text| text.starts_with('/') && !text.contains("__private"))
        .map(str::to_owned)
        .collect();
    paths.sort();
    paths.dedup();
    paths
}

#[tokio::test]
async fn every_route_but_the_open_ones_is_refused_without_a_session() {
    let dir = tempfile::tempdir().expect("a directory");
    let store = Arc::new(SqlStore::sqlite(&dir.path().join(DATABASE_FILE)).expect("a store"));
    let keys = Keyring::open(dir.path()).expect("keys");
    let central = Central::open(store, keys, Clock::system(), "Central", "http://127.0.0.1:8095").await.expect("open");
    let router = router(App::new(central).expect("an app")).expect("a router");
    let paths = paths(&router);
    for known in OPEN.iter().chain(&["/", "/applications", "/api/v1/links/{link}/settings"]) {
        assert!(paths.iter().any(|path| path == known), "the walk finds {known}: {paths:?}");
    }
    let guarded = paths.iter().filter(|path| !OPEN.contains(&path.as_str()));
    let unknown = ["/no/such/page".to_owned(), "/api/v1/no-such-route".to_owned(), "/api/".to_owned()];
    for path in guarded.chain(&unknown) {
        for method in [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            for cookie in ["", "seatline-central=", "seatline-central=AAAA", "__Host-seatline-central=AAAA"] {
                let filled = path.replace(['{', '}', '*'], "");
                let request = Request::builder().method(&method).uri(&filled).header("cookie", cookie);
                let response = router.clone().oneshot(request.body(Body::empty()).expect("a request")).await;
                let response = response.expect("answered");
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
