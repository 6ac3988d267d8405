//! Listens, and ends in good order: what is being answered is answered before the program ends.
//!
//! The loop is our own, as `axum::serve` has no limit for connections, and no time limit for a request's header and for
//! who reads his answer.

mod crowd;
mod patience;
mod socket;

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use hyper::rt::{Read, Write};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::ServiceExt as _;

use crate::peer::{Peer, Proxies};
use crate::repeated::Repeated;
use crowd::{Crowd, Place};
use patience::Patient;
use socket::Socket;

/// The most bytes of a request's header.
const HEADER_BYTES: usize = 32 * 1024;
/// How long to wait after the operating system could not give a connection, as when there are too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What somebody is told who has too many connections open: the one that he opens is closed at once.
const CROWDED: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 10\r\nConnection: close\r\n\
    Content-Type: text/plain\r\nContent-Length: 40\r\n\r\ntoo many connections from this address.\n";

/// What connections are given.
#[derive(Debug, Clone)]
pub struct Limits {
    /// How many are open at once; the others wait in the kernel's queue.
    pub connections: usize,
    /// How many of them one address may have open, so that one of many does not keep the others out.
    pub per_address: usize,
    /// The reverse proxies, which come in everybody's name: they may have all of them.
    pub proxies: Proxies,
    /// How long the header of a request may take, and how long a connection may be idle.
    pub header_time: Duration,
    /// How long somebody may take nothing of his answer.
    pub answer_time: Duration,
    /// How long the requests that are being answered have at the end.
    pub ending_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1024,
            per_address: 1024,
            proxies: Proxies::default(),
            header_time: Duration::from_secs(15),
            answer_time: Duration::from_secs(60),
            ending_time: Duration::from_secs(20),
        }
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

/// Where a server listens, written `127.0.0.1:8096` or `unix:/run/seatline/api.sock`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// An address and port; port 0 takes any free one.
    Tcp(SocketAddr),
    /// The path of a Unix socket.
    Unix(PathBuf),
}

/// A text is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an address is such as `127.0.0.1:8096`, `[::1]:8096` or `unix:/run/seatline/api.sock`")]
pub struct AddressError;

impl FromStr for Address {
    type Err = AddressError;
    fn from_str(text: &str) -> Result<Self, AddressError> {
        match text.strip_prefix("unix:") {
            Some("") => Err(AddressError),
            Some(path) => Ok(Self::Unix(path.into())),
            None => text.parse().map(Self::Tcp).map_err(|_| AddressError),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl Address {
    /// Whether only this machine can connect.
    pub fn is_local(&self) -> bool {
        match self {
            Self::Tcp(address) => address.ip().to_canonical().is_loopback(),
            Self::Unix(_) => true,
        }
    }
}

/// What connections come from. A Unix socket is removed when it is dropped.
#[derive(Debug)]
pub enum Listener {
    /// Over TCP.
    Tcp(TcpListener),
    /// Over a Unix socket.
    Unix(Socket),
}

impl Listener {
    /// Listens on `address`. A Unix socket is for its owner and group (mode 0660), and takes the place of one that is
    /// left there if nobody answers on it any more.
    ///
    /// # Errors
    /// Where the operating system refuses, or somebody listens there already.
    pub async fn bind(address: &Address) -> Result<Self, ServeError> {
        let bound = match address {
            Address::Tcp(address) => TcpListener::bind(address).await.map(Self::Tcp),
            Address::Unix(path) => Socket::bind(path).map(Self::Unix),
        };
        bound.map_err(|source| ServeError::Listen { address: address.to_string(), source })
    }

    /// Where it listens, with the port that was taken.
    ///
    /// # Errors
    /// Where the operating system does not say.
    pub fn address(&self) -> Result<Address, ServeError> {
        match self {
            Self::Tcp(listener) => {
                let failed = |source| ServeError::Listen { address: "the port".to_owned(), source };
                listener.local_addr().map(Address::Tcp).map_err(failed)
            }
            Self::Unix(socket) => Ok(Address::Unix(socket.path().to_owned())),
        }
    }

    async fn accept(&self) -> io::Result<(Stream, Peer)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, address) = listener.accept().await?;
                // Small answers go out at once.
                let _ = stream.set_nodelay(true);
                Ok((Stream::Tcp(stream), Peer(address.ip().to_canonical())))
            }
            // Whoever can open the socket is on this machine.
            Self::Unix(socket) => Ok((Stream::Unix(socket.accept().await?), Peer(IpAddr::V4(Ipv4Addr::LOCALHOST)))),
        }
    }
}

impl From<TcpListener> for Listener {
    fn from(listener: TcpListener) -> Self {
        Self::Tcp(listener)
    }
}

enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// Answers on `listener` until `end` comes, and then until all that is being answered is answered, or its time is over.
pub async fn serve(listener: impl Into<Listener>, router: Router, limits: Limits, end: impl Future<Output = ()>) {
    let listener = listener.into();
    let connections = Arc::new(Semaphore::new(limits.connections));
    let crowd = Crowd::new(limits.per_address);
    let open = GracefulShutdown::new();
    tokio::pin!(end);
    loop {
        let accepted = tokio::select! {
            () = &mut end => break,
            accepted = accept(&listener, &connections) => accepted,
        };
        let Some((stream, peer, permit)) = accepted else { continue };
        let (router, trusted) = (router.clone(), limits.proxies.contains(peer.0));
        match stream {
            Stream::Tcp(stream) => match crowd.enter(peer.0) {
                None if !trusted => turn_away(&stream, peer),
                place => answer(TokioIo::new(stream), peer, router, &limits, &open, (permit, place)),
            },
            Stream::Unix(stream) => answer(TokioIo::new(stream), peer, router, &limits, &open, (permit, None)),
        }
    }
    drop(listener);
    if tokio::time::timeout(limits.ending_time, open.shutdown()).await.is_err() {
        tracing::warn!("some requests were not answered in time and are given up");
    }
}

/// Closes a connection of somebody who has too many open. Nothing of it is read, and nobody waits for it to be told.
fn turn_away(stream: &TcpStream, Peer(peer): Peer) {
    static CROWD: Repeated = Repeated::new();
    if let Some(left_out) = CROWD.due() {
        tracing::warn!(%peer, left_out, "too many connections from one address: the next ones are closed; if it is a reverse proxy of yours, name it as one");
    }
    let _ = stream.try_write(CROWDED);
}

/// Answers what comes over one connection, in a task of its own, which holds its `room`.
fn answer(
    stream: impl Read + Write + Unpin + Send + 'static,
    peer: Peer,
    router: Router,
    limits: &Limits,
    open: &GracefulShutdown,
    room: (OwnedSemaphorePermit, Option<Place>),
) {
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
        .serve_connection(Patient::new(stream, limits.answer_time), service);
    let connection = open.watch(connection);
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!("a connection ended: {error}");
        }
        drop(room);
    });
}

/// The next connection, once there is room for it.
async fn accept(listener: &Listener, connections: &Arc<Semaphore>) -> Option<(Stream, Peer, OwnedSemaphorePermit)> {
    let permit = Arc::clone(connections).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => Some((stream, peer, permit)),
        Err(error) => {
            static REFUSED: Repeated = Repeated::new();
            if let Some(left_out) = REFUSED.due() {
                tracing::warn!(left_out, "no connection could be accepted: {error}");
            }
            tokio::time::sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_survives_its_text_and_says_whether_it_is_local() {
        for (text, is_local) in [
            ("127.0.0.1:8096", true),
            ("127.9.9.9:0", true),
            ("[::1]:8096", true),
            ("[::ffff:127.0.0.1]:1", true),
            ("unix:/run/seatline/api.sock", true),
            ("0.0.0.0:8096", false),
            ("[::]:8096", false),
            ("192.0.2.1:80", false),
        ] {
            let address: Address = text.parse().expect("an address");
            assert_eq!((address.to_string().as_str(), address.is_local()), (text, is_local));
        }
        for bad in ["", "unix:", "localhost:8096", "127.0.0.1", "8096", "http://127.0.0.1:8096", "127.0.0.1:80960"] {
            assert_eq!(bad.parse::<Address>(), Err(AddressError), "{bad}");
        }
    }
}
