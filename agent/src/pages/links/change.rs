//! Synchronising now (`w6`), replacing the link's key, and removing the link.

use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::Redirect;
use seatline_host::link::{LinkError, RemovedLink};
use seatline_ui::{Prose, Tone};

use super::wizard::PATIENCE;
use crate::pages::fields::Fields;
use crate::pages::{PageError, Pages, Visit};

/// `POST /links/sync`: counts, and exchanges. What takes long goes on after the answer, and the page says so.
pub async fn sync(State(pages): State<Pages>) -> Result<Redirect, PageError> {
    pages.synchronise_in_sight().await?;
    Ok(Redirect::to(&pages.href("/links?done=synchronised")))
}

/// `POST /links/rotate`: replaces the key of the link, and tells the central server, as far as that is quick.
pub async fn rotate(State(pages): State<Pages>, Extension(visit): Extension<Visit>) -> Result<Redirect, PageError> {
    match pages.ask(|host| host.rotate_key()).await? {
        Ok(link) => {
            let user = &visit.visitor.name;
            tracing::info!(central = link.central_url, fingerprint = link.fingerprint, user, "the link has a new key");
        }
        Err(LinkError::Store(error)) => return Err(PageError::of_state(&error)),
        Err(error) => return Err(not_rotated(&error)),
    }
    // What takes longer goes on after the answer, and the page says how far it is.
    let _ = tokio::time::timeout(PATIENCE, pages.ask_long(|host| host.exchange().map(drop))).await;
    Ok(Redirect::to(&pages.href("/links?done=rotated")))
}

fn not_rotated(error: &LinkError) -> PageError {
    let why = Prose::sentence(&error.to_string());
    PageError::new(StatusCode::CONFLICT, "Not done", Tone::Warning, "The key was not replaced", why)
        .way_out("To the application links", "/links")
}

/// `POST /links/remove`: removes the link that the page has shown, and no other that was made since.
pub async fn remove(
    State(pages): State<Pages>,
    Extension(visit): Extension<Visit>,
    sent: Fields,
) -> Result<Redirect, PageError> {
    let shown = sent.get("key").to_owned();
    match pages.ask(move |host| host.remove_link(&shown)).await? {
        Ok(RemovedLink { link, retired, discarded }) => {
            let user = &visit.visitor.name;
            tracing::info!(central = link.central_url, retired, discarded, user, "the link was removed");
            let told = |what: &str, reports| if reports > 0 { format!("&{what}={reports}") } else { String::new() };
            let (retired, discarded) = (told("retired", retired), told("discarded", discarded));
            Ok(Redirect::to(&pages.href(&format!("/links?done=removed{retired}{discarded}"))))
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
