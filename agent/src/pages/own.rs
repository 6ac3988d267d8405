//! The agent's own sign-in: names and passwords from the state, sessions in memory.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Form;
use axum::extract::{Extension, Query, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use seatline_host::store::StoreError;
use seatline_ui::SignIn;
use seatline_web::address::after_sign_in;
use seatline_web::cookie::SessionCookie;
use seatline_web::gate::{Attempt, GateError};
use seatline_web::secret::random_secret;
use seatline_web::{AccountName, Gate, Peer, TokenHash, refusal};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::moment::Moment;
use super::sessions::{self, Sessions};
use super::{Content, PageError, Pages, People, Visitor, now};
use crate::users::{self, KeptUser};

/// The agent's own sign-in.
pub struct OwnSignIn {
    gate: Gate,
    cookie: SessionCookie,
    sessions: Sessions,
    /// The users as they were read last: they hold while the state cannot be read (`a7`).
    users: Mutex<Option<Arc<[KeptUser]>>>,
}

impl OwnSignIn {
    /// The sign-in behind `gate`; `is_https` says whether browsers reach the agent over HTTPS.
    pub fn new(gate: Gate, is_https: bool) -> Self {
        let cookie = SessionCookie::new(is_https, "seatline", "__Host-seatline");
        Self { gate, cookie, sessions: Sessions::default(), users: Mutex::default() }
    }

    /// Who sends a request with these headers, if that is known.
    pub(super) async fn visitor(&self, pages: &Pages, headers: &HeaderMap) -> Result<Option<Visitor>, PageError> {
        let Some(token) = self.cookie.presented(headers) else { return Ok(None) };
        let Some(session) = self.sessions.get(&token, Moment::now()) else { return Ok(None) };
        let users = self.users(pages).await?;
        let user = users.iter().find(|kept| kept.user.name == session.user);
        // The role is that of now; another password, or none, has ended the session.
        Ok(user.filter(|kept| fingerprint(kept) == session.password).map(|kept| Visitor {
            name: kept.user.name.to_string(),
            role: Some(kept.user.role),
            session: token,
        }))
    }

    /// Whether `password` is that of `visitor`.
    pub(super) async fn confirm(
        &self,
        pages: &Pages,
        parts: &Parts,
        visitor: &Visitor,
        password: &str,
    ) -> Result<(), SignInError> {
        let peer = peer(parts);
        self.check(pages, Attempt { peer, headers: &parts.headers, name: &visitor.name, password }).await.map(drop)
    }

    async fn check(&self, pages: &Pages, attempt: Attempt<'_>) -> Result<KeptUser, SignInError> {
        let name = attempt.name.parse::<AccountName>().ok();
        let account = async || -> Result<Option<KeptUser>, PageError> {
            let Some(name) = name else { return Ok(None) };
            Ok(self.users(pages).await?.iter().find(|kept| kept.user.name == name).cloned())
        };
        self.gate.check(attempt, now(), account, |kept| &kept.password).await
    }

    /// The users as the state has them now, or where it cannot be read, as it had them.
    async fn users(&self, pages: &Pages) -> Result<Arc<[KeptUser]>, PageError> {
        let read: Result<Vec<KeptUser>, StoreError> = pages.ask(users::kept).await?;
        let mut last = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        match (read, &*last) {
            (Ok(users), _) => {
                let users: Arc<[KeptUser]> = users.into();
                *last = Some(Arc::clone(&users));
                Ok(users)
            }
            (Err(error), Some(users)) => {
                tracing::warn!(code = error.code(), "the users of before hold: {error}");
                Ok(Arc::clone(users))
            }
            (Err(error), None) => Err(PageError::of_state(&error)),
        }
    }
}

/// What a session remembers of a password.
fn fingerprint(kept: &KeptUser) -> TokenHash {
    TokenHash::of(kept.password.as_bytes())
}

/// The other end of a request's connection.
pub(super) fn peer(parts: &Parts) -> IpAddr {
    parts.extensions.get::<Peer>().map_or(IpAddr::from([0, 0, 0, 0]), |Peer(peer)| *peer)
}

/// Why nobody is signed in.
pub(super) type SignInError = GateError<PageError>;

/// What the address of the page may hold.
#[derive(Debug, Deserialize)]
pub struct Wanted {
    next: Option<String>,
}

/// What the form sends.
#[derive(Deserialize)]
pub struct Sent {
    #[serde(default)]
    name: String,
    #[serde(default)]
    password: Zeroizing<String>,
    #[serde(default)]
    next: Option<String>,
}

const TITLE: &str = "Sign in";

async fn form(pages: &Pages, own: &OwnSignIn, name: &str, next: Option<&str>) -> Result<SignIn, PageError> {
    let product = pages.ask(|host| host.product().map(|product| product.name)).await?;
    let hint = match own.users(pages).await?.is_empty() {
        // A page that makes the first administrator would be open to whoever comes first.
        true => "There is no user yet. On the machine that Seatline runs on, add one with `seatline user add NAME`.",
        false => "A user is added on the machine that Seatline runs on, with `seatline user add NAME`.",
    };
    Ok(SignIn {
        server: product.map_or_else(|_| "Licenses".to_owned(), |name| format!("Licenses of {name}")),
        action: pages.href("/sign-in"),
        banner: None,
        name: name.to_owned(),
        next: after_sign_in(next).to_owned(),
        single_sign_on: None,
        hint: hint.into(),
    })
}

fn own(pages: &Pages) -> Result<&OwnSignIn, PageError> {
    match pages.people() {
        People::Own(own) => Ok(own),
        People::Product(_) => Err(PageError::of_status(StatusCode::NOT_FOUND)),
    }
}

/// `GET /sign-in`
pub async fn show(State(pages): State<Pages>, Query(wanted): Query<Wanted>) -> Result<Content, PageError> {
    Ok(Content::new(TITLE, form(&pages, own(&pages)?, "", wanted.next.as_deref()).await?))
}

/// `POST /sign-in`
pub async fn sign_in(
    State(pages): State<Pages>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    Form(sent): Form<Sent>,
) -> Result<Response, PageError> {
    let own = own(&pages)?;
    let next = after_sign_in(sent.next.as_deref());
    let peer = peer.map_or(IpAddr::from([0, 0, 0, 0]), |Extension(Peer(peer))| peer);
    let attempt = Attempt { peer, headers: &headers, name: &sent.name, password: &sent.password };
    let error = match own.check(&pages, attempt).await {
        Ok(kept) => {
            // Whoever signs in anew ends the session of before.
            if let Some(token) = own.cookie.presented(&headers) {
                end(&pages, own, &token);
            }
            let cookie = begin(own, &kept)?;
            let target = pages.href(next);
            return Ok(([(header::SET_COOKIE, cookie)], Redirect::to(&target)).into_response());
        }
        Err(GateError::Store(error)) => return Err(error),
        Err(error) => error,
    };
    let mut form = form(&pages, own, &sent.name, Some(next)).await?;
    let (status, banner) = refusal::of_gate(&error).unzip();
    form.banner = banner;
    Ok(Content::new(TITLE, form).status(status.unwrap_or(StatusCode::UNAUTHORIZED)).into_response())
}

/// `POST /sign-out`
pub async fn sign_out(State(pages): State<Pages>, headers: HeaderMap) -> Result<Response, PageError> {
    let own = own(&pages)?;
    if let Some(token) = own.cookie.presented(&headers) {
        end(&pages, own, &token);
    }
    Ok(([(header::SET_COOKIE, own.cookie.remove())], Redirect::to(&pages.href("/sign-in"))).into_response())
}

fn begin(own: &OwnSignIn, kept: &KeptUser) -> Result<HeaderValue, PageError> {
    let token = random_secret().map_err(|error| {
        tracing::error!(code = "no-randomness", "nobody can sign in: {error}");
        PageError::internal()
    })?;
    let (token_hash, name) = (TokenHash::of(token.as_bytes()), kept.user.name.clone());
    own.sessions.begin(token_hash, name, fingerprint(kept), Moment::now());
    Ok(own.cookie.set(&token, sessions::LIFETIME.as_secs()))
}

fn end(pages: &Pages, own: &OwnSignIn, token: &TokenHash) {
    own.sessions.end(token);
    pages.secure().end(token);
}
