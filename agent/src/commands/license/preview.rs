//! `seatline license preview` (`b3`, `c9`)

use std::collections::BTreeSet;

use jiff::Timestamp;
use seatline_host::LicensePreview;
use seatline_protocol::standing::{DateChange, Ends, LimitChange, LimitStanding, Standing, WarningCode};

use super::Context;
use crate::failure::Failure;
use crate::files::read_pasted;
use crate::instance::Instance;
use crate::output::{ATTENTION, BAD, GOOD, Page, count, styled, time};
use crate::standing_page;

/// Show what a license key would change if it were set; nothing is changed
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  seatline license preview @license.key
  seatline license preview @license.key --node node-2 --json

It shows the limits against the present and the highest counts, the features that come and go, the dates,
and what would happen. A key that would be refused is shown with the reason.")]
pub struct Options {
    /// The key, @FILE, or - for standard input
    #[arg(allow_hyphen_values = true)]
    key: String,
    /// As if it were set for this node of a cluster alone, or for this one too
    #[arg(long)]
    node: Option<String>,
}

pub fn run(context: &Context, options: &Options) -> Result<(), Failure> {
    let pasted = read_pasted(&options.key)?;
    let instance = Instance::open_as_it_is(&context.dir()?)?;
    let preview = instance.host.preview_license_for(&pasted, options.node.as_deref())?;
    let now = instance.host.now()?;
    context.output.show(&preview, |page| write(page, &preview, now))
}

fn write(page: &mut Page, preview: &LicensePreview, now: Timestamp) {
    let effect = &preview.effect;
    let next = effect.then.as_ref().unwrap_or(&effect.after);
    page.fact("License", &preview.license.id);
    match (&preview.refused, preview.was_set) {
        (Some(refused), _) => page.fact("Here", styled(BAD, format_args!("it would be refused: {}", refused.message))),
        (None, true) => page.fact("Here", "it is set already"),
        (None, false) => page.fact("Here", "it can be set"),
    }
    match effect.takes_effect_at {
        Some(at) => page.fact("Takes effect", time(at)),
        None => page.fact("Takes effect", if effect.in_force { "at once" } else { "not at all" }),
    }
    page.fact("Standing", format_args!("{} -> {}", effect.before.verdict.name(), next.verdict.name()));
    for reason in &effect.new_reasons {
        page.fact("", &reason.message);
    }
    for warning in &effect.warnings {
        let grave = matches!(warning.code, WarningCode::NoEffect | WarningCode::BelowCount);
        page.fact("Warning", styled(if grave { BAD } else { ATTENTION }, &warning.message));
    }
    limits(page, &effect.limits);
    page.gap();
    features(page, &effect.features_gained, &effect.features_lost);
    effect.dates.iter().for_each(|change| date(page, change));
    nodes(page, next);
    if let Some(license) = next.licenses.iter().find(|license| license.id == preview.license.id) {
        standing_page::license(page, license, now);
    }
}

fn limits(page: &mut Page, limits: &[LimitChange]) {
    if limits.is_empty() {
        return;
    }
    page.gap();
    let max = |limit: &Option<LimitStanding>| limit.as_ref().map_or("-".to_owned(), standing_page::max);
    let row = |change: &LimitChange| {
        let what = match &change.add_on {
            Some(add_on) => format!("{add_on} {}", change.dimension),
            None => change.dimension.to_string(),
        };
        let used = change.after.as_ref().or(change.before.as_ref()).and_then(|limit| limit.used);
        let peak = change.peak.map_or("-".to_owned(), |peak| count(peak.count));
        let state = change.after.as_ref().map_or("no limit", |limit| standing_page::state(limit.state));
        let used = used.map_or("-".to_owned(), count);
        vec![what, max(&change.before), max(&change.after), used, peak, state.to_owned()]
    };
    let rows: Vec<Vec<String>> = limits.iter().map(row).collect();
    page.table(&["LIMIT", "NOW", "THEN", "USED", "HIGHEST", "STATE"], &rows);
}

fn features(page: &mut Page, gained: &BTreeSet<String>, lost: &BTreeSet<String>) {
    let list = |features: &BTreeSet<String>| features.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    if !gained.is_empty() {
        page.fact("Gained", styled(GOOD, list(gained)));
    }
    if !lost.is_empty() {
        page.fact("Lost", styled(BAD, list(lost)));
    }
}

fn date(page: &mut Page, change: &DateChange) {
    let name = match change.ends {
        Ends::License => "Expires",
        Ends::Maintenance => "Maintenance",
    };
    match (change.before, change.after) {
        (before, after) if before == after => {}
        // Without an end before, there was no license, or one for good.
        (None, Some(after)) => page.fact(name, time(after)),
        (before, after) => {
            let end = |at: Option<Timestamp>| at.map_or("never".to_owned(), time);
            page.fact(name, format_args!("{} -> {}", end(before), end(after)));
        }
    }
}

fn nodes(page: &mut Page, next: &Standing) {
    if next.nodes.iter().any(|node| node.license.is_none()) {
        standing_page::nodes(page, next);
    }
}
