//! Synchronising now (`w6`), and removing the link.

use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::Redirect;
use seatline_host::link::LinkError;
use seatline_ui::Tone;

use crate::pages::fields::Fields;
use crate::pages::{PageError, Pages, Visit};

/// `POST /links/sync`: counts, and exchanges. What takes long goes on after the answer, and the page says so.
pub async fn sync(State(pages): State<Pages>) -> Result<Redirect, PageError> {
    pages.synchronise_in_sight().await?;
    Ok(Redirect::to(&pages.href("/links?done=synchronised")))
}

/// `POST /links/remove`: removes the link that the page has shown, and no other that was made since.
pub async fn remove(
    State(pages): State<Pages>,
    Extension(visit): Extension<Visit>,
    sent: Fields,
) -> Result<Redirect, PageError> {
    let shown = sent.get("key").to_owned();
    let removed = pages.ask(move |host| match host.link()? {
        Some(link) if link.fingerprint == shown => host.remove_link().map(|retired| (link, retired)),
        _ => Err(LinkError::NotLinked),
    });
    match removed.await? {
        Ok((link, retired)) => {
            tracing::info!(central = link.central_url, retired, user = visit.visitor.name, "the link was removed");
            Ok(Redirect::to(&pages.href("/links?done=removed")))
        }
        Err(LinkError::Store(error)) => Err(PageError::of_state(&error)),
        Err(_) => Err(gone()),
    }
}

/// The link that was meant is not there.
pub(super) fn gone() -> PageError {
    let why = "The link that you saw was removed or made anew meanwhile. Look at what holds now.";
    PageError::new(StatusCode::CONFLICT, "Not done", Tone::Warning, "Nothing was changed", why)
        .way_out("To the application links", "/links")
}
