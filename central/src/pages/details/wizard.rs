//! The wizard from this side (`w3`): an administrator enters the address of the product, and his browser takes the
//! invite there.
//!
//! This server never fetches the address. The invite stands behind the `#` of a link that he follows himself: it
//! reaches no server's log, and nobody is sent anywhere by an answer of this server.

use askama::Template;
use axum::Form;
use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use seatline_protocol::pairing;
use seatline_ui::{Copyable, Field, format};
use serde::Deserialize;

use crate::actions::links::MadeInvite;
use crate::auth::SignedIn;
use crate::domain::ApplicationId;
use crate::pages::failure::PageError;
use crate::pages::frame::{page, page_with};
use crate::pages::parsed;
use crate::server::App;

/// The path of the page that takes an invite, under the address of the product's Seatline pages.
const CONFIRM_PATH: &str = "/links/new";

/// What the form sends.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct WizardSent {
    /// Where the pages of Seatline are at the product.
    pub address: String,
}

/// The form that asks for the address.
pub fn field<'f>(value: &'f str, error: Option<&'f str>) -> Field<'f> {
    Field::url("address", "Address of the product's Seatline pages")
        .hint("Such as https://wiki.example.org:8096. This server never fetches it: your browser goes there.")
        .value(value)
        .error(error)
        .required()
}

/// The page that leads to the product.
#[derive(Template)]
#[template(path = "wizard.html")]
pub struct WizardPage {
    back: String,
    application: String,
    /// Whose page it leads to, in short.
    host: String,
    href: String,
    invite: Copyable,
    expires: String,
    fingerprint: String,
}

/// The page that asks again.
#[derive(Template)]
#[template(path = "wizard_refused.html")]
struct RefusedPage {
    back: String,
    action: String,
    application: String,
    url: String,
    why: String,
}

impl RefusedPage {
    fn field(&self) -> Field<'_> {
        field(&self.url, Some(&self.why))
    }
}

impl WizardPage {
    /// The page that leads to the product at `url`, and back to the page of an address and name.
    pub fn new((back, name): (&str, &str), url: &str, made: &MadeInvite, now: Timestamp) -> Self {
        let authority = url.split_once("://").map_or(url, |(_, rest)| rest);
        Self {
            back: back.to_owned(),
            application: name.to_owned(),
            host: authority.split('/').next().unwrap_or(authority).to_owned(),
            href: format!("{url}{CONFIRM_PATH}#invite={}", made.invite),
            invite: Copyable::new("Text of the invite", made.invite.as_str()),
            expires: format!("{} ({})", format::date_time(made.expires_at), format::relative(made.expires_at, now)),
            fingerprint: made.fingerprint.clone(),
        }
    }
}

/// The address of a product's pages, also where somebody gave that of the page which takes the invite.
pub fn trimmed(address: &str) -> &str {
    address.trim().trim_end_matches('/').trim_end_matches(CONFIRM_PATH)
}

/// `POST /applications/{id}/wizard`
pub async fn begin(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Path(id): Path<String>,
    Form(sent): Form<WizardSent>,
) -> Result<Response, PageError> {
    let id: ApplicationId = parsed(&id, "application")?;
    let application = app.central.application(&id).await?;
    let url = trimmed(&sent.address);
    if let Err(why) = pairing::check_url(url) {
        let refused = RefusedPage {
            back: format!("/applications/{id}"),
            action: format!("/applications/{id}/wizard"),
            application: application.name.to_string(),
            url: sent.address.clone(),
            why,
        };
        return Ok(page_with(StatusCode::UNPROCESSABLE_ENTITY, "Link a product", Some(&who), refused));
    }
    let made = app.central.make_invite(&who.actor(), Some(&id)).await?;
    let back = format!("/applications/{id}");
    let shown = WizardPage::new((&back, application.name.as_str()), url, &made, app.central.now());
    Ok(page("Link a product", Some(&who), shown))
}
