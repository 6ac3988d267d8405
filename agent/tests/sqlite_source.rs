//! Accounts from real SQLite files.

mod support;

use std::path::Path;

use rusqlite::Connection;
use seatline_agent::accounts;
use seatline_agent::product::ConfiguredProduct;
use seatline_host::ports::{Account, AccountSink, PortError, Product as _};
use support::{Kept, config};

fn database(statements: &str) -> (tempfile::TempDir, Connection) {
    let dir = tempfile::tempdir().expect("a directory");
    let connection = Connection::open(dir.path().join("wiki.db")).expect("a database");
    connection.execute_batch(statements).expect("the statements");
    (dir, connection)
}

fn read(dir: &Path, query: &str) -> Result<Vec<String>, accounts::SourceError> {
    let config = config(dir, &format!("[accounts]\ndatabase = 'wiki.db'\nquery = \"\"\"{query}\"\"\"\n"));
    let mut kept = Kept::default();
    let count = accounts::read(config.accounts.as_ref().expect("accounts"), &mut kept)?;
    assert_eq!(count, kept.0.len() as u64);
    Ok(kept.0)
}

fn refusal(dir: &Path, query: &str) -> (&'static str, String) {
    let error = read(dir, query).expect_err("a refusal");
    (error.code(), error.to_string())
}

const USERS: &str = "CREATE TABLE users (mail TEXT, on_ INTEGER, access TEXT, seen, bot INTEGER);
    INSERT INTO users VALUES ('ann@example.org', 1, 'yes', '2026-03-01 10:00:00', 0),
        ('Zoë ', 0, 'f', 1772323200, 0), ('bot-7', 1, 'true', NULL, 1), (4711, 1, 'T', 1772323200000, 0);";

#[test]
fn c4_every_field_is_read_by_the_name_of_its_column() {
    let (dir, _connection) = database(USERS);
    let query = "select bot as service_account, mail as identity, on_ as Active, access as licensed_access, \
                 seen as last_seen from users order by rowid";
    let expected = ["ann@example.org al- 2026-03-01", "Zoë  --- 2026-03-01", "bot-7 als never", "4711 al- 2026-03-01"];
    assert_eq!(read(dir.path(), query).expect("the accounts"), expected);
}

#[test]
fn a_column_that_is_absent_has_its_documented_default() {
    let (dir, _connection) = database(USERS);
    let accounts = read(dir.path(), "select mail as identity from users limit 1").expect("the accounts");
    assert_eq!(accounts, ["ann@example.org al- unknown"]);
}

#[test]
fn a_value_that_cannot_be_understood_fails_the_pass_and_is_not_repeated() {
    let (dir, connection) = database(USERS);
    connection.execute_batch("INSERT INTO users VALUES (NULL, 1, 'f', 'yesterday', 2)").expect("a bad row");
    let (code, text) = refusal(dir.path(), "select mail as identity from users");
    assert_eq!(
        (code, text.as_str()),
        ("source-value", "row 5: `identity` is missing: every account needs a mail address or a login")
    );
    let (_, text) = refusal(dir.path(), "select coalesce(mail, 'x') as identity, seen as last_seen from users");
    assert_eq!(text, "row 5: `last_seen` must be a date, a time, or the seconds or milliseconds since 1970");
    let (_, text) = refusal(dir.path(), "select coalesce(mail, 'x') as identity, bot as service_account from users");
    assert!(text.starts_with("row 5: `service_account` must be a boolean"), "{text}");
    let (_, text) = refusal(dir.path(), "select x'ff' as identity");
    assert_eq!(text, "row 1: `identity` is not text");
    let (_, text) = refusal(dir.path(), "select cast(x'ff' as text) as identity");
    assert_eq!(text, "row 1: `identity` is not UTF-8");
}

#[test]
fn a_wrong_query_is_refused_with_its_reason() {
    let (dir, _connection) = database(USERS);
    let (code, text) = refusal(dir.path(), "select male as identity from users");
    assert_eq!((code, text.as_str()), ("source-query", "the query is not accepted: no such column: male"));
    assert_eq!(refusal(dir.path(), "selekt").0, "source-query");
    assert_eq!(refusal(dir.path(), "select mail from users").0, "source-columns");
    assert_eq!(refusal(dir.path(), "-- nothing").0, "source-query-writes");
}

#[test]
fn a_query_that_would_write_is_refused_and_writes_nothing() {
    let (dir, connection) = database(USERS);
    let before = std::fs::read(dir.path().join("wiki.db")).expect("the file");
    for query in [
        "delete from users",
        "delete from users returning mail as identity",
        "select mail as identity from users; delete from users",
        "create table x (y)",
        "attach 'other.db' as other",
        "pragma user_version = 7",
    ] {
        assert_eq!(refusal(dir.path(), query).0, "source-query-writes", "{query}");
    }
    drop(connection);
    assert_eq!(std::fs::read(dir.path().join("wiki.db")).expect("the file"), before);
    assert!(!dir.path().join("other.db").exists());
}

#[test]
fn a_missing_file_is_named_and_not_made() {
    let dir = tempfile::tempdir().expect("a directory");
    let (code, text) = refusal(dir.path(), "select 1 as identity");
    assert_eq!(code, "source-missing");
    assert!(text.ends_with("wiki.db"), "{text}");
    assert!(!dir.path().join("wiki.db").exists());
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("wiki.db"), "a diary ".repeat(1000)).expect("a file");
    assert_eq!(refusal(dir.path(), "select mail as identity from users").0, "source-damaged");
}

#[test]
fn a_pipe_or_a_directory_in_the_place_of_the_database_holds_nobody() {
    for make in ["mkfifo", "mkdir"] {
        let dir = tempfile::tempdir().expect("a directory");
        let made = std::process::Command::new(make).arg(dir.path().join("wiki.db")).status();
        assert!(made.expect("it starts").success());
        let (code, text) = refusal(dir.path(), "select 1 as identity");
        assert_eq!(code, "source-unreachable");
        assert!(text.ends_with("wiki.db: it is not a file"), "{text}");
    }
}

#[test]
fn a_value_that_would_fill_the_memory_is_not_read_and_a_row_with_a_picture_is() {
    let picture = "CREATE TABLE users (picture BLOB, mail TEXT); INSERT INTO users VALUES (zeroblob(8000000), 'ann')";
    let (dir, _connection) = database(picture);
    assert_eq!(read(dir.path(), "select mail as identity from users").expect("the account"), ["ann al- unknown"]);
    let (code, text) = refusal(dir.path(), "select 'x' as identity union all select printf('%.*c', 20000000, 'x')");
    assert_eq!(
        (code, text.as_str()),
        ("source-broken-off", "reading broke off after 1 rows: a value has more than 16777216 bytes")
    );
}

#[test]
fn what_the_database_itself_defines_has_no_side_effects() {
    let (dir, _connection) = database("CREATE VIEW users AS SELECT file AS mail FROM pragma_database_list");
    let (code, text) = refusal(dir.path(), "select mail as identity from users");
    assert_eq!(
        (code, text.as_str()),
        ("source-query", "the query is not accepted: unsafe use of virtual table \"pragma_database_list\"")
    );
}

#[test]
fn a_database_that_another_program_locks_is_reported_as_locked() {
    let (dir, connection) = database(USERS);
    connection.execute_batch("BEGIN EXCLUSIVE").expect("a lock");
    assert_eq!(refusal(dir.path(), "select mail as identity from users").0, "source-locked");
}

#[test]
fn a_database_is_read_while_its_product_writes_and_left_as_it_was() {
    let (dir, connection) = database(&format!("PRAGMA journal_mode = WAL; {USERS} BEGIN; DELETE FROM users;"));
    let accounts = read(dir.path(), "select mail as identity from users").expect("the accounts before the deletion");
    assert_eq!(accounts.len(), 4);
    connection.execute_batch("ROLLBACK").expect("the product goes on");
}

#[test]
fn a_database_at_rest_is_read_and_nothing_is_left_beside_it() {
    for mode in ["WAL", "DELETE"] {
        let (dir, connection) = database(&format!("PRAGMA journal_mode = {mode}; {USERS}"));
        drop(connection);
        let before = std::fs::read(dir.path().join("wiki.db")).expect("the file");
        assert_eq!(read(dir.path(), "select mail as identity from users").expect("a product at rest").len(), 4);
        assert_eq!(std::fs::read(dir.path().join("wiki.db")).expect("the file"), before);
        let names = std::fs::read_dir(dir.path()).expect("the directory").count();
        assert_eq!(names, 1, "{mode}: the database alone");
    }
}

#[test]
fn a_pass_fails_in_whose_middle_the_product_wakes_up() {
    /// Opens the database and writes, at the first account; keeps it open, or closes it again.
    struct Waking<'d> {
        dir: &'d Path,
        stays_open: bool,
        product: Option<Connection>,
        taken: u64,
    }
    impl AccountSink for Waking<'_> {
        fn push(&mut self, _: Account<'_>) -> Result<(), PortError> {
            self.taken += 1;
            if self.taken == 1 {
                let product = Connection::open(self.dir.join("wiki.db")).expect("the product");
                product.execute_batch("UPDATE users SET bot = 1 WHERE rowid = 1").expect("a change");
                self.product = self.stays_open.then_some(product);
            }
            Ok(())
        }
    }
    for stays_open in [true, false] {
        // More than is read before anybody takes it.
        let many = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000)
            INSERT INTO users SELECT 'person' || i, 1, 1, NULL, 0 FROM n";
        let (dir, connection) = database(&format!("PRAGMA journal_mode = WAL; {USERS} {many}"));
        drop(connection);
        let text = "[accounts]\ndatabase = 'wiki.db'\nquery = 'select mail as identity from users'\n";
        let config = config(dir.path(), text);
        let mut waking = Waking { dir: dir.path(), stays_open, product: None, taken: 0 };
        let error = accounts::read(config.accounts.as_ref().expect("accounts"), &mut waking).expect_err("it changed");
        assert_eq!(error.code(), "source-broken-off");
        let told = "reading broke off after 50004 rows: the product began to use its database";
        assert_eq!((error.to_string().as_str(), waking.taken), (told, 50_004));
    }
}

#[test]
fn every_row_that_a_query_gives_is_read_exactly_once_in_its_order() {
    let (dir, _connection) = database(
        "CREATE TABLE account (\"Identity\" TEXT, team INTEGER); CREATE TABLE teams (id INTEGER, name TEXT);
         INSERT INTO account VALUES ('ann', 1), ('bea', 2), ('cem', 1), ('dee', 3), ('bea', 3);
         INSERT INTO teams VALUES (1, 'red'), (2, 'red'), (2, 'blue'), (4, 'red');",
    );
    for (query, expected) in [
        ("select * from (select identity from account)", "ann bea cem dee bea"),
        ("select identity from account where team <> 3;", "ann bea cem"),
        ("select account.identity from account order by 1 desc ; -- the last first", "dee cem bea bea ann"),
        ("select identity from account -- everybody", "ann bea cem dee bea"),
        ("select distinct identity from account order by identity", "ann bea cem dee"),
        ("select identity from account order by identity desc limit 2 offset 1", "cem bea"),
        ("select identity from account group by identity having count(*) > 1", "bea"),
        ("select 'x' as [Identity] union all select identity from account where team = 1", "x ann cem"),
        ("select identity from account union select 'ann' order by 1", "ann bea cem dee"),
        (
            "with red as (select id from teams where name = 'red') \
             select identity from account, red where id = team order by 1",
            "ann bea cem",
        ),
        (
            "select identity from account join teams on id = team where name = 'red' order by name, identity",
            "ann bea cem",
        ),
        (
            "select identity from account left join teams on id = team order by identity, name",
            "ann bea bea bea cem dee",
        ),
        ("select identity from account where team in (select id from teams) and 'b' < identity", "bea cem"),
        ("select max(identity) as identity from account", "dee"),
        ("select identity from account where 0", ""),
    ] {
        let accounts = read(dir.path(), query).unwrap_or_else(|error| panic!("{query}: {error}"));
        let names: Vec<&str> = accounts.iter().filter_map(|account| account.split(' ').next()).collect();
        assert_eq!(names.join(" "), expected, "{query}");
    }
}

#[test]
fn more_accounts_than_are_sent_at_once_arrive_whole() {
    let longest = 1024;
    for (number, length) in [(4_096, 6), (4_097, 6), (10_000, 6), (700, longest)] {
        let (dir, _connection) = database(&format!(
            "CREATE TABLE users (mail TEXT);
             WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {number})
             INSERT INTO users SELECT printf('%0{length}d', i) FROM n"
        ));
        let accounts = read(dir.path(), "select mail as identity from users").expect("the accounts");
        let expected: Vec<String> = (1..=number).map(|i| format!("{i:0length$} al- unknown")).collect();
        assert!(accounts == expected, "{number} identities of {length} bytes");
    }
}

#[test]
fn a_row_that_cannot_be_understood_is_named_by_its_number_behind_thousands() {
    let (dir, connection) = database(&format!(
        "{USERS} WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9000)
         INSERT INTO users SELECT 'person' || i, 1, 1, NULL, 0 FROM n"
    ));
    connection.execute_batch("UPDATE users SET on_ = 7 WHERE rowid = 5000").expect("a bad row");
    let (code, text) = refusal(dir.path(), "select mail as identity, on_ as active from users");
    assert_eq!(code, "source-value");
    assert!(text.starts_with("row 5000: `active` must be a boolean"), "{text}");
}

#[test]
fn texts_of_a_database_in_utf_16_are_read() {
    let (dir, _connection) = database(&format!("PRAGMA encoding = 'UTF-16le'; {USERS}"));
    let accounts = read(dir.path(), "select mail as identity, seen as last_seen from users").expect("the accounts");
    assert_eq!(accounts[..2], ["ann@example.org al- 2026-03-01", "Zoë  al- 2026-03-01"]);
}

#[test]
fn what_takes_the_rows_can_be_called_by_no_query() {
    let (dir, _connection) =
        database(&format!("{USERS} CREATE VIEW taken AS SELECT seatline_take(mail) AS mail FROM users"));
    for query in ["select seatline_take(mail) as identity from users", "select mail as identity from taken"] {
        let (code, text) = refusal(dir.path(), query);
        assert_eq!(code, "source-query");
        assert!(text.ends_with("no such function: seatline_take"), "{text}");
    }
}

#[test]
fn a_query_without_end_is_stopped_at_the_time_limit() {
    let (dir, _connection) = database(USERS);
    let endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) as identity from n";
    let text = format!("[accounts]\ndatabase = 'wiki.db'\ntime_limit = 1\nquery = '{endless}'\n");
    let config = config(dir.path(), &text);
    let error = accounts::read(config.accounts.as_ref().expect("accounts"), &mut Kept::default());
    assert_eq!(error.expect_err("no end").to_string(), "reading took longer than the time limit of 1 s");
}

#[test]
fn a_dimension_is_one_number_and_fails_on_its_own() {
    let (dir, _connection) = database(USERS);
    let dimension =
        |name, query| format!("[[dimension]]\nname = '{name}'\ndatabase = 'wiki.db'\nquery = \"{query}\"\n");
    let text = [
        dimension("pages", "select count(*) from users"),
        dimension("none", "select 1 where 0"),
        dimension("two", "select 1 union all select 2"),
        dimension("negative", "select -1"),
        dimension("wide", "select 1, 2"),
        dimension("wrong", "select x"),
    ]
    .concat();
    let measured = ConfiguredProduct::new(config(dir.path(), &text)).measure();
    let lines: Vec<String> = measured
        .into_iter()
        .map(|(name, result)| match result {
            Ok(number) => format!("{name} = {number}"),
            Err(error) => format!("{name}: {error}"),
        })
        .collect();
    assert_eq!(
        lines,
        [
            "pages = 4",
            "none: [source-not-a-number] the query must give one row with one whole number, not negative",
            "two: [source-not-a-number] the query must give one row with one whole number, not negative",
            "negative: [source-not-a-number] the query must give one row with one whole number, not negative",
            "wide: [source-not-a-number] the query must give one row with one whole number, not negative",
            "wrong: [source-query] the query is not accepted: no such column: x",
        ]
    );
}

#[test]
fn whoever_takes_the_accounts_can_stop_it_with_his_own_reason() {
    struct Full;
    impl AccountSink for Full {
        fn push(&mut self, _: Account<'_>) -> Result<(), PortError> {
            Err(PortError::new("the run has ended"))
        }
    }
    let (dir, _connection) = database(USERS);
    let text = "[accounts]\ndatabase = 'wiki.db'\nquery = 'select mail as identity from users'\n";
    let error = ConfiguredProduct::new(config(dir.path(), text)).accounts(&mut Full).expect_err("stopped");
    assert_eq!(error.to_string(), "the run has ended");
}
