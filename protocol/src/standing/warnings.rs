//! What an administrator reads before he saves a license (`c9`): one line for each thing that would be worse than now.

use jiff::Timestamp;

use super::preview::{Effect, LimitChange, Of, Warning, WarningCode};
use super::{Ends, LicenseStanding, LimitState, MAX_MESSAGE, Standing};
use crate::ids::Dimension;
use crate::license::{Behaviour, Counting, Kind, License};
use crate::text::{self, day, number};

/// The most features that a warning names.
const MAX_FEATURES_NAMED: usize = 5;

pub(super) fn warnings(effect: &Effect, license: &License, of: &Of<'_>) -> Vec<Warning> {
    let next = effect.then.as_ref().unwrap_or(&effect.after);
    let (present, governing) = (of.governing(&effect.before), of.governing(next));
    let mut found = Vec::new();
    if !effect.in_force {
        let why = of.entry(license, next).and_then(|entry| entry.reason.clone());
        let why = why.unwrap_or_else(|| "Its time is over.".to_owned());
        found.push((WarningCode::NoEffect, format!("This license would not be in force. {why}"), None));
    } else {
        for change in effect.limits.iter().filter(|change| of.has(change)) {
            // One license by node among others only adds to the nodes.
            if effect.governs || change.dimension == Dimension::nodes() {
                found
                    .extend(limit(change, next).map(|(code, message)| (code, message, Some(change.dimension.clone()))));
            }
        }
    }
    if !effect.features_lost.is_empty() {
        found.push((WarningCode::FeaturesLost, features_lost(effect), None));
    }
    if let Some((present, governing)) = present.zip(governing).filter(|_| effect.governs) {
        found.extend(effect.dates.iter().filter_map(|change| {
            let message = ends_earlier(change.ends, present, change.before, change.after)?;
            Some((WarningCode::EndsEarlier, message, None))
        }));
        if present.kind != governing.kind {
            let [new, old] = [governing.kind, present.kind].map(Kind::name);
            let message = format!("This license is of the kind {new}, and the present one, {}, is {old}.", present.id);
            found.push((WarningCode::KindChanges, message, None));
        }
        found.extend(
            counting(&effect.before, next)
                .map(|message| (WarningCode::CountingChanges, message, Some(Dimension::users()))),
        );
    }
    let warning = |(code, message, dimension): (WarningCode, String, Option<Dimension>)| Warning {
        code,
        message: text::line(&message, MAX_MESSAGE),
        dimension,
        license: Some(license.id.clone()),
    };
    let mut warnings: Vec<Warning> = found.into_iter().map(warning).collect();
    warnings.sort_by_key(|warning| warning.code);
    warnings
}

/// What happens to a limit that is below its count, or below the highest one.
fn limit(change: &LimitChange, next: &Standing) -> Option<(WarningCode, String)> {
    let (limit, dimension) = (change.after.as_ref()?, &change.dimension);
    let max = limit.max?;
    let allows = format!("This license allows {} {dimension}", number(max));
    if let Some(used) = limit.used.filter(|used| *used > max) {
        if *dimension == Dimension::nodes() {
            // The standing names the nodes.
            let told = next
                .reasons
                .iter()
                .find(|reason| reason.dimension.as_ref() == Some(dimension) && reason.add_on == change.add_on);
            return Some((WarningCode::BelowCount, format!("After saving: {}", told?.message)));
        }
        let happens = match (limit.state, limit.behaviour) {
            (LimitState::InAllowance, _) => {
                format!("up to {} more are tolerated, and people are told", number(limit.extra))
            }
            (_, Behaviour::Warn) => "people are told, and nothing stops".to_owned(),
            (_, Behaviour::Restrict) => "the licensed features stop until the count is down".to_owned(),
            (_, Behaviour::Refuse) => "the product refuses more".to_owned(),
        };
        let message = format!(
            "{allows}, and {} are counted now. After saving, {happens}. Bring the count down by {} first, or ask for a \
             larger license.",
            number(used),
            number(used - max),
        );
        return Some((WarningCode::BelowCount, message));
    }
    let peak = change.peak.filter(|peak| peak.count > max)?;
    // What was above the limit before is no news.
    let was_above = change.before.as_ref().and_then(|before| before.max).is_some_and(|before| before <= max);
    let message =
        format!("{allows}. That is enough for now, but {} were counted on {}.", number(peak.count), day(peak.at));
    (!was_above).then_some((WarningCode::BelowPeak, message))
}

fn features_lost(effect: &Effect) -> String {
    let lost = &effect.features_lost;
    let named: Vec<&str> = lost.iter().take(MAX_FEATURES_NAMED).map(String::as_str).collect();
    let more = match lost.len() - named.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("After saving, these features are off: {}{more}.", named.join(", "))
}

fn ends_earlier(
    ends: Ends,
    present: &LicenseStanding,
    before: Option<Timestamp>,
    after: Option<Timestamp>,
) -> Option<String> {
    let after = after.filter(|after| before.is_none_or(|before| *after < before))?;
    let (id, on) = (&present.id, day(after));
    let than = before.map_or("never does".to_owned(), |before| format!("ends on {}", day(before)));
    Some(match ends {
        Ends::License => format!("This license ends on {on}; the present one, {id}, {than}."),
        Ends::Maintenance => format!("The maintenance of this license ends on {on}; that of {id} {than}."),
    })
}

/// That users are counted by another rule, where both licenses have one.
fn counting(before: &Standing, after: &Standing) -> Option<String> {
    let (old, new) = (before.counting, after.counting?);
    if old.unwrap_or_default() == new {
        return None;
    }
    let rule = match new {
        Counting::Account => "from the creation of their account on",
        Counting::FirstSignIn => "from their first sign-in on",
    };
    Some(format!("This license counts users {rule}, unlike the present one: their number changes with the next count."))
}
