//! How long an answer may take. Whoever does not send his request whole in that time is told so (408); where it is the
//! server that takes so long, it is too busy, and says when to come again (503).

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use hyper::body::{Frame, SizeHint};

use crate::repeated::Repeated;

/// Gives a request up that takes longer than `limit`. For `axum::middleware::from_fn_with_state`. What it has begun to
/// write may be written all the same.
pub async fn hold(State(limit): State<Duration>, request: Request, next: Next) -> Response {
    let waits_for_more = Arc::new(AtomicBool::new(false));
    let request = request.map(|body| Body::new(Watched { body, waits_for_more: Arc::clone(&waits_for_more) }));
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) if waits_for_more.load(Ordering::Relaxed) => StatusCode::REQUEST_TIMEOUT.into_response(),
        Err(_) => {
            static GIVEN_UP: Repeated = Repeated::new();
            if let Some(left_out) = GIVEN_UP.due() {
                tracing::warn!(left_out, ?limit, "a request took too long, and was given up");
            }
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

/// A body that tells whether somebody waits for more of it.
struct Watched {
    body: Body,
    waits_for_more: Arc<AtomicBool>,
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        self.waits_for_more.store(frame.is_pending(), Ordering::Relaxed);
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use axum::Router;
    use axum::http::header;
    use axum::middleware::{from_fn, from_fn_with_state};
    use axum::routing::post;
    use tower::ServiceExt as _;

    use super::*;
    use crate::stream::Stream;

    /// What a server answers that reads what it is sent, and then works for ever.
    async fn answered(body: Body) -> Response {
        let never_done = async |_: Bytes| pending::<()>().await;
        let router = Router::new()
            .route("/", post(never_done))
            .layer(from_fn_with_state(Duration::from_millis(20), hold))
            .layer(from_fn(crate::headers::secure));
        router.oneshot(Request::post("/").body(body).expect("a request")).await.expect("answered")
    }

    #[tokio::test]
    async fn a_request_that_does_not_come_whole_is_slow_and_a_server_that_takes_too_long_is_busy() {
        let (never_whole, _pieces) = Stream::new();
        assert_eq!(answered(Body::from_stream(never_whole)).await.status(), StatusCode::REQUEST_TIMEOUT);
        for whole in [Body::empty(), Body::from("whole")] {
            let response = answered(whole).await;
            assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
            assert_eq!(response.headers()[header::RETRY_AFTER], "10");
        }
    }

    #[tokio::test]
    async fn a_body_passes_unchanged() {
        let router = Router::new()
            .route("/", post(async |body: Bytes| body))
            .layer(from_fn_with_state(Duration::from_secs(60), hold));
        let request = Request::post("/").body(Body::from("a body")).expect("a request");
        let answer = router.oneshot(request).await.expect("answered");
        assert_eq!(axum::body::to_bytes(answer.into_body(), 100).await.expect("a body"), "a body");
    }
}
