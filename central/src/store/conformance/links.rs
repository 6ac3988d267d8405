//! Stories about invites, links and their settings.

use seatline_protocol::LinkId;

use super::sample::{act, act_at, application, at, invite, key, linked, redemption};
use crate::domain::{Application, Link, LinkState, Redeemed, SettingsChange};
use crate::store::{Cursor, PageSize, Store, StoreError};

async fn added(store: &dyn Store, n: u8) -> Application {
    let application = application(n);
    store.add_application(&act(), &application).await.expect("added");
    application
}

/// A link that waits for approval, made by the n-th invite with the n-th key.
async fn pending(store: &dyn Store, n: u8) -> Link {
    store.add_invite(&act(), &invite(n, None)).await.expect("kept");
    made(store.redeem(&redemption(n, &key(n), n, at(i64::from(n)))).await.expect("redeemed"))
}

fn made(redeemed: Redeemed) -> Link {
    match redeemed {
        Redeemed::Link(link) => *link,
        other => panic!("there is a link: {other:?}"),
    }
}

/// An invite is used once; the one who used it may ask again, at any time.
pub async fn an_invite_serves_the_first_key_that_uses_it_and_no_other(store: &dyn Store) {
    let link = pending(store, 1).await;
    assert_eq!((link.state, &link.application, link.approved_at), (LinkState::Pending, &None, None));
    assert_eq!(link.id, LinkId::from_random([1; 24]));
    assert_eq!(store.link(&link.id).await.expect("read").as_ref(), Some(&link));
    assert_eq!(store.link_of_key(&key(1).public().id()).await.expect("read").as_ref(), Some(&link));
    let again = store.redeem(&redemption(1, &key(1), 99, at(1_000_000))).await.expect("redeemed");
    assert_eq!(made(again), link, "the same link, also long after the invite has expired");
    let stolen = store.redeem(&redemption(1, &key(2), 98, at(2))).await.expect("redeemed");
    assert_eq!(stolen, Redeemed::Unknown);
    let guessed = store.redeem(&redemption(77, &key(2), 97, at(2))).await.expect("redeemed");
    assert_eq!(guessed, Redeemed::Unknown);
    assert_eq!(store.link_of_key(&key(2).public().id()).await.expect("read"), None, "nothing was made");
}

/// An invite holds for its thirty minutes, to the last moment.
pub async fn an_invite_that_nobody_used_in_time_is_expired(store: &dyn Store) {
    store.add_invite(&act(), &invite(1, None)).await.expect("kept");
    let late = store.redeem(&redemption(1, &key(1), 1, at(1800))).await.expect("redeemed");
    assert_eq!(late, Redeemed::Expired);
    assert_eq!(made(store.redeem(&redemption(1, &key(1), 1, at(1799))).await.expect("redeemed")).created_at, at(1799));
}

/// Two products that use an invite at the same moment: one of them has it.
pub async fn an_invite_that_many_use_at_once_serves_one(store: &dyn Store) {
    store.add_invite(&act(), &invite(1, None)).await.expect("kept");
    let wishes: Vec<_> = (1..=4).map(|n| redemption(1, &key(n), n, at(1))).collect();
    let (first, second, third, fourth) = tokio::join!(
        store.redeem(&wishes[0]),
        store.redeem(&wishes[1]),
        store.redeem(&wishes[2]),
        store.redeem(&wishes[3])
    );
    let answers = [first, second, third, fourth].map(|answer| answer.expect("redeemed"));
    let made = answers.iter().filter(|answer| matches!(answer, Redeemed::Link(_))).count();
    assert_eq!(made, 1, "{answers:?}");
    assert_eq!(store.links(None, PageSize::default()).await.expect("read").items.len(), 1);
}

/// Whoever made the invite for an application has decided already.
pub async fn an_invite_for_an_application_approves_the_link_beforehand(store: &dyn Store) {
    let link = linked(store, 1).await;
    assert_eq!((link.state, link.approved_at), (LinkState::Approved, Some(at(0))));
    let application = store.application(&application(1).id).await.expect("read").expect("there");
    assert_eq!(application.link, Some(link.id.clone()));
    assert_eq!(store.links_of(&application.id).await.expect("read"), [link]);
    let row = store.applications(None, PageSize::default()).await.expect("read").items.remove(0);
    assert_eq!((row.link_state, row.latest), (Some(LinkState::Approved), None));
}

/// A key was made for one link alone.
pub async fn a_key_has_one_link(store: &dyn Store) {
    pending(store, 1).await;
    store.add_invite(&act(), &invite(2, None)).await.expect("kept");
    let second = store.redeem(&redemption(2, &key(1), 2, at(2))).await.expect("redeemed");
    assert_eq!(second, Redeemed::KeyInUse);
    let other = store.redeem(&redemption(2, &key(2), 2, at(3))).await.expect("redeemed");
    assert_eq!(made(other).key, key(2).public(), "the invite was not used up");
}

/// An approved link belongs to its application for good.
pub async fn a_link_is_approved_for_one_application(store: &dyn Store) {
    let (link, first, second) = (pending(store, 1).await, added(store, 1).await, added(store, 2).await);
    store.approve_link(&act_at(10), &link.id, &first.id).await.expect("approved");
    let approved = store.link(&link.id).await.expect("read").expect("there");
    assert_eq!((approved.state, approved.approved_at), (LinkState::Approved, Some(at(10))));
    assert_eq!(approved.application, Some(first.id.clone()));
    assert_eq!(store.application(&first.id).await.expect("read").expect("there").link, Some(link.id.clone()));
    let other = store.approve_link(&act_at(11), &link.id, &second.id).await;
    assert!(matches!(other, Err(StoreError::Conflict(_))));
    store.set_link_state(&act(), &link.id, LinkState::Suspended).await.expect("suspended");
    store.approve_link(&act_at(12), &link.id, &first.id).await.expect("approved again");
    let again = store.link(&link.id).await.expect("read").expect("there");
    assert_eq!((again.state, again.approved_at), (LinkState::Approved, Some(at(10))));
    let nowhere = store.approve_link(&act_at(13), &LinkId::from_random([9; 24]), &first.id).await;
    assert!(matches!(nowhere, Err(StoreError::Missing(_))));
    let waiting = pending(store, 3).await;
    let nothing = store.approve_link(&act_at(14), &waiting.id, &application(99).id).await;
    assert!(matches!(nothing, Err(StoreError::Missing(_))));
    let unchanged = store.link(&waiting.id).await.expect("read").expect("there");
    assert_eq!(unchanged, waiting, "what failed was undone whole");
}

/// Suspending is for links that were in force.
pub async fn a_link_that_was_never_approved_cannot_be_suspended(store: &dyn Store) {
    let link = pending(store, 1).await;
    let suspended = store.set_link_state(&act(), &link.id, LinkState::Suspended).await;
    assert!(matches!(suspended, Err(StoreError::Conflict(_))));
    assert_eq!(store.link(&link.id).await.expect("read"), Some(link));
}

/// `w4`: the link that is shown is one of the application's.
pub async fn an_application_shows_only_a_link_of_its_own(store: &dyn Store) {
    let (first, second) = (linked(store, 1).await, linked(store, 2).await);
    let id = application(1).id;
    assert!(matches!(store.choose_link(&act(), &id, Some(&second.id)).await, Err(StoreError::Missing(_))));
    store.choose_link(&act(), &id, None).await.expect("chosen");
    assert_eq!(store.application(&id).await.expect("read").expect("there").link, None);
    store.choose_link(&act(), &id, Some(&first.id)).await.expect("chosen");
    assert_eq!(store.application(&id).await.expect("read").expect("there").link, Some(first.id));
}

/// Of two changes at the same moment, one is told.
pub async fn settings_are_changed_from_the_newest_revision_alone(store: &dyn Store) {
    let link = linked(store, 1).await;
    let change = SettingsChange { interval: Some(60), dormancy_days: Some(30), ..SettingsChange::default() };
    let changed = change.apply(&link.settings, at(5));
    store.set_link_settings(&act(), &link.id, &changed).await.expect("changed");
    assert_eq!(store.link(&link.id).await.expect("read").expect("there").settings, changed);
    let late = SettingsChange { interval: Some(120), ..SettingsChange::default() }.apply(&link.settings, at(6));
    assert!(matches!(store.set_link_settings(&act(), &link.id, &late).await, Err(StoreError::Conflict(_))));
    assert_eq!(store.link(&link.id).await.expect("read").expect("there").settings, changed);
    let nowhere = store.set_link_settings(&act(), &LinkId::from_random([9; 24]), &late).await;
    assert!(matches!(nowhere, Err(StoreError::Missing(_))));
}

/// The list of links, by age and by page.
pub async fn links_are_listed_the_newest_first_in_pages(store: &dyn Store) {
    for n in 1..=7 {
        pending(store, n).await;
    }
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = store.links(after.as_ref(), PageSize::new(2)).await.expect("read");
        found.extend(page.items.into_iter().map(|link| link.created_at));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(found, (1..=7).rev().map(at).collect::<Vec<_>>());
    for bad in ["", "x", "12", "12 34 56 ' OR 1", "99999999999999999999999 a"] {
        let page = store.links(Some(&Cursor::new(bad)), PageSize::default()).await;
        assert!(matches!(page, Err(StoreError::Cursor)) || page.is_ok(), "a bad cursor is no trouble: {bad}");
    }
}
