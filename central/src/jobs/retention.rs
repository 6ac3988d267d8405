//! Forgetting what is too old (see [`crate::store::Retentions`]).
//!
//! What a wrong clock has forgotten does not come back with the right one. So where more time has gone by since the
//! last walk than a server rests, this one forgets nothing before it has run for a while: a machine that starts with a
//! wrong clock has corrected it by then, or an administrator has read about it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use seatline_protocol::LinkId;

use super::{Job, JobError, Progress};
use crate::central::Central;
use crate::domain::Retention;

/// The job's name.
const NAME: &str = "retention";
const INTERVAL: Duration = Duration::from_secs(6 * 3600);
/// How long after the last walk the clock is believed at once.
const BELIEVED: SignedDuration = SignedDuration::from_hours(48);

/// The walk along all links, a few in each step.
#[derive(Debug)]
pub struct Forgetting {
    /// How long the server runs before it believes a clock that it doubts.
    patience: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Since when the clock is doubted.
    doubted: Option<Instant>,
    /// The walk that has begun: the link to go on with, and when it began. The clock may leap while it lasts.
    walk: Option<(LinkId, Timestamp)>,
}

impl Default for Forgetting {
    fn default() -> Self {
        Self { patience: INTERVAL, state: Mutex::default() }
    }
}

#[async_trait]
impl Job for Forgetting {
    fn name(&self) -> &'static str {
        NAME
    }

    fn interval(&self) -> Duration {
        INTERVAL
    }

    async fn step(&self, central: &Central) -> Result<Progress, JobError> {
        let retention = central.store().retention().await?;
        let walk = self.state().walk.take();
        let (from, now) = match walk {
            Some((from, now)) => (Some(from), now),
            None => {
                let now = central.now();
                let is_doubtful = self.is_doubtful(central, now).await?;
                let forgotten = if is_doubtful { &Retention::default() } else { &retention };
                central.store().keep_months(forgotten, now).await?;
                if is_doubtful {
                    return Ok(Progress::PutOff);
                }
                (None, now)
            }
        };
        if retention == Retention::default() {
            return Ok(Progress::Done);
        }
        let next = central.store().forget(&retention, now, from.as_ref()).await?;
        let progress = if next.is_some() { Progress::More } else { Progress::Done };
        self.state().walk = next.map(|next| (next, now));
        Ok(progress)
    }
}

impl Forgetting {
    #[cfg(test)]
    pub(super) fn with_patience(patience: Duration) -> Self {
        Self { patience, ..Self::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the clock may have leapt since the last walk.
    async fn is_doubtful(&self, central: &Central, now: Timestamp) -> Result<bool, JobError> {
        let jobs = central.store().jobs().await?;
        let last = jobs.into_iter().find(|job| job.name == NAME).and_then(|job| job.ran_at);
        let Some(last) = last.filter(|last| now.duration_since(*last) > BELIEVED) else {
            self.state().doubted = None;
            return Ok(false);
        };
        let mut state = self.state();
        if state.doubted.is_some_and(|since| since.elapsed() >= self.patience) {
            return Ok(false);
        }
        if state.doubted.is_none() {
            state.doubted = Some(Instant::now());
            let (days, hours) = (now.duration_since(last).as_hours() / 24, self.patience.as_secs() / 3600);
            tracing::warn!("nothing was forgotten for {days} days, and is not for {hours} hours: is the clock right?");
        }
        Ok(true)
    }
}
