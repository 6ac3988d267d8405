//! Products in trouble: the run ends, says that it was the product, and counts nothing wrongly.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use seatline_host::ports::{Account, AccountSink, Description, LastSeen, PortError, Product};
use seatline_host::sandbox::{Limits, LoadedPlugin, RunRecord, Sandbox};
use seatline_protocol::Dimension;

use crate::stage::{self, Stage, push};

/// A product that gives 20,000 accounts, and then does as it is told.
struct Troubled<F>(F);

impl<F: Fn(&mut dyn AccountSink) -> Result<(), PortError> + Send + Sync + 'static> Product for Troubled<F> {
    fn describe(&self) -> Result<Description, PortError> {
        Err(PortError::new("not asked"))
    }

    fn accounts(&self, sink: &mut dyn AccountSink) -> Result<(), PortError> {
        (0..20_000).try_for_each(|i| push(i, sink))?;
        (self.0)(sink)
    }

    fn measure(&self) -> Vec<(Dimension, Result<u64, PortError>)> {
        Vec::new()
    }
}

fn honest(limits: Limits) -> (Sandbox, LoadedPlugin) {
    let sandbox = stage::sandbox(limits);
    let plugin = stage::load(&sandbox, "honest");
    (sandbox, plugin)
}

fn run(
    plugin: &LoadedPlugin,
    then: impl Fn(&mut dyn AccountSink) -> Result<(), PortError> + Send + Sync + 'static,
) -> RunRecord {
    plugin.run(Stage { product: Arc::new(Troubled(then)), ..Stage::default() }.occasion())
}

/// Why the accounts were left out of the report. Nothing of them must have been counted.
fn omission(record: RunRecord) -> String {
    let collected = record.result.expect("the rest is reported").collected;
    assert_eq!(collected.accounts, None, "a pass that was not completed counts nothing");
    let omission = collected.omissions.first().expect("the omission is told");
    assert_eq!(omission.subject, "accounts");
    omission.reason.clone()
}

#[test]
fn a_product_that_fails_in_the_middle_is_counted_not_at_all() {
    let (sandbox, plugin) = honest(Limits::default());
    let record = run(&plugin, |_| Err(PortError::new("the database went away")));
    assert_eq!(record.accounts_read, 16_384, "two pages came before the failure");
    assert_eq!(omission(record), "unavailable: the database went away");
    stage::product_goes_on(&sandbox);
}

#[test]
fn a_product_that_panics_does_not_end_the_host() {
    let (sandbox, plugin) = honest(Limits::default());
    let record = run(&plugin, |_| panic!("the product's own fault"));
    assert_eq!(omission(record), "unavailable: the product's port `accounts` panicked");
    stage::product_goes_on(&sandbox);
}

/// Makes a product hang until the sender is dropped.
fn hanging() -> (Sender<()>, impl Fn(&mut dyn AccountSink) -> Result<(), PortError> + Send + Sync + 'static) {
    let (release, wait): (Sender<()>, Receiver<()>) = channel();
    let wait = Mutex::new(wait);
    (release, move |_: &mut dyn AccountSink| {
        let _ = wait.lock().expect("nobody panics").recv();
        Ok(())
    })
}

#[test]
fn a_product_that_hangs_is_not_waited_for_without_end_nor_asked_again_and_again() {
    let limits = Limits { product_time: Duration::from_millis(500), stuck_threads: 1, ..Limits::default() };
    let (sandbox, plugin) = honest(limits);
    let (release, hang) = hanging();
    let record = run(&plugin, hang);
    assert!(record.took >= Duration::from_millis(500));
    assert_eq!(omission(record), "unavailable: the product took too long to give its accounts");

    let busy = run(&plugin, |_| Ok(()));
    assert_eq!(omission(busy), "unavailable: the product is still busy with earlier questions (1)");

    drop(release);
    loop {
        let record = run(&plugin, |_| Ok(()));
        match record.result.expect("a report").collected.accounts {
            Some(accounts) => break assert_eq!(accounts.total, 20_000),
            None => std::thread::yield_now(), // the thread that hung is on its way out
        }
    }
    stage::product_goes_on(&sandbox);
}

#[test]
fn a_slow_product_is_not_blamed_on_the_plugin() {
    // The product takes four times as long as the plugin may compute.
    let limits = Limits { plugin_time: Duration::from_millis(500), ..Limits::default() };
    let (_, plugin) = honest(limits);
    let began = std::time::Instant::now();
    let record = run(&plugin, move |_| {
        while began.elapsed() < Duration::from_secs(2) {
            std::thread::yield_now();
        }
        Ok(())
    });
    assert_eq!(record.result.expect("a report").collected.accounts.expect("counts").total, 20_000);
    assert!(record.took >= Duration::from_secs(2));
    assert!(record.plugin_took <= Duration::from_millis(500), "{:?}", record.plugin_took);
}

/// A product that says far too much of itself.
struct Talkative;

impl Product for Talkative {
    fn describe(&self) -> Result<Description, PortError> {
        Err(PortError::new("not asked"))
    }

    fn accounts(&self, sink: &mut dyn AccountSink) -> Result<(), PortError> {
        let identity = "\u{1F600}Ä".repeat(1 << 18);
        let account = Account {
            identity: &identity,
            active: true,
            licensed_access: true,
            last_seen: LastSeen::On(jiff::civil::Date::MIN),
            service_account: false,
        };
        sink.push(account)?;
        sink.push(Account { identity: "", last_seen: LastSeen::On(jiff::civil::Date::MAX), ..account })?;
        sink.push(Account { identity: "\0\r\n", ..account })
    }

    fn measure(&self) -> Vec<(Dimension, Result<u64, PortError>)> {
        let error = || Err(PortError::new("x".repeat(1 << 10)));
        (0..10_000).map(|i| (format!("d{}", i % 5000).parse().expect("a dimension"), error())).collect()
    }
}

#[test]
fn giant_and_odd_values_of_a_product_reach_the_plugin_in_the_size_of_the_contract() {
    let (_, plugin) = honest(Limits::default());
    let mut stage = Stage { product: Arc::new(Talkative), ..Stage::default() };
    stage.facts.name = "\u{1b}]0;Wiki".repeat(1 << 18);
    stage.facts.nodes = vec![stage.facts.nodes[0].clone(); 100_000];
    let record = plugin.run(stage.occasion());
    assert!(record.journal[0].text.starts_with("counted ]0;Wiki ]0;Wiki"), "{}", record.journal[0].text);
    assert!(record.journal[0].text.len() < 300);
    let collected = record.result.expect("a report").collected;
    assert_eq!((collected.accounts.expect("counts").counted, collected.measurements.len()), (3, 64));
    assert!(record.peak_memory < 4 << 20, "{} bytes", record.peak_memory);
}

#[test]
fn a_product_is_told_that_the_run_has_ended() {
    let sandbox = stage::sandbox(Limits { passes: 1, ..Limits::default() });
    let (told, ended) = channel();
    let told = Mutex::new(told);
    // The plugin takes one page and reports: the pass is still under way then.
    let record = {
        let product = Troubled(move |sink: &mut dyn AccountSink| {
            let error = (0..).find_map(|i| push(i, sink).err()).expect("the sink refuses in the end");
            told.lock().expect("nobody panics").send(error.to_string()).expect("the story waits for it");
            Err(error)
        });
        stage::load(&sandbox, "one-page").run(Stage { product: Arc::new(product), ..Stage::default() }.occasion())
    };
    assert!(record.result.is_ok());
    assert_eq!(ended.recv_timeout(Duration::from_secs(60)), Ok("the run has ended".to_owned()));
}
