//! What the stories work with: the real program in a directory of its own, and a small product at the other end.
#![allow(dead_code, unused_imports, reason = "each file of stories uses its own part of it")]

pub mod bodies;
pub mod evidence;
pub mod product;
pub mod stream;
pub mod visitor;

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use seatline_tests::Disk;
use serde_json::Value;
use tempfile::TempDir;
use ureq::Agent;
use ureq::http::Response;

pub use product::{Product, counts, send, try_send};
pub use visitor::Visitor;

/// The program under test.
pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_seatline-central"));
    for variable in ["DIR", "URL", "NAME", "PROXY", "DATABASE", "DATABASE_FILE", "DATABASE_CA_FILE"] {
        command.env_remove(format!("SEATLINE_CENTRAL_{variable}"));
    }
    command
}

/// A data directory, and the server on it while it runs.
pub struct Central {
    dir: TempDir,
    /// What `--database` says, if anything.
    database: Option<String>,
    /// The disk of the directory, if it has one of its own.
    disk: Option<Disk>,
    server: Option<(Child, String)>,
    token: Option<String>,
}

impl Central {
    /// A new data directory, without a server.
    pub fn idle() -> Self {
        Self { dir: tempfile::tempdir().expect("a directory"), database: None, disk: None, server: None, token: None }
    }

    /// The same, with the data in a database of its own choice.
    pub fn idle_on(database: &str) -> Self {
        let mut central = Self::idle();
        central.database = Some(database.to_owned());
        central
    }

    /// Another server on the same database, with copies of the keys; it does not run.
    pub fn replica(&self) -> Self {
        let mut replica = Self::idle();
        (replica.database, replica.token) = (self.database.clone(), self.token.clone());
        self.copy_keys(&replica);
        replica
    }

    /// Uses the API with the token of another server, whose data it has.
    pub fn take_token_of(&mut self, other: &Self) {
        self.token = other.token.clone();
    }

    /// Puts the directory onto a disk of so many bytes, before anything runs on it.
    pub fn put_on_disk(&mut self, bytes: u64) {
        self.disk = Some(Disk::under(self.dir(), bytes));
    }

    /// The disk of its own.
    pub fn disk(&self) -> &Disk {
        self.disk.as_ref().expect("it was put on one")
    }

    /// Copies the keys to another server.
    pub fn copy_keys(&self, other: &Self) {
        for key in ["central.key", "pseudonym.key"] {
            std::fs::copy(self.dir().join(key), other.dir().join(key)).expect("a copy");
        }
    }

    /// What `--database` says.
    pub fn database(&self) -> &str {
        self.database.as_deref().expect("one was named")
    }

    /// A server on a new data directory, with the administrator `ada`, her password [`PASSWORD`], and an API token.
    pub fn started() -> Self {
        Self::begun(Self::idle())
    }

    /// The same, with the data in a database of its own choice.
    pub fn started_on(database: &str) -> Self {
        Self::begun(Self::idle_on(database))
    }

    /// Makes the administrator `ada` and her token, and starts the server.
    pub fn begun(mut central: Self) -> Self {
        central.input(&["admin", "create", "ada", "--password-stdin"], PASSWORD);
        let token = central.json(&["token", "create", "ada"]);
        central.token = token["token"].as_str().map(str::to_owned);
        central.start();
        central
    }

    /// The program, on this directory and its database.
    pub fn program(&self) -> Command {
        let mut command = match &self.disk {
            Some(disk) => disk.entered(Path::new(env!("CARGO_BIN_EXE_seatline-central"))),
            None => program(),
        };
        command.env("SEATLINE_CENTRAL_DIR", self.dir());
        if let Some(database) = &self.database {
            command.env("SEATLINE_CENTRAL_DATABASE", database);
        }
        command
    }

    /// The data directory.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Starts the server, and waits until it says that it listens.
    pub fn start(&mut self) {
        self.start_with(&[]);
    }

    /// As [`Self::start`], with more arguments.
    pub fn start_with(&mut self, arguments: &[&str]) {
        self.start_in(arguments, &[]);
    }

    /// As [`Self::start_with`], with more in the environment.
    pub fn start_in(&mut self, arguments: &[&str], environment: &[(&str, &str)]) {
        self.start_logging_to(Stdio::inherit(), arguments, environment);
    }

    /// As [`Self::start_in`], with its standard error elsewhere.
    pub fn start_logging_to(&mut self, log: Stdio, arguments: &[&str], environment: &[(&str, &str)]) {
        let mut child = self
            .program()
            .args(["serve", "--json"])
            .args(["--listen", "127.0.0.1:0"].iter().filter(|_| !arguments.contains(&"--listen")))
            .args(arguments)
            .env("SEATLINE_LOG", "error")
            .envs(environment.iter().copied())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("the program starts");
        let mut said = String::new();
        let mut lines = BufReader::new(child.stdout.take().expect("it was asked for")).lines();
        while !said.ends_with("}\n") {
            said.push_str(&lines.next().expect("it says that it listens").expect("text"));
            said.push('\n');
        }
        let said: Value = serde_json::from_str(&said).expect("JSON");
        self.server = Some((child, said["listening"].as_str().expect("its address").to_owned()));
    }

    /// Kills the server without a warning (SIGKILL).
    pub fn kill(&mut self) {
        let (mut child, _) = self.server.take().expect("it runs");
        child.kill().expect("killed");
        child.wait().expect("gone");
    }

    /// Tells the server to end (SIGTERM).
    pub fn tell_to_end(&self) {
        let told = Command::new("kill").args(["-TERM", &self.pid().to_string()]).status().expect("kill runs");
        assert!(told.success());
    }

    /// Tells the server to end, and gives its exit status once it has.
    pub fn end(&mut self) -> Option<i32> {
        self.tell_to_end();
        let (mut child, _) = self.server.take().expect("it runs");
        child.wait().expect("gone").code()
    }

    /// The process id of the server.
    pub fn pid(&self) -> u32 {
        self.server.as_ref().expect("it runs").0.id()
    }

    /// The address of the server, such as `http://127.0.0.1:40001`.
    pub fn url(&self) -> &str {
        &self.server.as_ref().expect("it runs").1
    }

    /// Runs a command on the data directory.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.program().args(arguments).env("SEATLINE_LOG", "error").output().expect("the program runs")
    }

    /// Runs a command that must be done, with something on its standard input.
    pub fn input(&self, arguments: &[&str], input: &str) -> Value {
        let mut child = self
            .program()
            .args(arguments)
            .arg("--json")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program runs");
        child.stdin.take().expect("it was asked for").write_all(input.as_bytes()).expect("written");
        let output = child.wait_with_output().expect("it ends");
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        serde_json::from_slice(&output.stdout).expect("JSON")
    }

    /// Runs a command that must be done, and gives its JSON.
    pub fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[arguments, &["--json"]].concat());
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        serde_json::from_slice(&output.stdout).expect("JSON")
    }

    /// Runs a command that must fail with status 1, and gives the code of its error.
    pub fn failure(&self, arguments: &[&str]) -> String {
        let output = self.run(&[arguments, &["--json"]].concat());
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {output:?}");
        let error: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let (code, message) = (&error["error"]["code"], error["error"]["message"].as_str().expect("a message"));
        assert!(!message.contains('\n'), "one line: {message}");
        let line = String::from_utf8(output.stderr).expect("text");
        assert!(line.starts_with(&format!("error: {message} [")), "{line}");
        code.as_str().expect("a code").to_owned()
    }

    /// The id of a new application.
    pub fn application(&self, name: &str) -> String {
        let application = self.json(&["application", "add", name, "--product", "acme-wiki"]);
        application["id"].as_str().expect("an id").to_owned()
    }

    /// An invite, for an application or for none.
    pub fn invite(&self, application: Option<&str>) -> String {
        let mut arguments = vec!["invite"];
        if let Some(application) = application {
            arguments.extend(["--application", application]);
        }
        self.json(&arguments)["invite"].as_str().expect("an invite").to_owned()
    }

    /// A product that is linked to a new application of this name.
    pub fn linked(&self, application: &str, seed: u8) -> Product {
        self.application(application);
        let mut product = Product::new(seed, &self.invite(Some(application)));
        let response = product.exchange(self);
        assert!(product.take(&response).is_empty(), "{response:?}");
        product
    }

    /// As [`Self::linked`], years ago: what the product counted since then is taken.
    pub fn linked_long_ago(&self, application: &str, seed: u8) -> Product {
        let product = self.linked(application, seed);
        let store = rusqlite::Connection::open(self.file("central.db")).expect("the database");
        let changed = store.execute("UPDATE links SET approved_at = 1577836800000", []).expect("changed");
        assert_eq!(changed, 1, "the only link");
        product
    }

    /// `GET` of the API with the token, which must be answered by 200.
    pub fn api(&self, path: &str) -> Value {
        let mut response = self.request("GET", path, None);
        assert_eq!(response.status(), 200, "{path}");
        response.body_mut().read_json().expect("JSON")
    }

    /// `GET` of the API with the token, which must be answered by 200, as text.
    pub fn text(&self, path: &str) -> String {
        let mut response = self.request("GET", path, None);
        assert_eq!(response.status(), 200, "{path}");
        response.body_mut().read_to_string().expect("text")
    }

    /// A request to the API with the token, and a JSON body where there is one.
    pub fn request(&self, method: &str, path: &str, body: Option<&Value>) -> Response<ureq::Body> {
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url()))
            .header("Authorization", format!("Bearer {}", self.token.as_ref().expect("it has one")));
        match body {
            Some(body) => {
                let request = request.header("Content-Type", "application/json").body(body.to_string());
                agent().run(request.expect("a request")).expect("answered")
            }
            None => agent().run(request.body(()).expect("a request")).expect("answered"),
        }
    }

    /// The path of a new file in the data directory's neighbourhood.
    pub fn file(&self, name: &str) -> PathBuf {
        self.dir().join(name)
    }
}

impl Drop for Central {
    fn drop(&mut self) {
        if let Some((mut child, _)) = self.server.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The password of `ada`.
pub const PASSWORD: &str = "correct horse battery staple";

/// A client that follows nothing and takes every status as an answer.
pub fn agent() -> Agent {
    Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .timeout_global(Some(Duration::from_secs(60)))
        .build()
        .into()
}
