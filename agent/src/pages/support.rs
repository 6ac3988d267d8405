//! Support (`s11`): the Support Information File, where the license entitles to support.

use askama::Template;
use axum::extract::{Extension, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use jiff::Timestamp;
use seatline_ui::{Banner, Copyable, Tone, When};

use super::download::download;
use super::{Content, PageError, Pages, Place, Visit, now};
use crate::support_file::SupportFile;

/// The page.
#[derive(Template)]
#[template(path = "support/page.html")]
struct SupportPage {
    banners: Vec<Banner>,
    until: Option<When>,
    is_entitled: bool,
    file: String,
    system: String,
    request: String,
    content: Option<Copyable>,
}

/// Whether the license entitles to support now, and until when its maintenance lasts.
async fn entitlement(pages: &Pages) -> Result<(bool, Option<Timestamp>), PageError> {
    let live = pages.ask(|host| host.live()).await?.map_err(|error| PageError::of_host(&error))?;
    let until = live.standing.governing().and_then(|license| license.maintenance_until);
    Ok((live.standing.support, until))
}

async fn made(pages: &Pages) -> Result<(String, String), PageError> {
    let now = now();
    let file = pages.ask(move |host| SupportFile::of(host, now)).await?;
    let text = file.to_text().map_err(|_| PageError::internal())?;
    Ok((file.name(), text))
}

/// `GET /support`. Whoever comes without being entitled is told so.
pub async fn show(State(pages): State<Pages>, Extension(visit): Extension<Visit>) -> Result<Content, PageError> {
    let (is_entitled, until) = entitlement(&pages).await?;
    let mut banners = Vec::new();
    let mut content = None;
    if !is_entitled {
        let why = "The license that governs this product does not entitle to the vendor's support, or its maintenance has \
                   ended. Ask the vendor for one that does.";
        banners.push(Banner::new(Tone::Info, "Support is not included", why));
    } else if visit.is_administrator() {
        content = Some(Copyable::new("Support Information File", made(&pages).await?.1.trim_end()).prose());
    }
    let page = SupportPage {
        banners,
        until: until.map(|at| When { at, now: now() }),
        is_entitled,
        file: pages.href("/support/file"),
        system: pages.href("/system"),
        request: pages.href("/license/request"),
        content,
    };
    Ok(Content::new("Support", page).at(Place::Support))
}

/// `GET /support/file`
pub async fn file(State(pages): State<Pages>, Extension(visit): Extension<Visit>) -> Result<Response, PageError> {
    if !entitlement(&pages).await?.0 {
        return Ok(Redirect::to(&pages.href("/support")).into_response());
    }
    let (name, text) = made(&pages).await?;
    tracing::info!(user = visit.visitor.name, "the support information file was downloaded");
    Ok(download("application/json", &name, text))
}
