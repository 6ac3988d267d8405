//! Forgetting what is too old (see [`crate::store::Retentions`]).
//!
//! What a wrong clock has forgotten does not come back with the right one. So where more time has gone by since the
//! last walk than a server rests, nothing is forgotten before the next one: a machine that starts with a wrong clock has
//! corrected it by then, and an administrator has read about it.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use seatline_protocol::LinkId;

use super::{Job, JobError, Progress};
use crate::central::Central;
use crate::domain::Retention;

/// The job's name.
const NAME: &str = "retention";
/// How long after the last walk the clock is believed at once.
const BELIEVED: SignedDuration = SignedDuration::from_hours(48);

/// The walk along all links, a few in each step.
#[derive(Debug, Default)]
pub struct Forgetting {
    /// The link to go on with.
    next: Mutex<Option<LinkId>>,
}

#[async_trait]
impl Job for Forgetting {
    fn name(&self) -> &'static str {
        NAME
    }

    fn interval(&self) -> Duration {
        Duration::from_secs(6 * 3600)
    }

    async fn step(&self, central: &Central) -> Result<Progress, JobError> {
        let (mut retention, now) = (central.store().retention().await?, central.now());
        let from = self.next.lock().unwrap_or_else(PoisonError::into_inner).take();
        if from.is_none() {
            if let Some(last) = last_walk(central).await?.filter(|last| now.duration_since(*last) > BELIEVED) {
                let hours = now.duration_since(last).as_hours();
                tracing::warn!(
                    hours,
                    "so long after the last time, nothing is forgotten yet: look whether the clock is right"
                );
                retention = Retention::default();
            }
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

/// When what was too old was forgotten last.
async fn last_walk(central: &Central) -> Result<Option<Timestamp>, JobError> {
    let jobs = central.store().jobs().await?;
    Ok(jobs.into_iter().find(|job| job.name == NAME).and_then(|job| job.ran_at))
}
