//! `seatline init`

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use seatline_protocol::{ProductId, PublicKey, ServerId};
use serde::Serialize;

use super::Context;
use super::state::{StatePlace, quoted};
use crate::cluster::PostgresStore;
use crate::config::{Config, FILE_NAME, State};
use crate::failure::Failure;
use crate::files;
use crate::instance::{Instance, check_user};

/// Make the data directory of an instance, with its server ID and a configuration to complete
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  seatline init --product acme-wiki --name 'Acme Wiki' --version 4.2.0 \\
      --vendor-key k4.public.6kpsY-KcUgq-9VB7Ey7F-ZVHdq6-vnuSQh7qaRRG0iw
  seatline init --product acme-wiki --name 'Acme Wiki' --version 4.2.0 \\
      --state postgres://seatline@db.example.org/wiki --state-password-file state.password --node wiki-2

The second makes a node of a cluster: all that name the same state have one server ID.")]
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
    /// Keep the state in this database of PostgreSQL, for all nodes of a cluster; the default is the data directory
    #[arg(long, value_name = "URL")]
    state: Option<String>,
    /// The file that holds the database's password
    #[arg(long, value_name = "FILE", requires = "state")]
    state_password_file: Option<PathBuf>,
    /// The authority that signed the database's certificate, in PEM form, where it is none of the public ones
    #[arg(long, value_name = "FILE", requires = "state")]
    state_ca_file: Option<PathBuf>,
    /// The schema of the state's tables; the default is seatline
    #[arg(long, value_name = "NAME", requires = "state")]
    state_schema: Option<String>,
    /// What this node of the cluster is called; the default is the host's name
    #[arg(long, value_name = "NAME", requires = "state")]
    node: Option<String>,
    /// What the server ID is made of: the instance's own state, or the product's database
    #[arg(long, value_name = "POLICY", value_enum, default_value_t = Identity::Instance)]
    identity: Identity,
    /// The query that gives what the product has stored in its database since its installation
    #[arg(long, value_name = "QUERY", required_if_eq("identity", "database-bound"))]
    birth_mark: Option<String>,
    /// Declare that this is a staging instance
    #[arg(long)]
    staging: bool,
}

/// The policies of the server ID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Identity {
    /// Made at the first start, the same for as long as the instance lives
    Instance,
    /// Made of the place of the product's database and the birth mark of its data
    DatabaseBound,
}

#[derive(Serialize)]
struct Shown {
    dir: PathBuf,
    config: PathBuf,
    /// Absent where it is bound to a database that is not set up yet.
    server_id: Option<ServerId>,
}

pub fn run(context: &Context, options: &Options) -> Result<(), Failure> {
    let dir = context.dir()?;
    let text = configuration(options)?;
    // The options go through the rules of the configuration before anything is made.
    let config = Config::parse(&text, &dir);
    let config = config.map_err(|problem| Failure::new(problem.code(), format!("the options: {problem}")))?;
    if dir.join(FILE_NAME).exists() {
        return Err(already_initialised(&dir));
    }
    if let State::Postgres(state) = &config.state {
        // A database that cannot be used is told before there is a configuration that names it.
        PostgresStore::open(state)?.claim(&config.product.id)?;
    }
    write_new(&dir, &text)?;
    let instance = Instance::open_as_it_is(&dir)?;
    let server_id = instance.look_at_identity().is_none().then(|| instance.host.server_id());
    let shown = Shown { config: dir.join(FILE_NAME), dir, server_id };
    context.output.show(&shown, |page| {
        match &shown.server_id {
            Some(server_id) => page.fact("Server ID", server_id),
            None => {
                page.fact("Server ID", "none until [accounts] or [identity] names the database: `seatline server-id`")
            }
        }
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
        std::io::ErrorKind::AlreadyExists => already_initialised(dir),
        _ => Failure::io("write", &path, &error),
    })
}

fn already_initialised(dir: &Path) -> Failure {
    Failure::new(
        "already-initialised",
        format!("there is an instance in {}: edit its seatline.toml, or name another --dir", dir.display()),
    )
}

fn configuration(options: &Options) -> Result<String, Failure> {
    let mut text = format!(
        "# The configuration of the seatline agent.\n\n[product]\nid = {}\nname = {}\nversion = {}\n",
        quoted(options.product.as_str()),
        quoted(&options.name),
        quoted(&options.version),
    );
    if let Some(edition) = &options.edition {
        text.push_str(&format!("edition = {}\n", quoted(edition)));
    }
    let is_bound = options.identity == Identity::DatabaseBound;
    if is_bound || options.staging {
        text.push_str("\n[identity]\n");
    }
    if is_bound {
        text.push_str(
            "policy = \"database-bound\"\n# What the product has stored in its database since its installation.\n",
        );
    }
    if let Some(query) = &options.birth_mark {
        text.push_str(&format!("birth_mark = {}\n", quoted(query)));
    }
    if options.staging {
        text.push_str("staging = true\n");
    }
    let keys: Vec<String> = options.vendor_keys.iter().map(|key| quoted(&key.to_string())).collect();
    text.push_str(&format!(
        "\n[license]\n# The public keys of the vendors whose licenses are trusted.\nvendor_keys = [{}]\n{ACCOUNTS}",
        keys.join(", ")
    ));
    if let Some(url) = &options.state {
        let place = StatePlace {
            url,
            password_file: options.state_password_file.as_deref(),
            ca_file: options.state_ca_file.as_deref(),
            schema: options.state_schema.as_deref(),
        };
        text.push_str(&place.section()?);
    }
    if let Some(node) = &options.node {
        text.push_str(&format!("\n[cluster]\nnode = {}\n", quoted(node)));
    }
    Ok(text)
}

const ACCOUNTS: &str = r#"
# Where the product's accounts are read, read-only: a database as here (a SQLite file, PostgreSQL, MySQL, MariaDB), or
# [accounts.scim], [accounts.ldap], [accounts.json] or [accounts.command].
# [accounts]
# database = "/var/lib/acme-wiki/wiki.db"          # or postgres://seatline@db.example.org/wiki, mysql://…
# password_file = "wiki.password"                  # for a server
# query = """
# select email as identity, enabled as active, last_login as last_seen, is_bot as service_account
# from users
# """

# What else is measured: one number each.
# [[dimension]]
# name = "pages"
# query = "select count(*) from pages"
"#;
