//! What an honest plugin comes to.

use std::sync::Arc;

use seatline_host::sandbox::{Capability, JournalLevel, Limits};
use seatline_protocol::AccountCounts;
use seatline_protocol::license::Counting;
use seatline_protocol::report::Measured;

use crate::stage::{self, Stage, Wiki};

#[test]
fn a_run_gives_the_report_and_says_what_it_took() {
    let sandbox = stage::sandbox(Limits::default());
    let plugin = stage::load(&sandbox, "honest");
    assert_eq!((plugin.inspection().name.as_str(), plugin.inspection().version.as_str()), ("honest", "1.0.0"));
    assert_eq!(plugin.inspection().asks, Capability::ALL);

    let record = plugin.run(Stage::default().occasion());
    let submission = record.result.expect("a report");
    assert_eq!(
        submission.collected.accounts,
        Some(AccountCounts {
            total: 10,
            counted: 4,
            deactivated: 2,
            no_access: 2,
            never_signed_in: 0,
            service_accounts: 2,
            dormant: 0,
            dormancy_days: 90,
            counting: Counting::Account,
        })
    );
    let measured: Vec<_> =
        submission.collected.measurements.iter().map(|m| (m.dimension.as_str(), m.value.clone())).collect();
    assert_eq!(
        measured,
        [("lines-of-code", Measured::Value(120_000)), ("channels", Measured::Failed("the table is locked".to_owned()))],
        "`users` is counted from the accounts alone"
    );
    assert!(submission.read_licenses && submission.collected.standing.is_none());
    assert!(submission.collected.omissions.is_empty());
    let journal: Vec<_> = record.journal.iter().map(|line| (line.level, line.text.as_str())).collect();
    assert_eq!(journal, [(JournalLevel::Info, "counted Acme Wiki on day 20513")]);
    assert_eq!((record.dropped_lines, record.accounts_read), (0, 10));
    assert!(record.peak_memory >= 1 << 16 && record.peak_memory < 4 << 20, "{} bytes", record.peak_memory);
}

#[test]
fn the_rule_of_the_settings_decides_who_counts() {
    let sandbox = stage::sandbox(Limits::default());
    let mut stage = Stage::default();
    stage.link.counting = Counting::FirstSignIn;
    let submission = stage::load(&sandbox, "honest").run(stage.occasion()).result.expect("a report");
    let accounts = submission.collected.accounts.expect("counts");
    assert_eq!((accounts.counted, accounts.never_signed_in, accounts.counting), (2, 2, Counting::FirstSignIn));
}

#[test]
fn what_is_not_granted_is_refused_as_a_value_and_the_rest_is_reported() {
    let sandbox = stage::sandbox(Limits::default());
    let grants = [Capability::ApplicationLink, Capability::Usage].into_iter().collect();
    let record = stage::load(&sandbox, "honest").run(Stage { grants, ..Stage::default() }.occasion());
    let submission = record.result.expect("a report of what was granted");
    let omitted: Vec<_> =
        submission.collected.omissions.iter().map(|o| (o.subject.as_str(), o.reason.as_str())).collect();
    assert_eq!(omitted, [("product", "not granted"), ("accounts", "not granted"), ("licensing", "not granted")]);
    assert_eq!(submission.collected.accounts, None);
    assert!(!submission.read_licenses);
    assert_eq!(submission.collected.measurements.len(), 2);
    assert_eq!((record.journal.len(), record.dropped_lines, record.accounts_read), (0, 1, 0));
}

#[test]
fn without_any_license_the_plugin_still_says_that_it_read_them() {
    let sandbox = stage::sandbox(Limits::default());
    let record = stage::load(&sandbox, "honest").run(Stage { licenses: Vec::new(), ..Stage::default() }.occasion());
    assert!(record.result.expect("a report").read_licenses);
}

#[test]
fn many_licenses_of_a_great_size_are_reported_whole() {
    let sandbox = stage::sandbox(Limits::default());
    let licenses = (0..64)
        .map(|i| {
            let mut license = stage::license(&format!("license-{i}"));
            license.features = (0..600).map(|n| format!("{n}{}", "x".repeat(190))).collect();
            license
        })
        .collect();
    let record = stage::load(&sandbox, "honest").run(Stage { licenses, ..Stage::default() }.occasion());
    assert!(record.result.expect("a report").read_licenses);
}

#[test]
fn nothing_stays_from_one_run_to_the_next() {
    let sandbox = stage::sandbox(Limits::default());
    let plugin = stage::load(&sandbox, "honest");
    let first = plugin.run(Stage::default().occasion());
    let second = plugin.run(Stage::default().occasion());
    assert_eq!((first.result, first.peak_memory), (second.result, second.peak_memory));
}

#[test]
fn runs_go_on_side_by_side() {
    let sandbox = stage::sandbox(Limits { stuck_threads: 8, ..Limits::default() });
    let plugin = stage::load(&sandbox, "honest");
    std::thread::scope(|scope| {
        let runs: Vec<_> = (1..=4)
            .map(|n| {
                let plugin = &plugin;
                scope.spawn(move || {
                    let stage = Stage { product: Arc::new(Wiki { accounts: n * 1000 }), ..Stage::default() };
                    plugin.run(stage.occasion()).result.expect("a report").collected.accounts.expect("counts").total
                })
            })
            .collect();
        let totals: Vec<u64> = runs.into_iter().map(|run| run.join().expect("no panic")).collect();
        assert_eq!(totals, [1000, 2000, 3000, 4000]);
    });
}
