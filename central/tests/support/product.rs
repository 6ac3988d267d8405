//! A product at the other end of a link, made of the protocol alone.

use std::time::Duration;

use jiff::Timestamp;
use seatline_protocol::pairing::WelcomeState;
use seatline_protocol::repeat::Repeated;
use seatline_protocol::report::{NodeFacts, Outcome, ProductFacts, Reporter};
use seatline_protocol::seal::{open, open_introduced, seal, seal_introducing};
use seatline_protocol::{
    AccountCounts, Collected, Counting, Digest, ExchangeRequest, ExchangeResponse, Invite, Join, LinkId, PublicKey,
    Receipt, Refusal, Repeat, Report, SecretKey, Sequence, ServerId, Settings, Welcome,
};

use super::{Central, agent};

/// A product with its link key, its chain, and what central told it.
#[derive(Clone)]
pub struct Product {
    pub key: SecretKey,
    pub central: PublicKey,
    pub invite: Invite,
    pub link: Option<LinkId>,
    pub state: Option<WelcomeState>,
    pub settings: Option<Settings>,
    pub receipts: Vec<Receipt>,
    /// The sealed reports that it has made, the first first.
    pub sealed: Vec<String>,
}

impl Product {
    /// A product whose administrator was handed an invite.
    pub fn new(seed: u8, invite: &str) -> Self {
        let (invite, central) = open_introduced::<Invite>(invite).expect("an invite");
        Self {
            key: SecretKey::from_seed(&[seed; 32]),
            central,
            invite,
            link: None,
            state: None,
            settings: None,
            receipts: Vec::new(),
            sealed: Vec::new(),
        }
    }

    pub fn facts(&self) -> ProductFacts {
        ProductFacts {
            id: "acme-wiki".parse().expect("a product id"),
            name: "Acme Wiki".to_owned(),
            version: "9.2.1".to_owned(),
            edition: Some("enterprise".to_owned()),
            server_id: ServerId::from_random([self.key.public().as_bytes()[0]; 20]),
            staging: false,
            nodes: vec![NodeFacts { id: "node-1".to_owned(), version: "9.2.1".to_owned() }],
        }
    }

    /// Its sealed wish to be linked.
    pub fn join(&self) -> String {
        let join = Join { secret: self.invite.secret.clone(), issued_at: Timestamp::now(), product: self.facts() };
        seal_introducing(&join, &self.key).expect("sealed")
    }

    /// The report that comes next in its chain, not yet a part of it.
    pub fn draft(&self, outcome: Outcome) -> Report {
        let sequence = Sequence::try_from(self.sealed.len() as u64 + 1).expect("a sequence number");
        Report {
            link: self.link.clone().expect("it is linked"),
            sequence,
            previous: self.sealed.last().map(|sealed| Digest::of(sealed.as_bytes())),
            observed_at: Timestamp::now(),
            trigger: "interval".to_owned(),
            reporter: Reporter { host: "0.1.0".to_owned(), plugin: None },
            product: self.facts(),
            outcome,
        }
    }

    /// Seals a report of any content.
    pub fn seal(&self, report: &Report) -> String {
        seal(report, &self.key).expect("sealed")
    }

    /// Counts so many users, and gives the sealed report, which is now a part of its chain.
    pub fn report(&mut self, users: u64) -> String {
        let sealed = self.seal(&self.draft(counts(users)));
        self.sealed.push(sealed.clone());
        sealed
    }

    /// Says that nothing has changed since its n-th report, and gives the sealed repeat, which is now a part of its
    /// chain.
    pub fn repeat(&mut self, n: usize) -> String {
        let repeats = Repeated { sequence: number(n), digest: Digest::of(self.sealed[n - 1].as_bytes()) };
        let repeat = Repeat {
            repeats,
            link: self.link.clone().expect("it is linked"),
            sequence: number(self.sealed.len() + 1),
            previous: Digest::of(self.sealed.last().expect("a report").as_bytes()),
            observed_at: Timestamp::from_millisecond(Timestamp::now().as_millisecond()).expect("a time"),
            trigger: "interval".to_owned(),
        };
        let sealed = seal(&repeat, &self.key).expect("sealed");
        self.sealed.push(sealed.clone());
        sealed
    }

    /// Joins, over the network.
    pub fn exchange(&self, central: &Central) -> ExchangeResponse {
        send(central, &ExchangeRequest { join: Some(self.join()), ..Default::default() })
    }

    /// Sends reports, over the network.
    pub fn send(&self, central: &Central, reports: &[String]) -> ExchangeResponse {
        send(central, &ExchangeRequest { reports: reports.to_vec(), ..Default::default() })
    }

    /// Opens what central answered, as sealed by the key that the invite pinned; gives the refusals.
    pub fn take(&mut self, response: &ExchangeResponse) -> Vec<Refusal> {
        let keys = std::slice::from_ref(&self.central);
        if let Some(welcome) = &response.welcome {
            let welcome: Welcome = open(welcome, keys).expect("sealed by the pinned key");
            self.link = Some(welcome.link);
            self.state = Some(welcome.state);
        }
        if let Some(settings) = &response.settings {
            self.settings = Some(open(settings, keys).expect("sealed by the pinned key"));
        }
        for receipt in &response.receipts {
            self.receipts.push(open(receipt, keys).expect("sealed by the pinned key"));
        }
        response.refusals.clone()
    }

    /// The codes of the refusals that reports are answered by.
    pub fn refused(&self, central: &Central, reports: &[String]) -> Vec<String> {
        let response = self.send(central, reports);
        assert_eq!(response.receipts, Vec::<String>::new());
        for refusal in &response.refusals {
            assert!(!refusal.message.is_empty() && !refusal.message.contains('\n'), "one line: {refusal:?}");
        }
        response.refusals.into_iter().map(|refusal| refusal.code).collect()
    }
}

fn number(n: usize) -> Sequence {
    Sequence::try_from(n as u64).expect("a sequence number")
}

/// One exchange over the network, which must be answered by 200.
pub fn send(central: &Central, request: &ExchangeRequest) -> ExchangeResponse {
    try_send(central.url(), request).expect("answered")
}

/// One exchange over the network; none where the server is not there.
pub fn try_send(url: &str, request: &ExchangeRequest) -> Option<ExchangeResponse> {
    let sent = agent()
        .post(format!("{url}/link/v1/exchange"))
        .config()
        .timeout_global(Some(Duration::from_secs(20)))
        .build()
        .send_json(request);
    let mut response = sent.ok()?;
    assert_eq!(response.status(), 200);
    response.body_mut().read_json().ok()
}

/// What a run came to that counted so many users.
pub fn counts(users: u64) -> Outcome {
    let accounts = AccountCounts {
        total: users + 10,
        counted: users,
        deactivated: 4,
        no_access: 3,
        never_signed_in: 2,
        service_accounts: 1,
        dormant: users / 2,
        dormancy_days: 90,
        counting: Counting::FirstSignIn,
    };
    Outcome::Collected(Box::new(Collected { accounts: Some(accounts), ..Collected::default() }))
}
