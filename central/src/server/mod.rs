//! The server: what is open, what stands behind the guard, and the headers on all of it.
//!
//! Open are health, the link, the assets and the sign-in page. Everything else, also what does not exist, is behind the
//! [`guard`]: the routes stand in the tables of the pages and the API, each with what it [needs](Need). Requests that a
//! browser sends for another site are refused by [`csrf`] (by `Sec-Fetch-Site` and `Origin`); no route changes anything
//! by `GET`.

mod errors;
mod health;
mod rates;
mod route;

use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::Uri;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use jiff::Timestamp;
use seatline_protocol::{exchange, wait};
use seatline_web::{Gate, assets, csrf, headers, time_limit};

use crate::api::{self, ApiError};
use crate::auth::guard;
use crate::central::{ActionError, Central};
use crate::domain::{Area, SessionLife};
use crate::link::http::Door;
use crate::metrics::Metrics;
use crate::pages;
use crate::sso::Sso;
use crate::sso::config::DEFAULT_TOKEN_DAYS;
pub use health::Health;
pub use rates::{DEFAULT_DOCUMENTS_PER_SECOND, MAX_DOCUMENTS_PER_SECOND, Rates};
pub use route::{Need, Route};

/// The most bytes of a form or of a request to the API.
const MAX_FORM_BYTES: usize = 64 * 1024;
/// How long a page or an API request may take, if nothing else is said.
const REQUEST_TIME: Duration = Duration::from_secs(30);

/// Where the metrics are.
pub const METRICS: &str = "/metrics";

/// Whether what is at a path is for programs: they carry tokens, and get JSON where it cannot be had.
pub fn is_for_programs(path: &str) -> bool {
    path.starts_with("/api/") || path == METRICS
}

/// What every handler works with. Cloning it is cheap: all clones share the same things.
#[derive(Clone)]
pub struct App {
    /// The central server.
    pub central: Central,
    /// What sign-in needs.
    pub gate: Gate,
    /// The door of the link.
    pub door: Door,
    /// How long sessions last.
    pub life: SessionLife,
    /// Single sign-on, where it is configured.
    pub sso: Option<Sso>,
    /// What is counted, and who may read it.
    pub metrics: Metrics,
    /// How often somebody may ask.
    pub rates: Rates,
    /// Whether reports can be stored.
    pub health: Health,
    /// How long a page or an API request may take, its body included.
    pub request_time: Duration,
}

impl App {
    /// The moment since which a session must have been used to run still.
    pub fn used_since(&self) -> Timestamp {
        self.central.now().checked_sub(self.life.idle).unwrap_or(Timestamp::MIN)
    }

    /// For how many days a token of somebody who comes by single sign-on serves after the provider has vouched for him.
    pub fn token_days(&self) -> u16 {
        self.sso.as_ref().map_or(DEFAULT_TOKEN_DAYS, |sso| sso.config().token_days)
    }

    /// The app over a central server.
    ///
    /// # Errors
    /// Where the operating system gives no randomness.
    pub fn new(central: Central) -> Result<Self, ActionError> {
        let (life, metrics) = (SessionLife::default(), Metrics::default());
        Ok(Self {
            central,
            gate: Gate::new()?,
            door: Door::default(),
            life,
            sso: None,
            metrics,
            rates: Rates::default(),
            health: Health::default(),
            request_time: REQUEST_TIME,
        })
    }
}

/// Every route behind the guard: of the pages and of the API.
pub fn routes() -> Vec<Route> {
    pages::routes().into_iter().chain(api::routes()).collect()
}

/// Everything that the server answers.
///
/// # Errors
/// Where the public URL is no origin that a browser could name.
pub fn router(app: App) -> Result<Router, ActionError> {
    let guarded_by = |need: Need| from_fn_with_state((app.clone(), need), guard);
    let mut guarded = Router::new();
    for Route { path, need, handler, .. } in routes() {
        let is_open = path == METRICS && app.metrics.is_open;
        guarded = guarded.route(path, if is_open { handler } else { handler.layer(guarded_by(need)) });
    }
    // What does not exist is told to those alone who may look.
    let unknown = any(not_found).layer(guarded_by(Need::read(Area::Server)));
    let browsed = guarded
        .fallback_service(unknown.with_state(app.clone()))
        .merge(pages::public())
        .layer(DefaultBodyLimit::max(MAX_FORM_BYTES))
        .layer(from_fn_with_state(app.request_time, time_limit::hold))
        .layer(csrf::layer([app.central.public_url()]).map_err(|error| ActionError::invalid("public URL", error))?)
        .layer(from_fn(errors::in_form));
    let open = Router::new()
        .route("/healthz", get(health::answer))
        .route(exchange::PATH, post(crate::link::http::handle).layer(DefaultBodyLimit::disable()))
        .route(wait::PATH, post(crate::link::wait::handle).layer(DefaultBodyLimit::disable()))
        .route(assets::ROUTE, get(assets::asset));
    Ok(open.merge(browsed).layer(from_fn(headers::secure)).with_state(app))
}

async fn not_found(uri: Uri) -> Response {
    if uri.path().starts_with("/api/") {
        return ApiError::not_found("API route").into_response();
    }
    pages::PageError::not_found("page").into_response()
}
