//! A new link (`w3`): an invite is pasted, or arrives behind the `#` of the address, where no server sees it; the
//! administrator looks at whom it links to and what will be sent, and confirms.
//!
//! An invite is a secret: it stands in no address and no log, and in the one page that sends it on.

use std::time::Duration;

use askama::Template;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use jiff::Timestamp;
use seatline_host::Host;
use seatline_host::exchange::ExchangeError;
use seatline_host::link::{LinkError, LinkFacts, OpenedInvite};
use seatline_protocol::report::ProductFacts;
use seatline_ui::{Banner, Field, Tone, When};
use zeroize::Zeroizing;

use crate::pages::fields::Fields;
use crate::pages::{Content, PageError, Pages, Place, Visit, now};

/// How long the answer waits for the central server's, so that most people see it at once.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// The page where an invite is pasted.
#[derive(Template)]
#[template(path = "links/new.html")]
struct NewPage {
    back: String,
    review: String,
    /// Where the product is linked to already.
    linked: Option<String>,
    error: Option<String>,
}

impl NewPage {
    fn field(&self) -> Field<'_> {
        let hint =
            "The whole text that the central server shows under Create invite. Line breaks and spaces do no harm.";
        Field::area("invite", "Invite").hint(hint).error(self.error.as_deref()).required().from_fragment()
    }

    fn of(pages: &Pages, link: Option<LinkFacts>, error: Option<String>) -> Content {
        let page = Self {
            back: pages.href("/links"),
            review: pages.href("/links/review"),
            linked: link.map(|link| format!("{} at {}", link.central_name, link.central_url)),
            error,
        };
        Content::new("New link", page).at(Place::Links)
    }
}

/// The page that shows whom an invite links to.
#[derive(Template)]
#[template(path = "links/review.html")]
struct ReviewPage {
    back: String,
    accept: String,
    invite: Zeroizing<String>,
    central_name: String,
    central_url: String,
    fingerprint: String,
    application: Option<String>,
    expires: When,
    product: String,
    server_id: String,
    nodes: String,
}

impl ReviewPage {
    fn new(
        pages: &Pages,
        invite: Zeroizing<String>,
        opened: OpenedInvite,
        product: &ProductFacts,
        now: Timestamp,
    ) -> Self {
        let nodes: Vec<&str> = product.nodes.iter().map(|node| node.id.as_str()).collect();
        let edition = product.edition.as_deref().map(|edition| format!(", {edition}")).unwrap_or_default();
        Self {
            back: pages.href("/links/new"),
            accept: pages.href("/links/accept"),
            invite,
            fingerprint: opened.central_key.fingerprint(),
            expires: When { at: opened.invite.expires_at, now },
            central_name: opened.invite.central_name.clone(),
            central_url: opened.invite.central_url.clone(),
            application: opened.invite.application.clone(),
            product: format!("{} {}{edition} ({})", product.name, product.version, product.id),
            server_id: product.server_id.to_string(),
            nodes: nodes.join(", "),
        }
    }
}

/// `GET /links/new`
pub async fn show(State(pages): State<Pages>) -> Result<Content, PageError> {
    new_page(&pages, None).await
}

async fn new_page(pages: &Pages, error: Option<String>) -> Result<Content, PageError> {
    let link = pages.ask(|host| host.link()).await?.map_err(|error| PageError::of_state(&error))?;
    Ok(NewPage::of(pages, link, error))
}

/// The page with why an invite was not taken. The invite itself does not go back into it.
async fn refused(pages: &Pages, error: &LinkError) -> Result<Content, PageError> {
    match error {
        LinkError::Store(error) => Err(PageError::of_state(error)),
        LinkError::AlreadyLinked { .. } => Ok(new_page(pages, None).await?.status(StatusCode::CONFLICT)),
        error => Ok(new_page(pages, Some(error.to_string())).await?.status(StatusCode::UNPROCESSABLE_ENTITY)),
    }
}

/// `POST /links/review`: nothing is sent or kept.
pub async fn review(State(pages): State<Pages>, sent: Fields) -> Result<Content, PageError> {
    let invite = Zeroizing::new(sent.get("invite").to_owned());
    let pasted = invite.clone();
    let looked = pages.ask(move |host| (host.open_invite(&pasted), host.product()));
    let (opened, product) = match looked.await? {
        (Ok(opened), Ok(product)) => (opened, product),
        (Err(error), _) => return refused(&pages, &error).await,
        (_, Err(error)) => return Err(PageError::of_host(&error)),
    };
    let page = ReviewPage::new(&pages, invite, opened, &product, now());
    Ok(Content::new("Review the link", page).at(Place::Links))
}

/// `POST /links/accept`
pub async fn accept(
    State(pages): State<Pages>,
    Extension(visit): Extension<Visit>,
    sent: Fields,
) -> Result<Response, PageError> {
    let pasted = Zeroizing::new(sent.get("invite").to_owned());
    let made = pages.ask(move |host| host.open_invite(&pasted).and_then(|opened| host.accept_invite(&opened)));
    let link = match made.await? {
        Ok(link) => link,
        Err(error) => return Ok(refused(&pages, &error).await?.into_response()),
    };
    tracing::info!(central = link.central_url, user = visit.visitor.name, "the product was linked");
    // What takes longer goes on after the answer, and the page of the link says what came of it.
    if let Ok(joined) = tokio::time::timeout(PATIENCE, pages.ask_long(move |host| join(host, &link))).await
        && let Err(why) = joined?
    {
        let content = new_page(&pages, Some(why)).await?.status(StatusCode::UNPROCESSABLE_ENTITY);
        return Ok(content.into_response());
    }
    Ok(Redirect::to(&pages.href("/links?done=linked")).into_response())
}

/// Sends the join. One that the central server has refused for good leaves no link behind: it would never come into
/// force.
fn join(host: &Host, link: &LinkFacts) -> Result<(), String> {
    let Err(ExchangeError::JoinRefused(refusal)) = host.exchange() else { return Ok(()) };
    host.remove_link(&link.fingerprint).map_err(|error| error.to_string())?;
    Err(format!("the central server refused the join, so there is no link: {}", refusal.message))
}
