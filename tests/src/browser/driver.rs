//! chromedriver with one session of Chromium, and the commands of WebDriver that the stories use.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use ureq::Agent;

/// Runs "$@" until our standard input closes, however this process ends; then ends it with all that it started, and
/// removes $0.
const GUARD: &str = r#"setsid "$@" & driver=$!; cat > /dev/null; kill -TERM -$driver; wait $driver; rm -rf "$0""#;
/// What a command may take. Nothing is measured by it.
const PATIENCE: Duration = Duration::from_secs(120);
/// No window, no update, no word to its maker; no sandbox, because the tests may run as root.
const ARGUMENTS: [&str; 10] = [
    "--headless",
    "--hide-scrollbars",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
];

/// A browser with one page. It ends when this is dropped.
#[derive(Debug)]
pub struct Chromium {
    agent: Agent,
    session: String,
    guard: Child,
    _profile: TempDir,
}

impl Chromium {
    /// A new browser with a profile of its own.
    ///
    /// # Panics
    /// Where it is not installed, or does not start.
    pub fn start() -> Self {
        let profile = tempfile::Builder::new().prefix("chromium").tempdir().expect("a temporary directory");
        let mut guard = guarded_driver(profile.path());
        let port = port(&mut guard);
        let config = Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE)).proxy(None);
        let agent = config.build().new_agent();
        let mut chromium = Self { agent, session: String::new(), guard, _profile: profile };
        let mut arguments: Vec<String> = ARGUMENTS.map(str::to_owned).to_vec();
        arguments.push(format!("--user-data-dir={}", chromium._profile.path().join("profile").display()));
        let wanted = json!({
            "browserName": "chrome",
            "goog:chromeOptions": { "args": arguments },
            "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
        });
        let driver = format!("http://127.0.0.1:{port}/session");
        let begun = chromium.send("POST", &driver, &json!({ "capabilities": { "alwaysMatch": wanted } }));
        chromium.session = format!("{driver}/{}", begun["sessionId"].as_str().expect("a session"));
        chromium
    }

    /// Opens an address, and waits until it has loaded.
    pub fn open(&self, url: &str) {
        self.post("/url", json!({ "url": url }));
    }

    /// The address of the page.
    pub fn address(&self) -> String {
        text(&self.get("/url"))
    }

    /// The title of the page.
    pub fn title(&self) -> String {
        text(&self.get("/title"))
    }

    /// The text of the page, as it is shown.
    pub fn text(&self) -> String {
        self.find("body").text()
    }

    /// The page's document as it is now: what scripts have added is in it.
    pub fn source(&self) -> String {
        text(&self.get("/source"))
    }

    /// From the next page on, no page runs a script.
    pub fn forbid_scripts(&self) {
        self.devtools("Emulation.setScriptExecutionDisabled", json!({ "value": true }));
    }

    /// What a script gives that is run as the body of a function in the page, whatever the page's own policy.
    pub fn run(&self, script: &str) -> Value {
        self.post("/execute/sync", json!({ "script": script, "args": [] }))
    }

    /// What the promise comes to that a script gives.
    pub fn run_to_end(&self, script: &str) -> Value {
        let script = format!(
            "const done = arguments[0]; (async () => {{ {script} }})().then(done, error => done(`failed: ${{error}}`))"
        );
        self.post("/execute/async", json!({ "script": script, "args": [] }))
    }

    /// The one element of the page that this selector of CSS finds.
    ///
    /// # Panics
    /// When there is none.
    pub fn find(&self, selector: &str) -> Element<'_> {
        self.seek(selector).unwrap_or_else(|| panic!("the page has no {selector}"))
    }

    /// As [`Self::find`], where it may be missing.
    fn seek(&self, selector: &str) -> Option<Element<'_>> {
        let found = self.post("/elements", json!({ "using": "css selector", "value": selector }));
        let id = found.get(0)?.as_object()?.values().next().map(text)?;
        Some(Element { chromium: self, id })
    }

    /// A command of Chromium's own protocol.
    pub fn devtools(&self, command: &str, parameters: Value) -> Value {
        self.post("/goog/cdp/execute", json!({ "cmd": command, "params": parameters }))
    }

    /// What was logged since it was asked last.
    pub(super) fn log(&self, kind: &str) -> Vec<Value> {
        let entries = self.post("/se/log", json!({ "type": kind }));
        entries.as_array().cloned().unwrap_or_default()
    }

    /// Presses and releases keys, one after the other.
    pub(super) fn press(&self, keys: &str) {
        let key = |key: char| ["keyDown", "keyUp"].map(|kind| json!({ "type": kind, "value": key.to_string() }));
        let actions: Vec<Value> = keys.chars().flat_map(key).collect();
        self.post("/actions", json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": actions }] }));
    }

    fn get(&self, path: &str) -> Value {
        self.send("GET", &format!("{}{path}", self.session), &Value::Null)
    }

    fn post(&self, path: &str, body: Value) -> Value {
        self.send("POST", &format!("{}{path}", self.session), &body)
    }

    fn send(&self, method: &str, url: &str, body: &Value) -> Value {
        let answer = match method {
            "GET" => self.agent.get(url).call(),
            _ => self.agent.post(url).send_json(body),
        };
        let mut answer = answer.unwrap_or_else(|error| panic!("chromedriver does not answer: {error}"));
        let status = answer.status().as_u16();
        // A screenshot of a long page is longer than what ureq reads by itself.
        let read = answer.body_mut().with_config().limit(256 * 1024 * 1024).read_json::<Value>();
        let mut read = read.expect("chromedriver answers with JSON");
        let value = read["value"].take();
        assert_eq!(status, 200, "chromedriver refuses {url}: {}", value["message"].as_str().unwrap_or_default());
        value
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // The browser ends with its session, also when a test has failed; the guard sees to the rest.
        let _ = self.agent.delete(&self.session).call();
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}

/// An element of a page.
pub struct Element<'c> {
    chromium: &'c Chromium,
    id: String,
}

impl Element<'_> {
    /// Its text, as it is shown.
    pub fn text(&self) -> String {
        text(&self.chromium.get(&format!("/element/{}/text", self.id)))
    }

    /// Clicks it, as a mouse does.
    pub fn click(&self) {
        self.chromium.post(&format!("/element/{}/click", self.id), json!({}));
    }

    /// Clicks it, and waits until another page is there.
    pub fn click_through(&self) {
        let before = self.chromium.find("html").id;
        self.click();
        // Between the two there is a moment without any.
        crate::until("another page", || self.chromium.seek("html").filter(|after| after.id != before).map(drop));
    }

    /// Types into it.
    pub fn write(&self, what: &str) {
        self.chromium.post(&format!("/element/{}/value", self.id), json!({ "text": what }));
    }
}

fn guarded_driver(dir: &Path) -> Child {
    let is_there =
        |program: &str| Command::new(program).arg("--version").output().is_ok_and(|seen| seen.status.success());
    for program in ["chromium", "chromedriver"] {
        let packages = "Debian's packages `chromium` and `chromium-driver`, which `cargo xtask test` installs";
        assert!(is_there(program), "`{program}` is missing, which this test needs: see {packages}");
    }
    let mut guard = Command::new("/bin/sh");
    guard.arg("-c").arg(GUARD).arg(dir).args(["chromedriver", "--port=0"]);
    guard.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    guard.spawn().expect("a shell starts")
}

/// The port that chromedriver has taken, as it says itself.
fn port(guard: &mut Child) -> u16 {
    let mut said = BufReader::new(guard.stdout.take().expect("it was piped"));
    let mut line = String::new();
    while said.read_line(&mut line).expect("it says something") > 0 {
        let port = line
            .split_once("successfully on port ")
            .and_then(|(_, rest)| rest.trim_end_matches(['.', '\n']).parse().ok());
        if let Some(port) = port {
            // Whatever it says later must not fill the pipe.
            std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
            return port;
        }
        line.clear();
    }
    panic!("chromedriver ended before it served");
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}
