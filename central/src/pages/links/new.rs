//! The way to a new link that no application is chosen for yet: by the product's address, or by an invite that is
//! handed on.

use askama::Template;
use axum::Form;
use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use axum::response::{Redirect, Response};
use seatline_protocol::pairing;
use seatline_ui::Field;

use crate::auth::SignedIn;
use crate::pages::details::InviteCard;
use crate::pages::details::wizard::{self, WizardPage, WizardSent};
use crate::pages::frame::{Section, page_of, page_of_with};
use crate::pages::{PageError, parsed};
use crate::server::App;

/// The page.
#[derive(Template, Default)]
#[template(path = "links/new.html")]
struct NewLink {
    invite: Option<InviteCard>,
    address: String,
    error: Option<String>,
}

impl NewLink {
    fn field(&self) -> Field<'_> {
        wizard::field(&self.address, self.error.as_deref())
    }
}

/// `GET /links/new`
pub async fn new_form(Extension(who): Extension<SignedIn>) -> Response {
    page_of(Section::Links, "Link a product", Some(&who), NewLink::default())
}

/// `POST /links/invites`: the invite is shown in the answer, and nowhere again.
pub async fn invite(State(app): State<App>, Extension(who): Extension<SignedIn>) -> Result<Response, PageError> {
    let made = app.central.make_invite(&who.actor(), None).await?;
    let page = NewLink { invite: Some(InviteCard::new(&made, app.central.now())), ..NewLink::default() };
    Ok(page_of(Section::Links, "Link a product", Some(&who), page))
}

/// `POST /links/invites/{invite}/withdraw`
pub async fn withdraw(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Path(id): Path<String>,
) -> Result<Redirect, PageError> {
    app.central.withdraw_invite(&who.actor(), &parsed(&id, "invite")?).await?;
    Ok(Redirect::to("/links?state=invites&done=withdrawn"))
}

/// `POST /links/wizard`
pub async fn wizard(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Form(sent): Form<WizardSent>,
) -> Result<Response, PageError> {
    let url = wizard::trimmed(&sent.address);
    if let Err(why) = pairing::check_url(url) {
        let page = NewLink { address: sent.address.clone(), error: Some(why), ..NewLink::default() };
        return Ok(page_of_with(StatusCode::UNPROCESSABLE_ENTITY, Section::Links, "Link a product", Some(&who), page));
    }
    let made = app.central.make_invite(&who.actor(), None).await?;
    let page = WizardPage::new(("/links", "Links"), url, &made, app.central.now());
    Ok(page_of(Section::Links, "Link a product", Some(&who), page))
}
