//! `seatline plugin …`

use std::path::{Path, PathBuf};

use seatline_host::plugins::{Consent, Inspection, InstalledPlugin, Roster, inspect, read_component};
use seatline_host::sandbox::{Capability, Grants};
use seatline_protocol::Digest;
use serde::Serialize;
use wasm_encoder::{ComponentNameSection, ComponentSection as _, CustomSection};
use wit_component::ComponentEncoder;

use super::Context;
use crate::confirmation::confirm;
use crate::failure::Failure;
use crate::output::{ATTENTION, Page, count, styled, tell, time};
use crate::progress;

/// Pack, look at, install and roll back the plugin
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    Pack(PackOptions),
    Inspect(InspectOptions),
    Install(InstallOptions),
    Offer(OfferOptions),
    Approve(ApproveOptions),
    Decline(DeclineOptions),
    List(ListOptions),
    Rollback(RollbackOptions),
    Remove(RemoveOptions),
}

/// Make a plugin of a core WebAssembly module: for plugin authors
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  seatline plugin pack target/wasm32-unknown-unknown/release/my_plugin.wasm -o my-plugin.wasm \\
      --name my-plugin --version 1.0.0")]
pub struct PackOptions {
    /// The core module, built against the contract with wit-bindgen
    module: PathBuf,
    /// Where to write the component
    #[arg(short, long, value_name = "OUT")]
    output: PathBuf,
    /// The plugin's name
    #[arg(long)]
    name: Option<String>,
    /// The plugin's version
    #[arg(long)]
    version: Option<String>,
    /// Who publishes it
    #[arg(long)]
    publisher: Option<String>,
}

/// Show what a plugin is and which capabilities it asks for; nothing is installed
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  seatline plugin inspect license-visibility.wasm")]
pub struct InspectOptions {
    /// The component
    file: PathBuf,
}

/// Install a plugin from a file; shows what it asks for, and asks. The one before is kept for a rollback
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  seatline plugin install license-visibility.wasm
  seatline plugin install license-visibility.wasm --yes --grant accounts --grant application-link")]
pub struct InstallOptions {
    /// The component
    file: PathBuf,
    /// Grant this capability, and of those that it asks for no other; can be given several times
    #[arg(long = "grant", value_name = "CAPABILITY")]
    grants: Vec<Capability>,
    /// Confirm without being asked
    #[arg(long)]
    yes: bool,
}

/// Keep a plugin until an administrator approves what it asks for, here or on the page; nothing that runs is changed
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  seatline plugin offer license-visibility.wasm")]
pub struct OfferOptions {
    /// The component
    file: PathBuf,
}

/// Install the plugin that waits, with all that it asks for
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  seatline plugin approve sha256:82c3…")]
pub struct ApproveOptions {
    /// The digest of its component, as `seatline plugin list` shows it
    digest: Digest,
}

/// Throw the plugin away that waits
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  seatline plugin decline sha256:82c3…")]
pub struct DeclineOptions {
    /// The digest of its component, as `seatline plugin list` shows it
    digest: Digest,
}

/// Show the plugin that runs, the one before it, and one that waits for approval
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  seatline plugin list --json")]
pub struct ListOptions {}

/// Run the plugin again that ran before the current one
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  seatline plugin rollback")]
pub struct RollbackOptions {}

/// Remove the plugin and the one before it; from then on nothing is counted
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  seatline plugin remove --yes")]
pub struct RemoveOptions {
    /// Confirm without being asked
    #[arg(long)]
    yes: bool,
}

pub fn run(context: &Context, command: Command) -> Result<(), Failure> {
    match command {
        Command::Pack(options) => pack(context, &options),
        Command::Inspect(options) => {
            let (_, inspection) = inspect_file(&options.file)?;
            context.output.show(&Shown::from(&inspection), |page| write(page, &inspection))
        }
        Command::Install(options) => install(context, &options),
        Command::Offer(options) => offer(context, &options),
        Command::Approve(options) => approve(context, &options),
        Command::Decline(options) => decline(context, &options),
        Command::List(_) => list(context),
        Command::Rollback(_) => rollback(context),
        Command::Remove(options) => remove(context, &options),
    }
}

/// A plugin as its bytes describe it.
#[derive(Serialize)]
struct Shown {
    name: String,
    version: String,
    publisher: Option<String>,
    digest: seatline_protocol::Digest,
    size: usize,
    asks: Vec<&'static str>,
}

impl From<&Inspection> for Shown {
    fn from(inspection: &Inspection) -> Self {
        Self {
            name: inspection.name.clone(),
            version: inspection.version.clone(),
            publisher: inspection.publisher.clone(),
            digest: inspection.digest.clone(),
            size: inspection.size,
            asks: inspection.asks.iter().map(|capability| capability.name()).collect(),
        }
    }
}

fn write(page: &mut Page, inspection: &Inspection) {
    page.fact("Plugin", format_args!("{} {}", inspection.name, inspection.version));
    match &inspection.publisher {
        Some(publisher) => page.fact("Publisher", format_args!("{publisher} (as the file says; it is not signed)")),
        None => page.fact("Publisher", "not named"),
    }
    page.fact("Digest", &inspection.digest);
    page.fact("Size", format_args!("{} bytes", count(inspection.size as u64)));
    match inspection.asks.is_empty() {
        true => page.fact("Asks for", "nothing"),
        false => page.line("Asks for"),
    }
    for capability in &inspection.asks {
        page.line(format_args!("  {:<18}{}", capability.name(), capability.gives()));
    }
}

/// The bytes of a plugin's file, and what they are.
fn inspect_file(path: &Path) -> Result<(Vec<u8>, Inspection), Failure> {
    let bytes = read_component(path)?;
    let inspection =
        inspect(&bytes).map_err(|error| Failure::new(error.code(), format!("{}: {error}", path.display())))?;
    Ok((bytes, inspection))
}

fn install(context: &Context, options: &InstallOptions) -> Result<(), Failure> {
    let (bytes, inspection) = inspect_file(&options.file)?;
    let instance = context.instance()?;
    let plugins = instance.host.plugins();
    let before = plugins.list()?.current;
    tell(preview(&inspection, before.as_ref()));
    let (grants, question) = match options.grants.as_slice() {
        [] => (Grants::all(), "Install it, and grant it what it asks for?".to_owned()),
        some => {
            let names: Vec<&str> = some.iter().map(|capability| capability.name()).collect();
            (some.iter().copied().collect(), format!("Install it, and grant it {} alone?", names.join(", ")))
        }
    };
    confirm(&question, options.yes)?;
    let now = instance.host.now()?;
    let installed = progress::during("compiling and trying the plugin", &instance.accounts_read, || {
        plugins.install(&bytes, &Consent::Granted(grants), now)
    })?;
    show_installed(context, &installed)
}

/// What a person sees before a plugin is installed; of an update, what it asks for beyond what was granted (`b6`).
fn preview(inspection: &Inspection, before: Option<&InstalledPlugin>) -> String {
    let mut page = Page::default();
    write(&mut page, inspection);
    match before {
        None => page.fact("Replaces", "nothing: it is the first"),
        Some(before) => {
            page.fact("Replaces", format_args!("{} {}", before.name, before.version));
            let more: Vec<&str> = before.grants.missing(&inspection.asks).into_iter().map(Capability::name).collect();
            if !more.is_empty() {
                page.fact("Asks more", styled(ATTENTION, more.join(", ")));
            }
        }
    }
    page.gap();
    page.into_text()
}

fn offer(context: &Context, options: &OfferOptions) -> Result<(), Failure> {
    let (bytes, inspection) = inspect_file(&options.file)?;
    let instance = context.instance()?;
    let now = instance.host.now()?;
    let roster = progress::during("compiling and trying the plugin", &instance.accounts_read, || {
        instance.host.plugins().offer(&bytes, now)
    })?;
    context.output.show(&roster, |page| {
        page.line(preview(&inspection, roster.current.as_ref()).trim_end());
        page.line(format_args!("It waits: `seatline plugin approve {}` installs it.", inspection.digest));
    })
}

fn approve(context: &Context, options: &ApproveOptions) -> Result<(), Failure> {
    let instance = context.instance()?;
    let now = instance.host.now()?;
    let installed = progress::during("compiling and trying the plugin", &instance.accounts_read, || {
        instance.host.plugins().approve(&options.digest, now)
    })?;
    show_installed(context, &installed)
}

fn decline(context: &Context, options: &DeclineOptions) -> Result<(), Failure> {
    let declined = context.instance()?.host.plugins().decline(&options.digest)?;
    context.output.show(&declined, |page| {
        page.line(format_args!("{} {} waits no longer.", declined.name, declined.version));
    })
}

fn show_installed(context: &Context, installed: &InstalledPlugin) -> Result<(), Failure> {
    context.output.show(installed, |page| {
        page.line(format_args!("{} {} is installed, and runs from now on.", installed.name, installed.version));
    })
}

fn list(context: &Context) -> Result<(), Failure> {
    let roster = context.instance()?.host.plugins().list()?;
    let Roster { current, previous, waiting } = &roster;
    let named = [("current", current), ("before", previous), ("waits", waiting)];
    let rows = named.into_iter().filter_map(|(place, plugin)| plugin.as_ref().map(|plugin| row(place, plugin)));
    let rows: Vec<Vec<String>> = rows.collect();
    context.output.show(&roster, |page| match rows.is_empty() {
        true => page.line("No plugin is installed: install one with `seatline plugin install`."),
        false => page.table(&["", "NAME", "VERSION", "SINCE", "GRANTED", "DIGEST"], &rows),
    })
}

fn row(place: &str, plugin: &InstalledPlugin) -> Vec<String> {
    let grants: Vec<&str> = plugin.grants.iter().map(Capability::name).collect();
    vec![
        place.to_owned(),
        plugin.name.clone(),
        plugin.version.clone(),
        time(plugin.installed_at),
        grants.join(", "),
        plugin.digest.to_string(),
    ]
}

fn rollback(context: &Context) -> Result<(), Failure> {
    let instance = context.instance()?;
    let current = instance.host.plugins().rollback()?;
    context.output.show(&current, |page| {
        page.line(format_args!("{} {} runs again from now on.", current.name, current.version));
    })
}

#[derive(Serialize)]
struct Removed {
    removed: InstalledPlugin,
}

fn remove(context: &Context, options: &RemoveOptions) -> Result<(), Failure> {
    let instance = context.instance()?;
    let plugins = instance.host.plugins();
    let none = || Failure::new("no-plugin", "no plugin is installed");
    let current = plugins.list()?.current.ok_or_else(none)?;
    confirm(&format!("Remove {} {}? Nothing is counted without it.", current.name, current.version), options.yes)?;
    let removed = Removed { removed: plugins.remove()?.ok_or_else(none)? };
    context.output.show(&removed, |page| page.line(format_args!("{} is removed.", removed.removed.name)))
}

fn pack(context: &Context, options: &PackOptions) -> Result<(), Failure> {
    let module = std::fs::read(&options.module).map_err(|error| Failure::io("read", &options.module, &error))?;
    let component = encode(&module, options).map_err(|reason| {
        Failure::new("plugin-pack", format!("{} cannot be made a plugin: {reason}", options.module.display()))
    })?;
    // What the host would not take is not written either.
    let inspection = inspect(&component).map_err(|error| Failure::of(error.code(), &error))?;
    std::fs::write(&options.output, &component).map_err(|error| Failure::io("write", &options.output, &error))?;
    context.output.show(&Shown::from(&inspection), |page| write(page, &inspection))
}

/// The component of a module, with the metadata that `wasm-metadata` and its tools know.
fn encode(module: &[u8], options: &PackOptions) -> Result<Vec<u8>, String> {
    let mut encoder = ComponentEncoder::default();
    let line = |error: String| seatline_protocol::text::line(&error, 300);
    encoder.module(module).map_err(|error| line(format!("{error:#}")))?.validate(true);
    let mut component = encoder.encode().map_err(|error| line(format!("{error:#}")))?;
    if let Some(name) = &options.name {
        let mut names = ComponentNameSection::new();
        names.component(name);
        names.as_custom().append_to_component(&mut component);
    }
    for (name, text) in [("version", &options.version), ("authors", &options.publisher)] {
        if let Some(text) = text {
            let section = CustomSection { name: name.into(), data: text.as_bytes().into() };
            section.append_to_component(&mut component);
        }
    }
    Ok(component)
}
