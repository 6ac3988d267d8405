//! The chain of an application's reports, with the proof where it is not whole (`b1`).

use jiff::Timestamp;
use seatline_protocol::chain::ChainState;
use seatline_protocol::{LinkId, PublicKey};
use serde::Serialize;

use crate::central::{ActionError, Central};
use crate::domain::{ApplicationId, Chain, Conflict, LetGo};

/// The chain of the link that an application has chosen.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct ChainProof {
    /// The link.
    pub link: LinkId,
    /// The key that seals its reports.
    pub key: PublicKey,
    /// The key's fingerprint.
    pub fingerprint: String,
    /// The chain in a word.
    pub state: ChainState,
    /// When its newest report came.
    pub last_received_at: Option<Timestamp>,
    /// What is stored, and what is missing.
    #[serde(flatten)]
    pub chain: Chain,
    /// What was let go of its beginning, as the retention says: it was received, and is not missing.
    pub let_go: Option<LetGo>,
    /// Refused reports that conflict with the chain, the one that came first first: the proof of a rollback or a fork.
    pub conflicts: Vec<Conflict>,
}

impl Central {
    /// The chain of an application's reports; none where no link is chosen.
    ///
    /// # Errors
    /// [`ActionError::NotFound`] where there is no such application.
    pub async fn chain(&self, id: &ApplicationId) -> Result<Option<ChainProof>, ActionError> {
        let Some(link) = self.application(id).await?.link else { return Ok(None) };
        let link = self.link(&link).await?;
        let conflicts = self.store().conflicts(&link.id).await?;
        let last_received_at = self.store().latest(&link.id).await?.map(|latest| latest.newest.received_at);
        let let_go = self.store().let_go(&link.id).await?;
        let conflict_at = conflicts.first().map(|conflict| conflict.refused.first_at);
        Ok(Some(ChainProof {
            fingerprint: link.key.fingerprint(),
            state: link.chain.state(conflict_at, last_received_at),
            link: link.id,
            key: link.key,
            last_received_at,
            let_go,
            chain: link.chain,
            conflicts,
        }))
    }
}
