//! `migrate`, `backup` and `restore`.

use std::path::{Path, PathBuf};

use clap::Args;
use seatline_ui::format::number;
use serde_json::json;

use super::database::DatabaseOptions;
use super::output::table;
use super::place::Place;
use super::{Failure, Output};
use crate::store::Stored;
use crate::store::sql::transfer::{Content, Database, backup, restore, transfer};

/// Carry all data from one database to another, which must be new
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  seatline-central migrate --from sqlite:/var/lib/seatline-central/central.db \
                        --to @/etc/seatline-central/database\n\n\
                        Stop the server first: what it takes meanwhile stays where it is.")]
pub(super) struct Migrate {
    /// Where the data are: sqlite:PATH, postgres://USER@HOST/NAME, or @FILE that holds either
    #[arg(long, value_name = "URL")]
    from: String,
    /// Where they go: the same
    #[arg(long, value_name = "URL")]
    to: String,
}

impl Migrate {
    pub(super) async fn run(self, options: &DatabaseOptions, output: Output) -> Result<(), Failure> {
        let (from, to) = (options.named(&self.from)?, options.named(&self.to)?);
        if let Database::Sqlite(path) = &from {
            must_be_there(path)?;
        }
        let contents = apart(move || transfer(&from, &to)).await?;
        show(&contents, "Carried", output)
    }
}

/// Write all data into a new file; the server may run meanwhile. The keys are not in it
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  seatline-central backup /backup/central-2026-11-22.db")]
pub(super) struct Backup {
    /// The file, which is a database of SQLite
    file: PathBuf,
}

impl Backup {
    pub(super) async fn run(self, place: &Place, output: Output) -> Result<(), Failure> {
        let from = place.named().clone();
        let contents = apart(move || backup(&from, &self.file)).await?;
        show(&contents, "Backed up", output)
    }
}

/// Read a backup into a database, which must be new
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  seatline-central restore /backup/central-2026-11-22.db --dir /var/lib/seatline-central"
)]
pub(super) struct Restore {
    /// The file that `backup` wrote
    file: PathBuf,
}

impl Restore {
    pub(super) async fn run(self, place: &Place, output: Output) -> Result<(), Failure> {
        must_be_there(&self.file)?;
        let to = place.named().clone();
        let contents = apart(move || restore(&self.file, &to)).await?;
        show(&contents, "Restored", output)
    }
}

fn must_be_there(path: &Path) -> Result<(), Failure> {
    let failed = |reason: String| Failure::new("no-data", format!("{}: {reason}", path.display()));
    std::fs::metadata(path).map_err(|error| failed(error.to_string())).map(drop)
}

/// Runs what blocks, and needs no runtime around it.
async fn apart<T: Send + 'static>(work: impl FnOnce() -> Stored<T> + Send + 'static) -> Result<T, Failure> {
    let done = tokio::task::spawn_blocking(work).await;
    Ok(done.map_err(|error| Failure::new("stopped", error.to_string()))??)
}

fn show(contents: &[Content], done: &str, output: Output) -> Result<(), Failure> {
    output.show(&json!({ "tables": contents }), || {
        let row = |content: &Content| vec![content.table.clone(), number(content.rows), content.digest.clone()];
        let rows: u64 = contents.iter().map(|content| content.rows).sum();
        let listed = table(&["TABLE", "ROWS", "SHA-256"], &contents.iter().map(row).collect::<Vec<_>>());
        format!("{listed}{done} {} rows; both sides hold the same.\n", number(rows))
    })
}
