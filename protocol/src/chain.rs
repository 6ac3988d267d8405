//! The rule by which a report joins the chain of its link (`b1`).

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
