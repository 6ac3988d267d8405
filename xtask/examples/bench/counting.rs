//! A million accounts through the plugin against the same logic native, and the start of a run.
//!
//! What is measured of the plugin is what it costs the host: the copies across the border and the computing, without
//! the time in which the product was waited for. The native logic is given the same pages, and copies them as well,
//! because a plugin owns what it is given.

use std::sync::Arc;
use std::time::{Duration, Instant};

use license_visibility::tally::{Rule, Tally};
use seatline_host::ports::{Account, AccountSink, Description, LastSeen, PortError, Product};
use seatline_host::sandbox::{Grants, Limits, LinkSettings, LoadedPlugin, Occasion, RunRecord, Sandbox, Trigger};
use seatline_protocol::ServerId;
use seatline_protocol::license::Counting;
use seatline_protocol::pairing::Secret;
use seatline_protocol::report::ProductFacts;

use crate::figure::{Figure, Goal};
use crate::{Bench, Problem};

const ACCOUNTS: usize = 1_000_000;
const PAGE: u32 = 8_192;
const ROUNDS: usize = 9;
const STARTS: usize = 500;
const TODAY: jiff::civil::Date = jiff::civil::date(2026, 3, 1);

/// The figures of the plugin.
pub fn measure(bench: &Bench) -> Result<Vec<Figure>, Problem> {
    let sandbox = Sandbox::new(Limits::default())?;
    let plugin = sandbox.load(&std::fs::read(&bench.plugin)?)?;
    let number = u32::try_from(bench.part(ACCOUNTS))?;
    let (accounts, none): (Arc<dyn Product>, Arc<dyn Product>) = (Arc::new(People(number)), Arc::new(People(0)));
    let (mut through, mut native) = (Vec::new(), Vec::new());
    // In turns, so that what else the machine does falls on both.
    for _ in 0..ROUNDS {
        let record = run(&plugin, &accounts);
        record.result.as_ref().map_err(|error| error.to_string())?;
        through.push(record.took.saturating_sub(record.waited));
        native.push(natively(number));
    }
    // The best of the rounds: what else the machine does only ever adds.
    let nanoseconds =
        |times: &[Duration]| times.iter().min().map_or(f64::NAN, Duration::as_secs_f64) * 1e9 / f64::from(number);
    let (through, native) = (nanoseconds(&through), nanoseconds(&native));
    let mut starts: Vec<Duration> = (0..bench.part(STARTS))
        .map(|_| {
            let record = run(&plugin, &none);
            record.took.saturating_sub(record.waited)
        })
        .collect();
    Ok(vec![
        Figure::new("counting through the plugin, per account", through, "ns")
            .against("the same logic native", native)
            .must(Goal::RatioAtMost(1.3)),
        Figure::new("accounts through the plugin", 1e9 / through, "accounts/s"),
        Figure::new("start of a run: instantiate and call, no accounts", median(&mut starts).as_secs_f64() * 1e6, "µs")
            .must(Goal::Below(200.0)),
    ])
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// One run of the plugin over `product`.
fn run(plugin: &LoadedPlugin, product: &Arc<dyn Product>) -> RunRecord {
    let facts = ProductFacts {
        id: "acme-wiki".parse().expect("a product id"),
        name: "Acme Wiki".to_owned(),
        version: "4.2.0".to_owned(),
        edition: None,
        server_id: ServerId::from_random([7; 20]),
        staging: false,
        nodes: Vec::new(),
    };
    plugin.run(Occasion {
        product: Arc::clone(product),
        facts: &facts,
        licenses: &[],
        link: LinkSettings { linked: true, interval: 3_600, dormancy_days: 90, counting: Counting::Account },
        pseudonym_key: &Secret::from_bytes([7; 32]),
        grants: Grants::all(),
        trigger: Trigger::Demand,
        today: TODAY,
    })
}

/// How long the plugin's own logic takes over the same accounts, compiled for this machine.
fn natively(accounts: u32) -> Duration {
    let pages: Vec<_> = (0..accounts).step_by(PAGE as usize).map(|begin| columns(begin, accounts)).collect();
    let begun = Instant::now();
    let mut tally = Tally::new(Rule::Account, 20_513, 90);
    for (pseudonyms, states, days) in &pages {
        let (pseudonyms, states, days) = (pseudonyms.clone(), states.clone(), days.clone());
        tally.add(&pseudonyms, &states, &days).expect("columns of one length");
    }
    std::hint::black_box((tally.counts(), tally.people()));
    begun.elapsed()
}

/// The sketch of as many people.
pub fn sketch_of(people: u64) -> Vec<u8> {
    let mut tally = Tally::new(Rule::Account, 20_513, 90);
    for person in 0..people {
        tally.add(&[person], &[7], &[20_513]).expect("columns of one length");
    }
    tally.people()
}

/// The page of `accounts` that begins with account `begin`, as columns.
fn columns(begin: u32, accounts: u32) -> (Vec<u64>, Vec<u8>, Vec<u32>) {
    let numbers = begin..accounts.min(begin + PAGE);
    // The odd constant spreads the numbers like a hash.
    let pseudonyms = numbers.clone().map(|n| u64::from(n).wrapping_mul(0x9E37_79B9_7F4A_7C15)).collect();
    let states = numbers.clone().map(|n| {
        let (active, access, service) = parts(n);
        u8::from(active) | u8::from(access) << 1 | 4 | u8::from(service) << 3
    });
    (pseudonyms, states.collect(), numbers.map(|n| 20_513 - n % 200).collect())
}

/// Whether account `n` is active, may use the product, and is a machine's: 82 of a hundred count.
fn parts(n: u32) -> (bool, bool, bool) {
    let n = (n.wrapping_mul(0x9E37_79B1) >> 12) % 100;
    (n >= 9, n >= 15, n >= 97)
}

/// A product with as many accounts, given as fast as it can.
struct People(u32);

impl Product for People {
    fn describe(&self) -> Result<Description, PortError> {
        Err(PortError::new("the sandbox does not ask"))
    }

    fn accounts(&self, sink: &mut dyn AccountSink) -> Result<(), PortError> {
        use std::io::Write as _;
        let mut identity = [0; 32];
        for n in 0..self.0 {
            let (active, licensed_access, service_account) = parts(n);
            let room = identity.len();
            let mut rest = &mut identity[..];
            write!(rest, "person{n}@example.org").map_err(PortError::new)?;
            let length = room - rest.len();
            let last_seen = LastSeen::On(TODAY.saturating_sub(jiff::Span::new().days(n % 200)));
            let identity = std::str::from_utf8(&identity[..length]).map_err(PortError::new)?;
            sink.push(Account { identity, active, licensed_access, last_seen, service_account })?;
        }
        Ok(())
    }
}
