//! `b1`: whatever arrives in whatever order, the stored chain holds together, and says truly what is missing.

use std::collections::BTreeMap;

use jiff::Timestamp;
use proptest::prelude::*;
use seatline_central::domain::{
    Act, Actor, Admitted, Application, ApplicationId, EntryId, Incoming, InviteId, InviteRecord, Redeemed, Redemption,
    TokenHash,
};
use seatline_central::store::sql::{DATABASE_FILE, SqlStore};
use seatline_central::store::{Applications as _, Invites as _, Links as _, PageSize, Reports as _};
use seatline_protocol::report::{Failure, Outcome, ProductFacts, Reporter};
use seatline_protocol::{Digest, LinkId, Report, SecretKey, Sequence, ServerId, seal};
use tempfile::TempDir;

/// How long the true chain is.
const LENGTH: usize = 8;

fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).expect("a second of this century")
}

fn link() -> LinkId {
    LinkId::from_random([1; 24])
}

fn product() -> ProductFacts {
    ProductFacts {
        id: "acme-wiki".parse().expect("a product id"),
        name: "Acme Wiki".to_owned(),
        version: "1".to_owned(),
        edition: None,
        server_id: ServerId::from_random([1; 20]),
        staging: false,
        nodes: Vec::new(),
    }
}

/// A store with one approved link.
fn act(n: u8) -> Act {
    Act { actor: Actor::command_line("story"), at: now(), id: EntryId::from_random([n; 12]) }
}

async fn linked() -> (SqlStore, TempDir) {
    let dir = tempfile::tempdir().expect("a directory");
    let store = SqlStore::sqlite(&dir.path().join(DATABASE_FILE)).expect("a store");
    let application = Application {
        id: ApplicationId::from_random([1; 12]),
        name: "Wiki".parse().expect("a name"),
        product: product().id,
        url: None,
        created_at: now(),
        link: None,
    };
    store.add_application(&act(1), &application).await.expect("added");
    let secret = TokenHash::of(b"secret");
    let invite = InviteRecord {
        id: InviteId::from_random([1; 12]),
        secret: secret.clone(),
        application: Some(application.id),
        created_at: now(),
        expires_at: now() + jiff::SignedDuration::from_mins(30),
    };
    store.add_invite(&act(2), &invite).await.expect("kept");
    let key = SecretKey::from_seed(&[1; 32]).public();
    let redemption = Redemption { secret, key, product: product(), link: link(), now: now() };
    assert!(matches!(store.redeem(&redemption).await.expect("redeemed"), Redeemed::Link(_)));
    (store, dir)
}

/// The chain of one live copy of the instance. Copy 0 is the true one; copy `n` parts from it after `n` reports.
fn chain(copy: usize) -> Vec<Incoming> {
    let mut made: Vec<Incoming> = Vec::new();
    for place in 0..LENGTH {
        let words = if copy > 0 && place >= copy { format!("copy {copy}") } else { "original".to_owned() };
        let report = Report {
            link: link(),
            sequence: Sequence::try_from(place as u64 + 1).expect("a sequence number"),
            previous: made.last().map(|before| before.digest.clone()),
            observed_at: now(),
            trigger: "interval".to_owned(),
            reporter: Reporter { host: "0.1.0".to_owned(), plugin: None },
            product: product(),
            outcome: Outcome::Failed(Failure { code: "story".to_owned(), message: words }),
        };
        let key = SecretKey::from_seed(&[1; 32]);
        let sealed = seal::seal(&report, &key).expect("sealed");
        made.push(Incoming {
            digest: Digest::of(sealed.as_bytes()),
            sealed,
            entry: report.into(),
            key: key.public().id(),
        });
    }
    made
}

/// Delivers reports in batches, and holds every answer and the chain in the end against what was answered before.
async fn deliver(batches: Vec<Vec<Incoming>>) -> (SqlStore, TempDir) {
    let (store, dir) = linked().await;
    let mut stored: BTreeMap<u64, Incoming> = BTreeMap::new();
    let mut answered: BTreeMap<String, Admitted> = BTreeMap::new();
    for (n, batch) in batches.into_iter().enumerate() {
        let at = now() + jiff::SignedDuration::from_secs(i64::try_from(n).expect("few"));
        let answers = store.admit(&link(), batch.clone(), at).await.expect("admitted").answers;
        assert_eq!(answers.len(), batch.len());
        for (incoming, answer) in batch.into_iter().zip(answers) {
            let place = incoming.entry.sequence().get();
            match (&answer, answered.get(incoming.digest.as_str())) {
                (Admitted::Stored { .. }, Some(before @ Admitted::Stored { .. })) => assert_eq!(answer, *before),
                (Admitted::Stored { .. }, _) => {
                    let other = stored.insert(place, incoming.clone());
                    assert!(other.is_none(), "two reports were admitted to place {place}");
                }
                (Admitted::Refused(_), Some(Admitted::Stored { .. })) => panic!("a receipt was taken back"),
                (Admitted::Refused(_), _) => {}
            }
            answered.insert(incoming.digest.as_str().to_owned(), answer);
        }
    }
    for (place, report) in &stored {
        let bytes = store.sealed_report(&link(), report.entry.sequence()).await.expect("read");
        assert_eq!(bytes.as_ref(), Some(&report.sealed));
        if let Some(before) = place.checked_sub(1).and_then(|before| stored.get(&before)) {
            assert_eq!(report.entry.previous(), Some(&before.digest), "neighbours follow one another");
        }
    }
    let chain = store.link(&link()).await.expect("read").expect("there").chain;
    let head = stored.keys().next_back().copied();
    assert_eq!((chain.head.map(Sequence::get), chain.stored), (head, stored.len() as u64));
    let shown: Vec<u64> = chain.gaps.iter().rev().flat_map(|gap| gap.from.get()..=gap.to.get()).collect();
    let missing: Vec<u64> = (1..=head.unwrap_or(0)).filter(|place| !stored.contains_key(place)).collect();
    assert_eq!(shown, missing, "the gaps are what is missing");
    let rows = store.reports(&link(), None, PageSize::default()).await.expect("read").items;
    assert_eq!(rows.len(), stored.len());
    let newest = store.latest(&link()).await.expect("read").map(|latest| latest.newest.digest);
    assert_eq!(newest, head.and_then(|head| stored.get(&head)).map(|report| report.digest.clone()));
    (store, dir)
}

fn run<T>(story: impl Future<Output = T>) -> T {
    tokio::runtime::Runtime::new().expect("a runtime").block_on(story)
}

/// `reports` cut into batches of these sizes.
fn batches(reports: Vec<Incoming>, sizes: &[usize]) -> Vec<Vec<Incoming>> {
    let (mut batches, mut rest, mut sizes) = (Vec::new(), reports.into_iter().peekable(), sizes.iter().cycle());
    while rest.peek().is_some() {
        batches.push(rest.by_ref().take(*sizes.next().unwrap_or(&1)).collect());
    }
    batches
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn b1_any_order_with_repeats_leaves_a_whole_chain(
        order in Just((0..LENGTH).collect::<Vec<_>>()).prop_shuffle(),
        repeats in prop::collection::vec(0..LENGTH, 0..6),
        sizes in prop::collection::vec(1usize..4, 1..4),
    ) {
        let reports = chain(0);
        let places = repeats.into_iter().chain(order);
        let deliveries = batches(places.map(|place| reports[place].clone()).collect(), &sizes);
        run(async {
            let (store, _dir) = deliver(deliveries).await;
            let chain = store.link(&link()).await.expect("read").expect("there").chain;
            assert!(chain.is_whole() && chain.stored == LENGTH as u64, "{chain:?}");
        });
    }

    #[test]
    fn b1_copies_of_an_instance_never_mix_into_one_chain(
        deliveries in prop::collection::vec((0usize..4, 0..LENGTH), 1..24),
        sizes in prop::collection::vec(1usize..4, 1..4),
    ) {
        let copies: Vec<_> = (0..4).map(chain).collect();
        let reports = deliveries.into_iter().map(|(copy, place)| copies[copy][place].clone()).collect();
        run(async { deliver(batches(reports, &sizes)).await });
    }
}
