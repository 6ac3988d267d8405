//! An export as the answer to a request: sent while it is made, and made no faster than it is taken.

use std::io;
use std::time::Duration;

use async_trait::async_trait;
use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use http_body_util::channel::{Channel, Sender};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::{Selection, Sink, export};
use crate::central::{ActionError, Central};

/// How many exports are made at once for requests; the next is told to come back.
static EXPORTS: Semaphore = Semaphore::const_new(2);
/// How many pieces wait to be taken.
const PIECES: usize = 2;
/// How long a piece may wait to be taken: who reads slower than that holds up others.
const PATIENCE: Duration = Duration::from_secs(60);

/// Why an export was not begun.
#[derive(Debug, thiserror::Error)]
pub enum NotBegun {
    /// Others are being made.
    #[error("two exports are being made: try again when one of them has ended")]
    Busy,
    /// An application is not there.
    #[error(transparent)]
    Action(#[from] ActionError),
}

/// The evidence of a selection as a file to keep. Where it cannot be made to its end, the connection is broken off, and
/// what was sent has no manifest.
///
/// # Errors
/// See [`NotBegun`].
pub async fn response(central: Central, selection: Selection, name: &str) -> Result<Response, NotBegun> {
    let turn = EXPORTS.try_acquire().map_err(|_| NotBegun::Busy)?;
    for id in &selection.applications {
        central.application(id).await?;
    }
    let (sender, body) = Channel::new(PIECES);
    tokio::spawn(async move {
        let _turn = turn;
        let mut sink = ToBody(sender);
        match export(&central, &selection, &mut sink).await {
            Ok(exported) => {
                tracing::info!(reports = exported.manifest.reports, bytes = exported.bytes, "evidence was exported")
            }
            Err(error) => {
                tracing::warn!(code = error.code(), "an export of evidence ended before its end: {error}");
                sink.0.abort(io::Error::other(error.to_string()));
            }
        }
    });
    let headers = [
        (header::CONTENT_TYPE, "application/x-ndjson".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    Ok((headers, Body::new(body)).into_response())
}

struct ToBody(Sender<Bytes, io::Error>);

#[async_trait]
impl Sink for ToBody {
    async fn take(&mut self, bytes: Vec<u8>) -> io::Result<()> {
        match timeout(PATIENCE, self.0.send_data(bytes.into())).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(io::ErrorKind::BrokenPipe.into()),
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::Clock;
    use crate::keyring::Keyring;
    use crate::store::sql::{DATABASE_FILE, SqlStore};

    #[tokio::test]
    async fn b12_two_exports_are_made_at_once_and_the_next_is_told_to_come_back() {
        let dir = tempfile::tempdir().expect("a directory");
        let store = Arc::new(SqlStore::sqlite(&dir.path().join(DATABASE_FILE)).expect("a store"));
        let keys = Keyring::open(dir.path()).expect("keys");
        let central =
            Central::open(store, keys, Clock::system(), "Central", "http://127.0.0.1:8095").await.expect("open");
        let actor = crate::domain::Actor::command_line("ada");
        for name in ["one", "two", "three"] {
            let added = central.add_application(&actor, name, "acme-wiki", "").await.expect("added");
            let made = central.make_invite(&actor, Some(&added.id)).await.expect("an invite");
            let (invite, _) = seatline_protocol::seal::open_introduced(&made.invite).expect("an invite");
            crate::link::exchange(&central, joining(invite), &mut crate::link::Toll::free()).await.expect("joined");
        }
        let begin = || response(central.clone(), Selection::default(), "evidence.jsonl");
        // Nobody takes what they give: each has more pieces than wait, and so keeps its turn.
        let waiting = [begin().await.expect("the first"), begin().await.expect("the second")];
        assert!(matches!(begin().await, Err(NotBegun::Busy)));
        drop(waiting);
        while matches!(begin().await, Err(NotBegun::Busy)) {
            tokio::task::yield_now().await;
        }
    }

    fn joining(invite: seatline_protocol::Invite) -> seatline_protocol::ExchangeRequest {
        let key = seatline_protocol::SecretKey::generate().expect("randomness");
        let product = serde_json::from_value(serde_json::json!({
            "id": "acme-wiki", "name": "Acme Wiki", "version": "9", "nodes": [],
            "server_id": seatline_protocol::ServerId::from_random([1; 20]),
        }));
        let join = seatline_protocol::Join {
            secret: invite.secret,
            issued_at: jiff::Timestamp::now(),
            product: product.expect("a product"),
        };
        let join = seatline_protocol::seal::seal_introducing(&join, &key).expect("sealed");
        seatline_protocol::ExchangeRequest { join: Some(join), ..Default::default() }
    }
}
