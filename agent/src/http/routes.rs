//! What is answered, and what stands around it: the headers, the check of the host's name, the refusal of other sites,
//! the limits of a request, and the form of errors.

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use seatline_web::request_log::{self, RequestLog};
use seatline_web::{ApiError, assets, csrf, headers, time_limit};
use tower_http::limit::RequestBodyLimitLayer;

use super::app::App;
use super::{api, hosts, metrics};
use crate::failure::Failure;
use crate::pages;

/// Everything that the agent answers.
///
/// # Errors
/// Where the public URL is no origin that a browser could name.
pub fn router(app: App) -> Result<Router, Failure> {
    let csrf = csrf::layer(app.public_url()).map_err(|error| Failure::of("config-value", &error))?;
    let router = Router::new()
        .route("/healthz", get(health))
        .route(assets::ROUTE, get(assets::asset))
        .merge(api::router(&app))
        .merge(metrics::router(&app))
        .layer(DefaultBodyLimit::disable())
        .layer(RequestBodyLimitLayer::new(app.limits.body_bytes))
        .layer(from_fn_with_state(app.limits.time, time_limit::hold))
        .layer(csrf)
        .layer(from_fn(in_form))
        // The pages bring limits and errors of their own, and answer whatever is none of the API's.
        .fallback_service(pages::router(&app.pages, app.limits.page_time)?)
        .layer(from_fn_with_state(app.hosts.clone(), hosts::check))
        .layer(from_fn(headers::secure))
        .layer(from_fn_with_state(RequestLog::behind(app.proxies.clone()), request_log::log));
    Ok(router.with_state(app))
}

/// Errors that no handler made get the form of all others.
async fn in_form(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    headers::in_form(response, "application/json", |status| ApiError::of_status(status).into_response())
}

/// `GET /healthz`: 200 if the state can be read, else 503. It says no more, as anybody on this machine may ask.
async fn health(State(app): State<App>) -> Response {
    let plain = [(header::CACHE_CONTROL, "no-store")];
    match app.ask(|instance| instance.host.licenses().map(drop)).await {
        Ok(Ok(())) => (StatusCode::OK, plain, "ok\n").into_response(),
        Ok(Err(error)) => {
            tracing::error!(code = error.code(), "not healthy: {error}");
            let message = "the state cannot be read: see the agent's log";
            ApiError::new(StatusCode::SERVICE_UNAVAILABLE, error.code(), message).into_response()
        }
        Err(error) => error.into_response(),
    }
}
