//! The agent beside a product, and the vendor of the product.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::central::own_address;
use crate::clock::clock;
use crate::place::Disk;
use crate::process::{Finished, Running, binary, plugin, until};
use crate::wiki::Wiki;

/// The password of everybody who signs in.
pub const PASSWORD: &str = "correct horse battery staple";

/// `seatline run` with its pages, until this is dropped.
#[derive(Debug)]
pub struct Serving {
    address: SocketAddr,
    _process: Running,
}

impl Serving {
    /// Where its pages are.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// The vendor of `example-wiki`, with its key.
#[derive(Debug)]
pub struct Vendor {
    dir: TempDir,
    /// The public key, as products trust it.
    pub public_key: String,
}

impl Vendor {
    /// A vendor with a new key.
    pub fn new() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let stem = dir.path().join("vendor");
        let made = seatline(&["license", "keygen", "--out", path(&stem), "--json"]).json();
        Self { public_key: text(&made["public_key"]), dir }
    }

    /// Issues a license for the wiki with `limit` users, and gives its key.
    pub fn license(&self, limit: u64, more: &[&str]) -> String {
        let key = self.dir.path().join("vendor.secret");
        let users = format!("users={limit}");
        let mut arguments = vec!["license", "issue", "--json", "--key", path(&key), "--product", "example-wiki"];
        arguments.extend(["--licensee", "Example Ltd", "--kind", "commercial", "--limit", &users]);
        arguments.extend(more);
        text(&seatline(&arguments).json()["key"])
    }
}

impl Default for Vendor {
    fn default() -> Self {
        Self::new()
    }
}

/// The agent, with its data directory and its product.
#[derive(Debug)]
pub struct Agent {
    /// The disk of the data directory, where that has one of its own; it goes before its directory.
    disk: Option<Disk>,
    home: TempDir,
    /// The product.
    pub wiki: Wiki,
}

impl Agent {
    /// An agent beside a new wiki, which trusts `vendor`, with the stock plugin.
    pub fn new(vendor: &Vendor) -> Self {
        let agent = Self::without_plugin(vendor);
        agent.run(&["plugin", "install", path(&plugin("license-visibility.wasm")), "--yes"]).ok();
        agent
    }

    /// An agent beside a new wiki that has no plugin yet.
    pub fn without_plugin(vendor: &Vendor) -> Self {
        let home = tempfile::tempdir().expect("a temporary directory");
        let wiki = Wiki::new(home.path());
        let agent = Self { disk: None, home, wiki };
        let mut arguments = vec!["init", "--product", "example-wiki", "--name", "Example Wiki", "--version", "4.2.0"];
        arguments.extend(["--vendor-key", &vendor.public_key]);
        agent.run(&arguments).ok();
        agent.read_accounts_with(Wiki::QUERY);
        agent
    }

    /// A node of a cluster, called `name`, with the stock plugin: its state is in the database `state`, it gives a sign
    /// of life every second, and its wiki is that of `first`, if there is one.
    pub fn node(vendor: &Vendor, name: &str, state: &str, first: Option<&Self>) -> Self {
        let home = tempfile::tempdir().expect("a temporary directory");
        let wiki = first.map_or_else(|| Wiki::new(home.path()), |first| first.wiki.again());
        let agent = Self { disk: None, home, wiki };
        let mut arguments = vec!["init", "--product", "example-wiki", "--name", "Example Wiki", "--version", "4.2.0"];
        arguments.extend(["--vendor-key", &vendor.public_key, "--state", state, "--node", name]);
        agent.run(&arguments).ok();
        agent.configure("lapse_after = 3\n");
        agent.read_accounts_with(Wiki::QUERY);
        agent.run(&["plugin", "install", path(&plugin("license-visibility.wasm")), "--yes"]).ok();
        agent
    }

    /// What beginning a state came to in the `schema` of the database `state`; there is no agent afterwards.
    pub fn begun_in(vendor: &Vendor, state: &str, schema: &str) -> Finished {
        let home = tempfile::tempdir().expect("a temporary directory");
        let wiki = Wiki::new(home.path());
        let agent = Self { disk: None, home, wiki };
        let mut arguments = vec!["init", "--product", "example-wiki", "--name", "Example Wiki", "--version", "4.2.0"];
        arguments.extend(["--vendor-key", &vendor.public_key, "--state", state, "--state-schema", schema]);
        agent.run(&arguments)
    }

    /// A copy of the whole machine: the data directory, and the product's database beside it.
    pub fn copied(&self) -> Self {
        let home = tempfile::tempdir().expect("a temporary directory");
        let from = self.home.path().join(".");
        let copied = Command::new("cp").arg("-a").arg(from).arg(home.path()).status().expect("cp starts");
        assert!(copied.success(), "the directory can be copied");
        let wiki = Wiki::in_directory(home.path());
        let copy = Self { disk: None, home, wiki };
        copy.read_accounts_with(Wiki::QUERY);
        copy
    }

    /// Sets the query for accounts, and the wiki's pages as a dimension.
    pub fn read_accounts_with(&self, query: &str) {
        let database = self.wiki.path().display();
        self.read_accounts_by(&format!(
            "database = \"{database}\"\nquery = \"{query}\"\ntime_limit = 5\n\n\
             [[dimension]]\nname = \"pages\"\nquery = \"select count(*) from pages\"\n"
        ));
    }

    /// Sets where accounts come from: what stands in the configuration behind `[accounts]`.
    pub fn read_accounts_by(&self, accounts: &str) {
        let config = self.dir().join("seatline.toml");
        let text = fs::read_to_string(&config).expect("the configuration that init wrote");
        let before = text.split("\n[accounts]").next().expect("the part before the accounts");
        fs::write(&config, format!("{before}\n[accounts]\n{accounts}")).expect("the configuration can be written");
    }

    /// Sets the query for the wiki's pages.
    pub fn measure_pages_with(&self, query: &str) {
        let config = self.dir().join("seatline.toml");
        let text = fs::read_to_string(&config).expect("the configuration");
        fs::write(&config, text.replace("select count(*) from pages", query))
            .expect("the configuration can be written");
    }

    /// The data directory.
    pub fn dir(&self) -> PathBuf {
        self.home.path().join("seatline")
    }

    /// Puts the data directory onto a disk of so many bytes.
    pub fn put_on_disk(&mut self, bytes: u64) -> &Disk {
        self.disk.insert(Disk::under(&self.dir(), bytes))
    }

    /// The disk that the data directory was put on.
    ///
    /// # Panics
    /// Where it was not.
    pub fn disk(&self) -> &Disk {
        self.disk.as_ref().expect("the directory was put on a disk")
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Finished {
        Finished::of(self.command(arguments))
    }

    /// Runs a command to its end on a machine whose clock is `off` by so much, such as `+3d` or `-2h`.
    pub fn run_at(&self, off: &str, arguments: &[&str]) -> Finished {
        let mut command = self.command(arguments);
        command.envs(clock(off));
        Finished::of(command)
    }

    /// Starts a command that goes on, such as `run`.
    pub fn start(&self, arguments: &[&str]) -> Running {
        let mut command = self.command(arguments);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        Running::start(command)
    }

    /// Starts `seatline run` with more environment. Its log goes into the file `log`.
    pub fn start_logging(&self, log: &Path, environment: &[(&str, &str)]) -> Running {
        let mut command = self.command(&["run"]);
        let log = fs::File::create(log).expect("a file for the log");
        command.envs(environment.iter().copied()).stdout(Stdio::null()).stderr(Stdio::from(log));
        Running::start(command)
    }

    /// Runs a command to its end, with `input` on its standard input.
    pub fn run_with_input(&self, arguments: &[&str], input: &str) -> Finished {
        Finished::with_input(self.command(arguments), input)
    }

    /// Adds to `seatline.toml`.
    pub fn configure(&self, text: &str) {
        let config = self.dir().join("seatline.toml");
        let before = fs::read_to_string(&config).expect("the configuration");
        fs::write(&config, before + text).expect("the configuration can be written");
    }

    /// Adds an administrator called `ada`, who signs in with [`PASSWORD`], and starts `seatline run` with pages.
    pub fn serve(&self) -> Serving {
        self.run_with_input(&["user", "add", "ada", "--password-stdin"], &format!("{PASSWORD}\n")).ok();
        let address = own_address();
        let mut command = self.command(&["run"]);
        command.env("SEATLINE_LISTEN", address.to_string()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut process = Running::start(command);
        until("the agent to serve its pages", || {
            assert!(!process.has_ended(), "the agent ended before it served");
            TcpStream::connect(address).ok()
        });
        Serving { address, _process: process }
    }

    /// Links the agent by an invite.
    pub fn link(&self, invite: &str) -> Value {
        self.run(&["link", "accept", invite, "--yes", "--json"]).json()
    }

    /// What `status --json` shows.
    pub fn status(&self) -> Value {
        self.run(&["status", "--json"]).json()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let seatline = binary("seatline");
        let mut command = self.disk.as_ref().map_or_else(|| Command::new(&seatline), |disk| disk.entered(&seatline));
        command.args(arguments).env("SEATLINE_DIR", self.dir()).env_remove("SEATLINE_LICENSE");
        command.env("SEATLINE_LISTEN", "127.0.0.1:0");
        command
    }
}

fn seatline(arguments: &[&str]) -> Finished {
    let mut command = Command::new(binary("seatline"));
    command.args(arguments);
    Finished::of(command)
}

fn path(path: &Path) -> &str {
    path.to_str().expect("a path in the target or temporary directory is text")
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}
