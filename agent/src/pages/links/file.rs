//! The way without a connection (`g4`): the same documents as online, in files.

use axum::extract::{Extension, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use seatline_host::exchange::ExchangeError;
use seatline_protocol::exchange::{ExchangeResponse, MAX_RESPONSE_BYTES};

use super::page_with_refusal;
use crate::pages::download::download;
use crate::pages::fields::Fields;
use crate::pages::{PageError, Pages, Visit, now};

/// `GET /links/export`: the join until the link is approved, and the oldest waiting reports, as many as one exchange
/// takes. They stay in the outbox.
pub async fn export(State(pages): State<Pages>, Extension(visit): Extension<Visit>) -> Result<Response, PageError> {
    let exported = pages.ask(|host| (host.export_reports(), host.server_id().to_string()));
    let request = match exported.await? {
        (Ok(request), server_id) => (request, server_id),
        (Err(ExchangeError::Store(error)), _) => return Err(PageError::of_state(&error)),
        (Err(_), _) => {
            return Err(PageError::not_found("application link").way_out("To the application links", "/links"));
        }
    };
    let (request, server_id) = request;
    let json = serde_json::to_string(&request).map_err(|_| PageError::internal())?;
    tracing::info!(reports = request.reports.len(), user = visit.visitor.name, "the waiting reports were exported");
    let name = format!("reports-{server_id}-{}.json", now().strftime("%Y%m%d-%H%M%S"));
    Ok(download("application/json", &name, json + "\n"))
}

/// `POST /links/import`: takes the central server's answer.
pub async fn import(
    State(pages): State<Pages>,
    Extension(visit): Extension<Visit>,
    sent: Fields,
) -> Result<Response, PageError> {
    let answer = sent.pasted("answer", "file");
    if answer.trim().is_empty() {
        return refused(&pages, &visit, "choose the file that the central server gave, or paste what is in it").await;
    }
    if answer.len() > MAX_RESPONSE_BYTES {
        return refused(&pages, &visit, "this is not the answer of a central server: none is larger than 1 MiB").await;
    }
    let Ok(response) = serde_json::from_str::<ExchangeResponse>(answer) else {
        return refused(
            &pages,
            &visit,
            "this is not the answer of a central server: it is the file that its import gave",
        )
        .await;
    };
    let outcome = match pages.ask(move |host| host.import_response(&response)).await? {
        Ok(outcome) => outcome,
        Err(ExchangeError::Store(error)) => return Err(PageError::of_state(&error)),
        Err(error) => return refused(&pages, &visit, &error.to_string()).await,
    };
    let (receipts, user) = (outcome.receipts.len(), &visit.visitor.name);
    tracing::info!(receipts, refusals = outcome.refusals.len(), user, "an answer of the central server was imported");
    match outcome.refusals.first() {
        None => Ok(Redirect::to(&pages.href("/links?done=imported")).into_response()),
        Some(refusal) => {
            let why = format!("the central server refused the {}: {}", refusal.document, refusal.message);
            refused(&pages, &visit, &why).await
        }
    }
}

async fn refused(pages: &Pages, visit: &Visit, why: &str) -> Result<Response, PageError> {
    Ok(page_with_refusal(pages, visit, why.to_owned()).await?.into_response())
}
