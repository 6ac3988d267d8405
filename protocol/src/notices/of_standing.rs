//! The states of a standing: what its dates and its limits give cause to tell.
//!
//! The messages are the standing's own, so that a reminder says what the page says.

use jiff::{SignedDuration, Timestamp};

use super::{Course, Facts, Reminders, State, Step, Subject, Topic, Words};
use crate::ids::{Dimension, LicenseId, ProductId};
use crate::license::{Behaviour, Kind};
use crate::standing::{
    EVALUATION_NOTICE_DAYS, EXPIRY_NOTICE_DAYS, LicenseStanding, LimitStanding, LimitState, Reason, ReasonCode,
    Standing, Status, Verdict,
};
use crate::text::{day, line, number};

/// The most characters of a title.
const MAX_TITLE: usize = 120;

/// The later times whose standing [`of_standing`] wants to see, beside that of now. A standing tells of an end some
/// days before it, and the reminders may be set to tell earlier: then the last second before the end shows whether
/// anything follows it.
pub fn looks_ahead(standing: &Standing, reminders: &Reminders, now: Timestamp) -> Vec<Timestamp> {
    let mut ahead = Vec::new();
    for license in standing.licenses.iter().filter(|license| license.status == Status::Active) {
        let (days, told) = match license.kind {
            Kind::Evaluation => (&reminders.evaluation_days, EVALUATION_NOTICE_DAYS),
            _ => (&reminders.expiry_days, EXPIRY_NOTICE_DAYS),
        };
        let maintenance = (&reminders.maintenance_days, EXPIRY_NOTICE_DAYS, license.maintenance_until);
        for (days, told, end) in [(days, told, license.expires), maintenance] {
            let farthest = i64::from(days.iter().max().copied().unwrap_or_default());
            let end = end.filter(|end| later(now, told) < *end && *end <= later(now, farthest));
            ahead.extend(end.and_then(|end| end.checked_sub(SignedDuration::from_secs(1)).ok()));
        }
    }
    ahead.sort();
    ahead.dedup();
    ahead
}

/// The states of the dates and limits of `standing`, which is that of `product` at `now`. `ahead` are its standings at
/// [`looks_ahead`], of the same licenses and counts.
pub fn of_standing(
    product: &ProductId,
    standing: &Standing,
    ahead: &[Standing],
    reminders: &Reminders,
    now: Timestamp,
) -> Vec<State> {
    let found = Found { product, standing, ahead, reminders, now };
    let mut states = found.expiries();
    states.extend(standing.licenses.iter().filter_map(|license| found.maintenance(license)));
    states.extend(standing.limits.iter().filter_map(|limit| found.limit(limit)));
    states.extend(found.unlicensed());
    states
}

struct Found<'f> {
    product: &'f ProductId,
    standing: &'f Standing,
    ahead: &'f [Standing],
    reminders: &'f Reminders,
    now: Timestamp,
}

impl Found<'_> {
    /// The reason of `codes` that is about the license, the one of now before those of later.
    fn reason(&self, license: &LicenseId, codes: &[ReasonCode]) -> Option<&Reason> {
        self.reason_now(license, codes).or_else(|| {
            let mut later = self.ahead.iter().flat_map(|standing| &standing.reasons);
            later.find(|reason| reason.license.as_ref() == Some(license) && codes.contains(&reason.code))
        })
    }

    fn reason_now(&self, license: &LicenseId, codes: &[ReasonCode]) -> Option<&Reason> {
        let mut reasons = self.standing.reasons.iter();
        reasons.find(|reason| reason.license.as_ref() == Some(license) && codes.contains(&reason.code))
    }

    /// The nearest of the reminders `days` before `end` that is reached.
    fn reached(&self, days: &[u16], end: Timestamp) -> Course {
        let reached = days.iter().filter(|days| later(self.now, i64::from(**days)) >= end);
        reached.min().map_or(Course::Quiet, |days| Course::At(Step::Days(*days)))
    }

    /// The states of the licenses' ends: of several that have ended one after the other, the last.
    fn expiries(&self) -> Vec<State> {
        let mut states: Vec<State> = self.standing.licenses.iter().filter_map(|license| self.expiry(license)).collect();
        let ended = |state: &State| state.course == Course::At(Step::Ended);
        let ends: Vec<(String, Option<Timestamp>)> = states
            .iter()
            .filter(|state| ended(state))
            .map(|state| (state.subject.of.clone(), state.facts.at))
            .collect();
        states.retain(|state| {
            let is_earlier = ends.iter().any(|(of, at)| *of == state.subject.of && *at > state.facts.at);
            !ended(state) || !is_earlier
        });
        states
    }

    /// Whether nodes run that no license covers. The end of a license by node is then not made good by the others.
    fn is_short_of_nodes(&self) -> bool {
        let mut limits = self.standing.limits.iter();
        limits.any(|limit| {
            limit.dimension == Dimension::nodes() && matches!(limit.state, LimitState::InAllowance | LimitState::Over)
        })
    }

    fn expiry(&self, license: &LicenseStanding) -> Option<State> {
        let is_evaluation = license.kind == Kind::Evaluation;
        let days = if is_evaluation { &self.reminders.evaluation_days } else { &self.reminders.expiry_days };
        let (course, reason) = match license.status {
            Status::Active => match self.reason(&license.id, &[ReasonCode::ExpiresSoon]).zip(license.expires) {
                Some((reason, expires)) => (self.reached(days, expires), Some(reason)),
                None if self.is_short_of_nodes() => (Course::Quiet, None),
                None => (Course::Well, None),
            },
            Status::Grace => (Course::At(Step::InGrace), self.reason_now(&license.id, &[ReasonCode::InGrace])),
            Status::Expired => {
                // An end that another license has taken the place of is history.
                let reason = self.reason_now(&license.id, &[ReasonCode::Expired])?;
                (Course::At(Step::Ended), Some(reason))
            }
            Status::Upcoming | Status::NotApplicable | Status::Replaced => return None,
        };
        let boundary = license.expires.map(|expires| expires.to_string()).unwrap_or_default();
        let (id, on) = (&license.id, license.expires.map(day).unwrap_or_default());
        let what = if is_evaluation { "The evaluation under license" } else { "License" };
        let begun = match course.step() {
            None => Words::default(),
            Some(Step::InGrace) => {
                words("in-grace", format!("{what} {id} expired on {on}, and its grace runs"), reason)
            }
            Some(Step::Ended) => words("expired", format!("{what} {id} has expired"), reason),
            Some(_) if is_evaluation => words("evaluation-ends-soon", format!("{what} {id} ends on {on}"), reason),
            Some(_) => words("expires-soon", format!("{what} {id} expires on {on}"), reason),
        };
        let over = over(
            format!("The license of {} is in order again", license.product),
            match license.expires {
                Some(_) => format!("License {id} holds until {on}, or another one follows it without a gap."),
                None => format!("License {id} holds without an end."),
            },
        );
        let facts = Facts { license: Some(id.clone()), at: license.expires, ..Facts::default() };
        Some(self.dated(Topic::Expiry, license, boundary, State { begun, over, facts, ..State::of(course) }))
    }

    fn maintenance(&self, license: &LicenseStanding) -> Option<State> {
        use ReasonCode::{MaintenanceEnded, MaintenanceEndedBeforeRelease, MaintenanceEndsSoon};
        if !matches!(license.status, Status::Active | Status::Grace) {
            return None;
        }
        let until = license.maintenance_until;
        let now = self.reason_now(&license.id, &[MaintenanceEndedBeforeRelease, MaintenanceEnded]);
        let reason = now.or_else(|| self.reason(&license.id, &[MaintenanceEndsSoon]));
        let course = match reason.map(|reason| reason.code).zip(until) {
            None => Course::Well,
            Some((MaintenanceEndedBeforeRelease, _)) => Course::At(Step::NotCovered),
            Some((MaintenanceEnded, _)) => Course::At(Step::Ended),
            Some((_, until)) => self.reached(&self.reminders.maintenance_days, until),
        };
        let (id, on) = (&license.id, until.map(day).unwrap_or_default());
        let what = format!("The maintenance of license {id}");
        let begun = match course.step() {
            None => Words::default(),
            Some(Step::NotCovered) => {
                words("release-not-covered", "This release is not covered by the license".to_owned(), reason)
            }
            Some(Step::Ended) => words("maintenance-ended", format!("{what} ended on {on}"), reason),
            Some(_) => words("maintenance-ends-soon", format!("{what} ends on {on}"), reason),
        };
        let until_words = until.map_or("without an end".to_owned(), |until| format!("until {}", day(until)));
        let over = over(
            format!("The maintenance of {} is in order again", license.product),
            format!("License {id} covers support and releases {until_words}."),
        );
        let boundary = until.map(|until| until.to_string()).unwrap_or_default();
        let facts = Facts { license: Some(id.clone()), at: until, ..Facts::default() };
        Some(self.dated(Topic::Maintenance, license, boundary, State { begun, over, facts, ..State::of(course) }))
    }

    fn dated(&self, topic: Topic, license: &LicenseStanding, boundary: String, state: State) -> State {
        let of = license.product.to_string();
        State { subject: Subject { topic, of, license: Some(license.id.clone()), boundary }, ..state }
    }

    fn limit(&self, limit: &LimitStanding) -> Option<State> {
        let (max, used, dimension) = (limit.max?, limit.used?, &limit.dimension);
        let course = self.reminders.step_of(limit).map_or(Course::Well, Course::At);
        let codes = [ReasonCode::Restricted, ReasonCode::OverLimit, ReasonCode::InAllowance, ReasonCode::NearLimit];
        let mut reasons = self.standing.reasons.iter();
        let reason =
            reasons.find(|reason| reason.dimension.as_ref() == Some(dimension) && codes.contains(&reason.code));
        let (used_words, max_words) = (number(used), number(max));
        let counted = format!("{used_words} of {max_words} {dimension}");
        let begun = match course.step() {
            None => Words::default(),
            Some(Step::Threshold(percent)) => threshold_words(dimension, percent, used, max),
            Some(Step::Restricted) => words("restricted", format!("Features are stopped: {counted}"), reason),
            Some(Step::Over) => words("limit-exceeded", format!("The limit is exceeded: {counted}"), reason),
            Some(Step::Full) => {
                words("limit-reached", format!("The limit is reached, and more is refused: {counted}"), reason)
            }
            Some(_) => words("limit-passed", format!("The limit is passed: {counted}"), reason),
        };
        let over = match course.step() {
            // What is told of the threshold holds on.
            Some(Step::Threshold(percent)) => over(
                format!("The limit is kept again: {counted}"),
                format!(
                    "{used_words} {dimension} are counted, and {max_words} are licensed. The threshold of {percent} % stays passed."
                ),
            ),
            Some(_) => over(
                format!("Less beyond the limit: {counted}"),
                reason.map(|reason| reason.message.clone()).unwrap_or_default(),
            ),
            None => over(
                format!("In order again: {counted}"),
                format!("{used_words} {dimension} are counted, and {max_words} are licensed."),
            ),
        };
        let license = self.standing.governed_by.clone();
        let boundary = format!("{max}+{}", limit.extra);
        let facts = Facts {
            license: license.clone(),
            dimension: Some(dimension.clone()),
            used: Some(used),
            max: Some(max),
            at: None,
        };
        let subject = Subject { topic: Topic::Limit, of: dimension.to_string(), license, boundary };
        Some(State { subject, begun, over, facts, ..State::of(course) })
    }

    /// That nothing is in force, or will soon be, where that is no end of a license: the instance has moved, the
    /// license is for another edition.
    fn unlicensed(&self) -> Option<State> {
        let gravest = self.standing.reasons.first();
        let moved = self.standing.reasons.iter().find(|reason| reason.code == ReasonCode::ServerChanged);
        let product = self.product;
        let (course, begun) = match (self.standing.verdict, gravest, moved) {
            // An end is told as such, and of a product that never had a license there is nothing to remind.
            (Verdict::Unlicensed, Some(gravest), _) if is_told_elsewhere(gravest.code) => return None,
            (Verdict::Unlicensed, ..) => {
                let title = format!("No license of {product} is in force");
                (Course::At(Step::Ended), words("unlicensed", title, gravest))
            }
            (_, _, Some(moved)) => {
                let title = format!("The license of {product} is for the server ID before the move");
                (Course::At(Step::InGrace), words("server-changed", title, Some(moved)))
            }
            _ => (Course::Well, Words::default()),
        };
        let reason = match course {
            Course::Well => None,
            _ => moved.or(gravest),
        };
        let over = over(
            format!("A license of {product} is in force again"),
            format!("The verdict is `{}`.", self.standing.verdict.name()),
        );
        let license = reason.and_then(|reason| reason.license.clone());
        let facts = Facts { license: license.clone(), at: reason.and_then(|reason| reason.at), ..Facts::default() };
        let boundary = reason.map_or("", |reason| misfit(reason.code)).to_owned();
        let subject = Subject { topic: Topic::Unlicensed, of: product.to_string(), license, boundary };
        Some(State { subject, begun, over, facts, ..State::of(course) })
    }
}

impl Reminders {
    /// How far a count has come against its limit; none while all is well with it, where there is no limit, and where
    /// nothing was counted.
    pub fn step_of(&self, limit: &LimitStanding) -> Option<Step> {
        let (max, used) = (limit.max?, limit.used?);
        let is_full = limit.behaviour == Behaviour::Refuse && used >= max.saturating_add(limit.extra);
        match (limit.state, limit.behaviour) {
            (LimitState::Over, Behaviour::Restrict) => Some(Step::Restricted),
            (LimitState::Over, _) => Some(Step::Over),
            _ if is_full => Some(Step::Full),
            (LimitState::InAllowance, _) => Some(Step::Passed),
            _ => {
                let percent = self.threshold(&limit.dimension)?;
                let is_reached = used > 0 && u128::from(used) * 100 >= u128::from(max) * u128::from(percent);
                is_reached.then_some(Step::Threshold(percent))
            }
        }
    }
}

/// Whether nothing in force for this reason is told otherwise, or not at all.
fn is_told_elsewhere(code: ReasonCode) -> bool {
    matches!(code, ReasonCode::Expired | ReasonCode::NoLicense)
}

impl State {
    /// A state without subject and words.
    fn of(course: Course) -> Self {
        let subject = Subject { topic: Topic::Test, of: String::new(), license: None, boundary: String::new() };
        let (begun, over) = (Words::default(), Words::default());
        Self { subject, course, begun, over, facts: Facts::default(), patience: 0 }
    }
}

fn threshold_words(dimension: &Dimension, percent: u8, used: u64, max: u64) -> Words {
    let (used_words, max_words) = (number(used), number(max));
    let left = match max - used.min(max) {
        0 => "none is left".to_owned(),
        left => format!("{} are left", number(left)),
    };
    Words {
        code: "threshold-exceeded",
        title: line(
            &format!("The threshold of {percent} % is reached: {used_words} of {max_words} {dimension}"),
            MAX_TITLE,
        ),
        message: format!(
            "{used_words} {dimension} are counted, and {max_words} are licensed: {left}. \
             Free some, or ask the vendor for a larger license in time."
        ),
    }
}

fn words(code: &'static str, title: String, reason: Option<&Reason>) -> Words {
    let message = reason.map(|reason| reason.message.clone()).unwrap_or_default();
    Words { code, title: line(&title, MAX_TITLE), message }
}

fn over(title: String, message: String) -> Words {
    Words { code: "", title: line(&title, MAX_TITLE), message }
}

/// What of a license does not fit. What holds on for some days after a move is the same matter when it has ended.
fn misfit(code: ReasonCode) -> &'static str {
    match code {
        ReasonCode::WrongProduct => "product",
        ReasonCode::WrongEdition => "edition",
        ReasonCode::WrongServer | ReasonCode::ServerChanged => "server",
        ReasonCode::StagingOnly => "staging",
        ReasonCode::NotYetValid => "beginning",
        _ => "other",
    }
}

fn later(at: Timestamp, days: i64) -> Timestamp {
    at.checked_add(SignedDuration::from_hours(24 * days)).unwrap_or(Timestamp::MAX)
}
