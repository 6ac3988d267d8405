//! The chain of reports (`b1`), against a model of a central server that stores what is admitted.

use std::collections::BTreeMap;

use proptest::prelude::*;
use seatline_protocol::Digest;
use seatline_protocol::chain::{Admission, Neighbours, admit};

/// A report as the chain sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Link {
    sequence: u64,
    digest: Digest,
    previous: Option<Digest>,
}

/// A chain of `length` reports after `before`; what it is of tells it from other chains.
fn chain(of: &str, before: &[Link], length: u64) -> Vec<Link> {
    let mut links = before.to_vec();
    for _ in 0..length {
        let sequence = links.len() as u64 + 1;
        let previous = links.last().map(|link| link.digest.clone());
        links.push(Link { sequence, digest: Digest::of(format!("{of} {sequence}").as_bytes()), previous });
    }
    links.split_off(before.len())
}

#[derive(Default)]
struct Store(BTreeMap<u64, Link>);

impl Store {
    fn receive(&mut self, link: &Link) -> Admission {
        let digest_at = |sequence| self.0.get(&sequence).map(|stored| stored.digest.clone());
        let stored = Neighbours {
            same: digest_at(link.sequence),
            before: digest_at(link.sequence - 1),
            claimed_by_next: self.0.get(&(link.sequence + 1)).and_then(|next| next.previous.clone()),
        };
        let admission = admit(&link.digest, link.previous.as_ref(), &stored);
        if matches!(admission, Admission::Chained | Admission::AfterGap) {
            assert!(self.0.insert(link.sequence, link.clone()).is_none(), "a place is given away twice");
        }
        admission
    }

    /// Every stored report names the one that is stored before it, where there is one.
    fn is_consistent(&self) -> bool {
        let pairs = self.0.values().filter_map(|link| Some((link, self.0.get(&(link.sequence - 1))?)));
        pairs.into_iter().all(|(link, before)| link.previous.as_ref() == Some(&before.digest))
    }
}

/// All of `links` at least once, in any order, with repetitions.
fn arrivals(links: Vec<Link>) -> impl Strategy<Value = Vec<Link>> {
    let repeated = prop::collection::vec(prop::sample::select(links.clone()), 0..10);
    repeated.prop_flat_map(move |repeated| Just([links.clone(), repeated].concat()).prop_shuffle())
}

proptest! {
    #[test]
    fn b1_the_reports_of_an_unbroken_chain_are_all_admitted_in_any_order(
        (links, arrivals) in (1u64..12).prop_flat_map(|length| {
            let links = chain("one", &[], length);
            (Just(links.clone()), arrivals(links))
        }),
    ) {
        let mut store = Store::default();
        let mut seen = Vec::new();
        for link in &arrivals {
            let expected = if seen.contains(&link.sequence) {
                Admission::Repeated
            } else if link.sequence == 1 || seen.contains(&(link.sequence - 1)) {
                Admission::Chained
            } else {
                Admission::AfterGap
            };
            prop_assert_eq!(store.receive(link), expected);
            seen.push(link.sequence);
        }
        prop_assert_eq!(store.0.into_values().collect::<Vec<_>>(), links);
    }

    #[test]
    fn b8_two_copies_of_an_instance_are_told_apart_in_any_order(
        (arrivals, copy) in (0u64..6, 1u64..6, 1u64..6).prop_flat_map(|(common, one, other)| {
            let common = chain("common", &[], common);
            let [one, copy] = [("one", one), ("copy", other)].map(|(of, length)| chain(of, &common, length));
            (arrivals([common, one, copy.clone()].concat()), Just(copy))
        }),
    ) {
        let mut store = Store::default();
        let mut refused = 0;
        for link in &arrivals {
            let admission = store.receive(link);
            refused += usize::from(matches!(admission, Admission::Fork | Admission::BrokenChain));
            prop_assert!(store.is_consistent(), "after {:?}", link);
        }
        prop_assert!(refused > 0, "the first report of each copy has the same place: {:?}", copy.first());
    }
}

#[test]
fn b1_a_rollback_and_a_false_beginning_break_the_chain() {
    let links = chain("one", &[], 4);
    let mut store = Store::default();
    store.receive(&links[1]);
    let mut rolled_back = chain("restored", &links[..1], 2).pop().expect("the third report");
    assert_eq!(store.receive(&rolled_back), Admission::BrokenChain);
    rolled_back.previous = None;
    assert_eq!(store.receive(&rolled_back), Admission::BrokenChain);
    store.receive(&links[3]);
    let filler = chain("copy", &links[..2], 1).pop().expect("the third report");
    assert_eq!(store.receive(&filler), Admission::Fork, "the fourth report names another third one");
    assert_eq!(store.receive(&links[2]), Admission::Chained);
}
