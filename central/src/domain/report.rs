//! Reports as they are stored: the sealed bytes as evidence, and what was read from them.

use jiff::{SignedDuration, Timestamp};
use seatline_protocol::exchange::RefusalCode;
use seatline_protocol::report::{Failure, Outcome};
use seatline_protocol::standing::Verdict;
use seatline_protocol::{Collected, Digest, Dimension, Entry, KeyId, ReceiptVerdict, Report, Sequence};
use serde::Serialize;

use super::link::LinkSettings;

/// What a report names as its trigger that was made because somebody wanted a count at once.
pub const DEMANDED: &str = "demand";

/// A report, or the repeat of one, that has arrived and whose seal holds.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// The exact bytes.
    pub sealed: String,
    /// The digest of the bytes.
    pub digest: Digest,
    /// What they say.
    pub entry: Entry,
    /// The key that sealed it.
    pub key: KeyId,
}

/// What became of an incoming report, after the commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admitted {
    /// It is stored, now or since before: what its receipt says.
    Stored {
        /// When it was stored first.
        received_at: Timestamp,
        /// How it fitted the chain then.
        verdict: ReceiptVerdict,
    },
    /// It is refused. Forks, broken chains and reports from the future are kept apart, see [`RefusedReport`].
    Refused(RefusalCode),
}

/// What became of the reports of one link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admissions {
    /// What became of each report, in their order.
    pub answers: Vec<Admitted>,
    /// The settings of the link at the moment of the commit, if it is in force.
    pub settings: Option<LinkSettings>,
}

/// A row of the list of a link's reports, the newest first.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct ReportRow {
    /// Its place in the chain.
    pub sequence: Sequence,
    /// The digest of its sealed bytes.
    pub digest: Digest,
    /// The digest of the one before.
    pub previous: Option<Digest>,
    /// When it was observed, by the product's clock.
    pub observed_at: Timestamp,
    /// When it was stored.
    pub received_at: Timestamp,
    /// How it fitted the chain when it arrived.
    pub verdict: ReceiptVerdict,
    /// The length of its sealed bytes.
    pub bytes: u64,
    /// The report that it repeats; none where it says all itself.
    pub repeats: Option<Sequence>,
}

/// A stored report with its exact bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedReport {
    /// Its place in the chain.
    pub sequence: Sequence,
    /// The digest of the bytes.
    pub digest: Digest,
    /// When it was stored.
    pub received_at: Timestamp,
    /// How it fitted the chain when it arrived.
    pub verdict: ReceiptVerdict,
    /// The exact bytes.
    pub sealed: String,
    /// The report that it repeats; none where it says all itself.
    pub repeats: Option<Sequence>,
}

/// A refused report with its exact bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct SealedRefused {
    /// What is known of it.
    pub report: RefusedReport,
    /// The exact bytes.
    pub sealed: String,
}

/// A refused report beside a report of the chain that it cannot stand beside (`b1`): the link's key has sealed both.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Conflict {
    /// The refused one.
    pub refused: RefusedReport,
    /// The number of the other; absent where it is not stored any more.
    pub beside: Option<Sequence>,
    /// Its digest.
    pub beside_digest: Option<Digest>,
}

/// A sealed report that was not admitted to the chain, kept as evidence. At most [`MAX_REFUSED_KEPT`] per link are
/// kept; the ones that came least recently give way.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct RefusedReport {
    /// The digest of its sealed bytes.
    pub digest: Digest,
    /// The place that it claims.
    pub sequence: Sequence,
    /// Why it was refused: `fork`, `broken-chain`, `key-replaced`, `future-report` or `past-report`.
    pub code: String,
    /// When it was observed, by the product's clock.
    pub observed_at: Timestamp,
    /// When it came first.
    pub first_at: Timestamp,
    /// When it came last.
    pub last_at: Timestamp,
    /// How often it came, counted once a minute at most.
    pub times: u64,
}

/// The most refused reports of a link that are kept.
pub const MAX_REFUSED_KEPT: u32 = 32;
/// How often a refused report is counted, and within what time no more others are taken in than are kept: a flood of
/// them costs no writes.
pub const REFUSED_COUNTED_EVERY: SignedDuration = SignedDuration::from_mins(1);

/// The newest report of a link, and the newest that holds counts: what was counted last stays visible while the
/// product cannot count (`g3`).
#[derive(Debug, Clone, PartialEq)]
pub struct Latest {
    /// The report with the greatest sequence number.
    pub newest: ReportAt,
    /// The newest one that was collected; the same as `newest` where that one was.
    pub collected: Option<ReportAt>,
}

/// A report and when it came. Its sketch of people is left out here; the sealed bytes hold it.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportAt {
    /// When it was stored.
    pub received_at: Timestamp,
    /// The digest of its sealed bytes.
    pub digest: Digest,
    /// What it says. Of a repeat, what it repeats, at its own place and time; `previous` and `trigger` may be those of
    /// before.
    pub report: Report,
    /// The report that it repeats, where that is known.
    pub repeats: Option<Sequence>,
}

/// A link's newest report in short, for lists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct LatestSummary {
    /// When the newest report was observed, by the product's clock.
    pub observed_at: Timestamp,
    /// When the newest report was stored.
    pub received_at: Timestamp,
    /// Why the newest run gave no counts.
    pub failure: Option<String>,
    /// The verdict on the licenses, of the newest report with counts.
    pub verdict: Option<Verdict>,
    /// The counted users, of the newest report with counts.
    pub users: Option<u64>,
    /// The licensed users, of the newest report with counts; absent for no limit or no license.
    pub users_max: Option<u64>,
}

/// What lists show of a report's counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    /// The verdict on the licenses.
    pub verdict: Option<Verdict>,
    /// The counted users.
    pub users: Option<u64>,
    /// The licensed users; absent for no limit or no license.
    pub users_max: Option<u64>,
}

impl Figures {
    /// The figures of what was collected.
    pub fn of(collected: &Collected) -> Self {
        let standing = collected.standing.as_ref();
        let limits = standing.map(|standing| standing.limits.as_slice()).unwrap_or_default();
        let users = Dimension::users();
        Self {
            verdict: standing.map(|standing| standing.verdict),
            users: collected.accounts.as_ref().map(|accounts| accounts.counted),
            users_max: limits.iter().find(|limit| limit.dimension == users).and_then(|limit| limit.max),
        }
    }
}

impl Latest {
    /// What a list shows of it.
    pub fn summary(&self) -> LatestSummary {
        let collected = self.collected.as_ref().and_then(ReportAt::collected);
        let Figures { verdict, users, users_max } = collected.map(Figures::of).unwrap_or_default();
        LatestSummary {
            observed_at: self.newest.report.observed_at,
            received_at: self.newest.received_at,
            failure: self.newest.failure().map(|failure| failure.message),
            verdict,
            users,
            users_max,
        }
    }
}

impl ReportAt {
    /// What was counted, unless the run gave no counts.
    pub fn collected(&self) -> Option<&Collected> {
        match &self.report.outcome {
            Outcome::Collected(collected) if without_counts(&self.report.outcome).is_none() => Some(collected),
            _ => None,
        }
    }

    /// Why nothing was counted.
    pub fn failure(&self) -> Option<Failure> {
        without_counts(&self.report.outcome)
    }
}

/// Why a run gave no counts: it failed, or the product could not give its accounts. A plugin that does not ask for
/// accounts at all leaves none out.
pub fn without_counts(outcome: &Outcome) -> Option<Failure> {
    match outcome {
        Outcome::Failed(failure) => Some(failure.clone()),
        Outcome::Collected(collected) => {
            let omitted = collected.omissions.iter().find(|omission| omission.subject == "accounts")?;
            Some(Failure { code: "accounts-omitted".to_owned(), message: omitted.reason.clone() })
        }
    }
}
