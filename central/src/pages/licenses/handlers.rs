//! What the Licenses tab, the list of reports and the exact bytes answer to requests.

use askama::Template;
use axum::extract::{Extension, Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use seatline_protocol::{Digest, LinkId, Sequence};
use seatline_web::address::escape;
use serde::Deserialize;

use super::chain::ChainCards;
use super::{LicensesTab, RefusedLine, ReportLine, seen};
use crate::auth::SignedIn;
use crate::domain::ApplicationId;
use crate::pages::applications::After;
use crate::pages::failure::PageError;
use crate::pages::frame::{Head, Place, page};
use crate::pages::parsed;
use crate::server::App;
use crate::store::PageSize;

/// What the browser has seen already.
#[derive(Debug, Deserialize)]
pub struct Seen {
    seen: Option<String>,
}

/// `GET /applications/{id}/licenses`. To a refresh that would show nothing new the answer is 204, which htmx leaves
/// alone: what somebody has unfolded stays unfolded.
pub async fn show(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Path(id): Path<String>,
    Query(browser): Query<Seen>,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    let (view, reports, refused) = app.central.licenses_with_reports(&parsed(&id, "application")?).await?;
    if headers.contains_key("hx-request") && browser.seen.as_deref() == Some(&seen(&view)) {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let title = format!("{} – Licenses", view.application.name);
    let (head, tab) = (Head::new(&view, Place::Licenses), LicensesTab::new(&view, &reports, &refused));
    Ok(page(&title, Some(&who), format!("{head}\n{tab}")))
}

/// All reports of the application's link, the newest first.
#[derive(Template)]
#[template(path = "all_reports.html")]
pub struct AllReports {
    chain: Option<ChainCards>,
    reports: Vec<ReportLine>,
    refused: Vec<RefusedLine>,
    more: Option<String>,
}

/// `GET /applications/{id}/reports`
pub async fn all(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Path(id): Path<String>,
    Query(After { after }): Query<After>,
) -> Result<Response, PageError> {
    let view = app.central.licenses(&parsed(&id, "application")?).await?;
    let path = format!("/applications/{}", view.application.id);
    let (found, refused) = match &view.application.link {
        Some(link) => {
            let store = app.central.store();
            (Some(store.reports(link, after.as_ref(), PageSize::default()).await?), store.refused_reports(link).await?)
        }
        None => Default::default(),
    };
    let chain = app.central.chain(&view.application.id).await?;
    let next = found.as_ref().and_then(|found| found.next.as_ref());
    let body = AllReports {
        chain: chain.map(|proof| ChainCards::new(&proof, &path, &app.central.public_key())),
        more: next.map(|cursor| format!("{path}/reports?after={}", escape(cursor.as_str()))),
        reports: found.iter().flat_map(|found| &found.items).map(|report| ReportLine::of(report, &path)).collect(),
        refused: refused.iter().map(|report| RefusedLine::of(report, &path)).collect(),
    };
    let head = Head::new(&view, Place::Reports);
    Ok(page(&format!("{} – Reports", view.application.name), Some(&who), format!("{head}\n{body}")))
}

/// `GET /applications/{id}/reports/{sequence}`: the exact bytes of a stored report.
pub async fn bytes(
    State(app): State<App>,
    Path((id, sequence)): Path<(String, String)>,
) -> Result<Response, PageError> {
    let link = link_of(&app, &id).await?;
    let sequence = sequence.parse::<u64>().ok().and_then(|number| Sequence::try_from(number).ok());
    let sequence = sequence.ok_or_else(|| PageError::not_found("report"))?;
    let sealed = app.central.store().sealed_report(&link, sequence).await?;
    Ok(file(sealed.ok_or_else(|| PageError::not_found("report"))?, &format!("report-{sequence}.paseto")))
}

/// `GET /applications/{id}/refused/{hex}`: the exact bytes of a refused report.
pub async fn refused_bytes(
    State(app): State<App>,
    Path((id, hex)): Path<(String, String)>,
) -> Result<Response, PageError> {
    let link = link_of(&app, &id).await?;
    let digest: Digest = parsed(&format!("sha256:{hex}"), "report")?;
    let sealed = app.central.store().sealed_refused_report(&link, &digest).await?;
    let name = format!("refused-{}.paseto", &digest.hex()[..16]);
    Ok(file(sealed.ok_or_else(|| PageError::not_found("report"))?, &name))
}

async fn link_of(app: &App, id: &str) -> Result<LinkId, PageError> {
    let id: ApplicationId = parsed(id, "application")?;
    app.central.application(&id).await?.link.ok_or_else(|| PageError::not_found("report"))
}

/// Sealed bytes as a file to keep: never something that a browser would show as a page.
fn file(sealed: String, name: &str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    (headers, sealed).into_response()
}
