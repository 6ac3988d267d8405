//! An answer that is made while it is sent: its size is nobody's memory, and whoever reads slowly makes the maker wait.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Bytes;
use tokio::sync::mpsc;

/// How many pieces wait for the reader.
const WAITING: usize = 4;

/// The body of an answer, for `axum::body::Body::from_stream`.
#[derive(Debug)]
pub struct Stream(mpsc::Receiver<io::Result<Bytes>>);

/// Where the pieces of a [`Stream`] go.
#[derive(Debug, Clone)]
pub struct Pieces(mpsc::Sender<io::Result<Bytes>>);

/// Whoever asked is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("whoever asked is gone")]
pub struct Gone;

impl Stream {
    /// A body, and where its pieces go. It ends when all of these are dropped.
    pub fn new() -> (Self, Pieces) {
        let (pieces, body) = mpsc::channel(WAITING);
        (Self(body), Pieces(pieces))
    }
}

impl Pieces {
    /// Sends a piece, when the reader has taken those before.
    ///
    /// # Errors
    /// [`Gone`] where nobody reads any more.
    pub async fn send(&self, piece: Bytes) -> Result<(), Gone> {
        self.0.send(Ok(piece)).await.map_err(|_| Gone)
    }

    /// Breaks the answer off, so that nobody takes it for whole.
    pub async fn fail(&self) {
        // Whoever asked may be gone, which is as well.
        let _ = self.0.send(Err(io::Error::other("it broke off"))).await;
    }
}

impl futures_core::Stream for Stream {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(context)
    }
}
