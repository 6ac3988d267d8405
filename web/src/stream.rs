//! An answer that is made while it is sent: its size is nobody's memory, and whoever reads slowly makes the maker wait.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Bytes;
use tokio::sync::mpsc;

/// How many pieces wait for the reader.
const WAITING: usize = 4;
/// How long a piece waits to be taken: whoever reads slower than that is as good as gone, and holds what is read for
/// him.
const PATIENCE: Duration = Duration::from_secs(60);

/// The body of an answer, for `axum::body::Body::from_stream`. Where its maker stops before [`Pieces::end`], for
/// whatever reason, it breaks off, so that nobody takes it for whole.
#[derive(Debug)]
pub struct Stream {
    pieces: mpsc::Receiver<Bytes>,
    is_whole: Arc<AtomicBool>,
    is_over: bool,
}

/// Where the pieces of a [`Stream`] go.
#[derive(Debug)]
pub struct Pieces {
    pieces: mpsc::Sender<Bytes>,
    is_whole: Arc<AtomicBool>,
    patience: Duration,
}

/// Whoever asked is gone, or takes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("whoever asked is gone")]
pub struct Gone;

impl Stream {
    /// A body, and where its pieces go.
    pub fn new() -> (Self, Pieces) {
        Self::patient(PATIENCE)
    }

    fn patient(patience: Duration) -> (Self, Pieces) {
        let (sender, receiver) = mpsc::channel(WAITING);
        let is_whole = Arc::new(AtomicBool::new(false));
        let stream = Self { pieces: receiver, is_whole: Arc::clone(&is_whole), is_over: false };
        (stream, Pieces { pieces: sender, is_whole, patience })
    }
}

impl Pieces {
    /// Sends a piece, when the reader has taken those before.
    ///
    /// # Errors
    /// [`Gone`] where nobody reads any more, or has taken nothing for a minute.
    pub async fn send(&self, piece: Bytes) -> Result<(), Gone> {
        self.pieces.send_timeout(piece, self.patience).await.map_err(|_| Gone)
    }

    /// Ends the answer: it is whole.
    pub fn end(self) {
        self.is_whole.store(true, Ordering::Release);
    }
}

impl futures_core::Stream for Stream {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.pieces.poll_recv(context).map(|piece| match piece {
            Some(piece) => Some(Ok(piece)),
            None if self.is_over || self.is_whole.load(Ordering::Acquire) => None,
            None => {
                self.is_over = true;
                Some(Err(io::Error::other("it broke off")))
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};

    use super::*;

    #[tokio::test]
    async fn an_answer_is_whole_where_its_maker_says_so_and_breaks_off_where_he_stops() {
        for ends in [true, false] {
            let (stream, pieces) = Stream::new();
            pieces.send(Bytes::from_static(b"begun")).await.expect("there is room");
            if ends {
                pieces.end()
            } else {
                drop(pieces)
            }
            let read = to_bytes(Body::from_stream(stream), 100).await;
            assert_eq!(read.ok().as_deref(), ends.then_some(&b"begun"[..]));
        }
    }

    #[tokio::test]
    async fn whoever_takes_nothing_is_given_up_and_does_not_hold_it_to_be_whole() {
        let (stream, pieces) = Stream::patient(Duration::from_millis(1));
        let mut sent = 0;
        while pieces.send(Bytes::from_static(b"x")).await.is_ok() {
            sent += 1;
        }
        assert_eq!(sent, WAITING);
        drop(pieces);
        to_bytes(Body::from_stream(stream), 100).await.expect_err("what waited is not all");
    }
}
