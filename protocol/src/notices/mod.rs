//! Notices: which of the things that are so administrators are told now, each once (`s5`, `s6`).
//!
//! It is pure, as [`standing`](mod@crate::standing) is. Whoever tells people gathers the [`State`]s that are so — of
//! the dates and limits by [`of_standing`], of the rest himself —, hands them to the [`Memory`] with the time, and
//! tells the [`Notice`]s that it gives. The memory is a plain value to be kept; what was told is in it, whoever told
//! it.
//!
//! # When a notice is due
//! 1. A [`Subject`] is one matter: what it is about, with the license, and the boundary that it comes near or passes. A
//!    license that was renewed has another boundary, and so it is told of anew.
//! 2. A subject goes through [`Step`]s, from slight to grave. A step that is graver than what was told is due, the
//!    slighter ones with it: after a month without a look, one notice is due and not three.
//! 3. What is told once is not told again until it was over. A count is over when it has stayed below for
//!    a day ([`SETTLE_COUNT`]), so that one that swings around its boundary is told once.
//! 4. That something is over is told as well, if it was told that it began.
//! 5. What comes and goes by itself (a server that cannot be reached) has a patience: it is due when it has lasted so
//!    long.

mod memory;
mod of_standing;
mod settings;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{Dimension, LicenseId};

pub use memory::{MAX_REMEMBERED, Memory, SETTLE_COUNT, SETTLE_SERVICE};
pub use of_standing::{looks_ahead, of_standing};
pub use settings::{DEFAULT_THRESHOLD, Reminders};

/// What a notice is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Topic {
    /// The end of a license.
    Expiry,
    /// The end of a license's support and upgrades.
    Maintenance,
    /// A limit, and the threshold that an administrator has set on it.
    Limit,
    /// That no license is in force, or will soon be, for another reason than its end.
    Unlicensed,
    /// A license key that lies ready and is refused.
    LicenseKey,
    /// The counting.
    Counting,
    /// The reports on their way.
    Reporting,
    /// The reports that wait for approval.
    Approval,
    /// What the central server says to the link.
    Link,
    /// The clock.
    Clock,
    /// Nothing: somebody tries whether notices arrive.
    Test,
}

/// One matter, with everything that makes it another one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Subject {
    /// What it is about.
    pub topic: Topic,
    /// What of: a product, a dimension, a server. What takes this one's place has the same.
    pub of: String,
    /// The license.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<LicenseId>,
    /// The boundary: a date, a number. Another one is another matter.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub boundary: String,
}

/// How far a matter has come. The steps of one topic are ordered by [`Step::gravity`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Step {
    /// It ends in so many days, or sooner.
    Days(u16),
    /// It has ended, and the days of grace run.
    InGrace,
    /// It has ended.
    Ended,
    /// It has ended, and the release is not covered.
    NotCovered,
    /// So many hundredths of the limit are reached.
    Threshold(u8),
    /// The limit is passed, within its allowance.
    Passed,
    /// The product refuses more.
    Full,
    /// The limit and its allowance are passed.
    Over,
    /// The same, and the features are stopped.
    Restricted,
    /// It is so.
    Holds,
    /// Nothing more is kept, because too much waits.
    Stopped,
}

impl Step {
    /// Its place among the steps of its topic, the gravest last.
    pub fn gravity(self) -> (u8, i32) {
        match self {
            Self::Days(days) => (0, -i32::from(days)),
            Self::Threshold(percent) => (0, i32::from(percent)),
            Self::Holds => (0, 0),
            Self::InGrace | Self::Passed | Self::Stopped => (1, 0),
            Self::Ended | Self::Full => (2, 0),
            Self::NotCovered | Self::Over => (3, 0),
            Self::Restricted => (4, 0),
        }
    }
}

impl From<Step> for String {
    fn from(step: Step) -> Self {
        match step {
            Step::Days(days) => format!("days-{days}"),
            Step::InGrace => "in-grace".to_owned(),
            Step::Ended => "ended".to_owned(),
            Step::NotCovered => "not-covered".to_owned(),
            Step::Threshold(percent) => format!("threshold-{percent}"),
            Step::Passed => "passed".to_owned(),
            Step::Full => "full".to_owned(),
            Step::Over => "over".to_owned(),
            Step::Restricted => "restricted".to_owned(),
            Step::Holds => "holds".to_owned(),
            Step::Stopped => "stopped".to_owned(),
        }
    }
}

impl TryFrom<String> for Step {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        use Step::*;
        let plain = [InGrace, Ended, NotCovered, Passed, Full, Over, Restricted, Holds, Stopped];
        let named = plain.into_iter().find(|step| String::from(*step) == text);
        let days = || text.strip_prefix("days-")?.parse().ok().map(Days);
        let threshold = || text.strip_prefix("threshold-")?.parse().ok().map(Threshold);
        named.or_else(days).or_else(threshold).ok_or("not a step of a notice")
    }
}

/// How a matter stands, in the words of a notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// The matter.
    pub subject: Subject,
    /// How far it has come.
    pub course: Course,
    /// What is told of the step: empty where there is none.
    pub begun: Words,
    /// What is told when a graver step, or all of it, is over.
    pub over: Words,
    /// What it is about, for machines.
    pub facts: Facts,
    /// For how many seconds the step must have lasted before it is told.
    pub patience: u32,
}

/// How far a matter has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Course {
    /// All is well with it.
    Well,
    /// Nothing is to be told of it now; what was told of it holds.
    Quiet,
    /// It is at this step.
    At(Step),
}

impl Course {
    fn step(self) -> Option<Step> {
        match self {
            Self::At(step) => Some(step),
            Self::Well | Self::Quiet => None,
        }
    }
}

/// What people read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words {
    /// A stable code for machines.
    pub code: &'static str,
    /// One short line.
    pub title: String,
    /// One line: what, why, and what to do.
    pub message: String,
}

/// What a notice is about, for machines.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The license.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<LicenseId>,
    /// The dimension.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dimension: Option<Dimension>,
    /// When it ends, or has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// The latest count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<u64>,
    /// The limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u64>,
}

/// Whether something began or is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// It began, or became graver.
    Began,
    /// It is over.
    Over,
}

/// Something to tell, once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// The matter.
    pub subject: Subject,
    /// The step that began or is over.
    pub step: Step,
    /// Which of the two.
    pub change: Change,
    /// A stable code for machines, such as `expires-soon`; the same for both changes.
    pub code: String,
    /// When it became due.
    pub at: Timestamp,
    /// One short line.
    pub title: String,
    /// One line: what, why, and what to do.
    pub message: String,
    /// What it is about, for machines.
    pub facts: Facts,
}

/// How much a notice wants to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// All is well.
    Information,
    /// Something is to be done in time.
    Warning,
    /// Something has stopped, or is about to.
    Critical,
}

impl Notice {
    /// How much it wants to be read.
    pub fn severity(&self) -> Severity {
        use Step::*;
        match (self.change, self.subject.topic, self.step) {
            (Change::Over, ..) | (_, Topic::Test, _) => Severity::Information,
            (_, Topic::Unlicensed, Ended) | (_, Topic::Expiry, Ended | InGrace) => Severity::Critical,
            (_, _, NotCovered | Full | Over | Restricted | Stopped) => Severity::Critical,
            _ => Severity::Warning,
        }
    }
}
