//! Listens, and ends in good order: what is being answered is answered before the program ends.
//!
//! The loop is our own, as `axum::serve` has no limit for connections and no time limit for a request's header.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tower::ServiceExt as _;

use crate::auth::Peer;

/// The most bytes of a request's header.
const HEADER_BYTES: usize = 32 * 1024;
/// How long to wait after the operating system could not give a connection, as when there are too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What connections are given.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How many are open at once; the others wait in the kernel's queue.
    pub connections: usize,
    /// How long the header of a request may take, and how long a connection may be idle.
    pub header_time: Duration,
    /// How long the requests that are being answered have at the end.
    pub ending_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connections: 1024, header_time: Duration::from_secs(15), ending_time: Duration::from_secs(20) }
    }
}

/// Why the server ended otherwise than by being told to.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: String,
        /// What the operating system says.
        #[source]
        source: io::Error,
    },
}

impl ServeError {
    /// A stable code for machines.
    pub fn code(&self) -> &'static str {
        "listen"
    }
}

/// Answers on `listener` until `end` comes, and then until all that is being answered is answered, or its time is over.
pub async fn serve(listener: TcpListener, router: Router, limits: Limits, end: impl Future<Output = ()>) {
    let connections = Arc::new(Semaphore::new(limits.connections));
    let open = GracefulShutdown::new();
    tokio::pin!(end);
    loop {
        let accepted = tokio::select! {
            () = &mut end => break,
            accepted = accept(&listener, &connections) => accepted,
        };
        let Some((stream, peer, permit)) = accepted else { continue };
        let router = router.clone();
        let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
            let mut request: Request = request.map(Body::new);
            request.extensions_mut().insert(peer);
            let router = router.clone();
            async move { Ok::<_, Infallible>(router.oneshot(request).await.unwrap_or_else(|never| match never {})) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.header_time)
            .max_buf_size(HEADER_BYTES)
            .serve_connection(TokioIo::new(stream), service);
        let connection = open.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!("a connection ended: {error}");
            }
            drop(permit);
        });
    }
    drop(listener);
    if tokio::time::timeout(limits.ending_time, open.shutdown()).await.is_err() {
        tracing::warn!("some requests were not answered in time and are given up");
    }
}

/// The next connection, once there is room for it.
async fn accept(
    listener: &TcpListener,
    connections: &Arc<Semaphore>,
) -> Option<(TcpStream, Peer, tokio::sync::OwnedSemaphorePermit)> {
    let permit = Arc::clone(connections).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, address)) => {
            // Small answers go out at once.
            let _ = stream.set_nodelay(true);
            Some((stream, Peer(address.ip().to_canonical()), permit))
        }
        Err(error) => {
            tracing::warn!("no connection could be accepted: {error}");
            tokio::time::sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}
