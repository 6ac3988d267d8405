//! What the History tab and the difference of two reports answer to requests.

use axum::extract::{Extension, Path, Query, State};
use axum::response::Response;
use seatline_protocol::Sequence;
use serde::Deserialize;

use super::{DifferencePage, HistoryTab};
use crate::auth::SignedIn;
use crate::domain::ApplicationId;
use crate::domain::history::Range;
use crate::pages::failure::PageError;
use crate::pages::frame::{Head, Place, page};
use crate::pages::parsed;
use crate::server::App;
use crate::store::PageSize;

/// How far back is looked.
#[derive(Debug, Deserialize)]
pub struct Wanted {
    #[serde(default)]
    range: Option<String>,
}

/// `GET /applications/{id}/history`. A range that is none is the usual one.
pub async fn show(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Path(id): Path<String>,
    Query(Wanted { range }): Query<Wanted>,
) -> Result<Response, PageError> {
    let id: ApplicationId = parsed(&id, "application")?;
    let range = Range::ALL.into_iter().find(|one| Some(one.name()) == range.as_deref()).unwrap_or_default();
    let history = app.central.history(&id, range).await?;
    let head = Head::new(&app.central.licenses(&id).await?, Place::History);
    let title = format!("{} – History", history.application.name);
    Ok(page(&title, Some(&who), format!("{head}\n{}", HistoryTab::new(&history))))
}

/// Which reports are held against each other. Without `from`: the one that is stored before `to`.
#[derive(Debug, Deserialize)]
pub struct Sides {
    from: Option<u64>,
    to: u64,
}

/// `GET /applications/{id}/difference`
pub async fn difference(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Path(id): Path<String>,
    Query(Sides { from, to }): Query<Sides>,
) -> Result<Response, PageError> {
    let view = app.central.licenses(&parsed(&id, "application")?).await?;
    let missing = || PageError::not_found("report");
    let link = view.application.link.clone().ok_or_else(missing)?;
    let sequence = |number: u64| Sequence::try_from(number).map_err(|_| missing());
    let store = app.central.store();
    let reports = store.reports(&link, None, PageSize::default()).await?.items;
    let to = sequence(to)?;
    let from = match from {
        Some(from) => Some(sequence(from)?),
        None => app.central.report_before(&link, to).await?,
    };
    let difference = app.central.difference(&link, from.unwrap_or(to), to).await?;
    let path = format!("/applications/{}", view.application.id);
    let body = DifferencePage::new(&difference, &reports, path).of_first(from.is_none());
    let head = Head::new(&view, Place::Reports);
    Ok(page(&format!("{} – What changed", view.application.name), Some(&who), format!("{head}\n{body}")))
}
