//! The real binary, on a data directory of its own, beside a product with a SQLite database.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use seatline_protocol::{PublicKey, SecretKey};
use serde_json::Value;

/// An initialised instance of the product `acme-wiki`.
pub struct Agent {
    home: tempfile::TempDir,
}

/// What a command left behind.
#[derive(Debug)]
pub struct Finished {
    /// The exit status.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Finished {
    /// Fails unless the command succeeded; gives its output.
    pub fn ok(self) -> String {
        assert_eq!(self.code, 0, "{}{}", self.out, self.err);
        self.out
    }

    /// The JSON that a command showed that succeeded.
    pub fn json(self) -> Value {
        let out = self.ok();
        serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}"))
    }

    /// The one line of a command that failed with `code` and status 1.
    pub fn refused(self, code: &str) -> String {
        assert_eq!(self.code, 1, "{}{}", self.out, self.err);
        let line = self.err.lines().find(|line| line.starts_with("error: ")).unwrap_or_default().to_owned();
        assert!(line.ends_with(&format!(" [{code}]")), "not [{code}]: {}", self.err);
        line
    }
}

impl From<Output> for Finished {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("output is UTF-8");
        let code = output.status.code().expect("it was not ended by a signal");
        Self { code, out: text(output.stdout), err: text(output.stderr) }
    }
}

/// The vendor's key, the same in all tests.
pub fn vendor() -> SecretKey {
    SecretKey::from_seed(&[42; 32])
}

/// Runs the binary without any instance.
pub fn seatline(arguments: &[&str]) -> Finished {
    let home = tempfile::tempdir().expect("a directory");
    command(home.path(), arguments).output().expect("the binary starts").into()
}

fn command(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_seatline"));
    command
        .args(arguments)
        .env("SEATLINE_DIR", dir)
        .env_remove("SEATLINE_LICENSE")
        .env("SEATLINE_LISTEN", "127.0.0.1:0")
        .env_remove("COLUMNS")
        .stdin(Stdio::null());
    command
}

impl Agent {
    /// An instance that trusts [`vendor`], with eight accounts of every class, and pages.
    pub fn new() -> Self {
        Self::trusting(&[vendor().public()])
    }

    /// An instance that trusts `keys`.
    pub fn trusting(keys: &[PublicKey]) -> Self {
        Self::with(keys, ACCOUNTS)
    }

    /// An instance whose accounts are read as `accounts` says, with the stock plugin.
    pub fn reading(accounts: &str) -> Self {
        let agent = Self::with(&[vendor().public()], accounts);
        agent.install_plugin();
        agent
    }

    /// A node of a cluster that keeps its state in `database`, with signs of life every second.
    pub fn node(name: &str, database: &str) -> Self {
        let agent = Self::with_options(&[vendor().public()], ACCOUNTS, &["--state", database, "--node", name]);
        agent.configure("\n[log]\nformat = 'json'\n");
        agent.reconfigure("[cluster]\n", "[cluster]\nlapse_after = 3\n");
        agent
    }

    fn with(keys: &[PublicKey], accounts: &str) -> Self {
        Self::with_options(keys, accounts, &[])
    }

    fn with_options(keys: &[PublicKey], accounts: &str, options: &[&str]) -> Self {
        let agent = Self { home: tempfile::tempdir().expect("a directory") };
        let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
        let mut arguments = vec!["init", "--product", "acme-wiki", "--name", "Acme Wiki", "--version", "4.2.0"];
        arguments.extend(options);
        for key in &keys {
            arguments.extend(["--vendor-key", key]);
        }
        agent.run(&arguments).ok();
        let connection = rusqlite::Connection::open(agent.path("wiki.db")).expect("a database");
        connection.execute_batch(USERS).expect("the accounts");
        agent.configure(accounts);
        agent
    }

    /// A file in the data directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path().join("data").join(name)
    }

    /// Adds to seatline.toml.
    pub fn configure(&self, text: &str) {
        let path = self.path("seatline.toml");
        let before = std::fs::read_to_string(&path).expect("the configuration");
        std::fs::write(path, before + text).expect("the configuration");
    }

    /// Replaces text in seatline.toml.
    pub fn reconfigure(&self, from: &str, to: &str) {
        let path = self.path("seatline.toml");
        let before = std::fs::read_to_string(&path).expect("the configuration");
        assert!(before.contains(from), "{before}");
        std::fs::write(path, before.replacen(from, to, 1)).expect("the configuration");
    }

    /// The command, to start.
    pub fn command(&self, arguments: &[&str]) -> Command {
        command(&self.home.path().join("data"), arguments)
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Finished {
        self.command(arguments).output().expect("the binary starts").into()
    }

    /// Runs a command to its end, with `input` on its standard input.
    pub fn run_with_input(&self, arguments: &[&str], input: &str) -> Finished {
        use std::io::Write as _;
        let mut command = self.command(arguments);
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = child.expect("the binary starts");
        child.stdin.take().expect("its input").write_all(input.as_bytes()).expect("the input");
        child.wait_with_output().expect("its output").into()
    }

    /// Its server ID.
    pub fn server_id(&self) -> String {
        let facts = self.run(&["server-id", "--json"]).json();
        facts["server_id"].as_str().expect("a server ID").to_owned()
    }

    /// Issues a license of the vendor, and gives its key.
    pub fn issue(&self, options: &[&str]) -> String {
        let secret = self.path("vendor.secret");
        std::fs::write(&secret, vendor().to_paserk().as_bytes()).expect("the vendor's key");
        let mut arguments = vec!["license", "issue", "--key", secret.to_str().expect("a path")];
        if !options.contains(&"--product") {
            arguments.extend(["--product", "acme-wiki"]);
        }
        if !options.contains(&"--licensee") {
            arguments.extend(["--licensee", "Example Ltd"]);
        }
        arguments.extend(options);
        self.run(&arguments).ok().trim().to_owned()
    }

    /// Makes an API token with `role`, and gives it.
    pub fn token(&self, name: &str, role: &str) -> String {
        let made = self.run(&["token", "create", "--name", name, "--role", role, "--json"]).json();
        made["token"].as_str().expect("a token").to_owned()
    }

    /// Installs the stock plugin.
    pub fn install_plugin(&self) {
        self.run(&["plugin", "install", stock_plugin().to_str().expect("a path"), "--yes"]).ok();
    }
}

/// The stock plugin.
pub fn stock_plugin() -> PathBuf {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/plugins/license-visibility.wasm");
    assert!(path.is_file(), "the stock plugin is needed for this test: run `cargo xtask build-plugin`");
    path
}

const USERS: &str = "
    CREATE TABLE users (mail TEXT, active INT, access INT, seen TEXT, bot INT);
    INSERT INTO users VALUES
        ('ann@example.org', 1, 1, datetime('now'), 0), ('bob@example.org', 1, 1, datetime('now'), 0),
        ('cai@example.org', 1, 1, '2020-01-01', 0), ('dee@example.org', 1, 1, NULL, 0),
        ('eve@example.org', 0, 1, datetime('now'), 0), ('fay@example.org', 0, 1, NULL, 0),
        ('gus@example.org', 1, 0, datetime('now'), 0), ('bot-7', 1, 1, datetime('now'), 1);";

const ACCOUNTS: &str = "
[accounts]
database = 'wiki.db'
query = '''select mail as identity, active, access as licensed_access, seen as last_seen,
           bot as service_account from users'''

[[dimension]]
name = 'pages'
query = 'select 17'
";
