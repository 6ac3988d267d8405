//! What is answered while the instance cannot be opened: every page and every question gets the reason, so that nobody
//! stands before a closed door (`a7`).
//!
//! What exactly is damaged stands in the log and is told by `seatline doctor`: anybody may ask here, and paths are not
//! for everybody.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{Html, IntoResponse as _, Response};
use axum::routing::get;
use seatline_protocol::text;
use seatline_ui::{Banner, Failure as FailurePage, Page, Prose, Tone};
use seatline_web::{Address, ApiError, assets, headers, serve};
use tokio::sync::oneshot;

use super::hosts::{self, Hosts};
use super::server;
use crate::config::Http;
use crate::failure::Failure;

/// After how many seconds whoever was turned away should come again.
const RETRY_SECONDS: HeaderValue = HeaderValue::from_static("10");

/// Answers with the reason, until it is dropped.
pub struct Unopened {
    address: Address,
    reason: Reason,
    end: Option<oneshot::Sender<()>>,
    serving: Option<thread::JoinHandle<()>>,
}

/// The code of why the instance cannot be opened. It can become another one meanwhile.
#[derive(Clone)]
struct Reason(Arc<Mutex<String>>);

impl Unopened {
    /// Listens on `address`, and answers with `failure`.
    ///
    /// # Errors
    /// When it cannot listen there.
    pub fn serve(http: &Http, address: &Address, failure: &Failure) -> Result<Self, Failure> {
        let runtime = server::runtime()?;
        let listener = server::listen(&runtime, address)?;
        let address = listener.address().map_err(|error| Failure::of(error.code(), &error))?;
        let reason = Reason(Arc::new(Mutex::new(failure.code.clone())));
        let (router, limits) = (router(http, reason.clone()), server::limits(http));
        let (end, ended) = oneshot::channel();
        let answer = move || runtime.block_on(serve(listener, router, limits, async { drop(ended.await) }));
        let serving = thread::Builder::new().name("unopened".to_owned()).spawn(answer);
        let serving =
            serving.map_err(|error| Failure::new("listen", format!("the HTTP server cannot start: {error}")))?;
        Ok(Self { address, reason, end: Some(end), serving: Some(serving) })
    }

    /// Where it listens, with the port that was taken.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Answers with another reason from now on.
    pub fn is_because_of(&self, failure: &Failure) {
        *self.reason.0.lock().unwrap_or_else(PoisonError::into_inner) = failure.code.clone();
    }
}

impl Drop for Unopened {
    fn drop(&mut self) {
        drop(self.end.take());
        // The address is free once the thread has ended.
        let _ = self.serving.take().map(thread::JoinHandle::join);
    }
}

fn router(http: &Http, reason: Reason) -> Router {
    Router::new()
        .route(assets::ROUTE, get(assets::asset))
        .fallback(refuse)
        .layer(from_fn_with_state(Hosts::new(http), hosts::check))
        .layer(from_fn(headers::secure))
        .with_state(reason)
}

/// Any request: programs are answered in JSON, people with a page.
async fn refuse(State(Reason(code)): State<Reason>, uri: Uri) -> Response {
    let code = text::line(&code.lock().unwrap_or_else(PoisonError::into_inner), 100);
    let is_program = uri.path().starts_with("/v1/") || ["/healthz", "/metrics"].contains(&uri.path());
    if is_program {
        let message = format!("the agent cannot use its state ({code}): see its log, or `seatline doctor`");
        return ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "state-unavailable", message).into_response();
    }
    let plain = [(header::CACHE_CONTROL, HeaderValue::from_static("no-store")), (header::RETRY_AFTER, RETRY_SECONDS)];
    (StatusCode::SERVICE_UNAVAILABLE, plain, Html(page(&code))).into_response()
}

fn page(code: &str) -> String {
    let why = format!(
        "The agent cannot use its state ({code}). Its log says what is wrong and how to mend it, and so does `seatline \
         doctor` on the machine where it runs. It tries again by itself; what was kept is not touched meanwhile."
    );
    let banner = Banner::new(Tone::Danger, "The licenses cannot be shown now", Prose::sentence(&why));
    let failure = FailurePage { title: "Not available", banner, way_out: ("Try again", "/license".to_owned()) };
    Page {
        title: "Not available",
        program: "Licenses",
        base: "",
        nav: &[],
        user: None,
        account: None,
        sign_out: None,
        secure: None,
        version: env!("CARGO_PKG_VERSION"),
        reload: None,
        body: failure.to_string(),
    }
    .to_string()
}
