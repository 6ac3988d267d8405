//! Forgetting what is too old (see [`crate::store::Retentions`]).

use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use async_trait::async_trait;
use seatline_protocol::LinkId;

use super::{Job, JobError, Progress};
use crate::central::Central;
use crate::domain::Retention;

/// The walk along all links, a few in each step.
#[derive(Debug, Default)]
pub struct Forgetting {
    /// The link to go on with.
    next: Mutex<Option<LinkId>>,
}

#[async_trait]
impl Job for Forgetting {
    fn name(&self) -> &'static str {
        "retention"
    }

    fn interval(&self) -> Duration {
        Duration::from_secs(6 * 3600)
    }

    async fn step(&self, central: &Central) -> Result<Progress, JobError> {
        let (retention, now) = (central.store().retention().await?, central.now());
        let from = self.next.lock().unwrap_or_else(PoisonError::into_inner).take();
        if from.is_none() {
            central.store().keep_months(&retention, now).await?;
        }
        if retention == Retention::default() {
            return Ok(Progress::Done);
        }
        let next = central.store().forget(&retention, now, from.as_ref()).await?;
        let progress = if next.is_some() { Progress::More } else { Progress::Done };
        *self.next.lock().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(progress)
    }
}
