//! Telling people: what has changed is followed, made into messages, and handed over (see [`crate::domain::alerts`]).

use std::time::Duration;

use async_trait::async_trait;
use seatline_web::secret::random;

use super::{Job, JobError, Progress};
use crate::central::Central;
use crate::domain::ids::MessageId;
use crate::postman;

/// How many rows are changed in one commit: a commit holds up the reports that come meanwhile.
const BATCH: u32 = 50;
/// How many applications are marked in one commit.
const MARKED: u32 = 200;

/// The following of concerns, and the making of messages.
#[derive(Debug, Clone, Copy)]
pub struct Telling;

#[async_trait]
impl Job for Telling {
    fn name(&self) -> &'static str {
        "alerts"
    }

    fn interval(&self) -> Duration {
        Duration::from_secs(1)
    }

    async fn step(&self, central: &Central) -> Result<Progress, JobError> {
        let (store, now) = (central.store(), central.now());
        let mut more = store.mark_for_reminders(MARKED).await?;
        more |= store.follow(now, BATCH).await?;
        more |= store.walk(now, BATCH).await?;
        // An id that is not needed costs nothing.
        let id = random().map(MessageId::from_random).map_err(|error| JobError::Other(error.to_string()))?;
        more |= store.speak(now, &id, BATCH).await?;
        Ok(if more { Progress::More } else { Progress::Done })
    }
}

/// The handing over of messages. It waits for mail servers and receivers, and so it has a turn of its own.
#[derive(Debug, Clone, Copy)]
pub struct Delivery;

#[async_trait]
impl Job for Delivery {
    fn name(&self) -> &'static str {
        "delivery"
    }

    fn interval(&self) -> Duration {
        Duration::from_secs(1)
    }

    async fn step(&self, central: &Central) -> Result<Progress, JobError> {
        let handed_over = postman::deliver(central).await?;
        Ok(if handed_over > 0 { Progress::More } else { Progress::Done })
    }
}

/// The forgetting of what is too old, and of what belonged to removed channels.
#[derive(Debug, Clone, Copy)]
pub struct Clearing;

#[async_trait]
impl Job for Clearing {
    fn name(&self) -> &'static str {
        "alerts-clearing"
    }

    fn interval(&self) -> Duration {
        Duration::from_secs(600)
    }

    async fn step(&self, central: &Central) -> Result<Progress, JobError> {
        let more = central.store().forget_alerts(central.now(), BATCH).await?;
        Ok(if more { Progress::More } else { Progress::Done })
    }
}
