//! A product, its host, and a central server whose answers the tests seal.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use seatline_host::link::RemovedLink;
use seatline_host::plugins::Consent;
use seatline_host::ports::{
    Account, AccountSink, DatabaseIdentity, DatabasePlace, Description, LastSeen, Node, PortError, Product,
};
use seatline_host::sandbox::Grants;
use seatline_host::store::{Directory, StateStore};
use seatline_host::{Host, HostOptions};
use seatline_protocol::pairing::{Secret, WelcomeState};
use seatline_protocol::{
    Counting, Digest, Document, Entry, ExchangeResponse, Invite, Join, KeyId, License, LinkId, PublicKey, Receipt,
    ReceiptVerdict, Report, SecretKey, Sequence, Settings, Welcome, seal,
};

pub fn at(time: &str) -> Timestamp {
    time.parse().expect("a time")
}

/// What happens while the product gives its accounts.
type Meanwhile = Box<dyn FnOnce() + Send>;

/// A wiki with three accounts that count.
#[derive(Default)]
pub struct Wiki {
    meanwhile: Mutex<Option<Meanwhile>>,
    more_nodes: Mutex<Vec<Node>>,
    database: Mutex<Option<Database>>,
}

/// What the product says of its database.
type Database = Box<dyn Fn() -> Result<Option<DatabaseIdentity>, PortError> + Send>;

/// The database `wiki` on this host, with data that were born with this mark.
pub fn database(host: &str, mark: &str) -> DatabaseIdentity {
    let place = DatabasePlace::Server {
        hosts: vec![(host.to_owned(), 5432)],
        database: "wiki".to_owned(),
        schema: Some("public".to_owned()),
    };
    DatabaseIdentity { place, birth_mark: mark.to_owned() }
}

impl Wiki {
    /// Lets another node run beside node-1.
    pub fn runs_node(&self, id: &str) {
        self.more_nodes.lock().expect("no panic").push(node(id));
    }

    /// Lets something happen during the next run.
    pub fn meanwhile(&self, act: impl FnOnce() + Send + 'static) {
        *self.meanwhile.lock().expect("no panic") = Some(Box::new(act));
    }

    /// From now on it says this of its database.
    pub fn says(&self, database: impl Fn() -> Result<Option<DatabaseIdentity>, PortError> + Send + 'static) {
        *self.database.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(database));
    }

    /// From now on its data are in the database `wiki` on this host, and were born with this mark.
    pub fn moves_to(&self, host: &str, mark: &str) {
        let database = database(host, mark);
        self.says(move || Ok(Some(database.clone())));
    }
}

impl Product for Wiki {
    fn describe(&self) -> Result<Description, PortError> {
        Ok(Description {
            id: "acme-wiki".parse().expect("a product id"),
            name: "Wiki".to_owned(),
            version: "1.0".to_owned(),
            edition: Some("Enterprise".to_owned()),
            released: None,
            nodes: [vec![node("node-1")], self.more_nodes.lock().expect("no panic").clone()].concat(),
        })
    }

    fn accounts(&self, sink: &mut dyn AccountSink) -> Result<(), PortError> {
        // The lock is let go before the act, in which another node may read accounts.
        let meanwhile = self.meanwhile.lock().expect("no panic").take();
        if let Some(act) = meanwhile {
            act();
        }
        for identity in ["ann@example.org", "bob@example.org", "eve@example.org"] {
            let last_seen = LastSeen::Unknown;
            sink.push(Account { identity, active: true, licensed_access: true, last_seen, service_account: false })?;
        }
        Ok(())
    }

    fn database(&self) -> Result<Option<DatabaseIdentity>, PortError> {
        self.database.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map_or(Ok(None), |says| says())
    }
}

fn node(id: &str) -> Node {
    Node { id: id.to_owned(), version: "1.0".to_owned() }
}

/// An instance in a directory of its own, at a time that the test sets.
pub struct Instance {
    pub dir: tempfile::TempDir,
    pub wiki: Arc<Wiki>,
    pub host: Arc<Host>,
    time: Arc<Mutex<Timestamp>>,
    vendors: Vec<PublicKey>,
}

impl Instance {
    /// A new instance that trusts the licenses of [`vendor`].
    pub fn new() -> Self {
        Self::trusting(&[vendor().public()])
    }

    pub fn trusting(vendors: &[PublicKey]) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let (wiki, time) = (Arc::<Wiki>::default(), Arc::new(Mutex::new(at("2026-03-01T12:00:00Z"))));
        let host = open(dir.path(), &wiki, &time, vendors);
        Self { dir, wiki, host, time, vendors: vendors.to_vec() }
    }

    /// The same state, as another process opens it.
    pub fn again(&self) -> Arc<Host> {
        self.again_trusting(&self.vendors)
    }

    /// The same state, with other vendors.
    pub fn again_trusting(&self, vendors: &[PublicKey]) -> Arc<Host> {
        open(self.dir.path(), &self.wiki, &self.time, vendors)
    }

    /// The same state, declared to be that of a staging instance.
    pub fn again_as_staging(&self) -> Arc<Host> {
        self.again_with(|options| options.staging = true)
    }

    /// The same state, with other options.
    pub fn again_with(&self, with: impl FnOnce(&mut HostOptions)) -> Arc<Host> {
        opened(self.dir.path(), &self.wiki, &self.time, |options| {
            options.vendor_keys = self.vendors.clone();
            with(options);
        })
    }

    /// The same state, through a store of the test's own.
    pub fn again_on(&self, store: impl StateStore) -> Arc<Host> {
        opened_on(store, self.dir.path(), &self.wiki, &self.time, |options| options.vendor_keys = self.vendors.clone())
    }

    pub fn set_time(&self, time: &str) {
        *self.time.lock().expect("no panic") = at(time);
    }

    /// Sets the time from elsewhere.
    pub fn time(&self) -> Arc<Mutex<Timestamp>> {
        Arc::clone(&self.time)
    }

    /// Installs the stock plugin with these grants.
    pub fn install(&self, grants: Grants) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/plugins/license-visibility.wasm");
        let bytes = fs::read(path).expect("the stock plugin is missing: run `cargo xtask build-plugin`");
        let now = at("2026-01-01T00:00:00Z");
        self.host.plugins().install(&bytes, &Consent::Granted(grants), now).expect("it is installed");
    }

    /// The reports that wait, opened.
    pub fn waiting(&self) -> Vec<Report> {
        self.entries().iter().map(|entry| entry.full().expect("a report that says all").clone()).collect()
    }

    /// The reports that wait, and the repeats.
    pub fn entries(&self) -> Vec<Entry> {
        let key = self.host.link().expect("the state").expect("a link").fingerprint;
        let reports = self.host.export_reports().expect("an export").reports;
        reports.iter().map(|sealed| content(sealed, &key)).collect()
    }
}

fn open(dir: &Path, wiki: &Arc<Wiki>, time: &Arc<Mutex<Timestamp>>, vendors: &[PublicKey]) -> Arc<Host> {
    opened(dir, wiki, time, |options| options.vendor_keys = vendors.to_vec())
}

fn opened(
    dir: &Path,
    wiki: &Arc<Wiki>,
    time: &Arc<Mutex<Timestamp>>,
    with: impl FnOnce(&mut HostOptions),
) -> Arc<Host> {
    opened_on(Directory::open(dir.join("state")).expect("a store"), dir, wiki, time, with)
}

fn opened_on(
    store: impl StateStore,
    dir: &Path,
    wiki: &Arc<Wiki>,
    time: &Arc<Mutex<Timestamp>>,
    with: impl FnOnce(&mut HostOptions),
) -> Arc<Host> {
    let mut options = HostOptions::new(Arc::clone(wiki) as Arc<dyn Product>, store, dir.join("plugins"));
    with(&mut options);
    let time = Arc::clone(time);
    options.clock = Box::new(move || *time.lock().expect("no panic"));
    Arc::new(Host::open(options).expect("a host"))
}

/// Removes whatever link there is.
pub fn unlink(host: &Host) -> RemovedLink {
    let link = host.link().expect("the state").expect("a link");
    host.remove_link(&link.fingerprint).expect("removed")
}

/// What a report says, sealed by the key with this fingerprint.
fn content(sealed: &str, fingerprint: &str) -> Entry {
    use base64::Engine as _;
    assert_eq!(seal::key_id::<Report>(sealed).expect("a key id").fingerprint(), fingerprint);
    let body = sealed.strip_prefix("v4.public.").and_then(|rest| rest.split('.').next()).expect("a token");
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(body).expect("base64");
    serde_json::from_slice(&bytes[..bytes.len() - 64]).expect("a report")
}

/// A central server.
pub struct Central {
    /// Where it is said to be reached.
    pub url: String,
    pub key: SecretKey,
    pub link: LinkId,
    /// Of what the pseudonym key is made.
    pub fleet: u8,
}

impl Central {
    pub fn new() -> Self {
        // Nobody listens on port 1 of the loopback interface.
        let url = "http://127.0.0.1:1".to_owned();
        Self { url, key: SecretKey::from_seed(&[3; 32]), link: LinkId::from_random([5; 24]), fleet: 8 }
    }

    pub fn seal<T: Document>(&self, document: &T) -> String {
        seal::seal(document, &self.key).expect("a document")
    }

    pub fn invite(&self) -> String {
        let issued_at = at("2026-03-01T11:50:00Z");
        let invite = Invite {
            central_url: self.url.clone(),
            central_name: "Example Central".to_owned(),
            secret: Secret::from_bytes([6; 32]),
            issued_at,
            expires_at: issued_at + SignedDuration::from_mins(30),
            application: None,
            return_url: None,
        };
        seal::seal_introducing(&invite, &self.key).expect("an invite")
    }

    /// Lets the instance accept an invite; gives the id of the key that it made.
    pub fn invites(&self, host: &Host) -> KeyId {
        let invite = host.open_invite(&self.invite()).expect("an invite");
        host.accept_invite(&invite).expect("a link");
        let join = host.export_reports().expect("an export").join.expect("the join");
        seal::key_id::<Join>(&join).expect("its key")
    }

    pub fn welcome(&self, key: &KeyId, state: WelcomeState) -> ExchangeResponse {
        let (key, link, issued_at) = (key.clone(), self.link.clone(), at("2026-03-01T12:00:00Z"));
        let welcome = Welcome { key, link, application: "Wiki".to_owned(), issued_at, state };
        ExchangeResponse { welcome: Some(self.seal(&welcome)), ..Default::default() }
    }

    pub fn approval(&self, key: &KeyId) -> ExchangeResponse {
        self.welcome(key, WelcomeState::Approved { pseudonym_key: Secret::from_bytes([self.fleet; 32]) })
    }

    /// Settings of the link, for a story to change.
    pub fn wanted(&self, revision: u64) -> Settings {
        Settings {
            link: self.link.clone(),
            revision,
            issued_at: at("2026-03-01T12:00:00Z"),
            interval: 3600,
            dormancy_days: 30,
            counting: Counting::Account,
            demanded_at: None,
            replace_key: None,
            takes_repeats: false,
        }
    }

    /// Settings with an interval.
    pub fn settings(&self, revision: u64, interval: u32) -> ExchangeResponse {
        self.wishes(&Settings { interval, ..self.wanted(revision) })
    }

    /// What the central server wants.
    pub fn wishes(&self, settings: &Settings) -> ExchangeResponse {
        ExchangeResponse { settings: Some(self.seal(settings)), ..Default::default() }
    }

    /// Links the instance, and approves the link.
    pub fn links(&self, host: &Host) {
        let key = self.invites(host);
        host.import_response(&self.approval(&key)).expect("approved");
    }

    /// The receipt for a report.
    pub fn receipt(&self, sequence: Sequence, sealed: &str, received_at: &str) -> String {
        self.seal(&Receipt {
            link: self.link.clone(),
            sequence,
            report: Digest::of(sealed.as_bytes()),
            received_at: at(received_at),
            verdict: ReceiptVerdict::Chained,
        })
    }

    /// Receipts for what waits, of the time `received_at`.
    pub fn receipts(&self, host: &Host, received_at: &str) -> ExchangeResponse {
        let reports = host.export_reports().expect("an export").reports;
        let first = host.status().expect("a status").exchange.last_receipt.map_or(0, |last| last.sequence.get());
        let receipts = (first + 1..)
            .zip(&reports)
            .map(|(sequence, sealed)| self.receipt(sequence.try_into().expect("a sequence"), sealed, received_at));
        ExchangeResponse { receipts: receipts.collect(), ..Default::default() }
    }
}

/// The vendor.
pub fn vendor() -> SecretKey {
    SecretKey::from_seed(&[9; 32])
}

/// A license of the wiki, in force since 2026.
pub fn license(id: &str) -> License {
    serde_json::from_value(serde_json::json!({
        "id": id, "product": "acme-wiki", "kind": "commercial", "licensee": "Example Ltd",
        "limits": [{"dimension": "users", "max": 10}], "issued": "2026-01-01T00:00:00Z",
    }))
    .expect("a license")
}

/// The key of a license, by [`vendor`].
pub fn key_of(license: &License) -> String {
    seal::seal(license, &vendor()).expect("a license key")
}
