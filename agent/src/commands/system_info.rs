//! `seatline system-info` (`s1`)

use jiff::Timestamp;

use super::Context;
use crate::failure::Failure;
use crate::instance::Instance;
use crate::output::{ATTENTION, BAD, Page, count, styled, time};
use crate::system_info::SystemInfo;

/// Show what a vendor asks for: server ID, versions, state, clock, link, plugin and the last runs
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  seatline system-info --json")]
pub struct Options {}

pub fn run(context: &Context) -> Result<(), Failure> {
    let instance = Instance::open_as_it_is(&context.dir()?)?;
    let info = SystemInfo::of(&instance.host, Timestamp::now());
    context.output.show(&info, |page| write(page, &info))
}

fn write(page: &mut Page, info: &SystemInfo) {
    page.fact("Server ID", &info.server_id);
    if let Some(product) = &info.product {
        let edition = product.edition.as_deref().map(|edition| format!(", {edition}")).unwrap_or_default();
        page.fact("Product", format_args!("{} {}{edition} ({})", product.name, product.version, product.id));
        let nodes: Vec<&str> = product.nodes.iter().map(|node| node.id.as_str()).collect();
        page.fact("Nodes", nodes.join(", "));
    }
    page.fact("Licenses", info.verdict.map_or("not known", |verdict| verdict.name()));
    let versions = info.versions;
    page.fact("Seatline", versions.seatline);
    page.fact("Contract", versions.contract);
    page.fact("wasmtime", versions.wasmtime);
    page.fact("State", info.state_store);
    match info.clock.behind_seconds {
        Some(behind) => page.fact("Clock", styled(BAD, format_args!("set back by {behind} s"))),
        None => page.fact("Clock", time(info.clock.now)),
    }
    match &info.link {
        Some(link) => {
            page.fact("Link", format_args!("{} ({}, {})", link.central_url, link.central_name, link.state.name()));
        }
        None => page.fact("Link", "none"),
    }
    match &info.plugin {
        Some(plugin) => page.fact("Plugin", format_args!("{} {}, {}", plugin.name, plugin.version, plugin.digest)),
        None => page.fact("Plugin", styled(ATTENTION, "none")),
    }
    for problem in &info.unread {
        page.fact("Problem", styled(BAD, format_args!("{} [{}]", problem.message, problem.code)));
    }
    if info.runs.is_empty() {
        return;
    }
    page.gap();
    let rows: Vec<Vec<String>> = info
        .runs
        .iter()
        .map(|run| {
            let accounts = run.accounts.map_or("-".to_owned(), count);
            let result = run.problem.as_ref().map_or("collected".to_owned(), |problem| problem.code.clone());
            vec![time(run.at), run.trigger.clone(), format!("{} ms", run.took_ms), accounts, result]
        })
        .collect();
    page.table(&["RUN", "TRIGGER", "TOOK", "ACCOUNTS", "RESULT"], &rows);
}
