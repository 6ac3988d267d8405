//! The API tokens of all users.

use askama::Template;
use axum::extract::{Extension, Path, Query, State};
use axum::response::{Redirect, Response};
use jiff::Timestamp;
use seatline_ui::{Badge, Banner, Tabs, Tone, format};
use seatline_web::address::escape;

use super::{Listed, Part, tabs};
use crate::auth::SignedIn;
use crate::domain::{ApiToken, TokenId};
use crate::pages::failure::PageError;
use crate::pages::frame::{Section, page_of};
use crate::pages::parsed;
use crate::server::App;
use crate::store::PageSize;

/// A token in a list.
pub struct TokenLine {
    pub(crate) label: String,
    pub(crate) account: String,
    pub(crate) scopes: String,
    pub(crate) created: String,
    pub(crate) used: String,
    pub(crate) ends: Option<String>,
    /// Where its time is over.
    pub(crate) over: Option<Badge>,
    /// Where the form that revokes it posts to.
    pub(crate) revoke: String,
}

impl TokenLine {
    /// The line of `token`; the form that revokes it stands under `base`.
    pub(crate) fn new(token: ApiToken, now: Timestamp, base: &str) -> Self {
        let is_over = token.expires_at.is_some_and(|end| end <= now);
        Self {
            revoke: format!("{base}/{}/revoke", token.id),
            label: token.label,
            account: token.account.to_string(),
            scopes: token.scopes.to_string(),
            created: format::day(token.created_at),
            used: token.last_used_day.map_or_else(|| "never".to_owned(), format::day),
            ends: token.expires_at.map(format::day),
            over: is_over.then(|| Badge::new(Tone::Warning, "Ended")),
        }
    }
}

/// The list.
#[derive(Template)]
#[template(path = "administration/tokens.html")]
struct TokensPage {
    tabs: Tabs,
    banner: Option<Banner>,
    tokens: Vec<TokenLine>,
    more: Option<String>,
}

/// `GET /administration/tokens`
pub async fn list(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Query(Listed { after, done }): Query<Listed>,
) -> Result<Response, PageError> {
    let page = app.central.store().api_tokens(None, after.as_ref(), PageSize::default()).await?;
    let page = TokensPage {
        tabs: tabs(Part::Tokens),
        banner: (done.as_deref() == Some("revoked")).then(|| Banner::new(Tone::Good, "The token is revoked.", "")),
        tokens: page
            .items
            .into_iter()
            .map(|token| TokenLine::new(token, who.asked_at, "/administration/tokens"))
            .collect(),
        more: page.next.map(|next| format!("/administration/tokens?after={}", escape(next.as_str()))),
    };
    Ok(page_of(Section::Administration, "API tokens", Some(&who), page))
}

/// `POST /administration/tokens/{token}/revoke`
pub async fn revoke(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Path(token): Path<String>,
) -> Result<Redirect, PageError> {
    let id: TokenId = parsed(&token, "API token")?;
    app.central.revoke_token(&who.actor(), &id, None).await?;
    Ok(Redirect::to("/administration/tokens?done=revoked"))
}
