//! Data carried from one database to another, of either kind: a move, a backup, a restoration.
//!
//! Everything is carried in one transaction, row by row in the order of the keys, so that it takes little memory, is
//! there as a whole or not at all, and sees the source as it was at one moment. Before the commit, the target is read
//! back, and must hold the same. Which tables there are, the migrations of this version say: nobody lists them.
//!
//! A backup is a file of SQLite, whatever the database: the same tables, and a table `manifest` with the number of rows
//! and the digest of each. It can be served as it is.

mod end;
mod table;

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::private_file;
use crate::store::{StoreError, Stored};
pub use end::Database;
use end::End;
pub use table::Content;
use table::{Table, tables};

/// Carries all data from one database to another, which must be new. It blocks.
///
/// # Errors
/// [`StoreError::Conflict`] where the target holds data; where either cannot be used, or the target does not hold what
/// the source gave. Then nothing is carried.
pub fn transfer(from: &Database, to: &Database) -> Stored<Vec<Content>> {
    from.brought_up_to_date()?;
    to.brought_up_to_date()?;
    carry(&from.end()?, &to.end()?)
}

/// Writes all data into a new file. It blocks; the server may run meanwhile.
///
/// # Errors
/// [`StoreError::Conflict`] where the file is there; as [`transfer`]. Then there is no file.
pub fn backup(from: &Database, file: &Path) -> Stored<Vec<Content>> {
    if file.exists() {
        return Err(StoreError::Conflict("a file of this name"));
    }
    from.brought_up_to_date()?;
    let draft = Draft::beside(file)?;
    let contents = write_backup(from, &draft.0)?;
    // Two names for a moment: whoever was faster with the same one is not overwritten.
    let named = fs::hard_link(&draft.0, file).and_then(|()| private_file::sync_directory(file));
    named.map_err(|error| unusable(file, &error))?;
    Ok(contents)
}

fn write_backup(from: &Database, draft: &Path) -> Stored<Vec<Content>> {
    let to = Database::Sqlite(draft.to_owned());
    to.brought_up_to_date()?;
    let contents = carry(&from.end()?, &to.end()?)?;
    let file = Connection::open(draft)?;
    file.execute_batch(
        "CREATE TABLE manifest (name TEXT PRIMARY KEY NOT NULL, rows BIGINT NOT NULL, digest TEXT NOT NULL)",
    )?;
    for content in &contents {
        file.execute(
            "INSERT INTO manifest (name, rows, digest) VALUES (?1, ?2, ?3)",
            (&content.table, content.rows, &content.digest),
        )?;
    }
    // One file, without a journal beside it, and on the disk.
    file.pragma_update(None, "journal_mode", "DELETE")?;
    drop(file);
    fs::File::open(draft).and_then(|file| file.sync_all()).map_err(|error| unusable(draft, &error))?;
    Ok(contents)
}

/// Reads a backup into a database, which must be new. It blocks.
///
/// # Errors
/// [`StoreError::Corrupt`] where the file is no backup, or not what it was; as [`transfer`]. Then nothing is restored.
pub fn restore(file: &Path, to: &Database) -> Stored<Vec<Content>> {
    check_backup(file)?;
    // A backup is never changed: it is brought up to date in a copy, beside the target where that is a file.
    let copy = Draft::beside(match to {
        Database::Sqlite(path) => path,
        Database::Postgres(_) => file,
    })?;
    fs::copy(file, &copy.0).map_err(|error| unusable(&copy.0, &error))?;
    transfer(&Database::Sqlite(copy.0.clone()), to)
}

/// Whether a file is a backup, and holds what its manifest says.
fn check_backup(file: &Path) -> Stored<()> {
    let damaged = |reason: String| StoreError::Corrupt { what: "a backup", reason };
    let backup = Connection::open_with_flags(file, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY)
        .map_err(|error| unusable(file, &error))?;
    let mut query = backup
        .prepare("SELECT name, rows, digest FROM manifest ORDER BY name")
        .map_err(|error| damaged(format!("{}: it has no manifest: {error}", file.display())))?;
    let content = |row: &rusqlite::Row<'_>| Ok(Content { table: row.get(0)?, rows: row.get(1)?, digest: row.get(2)? });
    let said = query.query_map([], content)?.collect::<rusqlite::Result<Vec<_>>>()?;
    let tables = tables(&backup)?;
    if tables.len() != said.len() {
        return Err(damaged(format!("{} does not hold the tables of its manifest", file.display())));
    }
    for (table, said) in tables.iter().zip(said) {
        if table.content(&backup)? != said {
            let table = &table.name;
            return Err(damaged(format!("{}: the table {table} is not what it was at the backup", file.display())));
        }
    }
    Ok(())
}

/// A file of SQLite that goes when it is dropped, with what belongs to it.
struct Draft(PathBuf);

impl Draft {
    fn beside(file: &Path) -> Stored<Self> {
        private_file::draft(file, &[]).map(Self).map_err(|error| unusable(file, &error))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        for suffix in ["", "-wal", "-shm", "-journal"] {
            let mut name = self.0.clone().into_os_string();
            name.push(suffix);
            let _ = fs::remove_file(name);
        }
    }
}

fn carry(from: &End, to: &End) -> Stored<Vec<Content>> {
    let new = end::new_file()?;
    let tables = tables(&new)?;
    from.begin_reading()?;
    to.begin_writing()?;
    for table in &tables {
        refuse_data(table, &new, to)?;
    }
    let mut contents = Vec::new();
    for table in &tables {
        let carried = table.carry(from.session(), to.session())?;
        let held = table.content(to.session())?;
        if held != carried {
            let reason = format!("{} has {} rows there, of {}, or others", table.name, held.rows, carried.rows);
            return Err(StoreError::Corrupt { what: "a copy", reason });
        }
        tracing::info!(table = table.name, rows = carried.rows, "carried");
        contents.push(carried);
    }
    to.commit()?;
    Ok(contents)
}

/// Refuses a target whose table holds anything that the migrations have not put there.
fn refuse_data(table: &Table, new: &Connection, to: &End) -> Stored<()> {
    if table.is_empty(to.session())? || table.content(to.session())? == table.content(new)? {
        return Ok(());
    }
    Err(StoreError::Conflict("something in the target: name a database that is new"))
}

fn unusable(path: &Path, error: &dyn std::fmt::Display) -> StoreError {
    StoreError::Unavailable(format!("{}: {error}", path.display()).into())
}
