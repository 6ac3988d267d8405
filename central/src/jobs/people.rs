//! Counting people over sets that are too large to be counted while somebody waits (see
//! [`crate::domain::people::count`]).

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use seatline_web::secret::random;

use super::{Job, JobError, Progress};
use crate::central::Central;
use crate::domain::people::count::MOST_TRIES;
use crate::domain::people::tally::Tally;
use crate::domain::people::{PeopleCount, Scope};
use crate::domain::{ApplicationId, CountId, Facet};
use crate::store::people::Batch;

/// How many applications are looked at in one read: with the largest sketches that are taken these are 4 MiB.
const BATCH: u32 = 64;
/// How often it is noted how far a count is.
const NOTED: Duration = Duration::from_secs(1);

/// The count of people, one set after the other, a batch in each step. A server that ends while it counts leaves the
/// count to another one, which begins it again.
#[derive(Debug, Default)]
pub struct CountPeople {
    /// The count that is under way here.
    at: Mutex<Option<Attempt>>,
}

/// A count that is under way.
#[derive(Debug)]
struct Attempt {
    id: CountId,
    scope: Scope,
    number: u32,
    list: Facet,
    tally: Tally,
    /// The last application that was looked at.
    after: Option<ApplicationId>,
    /// Whether all were.
    is_through: bool,
    looked_at: u64,
    noted: Instant,
}

#[async_trait]
impl Job for CountPeople {
    fn name(&self) -> &'static str {
        "people"
    }

    fn interval(&self) -> Duration {
        Duration::from_secs(1)
    }

    async fn step(&self, central: &Central) -> Result<Progress, JobError> {
        let taken = self.at.lock().unwrap_or_else(PoisonError::into_inner).take();
        let attempt = match taken {
            Some(attempt) => attempt,
            None => match next(central).await? {
                None => return Ok(Progress::Done),
                Some(count) => match Attempt::begin(central, count).await? {
                    None => return Ok(Progress::More),
                    Some(attempt) => attempt,
                },
            },
        };
        let begun = Instant::now();
        let (left, outcome) = attempt.go_on(central).await;
        *self.at.lock().unwrap_or_else(PoisonError::into_inner) = left;
        outcome?;
        // As long a rest as the work was: reports that come meanwhile find a processor, whatever is counted.
        tokio::time::sleep(begun.elapsed()).await;
        Ok(Progress::More)
    }
}

/// The count whose turn it is, once those are asked for that are due by a schedule.
async fn next(central: &Central) -> Result<Option<PeopleCount>, JobError> {
    let mut more = true;
    while more {
        let id = CountId::from_random(random().map_err(|error| JobError::Other(error.to_string()))?);
        more = central.store().ask_due_count(&id, central.now()).await?;
    }
    Ok(central.store().next_count(central.now()).await?)
}

impl Attempt {
    /// Begins a count, unless it was begun in vain too often.
    async fn begin(central: &Central, count: PeopleCount) -> Result<Option<Self>, JobError> {
        let (store, now) = (central.store(), central.now());
        if count.tries >= MOST_TRIES {
            let reason = format!("it was begun {MOST_TRIES} times, and the server ended each time before it was done");
            store.end_count(&count.id, count.tries, now, &Err(reason)).await?;
            return Ok(None);
        }
        let keys = central.keys_of_people().await?;
        let begun = store.begin_count(&count.id, now).await?;
        Ok(Some(Self {
            tally: Tally::new(&count.scope, keys),
            id: count.id,
            scope: count.scope,
            number: begun.attempt,
            list: begun.list,
            after: None,
            is_through: false,
            looked_at: 0,
            noted: Instant::now(),
        }))
    }

    /// Counts a batch more, or ends the count; gives what is left to do. Where the store fails, that is the same again.
    async fn go_on(self, central: &Central) -> (Option<Self>, Result<(), JobError>) {
        let store = central.store();
        if self.is_through {
            let counted = Ok(self.tally.counted());
            return match store.end_count(&self.id, self.number, central.now(), &counted).await {
                Ok(()) => (None, Ok(())),
                Err(error) => (Some(self), Err(error.into())),
            };
        }
        let batch = match store.people_batch(&self.scope, &self.list, self.after.as_ref(), BATCH).await {
            Ok(batch) => batch,
            Err(error) => return (Some(self), Err(error.into())),
        };
        let mut at = match self.add(batch).await {
            Ok(at) => at,
            Err(error) => return (None, Err(error)),
        };
        if at.noted.elapsed() < NOTED {
            return (Some(at), Ok(()));
        }
        at.noted = Instant::now();
        match store.note_count(&at.id, at.number, at.looked_at).await {
            Ok(still_counts) => (Some(at).filter(|_| still_counts), Ok(())),
            Err(error) => (Some(at), Err(error.into())),
        }
    }

    /// With a batch more, added where it may take its time.
    async fn add(mut self, batch: Batch) -> Result<Self, JobError> {
        let added = tokio::task::spawn_blocking(move || {
            batch.members.into_iter().for_each(|member| self.tally.add(member));
            self.looked_at += batch.looked_at;
            (self.is_through, self.after) = (batch.last.is_none(), batch.last);
            self
        });
        added.await.map_err(|error| JobError::Other(format!("a defect of this program: {error}")))
    }
}

#[cfg(test)]
mod tests;
