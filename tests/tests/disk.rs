//! A data directory whose disk is full, or read-only, under a running agent: the product goes on, every refusal has its
//! reason, nothing that was there is lost, and all goes on by itself when the disk is mended (`a7`, `g3`).

use seatline_tests::{Agent, Central, PASSWORD, Serving, Vendor};
use serde_json::{Value, json};

/// Larger than all that the agent has, which is mostly its plugin.
const DISK: u64 = 32 << 20;

/// A linked agent on a disk of its own, which serves, with a license for 70 users that gives `sso`.
struct Story {
    vendor: Vendor,
    central: Central,
    agent: Agent,
    link: String,
    token: String,
    serving: Serving,
    browser: ureq::Agent,
}

impl Story {
    fn begin() -> Self {
        let (vendor, central) = (Vendor::new(), Central::start());
        let mut agent = Agent::new(&vendor);
        agent.put_on_disk(DISK);
        agent.run(&["license", "set", &vendor.license(70, &["--id", "OLD", "--feature", "sso"])]).ok();
        let link = agent.link(&central.invite())["link"]["link"].as_str().expect("an id").to_owned();
        agent.run(&["sync"]).ok();
        let token = agent.run(&["token", "create", "--name", "wiki", "--role", "admin", "--json"]).json();
        let token = token["token"].as_str().expect("a token").to_owned();
        let serving = agent.serve();
        let browser = ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0).build().into();
        Self { vendor, central, agent, link, token, serving, browser }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.serving.url())
    }

    /// What the local API answers: the status, and its JSON.
    fn ask(&self, path: &str) -> (u16, Value) {
        let request = self.browser.get(self.url(path)).header("authorization", format!("Bearer {}", self.token));
        let mut answer = request.call().expect("an answer");
        (answer.status().as_u16(), answer.body_mut().read_json().expect("JSON"))
    }

    /// Sets a key over the local API.
    fn set(&self, key: &str) -> (u16, Value) {
        let request =
            self.browser.post(self.url("/v1/licenses")).header("authorization", format!("Bearer {}", self.token));
        let mut answer = request.send_json(json!({ "key": key })).expect("an answer");
        (answer.status().as_u16(), answer.body_mut().read_json().expect("JSON"))
    }

    /// The license page, as somebody sees it who signs in now.
    fn license_page(&self) -> String {
        let form = [("name", "ada"), ("password", PASSWORD)];
        let signed_in = self.browser.post(self.url("/sign-in")).send_form(form).expect("an answer");
        assert_eq!(signed_in.status(), 303, "one can sign in");
        let cookie =
            signed_in.headers()["set-cookie"].to_str().expect("a cookie").split(';').next().expect("its value");
        let mut page = self.browser.get(self.url("/license")).header("cookie", cookie).call().expect("an answer");
        assert_eq!(page.status(), 200);
        page.body_mut().read_to_string().expect("a page")
    }

    /// What must hold while nothing can be written: with `reason` in every refusal.
    fn holds_without_writing(&self, reason: &str) {
        assert_eq!(self.ask("/v1/features/sso").1["enabled"], true, "features are answered from memory");
        assert_eq!(self.ask("/v1/standing").1["standing"]["verdict"], "licensed");
        assert!(self.license_page().contains("OLD"), "the license page can be reached");

        let (status, refusal) = self.set(&self.vendor.license(90, &["--id", "NEW"]));
        let (code, message) = (&refusal["code"], refusal["message"].as_str().unwrap_or_default());
        assert_eq!((status, code), (503, &"store-io".into()), "{refusal}");
        assert!(message.contains(reason), "{message}");
        let line =
            self.agent.run(&["license", "set", &self.vendor.license(90, &["--id", "NEWER"])]).refused("store-io");
        assert!(line.contains(reason), "{line}");
        let line = self.agent.run(&["sync"]).refused("store-io");
        assert!(line.contains(reason), "{line}");
        let doctor = self.agent.run(&["doctor"]);
        assert!(doctor.stdout.contains(reason), "{}", doctor.stdout);
    }

    /// What must hold once it is mended: nothing is lost, and everything goes on.
    fn goes_on(&self) {
        let shown = self.ask("/v1/licenses").1.to_string();
        assert!(shown.contains("OLD") && !shown.contains("NEW"), "what was refused is not there: {shown}");
        assert_eq!(self.set(&self.vendor.license(80, &["--id", "LATER"])).0, 200);
        self.agent.run(&["sync"]).ok();
        let sequences: Vec<u64> = self.central.reports(&self.link).into_iter().map(|(sequence, _)| sequence).collect();
        let whole: Vec<u64> = (1..=sequences.len() as u64).collect();
        assert_eq!(sequences, whole, "the chain is whole");
        assert_eq!(self.central.licenses()["troubles"].as_array().map(Vec::len), Some(0));
    }
}

#[test]
fn a7_a_full_disk_stops_no_product_and_loses_nothing() {
    let story = Story::begin();
    story.agent.disk().fill();
    story.holds_without_writing("free some space there");
    story.agent.disk().make_room();
    story.goes_on();
}

#[test]
fn a7_a_disk_that_became_read_only_stops_no_product_and_loses_nothing() {
    let story = Story::begin();
    story.agent.disk().set_read_only(true);
    story.holds_without_writing("mount its file system for writing");
    story.agent.disk().set_read_only(false);
    story.goes_on();
}
