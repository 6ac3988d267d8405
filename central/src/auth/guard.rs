//! The guard before every page and API route: nothing is answered to whoever is not signed in, not even whether a page
//! exists, and nothing to whoever may not do what the route is for.

use std::net::{IpAddr, Ipv4Addr};

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use jiff::{SignedDuration, Timestamp};
use seatline_web::Peer;
use seatline_web::address::to_sign_in;
use seatline_web::rate::block;

use super::{session, token};
use crate::api::{self, ApiError, unauthorised};
use crate::domain::{AccountName, Actor, ActorKind, PresentedToken, Role, Scopes, Session, TokenId};
use crate::pages::{self, PageError};
use crate::server::{App, Need, is_for_programs};
use crate::store::Stored;

/// How often the use of a session is noted.
const USE_NOTED_AFTER: SignedDuration = SignedDuration::from_mins(1);

/// Who is signed in: put beside a request by the guard (`Extension<SignedIn>`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    /// The account.
    pub name: AccountName,
    /// What it may do at this moment.
    pub role: Role,
    /// How he is known.
    pub via: Via,
    /// The address that the request came from.
    pub address: IpAddr,
    /// When the request came.
    pub asked_at: Timestamp,
}

/// How somebody is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Via {
    /// By the cookie of a session.
    Session(Session),
    /// By an API token, on the API alone.
    Token {
        /// Its id.
        id: TokenId,
        /// What it is narrowed to.
        scopes: Scopes,
        /// Whether it rests: the provider of single sign-on has not vouched for its owner for too long.
        rests: bool,
    },
}

impl SignedIn {
    /// Who he is to the audit log.
    pub fn actor(&self) -> Actor {
        let (kind, token) = match &self.via {
            Via::Session(_) => (ActorKind::Person, None),
            Via::Token { id, .. } => (ActorKind::Token, Some(id.clone())),
        };
        Actor { kind, name: self.name.to_string(), token, address: Some(self.address) }
    }

    /// Whether his role is at least `role`: for pages that leave out what would be refused.
    pub fn may(&self, role: Role) -> bool {
        self.role >= role
    }

    /// The session, where he has one.
    pub fn session(&self) -> Option<&Session> {
        match &self.via {
            Via::Session(session) => Some(session),
            Via::Token { .. } => None,
        }
    }

    /// Until when he needs not prove again who he is, if he needs not now.
    pub fn confirmed_until(&self) -> Option<Timestamp> {
        self.session()?.confirmed_until.filter(|until| *until > self.asked_at)
    }

    /// What his requests are counted by.
    fn counted_by(&self) -> String {
        match &self.via {
            Via::Session(session) => session.id.to_string(),
            Via::Token { id, .. } => id.to_string(),
        }
    }

    fn refused(&self, need: Need) -> Option<Refused> {
        if matches!(self.via, Via::Token { rests: true, .. }) {
            return Some(Refused::Rests);
        }
        if self.role < need.role {
            return Some(Refused::Role);
        }
        match &self.via {
            Via::Token { .. } if need.person => Some(Refused::Program),
            Via::Token { scopes, .. } if !scopes.cover(need.area, need.role) => Some(Refused::Scope),
            Via::Session(_) if need.confirmed && self.confirmed_until().is_none() => Some(Refused::Unconfirmed),
            _ => None,
        }
    }
}

/// The answer to a request that nobody is known by. Whoever tries tokens is slowed down.
fn unknown(app: &App, parts: &Parts) -> ApiError {
    if token::presented(&parts.headers).is_none() {
        return unauthorised();
    }
    match app.rates.wrong_tokens.take(&block(address(app, parts)), app.central.now()) {
        Ok(()) => unauthorised(),
        Err(seconds) => api::too_many_requests(seconds),
    }
}

/// Where a request comes from.
pub fn address(app: &App, parts: &Parts) -> IpAddr {
    let peer = parts.extensions.get::<Peer>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |Peer(peer)| *peer);
    app.gate.client(peer, &parts.headers)
}

/// Notes in the background that somebody was here: nobody waits for it, and it is no reason to refuse him.
fn noted(note: impl Future<Output = Stored<()>> + Send + 'static) {
    tokio::spawn(async move {
        if let Err(error) = note.await {
            tracing::warn!("the last use was not noted: {error}");
        }
    });
}

/// The beginning of a moment's day, in UTC.
fn beginning_of_day(now: Timestamp) -> Timestamp {
    const DAY: i64 = 24 * 60 * 60 * 1000;
    let millis = now.as_millisecond();
    Timestamp::from_millisecond(millis - millis.rem_euclid(DAY)).unwrap_or(now)
}

/// Why somebody who is signed in is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refused {
    Rests,
    Role,
    Scope,
    Program,
    Unconfirmed,
}

/// Lets a request pass if whoever sends it is signed in and may do what the route needs, with [`SignedIn`] beside it.
/// Nobody is answered by 401 on the API, and on a page by a redirect to the sign-in page that remembers where he wanted
/// to go.
pub async fn guard(State((app, need)): State<(App, Need)>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let is_api = is_for_programs(parts.uri.path());
    let who = match signed_in(&app, &parts, is_api).await {
        Ok(Some(who)) => who,
        Ok(None) if is_api => return unknown(&app, &parts).into_response(),
        Ok(None) => return to_sign_in(&parts, "", "/sign-in"),
        Err(error) if is_api => return ApiError::from(error).into_response(),
        Err(error) => return PageError::from(error).into_response(),
    };
    if is_api && let Err(seconds) = app.rates.requests.take(&who.counted_by(), who.asked_at) {
        return api::too_many_requests(seconds).into_response();
    }
    let response = match who.refused(need) {
        Some(Refused::Rests) => api::token_rests(app.token_days()).into_response(),
        Some(Refused::Role) if !is_api => PageError::role_too_low(&who, need.role).into_response(),
        Some(Refused::Role) => api::role_too_low(&who, need.role).into_response(),
        Some(Refused::Scope) => api::scope_missing(need).into_response(),
        Some(Refused::Program) => api::for_people().into_response(),
        Some(Refused::Unconfirmed) if is_api => api::unconfirmed().into_response(),
        Some(Refused::Unconfirmed) => pages::ask_to_confirm(&app, &who, &parts),
        None => {
            parts.extensions.insert(who.clone());
            next.run(Request::from_parts(parts, body)).await
        }
    };
    let mut response = pages::seen_by(response, &who);
    // What is shown to one person stays out of every cache.
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Who sends a request, if somebody who is signed in.
///
/// # Errors
/// Where the store cannot be asked.
pub async fn signed_in(app: &App, parts: &Parts, is_api: bool) -> Stored<Option<SignedIn>> {
    let (store, headers, now) = (app.central.store(), &parts.headers, app.central.now());
    let address = address(app, parts);
    if is_api && let Some(token) = token::presented(headers) {
        let Some(found) = store.api_token(&token, now).await? else { return Ok(None) };
        let PresentedToken { token, role, vouched_at } = found;
        let today = beginning_of_day(now);
        if token.last_used_day != Some(today) {
            let (central, id) = (app.central.clone(), token.id.clone());
            noted(async move { central.store().use_api_token(&id, today).await });
        }
        let vouched = SignedDuration::from_hours(24 * i64::from(app.token_days()));
        let rests = vouched_at.is_some_and(|at| now.duration_since(at) > vouched);
        let via = Via::Token { id: token.id, scopes: token.scopes, rests };
        return Ok(Some(SignedIn { name: token.account, role, via, address, asked_at: now }));
    }
    let Some(token) = session::presented(&app.central, headers) else { return Ok(None) };
    let Some(session) = store.session(&token, now, app.used_since()).await? else { return Ok(None) };
    if now.duration_since(session.last_used_at) >= USE_NOTED_AFTER {
        let (central, id) = (app.central.clone(), session.id.clone());
        noted(async move { central.store().use_session(&id, now).await });
    }
    Ok(Some(SignedIn {
        name: session.account.clone(),
        role: session.role,
        via: Via::Session(session),
        address,
        asked_at: now,
    }))
}
