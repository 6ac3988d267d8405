//! The guides are true: their commands are run as they stand, in their order.

#[path = "../../delivery/tests/support/mail_server.rs"]
#[allow(dead_code, reason = "other tests start other servers")]
mod mail_server;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use mail_server::MailServer;
use rusqlite::Connection;
use seatline_tests::{Agent, Vendor, binaries, plugin, until};

/// A guide of `docs/`.
struct Guide {
    name: &'static str,
    text: String,
}

impl Guide {
    fn read(name: &'static str) -> Self {
        let text = fs::read_to_string(repository().join("docs").join(name)).expect("the guide");
        Self { name, text }
    }

    /// Its blocks of code, each with the words behind its three backquotes.
    fn blocks(&self) -> Vec<(&str, &str)> {
        let blocks = self.text.split("\n```").skip(1).step_by(2);
        blocks.map(|block| block.split_once('\n').expect("a block has lines")).collect()
    }

    /// The one block of `kind`, with its last line ended.
    fn block(&self, kind: &str) -> String {
        let blocks: Vec<_> = self.blocks().into_iter().filter(|block| block.0 == kind).collect();
        assert_eq!(blocks.len(), 1, "{} has one block of {kind}", self.name);
        format!("{}\n", blocks[0].1)
    }

    /// The commands: what runs in the background, and what runs in order.
    fn script(&self) -> String {
        let mut script = String::new();
        for (kind, commands) in self.blocks() {
            match kind {
                "sh" => script.push_str(&format!("{commands}\n")),
                // The next command waits until it serves, as a person would wait for the line that says so.
                "sh background" => script.push_str(&format!(
                    "{commands} > serve.log 2>&1 &\nserver=$!\ntrap 'kill $server' EXIT\n\
                     until grep -q Serving serve.log; do kill -0 $server; done\n"
                )),
                _ => {}
            }
        }
        script
    }
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Runs `script` in `dir` with the binaries at hand, and gives what it prints to standard output.
fn run(script: &str, dir: &Path) -> String {
    let path = format!("{}:{}", binaries().display(), std::env::var("PATH").expect("a path"));
    let mut bash = Command::new("bash");
    bash.args(["-c", &format!("set -eu\n{script}")]).current_dir(dir).env("PATH", path).stdin(Stdio::null());
    for inherited in ["SEATLINE_LICENSE", "SEATLINE_DIR", "SEATLINE_CENTRAL_DIR"] {
        bash.env_remove(inherited);
    }
    let output = bash.output().expect("bash starts");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}\n{err}");
    out.into_owned()
}

#[test]
fn every_command_of_the_administrators_guide_works_as_it_stands() {
    let guide = Guide::read("administration.md");
    let home = tempfile::tempdir().expect("a temporary directory");
    let product = Connection::open(home.path().join("wiki.db")).expect("a database");
    product.execute_batch(&guide.block("sql")).expect("the product of the guide");
    fs::copy(plugin("license-visibility.wasm"), home.path().join("license-visibility.wasm")).expect("the plugin");
    // Another port than the default, so that a server that somebody runs on it is left alone.
    let script = guide.script().replace("seatline-central serve", "seatline-central serve --listen 127.81.0.95:8095");
    // The mail server of the guide is one of the test's own.
    let wish = serde_json::json!({"security": "plain", "users": {"wiki": "the password of the mail server"}});
    let mut mails = MailServer::start(&wish);
    let server = format!("--host localhost --port {} --security plain", mails.port);
    let out = run(&script.replace("--host mail.example.org", &server), home.path());
    for recipient in ["ada@example.org", "bela@example.org"] {
        assert_eq!(mails.mail()["to"][0], recipient);
        assert!(out.contains(&format!("reached {recipient}")), "{out}");
    }
    for expected in ["Link          approved", "counted     2 ", "deactivated 1", "Standing      licensed"] {
        assert!(out.contains(expected), "`{expected}` is not in\n{out}");
    }
}

/// The plugin of the guide is `tests/plugins/guide`, which `cargo xtask test` builds by whatever toolchain there is;
/// the guide's own `cargo build` gets what was built so.
#[test]
fn an_author_gets_a_plugin_built_and_installed_by_the_guide_alone() {
    let guide = Guide::read("plugins.md");
    let built = repository().join("tests/plugins/guide");
    let source = |name: &str| fs::read_to_string(built.join(name)).expect("a source");
    assert_eq!(guide.block("toml"), source("Cargo.toml"));
    assert_eq!(guide.block("rust"), source("src/lib.rs"));

    let agent = Agent::without_plugin(&Vendor::new());
    let home = tempfile::tempdir().expect("a temporary directory");
    symlink(repository().canonicalize().expect("the repository"), home.path().join("seatline")).expect("the clone");
    let place = "target/wasm32-unknown-unknown/release/my_plugin.wasm";
    let cargo = format!(
        "cargo() {{\n  if [ $1 = build ]; then install -D {:?} {place}; else command cargo \"$@\"; fi\n}}\n",
        core_module()
    );
    let script = guide.script().replace("/tmp/seatline-demo/seatline", &agent.dir().display().to_string());
    let out = run(&(cargo + &script), home.path());
    assert!(out.contains("my-plugin 1.0.0 is installed"), "{out}");
    assert!(out.contains("\"total\": 77,") && out.contains("\"counted\": 60,"), "{out}");
    assert!(home.path().join("my-plugin/wit/v1/license-visibility.wit").is_file(), "the contract is where it is read");
}

/// The newest core module of the guide's plugin: each toolchain has a folder of its own.
fn core_module() -> PathBuf {
    let folders = ["wasm", "wasm-debian"].map(|folder| binaries().join("..").join(folder));
    let modules = folders.map(|folder| folder.join("wasm32-unknown-unknown/release/my_plugin.wasm"));
    let newest = modules.into_iter().max_by_key(|path| fs::metadata(path).and_then(|file| file.modified()).ok());
    let newest = newest.filter(|path| path.is_file());
    newest.expect("the guide's plugin is missing: run `cargo xtask build-plugin --fixtures`")
}

#[test]
fn the_example_of_embedding_counts_and_tells_the_standing() {
    let example = binaries().join("examples/embed");
    assert!(example.is_file(), "{} is missing: run `cargo build --workspace --examples`", example.display());
    let output = Command::new(example).arg(plugin("license-visibility.wasm")).output().expect("it starts");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}\n{err}");
    assert!(out.contains("\"counted\": 24,") && out.ends_with("the standing is attention\n"), "{out}");
}

/// Where the agent of the examples listens, so that one that somebody runs on the default address is left alone.
const AGENT: &str = "127.81.0.96:8096";

/// The examples of the local API, each in a folder that has the token, beside an agent whose license has no room for
/// one more page.
#[test]
fn g7_the_examples_in_four_languages_ask_a_running_agent() {
    let guide = Guide::read("embedding.md");
    let vendor = Vendor::new();
    let agent = Agent::new(&vendor);
    let key = vendor.license(500, &["--feature", "sso", "--limit", "pages=3:refuse"]);
    agent.run(&["license", "set", &key]).ok();
    let home = tempfile::tempdir().expect("a temporary directory");
    let here = |text: &str| text.replace("127.0.0.1:8096", AGENT);
    let with_agent = format!("export SEATLINE_DIR={:?}\n", agent.dir());
    run(&(with_agent + &guide.block("sh")), home.path());
    let _running = agent.start(&["run", "--listen", AGENT]);
    until("the first count", || (!agent.status()["last_run"].is_null()).then_some(()));

    let curl = run(&here(&guide.block("sh curl")), home.path());
    assert!(curl.contains("\"enabled\":true") && curl.contains("\"allowed\":false"), "{curl}");
    for (kind, file, command) in [
        ("python", "ask.py", "python3 ask.py"),
        ("javascript", "ask.mjs", "node ask.mjs"),
        ("java", "Ask.java", "java Ask.java"),
    ] {
        fs::write(home.path().join(file), here(&guide.block(kind))).expect("the example");
        let out = run(command, home.path());
        let lines: Vec<&str> = out.lines().collect();
        assert_eq!(lines[0], "single sign-on is offered", "{kind}: {out}");
        assert!(lines[1].to_lowercase().starts_with("one more page: false"), "{kind}: {out}");
    }
}
