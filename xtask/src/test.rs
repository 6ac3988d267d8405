//! `cargo xtask test`: everything that must hold before a change is taken, from an empty machine on.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use crate::command;
use crate::debian;
use crate::demo;
use crate::failure::{Context as _, Failure};
use crate::node;
use crate::plugin;
use crate::progress::Progress;
use crate::python;
use crate::workspace::Workspace;

/// How to test.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// By what the plugins are built.
    #[command(flatten)]
    pub source: plugin::Source,
}

/// Installs what the tests need, builds, and checks. What does not build ends it at once; the checks all run, so that
/// one run tells of everything that is wrong.
///
/// # Errors
/// When something is missing, does not build, or does not pass: the message names each.
pub fn test(workspace: &Workspace, options: &Options) -> Result<(), Failure> {
    let mut progress = Progress::start();
    progress.step("packages", packages)?;
    progress.step("Python packages", |progress| python::ensure(workspace, progress))?;
    progress.step("Node packages", |progress| node::ensure(workspace, progress))?;
    let plugin = plugin::Options { fixtures: true, source: options.source };
    progress.step("plugins", |progress| plugin::build(workspace, &plugin, progress))?;
    progress.step("build", |_| workspace.build_binaries())?;
    let mut failures = Vec::new();
    for (name, command) in &mut checks(workspace) {
        if let Err(failure) = progress.step(name, |_| command::run(command)) {
            progress.say(&failure.to_string());
            failures.push(failure.to_string());
        }
    }
    let (port, product_port) = (free_port()?, free_port()?);
    let demo = demo::Options { once: true, dir: None, port, product_port, source: options.source };
    if let Err(failure) = progress.step("demo", |_| demo::demo(workspace, &demo)) {
        progress.say(&failure.to_string());
        failures.push(failure.to_string());
    }
    let verdict = if failures.is_empty() { "passed" } else { "FAILED" };
    println!("{verdict}: {}", progress.summary());
    if !has_deny(workspace) {
        println!("not checked: licenses and advisories of the dependencies (`cargo install --locked cargo-deny`)");
    }
    if failures.is_empty() { Ok(()) } else { Err(Failure::new(failures.join("\n       "))) }
}

/// A port that a server of the demo may have, beside one that somebody runs on the default port.
fn free_port() -> Result<u16, Failure> {
    let address = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    address.map(|address| address.port()).context("no free port for the demo")
}

/// The checks in the order in which they run, the quick ones first.
fn checks(workspace: &Workspace) -> Vec<(&'static str, Command)> {
    let cargo = |arguments: &[&str]| {
        let mut cargo = workspace.cargo();
        cargo.args(arguments);
        cargo
    };
    let mut checks = vec![("format", cargo(&["fmt", "--all", "--check"]))];
    if workspace.fixtures().exists() {
        let mut format = cargo(&["fmt", "--all", "--check", "--manifest-path"]);
        format.arg(workspace.fixtures());
        checks.push(("format of the fixtures", format));
    }
    if has_deny(workspace) {
        let deny = ["deny", "--workspace", "check", "--hide-inclusion-graph"];
        checks.push(("licenses", cargo(&[&deny[..], &["bans", "licenses", "sources"]].concat())));
        // The one check that needs the network: it fetches the database of advisories.
        checks.push(("advisories", cargo(&[&deny[..], &["advisories"]].concat())));
    }
    let lints = ["clippy", "--workspace", "--all-targets", "--locked", "--", "--deny", "warnings"];
    checks.push(("lints", cargo(&lints)));
    checks.push(("tests", cargo(&["test", "--workspace", "--locked", "--no-fail-fast"])));
    let mut documentation = cargo(&["doc", "--workspace", "--no-deps", "--locked"]);
    documentation.env("RUSTDOCFLAGS", "--deny warnings");
    checks.push(("documentation", documentation));
    checks
}

fn has_deny(workspace: &Workspace) -> bool {
    command::succeeds(workspace.cargo().args(["deny", "--version"]))
}

/// What runs the examples of `docs/embedding.md`, and the package that brings it. A JDK, and not the smaller JRE,
/// because `java Ask.java` compiles.
const EXAMPLES: [(&str, &str); 4] =
    [("curl", "curl"), ("python3", "python3"), ("node", "nodejs"), ("javac", "default-jdk-headless")];

/// The tests start servers of their own, from the binaries that Debian's packages bring.
fn packages(progress: &Progress) -> Result<(), Failure> {
    debian::ensure(&["mariadb-server", "openssl"], "the tests' own MariaDB", progress)?;
    debian::ensure(
        &["etcd-server", "patroni", "pgbouncer"],
        "the tests' own PostgreSQL of two nodes, and its pooler",
        progress,
    )?;
    debian::ensure(&["slapd", "ldap-utils"], "the tests' own OpenLDAP", progress)?;
    debian::ensure(&["chromium", "chromium-driver"], "the tests' own browser", progress)?;
    let is_there = |program: &str| command::succeeds(Command::new(program).arg("--version"));
    // From wherever they come: a product's own Python or JDK is not of a Debian package either.
    let missing = EXAMPLES.iter().filter(|(program, _)| !is_there(program)).map(|(_, package)| *package);
    debian::ensure(&missing.collect::<Vec<_>>(), "the examples of the local API", progress)?;
    debian::ensure(&["tinyproxy-bin"], "the tests of a proxy on the way out", progress)?;
    debian::ensure(&["faketime"], "the tests of a wrong clock", progress)?;
    let readers = ["fish", "man-db", "mandoc", "prometheus", "systemd", "zsh"];
    debian::ensure(&readers, "what reads the unit, the metrics, the completions and the manual pages", progress)?;
    let versions = Path::new("/usr/lib/postgresql").read_dir().into_iter().flatten().flatten();
    if versions.into_iter().any(|version| version.path().join("bin/initdb").exists()) {
        return Ok(());
    }
    debian::ensure(&["postgresql"], "the tests' own PostgreSQL", progress)
}
