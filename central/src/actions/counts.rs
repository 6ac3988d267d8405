//! People counted over sets of applications of any size (`b9`): at once where they are few, else by a job.

use seatline_web::secret::random;

use crate::central::{ActionError, Central};
use crate::domain::people::count::{MOST_OF_SET, MOST_OPEN};
use crate::domain::people::schedule::MOST_SCHEDULED;
use crate::domain::people::tally::Keys;
use crate::domain::people::{CountsOfSet, Every, People, PeopleCount, Schedule, Scope};
use crate::domain::{Actor, CountId};
use crate::store::people::{Asked, Scheduled};
use crate::store::{PageSize, Stored};

/// Why people are not counted.
#[derive(Debug, thiserror::Error)]
pub enum CountError {
    /// As many counts are open as may be.
    #[error("{MOST_OPEN} counts of people wait already: ask again when one of them is done")]
    Full,
    /// As many sets are counted by a schedule as may be.
    #[error("{MOST_SCHEDULED} sets are counted by a schedule already: end that of one of them first")]
    FullSchedule,
    /// Anything else.
    #[error(transparent)]
    Action(#[from] ActionError),
}

impl CountError {
    /// A stable code for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Full => "too-many-counts",
            Self::FullSchedule => "too-many-schedules",
            Self::Action(error) => error.code(),
        }
    }
}

/// What there is to say of the people of a set.
#[derive(Debug)]
pub enum PeopleOfSet {
    /// They are few enough to be counted at once.
    AtOnce(Box<People>),
    /// What was counted of them.
    ByCount(Box<CountsOfSet>),
}

impl Central {
    /// The people of a set: counted now where it is small, else what was counted of it.
    ///
    /// # Errors
    /// Where the store cannot be asked.
    pub async fn people_of_set(&self, scope: &Scope) -> Result<PeopleOfSet, ActionError> {
        match self.people_at_once(scope).await? {
            Some(people) => Ok(PeopleOfSet::AtOnce(Box::new(people))),
            None => Ok(PeopleOfSet::ByCount(Box::new(self.counts_of(scope).await?))),
        }
    }

    /// What was counted of a set, and what is under way.
    ///
    /// # Errors
    /// Where the store cannot be asked.
    pub async fn counts_of(&self, scope: &Scope) -> Result<CountsOfSet, ActionError> {
        // One may be open beside those that are kept.
        let counts = self.store().counts(Some(scope), None, PageSize::new(MOST_OF_SET + 1)).await?;
        let schedule = self.store().count_schedules().await?.into_iter().find(|schedule| schedule.scope == *scope);
        Ok(CountsOfSet { schedule, ..CountsOfSet::new(scope.clone(), counts.items) })
    }

    /// Has a set counted at once and then every so often, or not any more. Gives what holds from now on.
    ///
    /// # Errors
    /// [`CountError::FullSchedule`] where too many others are.
    pub async fn schedule_counts(
        &self,
        actor: &Actor,
        scope: &Scope,
        every: Option<Every>,
    ) -> Result<Option<Schedule>, CountError> {
        match self.store().schedule_counts(&self.act(actor)?, scope, every).await.map_err(ActionError::from)? {
            Scheduled::Set(schedule) => Ok(schedule),
            Scheduled::Full => Err(CountError::FullSchedule),
        }
    }

    /// Asks for a count of a set; of one that is open already, gives that.
    ///
    /// # Errors
    /// [`CountError::Full`] where too many others wait.
    pub async fn ask_count(&self, actor: &Actor, scope: &Scope) -> Result<PeopleCount, CountError> {
        let id = CountId::from_random(random().map_err(ActionError::from)?);
        let asked = self.store().ask_count(&self.act(actor)?, &id, scope).await.map_err(ActionError::from)?;
        match asked {
            Asked::Open(count) => Ok(*count),
            Asked::Full => Err(CountError::Full),
        }
    }

    /// A count.
    ///
    /// # Errors
    /// [`ActionError::NotFound`] where there is none of this id, or not any more.
    pub async fn count(&self, id: &CountId) -> Result<PeopleCount, ActionError> {
        self.store().count(id).await?.ok_or(ActionError::NotFound("count"))
    }

    /// The keys that pseudonyms may be of.
    ///
    /// # Errors
    /// Where the store cannot be asked.
    pub(crate) async fn keys_of_people(&self) -> Stored<Keys> {
        let made = self.store().pseudonym_keys().await?;
        let made: Vec<_> = made.into_iter().map(|made| (made.id, made.made_at)).collect();
        Ok(Keys::new(self.first_pseudonym_key(), &made))
    }
}
