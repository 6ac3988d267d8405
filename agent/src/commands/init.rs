//! `seatline init`

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use seatline_protocol::{ProductId, PublicKey, ServerId};
use serde::Serialize;

use super::Context;
use crate::config::{Config, FILE_NAME};
use crate::failure::Failure;
use crate::files;
use crate::instance::{Instance, check_user};

/// Make the data directory of an instance, with its server ID and a configuration to complete
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  seatline init --product acme-wiki --name 'Acme Wiki' --version 4.2.0 \\
      --vendor-key k4.public.6kpsY-KcUgq-9VB7Ey7F-ZVHdq6-vnuSQh7qaRRG0iw")]
pub struct Options {
    /// The product id that licenses are held against, such as acme-wiki
    #[arg(long, value_name = "ID")]
    product: ProductId,
    /// The name that people know the product by
    #[arg(long)]
    name: String,
    /// The version that runs
    #[arg(long)]
    version: String,
    /// The edition that runs, where there are editions
    #[arg(long)]
    edition: Option<String>,
    /// The public key of a vendor whose licenses are trusted; can be given several times
    #[arg(long = "vendor-key", value_name = "KEY")]
    vendor_keys: Vec<PublicKey>,
}

#[derive(Serialize)]
struct Shown {
    dir: PathBuf,
    config: PathBuf,
    server_id: ServerId,
}

pub fn run(context: &Context, options: &Options) -> Result<(), Failure> {
    let dir = context.dir()?;
    let text = configuration(options);
    // The options go through the rules of the configuration before anything is made.
    Config::parse(&text, &dir).map_err(|problem| Failure::new(problem.code(), format!("the options: {problem}")))?;
    write_new(&dir, &text)?;
    let instance = Instance::open_as_it_is(&dir)?;
    let shown = Shown { config: dir.join(FILE_NAME), dir, server_id: instance.host.server_id().clone() };
    context.output.show(&shown, |page| {
        page.fact("Server ID", &shown.server_id);
        page.fact("Configuration", shown.config.display());
        page.line("Next: complete the section [accounts], then `seatline plugin install` and `seatline link accept`.");
    })
}

/// Writes the configuration, unless there is one.
fn write_new(dir: &Path, text: &str) -> Result<(), Failure> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(|error| Failure::io("make", dir, &error))?;
    check_user(dir)?;
    let path = dir.join(FILE_NAME);
    files::write_new(&path, text.as_bytes(), 0o600).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => Failure::new(
            "already-initialised",
            format!("there is an instance in {}: edit its seatline.toml, or name another --dir", dir.display()),
        ),
        _ => Failure::io("write", &path, &error),
    })
}

fn configuration(options: &Options) -> String {
    let quoted = |text: &str| toml::Value::from(text).to_string();
    let mut text = format!(
        "# The configuration of the seatline agent.\n\n[product]\nid = {}\nname = {}\nversion = {}\n",
        quoted(options.product.as_str()),
        quoted(&options.name),
        quoted(&options.version),
    );
    if let Some(edition) = &options.edition {
        text.push_str(&format!("edition = {}\n", quoted(edition)));
    }
    let keys: Vec<String> = options.vendor_keys.iter().map(|key| quoted(&key.to_string())).collect();
    text.push_str(&format!(
        "\n[license]\n# The public keys of the vendors whose licenses are trusted.\nvendor_keys = [{}]\n{ACCOUNTS}",
        keys.join(", ")
    ));
    text
}

const ACCOUNTS: &str = r#"
# Where the product's accounts are read, read-only: a SQLite file, or PostgreSQL.
# [accounts]
# database = "/var/lib/acme-wiki/wiki.db"          # or "postgres://seatline@db.example.org/wiki"
# password_file = "wiki.password"                  # for PostgreSQL
# query = """
# select email as identity, enabled as active, last_login as last_seen, is_bot as service_account
# from users
# """

# What else is measured: one number each.
# [[dimension]]
# name = "pages"
# query = "select count(*) from pages"
"#;
