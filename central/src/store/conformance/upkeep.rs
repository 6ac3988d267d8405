//! Stories about links beside their reports: keys, news, removal and answers.

use seatline_protocol::exchange::RefusalCode;
use seatline_protocol::notices::Reminders;
use seatline_protocol::{LinkId, Sequence};

use super::sample::{act, act_at, application, at, chain, counts, invite, key, linked, redemption, report};
use crate::domain::answer::MAX_ANSWERS;
use crate::domain::{
    About, Admitted, Answer, AnswerId, Application, Demand, Explanation, Incoming, KeyChange, KeyChanged, LinkFilter,
    LinkState, Question, Redeemed, RemovedLink, Use, WouldGo,
};
use crate::store::fleet::SumOf;
use crate::store::{News, PageSize, Store, StoreError};

/// The wish of the n-th link to have the m-th key in place of its own, from a report on.
fn change(n: u8, old: u8, new: u8, from: u64) -> KeyChange {
    KeyChange {
        link: LinkId::from_random([n; 24]),
        old: key(old).public(),
        new: key(new).public(),
        from: Sequence::try_from(from).expect("a sequence number"),
    }
}

/// What became of a single report.
async fn admitted(store: &dyn Store, incoming: &Incoming) -> Admitted {
    let link = incoming.entry.link().clone();
    store.admit(&link, vec![incoming.clone()], at(100)).await.expect("asked").answers.remove(0)
}

/// A new key seals from its first report on, the old one before that alone, whenever the reports arrive.
pub async fn a_new_key_takes_its_place_and_the_chain_goes_on(store: &dyn Store) {
    let link = linked(store, 1).await;
    let old = chain(1, 2);
    let mut new = report(1, 3, Some(&old[1].digest), counts(3));
    new.key = key(2).public().id();
    assert!(matches!(admitted(store, &new).await, Admitted::Refused(RefusalCode::KeyReplaced)), "nobody's key yet");
    admitted(store, &old[0]).await;
    let changed = store.change_key(&change(1, 1, 2, 3), at(5)).await.expect("asked");
    let KeyChanged::Link(after) = changed else { panic!("{changed:?}") };
    assert_eq!((&after.key, after.chain.stored), (&key(2).public(), 1));
    assert_eq!(store.link_of_key(&key(1).public().id()).await.expect("asked"), None);
    let sender = store.sender(&key(1).public().id()).await.expect("asked").expect("it was the link's");
    assert_eq!((sender.link, sender.key), (link.id.clone(), key(1).public()));

    assert!(matches!(admitted(store, &new).await, Admitted::Stored { .. }), "after a gap");
    assert!(matches!(admitted(store, &old[1]).await, Admitted::Stored { .. }), "it was sealed before");
    assert!(matches!(admitted(store, &old[0]).await, Admitted::Stored { .. }), "and a repeated one is known");
    let stolen = report(1, 4, Some(&new.digest), counts(9));
    assert_eq!(admitted(store, &stolen).await, Admitted::Refused(RefusalCode::KeyReplaced));
    let link = store.link(&link.id).await.expect("asked").expect("there");
    assert_eq!((link.chain.stored, link.chain.missing(), link.chain.forks), (3, 0, 2), "it is told as a fork");
    let former = store.former_keys(&link.id).await.expect("asked");
    assert_eq!(former.len(), 1);
    assert_eq!((former[0].until.get(), former[0].replaced_at), (3, at(5)));
}

/// The same wish may come again; another one for the same key may not, nor one for a key that is or was in use.
pub async fn a_key_is_replaced_once_and_by_a_key_of_its_own(store: &dyn Store) {
    let link = linked(store, 1).await;
    linked(store, 2).await;
    assert_eq!(store.change_key(&change(1, 1, 2, 1), at(5)).await.expect("asked"), KeyChanged::InUse);
    let first = store.change_key(&change(1, 1, 3, 1), at(5)).await.expect("asked");
    assert!(matches!(first, KeyChanged::Link(_)));
    assert_eq!(store.change_key(&change(1, 1, 3, 1), at(6)).await.expect("asked"), first, "the answer was lost");
    assert_eq!(store.change_key(&change(1, 1, 4, 1), at(7)).await.expect("asked"), KeyChanged::Replaced);
    assert_eq!(store.link(&link.id).await.expect("asked").expect("there").chain.forks, 1, "a copy made a key, too");
    assert_eq!(store.change_key(&change(2, 2, 1, 1), at(8)).await.expect("asked"), KeyChanged::InUse, "it was");
    assert_eq!(store.change_key(&change(9, 1, 5, 1), at(8)).await.expect("asked"), KeyChanged::Unknown);
    store.set_link_state(&act(), &link.id, LinkState::Suspended).await.expect("suspended");
    let suspended = store.change_key(&change(1, 3, 6, 1), at(9)).await.expect("asked");
    assert_eq!(suspended, KeyChanged::NotInForce(LinkState::Suspended));
    store.add_invite(&act(), &invite(7, None)).await.expect("kept");
    let joined = store.redeem(&redemption(7, &key(1), 7, at(10))).await.expect("asked");
    assert_eq!(joined, Redeemed::KeyInUse, "a key that was replaced makes no other link");
}

/// `w6`: a wish for a count is answered by the next report that was made for one, and by no other.
pub async fn w6_a_demand_is_answered_by_the_report_that_was_made_for_it(store: &dyn Store) {
    let link = linked(store, 1).await;
    let settings = link.settings.demanding(at(50));
    store.set_link_settings(&act_at(50), &link.id, &settings).await.expect("changed");
    let demand = async || store.link(&link.id).await.expect("asked").expect("there").settings.demand;
    let mut sent = chain(1, 2);
    admitted(store, &sent[0]).await;
    assert_eq!(demand().await, Some(Demand { at: at(50), answered_at: None }), "it was of the interval");
    sent[1].entry.full_mut().expect("a report").trigger = "demand".to_owned();
    admitted(store, &sent[1]).await;
    assert_eq!(demand().await, Some(Demand { at: at(50), answered_at: Some(at(100)) }));
    let settings = store.link(&link.id).await.expect("asked").expect("there").settings.demanding(at(200));
    store.set_link_settings(&act_at(200), &link.id, &settings).await.expect("changed");
    admitted(store, &sent[1]).await;
    assert_eq!(demand().await, Some(Demand { at: at(200), answered_at: None }), "a repeated one answers nothing");
}

/// What changes for a product is found by the time of its change.
pub async fn w6_news_of_links_is_found_since_a_time(store: &dyn Store) {
    let (first, second) = (linked(store, 1).await, linked(store, 2).await);
    let news = async |second| store.news_since(at(second), 10).await.expect("asked");
    assert_eq!(news(1).await, []);
    let settings = first.settings.replacing(first.key.id(), at(10));
    store.set_link_settings(&act_at(10), &first.id, &settings).await.expect("changed");
    store.set_link_state(&act_at(20), &second.id, LinkState::Suspended).await.expect("suspended");
    let changed = News { link: first.id.clone(), revision: Some(2), state: Some(LinkState::Approved) };
    let suspended = News { link: second.id.clone(), revision: Some(1), state: Some(LinkState::Suspended) };
    assert_eq!(store.standing(&first.id).await.expect("asked"), Some(changed.clone()));
    assert_eq!(news(10).await, [changed, suspended.clone()]);
    assert_eq!(news(11).await, [suspended]);
    store.remove_link(&act_at(30), &second.id).await.expect("removed");
    assert_eq!(news(30).await, [News { link: second.id.clone(), revision: None, state: None }]);
    assert_eq!(store.standing(&second.id).await.expect("asked"), None);
    assert_eq!(store.news_since(at(0), 1).await.expect("asked").len(), 2, "as many of each kind");
}

/// A removed link leaves its ids and keys behind, and nothing else.
pub async fn w3_a_removed_link_is_remembered_by_its_keys_alone(store: &dyn Store) {
    let (link, other) = (linked(store, 1).await, linked(store, 2).await);
    let id = &link.id;
    for report in chain(1, 3) {
        admitted(store, &report).await;
    }
    for report in chain(2, 1) {
        admitted(store, &report).await;
    }
    store.change_key(&change(1, 1, 3, 4), at(5)).await.expect("asked");
    store.remove_link(&act_at(40), id).await.expect("removed");
    assert_eq!(store.link(id).await.expect("asked"), None);
    assert_eq!(store.application(&application(1).id).await.expect("asked").expect("it stays").link, None);
    let removed = RemovedLink { link: id.clone(), removed_at: at(40) };
    for n in [1, 3] {
        let by_key = store.removed_by_key(&key(n).public().id()).await.expect("asked");
        assert_eq!(by_key.as_ref(), Some(&removed), "key {n}");
        assert_eq!(store.sender(&key(n).public().id()).await.expect("asked"), None);
    }
    assert_eq!(store.removed_link(id).await.expect("asked"), Some(removed.clone()));
    assert_eq!(admitted(store, &chain(1, 1)[0]).await, Admitted::Refused(RefusalCode::LinkRemoved));
    let again = store.redeem(&redemption(1, &key(1), 9, at(41))).await.expect("asked");
    assert_eq!(again, Redeemed::Removed(removed), "also the one who joined by it learns of it");
    assert!(matches!(store.remove_link(&act(), id).await, Err(StoreError::Missing(_))));

    let mut steps = 0;
    while store.sweep().await.expect("swept") {
        steps += 1;
        assert!(steps < 20, "it ends");
    }
    assert_eq!(store.reports(id, None, PageSize::default()).await.expect("asked").items.len(), 0);
    assert_eq!(store.latest(id).await.expect("asked"), None);
    assert_eq!(
        store.reports(&other.id, None, PageSize::default()).await.expect("asked").items.len(),
        1,
        "the others stay"
    );
}

/// An application goes with all its links, and says before how much that is.
pub async fn w1_a_removed_application_takes_its_links_along(store: &dyn Store) {
    let first = linked(store, 1).await;
    let id = application(1).id;
    store.add_invite(&act(), &invite(5, Some(&application(1)))).await.expect("kept");
    store.add_invite(&act(), &invite(6, Some(&application(1)))).await.expect("kept");
    let joined = store.redeem(&redemption(5, &key(5), 5, at(1))).await.expect("asked");
    assert!(matches!(joined, Redeemed::Link(_)));
    for report in chain(1, 3) {
        admitted(store, &report).await;
    }
    assert_eq!(store.goes_with_application(&id).await.expect("asked"), WouldGo { links: 2, reports: 3 });
    store.review(&Reminders::default(), at(8), 100).await.expect("reviewed");
    assert!(store.fleet_item(&id).await.expect("asked").is_some());
    store.remove_application(&act_at(9), &id).await.expect("removed");
    assert_eq!(store.fleet_item(&id).await.expect("asked"), None, "it stands in no list");
    for of in [SumOf::Products, SumOf::Concerns, SumOf::Gravities] {
        let left = store.sums(Use::Production, of).await.expect("asked");
        assert!(left.is_empty(), "and in no sum: {left:?}");
    }
    assert_eq!(store.application(&id).await.expect("asked"), None);
    assert_eq!(store.links(&LinkFilter::default(), None, PageSize::default()).await.expect("asked").items, []);
    for link in [&first.id, &LinkId::from_random([5; 24])] {
        assert!(store.removed_link(link).await.expect("asked").is_some());
    }
    let unused = store.redeem(&redemption(6, &key(6), 6, at(10))).await.expect("asked");
    assert_eq!(unused, Redeemed::Unknown, "its invites go with it");
    let used = store.redeem(&redemption(5, &key(5), 7, at(10))).await.expect("asked");
    assert!(matches!(used, Redeemed::Removed(_)), "and whoever used one learns what became of his link: {used:?}");
    assert!(matches!(store.remove_application(&act(), &id).await, Err(StoreError::Missing(_))));
}

/// An application gets another name, product or URL, and no name of another one.
pub async fn w1_an_application_is_changed(store: &dyn Store) {
    store.add_application(&act(), &application(1)).await.expect("added");
    store.add_application(&act(), &application(2)).await.expect("added");
    let changed = Application {
        name: "Wiki of the company".parse().expect("a name"),
        product: "acme-other".parse().expect("a product id"),
        url: Some("https://wiki.example.org".to_owned()),
        ..application(1)
    };
    store.change_application(&act(), &application(1), &changed).await.expect("changed");
    assert_eq!(store.application(&changed.id).await.expect("asked").as_ref(), Some(&changed));
    let case = Application { name: "WIKI of the company".parse().expect("a name"), ..changed.clone() };
    store.change_application(&act(), &changed, &case).await.expect("its own name in other letters");
    let late = Application { url: None, ..changed.clone() };
    let newer = store.change_application(&act(), &changed, &late).await;
    assert!(matches!(newer, Err(StoreError::Conflict(_))), "who did not see the newer change undoes nothing of it");
    let taken = Application { name: case.name.clone(), ..application(2) };
    let taking = store.change_application(&act(), &application(2), &taken).await;
    assert!(matches!(taking, Err(StoreError::Conflict(_))));
    let missing = store.change_application(&act(), &application(9), &application(9)).await;
    assert!(matches!(missing, Err(StoreError::Missing(_))));
}

/// `b4`, `b8`: answers are kept, the newest first, and only so many.
pub async fn b8_answers_are_kept_with_who_when_and_why(store: &dyn Store) {
    let link = linked(store, 1).await;
    let answer = |n: u8| Answer {
        id: AnswerId::from_random([n; 12]),
        link: link.id.clone(),
        question: if n == 0 { Question::ServerId } else { Question::Fork },
        about: About::Forks(n.into()),
        explanation: Explanation::CopyOff,
        why: format!("Copy {n} was \"switched\" off — it's gone"),
        by: "ada".to_owned(),
        at: at(n.into()),
    };
    let most = u8::try_from(MAX_ANSWERS).expect("few");
    for n in 0..=most {
        store.answer(&act(), &answer(n)).await.expect("kept");
    }
    let kept = store.answers(&link.id).await.expect("asked");
    assert_eq!(kept, (1..=most).rev().map(answer).collect::<Vec<_>>());
    let nowhere = Answer { link: LinkId::from_random([9; 24]), ..answer(0) };
    assert!(matches!(store.answer(&act(), &nowhere).await, Err(StoreError::Missing(_))));
}

/// `b12`: evidence names every key that a link had, also after many changes.
pub async fn b12_every_key_that_a_link_had_is_known(store: &dyn Store) {
    let link = linked(store, 1).await;
    for n in 1..=205 {
        let (old, new) = (key(n).public(), key(n + 1).public());
        let change = KeyChange { link: link.id.clone(), old, new, from: Sequence::FIRST };
        // As seldom as a link may.
        let changed = store.change_key(&change, at(86_400 * i64::from(n))).await.expect("changed");
        assert!(matches!(changed, KeyChanged::Link(_)), "{changed:?}");
    }
    let former = store.former_keys(&link.id).await.expect("read");
    assert_eq!((former.len(), &former[0].key, &former[204].key), (205, &key(205).public(), &key(1).public()));
}
