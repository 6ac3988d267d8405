//! Data are carried from one database to another as they are, or not at all; a backup is restored as it was.

mod support;

use std::fs;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use rusqlite::Connection;
use seatline_tests::postgres::Postgres;
use serde_json::Value;
use support::{Central, Product};

static SERVER: LazyLock<Postgres> = LazyLock::new(|| Postgres::start_with(&["max_connections=100"]));

/// The address of a new database.
fn database() -> String {
    static MADE: AtomicU32 = AtomicU32::new(0);
    let name = format!("central_{}", MADE.fetch_add(1, Ordering::Relaxed));
    SERVER
        .execute(&format!("CREATE DATABASE {name} TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en' LOCALE 'C'"));
    SERVER.address("owner", &name)
}

/// A server with something in most of its tables, and a product that has reported more than is carried at once.
fn busy() -> (Central, Product) {
    let central = Central::started();
    let mut product = central.linked("Bücher & 'Wiki'; DROP TABLE links; --", 1);
    let reports: Vec<String> = (1..=450).map(|users| product.report(users)).collect();
    for chunk in reports.chunks(50) {
        let response = product.send(&central, chunk);
        assert_eq!(product.take(&response), []);
    }
    let mut forked = product.clone();
    forked.sealed.truncate(10);
    let fork = forked.report(7);
    assert_eq!(product.refused(&central, &[fork]), ["fork"]);
    central.invite(None);
    (central, product)
}

/// The address of the file that a server keeps its data in.
fn on_file(central: &Central) -> String {
    format!("sqlite:{}", central.file("central.db").display())
}

fn counts(carried: &Value, table: &str) -> u64 {
    let tables = carried["tables"].as_array().expect("tables");
    tables.iter().find(|found| found["table"] == table).expect("the table")["rows"].as_u64().expect("a number")
}

#[test]
fn data_move_to_postgresql_and_back_and_the_products_go_on() {
    let (mut central, mut product) = busy();
    central.end();
    let link = product.link.clone().expect("linked");
    let to = database();
    let carried = central.json(&["migrate", "--from", &on_file(&central), "--to", &to]);
    assert_eq!((counts(&carried, "reports"), counts(&carried, "refused_reports")), (450, 1));
    // Before any server writes to it: a running one reviews applications.
    let untouched = Central::idle();
    let returned = untouched.json(&["migrate", "--from", &to, "--to", &on_file(&untouched)]);
    assert_eq!(returned["tables"], carried["tables"], "to the byte");

    let mut moved = Central::idle_on(&to);
    central.copy_keys(&moved);
    moved.take_token_of(&central);
    moved.start();
    let next = product.report(500);
    let response = product.send(&moved, &[next]);
    assert_eq!(product.take(&response), []);
    let again = product.send(&moved, &product.sealed[449..450]);
    assert_eq!(again.refusals, [], "what was receipted before the move is receipted again");
    let chain = &moved.api(&format!("/api/v1/links/{link}"))["chain"];
    assert_eq!((chain["stored"].as_u64(), chain["forks"].as_u64()), (Some(451), Some(1)));
    moved.end();

    let back = Central::idle();
    let returned = back.json(&["migrate", "--from", &to, "--to", &on_file(&back)]);
    assert_eq!(counts(&returned, "reports"), 451);
    central.copy_keys(&back);
    assert_eq!(back.json(&["application", "list"])[0]["name"], "Bücher & 'Wiki'; DROP TABLE links; --");
}

#[test]
fn a_target_that_holds_data_is_left_as_it_is() {
    let (central, other) = (Central::idle(), Central::idle());
    central.application("Company wiki");
    other.application("Other wiki");
    assert_eq!(central.failure(&["migrate", "--from", &on_file(&central), "--to", &on_file(&other)]), "conflict");
    assert_eq!(other.json(&["application", "list"])[0]["name"], "Other wiki");
    let to = database();
    central.json(&["migrate", "--from", &on_file(&central), "--to", &to]);
    assert_eq!(central.failure(&["migrate", "--from", &on_file(&central), "--to", &to]), "conflict", "not twice");
    let missing = central.file("missing.db");
    let from = format!("sqlite:{}", missing.display());
    assert_eq!(central.failure(&["migrate", "--from", &from, "--to", &database()]), "no-data");
    assert!(!missing.exists());
}

#[test]
fn what_cannot_be_carried_whole_is_not_carried_at_all() {
    let (mut central, _) = busy();
    central.end();
    // A row that no version of ours writes: the last table in the alphabet has been reached when it is.
    let file = Connection::open(central.file("central.db")).expect("the file");
    file.execute("UPDATE statements SET received_at = received_at", []).expect("changed");
    file.execute("INSERT INTO statements VALUES ('l', 'd', 'soon', 1, '{}', 's')", []).expect("a row");
    drop(file);
    let to = database();
    assert_eq!(central.failure(&["migrate", "--from", &on_file(&central), "--to", &to]), "store-corrupt");
    let new = Central::idle_on(&to);
    assert_eq!(new.json(&["application", "list"]), serde_json::json!([]), "nothing of it is there");
}

#[test]
fn a_backup_is_made_while_the_server_runs_and_restored_as_it_was() {
    let (central, mut product) = busy();
    let backup = central.file("backup.db").display().to_string();
    let written = central.json(&["backup", &backup]);
    assert_eq!(counts(&written, "reports"), 450);
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(&backup).expect("the file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    assert_eq!(central.failure(&["backup", &backup]), "conflict", "no backup is overwritten");
    let later = product.report(7);
    let response = product.send(&central, &[later]);
    assert_eq!(product.take(&response), []);

    for target in [None, Some(database())] {
        let restored = target.map_or_else(Central::idle, |database| Central::idle_on(&database));
        let read = restored.json(&["restore", &backup]);
        assert_eq!(read, written, "to the byte");
        assert_eq!(restored.failure(&["restore", &backup]), "conflict", "never over data");
        assert_eq!(restored.failure(&["application", "list"]), "no-key", "the keys are kept apart from it");
        central.copy_keys(&restored);
        restored.json(&["application", "list"]);
    }
    let left = fs::read_dir(central.dir()).expect("the directory").map(|entry| entry.expect("a file").file_name());
    let left: Vec<_> = left.filter_map(|name| name.into_string().ok()).filter(|name| name.starts_with('.')).collect();
    assert_eq!(left, Vec::<String>::new(), "no draft stays behind");
}

#[test]
fn a_backup_that_was_changed_is_not_restored() {
    let (central, _) = busy();
    let backup = central.file("backup.db");
    central.json(&["backup", &backup.display().to_string()]);
    let restored = Central::idle();
    let changes = [
        "UPDATE reports SET verdict = 'other' WHERE sequence = 7",
        "DELETE FROM reports WHERE sequence = 7",
        "INSERT INTO gaps VALUES ('link', 1, 2)",
        "DROP TABLE gaps",
        "DROP TABLE manifest",
    ];
    for change in changes {
        let changed = central.file("changed.db");
        fs::copy(&backup, &changed).expect("a copy");
        Connection::open(&changed).expect("the file").execute_batch(change).expect("changed");
        assert_eq!(restored.failure(&["restore", &changed.display().to_string()]), "store-corrupt", "{change}");
    }
    fs::write(central.file("changed.db"), "no database at all").expect("written");
    restored.failure(&["restore", &central.file("changed.db").display().to_string()]);
    restored.json(&["restore", &backup.display().to_string()]);
}
