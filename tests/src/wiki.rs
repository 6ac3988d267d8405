//! A product: a wiki with its accounts in a SQLite database.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, params};

/// The database of a wiki.
#[derive(Debug)]
pub struct Wiki {
    path: PathBuf,
}

impl Wiki {
    /// What reads its accounts.
    pub const QUERY: &str = "select mail as identity, active, access as licensed_access, seen as last_seen, \
                             bot as service_account from users";

    /// A new wiki in `dir`: 60 people who use it, 3 of them never signed in; 10 deactivated; 5 without access; 2 bots.
    pub fn new(dir: &Path) -> Self {
        let wiki = Self::in_directory(dir);
        let db = wiki.open();
        db.execute_batch(
            "create table users (mail text, active integer, access integer, seen text, bot integer);
             create table pages (title text);
             insert into pages values ('Home'), ('News'), ('Help');",
        )
        .expect("a new database");
        for n in 0..77 {
            let seen = (!(57..60).contains(&n)).then_some("2026-11-20T08:00:00Z");
            let (active, access, bot) = (!(60..70).contains(&n), !(70..75).contains(&n), n >= 75);
            let mail = format!("person{n}@example.org");
            db.execute("insert into users values (?1, ?2, ?3, ?4, ?5)", params![mail, active, access, seen, bot])
                .expect("an account");
        }
        wiki
    }

    /// The wiki whose database lies in `dir`.
    pub(crate) fn in_directory(dir: &Path) -> Self {
        Self { path: dir.join("wiki.db") }
    }

    /// The same wiki, for another of its nodes.
    pub(crate) fn again(&self) -> Self {
        Self { path: self.path.clone() }
    }

    /// The database file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A connection that may write, as the product itself has.
    pub fn open(&self) -> Connection {
        Connection::open(&self.path).expect("the wiki's database")
    }

    /// More people who use it.
    pub fn hire(&self, people: usize) {
        let db = self.open();
        for n in 0..people {
            let mail = format!("new{n}-{people}@example.org");
            db.execute("insert into users values (?1, 1, 1, '2026-11-21', 0)", params![mail]).expect("an account");
        }
    }
}
