//! The guard before every page and API route: nothing is answered to whoever is not signed in, not even whether a page
//! exists.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use seatline_web::address::to_sign_in;

use super::{session, token};
use crate::api::{ApiError, unauthorised};
use crate::domain::AdminName;
use crate::pages::PageError;
use crate::server::App;
use crate::store::Stored;

/// Who is signed in: put beside a request by the guard (`Extension<SignedIn>`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    /// The administrator.
    pub admin: AdminName,
    /// How he is known.
    pub via: Via,
}

/// How somebody is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Via {
    /// By the cookie of a session.
    Session,
    /// By an API token, on the API alone.
    Token,
}

/// Lets a request pass if it comes from somebody who is signed in, with [`SignedIn`] beside it. Other requests to the API
/// are answered by 401, to a page by a redirect to the sign-in page that remembers where they wanted to go.
pub async fn require_sign_in(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let is_api = request.uri().path().starts_with("/api/");
    match signed_in(&app, request.headers(), is_api).await {
        Ok(Some(who)) => {
            request.extensions_mut().insert(who);
            let mut response = next.run(request).await;
            // What is shown to one person stays out of every cache.
            response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
            response
        }
        Ok(None) if is_api => unauthorised().into_response(),
        Ok(None) => to_sign_in(&request.into_parts().0, "", "/sign-in"),
        Err(error) if is_api => ApiError::from(error).into_response(),
        Err(error) => PageError::from(error).into_response(),
    }
}

async fn signed_in(app: &App, headers: &HeaderMap, is_api: bool) -> Stored<Option<SignedIn>> {
    let store = app.central.store();
    if is_api && let Some(token) = token::presented(headers) {
        let found = store.api_token(&token).await?;
        return Ok(found.map(|token| SignedIn { admin: token.admin, via: Via::Token }));
    }
    let Some(token) = session::presented(&app.central, headers) else { return Ok(None) };
    let found = store.session(&token, app.central.now()).await?;
    Ok(found.map(|session| SignedIn { admin: session.admin, via: Via::Session }))
}
