//! The Licenses tab as a value (`w5`, `b7`): what an application uses, what it may use, and what is wrong.
//!
//! One pure function makes it from what is stored; the page, `GET /api/v1/applications/{id}/licenses` and
//! `seatline-central licenses` only show it.

use jiff::{SignedDuration, Timestamp};
use seatline_protocol::chain::ChainState;
use seatline_protocol::report::{ProductFacts, Reporter};
use seatline_protocol::standing::{
    AddOnStanding, LicenseStanding, LimitStanding, NodeStanding, Reason, TimeLeft, Verdict,
};
use seatline_protocol::{AccountCounts, Digest, LicenseId, LinkId, Measurement, Omission, Sequence};
use serde::Serialize;

use super::answer::Answer;
use super::application::Application;
use super::continuity::{self, Statement, Told};
use super::link::{Chain, Link, LinkSettings, LinkState};
use super::report::{Latest, ReportAt};
use super::trouble::{Trouble, troubles};

/// What the Licenses tab shows.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Licenses {
    /// The application.
    pub application: Application,
    /// Its link; absent where there is none.
    pub link: Option<LinkFacts>,
    /// What is wrong, the gravest first; empty where nothing is.
    pub troubles: Vec<Trouble>,
    /// The newest report; absent before the first.
    pub reported: Option<Reported>,
    /// The product, as it presents itself now: name, version, edition, server ID, nodes.
    pub product: Option<ProductFacts>,
    /// What was counted; absent before the first report with counts.
    pub counted: Option<Counted>,
    /// The changes of the server ID that the product has told of, the newest first (`b4`).
    pub identity_changes: Vec<Statement>,
    /// What administrators have answered to the questions of the chain, the newest first (`b4`, `b8`).
    pub answers: Vec<Answer>,
    /// When this view was made: the time that `time_left` refers to.
    pub as_of: Timestamp,
}

/// A link in short.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct LinkFacts {
    /// Its id.
    pub id: LinkId,
    /// What it may do.
    pub state: LinkState,
    /// The fingerprint of its key, for two people to compare.
    pub fingerprint: String,
    /// What the product is told to do.
    pub settings: LinkSettings,
    /// How its reports follow one another.
    pub chain: Chain,
    /// The same in a word.
    pub chain_state: ChainState,
}

/// The newest report.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Reported {
    /// Its place in the chain.
    pub sequence: Sequence,
    /// The digest of its sealed bytes.
    pub digest: Digest,
    /// What made it: the host and its plugin.
    pub reporter: Reporter,
    /// When it was observed, by the product's clock.
    pub observed_at: Timestamp,
    /// When it was stored.
    pub received_at: Timestamp,
    /// When the next one is expected: an interval after this one.
    pub next_at: Timestamp,
    /// When the next one should have come, with an interval of patience.
    pub overdue_at: Timestamp,
}

/// What the newest report with counts says.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Counted {
    /// Its place in the chain: that of `reported`, unless newer runs gave no counts.
    pub sequence: Sequence,
    /// When it was counted, by the product's clock.
    pub observed_at: Timestamp,
    /// The accounts by class.
    pub accounts: Option<AccountCounts>,
    /// Other dimensions.
    pub measurements: Vec<Measurement>,
    /// The verdict on the licenses.
    pub verdict: Option<Verdict>,
    /// Why, the gravest first.
    pub reasons: Vec<Reason>,
    /// The limits against the counts.
    pub limits: Vec<LimitStanding>,
    /// What the licenses of each add-on come to (`p1`).
    pub add_ons: Vec<AddOnStanding>,
    /// The running nodes with their licenses, where licenses are by node (`c8`, `p3`).
    pub nodes: Vec<NodeStanding>,
    /// When the verdict next changes by the passing of time alone; absent where it does not.
    pub changes_at: Option<Timestamp>,
    /// The license whose limits hold now, where there is one.
    pub governed_by: Option<LicenseId>,
    /// The licenses, those in force first.
    pub licenses: Vec<LicenseRow>,
    /// The features that are enabled.
    pub features: Vec<String>,
    /// What the plugin could not report, and why.
    pub omissions: Vec<Omission>,
    /// The plugin's remarks.
    pub notes: Vec<String>,
}

/// A license and the time that is left of it.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct LicenseRow {
    /// The license and what it comes to.
    #[serde(flatten)]
    pub standing: LicenseStanding,
    /// What ends first; absent where nothing does.
    pub time_left: Option<TimeLeft>,
}

/// For how many intervals a product may be silent before it counts as overdue: one that is missed can be an outage.
pub(crate) const PATIENCE_INTERVALS: i64 = 2;

impl Licenses {
    /// The view of an application at `now`, whose link has made these `statements`, the newest first.
    pub fn of(
        application: Application,
        link: Option<&Link>,
        latest: Option<&Latest>,
        told: impl Into<Told>,
        now: Timestamp,
    ) -> Self {
        let reported = link.zip(latest).map(|(link, latest)| Reported::of(&latest.newest, &link.settings));
        let counted = latest.and_then(|latest| latest.collected.as_ref()).and_then(|at| Counted::of(at, now));
        let Told { statements, answers, conflict_at } = told.into();
        let identity_changes = continuity::changes(statements);
        let troubles = troubles(&application, link, latest, reported.as_ref(), &identity_changes, &answers, now);
        Self {
            link: link.map(|link| LinkFacts::of(link, conflict_at, latest.map(|latest| latest.newest.received_at))),
            troubles,
            product: latest
                .map(|latest| latest.newest.report.product.clone())
                .or_else(|| link.map(|link| link.product.clone())),
            reported,
            counted,
            identity_changes,
            answers,
            application,
            as_of: now,
        }
    }
}

impl LinkFacts {
    /// The link in short. `conflict_at` is when the first refused report came that cannot stand beside the chain, and
    /// `last_at` when the newest of the chain did.
    fn of(link: &Link, conflict_at: Option<Timestamp>, last_at: Option<Timestamp>) -> Self {
        Self {
            id: link.id.clone(),
            state: link.state,
            fingerprint: link.key.fingerprint(),
            settings: link.settings.clone(),
            chain: link.chain.clone(),
            chain_state: link.chain.state(conflict_at, last_at),
        }
    }
}

impl Reported {
    fn of(newest: &ReportAt, settings: &LinkSettings) -> Self {
        let after = |intervals: i64| {
            let wait = SignedDuration::from_secs(intervals * i64::from(settings.interval));
            newest.received_at.checked_add(wait).unwrap_or(Timestamp::MAX)
        };
        Self {
            sequence: newest.report.sequence,
            digest: newest.digest.clone(),
            reporter: newest.report.reporter.clone(),
            observed_at: newest.report.observed_at,
            received_at: newest.received_at,
            next_at: after(1),
            overdue_at: after(PATIENCE_INTERVALS),
        }
    }
}

impl Counted {
    fn of(at: &ReportAt, now: Timestamp) -> Option<Self> {
        let collected = at.collected()?;
        let standing = collected.standing.as_ref();
        Some(Self {
            sequence: at.report.sequence,
            observed_at: at.report.observed_at,
            accounts: collected.accounts.clone(),
            measurements: collected.measurements.clone(),
            verdict: standing.map(|standing| standing.verdict),
            reasons: standing.map(|standing| standing.reasons.clone()).unwrap_or_default(),
            limits: standing.map(|standing| standing.limits.clone()).unwrap_or_default(),
            add_ons: standing.map(|standing| standing.add_ons.clone()).unwrap_or_default(),
            nodes: standing.map(|standing| standing.nodes.clone()).unwrap_or_default(),
            changes_at: standing.and_then(|standing| standing.changes_at),
            governed_by: standing.and_then(|standing| standing.governed_by.clone()),
            licenses: standing
                .map(|standing| standing.licenses.iter().map(|license| LicenseRow::of(license, now)).collect())
                .unwrap_or_default(),
            features: standing.map(|standing| standing.features.iter().cloned().collect()).unwrap_or_default(),
            omissions: collected.omissions.clone(),
            notes: collected.notes.clone(),
        })
    }
}

impl LicenseRow {
    fn of(standing: &LicenseStanding, now: Timestamp) -> Self {
        Self { standing: standing.clone(), time_left: standing.time_left(now) }
    }
}
