//! Every route of the pages, with what it demands of who asks. A new page is a line here: no route is without a
//! [`Need`], and a test asks each of them in every role.

use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::handler::Handler;
use axum::http::{Method, StatusCode};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::Redirect;
use axum::routing::{MethodRouter, get, post};
use seatline_host::plugins::MAX_COMPONENT_BYTES;
use seatline_protocol::exchange::MAX_RESPONSE_BYTES;
use seatline_web::{assets, csrf, headers, time_limit};

use super::guard::{self, Demand, guard};
use super::{
    Need, PageError, Pages, People, frame, identity, license, links, notifications, own, plugin, support, system,
};
use crate::failure::Failure;

/// The most bytes of a form: room for a license key with what mail adds to it.
pub const MAX_BODY_BYTES: usize = 512 * 1024;
/// What stands around a file in a form.
const AROUND_A_FILE: usize = 64 * 1024;
/// How long a page may take, its form included.
pub(crate) const REQUEST_TIME: Duration = Duration::from_secs(60);

/// A route, and what it demands.
pub struct Route {
    /// The path, with `{…}` for what it is about.
    pub path: &'static str,
    /// The method.
    pub method: Method,
    /// What it demands of who asks.
    pub need: Need,
    /// The most bytes of what is sent with it.
    pub max_bytes: usize,
    handler: MethodRouter<Pages>,
}

/// A page.
fn page<H: Handler<T, Pages>, T: 'static>(path: &'static str, need: Need, handler: H) -> Route {
    Route { path, method: Method::GET, need, max_bytes: MAX_BODY_BYTES, handler: get(handler) }
}

/// A form.
fn form<H: Handler<T, Pages>, T: 'static>(path: &'static str, need: Need, handler: H) -> Route {
    Route { path, method: Method::POST, need, max_bytes: MAX_BODY_BYTES, handler: post(handler) }
}

/// A form with a file of at most `max` bytes.
fn upload<H: Handler<T, Pages>, T: 'static>(path: &'static str, max: usize, need: Need, handler: H) -> Route {
    let max_bytes = max + AROUND_A_FILE;
    Route { path, method: Method::POST, need, max_bytes, handler: post(handler) }
}

/// Every route but the way in.
pub fn routes() -> Vec<Route> {
    use Need::{Administer, Confirmed, View};
    vec![
        page("/", View, home),
        page("/confirm", Administer, guard::show_confirm),
        form("/confirm", Administer, guard::confirm),
        form("/confirm/end", Administer, guard::end),
        page("/license", View, license::show),
        form("/license/preview", Administer, license::preview::preview),
        form("/license/save", Confirmed, license::set::save),
        form("/license/refresh", Administer, license::set::refresh),
        form("/license/threshold", Confirmed, license::set::threshold),
        page("/license/export", Administer, license::export::keys),
        page("/plugin", View, plugin::show),
        page("/plugin/next", Administer, plugin::next::show),
        // Whoever may look sees them on the page, to the byte.
        page("/plugin/last.token", View, plugin::bytes::last_token),
        page("/plugin/last.json", View, plugin::bytes::last_json),
        form("/plugin/hold", Confirmed, plugin::change::hold),
        form("/plugin/report/approve", Confirmed, plugin::change::approve_report),
        form("/plugin/report/discard", Confirmed, plugin::change::discard_report),
        upload("/plugin/offer", MAX_COMPONENT_BYTES, Confirmed, plugin::change::offer),
        form("/plugin/approve", Confirmed, plugin::change::approve),
        form("/plugin/decline", Confirmed, plugin::change::decline),
        page("/system", View, system::show),
        form("/system/server-id", Confirmed, identity::answer),
        page("/support", View, support::show),
        page("/support/file", Administer, support::file),
        page("/license/request", Administer, license::request::show),
        page("/license/request.json", Administer, license::request::file),
        page("/links", View, links::show),
        page("/links/new", Administer, links::wizard::show),
        form("/links/review", Administer, links::wizard::review),
        form("/links/accept", Confirmed, links::wizard::accept),
        form("/links/sync", Administer, links::change::sync),
        form("/links/rotate", Confirmed, links::change::rotate),
        form("/links/remove", Confirmed, links::change::remove),
        page("/links/export", Administer, links::file::export),
        upload("/links/import", MAX_RESPONSE_BYTES, Confirmed, links::file::import),
        page("/notifications", View, notifications::show),
        form("/notifications/test", Administer, notifications::test),
        form("/notifications/mail", Confirmed, notifications::change::mail),
        form("/notifications/mail/reset", Confirmed, notifications::change::reset_mail),
        form("/notifications/reminders", Confirmed, notifications::change::reminders),
        form("/notifications/webhooks", Confirmed, notifications::change::add_webhook),
        form("/notifications/webhooks/remove", Confirmed, notifications::change::remove_webhook),
    ]
}

/// The way in of the agent's own sign-in.
pub fn way_in() -> Vec<Route> {
    use Need::Nothing;
    vec![
        page("/sign-in", Nothing, own::show),
        form("/sign-in", Nothing, own::sign_in),
        form("/sign-out", Nothing, own::sign_out),
    ]
}

/// The pages, complete: with their files, headers and limits, and the refusal of other sites. Each may take this time,
/// its form included.
///
/// # Errors
/// Where an origin is none that a browser could name.
pub fn router(pages: &Pages, time: Duration) -> Result<Router, Failure> {
    let csrf = csrf::layer(pages.origins()).map_err(|error| Failure::of("config-value", &error))?;
    let guarded = |demand: Demand| from_fn_with_state((pages.clone(), demand), guard);
    let mut router = Router::new().route(assets::ROUTE, get(assets::asset));
    let way_in = matches!(pages.people(), People::Own(_)).then(way_in);
    for Route { path, need, max_bytes, handler, .. } in routes().into_iter().chain(way_in.into_iter().flatten()) {
        let handler = handler.layer(DefaultBodyLimit::max(max_bytes));
        router = router.route(path, handler.layer(guarded(Demand { need, max_bytes })));
    }
    // What does not exist is told to those alone who may look.
    let unknown = get(async || PageError::of_status(StatusCode::NOT_FOUND));
    let demand = Demand { need: Need::View, max_bytes: MAX_BODY_BYTES };
    let unknown = unknown.fallback(async || PageError::of_status(StatusCode::NOT_FOUND)).layer(guarded(demand));
    let router = router
        .fallback_service(unknown.with_state(pages.clone()))
        .layer(from_fn_with_state(time, time_limit::hold))
        .layer(csrf)
        .layer(from_fn_with_state(pages.clone(), frame::framed))
        .layer(from_fn(headers::secure));
    Ok(router.with_state(pages.clone()))
}

/// `GET /`
async fn home(axum::extract::State(pages): axum::extract::State<Pages>) -> Redirect {
    Redirect::to(&pages.href("/license"))
}
