//! What ends of the licenses: those that are in force or to come, and the maintenance of them.

use jiff::{SignedDuration, Timestamp};
use seatline_protocol::notices::{Reminders, Step};
use seatline_protocol::standing::{Ends, LicenseStanding, ReasonCode, Status};
use seatline_protocol::{Kind, LicenseId, Mode, ProductId};
use serde::{Deserialize, Serialize};

use super::watch::Watch;
use super::{Concern, Gravity};
use crate::domain::licenses::Counted;
use crate::domain::millis;

/// The end of a license, or of its maintenance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct End {
    /// The license.
    pub license: LicenseId,
    /// What it licenses: the product, or an add-on of it.
    pub product: ProductId,
    /// Its kind.
    pub kind: Kind,
    /// What ends.
    pub ends: Ends,
    /// When it ends, or has ended.
    pub at: Timestamp,
    /// Whether another license takes over without a gap (`c10`).
    pub followed: bool,
}

impl End {
    /// Whether something stops with it: a license ends, and none follows.
    pub fn matters(&self) -> bool {
        self.ends == Ends::License && !self.followed
    }
}

/// The ends of the licenses that count, the earliest first. What is near or past is added to `concerns`.
pub(super) fn of(counted: &Counted, reminders: &Reminders, watch: &mut Watch, concerns: &mut Vec<Concern>) -> Vec<End> {
    let licenses: Vec<&LicenseStanding> = counted.licenses.iter().map(|row| &row.standing).collect();
    let mut ends = Vec::new();
    for license in &licenses {
        let is_missed = license.status == Status::Expired && is_missed(counted, license);
        let is_in_force = matches!(license.status, Status::Active | Status::Grace);
        if !is_missed && !is_in_force && license.status != Status::Upcoming {
            continue;
        }
        if let Some(at) = license.expires {
            let followed = !is_missed && licenses.iter().any(|other| follows(other, license, at));
            ends.push(End::new(license, Ends::License, at, followed));
            if !followed && license.status != Status::Upcoming {
                concerns.extend(expiry(license, at, reminders, watch));
            }
        }
        if let Some(at) = license.maintenance_until.filter(|at| license.expires.is_none_or(|end| *at < end))
            && is_in_force
        {
            ends.push(End::new(license, Ends::Maintenance, at, false));
            let is_uncovered = counted.reasons.iter().any(|reason| {
                reason.code == ReasonCode::MaintenanceEndedBeforeRelease && reason.license.as_ref() == Some(&license.id)
            });
            concerns.extend(maintenance(license, at, is_uncovered, reminders, watch));
        }
    }
    ends.sort_by(|one, other| (one.at, &one.license).cmp(&(other.at, &other.license)));
    ends
}

impl End {
    fn new(license: &LicenseStanding, ends: Ends, at: Timestamp, followed: bool) -> Self {
        Self {
            license: license.id.clone(),
            product: license.product.clone(),
            kind: license.kind,
            ends,
            at: millis(at),
            followed,
        }
    }
}

/// Whether the end of a license is why none is in force: an end that another has taken the place of is history.
fn is_missed(counted: &Counted, license: &LicenseStanding) -> bool {
    counted.reasons.iter().any(|reason| {
        reason.code == ReasonCode::Expired
            && reason.license.as_ref() == Some(&license.id)
            && reason.add_on.as_ref().is_none_or(|add_on| *add_on == license.product)
    })
}

/// Whether `other` holds on where `license` ends at `end`. One by node, or for some nodes, stands for itself.
fn follows(other: &LicenseStanding, license: &LicenseStanding, end: Timestamp) -> bool {
    let is_for_all = other.mode == Mode::Installation && other.set_for.is_empty();
    let is_for_the_same = other.mode == license.mode && other.set_for == license.set_for && !other.set_for.is_empty();
    matches!(other.status, Status::Active | Status::Upcoming)
        && other.product == license.product
        && (is_for_all || is_for_the_same)
        && other.begins <= end
        && other.expires.is_none_or(|expires| expires > end)
}

fn expiry(license: &LicenseStanding, end: Timestamp, reminders: &Reminders, watch: &mut Watch) -> Option<Concern> {
    let days = if license.kind == Kind::Evaluation { &reminders.evaluation_days } else { &reminders.expiry_days };
    let near = near(end, days, watch);
    let grace_ends = license.grace_ends.filter(|grace| *grace > end);
    let (is_past, is_over) = (watch.has_come(end), watch.has_come(grace_ends.unwrap_or(end)));
    let (id, on) = (&license.id, day(end));
    let (step, gravity, since, message) = match near {
        _ if is_over => {
            let since = grace_ends.unwrap_or(end);
            let message = format!("license {id} ended on {on}: set the next one in the product");
            (Step::Ended, Gravity::Problem, since, message)
        }
        _ if is_past => {
            let until = grace_ends.map(day).unwrap_or_default();
            let message = format!("license {id} ended on {on}, and its grace runs until {until}: set the next one");
            (Step::InGrace, Gravity::Warning, end, message)
        }
        Some((days, since)) => {
            let message =
                format!("license {id} ends on {on}, and no other follows it: ask the vendor for the next one");
            (Step::Days(days), Gravity::Warning, since, message)
        }
        None => return None,
    };
    Some(Concern {
        code: "expiry".to_owned(),
        subject: subject(license),
        step,
        gravity,
        since: Some(millis(since)),
        message,
    })
}

fn maintenance(
    license: &LicenseStanding,
    end: Timestamp,
    is_uncovered: bool,
    reminders: &Reminders,
    watch: &mut Watch,
) -> Option<Concern> {
    let near = near(end, &reminders.maintenance_days, watch);
    let is_past = watch.has_come(end);
    let (id, on) = (&license.id, day(end));
    let (step, gravity, since, message) = match near {
        _ if is_uncovered => {
            let message = format!(
                "the maintenance of license {id} ended on {on}, before this release was built: renew it, or go back to \
                 the release before"
            );
            (Step::NotCovered, Gravity::Problem, end, message)
        }
        // The product goes on working: to know, and no more.
        _ if is_past => {
            let message = format!("the maintenance of license {id} ended on {on}: later releases are not covered");
            (Step::Ended, Gravity::Note, end, message)
        }
        Some((days, since)) => {
            let message = format!("the maintenance of license {id} ends on {on}: renew it to get later releases");
            (Step::Days(days), Gravity::Warning, since, message)
        }
        None => return None,
    };
    let code = "maintenance".to_owned();
    Some(Concern { code, subject: subject(license), step, gravity, since: Some(millis(since)), message })
}

/// The nearest of the `days` before `end` that has come, and since when.
fn near(end: Timestamp, days: &[u16], watch: &mut Watch) -> Option<(u16, Timestamp)> {
    let before =
        |days: u16| end.checked_sub(SignedDuration::from_hours(24 * i64::from(days))).unwrap_or(Timestamp::MIN);
    let come = days.iter().map(|days| (*days, before(*days))).filter(|(_, at)| watch.has_come(*at));
    come.min_by_key(|(days, _)| *days)
}

/// Vendors of a product and of its add-on may use the same id.
fn subject(license: &LicenseStanding) -> String {
    match license.add_on_of {
        Some(_) => format!("{}/{}", license.product, license.id),
        None => license.id.to_string(),
    }
}

/// The day in UTC.
fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}
