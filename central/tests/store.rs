//! The stories of every store, on each kind of database.

mod sqlite {
    use seatline_central::store::sql::{DATABASE_FILE, SqlStore};
    use seatline_central::store_conformance;
    use tempfile::TempDir;

    async fn fresh() -> (SqlStore, TempDir) {
        let dir = tempfile::tempdir().expect("a directory");
        (SqlStore::sqlite(&dir.path().join(DATABASE_FILE)).expect("a new store"), dir)
    }

    store_conformance!(fresh);
}

mod postgres {
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU32, Ordering};

    use seatline_central::store::sql::{PostgresAddress, SqlStore};
    use seatline_central::store_conformance;
    use seatline_tests::postgres::Postgres;
    use tokio::sync::{Semaphore, SemaphorePermit};

    static SERVER: LazyLock<Postgres> = LazyLock::new(|| Postgres::start_with(&["max_connections=100"]));
    /// How many stories run at once: each takes a few of the server's connections.
    static TURNS: Semaphore = Semaphore::const_new(8);

    /// A store in a database of its own.
    async fn fresh() -> (SqlStore, SemaphorePermit<'static>) {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let turn = TURNS.acquire().await.expect("a turn");
        let name = format!("central_{}", MADE.fetch_add(1, Ordering::Relaxed));
        let address = tokio::task::spawn_blocking(move || {
            // Not the order of bytes, which the store must have by itself.
            SERVER.execute(&format!(
                "CREATE DATABASE {name} TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en' LOCALE 'C'"
            ));
            SERVER.address("owner", &name)
        });
        let address = PostgresAddress::parse(&address.await.expect("a database")).expect("an address");
        (SqlStore::postgres(address).await.expect("a new store"), turn)
    }

    store_conformance!(fresh);
}

/// What the migrations of a database are called, in their order.
fn migrations(database: &str) -> Vec<String> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store/sql/migrations").join(database);
    let files = std::fs::read_dir(folder).expect("the folder").map(|file| file.expect("a file").file_name());
    let mut names: Vec<String> = files.map(|name| name.into_string().expect("text")).collect();
    names.sort_by_key(|name| number(name));
    names
}

fn number(name: &str) -> usize {
    name.strip_prefix('V').and_then(|rest| rest.split_once("__")).expect("V1__name.sql").0.parse().expect("a number")
}

#[test]
fn both_databases_have_the_same_migrations_each_with_a_number_of_its_own() {
    let names = migrations("sqlite");
    assert_eq!(names, migrations("postgres"));
    let numbers: Vec<usize> = names.iter().map(|name| number(name)).collect();
    assert_eq!(numbers, (1..=names.len()).collect::<Vec<_>>(), "{names:?}");
}
