//! What a license's dates say at an instant. Every date takes effect at its very instant, not after it.

use jiff::{SignedDuration, Timestamp};

use super::messages;
use super::rules::{Finding, Weighed};
use super::{EVALUATION_NOTICE_DAYS, EXPIRY_NOTICE_DAYS};
use crate::license::{Kind, License};

/// When the license ends, without its grace; the end of time for a perpetual one.
pub(super) fn end(license: &License) -> Timestamp {
    license.expires.unwrap_or(Timestamp::MAX)
}

/// What the dates alone say of the license.
pub(super) fn finding(license: &License, now: Timestamp) -> Finding<'static> {
    if now < license.begins() {
        return Finding::Upcoming;
    }
    match (license.expires, license.grace_ends()) {
        (Some(expires), _) if now < expires => Finding::InForce,
        (Some(_), Some(grace_ends)) if now < grace_ends => Finding::InGrace,
        (Some(_), _) => Finding::Expired,
        (None, _) => Finding::InForce,
    }
}

/// When the license expires, if that is near.
pub(super) fn expires_soon(license: &License, now: Timestamp) -> Option<Timestamp> {
    license.expires.filter(|expires| days_before(*expires, notice_days(license)) <= now && now < *expires)
}

/// What maintenance comes to for a license that is in force (`c6`), on a release that was built at `released`.
///
/// Maintenance that lasts as long as the license is not told of: its end is the license's.
pub(super) fn maintenance(license: &License, released: Option<Timestamp>, now: Timestamp) -> Option<Weighed> {
    let until = license.maintenance_until?;
    if let Some(released) = released.filter(|released| *released > until) {
        return Some(messages::release_not_covered(license, until, released));
    }
    if until >= end(license) {
        None
    } else if until <= now {
        Some(messages::maintenance_ended(license, until))
    } else if days_before(until, EXPIRY_NOTICE_DAYS) <= now {
        Some(messages::maintenance_ends_soon(license, until))
    } else {
        None
    }
}

/// Whether the license entitles to support at `now` (`s11`): as long as its maintenance lasts, if it says how long.
pub(super) fn is_supported(license: &License, now: Timestamp) -> bool {
    license.support && license.maintenance_until.is_none_or(|until| now < until)
}

/// All instants at which the license's dates can change a standing.
pub(super) fn instants(license: &License) -> impl Iterator<Item = Timestamp> {
    let notice = license.expires.map(|expires| days_before(expires, notice_days(license)));
    let maintenance = license.maintenance_until;
    let maintenance_notice = maintenance.map(|until| days_before(until, EXPIRY_NOTICE_DAYS));
    [Some(license.begins()), notice, license.expires, license.grace_ends(), maintenance_notice, maintenance]
        .into_iter()
        .flatten()
}

fn notice_days(license: &License) -> i64 {
    if license.kind == Kind::Evaluation { EVALUATION_NOTICE_DAYS } else { EXPIRY_NOTICE_DAYS }
}

fn days_before(at: Timestamp, days: i64) -> Timestamp {
    at.checked_sub(SignedDuration::from_hours(24 * days)).unwrap_or(Timestamp::MIN)
}
