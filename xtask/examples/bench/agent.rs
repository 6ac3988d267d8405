//! The agent: its memory at rest and with a million accounts, and `seatline sync` from its start to the receipt.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use seatline_tests::{Agent, Central, Vendor};

use crate::figure::{Figure, Goal};
use crate::{Bench, Problem};

const MILLION: usize = 1_000_000;
const PEOPLE: usize = 5_000;
const SYNCHRONISATIONS: usize = 20;

/// The figures of the memory, in MiB.
pub fn memory(bench: &Bench) -> Result<Vec<Figure>, Problem> {
    let agent = Agent::new(&Vendor::new());
    let (at_rest, _) = memory_of_run(bench, &agent)?;
    // People who were there before stay; the first run counted them too.
    agent.wiki.open().execute(
        "with recursive n (i) as (select 1 union all select i + 1 from n where i < ?1)
         insert into users select 'many' || i || '@example.org', 1, 1, '2026-11-20T08:00:00Z', 0 from n",
        [bench.part(MILLION)],
    )?;
    let (_, peak) = memory_of_run(bench, &agent)?;
    Ok(vec![
        Figure::new("memory of `seatline run` at rest", at_rest, "MiB").must(Goal::Below(20.0)),
        Figure::new("peak memory while it counts a million accounts", peak, "MiB"),
        Figure::new("raised by the million accounts", peak - at_rest, "MiB").must(Goal::Below(32.0)),
    ])
}

/// What `seatline run` holds after its first run, and the most that it held until then, in MiB.
fn memory_of_run(bench: &Bench, agent: &Agent) -> Result<(f64, f64), Problem> {
    let before = last_run(agent);
    let mut run = Command::new(bench.binaries.join("seatline"));
    run.args(["run", "--listen", "127.0.0.1:0"])
        .env("SEATLINE_DIR", agent.dir())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut run = Stopped(run.spawn()?);
    let begun = Instant::now();
    while last_run(agent) == before {
        if run.0.try_wait()?.is_some() || begun.elapsed() > Duration::from_secs(120) {
            return Err("`seatline run` did not count".into());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok((memory_of(run.0.id(), "VmRSS:")?, memory_of(run.0.id(), "VmHWM:")?))
}

/// A size of a running process that the kernel keeps under `name`, in MiB.
pub fn memory_of(process: u32, name: &str) -> Result<f64, Problem> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find(|line| line.starts_with(name)).ok_or("no such size")?;
    let kibibytes: f64 = line.split_whitespace().nth(1).ok_or("no number")?.parse()?;
    Ok(kibibytes / 1024.0)
}

/// When the last run was, as text.
fn last_run(agent: &Agent) -> Option<String> {
    agent.status()["last_run"]["at"].as_str().map(str::to_owned)
}

/// A process that ends with the value.
pub struct Stopped(pub Child);

impl Drop for Stopped {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The time of a synchronisation by hand, with the compiled plugin in the cache.
pub fn sync(bench: &Bench) -> Result<Vec<Figure>, Problem> {
    let central = Central::start();
    let agent = Agent::new(&Vendor::new());
    agent.wiki.hire(PEOPLE);
    agent.link(&central.invite());
    agent.run(&["sync"]).ok();
    let mut times = Vec::new();
    for _ in 0..bench.part(SYNCHRONISATIONS) {
        let begun = Instant::now();
        let synchronised = agent.run(&["sync", "--json"]).json();
        times.push(begun.elapsed());
        if synchronised["exchange"]["receipts"].as_array().is_none_or(Vec::is_empty) {
            return Err(format!("no receipt: {synchronised}").into());
        }
    }
    times.sort_unstable();
    let median = times[times.len() / 2].as_secs_f64() * 1e3;
    Ok(vec![Figure::new("`seatline sync`, 5,000 accounts, from its start to the receipt", median, "ms")])
}
