//! The families of metrics, with their names. They are an interface: families and labels are added, never renamed.

use jiff::Timestamp;
use seatline_web::exposition::{Exposition, Kind::Counter, Kind::Gauge};

use super::counters::Counters;
use super::facts::Fleet;
use crate::domain::Use;
use crate::domain::fleet::Sum;
use crate::store::fleet::FleetSum;
use crate::store::load::StoreLoad;

/// The page.
pub(super) fn page(counters: &Counters, load: StoreLoad, fleet: Option<&Fleet>, now: Timestamp) -> Exposition {
    let mut page = Exposition::default();
    page.family("seatline_central_build_info", Gauge, "Always 1; its label is the version of the central server.")
        .sample(&[("version", env!("CARGO_PKG_VERSION"))], 1_u64);
    exchanges(&mut page, counters);
    store(&mut page, &load);
    page.family("seatline_central_fleet_readable", Gauge, "Whether the fleet could be read for this page: 1, or 0.")
        .value(fleet.is_some());
    if let Some(fleet) = fleet {
        totals(&mut page, fleet, now);
        tightest(&mut page, fleet);
        jobs(&mut page, fleet, now);
        alerts(&mut page, fleet, now);
    }
    page.family("process_resident_memory_bytes", Gauge, "Resident memory of this server.").maybe(resident_bytes());
    page
}

fn exchanges(page: &mut Exposition, counters: &Counters) {
    let mut family = page.family(
        "seatline_central_exchanges_total",
        Counter,
        "Exchanges by how they ended: answered, or the code of what was in the way.",
    );
    // The usual ones stand there from the start, so that a rate is one from the first on.
    let exchanges = counters.exchanges();
    for result in ["answered", "unavailable"] {
        family.sample(&[("result", result)], exchanges.get(result).copied().unwrap_or_default());
    }
    for (result, count) in
        exchanges.iter().filter(|(result, _)| !["answered", "unavailable"].contains(&result.as_str()))
    {
        family.sample(&[("result", result)], *count);
    }
    let (_, seconds) = counters.exchange.read();
    page.family("seatline_central_exchange_seconds_total", Counter, "How long all exchanges took together.")
        .value(seconds);
    page.family("seatline_central_receipts_total", Counter, "Receipts that were given, also those given again.")
        .value(counters.receipts());
    let mut family = page.family("seatline_central_refusals_total", Counter, "Documents that were refused, by code.");
    for (code, count) in counters.refusals() {
        family.sample(&[("code", &code)], count);
    }
}

fn store(page: &mut Exposition, load: &StoreLoad) {
    page.family("seatline_central_store_writes_total", Counter, "Writes to the store that were answered.")
        .value(load.writes);
    page.family("seatline_central_store_write_failures_total", Counter, "Writes to the store that failed.")
        .value(load.failures);
    page.family("seatline_central_store_write_seconds_total", Counter, "How long all writes took, with their commits.")
        .value(load.write_seconds);
    page.family("seatline_central_store_writes_waiting", Gauge, "Writes that wait for their commit now.")
        .value(load.waiting);
}

fn totals(page: &mut Exposition, fleet: &Fleet, now: Timestamp) {
    let count = |number: i64| u64::try_from(number).unwrap_or_default();
    let mut by_use = |name, help, sums: &[(Use, Sum)], value: fn(&Sum) -> i64| {
        let mut family = page.family(name, Gauge, help);
        for (used_for, sum) in sums {
            family.sample(&[("use", used_for.name())], count(value(sum)));
        }
    };
    by_use("seatline_central_applications", "Applications, by what they are used for.", &fleet.applications, |sum| {
        sum.applications
    });
    by_use("seatline_central_users", "Counted users of all applications together.", &fleet.users, |sum| sum.used);
    by_use(
        "seatline_central_users_of_limit",
        "Counted users of the applications whose users are limited.",
        &fleet.users,
        |sum| sum.used_of_limit,
    );
    by_use(
        "seatline_central_users_max",
        "Licensed users of the applications whose users are limited.",
        &fleet.users,
        |sum| sum.max,
    );
    let mut listed = |name, label: &'static str, help, sums: &[(Use, FleetSum)]| {
        let mut family = page.family(name, Gauge, help);
        for (used_for, sum) in sums.iter().filter(|(_, sum)| sum.dimension.is_empty()) {
            family.sample(&[("use", used_for.name()), (label, sum.facet.value())], count(sum.sum.applications));
        }
    };
    listed(
        "seatline_central_applications_by_concern",
        "concern",
        "Applications by what calls for attention, such as limit, expiry or overdue.",
        &fleet.concerns,
    );
    listed(
        "seatline_central_applications_by_gravity",
        "gravity",
        "Applications whose gravest concern is at least so grave: note, warning or problem.",
        &fleet.gravities,
    );
    page.family("seatline_central_next_end_seconds", Gauge, "Until the next license, or its maintenance, ends.")
        .maybe(fleet.next_end.map(|at| at.duration_since(now).as_secs()));
    page.family("seatline_central_review_behind_seconds", Gauge, "By how much the review of the fleet is behind.")
        .value(fleet.due_since.map_or(0, |since| now.duration_since(since).as_secs().max(0)));
}

/// The applications that are the closest to their limits, each with all of its limits.
fn tightest(page: &mut Exposition, fleet: &Fleet) {
    let mut family = |name, help, value: fn(&crate::domain::assessment::Consumption) -> Option<u64>| {
        let mut family = page.family(name, Gauge, help);
        for item in &fleet.tightest {
            let row = &item.row;
            for limit in row.assessment.consumption.iter().filter(|limit| limit.max.is_some()) {
                if let Some(value) = value(limit) {
                    let product = limit.add_on.as_ref().unwrap_or(&row.product);
                    let labels = [
                        ("application", row.name.as_str()),
                        ("product", product.as_str()),
                        ("dimension", limit.dimension.as_str()),
                    ];
                    family.sample(&labels, value);
                }
            }
        }
    };
    family(
        "seatline_central_limit_used",
        "The count of an application that is among the closest to their limits.",
        |limit| limit.used,
    );
    family(
        "seatline_central_limit_max",
        "The limit of an application that is among the closest to their limits.",
        |limit| limit.max,
    );
}

fn jobs(page: &mut Exposition, fleet: &Fleet, now: Timestamp) {
    let mut family =
        page.family("seatline_central_job_failing", Gauge, "Whether a job failed when it ran last: 1, or 0.");
    for job in &fleet.jobs {
        family.sample(&[("task", &job.name)], job.failure.is_some());
    }
    let mut family = page.family(
        "seatline_central_job_set_aside",
        Gauge,
        "What a job could not read and has set aside, counted up to 100 of all jobs.",
    );
    for job in &fleet.jobs {
        family.sample(&[("task", &job.name)], u64::try_from(job.set_aside.len()).unwrap_or(u64::MAX));
    }
    let mut family = page.family("seatline_central_job_age_seconds", Gauge, "Since a job last ran well.");
    for job in &fleet.jobs {
        if let Some(ran_at) = job.ran_at {
            family.sample(&[("task", &job.name)], now.duration_since(ran_at).as_secs().max(0));
        }
    }
}

fn alerts(page: &mut Exposition, fleet: &Fleet, now: Timestamp) {
    let mut family = page.family("seatline_central_alerts_open", Gauge, "Alerts that are open, by gravity.");
    for open in &fleet.alerts.open {
        family.sample(&[("gravity", open.gravity.name())], open.number);
    }
    page.family(
        "seatline_central_alert_deliveries_waiting",
        Gauge,
        "Deliveries of alerts that wait, counted up to 1000.",
    )
    .value(fleet.alerts.waiting);
    page.family(
        "seatline_central_alert_deliveries_failing",
        Gauge,
        "Those of them that were not taken at the last try.",
    )
    .value(fleet.alerts.failing);
    page.family(
        "seatline_central_alert_oldest_undelivered_seconds",
        Gauge,
        "Since the oldest message that waits was made.",
    )
    .value(fleet.alerts.oldest.map_or(0, |at| now.duration_since(at).as_secs().max(0)));
}

/// The resident memory of this process, see proc(5).
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kibibytes * 1024)
}
