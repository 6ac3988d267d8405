//! A million accounts raise the memory of the process that reads them by no more than 32 MiB.
//!
//! This file has a process of its own, and one test, so that nothing else is measured. It measures the sources; the
//! whole agent, with the plugin that counts, is measured by `cargo xtask bench`.

mod support;

use std::path::Path;

use seatline_agent::accounts;
use seatline_agent::config::Config;
use support::mariadb::MariaDb;
use support::postgres::Postgres;
use support::{Counted, config};

const ACCOUNTS: u64 = 1_000_000;
const MOST: u64 = 32 * 1024 * 1024;

#[test]
fn a_million_accounts_are_streamed_in_bounded_memory() {
    let dir = tempfile::tempdir().expect("a directory");
    fill_sqlite(&dir.path().join("wiki.db"));
    let sqlite = "[accounts]\ndatabase = 'wiki.db'\nquery = 'select mail as identity, seen as last_seen from users'\n";
    let server = Postgres::start();
    server.execute(&format!(
        "CREATE TABLE users AS SELECT 'user-' || i || '@example.org' AS mail, now() AS seen FROM generate_series(1, {ACCOUNTS}) i"
    ));
    let postgres = format!(
        "[accounts]\ndatabase = '{}'\nquery = 'select mail as identity, seen as last_seen from users'\n",
        server.address("owner", "wiki")
    );
    let mariadb = MariaDb::start();
    let mysql = format!(
        "[accounts]\ndatabase = '{}'\nquery = \"select concat('user-', seq, '@example.org') as identity, now() as last_seen \
         from seq_1_to_{ACCOUNTS}\"\n",
        mariadb.address()
    );
    for config in [config(dir.path(), sqlite), config(dir.path(), &postgres), config(dir.path(), &mysql)] {
        let raised = peak_above_now(&config);
        assert!(raised < MOST, "raised the memory by {} KiB", raised / 1024);
    }
}

fn fill_sqlite(path: &Path) {
    let connection = rusqlite::Connection::open(path).expect("a database");
    connection
        .execute_batch(&format!(
            "CREATE TABLE users AS WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ACCOUNTS})
             SELECT 'user-' || i || '@example.org' AS mail, 1772323200 + i AS seen FROM n"
        ))
        .expect("a million rows");
}

/// By how many bytes reading raises the peak above what the process holds before.
fn peak_above_now(config: &Config) -> u64 {
    // Resets the peak, see proc(5).
    std::fs::write("/proc/self/clear_refs", "5").expect("the peak is reset");
    let before = status("VmRSS:");
    let mut counted = Counted::default();
    accounts::read(config.accounts.as_ref().expect("accounts"), &mut counted).expect("a million accounts");
    assert_eq!(counted.0, ACCOUNTS);
    status("VmHWM:").saturating_sub(before)
}

/// A size in /proc/self/status, in bytes.
fn status(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("our own status");
    let line = status.lines().find(|line| line.starts_with(name)).expect("the size");
    let kibibytes: u64 = line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("a number");
    kibibytes * 1024
}
