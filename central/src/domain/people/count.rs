//! Counts of people that a job makes, because the set is too large to be counted while somebody waits.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::tally::Counted;
use super::{Schedule, Scope};
use crate::domain::ids::CountId;

/// The most counts that are under way or wait. Each is seconds to minutes of work for one processor.
pub const MOST_OPEN: u32 = 20;
/// The most counts of one set that are kept: the newest. A year, where it is counted every week.
pub const MOST_OF_SET: u32 = 53;
/// The most counts that are kept of all sets together: the newest. Those of all sets that are counted by a schedule,
/// and more.
pub const MOST_KEPT: u32 = 600;
/// How often a count is begun, where servers end while they are at it, before it is given up.
pub const MOST_TRIES: u32 = 3;

/// A count of people, from the wish for it to its numbers.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct PeopleCount {
    /// Its id.
    pub id: CountId,
    /// What is counted.
    pub scope: Scope,
    /// Who asked for it.
    pub asked_by: String,
    /// When.
    pub asked_at: Timestamp,
    /// How far it is.
    pub state: CountState,
    /// When it was begun; again, where the server that was at it has ended.
    pub begun_at: Option<Timestamp>,
    /// How often it was begun.
    #[serde(skip)]
    pub tries: u32,
    /// How many applications have been looked at.
    pub looked_at: u64,
    /// About how many there are to look at.
    pub to_look_at: u64,
    /// When it was done, or was given up.
    pub ended_at: Option<Timestamp>,
    /// Why it was given up.
    pub failure: Option<String>,
    /// What it came to.
    pub counted: Option<Counted>,
}

/// How far a count is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CountState {
    /// It waits for its turn.
    Waiting,
    /// It is under way.
    UnderWay,
    /// It is done.
    Done,
    /// It was given up.
    Failed,
}

impl CountState {
    /// How far a count is that was begun and has ended at these times, and has failed or not.
    pub fn of(begun_at: Option<Timestamp>, ended_at: Option<Timestamp>, has_failed: bool) -> Self {
        match (begun_at, ended_at) {
            (_, Some(_)) if has_failed => Self::Failed,
            (_, Some(_)) => Self::Done,
            (Some(_), None) => Self::UnderWay,
            (None, None) => Self::Waiting,
        }
    }
}

/// The counts of one set: what there is to show.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct CountsOfSet {
    /// What is counted.
    pub scope: Scope,
    /// The newest that is done.
    pub newest: Option<PeopleCount>,
    /// The one that waits or is under way.
    pub open: Option<PeopleCount>,
    /// The one that was given up, where none was done since.
    pub failed: Option<PeopleCount>,
    /// Those that were done before the newest, the newest of them first.
    pub earlier: Vec<PeopleCount>,
    /// How often it is counted by itself, if it is.
    pub schedule: Option<Schedule>,
}

impl CountsOfSet {
    /// What there is of a set; of its counts the newest comes first.
    pub fn new(scope: Scope, counts: Vec<PeopleCount>) -> Self {
        let mut of = Self { scope, newest: None, open: None, failed: None, earlier: Vec::new(), schedule: None };
        for count in counts {
            match count.state {
                CountState::Waiting | CountState::UnderWay => of.open = Some(count),
                CountState::Failed if of.newest.is_none() && of.failed.is_none() => of.failed = Some(count),
                CountState::Failed => {}
                CountState::Done if of.newest.is_none() => of.newest = Some(count),
                CountState::Done => of.earlier.push(count),
            }
        }
        of
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Use;

    fn count(second: i64, state: CountState) -> PeopleCount {
        let at = Timestamp::from_second(second).expect("a time");
        PeopleCount {
            id: CountId::from_random([second as u8; 12]),
            scope: Scope::all(Use::Production),
            asked_by: "ada".to_owned(),
            asked_at: at,
            state,
            begun_at: None,
            tries: 0,
            looked_at: 0,
            to_look_at: 0,
            ended_at: None,
            failure: None,
            counted: None,
        }
    }

    #[test]
    fn b9_of_a_set_the_newest_count_is_shown_and_what_is_under_way() {
        use CountState::{Done, Failed, UnderWay, Waiting};
        let at = |count: &Option<PeopleCount>| count.as_ref().map(|count| count.asked_at.as_second());
        let of = |states: &[CountState]| {
            let counts = states.iter().zip((0..9).rev()).map(|(state, second)| count(second, *state)).collect();
            CountsOfSet::new(Scope::all(Use::Production), counts)
        };
        let shown = of(&[UnderWay, Failed, Done, Failed, Done]);
        assert_eq!((at(&shown.open), at(&shown.newest), at(&shown.failed)), (Some(8), Some(6), Some(7)));
        assert_eq!(shown.earlier.len(), 1);
        let shown = of(&[Done, Failed, Waiting]);
        assert_eq!((at(&shown.failed), at(&shown.open)), (None, Some(6)), "it was done since");
        let now = Timestamp::UNIX_EPOCH;
        let states =
            [(None, None, false), (Some(now), None, false), (Some(now), Some(now), false), (None, Some(now), true)];
        assert_eq!(
            states.map(|(begun, ended, failed)| CountState::of(begun, ended, failed)),
            [Waiting, UnderWay, Done, Failed]
        );
    }
}
