//! A million accounts of a real database, counted and reported by `seatline sync`, against the bare streaming of the
//! same query by the same client library.
//!
//! The bare side reads every value of every row and does nothing with it. The other side starts a process, opens the
//! state, checks each value, makes each pseudonym, counts in the plugin, seals the report, keeps it, and waits for its
//! receipt.

use std::fs;
use std::time::{Duration, Instant};

use postgres::fallible_iterator::FallibleIterator as _;
use postgres::{Client, NoTls};
use seatline_tests::postgres::Postgres;
use seatline_tests::{Agent, Central, Vendor, Wiki};

use crate::figure::{Figure, Goal};
use crate::{Bench, Problem};

const ACCOUNTS: usize = 1_000_000;
const ROUNDS: usize = 5;

/// The figures of both databases.
pub fn measure(bench: &Bench) -> Result<Vec<Figure>, Problem> {
    let accounts = i64::try_from(bench.part(ACCOUNTS))?;
    Ok(vec![sqlite(accounts)?, postgresql(accounts)?])
}

/// A linked agent that has reported once, so that its plugin is compiled.
fn linked(central: &Central) -> Agent {
    let agent = Agent::new(&Vendor::new());
    agent.link(&central.invite());
    agent.run(&["sync"]).ok();
    agent
}

fn sqlite(accounts: i64) -> Result<Figure, Problem> {
    let central = Central::start();
    let agent = linked(&central);
    agent.wiki.open().execute_batch(&format!(
        "delete from users; with recursive n (i) as (select 1 union all select i + 1 from n where i < {accounts})
         insert into users select 'person' || i || '@example.org', 1, 1, '2026-11-20T08:00:00Z', 0 from n"
    ))?;
    let bare = || {
        let database = agent.wiki.open();
        let mut query = database.prepare(Wiki::QUERY)?;
        let columns = query.column_count();
        let (mut rows, mut read) = (query.query([])?, 0_i64);
        while let Some(row) = rows.next()? {
            for column in 0..columns {
                std::hint::black_box(row.get_ref(column)?);
            }
            read += 1;
        }
        Ok(read)
    };
    in_turns("a million accounts of SQLite counted and reported", &agent, accounts, bare)
}

fn postgresql(accounts: i64) -> Result<Figure, Problem> {
    let (central, server) = (Central::start(), Postgres::start());
    let agent = linked(&central);
    let mut client = Client::connect(&server.address("owner", "wiki"), NoTls)?;
    client.batch_execute(&format!(
        "create table users (mail text, active boolean, access boolean, seen timestamptz, bot boolean);
         insert into users select 'person' || i || '@example.org', true, true, '2026-11-20T08:00:00Z', false
         from generate_series(1, {accounts}) as n (i); analyze users"
    ))?;
    let config = agent.dir().join("seatline.toml");
    let before = fs::read_to_string(&config)?;
    let sqlite = format!("database = \"{}\"", agent.wiki.path().display());
    let of_server = format!("database = \"{}\"", server.address("owner", "wiki"));
    fs::write(
        &config,
        before.replacen(&sqlite, &of_server, 1).split("\n[[dimension]]\nname = ").next().unwrap_or_default(),
    )?;
    let bare = || {
        let mut client = Client::connect(&server.address("owner", "wiki"), NoTls)?;
        let mut rows = client.query_raw(Wiki::QUERY, std::iter::empty::<i32>())?;
        let mut read = 0_i64;
        while let Some(row) = rows.next()? {
            let values: (&str, bool, bool, std::time::SystemTime, bool) =
                (row.get(0), row.get(1), row.get(2), row.get(3), row.get(4));
            std::hint::black_box(values);
            read += 1;
        }
        Ok(read)
    };
    in_turns("a million accounts of PostgreSQL counted and reported", &agent, accounts, bare)
}

/// Both sides by turns, so that what else the machine does falls on both; the best of each.
fn in_turns(
    name: &'static str,
    agent: &Agent,
    accounts: i64,
    bare: impl Fn() -> Result<i64, Problem>,
) -> Result<Figure, Problem> {
    let (mut whole, mut streamed) = (Duration::MAX, Duration::MAX);
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        if bare()? != accounts {
            return Err("the query does not give all accounts".into());
        }
        streamed = streamed.min(begun.elapsed());
        let begun = Instant::now();
        let synchronised = agent.run(&["sync", "--json"]).json();
        whole = whole.min(begun.elapsed());
        let counted = &synchronised["run"]["outcome"]["collected"]["accounts"]["counted"];
        let receipts = synchronised["exchange"]["receipts"].as_array().map(Vec::len);
        if counted.as_i64() != Some(accounts) || receipts != Some(1) {
            return Err(format!("not counted and received: {synchronised}").into());
        }
    }
    let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
    Ok(Figure::new(name, milliseconds(whole), "ms")
        .against("the bare query's streaming", milliseconds(streamed))
        .must(Goal::RatioAtMost(1.2)))
}
