//! Things to store: made from numbers, so that a story reads as a story.

use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use seatline_protocol::repeat::Repeated;
use seatline_protocol::report::{Failure, Outcome};
use seatline_protocol::seal;
use seatline_protocol::{Digest, Entry, LinkId, Repeat, SecretKey, Sequence};

pub(super) use crate::domain::sample::{counts, product};
use crate::domain::{
    Act, Actor, Application, EntryId, Incoming, InviteId, InviteRecord, Link, Redeemed, Redemption, TokenHash, sample,
};
use crate::store::Store;

/// The time of a story, in seconds after its begin.
pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).expect("a second of this century")
}

/// An act of somebody at the command line, in the begin of a story.
pub(crate) fn act() -> Act {
    act_at(0)
}

/// As [`act`], at another second. No two acts have one id.
pub(crate) fn act_at(second: i64) -> Act {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let mut id = [0; 12];
    id[4..].copy_from_slice(&NUMBER.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    Act { actor: Actor::command_line("story"), at: at(second), id: EntryId::from_random(id) }
}

/// The n-th application.
pub(crate) fn application(n: u8) -> Application {
    sample::application(n, at(i64::from(n)))
}

/// The n-th invite, made at second 0 for 30 minutes.
pub(crate) fn invite(n: u8, application: Option<&Application>) -> InviteRecord {
    InviteRecord {
        id: InviteId::from_random([n; 12]),
        secret: TokenHash::of(&[n; 32]),
        application: application.map(|application| application.id.clone()),
        created_at: at(0),
        expires_at: at(1800),
    }
}

/// The id of the n-th link: of each byte, five bits are told apart.
fn link_id(n: u8) -> LinkId {
    let mut random = [n; 24];
    random[0] = n.wrapping_add(n / 32);
    LinkId::from_random(random)
}

/// The n-th key.
pub(crate) fn key(n: u8) -> SecretKey {
    SecretKey::from_seed(&[n; 32])
}

/// The wish of the holder of a key to use the n-th invite.
pub(crate) fn redemption(invite: u8, key: &SecretKey, link: u8, now: Timestamp) -> Redemption {
    Redemption { secret: TokenHash::of(&[invite; 32]), key: key.public(), product: product(), link: link_id(link), now }
}

/// An approved link, made by the n-th invite with the n-th key for the n-th application.
pub(crate) async fn linked(store: &dyn Store, n: u8) -> Link {
    let application = application(n);
    store.add_application(&act(), &application).await.expect("added");
    store.add_invite(&act(), &invite(n, Some(&application))).await.expect("kept");
    match store.redeem(&redemption(n, &key(n), n, at(0))).await.expect("redeemed") {
        Redeemed::Link(link) => *link,
        other => panic!("a new invite is used: {other:?}"),
    }
}

/// What a run came to that failed.
pub(crate) fn failure() -> Outcome {
    Outcome::Failed(Failure { code: "accounts".to_owned(), message: "the database is locked".to_owned() })
}

/// A report of the link of the n-th key.
pub(crate) fn report(n: u8, sequence: u64, previous: Option<&Digest>, outcome: Outcome) -> Incoming {
    report_at(n, sequence, previous, outcome, at(60 * i64::try_from(sequence).expect("small")))
}

/// A report of the link of the n-th key, observed at a time.
pub(super) fn report_at(
    n: u8,
    sequence: u64,
    previous: Option<&Digest>,
    outcome: Outcome,
    observed_at: Timestamp,
) -> Incoming {
    let sequence = Sequence::try_from(sequence).expect("a sequence number");
    let report = sample::report(link_id(n), sequence, previous.cloned(), observed_at, outcome);
    let sealed = seal::seal(&report, &key(n)).expect("sealed");
    Incoming { digest: Digest::of(sealed.as_bytes()), sealed, entry: report.into(), key: key(n).public().id() }
}

/// A repeat of `repeats` after `before`, of the link of the n-th key.
pub(crate) fn repeat_at(n: u8, before: &Incoming, repeats: &Incoming, observed_at: Timestamp) -> Incoming {
    let sequence = before.entry.sequence().next().expect("a next one");
    repeat(n, sequence, &before.digest, (repeats.entry.sequence(), &repeats.digest), observed_at)
}

/// A repeat of the link of the n-th key, whatever it names.
pub(super) fn repeat(
    n: u8,
    sequence: Sequence,
    previous: &Digest,
    (repeated, digest): (Sequence, &Digest),
    observed_at: Timestamp,
) -> Incoming {
    let repeat = Repeat {
        repeats: Repeated { sequence: repeated, digest: digest.clone() },
        link: link_id(n),
        sequence,
        previous: previous.clone(),
        observed_at,
        trigger: "interval".to_owned(),
    };
    let sealed = seal::seal(&repeat, &key(n)).expect("sealed");
    let key = key(n).public().id();
    Incoming { digest: Digest::of(sealed.as_bytes()), sealed, entry: Entry::Repeat(repeat), key }
}

/// The first `length` reports of the link of the n-th key, each following the one before.
pub(crate) fn chain(n: u8, length: u64) -> Vec<Incoming> {
    let mut chain: Vec<Incoming> = Vec::new();
    for sequence in 1..=length {
        let previous = chain.last().map(|report| report.digest.clone());
        chain.push(report(n, sequence, previous.as_ref(), counts(sequence)));
    }
    chain
}

/// Reports of the link of the n-th key that came to these outcomes, an hour after one another, from the hour 1 on.
pub(crate) fn chain_of_hours(n: u8, outcomes: &[Outcome]) -> Vec<Incoming> {
    let mut chain: Vec<Incoming> = Vec::new();
    for (sequence, outcome) in (1..).zip(outcomes) {
        let previous = chain.last().map(|report| report.digest.clone());
        let observed_at = at(3600 * i64::try_from(sequence).expect("small"));
        chain.push(report_at(n, sequence, previous.as_ref(), outcome.clone(), observed_at));
    }
    chain
}
