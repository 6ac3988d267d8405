//! Reports to the byte (`b6`): decoded, and beside it as they are sent.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use seatline_host::outbox::PendingReport;
use seatline_protocol::Entry;
use seatline_ui::{Copyable, When};

use crate::pages::download::download;
use crate::pages::{PageError, Pages};

/// A report, decoded and as it is sent.
#[derive(Template)]
#[template(path = "plugin/report.html")]
pub struct ReportView {
    number: String,
    made: Option<When>,
    digest: String,
    bytes: String,
    /// The report that it repeats.
    repeats: Option<String>,
    decoded: Copyable,
    sealed: Copyable,
}

impl askama::filters::HtmlSafe for ReportView {}

impl ReportView {
    /// The view of a report and of its exact bytes.
    pub fn of(number: impl Into<String>, report: &PendingReport, made: Option<When>) -> Self {
        let decoded =
            content(&report.sealed).map_or_else(|| "It cannot be decoded.".to_owned(), |report| json(&report));
        Self {
            number: number.into(),
            made,
            digest: report.digest().to_string(),
            repeats: report.repeats.map(|repeats| repeats.to_string()),
            bytes: seatline_ui::format::number(report.sealed.len() as u64),
            decoded: Copyable::new("Decoded report", decoded).prose(),
            sealed: Copyable::new("Report as it is sent", &*report.sealed),
        }
    }
}

/// What a report says: read from its exact bytes, whose seal is not looked at, because this instance has made it.
fn content(sealed: &str) -> Option<Entry> {
    /// The signature behind the message.
    const SIGNATURE: usize = 64;
    let body = sealed.strip_prefix("v4.public.")?.split('.').next()?;
    let bytes = URL_SAFE_NO_PAD.decode(body).ok()?;
    serde_json::from_slice(bytes.get(..bytes.len().checked_sub(SIGNATURE)?)?).ok()
}

fn json(report: &Entry) -> String {
    serde_json::to_string_pretty(report).unwrap_or_else(|error| error.to_string())
}

/// The last report as a file made of `content`, or the way back where there is none.
async fn last(
    pages: &Pages,
    content_type: &'static str,
    ending: &str,
    content: impl FnOnce(PendingReport) -> Option<String>,
) -> Result<Response, PageError> {
    let report = pages.ask(|host| host.last_report()).await?.map_err(|error| PageError::of_state(&error))?;
    let Some(report) = report else { return Ok(Redirect::to(&pages.href("/plugin")).into_response()) };
    let name = format!("report-{}.{ending}", report.sequence);
    let content = content(report).ok_or_else(PageError::internal)?;
    Ok(download(content_type, &name, content))
}

/// `GET /plugin/last.token`: the exact bytes of the last report.
pub async fn last_token(State(pages): State<Pages>) -> Result<Response, PageError> {
    last(&pages, "text/plain; charset=utf-8", "token", |report| Some(report.sealed)).await
}

/// `GET /plugin/last.json`: what the last report says.
pub async fn last_json(State(pages): State<Pages>) -> Result<Response, PageError> {
    last(&pages, "application/json", "json", |report| Some(json(&content(&report.sealed)?) + "\n")).await
}
