//! Stories about invites, links and their settings.

use seatline_protocol::chain::ChainState;
use seatline_protocol::{LinkId, ServerId};

use super::sample::{act, act_at, application, at, chain, counts, invite, key, linked, product, redemption, report};
use crate::domain::{
    Application, EntryFilter, Incoming, InviteRecord, KeyChange, Link, LinkFilter, LinkRow, LinkState, OpenInvite,
    Redeemed, SettingsChange,
};
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

/// An invite that expired is known for thirty days more; one that was used, for good.
pub async fn an_invite_that_nobody_used_is_forgotten_long_after_it_expired(store: &dyn Store) {
    let used = pending(store, 1).await;
    store.add_invite(&act(), &invite(2, None)).await.expect("kept");
    let end = 1800 + 86_400 * 30;
    for (n, second, told) in [(3, end, Redeemed::Expired), (4, end + 1, Redeemed::Unknown)] {
        let (created_at, expires_at) = (at(second), at(second + 1800));
        let made = InviteRecord { created_at, expires_at, ..invite(n, None) };
        store.add_invite(&act_at(second), &made).await.expect("kept");
        let late = store.redeem(&redemption(2, &key(2), 2, at(second))).await.expect("redeemed");
        assert_eq!(late, told, "{second}");
    }
    assert_eq!(made(store.redeem(&redemption(1, &key(1), 9, at(end + 2))).await.expect("redeemed")), used);
    assert_eq!(
        made(store.redeem(&redemption(3, &key(3), 3, at(end + 2))).await.expect("redeemed")).key,
        key(3).public()
    );
}

/// Open invites are listed in pages; one that was withdrawn serves nobody.
pub async fn w3_invites_are_listed_while_they_are_open_and_withdrawn(store: &dyn Store) {
    let used = pending(store, 1).await;
    let wiki = added(store, 7).await;
    for n in 2..=4 {
        store.add_invite(&act(), &invite(n, (n == 3).then_some(&wiki))).await.expect("kept");
    }
    let listed = async |second: i64| {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = store.open_invites(at(second), after.as_ref(), PageSize::new(2)).await.expect("read");
            found.extend(page.items);
            after = page.next;
            if after.is_none() {
                return found;
            }
        }
    };
    let open = listed(1799).await;
    let id = |n: u8| invite(n, None).id;
    assert_eq!(open.iter().map(|invite| invite.id.clone()).collect::<Vec<_>>(), [id(4), id(3), id(2)]);
    let expected = OpenInvite {
        id: id(3),
        application: Some(wiki.id.clone()),
        application_name: Some(wiki.name.to_string()),
        created_at: at(0),
        expires_at: at(1800),
    };
    assert_eq!(open[1], expected);
    assert_eq!(listed(1800).await, [], "nobody can use them any more");
    for odd in ["", "5", "x y", "5 x"] {
        let page = store.open_invites(at(1), Some(&Cursor::new(odd)), PageSize::default()).await;
        assert!(matches!(page, Err(StoreError::Cursor)), "{odd}");
    }

    store.withdraw_invite(&act_at(10), &id(3)).await.expect("withdrawn");
    assert_eq!(store.redeem(&redemption(3, &key(3), 3, at(20))).await.expect("redeemed"), Redeemed::Unknown);
    assert_eq!(listed(20).await.len(), 2);
    assert!(matches!(store.withdraw_invite(&act(), &id(3)).await, Err(StoreError::Missing("invite"))));
    let late = store.withdraw_invite(&act(), &id(1)).await;
    assert!(matches!(late, Err(StoreError::Conflict(_))), "it made a link");
    assert_eq!(store.link(&used.id).await.expect("read"), Some(used));
    let filter = EntryFilter { kind: Some("invite".to_owned()), ..EntryFilter::default() };
    let newest = store.audit(&filter, None, PageSize::new(1)).await.expect("read").items.remove(0);
    assert_eq!((newest.action.as_str(), newest.object.id), ("invite.withdraw", id(3).to_string()));
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
    assert_eq!(store.links(&LinkFilter::default(), None, PageSize::default()).await.expect("read").items.len(), 1);
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

/// Whoever approves a link for a new application leaves none behind where the link cannot be approved.
pub async fn a_link_is_approved_for_a_new_application_or_nothing_is_added(store: &dyn Store) {
    let link = pending(store, 1).await;
    let (first, second) = (application(1), application(2));
    let approve = async |link: &LinkId, application: &Application, second: i64| {
        store.approve_link_as_new(&act_at(second), &act_at(second + 1), link, application).await
    };
    approve(&link.id, &first, 10).await.expect("approved");
    let approved = store.link(&link.id).await.expect("read").expect("there");
    assert_eq!((approved.state, approved.approved_at), (LinkState::Approved, Some(at(11))));
    assert_eq!(store.application(&first.id).await.expect("read").expect("there").link, Some(link.id.clone()));
    let entries = store.audit(&EntryFilter::default(), None, PageSize::new(2)).await.expect("read").items;
    assert_eq!(
        entries.iter().map(|entry| entry.action.as_str()).collect::<Vec<_>>(),
        ["link.approve", "application.add"]
    );

    assert!(matches!(approve(&link.id, &second, 20).await, Err(StoreError::Conflict(_))), "it belongs to another one");
    let nowhere = LinkId::from_random([9; 24]);
    assert!(matches!(approve(&nowhere, &second, 22).await, Err(StoreError::Missing(_))));
    assert_eq!(store.application(&second.id).await.expect("read"), None);
    let waiting = pending(store, 3).await;
    let taken = Application { id: second.id.clone(), ..first };
    assert!(matches!(approve(&waiting.id, &taken, 24).await, Err(StoreError::Conflict(_))), "the name is taken");
    assert_eq!(store.link(&waiting.id).await.expect("read"), Some(waiting));
    let entries = store.audit(&EntryFilter::default(), None, PageSize::new(1)).await.expect("read").items;
    assert!(entries[0].at < at(20), "what failed is not in the audit log");
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

/// Every link that a filter lets through, read two at a time.
async fn listed(store: &dyn Store, filter: &LinkFilter) -> Vec<LinkRow> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = store.links(filter, after.as_ref(), PageSize::new(2)).await.expect("read");
        found.extend(page.items);
        after = page.next;
        if after.is_none() {
            return found;
        }
    }
}

/// The list of links: what waits for a decision first, in pages.
pub async fn w3_links_are_listed_by_what_they_wait_for_in_pages(store: &dyn Store) {
    for n in 1..=3 {
        pending(store, n).await;
    }
    for n in 4..=7 {
        linked(store, n).await;
    }
    for n in [5, 6] {
        store.set_link_state(&act(), &LinkId::from_random([n; 24]), LinkState::Suspended).await.expect("suspended");
    }
    let ids = |rows: &[LinkRow]| rows.iter().map(|row| row.link.id.clone()).collect::<Vec<_>>();
    let numbered = |numbers: &[u8]| numbers.iter().map(|n| LinkId::from_random([*n; 24])).collect::<Vec<_>>();
    let all = listed(store, &LinkFilter::default()).await;
    assert_eq!(ids(&all[..3]), numbered(&[3, 2, 1]), "what waits, the newest first");
    // The others have joined at the same second, so that their ids decide.
    assert_eq!(ids(&all[3..]), numbered(&[6, 5, 7, 4]), "suspended before approved");
    assert_eq!(all[0].application_name, None);
    assert_eq!(all[3].application_name.as_deref(), Some("Application 006"));
    assert_eq!(ids(&listed(store, &LinkFilter::state(LinkState::Suspended)).await), numbered(&[6, 5]));
    let of_product = |id: &str| LinkFilter { product: Some(id.parse().expect("an id")), ..LinkFilter::default() };
    assert_eq!(listed(store, &of_product("acme-wiki")).await.len(), 7);
    assert_eq!(listed(store, &of_product("acme-wik")).await, []);
    let of_server = |n: u8| LinkFilter { server: Some(ServerId::from_random([n; 20])), ..LinkFilter::default() };
    assert_eq!(listed(store, &of_server(7)).await.len(), 7);
    assert_eq!(listed(store, &of_server(8)).await, []);
    let both = LinkFilter {
        state: Some(LinkState::Approved),
        ..LinkFilter { product: of_product("acme-wiki").product, ..of_server(7) }
    };
    assert_eq!(ids(&listed(store, &both).await), numbered(&[7, 4]));
    for bad in ["", "x", "12", "pending", "pending x", "asleep 12 34", "pending 12 34 56 ' OR 1"] {
        let page = store.links(&LinkFilter::default(), Some(&Cursor::new(bad)), PageSize::default()).await;
        assert!(matches!(page, Err(StoreError::Cursor)), "a cursor that this list did not give: {bad}");
    }
}

/// A row of the list says when its last report came, and how its chain stands.
pub async fn b1_a_link_of_the_list_tells_of_its_chain(store: &dyn Store) {
    let (whole, gap, forked) = (linked(store, 1).await, linked(store, 2).await, linked(store, 3).await);
    let admit = async |link: &Link, report: Incoming, second: i64| {
        store.admit(&link.id, vec![report], at(second)).await.expect("decided");
    };
    for (n, link) in [(1, &whole), (2, &gap), (3, &forked)] {
        admit(link, chain(n, 1).remove(0), 60).await;
    }
    admit(&gap, chain(2, 4).remove(3), 70).await;
    admit(&forked, report(3, 1, None, counts(99)), 80).await;
    let state = async |link: &Link| {
        let row = store.link_row(&link.id).await.expect("read").expect("there");
        (row.chain_state, row.last_report_at)
    };
    assert_eq!(state(&whole).await, (ChainState::Whole, Some(at(60))));
    assert_eq!(state(&gap).await, (ChainState::Gap, Some(at(70))));
    assert_eq!(state(&forked).await, (ChainState::Rollback, Some(at(60))), "the chain has not gone on");
    admit(&forked, chain(3, 2).remove(1), 90).await;
    assert_eq!(state(&forked).await, (ChainState::Fork, Some(at(90))), "it has");
    let row = store.link_row(&gap.id).await.expect("read").expect("there");
    assert_eq!(row.link.chain.gaps.len(), 1);
    assert_eq!(listed(store, &LinkFilter::default()).await.iter().find(|listed| listed.link == row.link), Some(&row));
    assert_eq!(store.link_row(&LinkId::from_random([9; 24])).await.expect("read"), None);
}

/// A link that waits is refused: it goes, and is remembered with those that were removed.
pub async fn w3_a_refused_link_is_remembered_and_an_approved_one_stays(store: &dyn Store) {
    let (waiting, approved) = (pending(store, 1).await, linked(store, 2).await);
    store.refuse_link(&act_at(10), &waiting.id).await.expect("refused");
    assert_eq!(store.link(&waiting.id).await.expect("read"), None);
    assert!(matches!(store.refuse_link(&act(), &waiting.id).await, Err(StoreError::Missing(_))));
    assert!(matches!(store.refuse_link(&act(), &approved.id).await, Err(StoreError::Conflict(_))));
    // A link with a key of before has two keys to be remembered by, and stands in the list once.
    let keys = KeyChange {
        link: approved.id.clone(),
        old: key(2).public(),
        new: key(4).public(),
        from: seatline_protocol::Sequence::FIRST,
    };
    store.change_key(&keys, at(15)).await.expect("asked");
    store.remove_link(&act_at(20), &approved.id).await.expect("removed");
    store.refuse_link(&act_at(20), &pending(store, 3).await.id).await.expect("refused");
    let first = store.removed_links(None, PageSize::new(2)).await.expect("read");
    let second = store.removed_links(first.next.as_ref(), PageSize::new(2)).await.expect("read");
    assert_eq!((second.items.len(), &second.next), (1, &None));
    let rows = [first.items, second.items].concat();
    let told: Vec<_> =
        rows.iter().map(|row| (row.link.clone(), row.removed_at, row.application_name.as_deref())).collect();
    let numbered = |n: u8| LinkId::from_random([n; 24]);
    let expected =
        [(numbered(3), at(20), None), (numbered(2), at(20), Some("Application 002")), (numbered(1), at(10), None)];
    assert_eq!(told, expected);
    assert!(rows.iter().all(|row| row.product.as_ref() == Some(&product())));
    let bad = store.removed_links(Some(&Cursor::new("12 x")), PageSize::default()).await;
    assert!(matches!(bad, Err(StoreError::Cursor)));
}
