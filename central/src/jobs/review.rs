//! The review of the fleet (see [`crate::store::Fleet`]).

use std::time::Duration;

use async_trait::async_trait;

use super::{Job, JobError, Progress};
use crate::central::Central;

/// How many applications are reviewed in one commit: a commit holds up the reports that come meanwhile.
const BATCH: u32 = 32;

/// The review: what is due is reviewed within about a second.
#[derive(Debug, Clone, Copy)]
pub struct Review;

#[async_trait]
impl Job for Review {
    fn name(&self) -> &'static str {
        "review"
    }

    fn interval(&self) -> Duration {
        Duration::from_secs(1)
    }

    async fn step(&self, central: &Central) -> Result<Progress, JobError> {
        let outcome = central.store().review(&central.reminders().await?, central.now(), BATCH).await?;
        Ok(if outcome.more { Progress::More } else { Progress::Done })
    }
}
