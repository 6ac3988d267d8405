//! What a report costs on disk, of a real file, and of PostgreSQL; row, indexes and all that is kept with it.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use rusqlite::Connection;
use seatline_central::domain::{
    Act, Actor, Admitted, Application, ApplicationId, EntryId, Incoming, InviteId, InviteRecord, Redeemed, Redemption,
    TokenHash,
};
use seatline_central::store::sql::{DATABASE_FILE, PostgresAddress, SqlStore};
use seatline_central::store::{Applications as _, Identity as _, Invites as _, Reports as _};
use seatline_protocol::repeat::{MAX_AGE, Repeated};
use seatline_protocol::report::{Outcome, ProductFacts, Reporter};
use seatline_protocol::{
    AccountCounts, Collected, Counting, Digest, Entry, LinkId, Repeat, Report, SecretKey, Sequence, ServerId, seal,
};
use seatline_tests::postgres::Postgres;
use tokio::task::JoinSet;

/// The products of the fleet: their reports come by turns, so that no index is filled in its order.
const PRODUCTS: u8 = 60;
/// The hours for which each of them says nothing new: with a whole report each week, as products make them.
const HOURS: usize = 2 * 168;
/// What an unchanged report may cost, in bytes.
const BOUND: f64 = 400.0;

fn begin() -> Timestamp {
    Timestamp::from_second(1_800_000_000).expect("a time")
}

fn key(n: u8) -> SecretKey {
    SecretKey::from_seed(&[n; 32])
}

fn facts(n: u8) -> ProductFacts {
    ProductFacts {
        id: "acme-wiki".parse().expect("a product id"),
        name: "Acme Wiki".to_owned(),
        version: "9.2.1".to_owned(),
        edition: None,
        server_id: ServerId::from_random([n; 20]),
        staging: false,
        nodes: Vec::new(),
    }
}

/// An id takes five bits of each byte.
fn link_id(n: u8) -> LinkId {
    let mut bytes = [n & 31; 24];
    bytes[0] = n >> 5;
    LinkId::from_random(bytes)
}

async fn linked(store: &SqlStore, n: u8) -> LinkId {
    let act = || Act { actor: Actor::command_line("story"), at: begin(), id: EntryId::from_random([n; 12]) };
    let application = Application {
        id: ApplicationId::from_random([n; 12]),
        name: format!("Wiki {n}").parse().expect("a name"),
        product: "acme-wiki".parse().expect("a product id"),
        url: None,
        created_at: begin(),
        link: None,
    };
    store.add_application(&act(), &application).await.expect("added");
    let invite = InviteRecord {
        id: InviteId::from_random([n; 12]),
        secret: TokenHash::of(&[n; 32]),
        application: Some(application.id),
        created_at: begin(),
        expires_at: begin() + SignedDuration::from_mins(30),
    };
    let act = Act { id: EntryId::from_random([n + 100; 12]), ..act() };
    store.add_invite(&act, &invite).await.expect("kept");
    let (key, link) = (key(n).public(), link_id(n));
    let redemption = Redemption { secret: invite.secret, key, product: facts(n), link, now: begin() };
    match store.redeem(&redemption).await.expect("redeemed") {
        Redeemed::Link(link) => link.id,
        other => panic!("no link: {other:?}"),
    }
}

/// A product that reports what the agent would: a repeat wherever nothing has changed, and a whole report each week.
struct Product {
    n: u8,
    link: LinkId,
    head: Option<(Sequence, Digest)>,
    said: Option<(Repeated, Timestamp)>,
}

impl Product {
    fn report(&mut self, at: Timestamp) -> Incoming {
        let sequence = self.head.as_ref().map_or(Some(Sequence::FIRST), |(head, _)| head.next()).expect("a number");
        let previous = self.head.as_ref().map(|(_, digest)| digest.clone());
        let entry = match (&self.said, previous.clone()) {
            (Some((repeats, since)), Some(previous)) if at.duration_since(*since) < MAX_AGE => Entry::Repeat(Repeat {
                repeats: repeats.clone(),
                link: self.link.clone(),
                sequence,
                previous,
                observed_at: at,
                trigger: "interval".to_owned(),
            }),
            _ => self.full(sequence, previous, at).into(),
        };
        let sealed = seal::seal_entry(&entry, &key(self.n)).expect("sealed");
        let digest = Digest::of(sealed.as_bytes());
        if entry.full().is_some() {
            self.said = Some((Repeated { sequence, digest: digest.clone() }, at));
        }
        self.head = Some((sequence, digest.clone()));
        Incoming { sealed, digest, entry, key: key(self.n).public().id() }
    }

    fn full(&self, sequence: Sequence, previous: Option<Digest>, observed_at: Timestamp) -> Report {
        let accounts = AccountCounts {
            total: 60,
            counted: 60,
            deactivated: 0,
            no_access: 0,
            never_signed_in: 0,
            service_accounts: 0,
            dormant: 3,
            dormancy_days: 90,
            counting: Counting::Account,
        };
        // As many bytes as a sketch of sixty people, and a standing, have.
        let collected =
            Collected { accounts: Some(accounts), people: Some(vec![self.n; 1200]), ..Collected::default() };
        Report {
            link: self.link.clone(),
            sequence,
            previous,
            observed_at,
            trigger: "interval".to_owned(),
            reporter: Reporter { host: "0.1.0".to_owned(), plugin: None },
            product: facts(self.n),
            outcome: Outcome::Collected(Box::new(collected)),
        }
    }
}

/// Lets the fleet report once, and then for two weeks by the hour; gives what was stored for each report of these
/// weeks.
async fn bytes_of_a_report(store: SqlStore, bytes: impl Fn() -> u64) -> f64 {
    let store = Arc::new(store);
    let mut fleet = Vec::new();
    for n in 1..=PRODUCTS {
        fleet.push(Product { n, link: linked(&store, n).await, head: None, said: None });
    }
    let (mut before, mut last) = (0, Vec::new());
    for hour in 0..=HOURS {
        let now = begin() + SignedDuration::from_hours(i64::try_from(hour).expect("few"));
        last.clear();
        for product in &mut fleet {
            last.push((product.link.clone(), product.report(now)));
        }
        // All at once, as a fleet does it: the order in which they come to the database is any.
        let mut lanes = JoinSet::new();
        for (link, report) in last.clone() {
            let store = Arc::clone(&store);
            lanes.spawn(async move { store.admit(&link, vec![report], now).await.expect("answered").answers });
        }
        while let Some(answers) = lanes.join_next().await {
            let answers = answers.expect("it ends");
            assert!(matches!(answers[..], [Admitted::Stored { .. }]), "{answers:?}");
        }
        if hour == 0 {
            before = bytes();
        }
    }
    for (link, report) in last {
        let stored = store.sealed_report(&link, report.entry.sequence()).await.expect("read");
        assert_eq!(stored, Some(report.sealed), "all of it is evidence");
    }
    (bytes() - before) as f64 / (HOURS * usize::from(PRODUCTS)) as f64
}

/// Twenty thousand reports, of which nearly all repeat, in a file of SQLite.
#[tokio::test(flavor = "multi_thread")]
async fn b12_an_unchanged_report_costs_at_most_400_bytes_where_its_evidence_is_kept() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join(DATABASE_FILE);
    let store = SqlStore::sqlite(&path).expect("a store");
    let file = Connection::open(&path).expect("the file");
    let bytes = || {
        let read = |what| file.pragma_query_value(None, what, |row| row.get::<_, u64>(0)).expect("a number");
        read("page_count") * read("page_size")
    };
    let cost = bytes_of_a_report(store, bytes).await;
    eprintln!("an unchanged report costs {cost:.0} bytes in SQLite");
    assert!((150.0..=BOUND).contains(&cost), "{cost} bytes");
}

/// The same in PostgreSQL.
#[tokio::test(flavor = "multi_thread")]
async fn b12_an_unchanged_report_costs_at_most_400_bytes_in_postgresql_too() {
    let server = tokio::task::spawn_blocking(Postgres::start).await.expect("it starts");
    let address = PostgresAddress::parse(&server.address("owner", "wiki")).expect("an address");
    let store = SqlStore::postgres(address).await.expect("a store");
    store.check().await.expect("it is there");
    // What PostgreSQL keeps of rows that were replaced is used again, and no part of what a report costs.
    let bytes = || {
        let sum = "SELECT SUM(pg_total_relation_size(oid))::bigint FROM pg_class
                   WHERE relkind = 'r' AND (relname LIKE 'reports%' OR relname IN ('repeated', 'history_runs'))";
        let asked = || {
            let size: i64 = server.client().query_one(sum, &[]).expect("the sizes").get(0);
            size.unsigned_abs()
        };
        // The client has a runtime of its own, which cannot run inside another one.
        std::thread::scope(|scope| scope.spawn(asked).join().expect("asked"))
    };
    let cost = bytes_of_a_report(store, bytes).await;
    eprintln!("an unchanged report costs {cost:.0} bytes in PostgreSQL");
    assert!((150.0..=BOUND).contains(&cost), "{cost} bytes");
}
