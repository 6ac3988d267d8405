//! What licenses come to, as text for people.

use jiff::Timestamp;
use seatline_protocol::report::{AccountCounts, Collected, Measured, Outcome};
use seatline_protocol::standing::{LicenseStanding, LimitStanding, LimitState, Verdict};
use seatline_protocol::{Counting, Mode, Standing};

use crate::output::{ATTENTION, BAD, GOOD, Page, count, styled, time, time_from};

/// Writes the verdict and its reasons.
pub fn verdict(page: &mut Page, standing: &Standing) {
    let style = match standing.verdict {
        Verdict::Licensed => GOOD,
        Verdict::Attention => ATTENTION,
        Verdict::Restricted | Verdict::Unlicensed => BAD,
    };
    page.fact("Standing", styled(style, standing.verdict.name()));
    for reason in &standing.reasons {
        page.fact("", &reason.message);
    }
}

/// Writes the limits of the governing license against the counts, and those of the add-ons.
pub fn limits(page: &mut Page, standing: &Standing) {
    let own = standing.limits.iter().map(|limit| self::limit(limit.dimension.to_string(), limit));
    let of_add_ons = standing.add_ons.iter().flat_map(|add_on| {
        add_on.limits.iter().map(|limit| self::limit(format!("{} {}", add_on.product, limit.dimension), limit))
    });
    let rows: Vec<Vec<String>> = own.chain(of_add_ons).collect();
    if !rows.is_empty() {
        page.gap();
        page.table(&["LIMIT", "USED", "OF", "STATE"], &rows);
    }
}

fn limit(what: String, limit: &LimitStanding) -> Vec<String> {
    vec![what, limit.used.map_or("-".to_owned(), count), max(limit), state(limit.state).to_owned()]
}

/// How a count lies to its limit.
pub fn state(state: LimitState) -> &'static str {
    match state {
        LimitState::Unknown => "not counted yet",
        LimitState::Within => "within",
        LimitState::Near => "near",
        LimitState::InAllowance => "over, tolerated",
        LimitState::Over => "over",
    }
}

/// The greatest count of a limit, with what is tolerated beyond it.
pub fn max(limit: &LimitStanding) -> String {
    match (limit.max, limit.extra) {
        (None, _) => "unlimited".to_owned(),
        (Some(max), 0) => count(max),
        (Some(max), extra) => format!("{} + {}", count(max), count(extra)),
    }
}

/// Writes the running nodes and their licenses, where there is more than one, or one lacks a license (`c8`, `p3`).
pub fn nodes(page: &mut Page, standing: &Standing) {
    let of_add_ons = standing.add_ons.iter().map(|add_on| (Some(&add_on.product), &add_on.nodes));
    let groups = [(None, &standing.nodes)].into_iter().chain(of_add_ons);
    let mut rows = Vec::new();
    for (add_on, nodes) in groups.filter(|(_, nodes)| nodes.len() > 1) {
        rows.extend(nodes.iter().map(|node| {
            let license = node.license.as_ref().map_or_else(|| styled(BAD, "none"), ToString::to_string);
            vec![node.id.clone(), add_on.map_or(String::new(), ToString::to_string), license]
        }));
    }
    if !rows.is_empty() {
        page.gap();
        page.table(&["NODE", "ADD-ON", "LICENSE"], &rows);
    }
}

/// Writes one license with its kind, its dates and what it comes to.
pub fn license(page: &mut Page, license: &LicenseStanding, now: Timestamp) {
    page.gap();
    page.fact("License", format_args!("{} ({})", license.id, license.status.name()));
    if let Some(reason) = &license.reason {
        page.fact("", reason);
    }
    page.fact("Kind", license.kind.name());
    page.fact("Licensee", &license.licensee);
    match (&license.add_on_of, &license.edition) {
        (Some(product), _) => page.fact("Product", format_args!("{}, an add-on of {product}", license.product)),
        (None, Some(edition)) => page.fact("Product", format_args!("{} ({edition})", license.product)),
        (None, None) => page.fact("Product", &license.product),
    }
    let facts = license.limits.iter();
    let limits: Vec<String> =
        facts.map(|limit| format!("{} {}", limit.max.map_or("unlimited".to_owned(), count), limit.dimension)).collect();
    if !limits.is_empty() {
        page.fact("Limits", limits.join(", "));
    }
    if !license.features.is_empty() {
        let features: Vec<&str> = license.features.iter().map(String::as_str).collect();
        page.fact("Features", features.join(", "));
    }
    if license.begins > now {
        page.fact("Begins", time(license.begins));
    }
    match license.expires {
        Some(expires) => page.fact("Expires", time_from(expires, now)),
        None => page.fact("Expires", "never"),
    }
    if let Some(ends) = license.grace_ends.filter(|ends| Some(*ends) != license.expires) {
        page.fact("Grace ends", time_from(ends, now));
    }
    if let Some(until) = license.maintenance_until {
        page.fact("Maintenance", time_from(until, now));
    }
    if license.support {
        page.fact("Support", "the license entitles to it");
    }
    if license.mode == Mode::Node {
        page.fact("Covers", "one node");
    }
    if !license.set_for.is_empty() {
        page.fact("Set for", Vec::from_iter(license.set_for.clone()).join(", "));
    }
    for needed in &license.prerequisites {
        page.fact("Needs", needed);
    }
}

/// Writes what a run came to.
pub fn outcome(page: &mut Page, outcome: &Outcome) {
    match outcome {
        Outcome::Failed(failure) => {
            page.fact("Run", styled(BAD, format_args!("{} [{}]", failure.message, failure.code)))
        }
        Outcome::Collected(collected) => self::collected(page, collected),
    }
}

fn collected(page: &mut Page, collected: &Collected) {
    if let Some(accounts) = &collected.accounts {
        self::accounts(page, accounts);
    }
    for measurement in &collected.measurements {
        match &measurement.value {
            Measured::Value(value) => page.fact(measurement.dimension.as_str(), count(*value)),
            Measured::Failed(reason) => page.fact(measurement.dimension.as_str(), styled(BAD, reason)),
        }
    }
    for omission in &collected.omissions {
        page.fact("Missing", styled(BAD, format_args!("{}: {}", omission.subject, omission.reason)));
    }
    for note in &collected.notes {
        page.fact("Note", note);
    }
}

/// The classes of the accounts, which add up (`b7`).
fn accounts(page: &mut Page, accounts: &AccountCounts) {
    let rule = match accounts.counting {
        Counting::Account => "from the creation of the account on",
        Counting::FirstSignIn => "from the first sign-in on",
    };
    page.fact("Accounts", count(accounts.total));
    page.fact("  counted", format_args!("{} ({rule})", count(accounts.counted)));
    page.fact(
        "    dormant",
        format_args!("{} (no sign-in for {} days)", count(accounts.dormant), accounts.dormancy_days),
    );
    page.fact("  deactivated", count(accounts.deactivated));
    page.fact("  no access", count(accounts.no_access));
    page.fact("  never seen", count(accounts.never_signed_in));
    page.fact("  service", count(accounts.service_accounts));
}
