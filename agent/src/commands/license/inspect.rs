//! `seatline license inspect`

use jiff::Timestamp;
use seatline_protocol::standing::LicenseStanding;
use seatline_protocol::{KeyId, License, Observed, PublicKey, ServerId, seal, standing};
use serde::Serialize;

use super::Context;
use crate::failure::Failure;
use crate::files::read_pasted;
use crate::instance::Instance;
use crate::output::{ATTENTION, Output, styled};
use crate::standing_page;

/// Show what a license key says, and whether it may be set here; nothing is changed
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  seatline license inspect @license.key
  seatline license inspect - --vendor-key k4.public.6kpsY-KcUgq-9VB7Ey7F-ZVHdq6-vnuSQh7qaRRG0iw < license.key")]
pub struct Options {
    /// The key, @FILE, or - for standard input
    #[arg(allow_hyphen_values = true)]
    key: String,
    /// A vendor's public key to verify it with, instead of those in seatline.toml; can be given several times
    #[arg(long = "vendor-key", value_name = "KEY")]
    vendor_keys: Vec<PublicKey>,
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

pub fn run(context: &Context, options: &Options) -> Result<(), Failure> {
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
