//! `seatline license show` and `seatline license history`

use std::collections::BTreeSet;

use jiff::Timestamp;
use seatline_host::licenses::InstalledLicense;
use seatline_protocol::standing::Status;
use seatline_protocol::{Digest, License, ServerId, Standing};
use serde::Serialize;

use super::Context;
use crate::failure::Failure;
use crate::output::{Page, time};
use crate::standing_page;

/// Show what the licenses come to, and every key that was set
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  seatline license show --json")]
pub struct Options {}

/// Show every key that was ever set, and what it comes to today
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  seatline license history --json")]
pub struct HistoryOptions {}

#[derive(Serialize)]
struct Shown<'a> {
    server_id: &'a ServerId,
    standing: &'a Standing,
    keys: Vec<Key>,
}

#[derive(Serialize)]
struct History {
    keys: Vec<Key>,
}

/// A key that was set.
#[derive(Serialize)]
struct Key {
    digest: Digest,
    set_at: Timestamp,
    /// For all nodes where empty.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    nodes: BTreeSet<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    license: Option<License>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Status>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Problem>,
}

#[derive(Serialize)]
struct Problem {
    code: &'static str,
    message: String,
}

impl Key {
    fn of(installed: InstalledLicense, standing: &Standing) -> Self {
        let (license, problem) = match installed.license {
            Ok(license) => (Some(license), None),
            Err(error) => (None, Some(Problem { code: error.code(), message: error.to_string() })),
        };
        let listed =
            license.as_ref().and_then(|license| standing.licenses.iter().find(|listed| listed.id == license.id));
        let status = listed.map(|listed| listed.status);
        Self { digest: installed.digest, set_at: installed.set_at, nodes: installed.nodes, license, status, problem }
    }
}

pub fn run(context: &Context) -> Result<(), Failure> {
    let instance = context.instance()?;
    let standing = instance.host.standing()?;
    let keys = instance.host.licenses()?.into_iter().map(|key| Key::of(key, &standing)).collect();
    let shown = Shown { server_id: &instance.host.server_id(), standing: &standing, keys };
    let now = instance.host.now()?;
    context.output.show(&shown, |page| {
        page.fact("Server ID", shown.server_id);
        standing_page::verdict(page, &standing);
        standing_page::limits(page, &standing);
        standing_page::nodes(page, &standing);
        for license in &standing.licenses {
            standing_page::license(page, license, now);
        }
        if !shown.keys.is_empty() {
            page.gap();
            table(page, &shown.keys);
        }
    })
}

pub fn history(context: &Context) -> Result<(), Failure> {
    let instance = context.instance()?;
    let standing = instance.host.standing()?;
    let keys = instance.host.licenses()?.into_iter().map(|key| Key::of(key, &standing)).collect();
    let history = History { keys };
    context.output.show(&history, |page| match history.keys.is_empty() {
        true => page.line("No license key was ever set (`seatline license set`)."),
        false => table(page, &history.keys),
    })
}

/// Every key in the order in which they were set (`c10`).
fn table(page: &mut Page, keys: &[Key]) {
    let row = |key: &Key| {
        let license = match (&key.license, &key.problem) {
            (Some(license), _) => license.id.to_string(),
            (None, Some(problem)) => problem.message.clone(),
            (None, None) => String::new(),
        };
        let nodes = if key.nodes.is_empty() { "all".to_owned() } else { Vec::from_iter(key.nodes.clone()).join(", ") };
        let status = key.status.map_or(String::new(), |status| status.name().to_owned());
        vec![time(key.set_at), license, status, nodes, key.digest.hex()[..12].to_owned()]
    };
    let rows: Vec<Vec<String>> = keys.iter().map(row).collect();
    page.table(&["SET", "LICENSE", "STATUS", "NODES", "KEY"], &rows);
}
