//! The door of the link. It is open to everybody, so whatever comes costs little until its seal holds: a request is
//! refused by its announced size, holds a share of a fixed budget of memory while it is read, and has little time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt as _;
use seatline_protocol::ExchangeResponse;
use seatline_protocol::exchange::{MAX_REQUEST_BYTES, RefusalCode};
use seatline_web::Repeated;
use seatline_web::rate::block;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::exchange::{ExchangeError, exchange, parse};
use super::{Toll, strangers};
use crate::auth::address;
use crate::server::App;

/// How long a request of a product may take to come whole.
const BODY_TIME: Duration = Duration::from_secs(15);
/// How many bytes the requests that are being answered may have together.
const BUDGET_BYTES: usize = 128 * 1024 * 1024;
/// How much of it a request holds before more than that has come.
const FIRST_BYTES: usize = 64 * 1024;
/// The unit in which the budget is handed out: also what the smallest request costs.
const UNIT_BYTES: usize = 4 * 1024;
/// After how many seconds a product that was turned away should come again.
const RETRY_SECONDS: i64 = 10;

/// What the door gives to those who come: memory while they are answered, and time to say what they want.
#[derive(Debug, Clone)]
pub struct Door {
    memory: Arc<Semaphore>,
    pub(super) body_time: Duration,
}

impl Default for Door {
    fn default() -> Self {
        Self::new(BUDGET_BYTES, BODY_TIME)
    }
}

impl Door {
    /// A door for requests of so many bytes together, each of which comes whole in that time.
    pub fn new(budget_bytes: usize, body_time: Duration) -> Self {
        Self { memory: Arc::new(Semaphore::new(budget_bytes / UNIT_BYTES)), body_time }
    }

    /// A share of the memory for a request of `bytes`; it is given back when it is dropped.
    fn share(&self, bytes: usize) -> Result<OwnedSemaphorePermit, ExchangeError> {
        let units = u32::try_from(bytes.div_ceil(UNIT_BYTES).max(1)).map_err(|_| ExchangeError::TooLarge)?;
        Arc::clone(&self.memory).try_acquire_many_owned(units).map_err(|_| ExchangeError::Busy)
    }
}

/// `POST /link/v1/exchange`.
pub async fn handle(State(app): State<App>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let began = Instant::now();
    let from = block(address(&app, &parts));
    let mut toll = Toll::of(&app, from);
    let result = match strangers::held_up(&app, from) {
        None => answer(&app, &parts.headers, body, &mut toll).await,
        Some(flood) => Err(flood),
    };
    app.metrics.counters.exchanged(began, &result);
    strangers::count(&app, from, &toll, &result);
    match result {
        Ok(response) => Json(response).into_response(),
        Err(error) => {
            if let ExchangeError::Store(cause) = &error {
                static NOT_STORED: Repeated = Repeated::new();
                if let Some(left_out) = NOT_STORED.due() {
                    tracing::error!(left_out, "an exchange was not stored: {cause}");
                }
            }
            error.into_response()
        }
    }
}

async fn answer(
    app: &App,
    headers: &HeaderMap,
    body: Body,
    toll: &mut Toll<'_>,
) -> Result<ExchangeResponse, ExchangeError> {
    // Without an announced length the request may become as long as any.
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let bytes = announced.unwrap_or(MAX_REQUEST_BYTES);
    if bytes > MAX_REQUEST_BYTES {
        return Err(ExchangeError::TooLarge);
    }
    let read = tokio::time::timeout(app.door.body_time, read(&app.door, body, bytes)).await;
    let (body, share) = read.map_err(|_| ExchangeError::Slow)??;
    let request = parse(&body)?;
    drop(body);
    toll.enter(request.documents()).await?;
    let response = exchange(&app.central, request, toll).await;
    drop(share);
    response
}

/// The body of a request that announces so many bytes, with its share of the memory. What is announced and not sent
/// holds [`FIRST_BYTES`] at the most: a few connections that send nothing would otherwise hold all of it, and keep
/// everybody out.
async fn read(door: &Door, body: Body, announced: usize) -> Result<(Vec<u8>, OwnedSemaphorePermit), ExchangeError> {
    let mut room = announced.min(FIRST_BYTES);
    let mut share = door.share(room)?;
    let mut bytes = Vec::with_capacity(room);
    let mut body = std::pin::pin!(body);
    while let Some(frame) = body.as_mut().frame().await {
        let frame = frame.map_err(|_| ExchangeError::Malformed("it broke off".to_owned()))?;
        let Ok(data) = frame.into_data() else { continue };
        let needed = bytes.len() + data.len();
        if needed > MAX_REQUEST_BYTES {
            return Err(ExchangeError::TooLarge);
        }
        if needed > room {
            let more = needed.max(2 * room).min(MAX_REQUEST_BYTES) - room;
            share.merge(door.share(more)?);
            room += more;
        }
        bytes.extend_from_slice(&data);
    }
    Ok((bytes, share))
}

impl IntoResponse for ExchangeError {
    fn into_response(self) -> Response {
        let status = match self.code() {
            RefusalCode::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            // Whoever is to come again later hears it in one way, whyever it is: that is what products know.
            RefusalCode::Unavailable | RefusalCode::TooManyDocuments => StatusCode::SERVICE_UNAVAILABLE,
            _ if matches!(self, Self::Slow) => StatusCode::REQUEST_TIMEOUT,
            _ => StatusCode::BAD_REQUEST,
        };
        let mut response = (status, Json(self.response())).into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            let seconds = match self {
                Self::Flood { seconds } | Self::TooMany { seconds } => seconds,
                _ => RETRY_SECONDS,
            };
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}
