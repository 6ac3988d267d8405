//! The chain with its proof (`b1`), and the form that exports evidence (`b12`).

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use seatline_protocol::PublicKey;
use seatline_protocol::chain::ChainState;
use seatline_ui::{Badge, Field, format};
use serde::Deserialize;

use super::reports::{chain_words, let_go_words, short};
use crate::actions::chain::ChainProof;
use crate::central::ActionError;
use crate::domain::{ApplicationId, Conflict};
use crate::evidence::stream::{NotBegun, response};
use crate::evidence::{Period, Selection};
use crate::pages::{PageError, parsed, words};
use crate::server::App;

/// The chain of an application, and the form for its evidence.
#[derive(Template)]
#[template(path = "chain.html")]
pub(super) struct ChainCards {
    path: String,
    badge: Badge,
    fingerprint: String,
    words: String,
    let_go: Option<String>,
    meaning: Option<&'static str>,
    conflicts: Vec<ConflictLine>,
    central_key: String,
    from: Field<'static>,
    to: Field<'static>,
}

/// A conflict in the table.
struct ConflictLine {
    sequence: String,
    first: String,
    refused: String,
    refused_short: String,
    refused_at: String,
    beside: Option<BesideLine>,
}

/// The report of the chain that a refused one cannot stand beside.
struct BesideLine {
    sequence: String,
    digest: String,
    short: String,
    at: String,
}

impl ChainCards {
    /// The cards of the application at `path`.
    pub(super) fn new(proof: &ChainProof, path: &str, central_key: &PublicKey) -> Self {
        Self {
            path: path.to_owned(),
            badge: words::chain(proof.state),
            fingerprint: proof.fingerprint.clone(),
            words: chain_words(&proof.chain),
            let_go: proof.let_go.as_ref().map(let_go_words),
            meaning: meaning(proof.state),
            conflicts: proof.conflicts.iter().map(|conflict| ConflictLine::of(conflict, path)).collect(),
            central_key: central_key.to_string(),
            from: Field::date("from", "From").hint("The first day, in UTC. Empty: from the first report"),
            to: Field::date("to", "To").hint("The last day, in UTC. Empty: up to the last report"),
        }
    }
}

impl askama::filters::HtmlSafe for ChainCards {}

impl ConflictLine {
    fn of(conflict: &Conflict, path: &str) -> Self {
        let refused = &conflict.refused;
        let beside = conflict.beside.zip(conflict.beside_digest.as_ref());
        Self {
            sequence: refused.sequence.to_string(),
            first: format::date_time(refused.first_at),
            refused: refused.digest.to_string(),
            refused_short: short(refused.digest.hex()),
            refused_at: format!("{path}/refused/{}", refused.digest.hex()),
            beside: beside.map(|(sequence, digest)| BesideLine {
                sequence: sequence.to_string(),
                digest: digest.to_string(),
                short: short(digest.hex()),
                at: format!("{path}/reports/{sequence}"),
            }),
        }
    }
}

/// What a state says of the instance, and the way out.
fn meaning(state: ChainState) -> Option<&'static str> {
    match state {
        ChainState::Whole => None,
        ChainState::Gap => Some(
            "The missing reports were made and have not come: the product sends what it still has with its next exchange. What it \
             has lost stays a gap, and evidence names it.",
        ),
        ChainState::Rollback => Some(
            "Since the first refused report came, the chain has not gone on: the instance was restored from a backup, or the one \
             that was linked is silent while a copy of it reports. Make a new link for the instance that goes on.",
        ),
        ChainState::Fork => Some(
            "The chain has gone on beside the refused reports: two live copies of one instance report. Switch the copy off, or give \
             it a link of its own.",
        ),
    }
}

/// The period of an export.
#[derive(Debug, Deserialize)]
pub struct Wanted {
    from: Option<String>,
    to: Option<String>,
}

/// `GET /applications/{id}/evidence`: the evidence of a period as a file.
pub async fn evidence(
    State(app): State<App>,
    Path(id): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, PageError> {
    let id: ApplicationId = parsed(&id, "application")?;
    let period = Period::between(wanted.from.as_deref(), wanted.to.as_deref())
        .map_err(|error| ActionError::invalid("period", error))?;
    let name = format!("evidence-{id}.jsonl");
    let selection = Selection { applications: vec![id], period };
    response(app.central, selection, &name).await.map_err(|error| match error {
        NotBegun::Busy => PageError::of_status(StatusCode::SERVICE_UNAVAILABLE),
        NotBegun::Action(error) => error.into(),
    })
}
