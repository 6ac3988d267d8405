//! The central server, with an administrator, a token for its API, and one application.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};

use serde_json::Value;
use tempfile::TempDir;

use crate::agent::PASSWORD;
use crate::process::{Finished, Running, binary, until};

/// The name of the application in all stories.
const APPLICATION: &str = "Company wiki";

/// A central server that serves on an address of its own on the loopback network.
#[derive(Debug)]
pub struct Central {
    home: TempDir,
    /// The address of its database; none where that is a file in its directory.
    database: Option<String>,
    address: SocketAddr,
    token: String,
    process: Option<Running>,
}

impl Central {
    /// A central server with one application, serving.
    pub fn start() -> Self {
        Self::start_with(None)
    }

    /// As [`Self::start`], with its data in the database at `address`.
    pub fn start_on(address: &str) -> Self {
        Self::start_with(Some(address.to_owned()))
    }

    /// What making the first administrator came to, with the data in the database at `address`; there is no server
    /// afterwards.
    pub fn begun_on(address: &str) -> Finished {
        Self::with(Some(address.to_owned())).run(&["admin", "create", "ada"])
    }

    /// The same, which finds its database at another `address`.
    pub fn with_database(self, address: &str) -> Self {
        Self { database: Some(address.to_owned()), ..self }
    }

    fn with(database: Option<String>) -> Self {
        let home = tempfile::tempdir().expect("a temporary directory");
        Self { home, database, address: own_address(), token: String::new(), process: None }
    }

    fn start_with(database: Option<String>) -> Self {
        let mut central = Self::with(database);
        let admin = central.command(&["admin", "create", "ada", "--password-stdin"]);
        Finished::with_input(admin, &format!("{PASSWORD}\n")).ok();
        central.token = text(&central.run(&["token", "create", "ada", "--json"]).json()["token"]);
        central.run(&["application", "add", APPLICATION, "--product", "example-wiki"]).ok();
        central.serve();
        central
    }

    /// Another server on the same database, serving.
    pub fn replica(&self) -> Self {
        let home = tempfile::tempdir().expect("a temporary directory");
        for key in ["central.key", "pseudonym.key"] {
            std::fs::copy(self.dir().join(key), home.path().join(key)).expect("copied with its mode");
        }
        let (database, token) = (self.database.clone(), self.token.clone());
        let mut replica = Self { home, database, address: own_address(), token, process: None };
        replica.serve();
        replica
    }

    /// Serves, from the same directory and on the same port as before.
    pub fn serve(&mut self) {
        let mut command = self.command(&["serve", "--listen", &self.address.to_string()]);
        command.env("SEATLINE_CENTRAL_URL", self.url()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut process = Running::start(command);
        until("the central server to serve", || {
            assert!(!process.has_ended(), "the central server ended before it served");
            self.is_healthy().then_some(())
        });
        self.process = Some(process);
    }

    /// Kills the server as `kill -9` does.
    pub fn kill(&mut self) {
        self.process.take().expect("it serves").kill();
    }

    /// Ends the server as a service manager does: it gives its jobs back.
    pub fn end(&mut self) {
        self.process.take().expect("it serves").terminate().ok();
    }

    /// The process that serves.
    pub fn process_id(&self) -> u32 {
        self.process.as_ref().expect("it serves").id()
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where it serves, or did before it was killed.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its data directory.
    pub fn dir(&self) -> &Path {
        self.home.path()
    }

    /// An invite for the application: a link that is made with it needs no approval.
    pub fn invite(&self) -> String {
        text(&self.run(&["invite", "--application", APPLICATION, "--json"]).json()["invite"])
    }

    /// An invite for no application: a link that is made with it waits for approval.
    pub fn open_invite(&self) -> String {
        text(&self.run(&["invite", "--json"]).json()["invite"])
    }

    /// Approves a link for the application.
    pub fn approve(&self, link: &str) {
        self.run(&["link", "approve", link, "--application", APPLICATION]).ok();
    }

    /// Sets the synchronisation interval of a link, in seconds.
    pub fn set_interval(&self, link: &str, seconds: u32) {
        self.run(&["link", "settings", link, "--interval", &seconds.to_string()]).ok();
    }

    /// Takes an exchange from a file, and gives the answer's file.
    pub fn import(&self, request: &Path) -> PathBuf {
        let answer = self.home.path().join("answer.json");
        let (request, out) = (request.display().to_string(), answer.display().to_string());
        self.run(&["import", &request, "--out", &out]).ok();
        answer
    }

    /// What the Licenses tab of the application shows.
    pub fn licenses(&self) -> Value {
        self.run(&["licenses", APPLICATION, "--json"]).json()
    }

    /// The sequences and digests of the stored reports of a link, over the API, the oldest first.
    pub fn reports(&self, link: &str) -> Vec<(u64, String)> {
        let mut reports = Vec::new();
        let mut after = String::new();
        loop {
            let page = self.get(&format!("/api/v1/links/{link}/reports?limit=200{after}"));
            let rows = page["items"].as_array().expect("a page has items");
            reports.extend(rows.iter().map(|row| (row["sequence"].as_u64().expect("a number"), text(&row["digest"]))));
            match page["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => break,
            }
        }
        reports.sort();
        reports
    }

    /// A JSON answer of the API.
    pub fn get(&self, path: &str) -> Value {
        let request = ureq::get(format!("{}{path}", self.url())).header("authorization", self.bearer());
        request.call().expect("the API answers").body_mut().read_json().expect("it answers in JSON")
    }

    /// Sends JSON to the API, and gives its answer.
    pub fn post(&self, path: &str, body: &Value) -> Value {
        let request = ureq::post(format!("{}{path}", self.url())).header("authorization", self.bearer());
        request.send_json(body).expect("the API takes it").body_mut().read_json().expect("it answers in JSON")
    }

    /// An answer of the API that is no JSON.
    pub fn text(&self, path: &str) -> String {
        let request = ureq::get(format!("{}{path}", self.url())).header("authorization", self.bearer());
        request.call().expect("the API answers").body_mut().read_to_string().expect("it answers in text")
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Finished {
        Finished::of(self.command(arguments))
    }

    /// Runs a command to its end, with a line on its standard input.
    pub fn run_with_input(&self, arguments: &[&str], line: &str) -> Finished {
        Finished::with_input(self.command(arguments), &format!("{line}\n"))
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.token)
    }

    fn is_healthy(&self) -> bool {
        let Ok(mut stream) = TcpStream::connect(self.address) else { return false };
        let asked = write!(stream, "GET /healthz HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", self.address);
        let mut status = String::new();
        asked.is_ok() && BufReader::new(stream).read_line(&mut status).is_ok() && status.contains(" 200 ")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary("seatline-central"));
        command.args(arguments).env("SEATLINE_CENTRAL_DIR", self.dir()).env("SEATLINE_CENTRAL_URL", self.url());
        command.envs(self.database.iter().map(|database| ("SEATLINE_CENTRAL_DATABASE", database)));
        command
    }
}

/// An address of the loopback network that no other story has: it is the same after a restart, and closed meanwhile.
pub(crate) fn own_address() -> SocketAddr {
    static MADE: AtomicU8 = AtomicU8::new(1);
    let [_, _, high, low] = std::process::id().to_be_bytes();
    let own = Ipv4Addr::new(127, 1 + high % 250, low, MADE.fetch_add(1, Ordering::Relaxed));
    SocketAddr::from((own, 8095))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}
