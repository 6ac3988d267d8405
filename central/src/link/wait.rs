//! `POST /link/v1/wait`: a product waits for news (`w6`).
//!
//! Strangers hold no connection: the seal is opened first, and a request without one is answered at once. Each link has
//! one place, and there is a bound for all of them; who finds none comes again later, and reports at its interval
//! meanwhile.

use std::time::Duration;

use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use seatline_protocol::exchange::RefusalCode;
use seatline_protocol::wait::{MAX_CLOCK_DIFFERENCE, MAX_REQUEST_BYTES};
use seatline_protocol::{ExchangeResponse, LinkId, Refusal, Wait, WaitRequest, text};
use seatline_web::rate::block;
use tokio::time::{Instant, timeout_at};

use super::exchange::ExchangeError;
use super::reports::{Senders, addressed, reason};
use super::waiting::{Ticket, Woken};
use super::{Toll, removed, strangers};
use crate::auth::address;
use crate::central::Central;
use crate::domain::LinkState;
use crate::server::App;
use crate::store::News;

/// `POST /link/v1/wait`
pub async fn handle(State(app): State<App>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let from = block(address(&app, &parts));
    let mut toll = Toll::of(&app, from);
    let result = match strangers::held_up(&app, from) {
        Some(flood) => Err(flood),
        None => wished(&app, body, &mut toll).await,
    };
    strangers::count(&app, from, &toll, &result);
    result.map_or_else(ExchangeError::into_response, |response| Json(response).into_response())
}

async fn wished(app: &App, body: Body, toll: &mut Toll<'_>) -> Result<ExchangeResponse, ExchangeError> {
    let wish = read(body, app.door.body_time).await?;
    toll.enter(std::iter::once(wish.wait.as_str())).await?;
    answer(&app.central, &wish, toll).await
}

async fn read(body: Body, time: Duration) -> Result<WaitRequest, ExchangeError> {
    let read = tokio::time::timeout(time, to_bytes(body, MAX_REQUEST_BYTES)).await;
    let bytes = read.map_err(|_| ExchangeError::Slow)?.map_err(|_| ExchangeError::TooLarge)?;
    serde_json::from_slice(&bytes).map_err(|error| ExchangeError::Malformed(text::line(&error.to_string(), 200)))
}

/// Answers a product that waits, as soon as there is news.
///
/// # Errors
/// Where all places are taken, or the store cannot be asked: then it should come again later.
async fn answer(
    central: &Central,
    request: &WaitRequest,
    toll: &mut Toll<'_>,
) -> Result<ExchangeResponse, ExchangeError> {
    let mut response = ExchangeResponse::default();
    let mut senders = Senders::default();
    let addressed = addressed::<Wait>(central, &mut senders, toll, &request.wait).await?;
    removed::tell(central, senders.removed, &mut response)?;
    let wait = match addressed.and_then(|addressed| {
        let wait = toll.open(&addressed)?;
        if wait.link == addressed.sender.link { Ok(wait) } else { Err(of(RefusalCode::LinkUnknown)) }
    }) {
        Ok(wait) => wait,
        Err((code, message)) => {
            response.refusals.push(Refusal::new("wait", None, code, &message));
            return Ok(response);
        }
    };
    if wait.issued_at.duration_since(central.now()).abs() > MAX_CLOCK_DIFFERENCE {
        return Ok(refuse(response, RefusalCode::WrongClock));
    }
    let until = Instant::now() + Duration::from_secs(wait.seconds);
    loop {
        // The place first, the look then: news that comes between the two is not missed.
        let ticket = central.waiting().enter(&wait.link).ok_or(ExchangeError::Busy)?;
        central.waiting().watch(central);
        match central.store().standing(&wait.link).await? {
            None => {
                removed::tell_of(central, &wait.link, &mut response).await?;
                return Ok(refuse(response, RefusalCode::LinkRemoved));
            }
            Some(News { state: Some(LinkState::Suspended), .. }) => {
                return Ok(refuse(response, RefusalCode::LinkSuspended));
            }
            Some(News { state: Some(LinkState::Approved), revision, .. }) if revision > Some(wait.revision) => {
                return with_settings(central, &wait.link, response).await;
            }
            Some(_) => {}
        }
        if !is_woken(ticket, until).await {
            return Ok(response);
        }
    }
}

/// Whether there is a reason to look again before the time is over.
async fn is_woken(mut ticket: Ticket, until: Instant) -> bool {
    matches!(timeout_at(until, &mut ticket.woken).await, Ok(Ok(Woken::News)))
}

/// The answer with what the product is told now.
async fn with_settings(
    central: &Central,
    id: &LinkId,
    mut response: ExchangeResponse,
) -> Result<ExchangeResponse, ExchangeError> {
    if let Some(link) = central.store().link(id).await? {
        response.settings = Some(central.sealed_settings(id, &link.settings)?);
    }
    Ok(response)
}

fn of(code: RefusalCode) -> (&'static str, String) {
    (code.name(), reason(code).to_owned())
}

fn refuse(mut response: ExchangeResponse, code: RefusalCode) -> ExchangeResponse {
    response.refusals.push(Refusal::new("wait", None, code.name(), reason(code)));
    response
}
