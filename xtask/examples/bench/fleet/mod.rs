//! Central under fleets of a thousand, a hundred thousand and a million applications, on its SQLite store with a sync
//! before every answer; and under a thousand on PostgreSQL, which syncs as well and shares the machine.
//!
//! Each fleet is put into the store directly, with a report of each application and its first repeat. Then its products
//! report over HTTP: as fast as 64 connections allow; at the pace of an hour, jittered; and in the worst case, when all
//! report within one minute. Every report is sealed by its product's key beforehand, because the products share the
//! machine with the server, and every seal is verified and every receipt sealed by the server. At the end an
//! administrator opens its pages.

mod database;
mod load;
mod pages;
mod product;
mod seed;

use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use seatline_tests::Central;

use crate::agent::memory_of;
use crate::figure::{Figure, Goal};
use crate::{Bench, Problem};
use database::Database;
use load::{Measured, Pace};
use product::{News, Product};

/// The applications of the fleets.
const SIZES: [usize; 3] = [1_000, 100_000, 1_000_000];
/// The connections that are open at once.
const CONNECTIONS: usize = 64;
/// The reports of the measurement that goes as fast as it can: they repeat what was said before, as nearly all do.
const FAST_REPORTS: usize = 60_000;
/// The same of reports that say something new.
const NEW_REPORTS: usize = 20_000;
/// For how long the products report at the pace of an hour, and of the worst minute: what they report is held in
/// memory.
const PACED: Duration = Duration::from_secs(10);

/// A thousand applications.
pub fn thousand(bench: &Bench) -> Result<Vec<Figure>, Problem> {
    measure(bench, SIZES[0])
}

/// A hundred thousand applications.
pub fn hundred_thousand(bench: &Bench) -> Result<Vec<Figure>, Problem> {
    measure(bench, SIZES[1])
}

/// A million applications.
pub fn million(bench: &Bench) -> Result<Vec<Figure>, Problem> {
    measure(bench, SIZES[2])
}

/// A thousand applications on PostgreSQL, held against the same on a file.
pub fn postgresql(bench: &Bench) -> Result<Vec<Figure>, Problem> {
    let (on_file, on_server) = (on(bench, Database::sqlite())?, on(bench, Database::postgres())?);
    let against = "the same on SQLite";
    let named = |what: &str| format!("{} applications on PostgreSQL: {what}", SIZES[0]);
    let mut figures = Vec::new();
    for (what, (server, bytes), (file, file_bytes)) in [
        ("exchanges over 64 connections", &on_server[0], &on_file[0]),
        ("exchanges that say something new", &on_server[1], &on_file[1]),
    ] {
        let faster = Figure::new(named(what), server.per_second(), "/s").against(against, file.per_second());
        figures.push(faster.must(Goal::RatioAtLeast(1.0 / 1.5)));
        let (longest, of_file) = (server.percentile(99), file.percentile(99));
        figures.push(Figure::new(named("99 of 100 of them"), longest, "ms").against(against, of_file));
        figures.push(Figure::new(named("on disk for each"), *bytes, "bytes").against(against, *file_bytes));
    }
    Ok(figures)
}

/// A thousand applications on PostgreSQL, whose products report to two servers, held against the same with one of them
/// alone.
pub fn replicas(bench: &Bench) -> Result<Vec<Figure>, Problem> {
    let (mut one, database) = Database::postgres();
    let mut fleet = seeded(&mut one, &database, SIZES[0])?;
    let alone = reported(bench, &[one.address()], &database, &mut fleet)?;
    let mut other = one.replica();
    let shared = reported(bench, &[one.address(), other.address()], &database, &mut fleet)?;
    check(&one, &fleet)?;
    one.kill();
    other.kill();
    let against = "the same at one server";
    let named = |what: &str| format!("{} applications at two servers on one PostgreSQL: {what}", SIZES[0]);
    let mut figures = Vec::new();
    for (what, (shared, _), (alone, _)) in [
        ("exchanges over 32 connections each", &shared[0], &alone[0]),
        ("exchanges that say something new", &shared[1], &alone[1]),
    ] {
        figures.push(Figure::new(named(what), shared.per_second(), "/s").against(against, alone.per_second()));
        let (longest, of_one) = (shared.percentile(99), alone.percentile(99));
        figures.push(Figure::new(named("99 of 100 of them"), longest, "ms").against(against, of_one));
    }
    let deadlocks = Figure::new(named("deadlocks that PostgreSQL had to end"), database.deadlocks()?, "times");
    figures.push(deadlocks.must(Goal::Below(1.0)));
    Ok(figures)
}

/// What the products of a fleet in a database report as fast as they can.
fn on(bench: &Bench, (mut central, database): (Central, Database)) -> Result<[(Measured, f64); 2], Problem> {
    let mut fleet = seeded(&mut central, &database, SIZES[0])?;
    let both = reported(bench, &[central.address()], &database, &mut fleet)?;
    check(&central, &fleet)?;
    central.kill();
    Ok(both)
}

/// What products report as fast as they can: first what they have said, then something new.
fn reported(
    bench: &Bench,
    servers: &[SocketAddr],
    database: &Database,
    fleet: &mut [Product],
) -> Result<[(Measured, f64); 2], Problem> {
    Ok([
        fastest(servers, database, fleet, bench.part(FAST_REPORTS), News::None)?,
        fastest(servers, database, fleet, bench.part(NEW_REPORTS), News::Count)?,
    ])
}

/// A fleet in the database of a server, which serves when it is there.
fn seeded(central: &mut Central, database: &Database, applications: usize) -> Result<Vec<Product>, Problem> {
    // A database server would keep the jobs for one that was killed, and the review would wait for a minute.
    central.end();
    eprintln!("  putting {applications} applications into the store");
    let fleet = seed::fleet(database, applications)?;
    central.serve();
    eprintln!("  waiting until it is reviewed");
    while !central.get("/api/v1/fleet/totals")["behind_since"].is_null() {
        thread::sleep(Duration::from_millis(500));
    }
    Ok(fleet)
}

fn measure(bench: &Bench, applications: usize) -> Result<Vec<Figure>, Problem> {
    let (mut central, database) = Database::sqlite();
    let mut fleet = seeded(&mut central, &database, bench.part(applications).max(SIZES[0]))?;
    eprintln!("  reporting");
    let [(fast, bytes), (new, new_bytes)] = reported(bench, &[central.address()], &database, &mut fleet)?;
    let hourly = paced(bench, &central, &mut fleet, Duration::from_secs(3_600))?;
    let worst = paced(bench, &central, &mut fleet, Duration::from_secs(60))?;
    let memory = memory_of(central.process_id(), "VmHWM:")?;
    check(&central, &fleet)?;
    eprintln!("  opening the pages");
    let pages = pages::times(bench, &central)?;
    Ok(figures(applications, (&fast, bytes), (&new, new_bytes), &hourly, &worst, memory, &pages))
}

/// Reports as fast as they are taken, and how many bytes each of them has added to the database.
fn fastest(
    servers: &[SocketAddr],
    database: &Database,
    fleet: &mut [Product],
    number: usize,
    news: News,
) -> Result<(Measured, f64), Problem> {
    let before = database.bytes()?;
    let reports = product::reports(fleet, number, news)?;
    let measured = load::run(servers, reports, CONNECTIONS, Pace::Fastest)?;
    let bytes = database.bytes()?.saturating_sub(before) as f64 / measured.receipts as f64;
    Ok((measured, bytes))
}

/// All products report once within `span`, as far as [`PACED`] goes.
fn paced(bench: &Bench, central: &Central, fleet: &mut [Product], span: Duration) -> Result<Measured, Problem> {
    let rate = fleet.len() as f64 / span.as_secs_f64();
    let reports = ((rate * bench.span(PACED).as_secs_f64()) as usize).max(1);
    let reports = product::reports(fleet, reports, News::None)?;
    load::run(&[central.address()], reports, 4 * CONNECTIONS, Pace::PerSecond(rate))
}

/// Nothing that has a receipt may be missing: of some products, everything that they have sent is in the chain.
fn check(central: &Central, fleet: &[Product]) -> Result<(), Problem> {
    for product in fleet.iter().step_by((fleet.len() / 50).max(1)) {
        let chain = &central.get(&format!("/api/v1/links/{}", product.link))["chain"];
        if chain["stored"].as_u64() != Some(product.sent()) {
            return Err(format!("central has not stored what it answered: {chain}, not {}", product.sent()).into());
        }
    }
    Ok(())
}

fn figures(
    applications: usize,
    (fast, bytes): (&Measured, f64),
    (new, new_bytes): (&Measured, f64),
    hourly: &Measured,
    worst: &Measured,
    memory: f64,
    pages: &[pages::PageTime],
) -> Vec<Figure> {
    let named = |what: &str| format!("{applications} applications: {what}");
    let mut figures = vec![
        Figure::new(named("exchanges over 64 connections"), fast.per_second(), "/s").must(Goal::AtLeast(5_000.0)),
        Figure::new(named("an exchange over 64 connections, median"), fast.percentile(50), "ms"),
        Figure::new(named("an exchange over 64 connections, 99 of 100"), fast.percentile(99), "ms")
            .must(Goal::Below(50.0)),
        Figure::new(named("exchanges that say something new"), new.per_second(), "/s").must(Goal::AtLeast(5_000.0)),
        Figure::new(named("on disk for an unchanged report, evidence and all"), bytes, "bytes")
            .must(Goal::Below(401.0)),
        Figure::new(named("on disk for a changed report, evidence and all"), new_bytes, "bytes"),
        Figure::new(named("an exchange at the pace of an hour, median"), hourly.percentile(50), "ms"),
        Figure::new(named("an exchange at the pace of an hour, 99 of 100"), hourly.percentile(99), "ms"),
        Figure::new(named("all in a minute: receipts"), worst.per_second(), "/s"),
        Figure::new(named("all in a minute: told to come again (503)"), worst.refused as f64, "times"),
        Figure::new(named("all in a minute: the longest wait for a receipt"), worst.percentile(100), "ms"),
        Figure::new(named("peak memory of central"), memory, "MiB").must(Goal::Below(150.0)),
    ];
    for page in pages {
        let name = named(&format!("{}, 99 of 100", page.name));
        figures.push(Figure::new(name, page.milliseconds, "ms").must(Goal::Below(100.0)));
    }
    figures
}
