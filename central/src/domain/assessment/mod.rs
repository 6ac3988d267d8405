//! The assessment of an application: what calls for attention, how its limits are used, what ends when, and the next
//! moment at which any of that can change without a report.
//!
//! It is pure, and made from the view that the Licenses tab shows, so that a list and the tab cannot disagree. The
//! review (see [`crate::store::Fleet`]) keeps it in rows, until [`Assessment::changes_at`] has come or something new is
//! heard.

mod concern;
mod consumption;
mod ends;
mod plugin;
mod watch;
pub mod words;

use jiff::{SignedDuration, Timestamp};
use seatline_protocol::notices::{Reminders, Step};
use seatline_protocol::standing::{Reason, ReasonCode, Verdict};
use serde::{Deserialize, Serialize};

use super::Licenses;
use super::licenses::{Counted, PATIENCE_INTERVALS};
use super::time::millis;
pub use concern::{CODES, Concern, Gravity};
pub use consumption::Consumption;
pub use ends::End;
pub use plugin::Seen;
use watch::Watch;

/// What an application comes to at a moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Assessment {
    /// What calls for attention, the gravest first; of one matter there is one.
    pub concerns: Vec<Concern>,
    /// The verdict on the licenses, of the newest report with counts.
    pub verdict: Option<Verdict>,
    /// Whether it is a staging instance, which no total of production counts (`s3`).
    pub staging: bool,
    /// How the limits are used, the tightest first.
    pub consumption: Vec<Consumption>,
    /// What ends of the licenses, the earliest first.
    pub ends: Vec<End>,
    /// Until when no report is missed; absent where none is expected.
    pub overdue_at: Option<Timestamp>,
    /// The next moment at which anything else of this can change by the passing of time alone.
    pub turns_at: Option<Timestamp>,
    /// The plugin that reports, and what it reports; absent before the first report with counts.
    #[serde(default)]
    pub seen: Option<Seen>,
}

impl Assessment {
    /// The assessment of what `view` shows, at the moment that it shows. `reminders` say what is near.
    pub fn of(view: &Licenses, reminders: &Reminders) -> Self {
        let mut watch = Watch::new(view.as_of);
        let mut concerns = of_link(view, &mut watch);
        let mut overdue = Watch::new(view.as_of);
        if let Some(reported) = &view.reported {
            overdue.has_passed(reported.overdue_at);
        }
        let counted = view.counted.as_ref();
        let mut ends = Vec::new();
        if let Some(counted) = counted {
            if let Some(at) = counted.changes_at {
                // The view says from then on that the verdict may be outdated.
                watch.has_come(at);
            }
            concerns.extend(consumption::concerns(counted, reminders));
            concerns.extend(unlicensed(counted));
            ends = ends::of(counted, reminders, &mut watch, &mut concerns);
        }
        concern::settle(&mut concerns);
        Self {
            concerns,
            verdict: counted.and_then(|counted| counted.verdict),
            staging: view.product.as_ref().is_some_and(|product| product.staging),
            consumption: counted.map(consumption::of).unwrap_or_default(),
            ends,
            overdue_at: overdue.next(),
            turns_at: watch.next(),
            seen: Seen::of(view),
        }
    }

    /// The next moment at which this can change without a report: until just before, it stays as it is.
    pub fn changes_at(&self) -> Option<Timestamp> {
        [self.overdue_at, self.turns_at].into_iter().flatten().min()
    }

    /// How grave the gravest concern is; none where all is well.
    pub fn gravity(&self) -> Option<Gravity> {
        self.concerns.first().map(|gravest| gravest.gravity)
    }

    /// Where it stands in a list by attention: the greater, the sooner somebody should look.
    pub fn attention(&self) -> i64 {
        self.concerns.first().map_or(0, Concern::attention)
    }

    /// The share of the tightest limit that is used, in thousandths.
    pub fn share(&self) -> Option<u32> {
        self.consumption.iter().filter_map(Consumption::share).max()
    }

    /// When the first license ends, or has ended, that no other follows.
    pub fn ends_at(&self) -> Option<Timestamp> {
        self.ends.iter().find(|end| end.matters()).map(|end| end.at)
    }

    /// Whether a report with the same content as the one before changes nothing of this: no report is awaited, and none
    /// is missing.
    pub fn is_settled(&self) -> bool {
        let awaits = ["never-reported", "overdue", "gap", "fork", "server-id-changed", "staging-copy"];
        !self.concerns.iter().any(|concern| awaits.contains(&concern.code.as_str()))
    }
}

/// What is wrong with the link and its reports: as the Licenses tab says it.
fn of_link(view: &Licenses, watch: &mut Watch) -> Vec<Concern> {
    let mut concerns: Vec<Concern> = view.troubles.iter().map(Concern::of_trouble).collect();
    for until in view.troubles.iter().filter_map(|trouble| trouble.until) {
        watch.has_passed(until);
    }
    let interval = view.link.as_ref().map_or(0, |link| i64::from(link.settings.interval));
    let waits = SignedDuration::from_secs(PATIENCE_INTERVALS * interval);
    for concern in concerns.iter_mut().filter(|concern| concern.code == "never-reported") {
        // Just linked, it is a step to be done; after the time of some reports, something is in the way.
        let late = concern.since.and_then(|since| since.checked_add(waits).ok());
        if late.is_some_and(|late| watch.has_passed(late)) {
            concern.gravity = Gravity::Warning;
        }
    }
    concerns
}

/// That no license is in force, or will soon be, for another reason than the end of one.
fn unlicensed(counted: &Counted) -> Option<Concern> {
    let gravest = counted.reasons.first();
    let moved = counted.reasons.iter().find(|reason| reason.code == ReasonCode::ServerChanged);
    let (step, gravity, reason) = match (counted.verdict?, gravest, moved) {
        // An end is a concern of its own.
        (Verdict::Unlicensed, Some(Reason { code: ReasonCode::Expired, .. }), _) => return None,
        (Verdict::Unlicensed, ..) => (Step::Ended, Gravity::Problem, gravest),
        (_, _, Some(_)) => (Step::InGrace, Gravity::Warning, moved),
        _ => return None,
    };
    Some(Concern {
        code: "unlicensed".to_owned(),
        subject: String::new(),
        step,
        gravity,
        since: reason.and_then(|reason| reason.at).map(millis).filter(|at| *at <= counted.observed_at),
        message: reason.map_or_else(|| "no license covers this use".to_owned(), |reason| reason.message.clone()),
    })
}

#[cfg(test)]
mod tests;
