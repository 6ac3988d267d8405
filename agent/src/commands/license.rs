//! `seatline license …`

use jiff::Timestamp;
use seatline_host::licenses::InstalledLicense;
use seatline_protocol::standing::LicenseStanding;
use seatline_protocol::{Digest, KeyId, License, Observed, PublicKey, ServerId, Standing, seal, standing};
use serde::Serialize;

use super::{Context, issue, keygen};
use crate::failure::Failure;
use crate::files::read_pasted;
use crate::instance::Instance;
use crate::output::{ATTENTION, Output, Page, styled, time};
use crate::standing_page;

/// Issue, look at and set license keys
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    Keygen(keygen::Options),
    Issue(Box<issue::Options>),
    Inspect(InspectOptions),
    Set(SetOptions),
    Show(ShowOptions),
}

/// Show what a license key says, and whether it may be set here; nothing is changed
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  seatline license inspect @license.key
  seatline license inspect - --vendor-key k4.public.6kpsY-KcUgq-9VB7Ey7F-ZVHdq6-vnuSQh7qaRRG0iw < license.key")]
pub struct InspectOptions {
    /// The key, @FILE, or - for standard input
    #[arg(allow_hyphen_values = true)]
    key: String,
    /// A vendor's public key to verify it with, instead of those in seatline.toml; can be given several times
    #[arg(long = "vendor-key", value_name = "KEY")]
    vendor_keys: Vec<PublicKey>,
}

/// Set a license key; one that is refused changes nothing
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  seatline license set @license.key
  seatline license set - < mail.txt

A key that wraps over lines, or stands in a mail between BEGIN and END lines, is accepted as it is.")]
pub struct SetOptions {
    /// The key, @FILE, or - for standard input
    #[arg(allow_hyphen_values = true)]
    key: String,
}

/// Show what the licenses come to, and every key that was set
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  seatline license show --json")]
pub struct ShowOptions {}

pub fn run(context: &Context, command: Command) -> Result<(), Failure> {
    match command {
        Command::Keygen(options) => keygen::run(context, &options),
        Command::Issue(options) => issue::run(context, &options),
        Command::Inspect(options) => inspect(context, &options),
        Command::Set(options) => set(context, &options),
        Command::Show(_) => show(context),
    }
}

#[derive(Serialize)]
struct Inspected<'a> {
    license: &'a License,
    signed_by: KeyId,
    /// Why it may not be set here; absent where there is no instance to hold it against.
    #[serde(skip_serializing_if = "Option::is_none")]
    settable: Option<Settable>,
}

#[derive(Serialize)]
struct Settable {
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

fn inspect(context: &Context, options: &InspectOptions) -> Result<(), Failure> {
    let pasted = read_pasted(&options.key)?;
    let key = seal::unwrap_pasted(&pasted);
    if !options.vendor_keys.is_empty() {
        return show_inspected(context.output, &key, &options.vendor_keys, None);
    }
    let instance = Instance::open_as_it_is(&context.dir()?)?;
    let settable = match instance.host.check_license(&pasted) {
        Ok(_) => Settable { ok: true, code: None, message: None },
        Err(error) => Settable { ok: false, code: Some(error.code()), message: Some(error.to_string()) },
    };
    show_inspected(context.output, &key, &instance.config.license.vendor_keys, Some(settable))
}

fn show_inspected(output: Output, key: &str, trusted: &[PublicKey], settable: Option<Settable>) -> Result<(), Failure> {
    let license: License = seal::open(key, trusted)?;
    let inspected = Inspected { license: &license, signed_by: seal::key_id::<License>(key)?, settable };
    output.show(&inspected, |page| {
        page.fact("Signed by", &inspected.signed_by);
        match &inspected.settable {
            Some(Settable { message: Some(reason), .. }) => page.fact("Here", styled(ATTENTION, reason)),
            Some(_) => page.fact("Here", "it can be set"),
            None => {}
        }
        standing_page::license(page, &by_itself(&license), Timestamp::now());
    })
}

/// What a license says of itself, as if it were on its own product.
fn by_itself(license: &License) -> LicenseStanding {
    let product = license.add_on_of.clone().unwrap_or_else(|| license.product.clone());
    let server_id = license.servers.first().cloned().unwrap_or_else(|| ServerId::from_random([0; 20]));
    let staging = license.kind == seatline_protocol::Kind::Staging;
    let observed = Observed { edition: license.edition.clone(), staging, ..Observed::new(product, server_id) };
    let mut standing = standing(std::slice::from_ref(license), &observed, Timestamp::now());
    standing.licenses.remove(0)
}

#[derive(Serialize)]
struct Set<'a> {
    license: &'a License,
    was_set: bool,
    standing: &'a Standing,
}

fn set(context: &Context, options: &SetOptions) -> Result<(), Failure> {
    let pasted = read_pasted(&options.key)?;
    let instance = context.instance()?;
    let change = instance.host.set_license(&pasted)?;
    let standing = instance.host.standing()?;
    let set = Set { license: &change.license, was_set: change.was_set, standing: &standing };
    context.output.show(&set, |page| {
        match change.was_set {
            true => page.line(format_args!("The license {} was set already; nothing has changed.", change.license.id)),
            false => page.line(format_args!("The license {} is set.", change.license.id)),
        }
        standing_page::verdict(page, &standing);
        standing_page::limits(page, &standing);
    })
}

#[derive(Serialize)]
struct Shown<'a> {
    server_id: &'a seatline_protocol::ServerId,
    standing: &'a Standing,
    keys: Vec<Key>,
}

/// A key that was set.
#[derive(Serialize)]
struct Key {
    digest: Digest,
    set_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    license: Option<License>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Problem>,
}

#[derive(Serialize)]
struct Problem {
    code: &'static str,
    message: String,
}

impl From<InstalledLicense> for Key {
    fn from(installed: InstalledLicense) -> Self {
        let (license, problem) = match installed.license {
            Ok(license) => (Some(license), None),
            Err(error) => (None, Some(Problem { code: error.code(), message: error.to_string() })),
        };
        Self { digest: installed.digest, set_at: installed.set_at, license, problem }
    }
}

fn show(context: &Context) -> Result<(), Failure> {
    let instance = context.instance()?;
    let standing = instance.host.standing()?;
    let keys = instance.host.licenses()?.into_iter().map(Key::from).collect();
    let shown = Shown { server_id: &instance.host.server_id(), standing: &standing, keys };
    let now = instance.host.now()?;
    context.output.show(&shown, |page| {
        page.fact("Server ID", shown.server_id);
        standing_page::verdict(page, &standing);
        standing_page::limits(page, &standing);
        for license in &standing.licenses {
            standing_page::license(page, license, now);
        }
        history(page, &shown.keys);
    })
}

/// Every key in the order in which they were set (`c10`).
fn history(page: &mut Page, keys: &[Key]) {
    if keys.is_empty() {
        return;
    }
    page.gap();
    let row = |key: &Key| {
        let license = match (&key.license, &key.problem) {
            (Some(license), _) => license.id.to_string(),
            (None, Some(problem)) => problem.message.clone(),
            (None, None) => String::new(),
        };
        vec![time(key.set_at), license, key.digest.hex()[..12].to_owned()]
    };
    let rows: Vec<Vec<String>> = keys.iter().map(row).collect();
    page.table(&["SET", "LICENSE", "KEY"], &rows);
}
