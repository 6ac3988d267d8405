//! The report that a plugin submits, held against what the host gave it in the same run.

use datasketches::theta::CompactThetaSketch;
use seatline_protocol::license::Counting;
use seatline_protocol::report::{
    AccountCounts, Collected, MAX_LINE, MAX_MEASUREMENTS, MAX_REMARKS, MAX_SKETCH_BYTES, Measured, Measurement,
    Omission,
};
use seatline_protocol::text;

use super::contract::types;
use super::state::RunState;

/// A report that was taken.
#[derive(Debug, Clone, PartialEq)]
pub struct Submission {
    /// The validated content. Its `standing` is left out: the host's own state of the licenses says what they come to
    /// with these counts, never the plugin.
    pub collected: Collected,
    /// Whether the plugin reported the licenses, as it was given them.
    pub read_licenses: bool,
}

/// The most characters of the name of an omitted interface.
const MAX_SUBJECT: usize = 64;

/// Holds `report` against the contract and against what `run` gave.
///
/// # Errors
/// The argument and the rule that it breaks, in one line.
pub(super) fn check(report: types::Report, run: &RunState) -> Result<Submission, String> {
    let read_licenses = reported_licenses(&report.licenses, run)?;
    let accounts = report.accounts.map(|counts| accounts(&counts, run)).transpose()?;
    if let Some(sketch) = &report.people {
        people(sketch, accounts.as_ref())?;
    }
    if report.measurements.len() > MAX_MEASUREMENTS {
        return Err(format!("measurements: at most {MAX_MEASUREMENTS}"));
    }
    if report.omissions.len() > MAX_REMARKS || report.notes.len() > MAX_REMARKS {
        return Err(format!("omissions and notes: at most {MAX_REMARKS} each"));
    }
    let collected = Collected {
        accounts,
        measurements: report.measurements.into_iter().map(measurement).collect::<Result<_, _>>()?,
        standing: None,
        people: report.people,
        people_key: None,
        omissions: report.omissions.into_iter().map(omission).collect::<Result<_, _>>()?,
        notes: report.notes.iter().map(|note| line("notes", note, MAX_LINE)).collect::<Result<_, _>>()?,
    };
    collected.check()?;
    Ok(Submission { collected, read_licenses })
}

/// Whether the licenses were reported: exactly those that were given, or none.
fn reported_licenses(reported: &[types::License], run: &RunState) -> Result<bool, String> {
    let given = &run.licenses;
    let equal = || given.iter().zip(reported).all(|(given, reported)| types::License::from(given) == *reported);
    match (run.gave_licenses, reported.is_empty()) {
        (true, true) => Ok(given.is_empty()),
        (true, false) if given.len() == reported.len() && equal() => Ok(true),
        (true, false) => {
            Err("licenses: not as `licensing.licenses` gave them; report them unaltered, or none".to_owned())
        }
        (false, true) => Ok(false),
        (false, false) => Err("licenses: `licensing.licenses` was not asked in this run".to_owned()),
    }
}

/// The counts, held against the passes of this run and the settings.
fn accounts(counts: &types::AccountCounts, run: &RunState) -> Result<AccountCounts, String> {
    let counts = AccountCounts {
        total: counts.total,
        counted: counts.counted,
        deactivated: counts.deactivated,
        no_access: counts.no_access,
        never_signed_in: counts.never_signed_in,
        service_accounts: counts.service_accounts,
        dormant: counts.dormant,
        dormancy_days: run.link.dormancy_days,
        counting: counts.counting.into(),
    };
    if run.complete_passes.is_empty() {
        return Err("accounts: no pass over the accounts was completed in this run".to_owned());
    }
    if !run.complete_passes.contains(&counts.total) {
        let totals: Vec<String> = run.complete_passes.iter().map(u64::to_string).collect();
        return Err(format!("accounts.total: {}, but the host gave {}", counts.total, totals.join(" and ")));
    }
    if counts.counting != run.link.counting {
        return Err(format!("accounts.counting: the settings demand `{}`", rule(run.link.counting)));
    }
    if counts.counting == Counting::Account && counts.never_signed_in > 0 {
        return Err("accounts.never-signed-in: must be 0 with the rule `account`".to_owned());
    }
    if !counts.adds_up() {
        return Err("accounts: the classes must add up to the total, and dormant be at most counted".to_owned());
    }
    Ok(counts)
}

fn rule(counting: Counting) -> &'static str {
    match counting {
        Counting::Account => "account",
        Counting::FirstSignIn => "first-sign-in",
    }
}

/// The sketch must be one, and of no more people than were counted: the only bytes of a report carry nothing else.
fn people(bytes: &[u8], accounts: Option<&AccountCounts>) -> Result<(), String> {
    if bytes.len() > MAX_SKETCH_BYTES {
        return Err(format!("people: at most {MAX_SKETCH_BYTES} bytes"));
    }
    let Some(accounts) = accounts else {
        return Err("people: a sketch goes with the accounts that it was made of".to_owned());
    };
    let sketch = match CompactThetaSketch::deserialize(bytes) {
        // What stands behind a sketch is no part of it.
        Ok(sketch) if sketch.serialize().len() == bytes.len() => sketch,
        _ => return Err("people: not a compact theta sketch".to_owned()),
    };
    if sketch.num_retained() as u64 > accounts.counted {
        return Err("people: the sketch holds more people than were counted".to_owned());
    }
    Ok(())
}

fn measurement(measurement: types::Measurement) -> Result<Measurement, String> {
    let named = measurement.dimension;
    let dimension =
        named.parse().map_err(|error| format!("measurements: `{}`: {error}", text::line(&named, MAX_SUBJECT)))?;
    let value = match measurement.value {
        Ok(count) => Measured::Value(count),
        Err(reason) => Measured::Failed(line("measurements: a reason", &reason, MAX_LINE)?),
    };
    Ok(Measurement { dimension, value })
}

fn omission(omission: types::Omission) -> Result<Omission, String> {
    Ok(Omission {
        subject: line("omissions: a subject", &omission.subject, MAX_SUBJECT)?,
        reason: line("omissions: a reason", &omission.reason, MAX_LINE)?,
    })
}

/// `given` as one clean line. What is too long is refused, not cut: the report is the plugin's word.
fn line(what: &str, given: &str, max: usize) -> Result<String, String> {
    // A hostile text may be megabytes: count no further than needed.
    if given.chars().nth(max).is_some() {
        return Err(format!("{what}: at most {max} characters"));
    }
    Ok(text::line(given, max))
}

/// The bytes that the host holds for `report`, held against the quota of the run.
pub(super) fn size(report: &types::Report) -> u64 {
    let lines = |lines: &[String]| lines.iter().map(String::len).sum::<usize>();
    let measurements = report.measurements.iter().map(|measurement| {
        measurement.dimension.len() + measurement.value.as_ref().err().map_or(0, String::len) + size_of_val(measurement)
    });
    let licenses = report.licenses.iter().map(|license| {
        let limits: usize = license.limits.iter().map(|limit| limit.dimension.len() + size_of_val(limit)).sum();
        size_of_val(license)
            + license.id.len()
            + license.product.len()
            + license.licensee.len()
            + [&license.add_on_of, &license.edition, &license.reason]
                .into_iter()
                .flatten()
                .map(String::len)
                .sum::<usize>()
            + limits
            + lines(&license.features)
            + size_of_val(&*license.features)
    });
    let omissions = report.omissions.iter().map(|omission| omission.subject.len() + omission.reason.len());
    let sum = measurements.chain(licenses).chain(omissions).sum::<usize>()
        + lines(&report.notes)
        + report.people.as_ref().map_or(0, Vec::len);
    sum as u64
}

#[cfg(test)]
mod tests {
    use datasketches::theta::ThetaSketchBuilder;

    use super::*;

    #[test]
    fn b6_a_sketch_holds_no_more_people_than_were_counted_and_nothing_stands_behind_it() {
        let mut sketch = ThetaSketchBuilder::default().build().expect("a sketch");
        (0..3u64).for_each(|person| sketch.update(person));
        let bytes = sketch.compact(true).serialize();
        let of = |counted| AccountCounts {
            total: 9,
            counted,
            deactivated: 9 - counted,
            no_access: 0,
            never_signed_in: 0,
            service_accounts: 0,
            dormant: 0,
            dormancy_days: 90,
            counting: Counting::Account,
        };
        assert_eq!(people(&bytes, Some(&of(3))), Ok(()));
        let refused = people(&bytes, Some(&of(2))).expect_err("one too many");
        assert_eq!(refused, "people: the sketch holds more people than were counted");
        let more = [&bytes[..], b"a name"].concat();
        assert_eq!(people(&more, Some(&of(3))).expect_err("free bytes"), "people: not a compact theta sketch");
    }
}
