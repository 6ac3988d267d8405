//! The log of requests: what was asked, by whom, how it was answered and how long that took.
//!
//! What changes something or is refused is logged at `info`, the rest at `debug`: a product that asks for a feature at
//! every turn fills no disk. A line holds the path and never the query, no header and no body, so no secret that was
//! sent reaches the log. Every line that is logged on the way has the request's id, which the answer carries as
//! `X-Request-Id`.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;
use seatline_protocol::text;
use tracing::{Instrument as _, Span, field};

use crate::peer::{Peer, Proxies};
use crate::secret;

/// The header of an answer that names its request in the log.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The most characters of a path in the log.
const MAX_PATH: usize = 200;

/// What the requests of a server are named by: the server's own start, and their number.
#[derive(Debug, Clone, Default)]
pub struct RequestLog {
    proxies: Proxies,
    number: Arc<AtomicU64>,
}

impl RequestLog {
    /// A log that believes `proxies` who asks.
    pub fn behind(proxies: Proxies) -> Self {
        Self { proxies, number: Arc::default() }
    }

    fn next_id(&self) -> String {
        static START: OnceLock<String> = OnceLock::new();
        // Without randomness the ids of two starts may be alike, and nothing else.
        let start = START.get_or_init(|| secret::random::<4>().map(|bytes| secret::hex(&bytes)).unwrap_or_default());
        format!("{start}-{:x}", self.number.fetch_add(1, Ordering::Relaxed))
    }
}

/// Logs a request and its answer. For `axum::middleware::from_fn_with_state`, around everything else.
pub async fn log(State(log): State<RequestLog>, request: Request, next: Next) -> Response {
    let id = log.next_id();
    let peer = request.extensions().get::<Peer>().map(|Peer(peer)| log.proxies.client(*peer, request.headers()));
    let span = tracing::info_span!("request", id, by = field::Empty);
    let method = request.method().clone();
    let path = text::line(request.uri().path(), MAX_PATH);
    let begun = Instant::now();
    async {
        let mut response = next.run(request).await;
        let (status, ms) = (response.status(), begun.elapsed().as_secs_f64() * 1e3);
        let peer = peer.map(field::display);
        let asks = matches!(method, Method::GET | Method::HEAD);
        // A method is a word that somebody chose.
        let method = text::line(method.as_str(), 16);
        match asks && !status.is_client_error() && !status.is_server_error() {
            true => tracing::debug!(method, path, status = status.as_u16(), ms, peer, "answered"),
            false => tracing::info!(method, path, status = status.as_u16(), ms, peer, "answered"),
        }
        if let Ok(id) = HeaderValue::try_from(id) {
            response.headers_mut().insert(REQUEST_ID, id);
        }
        response
    }
    .instrument(span)
    .await
}

/// Notes in the log of the present request who asks: the name of a token or a person, by which he is known here.
pub fn note_who(name: &str) {
    Span::current().record("by", text::line(name, 100));
}
