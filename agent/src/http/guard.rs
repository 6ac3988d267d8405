//! The guard before the API: nothing is answered to whoever carries no token, not even whether a route exists.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use seatline_web::request_log::note_who;
use seatline_web::secret::bearer;
use seatline_web::throttle::Throttle;
use seatline_web::{ApiError, Peer, TokenHash};

use super::App;
use crate::tokens::{PREFIX, Role, Token};

/// The wrong tokens of late. They slow down nobody who carries a right one.
#[derive(Clone, Default)]
pub struct Guesses(Arc<Guessed>);

#[derive(Default)]
struct Guessed {
    throttle: Mutex<Throttle>,
    /// Held while it is looked whether a token that is not known was made meanwhile.
    looking: tokio::sync::Mutex<()>,
}

/// Lets a request pass if it carries a token, with the [`Token`] beside it.
pub async fn require_token(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<Peer>().map(|Peer(peer)| app.proxies.client(*peer, request.headers()));
    match allowed(&app, request.headers(), peer).await {
        Ok(token) => {
            note_who(&token.name);
            request.extensions_mut().insert(token);
            let mut response = next.run(request).await;
            // What is shown to one program stays out of every cache.
            response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
            response
        }
        Err(error) => error.into_response(),
    }
}

async fn allowed(app: &App, headers: &HeaderMap, peer: Option<IpAddr>) -> Result<Arc<Token>, ApiError> {
    let Some(secret) = bearer(headers, PREFIX) else {
        return Err(unauthorised("carry an API token: `Authorization: Bearer sla_…`"));
    };
    let hash = TokenHash::of(secret.as_bytes());
    if let Some(token) = app.memory().await?.token(&hash) {
        return Ok(token);
    }
    // One stranger after the other: a crowd of them does not keep everybody else from asking.
    let _one = app.guesses.0.looking.lock().await;
    let now = Timestamp::now();
    if let Some(until) = peer.and_then(|peer| app.guesses.lock().waits_until(GUESSED, peer, now)) {
        return Err(throttled(until.duration_since(now).as_secs().max(1)));
    }
    // It may have been made since the last look.
    app.look().await?;
    if let Some(token) = app.memory().await?.token(&hash) {
        return Ok(token);
    }
    if let Some(peer) = peer {
        app.guesses.lock().failed(GUESSED, peer, now);
        tracing::warn!(%peer, "a request carried an unknown API token");
    }
    Err(unauthorised("this API token is not known, or was revoked"))
}

/// What all wrong tokens are counted as.
const GUESSED: &str = "api-token";

impl Guesses {
    fn lock(&self) -> std::sync::MutexGuard<'_, Throttle> {
        self.0.throttle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unauthorised(what: &str) -> ApiError {
    ApiError::unauthorised(&format!("{what} (`seatline token create --name NAME`)"))
}

fn throttled(seconds: i64) -> ApiError {
    let message = format!("too many wrong API tokens: try again in {seconds} seconds");
    ApiError::new(StatusCode::TOO_MANY_REQUESTS, "throttled", message).retry_after(seconds)
}

/// That a request comes from a token which may change things.
pub struct Admin;

impl<S: Send + Sync> FromRequestParts<S> for Admin {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        match parts.extensions.get::<Arc<Token>>() {
            Some(token) if token.role == Role::Admin => Ok(Self),
            _ => {
                let message = "this token may only ask: make one with `seatline token create --role admin`";
                Err(ApiError::new(StatusCode::FORBIDDEN, "forbidden", message))
            }
        }
    }
}
