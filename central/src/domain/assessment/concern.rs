//! Something about an application that calls for attention.

use jiff::Timestamp;
use seatline_protocol::notices::Step;
use serde::{Deserialize, Serialize};

use crate::domain::Trouble;

/// A matter that calls for attention. Its code and its subject name it; how far it has come is its step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Concern {
    /// A stable code: one of [`CODES`].
    pub code: String,
    /// What of: a dimension, a license; empty where there can be one alone.
    pub subject: String,
    /// How far it has come, such as `days-30` or `over`; `holds` where there is one step alone.
    #[schema(value_type = String)]
    pub step: Step,
    /// How grave it is at this step.
    pub gravity: Gravity,
    /// Since when, as far as the documents say.
    pub since: Option<Timestamp>,
    /// What, why, and what to do.
    pub message: String,
}

/// How grave something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Gravity {
    /// To know, or a step that is still to be done.
    Note,
    /// Something is to be done in time.
    Warning,
    /// Something is not in order.
    Problem,
}

impl Gravity {
    /// All of them, the gravest last.
    pub const ALL: [Self; 3] = [Self::Note, Self::Warning, Self::Problem];

    /// The name in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Problem => "problem",
        }
    }

    /// The gravity of a name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|gravity| gravity.name() == name)
    }

    /// Its number, from 1 on; 0 is for what is well.
    pub fn rank(self) -> i64 {
        match self {
            Self::Note => 1,
            Self::Warning => 2,
            Self::Problem => 3,
        }
    }
}

/// Every code of a concern, in the order in which they are shown where they are equally grave.
pub const CODES: [&str; 20] = [
    "link-suspended",
    "fork",
    "unlicensed",
    "expiry",
    "limit",
    "other-product",
    "over-quota",
    "too-many-keys",
    "past-report",
    "too-many-documents",
    "server-id-changed",
    "overdue",
    "run-failed",
    "gap",
    "maintenance",
    "never-reported",
    "staging-copy",
    "verdict-outdated",
    "not-linked",
    "other",
];

impl Concern {
    /// A trouble of the link. It has one step.
    pub(super) fn of_trouble(trouble: &Trouble) -> Self {
        Self {
            code: trouble.code.to_owned(),
            subject: String::new(),
            step: Step::Holds,
            gravity: gravity_of(trouble.code),
            since: trouble.since,
            message: trouble.message.clone(),
        }
    }

    /// Its part of [`super::Assessment::attention`].
    pub(super) fn attention(&self) -> i64 {
        let from_last = CODES.len() - place(&self.code);
        self.gravity.rank() * 1000 + i64::try_from(from_last).unwrap_or_default()
    }
}

/// Puts the gravest first, and leaves one of each matter.
pub(super) fn settle(concerns: &mut Vec<Concern>) {
    let order = |concern: &Concern| {
        let step = std::cmp::Reverse(concern.step.gravity());
        (std::cmp::Reverse(concern.attention()), concern.code.clone(), step, concern.subject.clone())
    };
    concerns.sort_by_key(order);
    let mut seen = std::collections::BTreeSet::new();
    concerns.retain(|concern| seen.insert((concern.code.clone(), concern.subject.clone())));
}

fn place(code: &str) -> usize {
    CODES.iter().position(|known| *known == code).unwrap_or(CODES.len() - 1)
}

fn gravity_of(code: &str) -> Gravity {
    match code {
        "link-suspended" | "fork" | "other-product" | "over-quota" | "too-many-keys" => Gravity::Problem,
        "not-linked" | "never-reported" | "staging-copy" | "verdict-outdated" => Gravity::Note,
        _ => Gravity::Warning,
    }
}
