//! Stories about what instances say of changes of their server IDs.

use seatline_protocol::continuity::MAX_STATEMENTS;
use seatline_protocol::exchange::RefusalCode;
use seatline_protocol::{Continuity, Digest, IdentityPart, LinkId, ServerId, seal};

use super::sample::{act, at, key, linked};
use crate::domain::{LinkState, Stated};
use crate::store::Store;

/// What the holder of the n-th key says of the n-th change of its server ID.
pub(super) fn stated(n: u8, change: u8) -> Stated {
    let statement = Continuity {
        link: LinkId::from_random([n; 24]),
        previous: ServerId::from_random([change; 20]),
        present: ServerId::from_random([change + 1; 20]),
        changed_at: at(i64::from(change)),
        changed: [IdentityPart::Host].into(),
        staging: false,
        answer: None,
    };
    let sealed = seal::seal(&statement, &key(n)).expect("sealed");
    Stated { digest: Digest::of(sealed.as_bytes()), sealed, statement }
}

/// `b4`: a statement that is repeated is the same one, and the latest are kept.
pub async fn b4_what_was_said_of_a_server_id_is_kept_once_and_within_bounds(store: &dyn Store) {
    let link = linked(store, 1).await;
    let other = linked(store, 2).await;
    for (second, changes) in [(10, vec![1, 2]), (20, vec![2, 3])] {
        let said = changes.into_iter().map(|change| stated(1, change)).collect();
        let settings = store.note(&link.id, said, at(second)).await.expect("noted").expect("taken");
        assert_eq!(settings, link.settings);
    }
    let kept = store.statements(&link.id).await.expect("read");
    let times: Vec<_> = kept.iter().map(|kept| (kept.content.changed_at, kept.received_at)).collect();
    assert_eq!(times, [(at(3), at(20)), (at(2), at(10)), (at(1), at(10))], "the newest first, each as it first came");
    assert_eq!((&kept[0].content, &kept[0].digest), (&stated(1, 3).statement, &stated(1, 3).digest));
    for change in 4..=40 {
        store
            .note(&link.id, vec![stated(1, change)], at(100 + i64::from(change)))
            .await
            .expect("noted")
            .expect("taken");
    }
    let kept = store.statements(&link.id).await.expect("read");
    assert_eq!((kept.len(), kept[0].content.changed_at), (MAX_STATEMENTS, at(40)));
    assert_eq!(store.statements(&other.id).await.expect("read"), [], "each link has its own");
}

/// `b4`: nobody is believed whose link is not in force.
pub async fn b4_only_an_approved_link_says_something_of_its_server_id(store: &dyn Store) {
    let link = linked(store, 1).await;
    store.set_link_state(&act(), &link.id, LinkState::Suspended).await.expect("suspended");
    let refused = store.note(&link.id, vec![stated(1, 1)], at(10)).await.expect("answered");
    assert_eq!(refused.expect_err("it is suspended"), RefusalCode::LinkSuspended);
    let stranger = store.note(&LinkId::from_random([9; 24]), vec![stated(9, 1)], at(10)).await.expect("answered");
    assert_eq!(stranger.expect_err("there is no such link"), RefusalCode::LinkUnknown);
    assert_eq!(store.statements(&link.id).await.expect("read"), []);
}
