//! My account: who I am, my password, where I am signed in, and my API tokens (`g11`).

use askama::Template;
use axum::Form;
use axum::extract::{Extension, Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};
use seatline_ui::{Banner, Choice, Copyable, Field, Icon, Tone, format};
use seatline_web::Peer;
use seatline_web::password::MIN_PASSWORD;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::administration::tokens::TokenLine;
use super::confirm::refused;
use super::frame::{Section, page_of, page_of_with};
use super::parsed;
use crate::actions::accounts::{AccountError, NewToken};
use crate::auth::{self, SignInError, SignedIn};
use crate::central::ActionError;
use crate::domain::{Area, Role, Scope, Scopes, Session, SessionId, TokenId};
use crate::pages::failure::PageError;
use crate::pages::words;
use crate::server::App;
use crate::store::PageSize;

/// The page.
#[derive(Template)]
#[template(path = "account.html")]
struct AccountPage {
    banner: Option<Banner>,
    name: String,
    role: Role,
    /// Whether there is a password here.
    local: bool,
    signed_in: String,
    sessions: Vec<SessionLine>,
    tokens: Vec<TokenLine>,
    /// The field of the form for the password that was refused, and why.
    error: Option<(&'static str, String)>,
}

/// A session in the list.
struct SessionLine {
    id: SessionId,
    present: bool,
    browser: String,
    address: String,
    begun: String,
    used: String,
    ends: String,
}

impl SessionLine {
    fn new(session: Session, who: &SignedIn) -> Self {
        Self {
            present: who.session().is_some_and(|own| own.id == session.id),
            browser: words::browser(&session.browser),
            address: session.address.to_string(),
            begun: format::date_time(session.created_at),
            used: format::relative(session.last_used_at, who.asked_at),
            ends: format::date_time(session.expires_at),
            id: session.id,
        }
    }
}

impl AccountPage {
    async fn new(app: &App, who: &SignedIn) -> Result<Self, PageError> {
        let account = app.central.account(&who.name).await?;
        let since = app.used_since();
        let sessions = app.central.store().sessions_of(&who.name, who.asked_at, since).await?;
        let size = PageSize::new(PageSize::MAX.into());
        let tokens = app.central.store().api_tokens(Some(&who.name), None, size).await?.items;
        Ok(Self {
            banner: None,
            name: account.name.to_string(),
            role: account.role,
            local: account.password().is_some(),
            signed_in: account.last_sign_in_at.map_or_else(String::new, format::date_time),
            sessions: sessions.into_iter().map(|session| SessionLine::new(session, who)).collect(),
            tokens: tokens.into_iter().map(|token| TokenLine::new(token, who.asked_at, "/account/tokens")).collect(),
            error: None,
        })
    }

    fn fields(&self) -> [Field<'_>; 2] {
        let error = |field| self.error.as_ref().filter(|(at, _)| *at == field).map(|(_, why)| why.as_str());
        [
            Field::password("old", "Present password")
                .hint("The one that you sign in with.")
                .autocomplete("current-password")
                .required()
                .error(error("old")),
            Field::password("new", "New password")
                .hint("At least 12 characters.")
                .autocomplete("new-password")
                .required()
                .error(error("new")),
        ]
    }

    fn has_others(&self) -> bool {
        self.sessions.iter().any(|session| !session.present)
    }
}

/// What was done just before, so that the page can say so.
#[derive(Debug, Deserialize)]
pub struct Done {
    done: Option<String>,
}

/// `GET /account`
pub async fn show(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Query(Done { done }): Query<Done>,
) -> Result<Response, PageError> {
    let banner = match done.as_deref() {
        Some("password") => Some("The password is changed, and all other sessions are ended."),
        Some("ended") => Some("Ended."),
        Some("revoked") => Some("The token is revoked."),
        _ => None,
    };
    let banner = banner.map(|what| Banner::new(Tone::Good, what, ""));
    let page = AccountPage { banner, ..AccountPage::new(&app, &who).await? };
    Ok(page_of(Section::Account, "My account", Some(&who), page))
}

/// What the form for the password sends.
#[derive(Deserialize)]
pub struct Passwords {
    old: Zeroizing<String>,
    new: Zeroizing<String>,
}

/// `POST /account/password`
pub async fn password(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Extension(Peer(peer)): Extension<Peer>,
    headers: HeaderMap,
    Form(sent): Form<Passwords>,
) -> Result<Response, PageError> {
    let changed = auth::change_password(&app.gate, &app.central, peer, &headers, &who, (&sent.old, &sent.new)).await;
    let (status, banner, error) = match changed {
        Ok(()) => return Ok(Redirect::to("/account?done=password").into_response()),
        Err(SignInError::Account(AccountError::Action(ActionError::Invalid { reason, .. }))) => {
            (StatusCode::UNPROCESSABLE_ENTITY, None, Some(("new", reason)))
        }
        Err(error) => {
            let (status, banner) = refused(error)?;
            (status, Some(banner), None)
        }
    };
    let page = AccountPage { banner, error, ..AccountPage::new(&app, &who).await? };
    Ok(page_of_with(status, Section::Account, "My account", Some(&who), page))
}

/// `POST /account/sessions/{session}/end`
pub async fn end(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Path(session): Path<String>,
) -> Result<Redirect, PageError> {
    let id: SessionId = parsed(&session, "session")?;
    app.central.end_session(&who.actor(), &who.name, &id).await?;
    Ok(Redirect::to("/account?done=ended"))
}

/// `POST /account/sessions/end-others`
pub async fn end_others(State(app): State<App>, Extension(who): Extension<SignedIn>) -> Result<Redirect, PageError> {
    let present = who.session().map(|session| &session.id);
    app.central.end_sessions(&who.actor(), &who.name, present).await?;
    Ok(Redirect::to("/account?done=ended"))
}

/// The form that makes a token, and the token that was made.
#[derive(Template)]
#[template(path = "token_new.html")]
struct TokenPage {
    role: Role,
    sent: TokenSent,
    error: Option<(&'static str, String)>,
    made: Option<(Copyable, String)>,
}

/// What the form of a token sends.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct TokenSent {
    label: String,
    area: String,
    right: String,
    days: String,
}

impl TokenPage {
    fn fields(&self) -> [Field<'_>; 4] {
        let error = |field| self.error.as_ref().filter(|(at, _)| *at == field).map(|(_, why)| why.as_str());
        let areas =
            Area::ALL.into_iter().map(|area| Choice { value: area.name(), label: format::capitalised(area.name()) });
        let everywhere = Choice { value: "", label: "Everything that I may".to_owned() };
        let rights = [
            ("read", "Read", Role::Viewer),
            ("operate", "Operate", Role::Operator),
            ("administer", "Administer", Role::Administrator),
        ];
        let rights = rights.into_iter().filter(|(.., least)| *least <= self.role);
        let lives = [("30", "30 days"), ("90", "90 days"), ("365", "A year"), ("", "Never")];
        [
            Field::text("label", "What it is for")
                .hint("Such as nightly export. It stands in the audit log.")
                .value(&self.sent.label)
                .required()
                .wide()
                .error(error("label")),
            Field::select("area", "Area", [everywhere].into_iter().chain(areas).collect()).value(&self.sent.area),
            Field::select(
                "right",
                "Right",
                rights.map(|(value, label, _)| Choice { value, label: label.to_owned() }).collect(),
            )
            .hint("It never may more than you may at that moment.")
            .value(&self.sent.right)
            .error(error("scopes")),
            Field::select(
                "days",
                "Ends after",
                lives.into_iter().map(|(value, label)| Choice { value, label: label.to_owned() }).collect(),
            )
            .value(&self.sent.days)
            .error(error("days")),
        ]
    }
}

impl TokenSent {
    fn scopes(&self) -> Result<Scopes, ActionError> {
        let scope = if self.area.is_empty() { self.right.clone() } else { format!("{}:{}", self.area, self.right) };
        let scope: Scope = scope.parse().map_err(|error| ActionError::invalid("scopes", error))?;
        Scopes::new([scope]).map_err(|error| ActionError::invalid("scopes", error))
    }

    fn days(&self) -> Result<Option<u32>, ActionError> {
        let days = Some(self.days.as_str()).filter(|days| !days.is_empty());
        days.map(|days| days.parse().map_err(|_| ActionError::invalid("days", "choose one of them"))).transpose()
    }
}

/// `GET /account/tokens/new`
pub async fn new_token(Extension(who): Extension<SignedIn>) -> Response {
    let sent = TokenSent { days: "90".to_owned(), ..TokenSent::default() };
    let page = TokenPage { role: who.role, sent, error: None, made: None };
    page_of(Section::Account, "Make an API token", Some(&who), page)
}

/// `POST /account/tokens`: the token is shown in the answer, and nowhere again.
pub async fn create_token(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Form(sent): Form<TokenSent>,
) -> Result<Response, PageError> {
    let made = async {
        let new = NewToken { label: sent.label.trim(), scopes: sent.scopes()?, days: sent.days()? };
        app.central.create_token(&who.actor(), &who.name, new).await
    };
    let page = TokenPage { role: who.role, sent: TokenSent::default(), error: None, made: None };
    let (status, page) = match made.await {
        Ok((token, kept)) => {
            let made = Some((Copyable::new("API token", token.as_str()), kept.scopes.to_string()));
            (StatusCode::OK, TokenPage { made, ..page })
        }
        Err(ActionError::Invalid { field, reason }) => {
            (StatusCode::UNPROCESSABLE_ENTITY, TokenPage { sent, error: Some((field, reason)), ..page })
        }
        Err(error) => return Err(error.into()),
    };
    Ok(page_of_with(status, Section::Account, "Make an API token", Some(&who), page))
}

/// `POST /account/tokens/{token}/revoke`
pub async fn revoke_token(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Path(token): Path<String>,
) -> Result<Redirect, PageError> {
    let id: TokenId = parsed(&token, "API token")?;
    app.central.revoke_token(&who.actor(), &id, Some(&who.name)).await?;
    Ok(Redirect::to("/account?done=revoked"))
}

const PLUS: Icon = Icon::Plus;
const _: () = assert!(MIN_PASSWORD == 12, "the hint names it");
