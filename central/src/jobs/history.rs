//! The history of use: runs become part of their days and months (see [`crate::domain::history`]).

use std::time::Duration;

use async_trait::async_trait;

use super::{Job, JobError, Progress};
use crate::central::Central;

/// How many runs are folded in one commit: a commit holds up the reports that come meanwhile.
const BATCH: u16 = 64;

/// The folding of runs. A page folds by itself what is not folded yet, up to a thousand runs of a link.
#[derive(Debug, Clone, Copy)]
pub struct FoldHistory;

#[async_trait]
impl Job for FoldHistory {
    fn name(&self) -> &'static str {
        "history"
    }

    fn interval(&self) -> Duration {
        Duration::from_secs(60)
    }

    async fn step(&self, central: &Central) -> Result<Progress, JobError> {
        let folded = central.store().fold_history(BATCH, central.now()).await?;
        Ok(if folded < u32::from(BATCH) { Progress::Done } else { Progress::More })
    }
}
