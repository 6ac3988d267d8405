//! The guard before every page and API route: nothing is answered to whoever is not signed in, not even whether a page
//! exists, and nothing to whoever may not do what the route is for.

use std::net::{IpAddr, Ipv4Addr};

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use seatline_web::Peer;
use seatline_web::address::to_sign_in;

use super::{session, token};
use crate::api::{self, ApiError, unauthorised};
use crate::domain::{Actor, ActorKind, AdminName, Role, Scopes, TokenId};
use crate::pages::PageError;
use crate::server::{App, Need};
use crate::store::Stored;

/// Who is signed in: put beside a request by the guard (`Extension<SignedIn>`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    /// The account.
    pub name: AdminName,
    /// What it may do at this moment.
    pub role: Role,
    /// How he is known.
    pub via: Via,
    /// The address that the request came from.
    pub address: IpAddr,
}

/// How somebody is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Via {
    /// By the cookie of a session.
    Session,
    /// By an API token, on the API alone.
    Token {
        /// Its id.
        id: TokenId,
        /// What it is narrowed to.
        scopes: Scopes,
    },
}

impl SignedIn {
    /// Who he is to the audit log.
    pub fn actor(&self) -> Actor {
        let (kind, token) = match &self.via {
            Via::Session => (ActorKind::Person, None),
            Via::Token { id, .. } => (ActorKind::Token, Some(id.clone())),
        };
        Actor { kind, name: self.name.to_string(), token, address: Some(self.address) }
    }

    /// Whether his role is at least `role`: for pages that leave out what would be refused.
    pub fn may(&self, role: Role) -> bool {
        self.role >= role
    }

    fn refused(&self, need: Need) -> Option<Refused> {
        if self.role < need.role {
            return Some(Refused::Role);
        }
        match &self.via {
            Via::Token { scopes, .. } if !scopes.cover(need.area, need.role) => Some(Refused::Scope),
            _ => None,
        }
    }
}

/// Why somebody who is signed in is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refused {
    Role,
    Scope,
}

/// Lets a request pass if whoever sends it is signed in and may do what the route needs, with [`SignedIn`] beside it.
/// Nobody is answered by 401 on the API, and on a page by a redirect to the sign-in page that remembers where he wanted to go.
pub async fn guard(State((app, need)): State<(App, Need)>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let is_api = parts.uri.path().starts_with("/api/");
    let who = match signed_in(&app, &parts, is_api).await {
        Ok(Some(who)) => who,
        Ok(None) if is_api => return unauthorised().into_response(),
        Ok(None) => return to_sign_in(&parts, "", "/sign-in"),
        Err(error) if is_api => return ApiError::from(error).into_response(),
        Err(error) => return PageError::from(error).into_response(),
    };
    let mut response = match who.refused(need) {
        Some(Refused::Role) if !is_api => PageError::role_too_low(&who, need.role).into_response(),
        Some(Refused::Role) => api::role_too_low(&who, need.role).into_response(),
        Some(Refused::Scope) => api::scope_missing(need).into_response(),
        None => {
            parts.extensions.insert(who);
            next.run(Request::from_parts(parts, body)).await
        }
    };
    // What is shown to one person stays out of every cache.
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

async fn signed_in(app: &App, parts: &Parts, is_api: bool) -> Stored<Option<SignedIn>> {
    let (store, headers) = (app.central.store(), &parts.headers);
    let peer = parts.extensions.get::<Peer>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |Peer(peer)| *peer);
    let address = app.gate.client(peer, headers);
    if is_api && let Some(token) = token::presented(headers) {
        let Some(token) = store.api_token(&token).await? else { return Ok(None) };
        let via = Via::Token { id: token.id, scopes: Scopes::all_of(Role::Administrator) };
        return Ok(Some(SignedIn { name: token.admin, role: Role::Administrator, via, address }));
    }
    let Some(token) = session::presented(&app.central, headers) else { return Ok(None) };
    let found = store.session(&token, app.central.now()).await?;
    let via = Via::Session;
    Ok(found.map(|session| SignedIn { name: session.admin, role: Role::Administrator, via, address }))
}
