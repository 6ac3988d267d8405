//! The rule by which a report joins the chain of its link (`b1`).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::Digest;

/// What is stored around the place where a report wants to go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Neighbours {
    /// The digest of the report that is stored with the same sequence number.
    pub same: Option<Digest>,
    /// The digest of the report that is stored one before.
    pub before: Option<Digest>,
    /// What the report that is stored one after names as the one before it.
    pub claimed_by_next: Option<Digest>,
}

/// What becomes of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// It is new, and follows the report before.
    Chained,
    /// It is new, and the report before is missing.
    AfterGap,
    /// It is stored already: the same receipt again.
    Repeated,
    /// Another report has its place, or its successor names another: two copies of one instance.
    Fork,
    /// It names another report before it than the one that is stored: the chain was broken or rolled back.
    BrokenChain,
}

/// Decides what becomes of a report with `digest`, which names `previous` as the one before it.
///
/// The order of arrival does not matter: whatever order the reports of an unbroken chain arrive in, all are admitted,
/// and no two reports are ever admitted to one place.
pub fn admit(digest: &Digest, previous: Option<&Digest>, stored: &Neighbours) -> Admission {
    if let Some(same) = &stored.same {
        return if same == digest { Admission::Repeated } else { Admission::Fork };
    }
    if stored.claimed_by_next.as_ref().is_some_and(|claimed| claimed != digest) {
        return Admission::Fork;
    }
    match (previous, &stored.before) {
        (Some(previous), Some(before)) if previous != before => Admission::BrokenChain,
        (None, Some(_)) => Admission::BrokenChain,
        (Some(_), None) => Admission::AfterGap,
        _ => Admission::Chained,
    }
}

/// How the stored reports of a link follow one another, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum ChainState {
    /// Every report follows the one before.
    Whole,
    /// Reports are missing.
    Gap,
    /// Another report came for a place that was taken, and the chain has not gone on since: the instance was restored
    /// from a backup, or the one that was linked is silent.
    Rollback,
    /// Another report came for a place that was taken, and the chain has gone on since: two live copies of one
    /// instance.
    Fork,
}

impl ChainState {
    /// The state of a chain of which so many reports are missing. `conflict_at` is when another report came first for a
    /// taken place, and `last_at` when the newest report of the chain came.
    pub fn of(missing: u64, conflict_at: Option<Timestamp>, last_at: Option<Timestamp>) -> Self {
        match (conflict_at, missing) {
            (Some(conflict_at), _) if last_at.is_some_and(|last_at| last_at > conflict_at) => Self::Fork,
            (Some(_), _) => Self::Rollback,
            (None, 0) => Self::Whole,
            (None, _) => Self::Gap,
        }
    }

    /// The name in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Gap => "gap",
            Self::Rollback => "rollback",
            Self::Fork => "fork",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b1_a_chain_that_went_on_beside_another_report_is_forked_and_one_that_did_not_was_rolled_back() {
        let at = |second| Some(Timestamp::from_second(second).expect("in range"));
        assert_eq!(ChainState::of(0, None, at(9)), ChainState::Whole);
        assert_eq!(ChainState::of(2, None, at(9)), ChainState::Gap);
        assert_eq!(ChainState::of(2, at(5), at(5)), ChainState::Rollback);
        assert_eq!(ChainState::of(0, at(5), at(6)), ChainState::Fork);
    }
}
