//! The families of metrics, with their names. They are an interface: families and labels are added, never renamed.
//!
//! Labels have few values: licenses (64 at the most), dimensions, states. None is a person, a node or an address.

use std::collections::BTreeMap;

use jiff::Timestamp;
use seatline_host::activity::Activity;
use seatline_host::link::LinkState;
use seatline_host::live::Live;
use seatline_protocol::report::{AccountCounts, Outcome};
use seatline_protocol::standing::{LicenseStanding, LimitStanding, Status, Verdict};
use seatline_web::exposition::{Exposition, Kind::Counter, Kind::Gauge};

use super::facts::{Facts, State};

/// The page of the facts.
pub fn page(facts: &Facts) -> Exposition {
    let mut page = Exposition::default();
    page.family("seatline_build_info", Gauge, "Always 1; its label is the version of the agent.")
        .sample(&[("version", env!("CARGO_PKG_VERSION"))], 1_u64);
    page.family("seatline_state_readable", Gauge, "Whether the agent's own state can be read: 1, or 0.")
        .value(facts.is_state_readable());
    if let Some(live) = &facts.live {
        licenses(&mut page, live, facts.now);
        limits(&mut page, live);
    }
    if let Some(state) = &facts.state {
        last_run(&mut page, state);
        link(&mut page, state);
    }
    page.family("seatline_node_synchronises", Gauge, "Whether it is this node's turn to synchronise: 1, or 0.")
        .maybe(facts.has_turn.map(u64::from));
    activity(&mut page, &facts.activity);
    page.family("process_resident_memory_bytes", Gauge, "Resident memory of the agent.").maybe(facts.resident_bytes);
    page
}

/// Seconds since 1970, as Prometheus counts time.
fn seconds(at: Timestamp) -> f64 {
    at.as_millisecond() as f64 / 1e3
}

/// Seconds from `now` to `at`, below zero where that is over.
fn left(at: Timestamp, now: Timestamp) -> i64 {
    at.duration_since(now).as_secs()
}

fn licenses(page: &mut Exposition, live: &Live, now: Timestamp) {
    let standing = &live.standing;
    let mut verdict = page.family(
        "seatline_verdict",
        Gauge,
        "What the licenses come to: 1 for the verdict that holds, 0 for others.",
    );
    for name in [Verdict::Licensed, Verdict::Attention, Verdict::Restricted, Verdict::Unlicensed] {
        verdict.sample(&[("verdict", name.name())], name == standing.verdict);
    }
    let mut reasons = page.family("seatline_reasons", Gauge, "Why, by code: how many reasons of each there are.");
    let mut codes = BTreeMap::<&str, u64>::new();
    for reason in &standing.reasons {
        *codes.entry(reason.code.name()).or_default() += 1;
    }
    for (code, number) in codes {
        reasons.sample(&[("code", code)], number);
    }
    let in_force =
        || standing.licenses.iter().filter(|license| matches!(license.status, Status::Active | Status::Grace));
    let mut ends = |name, help, end: fn(&LicenseStanding) -> Option<Timestamp>| {
        let mut family = page.family(name, Gauge, help);
        for license in in_force() {
            if let Some(end) = end(license) {
                let labels = [("license", license.id.as_str()), ("product", license.product.as_str())];
                family.sample(&labels, left(end, now));
            }
        }
    };
    ends(
        "seatline_license_expiry_seconds",
        "Until a license in force expires; below zero in its days of grace, absent if it never does.",
        |license| license.expires,
    );
    ends(
        "seatline_license_grace_end_seconds",
        "Until a license in force, with its days of grace, is over; absent if it never is.",
        |license| license.grace_ends.or(license.expires),
    );
    ends(
        "seatline_license_maintenance_end_seconds",
        "Until support and upgrades of a license in force end; below zero once they have.",
        |license| license.maintenance_until,
    );
}

fn limits(page: &mut Exposition, live: &Live) {
    let standing = &live.standing;
    let governing = standing.governing().map(|license| (license.product.as_str(), &standing.limits));
    let add_ons = standing.add_ons.iter().map(|add_on| (add_on.product.as_str(), &add_on.limits));
    let limits: Vec<(&str, &LimitStanding)> = governing
        .into_iter()
        .chain(add_ons)
        .flat_map(|(product, limits)| limits.iter().map(move |limit| (product, limit)))
        .collect();
    let mut family = |name, help, value: fn(&LimitStanding) -> Option<u64>| {
        let mut family = page.family(name, Gauge, help);
        for (product, limit) in &limits {
            if let Some(value) = value(limit) {
                family.sample(&[("product", product), ("dimension", limit.dimension.as_str())], value);
            }
        }
    };
    family("seatline_limit_used", "The latest count of what a license limits; absent before the first.", |limit| {
        limit.used
    });
    family("seatline_limit_max", "The greatest licensed count; absent where there is no limit.", |limit| limit.max);
    family("seatline_limit_extra", "What is tolerated beyond the greatest licensed count.", |limit| {
        limit.max.map(|_| limit.extra)
    });
    page.family("seatline_counted_timestamp_seconds", Gauge, "When accounts were last counted.")
        .maybe(live.counted_at.map(seconds));
}

fn last_run(page: &mut Exposition, state: &State) {
    let Some(run) = &state.last_run else { return };
    let collected = match &run.outcome {
        Outcome::Collected(collected) => Some(collected),
        Outcome::Failed(_) => None,
    };
    page.family("seatline_last_run_timestamp_seconds", Gauge, "When the plugin ran last.").value(seconds(run.at));
    page.family("seatline_last_run_success", Gauge, "Whether the last run left counts: 1, or 0.")
        .value(collected.is_some());
    page.family("seatline_last_run_duration_seconds", Gauge, "How long the last run took.")
        .value(run.took_ms as f64 / 1e3);
    let mut counts = page.family("seatline_dimension_used", Gauge, "The latest count of each dimension.");
    for (dimension, count) in &run.counts {
        counts.sample(&[("dimension", dimension.as_str())], *count);
    }
    if let Some(counts) = collected.and_then(|collected| collected.accounts.as_ref()) {
        accounts(page, counts);
    }
}

fn accounts(page: &mut Exposition, counts: &AccountCounts) {
    let mut classes = page.family("seatline_accounts", Gauge, "The accounts of the last run, each in one class.");
    for (class, count) in [
        ("counted", counts.counted),
        ("deactivated", counts.deactivated),
        ("no-access", counts.no_access),
        ("never-signed-in", counts.never_signed_in),
        ("service", counts.service_accounts),
    ] {
        classes.sample(&[("class", class)], count);
    }
    page.family("seatline_accounts_dormant", Gauge, "Counted accounts that nobody has used for long.")
        .value(counts.dormant);
}

fn link(page: &mut Exposition, state: &State) {
    let mut phase =
        page.family("seatline_link_state", Gauge, "How far the application link is: 1 for that state, 0 for others.");
    let known = [LinkState::Joining, LinkState::Pending, LinkState::Approved, LinkState::Refused];
    phase.sample(&[("state", "absent")], state.link.is_none());
    for name in known {
        phase.sample(&[("state", name.name())], state.link == Some(name));
    }
    let (outbox, hold, exchange) = (&state.outbox, &state.hold, &state.exchange);
    page.family("seatline_interval_seconds", Gauge, "How often is counted and reported.")
        .value(state.interval.as_secs());
    page.family("seatline_outbox_reports", Gauge, "Reports that wait for their receipt.").value(outbox.pending as u64);
    page.family("seatline_outbox_capacity_reports", Gauge, "How many reports can wait at the most.")
        .value(outbox.capacity as u64);
    page.family("seatline_outbox_full", Gauge, "Whether no report is made because too many wait: 1, or 0.")
        .value(outbox.is_full);
    page.family("seatline_outbox_oldest_timestamp_seconds", Gauge, "When the oldest report that waits was made.")
        .maybe(outbox.oldest.map(seconds));
    page.family("seatline_held_reports", Gauge, "Reports that wait for approval.").value(hold.held as u64);
    page.family("seatline_held_capacity_reports", Gauge, "How many reports can wait for approval at the most.")
        .value(hold.capacity as u64);
    page.family("seatline_held_full", Gauge, "Whether no report is made because too many wait for approval: 1, or 0.")
        .value(hold.is_full);
    page.family(
        "seatline_held_oldest_timestamp_seconds",
        Gauge,
        "When the oldest report that waits for approval was made.",
    )
    .maybe(hold.oldest.map(seconds));
    page.family("seatline_last_report_timestamp_seconds", Gauge, "When the latest report was made.")
        .maybe(outbox.latest.map(seconds));
    page.family("seatline_last_receipt_timestamp_seconds", Gauge, "When the central server stored the latest report.")
        .maybe(exchange.last_receipt.as_ref().map(|receipt| seconds(receipt.received_at)));
    page.family("seatline_last_exchange_timestamp_seconds", Gauge, "When the last exchange succeeded.")
        .maybe(exchange.succeeded_at.map(seconds));
    page.family("seatline_exchange_failures_in_a_row", Gauge, "How many exchanges have failed since one succeeded.")
        .value(u64::from(exchange.failures));
    page.family("seatline_clock_behind_seconds", Gauge, "By how much the clock is behind what receipts have proven.")
        .value(state.clock_behind);
}

fn activity(page: &mut Exposition, activity: &Activity) {
    page.family("seatline_plugin_runs_total", Counter, "Runs of the plugin, also those that failed.")
        .value(activity.runs);
    page.family("seatline_plugin_run_failures_total", Counter, "Runs that left no counts.").value(activity.failed_runs);
    page.family("seatline_plugin_run_seconds_total", Counter, "How long all runs took together.")
        .value(activity.run_time.as_secs_f64());
    page.family("seatline_exchange_attempts_total", Counter, "How often the central server was asked.")
        .value(activity.exchanges);
    page.family("seatline_exchange_failures_total", Counter, "How often that failed, or something was refused.")
        .value(activity.failed_exchanges);
}
