//! The sketches of people, and the counts that a job makes of many of them.

use async_trait::async_trait;
use jiff::Timestamp;
use seatline_protocol::LinkId;

use super::{Cursor, Page, PageSize, Stored};
use crate::domain::people::tally::Member;
use crate::domain::people::{Counted, Every, KeptSketch, PeopleCount, Schedule, Scope};
use crate::domain::{Act, ApplicationId, CountId, Facet};

/// The latest sketch of each link (`b9`). It is kept in the commit of its report, and is no part of the history.
#[async_trait]
pub trait Sketches: Send + Sync {
    /// The latest sketches of links, in their order; none where the newest report with counts has none.
    async fn sketches(&self, links: &[LinkId]) -> Stored<Vec<Option<KeptSketch>>>;
}

/// A count that was begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begun {
    /// The how-manieth attempt this is: who makes another one notes nothing any more.
    pub attempt: u32,
    /// What to walk along: the shortest list that holds all of the set.
    pub list: Facet,
}

/// A few applications of a set, read at once.
#[derive(Debug)]
pub struct Batch {
    /// Those of the set.
    pub members: Vec<Member>,
    /// How many of the list were looked at.
    pub looked_at: u64,
    /// The last that was looked at: the next batch begins after it; none where the list has ended.
    pub last: Option<ApplicationId>,
}

/// What became of the wish for a count.
#[derive(Debug, Clone, PartialEq)]
pub enum Asked {
    /// It waits, or is under way: the new one, or the one that somebody has asked for before.
    Open(Box<PeopleCount>),
    /// So many others are open that no more is taken ([`crate::domain::people::count::MOST_OPEN`]).
    Full,
}

/// What became of the wish to have a set counted again and again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scheduled {
    /// How it is counted from now on, if it is.
    Set(Option<Schedule>),
    /// So many sets are that no more is taken ([`crate::domain::people::schedule::MOST_SCHEDULED`]).
    Full,
}

/// Sets whose people are counted again and again (`b9`).
#[async_trait]
pub trait PeopleSchedules: Send + Sync {
    /// Has a set counted at once and then every so often, or not any more.
    async fn schedule_counts(&self, act: &Act, scope: &Scope, every: Option<Every>) -> Stored<Scheduled>;
    /// The sets that are counted by a schedule, as far as they can be read.
    async fn count_schedules(&self) -> Stored<Vec<Schedule>>;
    /// Asks for the count that is due, if one is, unless one of its set is open. Says whether there may be another. A
    /// schedule that cannot be read is set aside (see [`super::leases::SetAside`]), and tried again later.
    async fn ask_due_count(&self, id: &CountId, now: Timestamp) -> Stored<bool>;
}

/// Counts of people over sets of any size (`b9`), and what they read.
#[async_trait]
pub trait PeopleCounts: Send + Sync {
    /// Asks for a count of a set, unless one of it is open.
    async fn ask_count(&self, act: &Act, id: &CountId, scope: &Scope) -> Stored<Asked>;
    /// The count whose turn it is: the one that was begun, else the one that waits longest. One that cannot be read is
    /// set aside (see [`super::leases::SetAside`]), and given up.
    async fn next_count(&self, now: Timestamp) -> Stored<Option<PeopleCount>>;
    /// Begins a count, or begins it again.
    ///
    /// # Errors
    /// [`super::StoreError::Missing`] where it has ended.
    async fn begin_count(&self, id: &CountId, now: Timestamp) -> Stored<Begun>;
    /// The applications of a set in its list, after one, of which at most `most` are looked at.
    async fn people_batch(
        &self,
        scope: &Scope,
        list: &Facet,
        after: Option<&ApplicationId>,
        most: u32,
    ) -> Stored<Batch>;
    /// Notes how far an attempt is. Says whether it still counts: else there is nothing more to do with it.
    async fn note_count(&self, id: &CountId, attempt: u32, looked_at: u64) -> Stored<bool>;
    /// Ends a count, with what the attempt came to or why it was given up, and forgets the oldest beyond those that are
    /// kept. Where another attempt was begun since, nothing is changed.
    async fn end_count(
        &self,
        id: &CountId,
        attempt: u32,
        now: Timestamp,
        outcome: &Result<Counted, String>,
    ) -> Stored<()>;
    /// A count.
    async fn count(&self, id: &CountId) -> Stored<Option<PeopleCount>>;
    /// A page of the counts of a set, or of all sets, the newest first, as far as they can be read: a page may be short
    /// and have a next one all the same.
    async fn counts(&self, scope: Option<&Scope>, after: Option<&Cursor>, size: PageSize) -> Stored<Page<PeopleCount>>;
}
