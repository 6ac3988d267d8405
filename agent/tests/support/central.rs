//! A central server that nobody can reach: its documents, sealed by the test, travel by file. The real one stands on
//! the other side in the workspace's `tests/`.

use jiff::{SignedDuration, Timestamp};
use seatline_protocol::pairing::{Secret, WelcomeState};
use seatline_protocol::{
    Counting, Digest, ExchangeRequest, ExchangeResponse, Invite, Join, LinkId, Receipt, ReceiptVerdict, Removal,
    Report, SecretKey, Settings, Welcome, seal,
};

use super::agent::{Agent, Finished};

/// The key and the link of such a server.
pub struct Central {
    /// Its key.
    pub key: SecretKey,
    link: LinkId,
}

impl Central {
    /// The server, the same in all tests.
    pub fn new() -> Self {
        Self::with_key(3)
    }

    /// Another server that claims the same link.
    pub fn with_key(seed: u8) -> Self {
        Self { key: SecretKey::from_seed(&[seed; 32]), link: LinkId::from_random([5; 24]) }
    }

    /// An invite that holds for an hour.
    pub fn invite(&self) -> String {
        self.invite_for(SignedDuration::from_hours(1))
    }

    /// An invite that holds for `expires_in` from now.
    pub fn invite_for(&self, expires_in: SignedDuration) -> String {
        let invite = Invite {
            // Nobody listens on port 1 of the loopback interface.
            central_url: "http://127.0.0.1:1".to_owned(),
            central_name: "Example Central".to_owned(),
            secret: Secret::from_bytes([6; 32]),
            issued_at: Timestamp::now(),
            expires_at: Timestamp::now() + expires_in,
            application: Some("Wiki".to_owned()),
            return_url: None,
        };
        seal::seal_introducing(&invite, &self.key).expect("an invite")
    }

    /// That the link was removed.
    pub fn removal(&self, link: LinkId) -> ExchangeResponse {
        let removal = Removal { link, removed_at: Timestamp::now() };
        let removal = seal::seal(&removal, &self.key).expect("a removal");
        ExchangeResponse { removal: Some(removal), ..Default::default() }
    }

    /// The answer to the join of `agent`: approved, with settings.
    pub fn approval(&self, agent: &Agent) -> ExchangeResponse {
        let (link, issued_at) = (self.link.clone(), Timestamp::now());
        let key = seal::key_id::<Join>(&agent.exported().join.expect("the join")).expect("its key");
        let state = WelcomeState::Approved { pseudonym_key: Secret::from_bytes([8; 32]) };
        let welcome = Welcome { key, link: link.clone(), application: "Wiki".to_owned(), issued_at, state };
        ExchangeResponse {
            welcome: Some(seal::seal(&welcome, &self.key).expect("a welcome")),
            settings: Some(self.settings(1, None)),
            ..Default::default()
        }
    }

    /// That it wants a count at once, as the change of its settings that it is.
    pub fn wish(&self, revision: u64) -> ExchangeResponse {
        ExchangeResponse { settings: Some(self.settings(revision, Some(Timestamp::now()))), ..Default::default() }
    }

    fn settings(&self, revision: u64, demanded_at: Option<Timestamp>) -> String {
        let settings = Settings {
            link: self.link.clone(),
            revision,
            issued_at: Timestamp::now(),
            interval: 600,
            dormancy_days: 30,
            counting: Counting::FirstSignIn,
            demanded_at,
            replace_key: None,
            takes_repeats: false,
        };
        seal::seal(&settings, &self.key).expect("settings")
    }

    /// Links an agent, and approves the link by file.
    pub fn links(&self, agent: &Agent) {
        agent.run(&["link", "accept", &self.invite(), "--yes"]).ok();
        let join = agent.exported().join.expect("the join");
        let (join, _) = seal::open_introduced::<Join>(&join).expect("a sealed join");
        assert_eq!(join.product.id.as_str(), "acme-wiki");
        let taken = answer(agent, &self.approval(agent)).json();
        assert_eq!(taken["settings_changed"], true);
    }

    /// The answer to reports: a receipt for each.
    pub fn receipts(&self, reports: &[(String, Report)]) -> ExchangeResponse {
        let receipt = |(sealed, report): &(String, Report)| {
            let receipt = Receipt {
                link: self.link.clone(),
                sequence: report.sequence,
                report: Digest::of(sealed.as_bytes()),
                received_at: Timestamp::now(),
                verdict: ReceiptVerdict::Chained,
            };
            seal::seal(&receipt, &self.key).expect("a receipt")
        };
        ExchangeResponse { receipts: reports.iter().map(receipt).collect(), ..Default::default() }
    }
}

impl Agent {
    /// What is exported.
    pub fn exported(&self) -> ExchangeRequest {
        serde_json::from_str(&self.run(&["report", "export", "-"]).ok()).expect("a request")
    }

    /// The sealed reports that wait, and what they say.
    pub fn waiting(&self) -> Vec<(String, Report)> {
        self.exported().reports.into_iter().map(|sealed| (sealed.clone(), open(&sealed))).collect()
    }
}

/// Gives an agent an answer by file.
pub fn answer(agent: &Agent, response: &ExchangeResponse) -> Finished {
    let path = agent.path("answer.json");
    std::fs::write(&path, serde_json::to_string(response).expect("JSON")).expect("the answer");
    agent.run(&["report", "import-receipts", path.to_str().expect("a path"), "--json"])
}

/// What a sealed report says, unverified.
pub fn open(sealed: &str) -> Report {
    use base64::Engine as _;
    let body = sealed.strip_prefix("v4.public.").and_then(|rest| rest.split('.').next()).expect("a token");
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(body).expect("base64");
    serde_json::from_slice(&bytes[..bytes.len() - 64]).expect("a report")
}
