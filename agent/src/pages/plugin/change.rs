//! Holding reports and approving them, and a plugin that waits for approval (`b6`).

use axum::extract::{Extension, FromRequest, Multipart, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use seatline_host::held::{HoldError, Which};
use seatline_host::plugins::PluginError;
use seatline_protocol::Digest;
use seatline_ui::{Prose, Tone};

use super::page_with_refusal;
use crate::pages::fields::Fields;
use crate::pages::{PageError, Pages, Visit};

fn done(pages: &Pages, what: &str) -> Redirect {
    Redirect::to(&pages.href(&format!("/plugin?done={what}")))
}

/// That something is not as the sender saw it.
fn not_so(why: &str) -> PageError {
    let why = Prose::sentence(why);
    PageError::new(StatusCode::CONFLICT, "Not done", Tone::Warning, "Nothing was changed", why)
        .way_out("To the plugin", "/plugin")
}

fn of_hold(error: HoldError) -> PageError {
    match error {
        HoldError::Store(error) => PageError::of_state(&error),
        error => not_so(&error.to_string()),
    }
}

fn of_plugin(error: &PluginError) -> PageError {
    match error {
        PluginError::Io { .. } | PluginError::Damaged { .. } => {
            PageError::unavailable(error.code(), &error.to_string())
        }
        error => not_so(&error.to_string()),
    }
}

/// What the sender of a form has looked at, by the digest that it names.
pub struct Seen(Digest);

impl<S: Send + Sync> FromRequest<S> for Seen {
    type Rejection = PageError;

    async fn from_request(request: Request, state: &S) -> Result<Self, PageError> {
        let sent = Fields::from_request(request, state).await?;
        let rule = "the form names no digest: go back to the page of the plugin, and send it from there";
        let digest = sent.get("digest").trim().parse();
        digest.map(Self).map_err(|_| PageError::invalid(rule).way_out("To the plugin", "/plugin"))
    }
}

/// `POST /plugin/hold`: holds reports, or lets them leave by themselves again.
pub async fn hold(
    State(pages): State<Pages>,
    Extension(visit): Extension<Visit>,
    sent: Fields,
) -> Result<Redirect, PageError> {
    let on = match sent.get("hold") {
        "on" => true,
        "off" => false,
        _ => {
            let rule =
                "the form says neither `on` nor `off`: go back to the page of the plugin, and send it from there";
            return Err(PageError::invalid(rule).way_out("To the plugin", "/plugin"));
        }
    };
    pages.ask(move |host| host.hold_reports(on)).await?.map_err(of_hold)?;
    tracing::info!(on, user = visit.visitor.name, "the hold of reports was switched");
    Ok(done(&pages, if on { "held" } else { "released" }))
}

/// `POST /plugin/report/approve`: the report that was looked at, and those before it.
pub async fn approve_report(
    State(pages): State<Pages>,
    Extension(visit): Extension<Visit>,
    Seen(digest): Seen,
) -> Result<Redirect, PageError> {
    let which = Which::Of(digest.clone());
    let approved = pages.ask(move |host| host.approve_reports(&which)).await?.map_err(of_hold)?;
    tracing::info!(%digest, reports = approved.len(), user = visit.visitor.name, "reports were approved");
    Ok(done(&pages, "approved"))
}

/// `POST /plugin/report/discard`
pub async fn discard_report(
    State(pages): State<Pages>,
    Extension(visit): Extension<Visit>,
    Seen(digest): Seen,
) -> Result<Redirect, PageError> {
    let which = Which::Of(digest.clone());
    pages.ask(move |host| host.discard_reports(&which)).await?.map_err(of_hold)?;
    tracing::info!(%digest, user = visit.visitor.name, "a report was discarded");
    Ok(done(&pages, "discarded"))
}

/// `POST /plugin/offer`: a plugin as a file. It is tried, and waits; nothing that runs is changed.
pub async fn offer(
    State(pages): State<Pages>,
    Extension(visit): Extension<Visit>,
    mut parts: Multipart,
) -> Result<Response, PageError> {
    let mut bytes = Vec::new();
    let refused = |error: axum::extract::multipart::MultipartError| PageError::of_status(error.status());
    while let Some(part) = parts.next_field().await.map_err(refused)? {
        if part.name() == Some("file") {
            bytes = part.bytes().await.map_err(refused)?.to_vec();
        }
    }
    if bytes.is_empty() {
        let refused = page_with_refusal(&pages, &visit, "choose the file of a plugin first".to_owned());
        return Ok(refused.await?.into_response());
    }
    let offered = pages.ask_long(move |host| Ok((host.plugins().offer(&bytes, host.now()?)?.waiting,)));
    let offered: Result<_, seatline_host::HostError> = offered.await?;
    match offered {
        Ok((waiting,)) => {
            let digest = waiting.map(|waiting| waiting.digest.to_string());
            tracing::info!(digest, user = visit.visitor.name, "a plugin was offered");
            Ok(done(&pages, "offered").into_response())
        }
        Err(error) => Ok(page_with_refusal(&pages, &visit, error.to_string()).await?.into_response()),
    }
}

/// `POST /plugin/approve`: installs the plugin that waits, with all that it asks for.
pub async fn approve(
    State(pages): State<Pages>,
    Extension(visit): Extension<Visit>,
    Seen(digest): Seen,
) -> Result<Redirect, PageError> {
    let approved = digest.clone();
    let installed = pages.ask_long(move |host| {
        let now = host.now().map_err(|error| PageError::of_state(&error))?;
        host.plugins().approve(&approved, now).map_err(|error| of_plugin(&error))
    });
    installed.await??;
    tracing::info!(%digest, user = visit.visitor.name, "a plugin was approved and installed");
    Ok(done(&pages, "installed"))
}

/// `POST /plugin/decline`
pub async fn decline(
    State(pages): State<Pages>,
    Extension(visit): Extension<Visit>,
    Seen(digest): Seen,
) -> Result<Redirect, PageError> {
    let declined = digest.clone();
    let declined = pages.ask(move |host| host.plugins().decline(&declined).map_err(|error| of_plugin(&error)));
    declined.await??;
    tracing::info!(%digest, user = visit.visitor.name, "a plugin was declined");
    Ok(done(&pages, "declined"))
}
