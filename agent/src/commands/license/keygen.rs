//! `seatline license keygen`: a vendor's tool.

use std::path::{Path, PathBuf};

use seatline_protocol::{KeyId, PublicKey, SecretKey};
use serde::Serialize;
use zeroize::Zeroizing;

use super::Context;
use crate::failure::Failure;
use crate::files;

/// Make a vendor's key pair: STEM.secret, which signs licenses, and STEM.public, which products trust
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  seatline license keygen --out acme-2026")]
pub struct Options {
    /// Where to write: STEM.secret with mode 0600, and STEM.public
    #[arg(long, value_name = "STEM")]
    out: PathBuf,
}

#[derive(Serialize)]
struct Shown {
    secret_file: PathBuf,
    public_file: PathBuf,
    public_key: PublicKey,
    key_id: KeyId,
    fingerprint: String,
}

pub fn run(context: &Context, options: &Options) -> Result<(), Failure> {
    let secret = SecretKey::generate().map_err(|error| Failure::new("no-randomness", error.to_string()))?;
    let public = secret.public();
    let (secret_file, public_file) = (with_suffix(&options.out, ".secret"), with_suffix(&options.out, ".public"));
    write(&secret_file, &secret.to_paserk(), 0o600)?;
    // A pair is whole or not there.
    write(&public_file, &public.to_string(), 0o644).inspect_err(|_| drop(std::fs::remove_file(&secret_file)))?;
    let (key_id, fingerprint) = (public.id(), public.fingerprint());
    let shown = Shown { secret_file, public_file, public_key: public, key_id, fingerprint };
    context.output.show(&shown, |page| {
        page.fact(
            "Secret key",
            format_args!("{} (keep it; whoever has it can issue licenses)", shown.secret_file.display()),
        );
        page.fact("Public key", format_args!("{} (for `vendor_keys` in seatline.toml)", shown.public_file.display()));
        page.fact("", &shown.public_key);
        page.fact("Fingerprint", &shown.fingerprint);
    })
}

fn with_suffix(stem: &Path, suffix: &str) -> PathBuf {
    let mut name = stem.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn write(path: &Path, key: &str, mode: u32) -> Result<(), Failure> {
    let line = Zeroizing::new(format!("{key}\n"));
    files::write_new(path, line.as_bytes(), mode).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => Failure::new(
            "file-exists",
            format!("{} is there already, and a key is never overwritten: name another --out", path.display()),
        ),
        _ => Failure::io("write", path, &error),
    })
}
