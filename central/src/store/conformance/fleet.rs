//! Stories about the review, and what is read from it.

use jiff::{SignedDuration, Timestamp};
use seatline_protocol::notices::Reminders;
use seatline_protocol::report::Outcome;
use seatline_protocol::standing::Ends;

use super::sample::{act, act_at, application, at, chain, counts, failure, linked, report, report_at};
use crate::domain::fleet::Sum;
use crate::domain::{
    Application, ApplicationId, Due, Facet, FleetFilter, FleetItem, FleetOrder, Gravity, Incoming, Labels, Link,
    LinkState, Use, sample,
};
use crate::store::fleet::SumOf;
use crate::store::{Cursor, PageSize, Store, StoreError};

/// What a run came to that counted so many users against a license for `max` until a time.
fn licensed(users: u64, max: u64, expires: Option<Timestamp>) -> Outcome {
    sample::licensed(users, &[sample::license("L-1", max, at(-1000), expires)], at(0))
}

async fn admitted(store: &dyn Store, link: &Link, reports: Vec<Incoming>, second: i64) {
    store.admit(&link.id, reports, at(second)).await.expect("admitted");
}

/// Reviews until nothing is due, and says how many were.
async fn reviewed(store: &dyn Store, now: Timestamp) -> u64 {
    let mut all = 0;
    loop {
        let outcome = store.review(&Reminders::default(), now, 10).await.expect("reviewed");
        assert!(outcome.failed.is_empty(), "{:?}", outcome.failed);
        all += outcome.reviewed;
        if !outcome.more {
            assert_eq!(store.to_review(now).await.expect("read"), None, "nothing waits");
            return all;
        }
    }
}

async fn item(store: &dyn Store, id: &ApplicationId) -> FleetItem {
    store.fleet_item(id).await.expect("read").expect("it was reviewed")
}

fn codes(item: &FleetItem) -> Vec<&str> {
    item.row.assessment.concerns.iter().map(|concern| concern.code.as_str()).collect()
}

/// The names on all pages of a list, and how many pages there are.
async fn listed(store: &dyn Store, filter: &FleetFilter, order: FleetOrder, size: u32) -> Vec<String> {
    let (mut names, mut after): (Vec<String>, Option<Cursor>) = (Vec::new(), None);
    for _ in 0..1000 {
        let page = store.fleet(filter, order, after.as_ref(), PageSize::new(size)).await.expect("a page");
        assert!(page.items.len() <= size as usize, "a page is no longer than it was asked for");
        names.extend(page.items.iter().map(|item| item.row.name.to_string()));
        let Some(next) = page.next else { return names };
        after = Some(next);
    }
    panic!("the list does not end: {names:?}");
}

/// An application with a link whose product reported.
async fn reporting(store: &dyn Store, n: u8, outcome: Outcome) -> Link {
    let link = linked(store, n).await;
    admitted(store, &link, vec![report(n, 1, None, outcome)], 60).await;
    link
}

/// What was added is due at once, and reviewed once.
pub async fn w5_a_new_application_is_reviewed_once(store: &dyn Store) {
    store.add_application(&act(), &application(1)).await.expect("added");
    assert!(store.to_review(at(1)).await.expect("read").is_some());
    assert_eq!(store.fleet_item(&application(1).id).await.expect("read"), None);
    assert_eq!(reviewed(store, at(1)).await, 1);
    assert_eq!(reviewed(store, at(1_000_000)).await, 0, "nothing happens to it by itself");
    let item = item(store, &application(1).id).await;
    assert_eq!((codes(&item), item.reviewed_at, item.reported_at), (vec!["not-linked"], at(1), None));
}

/// Most reports say what the ones before said. They cost no review, and the moment at which one is missed moves on.
pub async fn w6_an_unchanged_report_needs_no_review(store: &dyn Store) {
    let link = linked(store, 1).await;
    let mut previous = None;
    for sequence in 1..=3 {
        let next = report(1, sequence, previous.as_ref(), licensed(5, 10, None));
        previous = Some(next.digest.clone());
        admitted(store, &link, vec![next], 3600 * sequence as i64).await;
        let expected = u64::from(sequence == 1);
        assert_eq!(reviewed(store, at(3600 * sequence as i64)).await, expected, "report {sequence}");
    }
    assert_eq!(codes(&item(store, &application(1).id).await), [""; 0]);
    let missed = 3600 * 3 + 7200;
    assert_eq!(reviewed(store, at(missed)).await, 0, "it is patient to the last moment");
    assert_eq!(reviewed(store, at(missed) + SignedDuration::from_millis(1)).await, 1);
    assert_eq!(codes(&item(store, &application(1).id).await), ["overdue"]);
    let late = report(1, 4, previous.as_ref(), licensed(5, 10, None));
    admitted(store, &link, vec![late], missed + 100).await;
    assert_eq!(reviewed(store, at(missed + 100)).await, 1, "the same content, and a report was awaited");
    assert_eq!(codes(&item(store, &application(1).id).await), [""; 0]);
}

/// Whatever is new is seen: other counts, a run that failed, a gap, a fork, what somebody does with the link.
pub async fn w5_whatever_is_new_calls_for_a_review(store: &dyn Store) {
    let link = linked(store, 1).await;
    let steps = chain(1, 3);
    reviewed(store, at(0)).await;
    admitted(store, &link, vec![steps[0].clone()], 10).await;
    assert_eq!(reviewed(store, at(10)).await, 1, "the first report");
    admitted(store, &link, vec![steps[1].clone()], 20).await;
    assert_eq!(reviewed(store, at(20)).await, 1, "other counts");
    let failed = report(1, 3, Some(&steps[1].digest), failure());
    admitted(store, &link, vec![failed.clone()], 30).await;
    assert_eq!(reviewed(store, at(30)).await, 1, "a run that failed");
    admitted(store, &link, vec![steps[2].clone()], 40).await;
    assert_eq!(reviewed(store, at(40)).await, 1, "a fork");
    store.set_link_state(&act(), &link.id, LinkState::Suspended).await.expect("suspended");
    assert_eq!(reviewed(store, at(50)).await, 1, "it was suspended");
    assert_eq!(codes(&item(store, &application(1).id).await), ["link-suspended", "fork", "run-failed"]);
    store.choose_link(&act(), &application(1).id, None).await.expect("chosen");
    assert_eq!(reviewed(store, at(60)).await, 1, "no link is shown");
    assert_eq!(codes(&item(store, &application(1).id).await), ["not-linked"]);
    store.approve_link(&act_at(61), &link.id, &application(1).id).await.expect("approved");
    let after_gap = report(1, 9, Some(&steps[0].digest), counts(3));
    admitted(store, &link, vec![after_gap], 70).await;
    assert_eq!(reviewed(store, at(70)).await, 1);
    assert!(codes(&item(store, &application(1).id).await).contains(&"gap"));
}

/// What was made of a license's dates holds until the next of them.
pub async fn s5_the_passing_of_time_calls_for_a_review(store: &dyn Store) {
    let day = 86_400;
    let link = linked(store, 1).await;
    let settings = crate::domain::SettingsChange { interval: Some(30 * 86_400), ..Default::default() };
    store.set_link_settings(&act(), &link.id, &settings.apply(&link.settings, at(0))).await.expect("set");
    admitted(store, &link, vec![report(1, 1, None, licensed(5, 10, Some(at(70 * day))))], 0).await;
    assert_eq!(reviewed(store, at(0)).await, 1);
    assert_eq!(reviewed(store, at(10 * day - 1)).await, 0);
    assert_eq!(reviewed(store, at(10 * day)).await, 1, "two months before its end");
    assert_eq!(codes(&item(store, &application(1).id).await)[0], "expiry");
    assert_eq!(reviewed(store, at(40 * day)).await, 1, "one month before it");
    let spells = store.spells(&application(1).id, None, PageSize::default()).await.expect("read").items;
    let expiry = spells.iter().find(|spell| spell.concern.code == "expiry").expect("it is there");
    assert_eq!((expiry.began_at, expiry.ended_at), (at(10 * day), None), "it is one matter");
    assert_eq!(String::from(expiry.concern.step), "days-30");
}

/// A concern begins, comes to a graver step, and is over; each is found by whoever follows.
pub async fn concerns_begin_change_and_end(store: &dyn Store) {
    let link = reporting(store, 1, licensed(95, 100, None)).await;
    reviewed(store, at(60)).await;
    let first = report(1, 1, None, licensed(95, 100, None)).digest;
    let over = report(1, 2, Some(&first), licensed(101, 100, None));
    admitted(store, &link, vec![over.clone()], 120).await;
    reviewed(store, at(120)).await;
    let well = report(1, 3, Some(&over.digest), licensed(5, 100, None));
    let page = store.changed_concerns(None, PageSize::default()).await.expect("read");
    let [only] = page.items.as_slice() else { panic!("one concern: {page:?}") };
    assert_eq!((only.spell.began_at, only.changed_at, only.spell.ended_at), (at(60), at(120), None));
    assert_eq!((only.spell.concern.subject.as_str(), only.spell.concern.gravity), ("users", Gravity::Problem));
    let cursor = Cursor::new(only.place());
    admitted(store, &link, vec![well], 180).await;
    reviewed(store, at(180)).await;
    let later = store.changed_concerns(Some(&cursor), PageSize::default()).await.expect("read").items;
    assert_eq!(later.iter().map(|one| one.spell.ended_at).collect::<Vec<_>>(), [Some(at(180))]);
    let end = Cursor::new(later[0].place());
    assert_eq!(store.changed_concerns(Some(&end), PageSize::default()).await.expect("read").items, []);
    let spells = store.spells(&application(1).id, None, PageSize::default()).await.expect("read").items;
    assert_eq!(spells.len(), 1, "{spells:?}");
    let bad = store.changed_concerns(Some(&Cursor::new("soon")), PageSize::default()).await;
    assert!(matches!(bad, Err(StoreError::Cursor)));
}

/// What needs attention stands first; every order gives every application once, on pages of any size.
pub async fn w5_a_fleet_is_listed_in_every_order(store: &dyn Store) {
    reporting(store, 1, licensed(50, 100, Some(at(86_400 * 500)))).await;
    reporting(store, 2, licensed(101, 100, None)).await;
    reporting(store, 3, licensed(95, 100, Some(at(86_400 * 40)))).await;
    reporting(store, 4, counts(7)).await;
    store.add_application(&act(), &application(5)).await.expect("added");
    reviewed(store, at(60)).await;
    let all = FleetFilter::default();
    let orders = [
        (FleetOrder::Attention, ["002", "003", "005", "001", "004"]),
        (FleetOrder::Name, ["001", "002", "003", "004", "005"]),
        (FleetOrder::Consumption, ["002", "003", "001", "004", "005"]),
        (FleetOrder::Expiry, ["003", "001", "002", "004", "005"]),
    ];
    for (order, names) in orders {
        let names = names.map(|name| format!("Application {name}"));
        for size in [1, 2, 5, 200] {
            assert_eq!(listed(store, &all, order, size).await, names, "{order:?} by {size}");
        }
        for cursor in ["", "x", "name", "attention x y", "search wiki application 001"] {
            let cursor = Cursor::new(cursor);
            let bad = store.fleet(&all, order, Some(&cursor), PageSize::default()).await;
            assert!(matches!(bad, Err(StoreError::Cursor)), "{order:?} {cursor:?}");
        }
    }
}

/// Filters leave what meets all of them, and what they leave moves on with the next review.
pub async fn w5_a_fleet_is_filtered(store: &dyn Store) {
    let link = reporting(store, 1, licensed(95, 100, None)).await;
    reporting(store, 2, licensed(101, 100, None)).await;
    reporting(store, 3, counts(7)).await;
    let labels = |group: &str, tags: &str| Labels::parse(group, tags).expect("labels");
    store.set_labels(&act(), &application(1).id, &labels("Sales", "critical, eu")).await.expect("set");
    store.set_labels(&act(), &application(2).id, &labels("Sales", "critical")).await.expect("set");
    assert_eq!(store.labels(&application(1).id).await.expect("read"), labels("Sales", "eu, critical"));
    reviewed(store, at(60)).await;
    let names = async |filter: FleetFilter| -> Vec<String> {
        let names = listed(store, &filter, FleetOrder::Name, 1).await;
        assert_eq!(listed(store, &filter, FleetOrder::Name, 200).await, names);
        names.into_iter().map(|name| name.trim_start_matches("Application 00").to_owned()).collect()
    };
    let filter = FleetFilter::default;
    let group = "Sales".parse().ok();
    assert_eq!(names(FleetFilter { group: group.clone(), ..filter() }).await, ["1", "2"]);
    assert_eq!(names(FleetFilter { tag: "eu".parse().ok(), ..filter() }).await, ["1"]);
    assert_eq!(names(FleetFilter { at_least: Some(Gravity::Problem), ..filter() }).await, ["2"]);
    assert_eq!(names(FleetFilter { concern: Some("limit".into()), ..filter() }).await, ["1", "2"]);
    assert_eq!(names(FleetFilter { used_for: Some(Use::Production), ..filter() }).await, ["1", "2", "3"]);
    assert_eq!(names(FleetFilter { used_for: Some(Use::Staging), ..filter() }).await, [""; 0]);
    assert_eq!(names(FleetFilter { product: "acme-chat".parse().ok(), ..filter() }).await, [""; 0]);
    let both = FleetFilter { group, concern: Some("limit".into()), tag: "eu".parse().ok(), ..filter() };
    assert_eq!(names(both).await, ["1"]);
    let found = |text: &str| FleetFilter { search: FleetFilter::searched(text), ..filter() };
    assert_eq!(names(found("sal")).await, ["1", "2"]);
    assert_eq!(names(found("acme appl 003")).await, ["3"]);
    assert_eq!(names(FleetFilter { tag: "eu".parse().ok(), ..found("sales") }).await, ["1"]);
    assert_eq!(names(found("nothing")).await, [""; 0]);
    store.set_labels(&act(), &application(1).id, &Labels::default()).await.expect("set");
    store.review_one(&application(1).id, &Reminders::default(), at(61)).await.expect("reviewed");
    assert_eq!(names(found("sal")).await, ["2"], "it went out of the lists with its labels");
    assert_eq!(names(FleetFilter { tag: "eu".parse().ok(), ..filter() }).await, [""; 0]);
    let first = report(1, 1, None, licensed(95, 100, None)).digest;
    admitted(store, &link, vec![report(1, 2, Some(&first), licensed(5, 100, None))], 120).await;
    reviewed(store, at(120)).await;
    assert_eq!(names(FleetFilter { concern: Some("limit".into()), ..filter() }).await, ["2"]);
    assert!(matches!(
        store.set_labels(&act(), &application(9).id, &Labels::default()).await,
        Err(StoreError::Missing(_))
    ));
}

/// A name that goes from one application to another is found where it is now, whichever of the two is reviewed first.
pub async fn w5_a_name_that_changes_hands_is_found_where_it_is(store: &dyn Store) {
    let named = |n: u8, name: &str| Application { name: name.parse().expect("a name"), ..application(n) };
    store.add_application(&act(), &named(1, "Atlas")).await.expect("added");
    reviewed(store, at(0)).await;
    store.change_application(&act(), &named(1, "Atlas"), &named(1, "Zebra")).await.expect("changed");
    store.add_application(&act(), &named(2, "Atlas")).await.expect("added");
    store.review_one(&application(2).id, &Reminders::default(), at(1)).await.expect("reviewed");
    reviewed(store, at(1)).await;
    for (word, n) in [("atlas", 2), ("zebra", 1)] {
        let filter = FleetFilter { search: FleetFilter::searched(word), ..FleetFilter::default() };
        let page = store.fleet(&filter, FleetOrder::Name, None, PageSize::new(10)).await.expect("a page");
        let found: Vec<_> = page.items.into_iter().map(|item| item.row.application).collect();
        assert_eq!(found, [application(n).id], "{word}");
    }
}

/// A page looks at no more rows than it may: it can be short, and the next one goes on.
pub async fn w5_a_filter_that_leaves_little_is_answered_in_pages(store: &dyn Store) {
    for n in 1..=250u32 {
        let [high, low] = u16::try_from(n).expect("small").to_be_bytes();
        let mut random = [0; 12];
        (random[0], random[1]) = (high, low);
        let name = format!("Wiki {n:03}").parse().expect("a name");
        let new = Application { id: ApplicationId::from_random(random), name, ..application(1) };
        store.add_application(&act(), &new).await.expect("added");
        if n == 250 {
            store.set_labels(&act(), &new.id, &Labels::parse("", "rare").expect("labels")).await.expect("set");
        }
    }
    reviewed(store, at(0)).await;
    let last = FleetFilter { search: FleetFilter::searched("wiki rare"), ..FleetFilter::default() };
    assert_eq!(listed(store, &last, FleetOrder::Attention, 1).await, ["Wiki 250"]);
    let production = FleetFilter { used_for: Some(Use::Production), ..FleetFilter::default() };
    assert_eq!(listed(store, &production, FleetOrder::Name, 7).await.len(), 250);
}

/// Production is summed, staging apart; what changes is added and taken away.
pub async fn s3_sums_hold_what_is_used_in_production_and_staging_apart(store: &dyn Store) {
    let link = reporting(store, 1, licensed(50, 100, None)).await;
    reporting(store, 2, licensed(30, 40, None)).await;
    let mut staging = report(3, 1, None, licensed(7, 10, None));
    staging.entry.full_mut().expect("a report").product.staging = true;
    let third = linked(store, 3).await;
    admitted(store, &third, vec![staging], 60).await;
    reviewed(store, at(60)).await;
    let users = async |of| store.sum(of, &Facet::all(), "users").await.expect("read");
    let sum = |applications, used, max| Sum { applications, used, used_of_limit: used, max, limited: applications };
    assert_eq!(users(Use::Production).await, sum(2, 80, 140));
    assert_eq!(users(Use::Staging).await, sum(1, 7, 10));
    let products = store.sums(Use::Production, SumOf::Products).await.expect("read");
    let named: Vec<_> = products.iter().map(|one| (one.facet.value(), one.dimension.as_str(), one.sum.used)).collect();
    assert_eq!(named, [("acme-wiki", "", 0), ("acme-wiki", "users", 80)]);
    let first = report(1, 1, None, licensed(50, 100, None)).digest;
    admitted(store, &link, vec![report(1, 2, Some(&first), licensed(99, 100, None))], 120).await;
    reviewed(store, at(120)).await;
    assert_eq!(users(Use::Production).await, sum(2, 129, 140));
    let warned = store.sums(Use::Production, SumOf::Gravities).await.expect("read");
    let warned: Vec<_> = warned.iter().map(|one| (one.facet.value(), one.sum.applications)).collect();
    assert_eq!(warned, [("note", 1), ("warning", 1)]);
    store.choose_link(&act(), &application(1).id, None).await.expect("chosen");
    reviewed(store, at(130)).await;
    assert_eq!(users(Use::Production).await, sum(1, 30, 40));
    let concerns = store.sums(Use::Production, SumOf::Concerns).await.expect("read");
    let concerns: Vec<_> = concerns.iter().map(|one| (one.facet.value(), one.sum.applications)).collect();
    assert_eq!(concerns, [("not-linked", 1)], "what there is none of is left out");
}

/// The calendar tells of ends in their order, by product, group and tag.
pub async fn the_calendar_holds_every_end(store: &dyn Store) {
    let day = 86_400;
    reporting(store, 1, licensed(5, 10, Some(at(100 * day)))).await;
    reporting(store, 2, licensed(5, 10, Some(at(90 * day)))).await;
    reporting(store, 3, licensed(5, 10, None)).await;
    store.set_labels(&act(), &application(1).id, &Labels::parse("", "eu").expect("labels")).await.expect("set");
    reviewed(store, at(60)).await;
    let ends = async |facet: Facet, from: i64, until: i64, size: u32| -> Vec<Due> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let span = (at(from * day), at(until * day));
            let page = store.ends(&facet, span, after.as_ref(), PageSize::new(size)).await.expect("a page");
            all.extend(page.items);
            after = page.next;
            if after.is_none() {
                return all;
            }
        }
    };
    let names = |ends: &[Due]| ends.iter().map(|due| due.name.to_string()).collect::<Vec<_>>();
    let all = ends(Facet::all(), 0, 1000, 1).await;
    assert_eq!(names(&all), ["Application 002", "Application 001"]);
    assert_eq!((all[0].end.at, all[0].end.ends), (at(90 * day), Ends::License));
    assert_eq!(names(&ends(Facet::all(), 91, 101, 50).await), ["Application 001"]);
    assert_eq!(names(&ends(Facet::all(), 91, 100, 50).await), [""; 0], "until just before the end of the span");
    assert_eq!(names(&ends(Facet::tag(&"eu".parse().expect("a tag")), 0, 1000, 50).await), ["Application 001"]);
    let month = crate::domain::fleet::month(at(90 * day));
    let months = store.months(Use::Production, &Facet::all(), &month, "9999-12").await.expect("read");
    assert_eq!(months.iter().map(|(_, ends)| ends).sum::<u64>(), 2, "{months:?}");
    assert_eq!(months[0].0, month);
    let bad = store.ends(&Facet::all(), (at(0), at(1)), Some(&Cursor::new("soon")), PageSize::default()).await;
    assert!(matches!(bad, Err(StoreError::Cursor)));
}

/// A report that was observed at another time and place in the chain says the same.
pub async fn w6_only_what_a_report_says_makes_it_another(store: &dyn Store) {
    let link = linked(store, 1).await;
    let first = report_at(1, 1, None, counts(3), at(1));
    let second = report_at(1, 2, Some(&first.digest), counts(3), at(3000));
    let third = report_at(1, 3, Some(&second.digest), counts(4), at(3001));
    let mut due = Vec::new();
    for (step, report) in (1..).zip([first, second, third]) {
        admitted(store, &link, vec![report], step).await;
        due.push(reviewed(store, at(step)).await);
    }
    assert_eq!(due, [1, 0, 1]);
}
