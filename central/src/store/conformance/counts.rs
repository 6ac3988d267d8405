//! Stories about counts of people over sets of any size.

use seatline_protocol::PseudonymKeyId;
use seatline_protocol::notices::Reminders;
use seatline_protocol::pairing::Secret;

use super::people::with_sketch;
use super::sample::{act_at, application, at, linked, report};
use crate::domain::people::count::{MOST_KEPT, MOST_OF_SET, MOST_OPEN};
use crate::domain::people::schedule::MOST_SCHEDULED;
use crate::domain::people::tally::{Keys, Tally};
use crate::domain::people::{CountState, Counted, Every, PeopleCount, Scope};
use crate::domain::{ApplicationId, CountId, EntryFilter, Labels, Use};
use crate::store::people::{Asked, Scheduled};
use crate::store::{Cursor, PageSize, Store, StoreError};

fn set(group: &str) -> Scope {
    Scope::typed("", group, "", "").expect("a set")
}

fn id(n: u32) -> CountId {
    let mut random = [7; 12];
    random[..4].copy_from_slice(&n.to_be_bytes());
    CountId::from_random(random)
}

/// What a count of nobody comes to.
fn nobody() -> Result<Counted, String> {
    let first = PseudonymKeyId::of(&Secret::from_bytes([1; 32]));
    Ok(Tally::new(&set(""), Keys::new(first, &[])).counted())
}

async fn ask(store: &dyn Store, n: u32, scope: &Scope) -> Asked {
    store.ask_count(&act_at(i64::from(n)), &id(n), scope).await.expect("asked")
}

async fn count(store: &dyn Store, n: u32) -> PeopleCount {
    store.count(&id(n)).await.expect("read").expect("it is kept")
}

/// Asks for a count, and ends it at once.
async fn done(store: &dyn Store, n: u32, scope: &Scope) {
    assert!(matches!(ask(store, n, scope).await, Asked::Open(_)), "{n}");
    let begun = store.begin_count(&id(n), at(i64::from(n))).await.expect("begun");
    store.end_count(&id(n), begun.attempt, at(i64::from(n)), &nobody()).await.expect("ended");
}

/// An application in a group and with a tag, whose product reported a sketch; in production or not.
async fn reporting(store: &dyn Store, n: u8, group: &str, tag: &str, staging: bool) {
    let link = linked(store, n).await;
    let mut report = report(n, 1, None, with_sketch(u64::from(n), &[n]));
    report.entry.full_mut().expect("a report").product.staging = staging;
    store.admit(&link.id, vec![report], at(60)).await.expect("admitted");
    let labels = Labels::parse(group, tag).expect("labels");
    store.set_labels(&act_at(61), &application(n).id, &labels).await.expect("sorted");
}

/// The accounts that were counted with the sketches of a set, and what each batch looked at.
async fn walked(store: &dyn Store, n: u32, scope: &Scope, most: u32) -> (Vec<Option<u64>>, Vec<u64>) {
    assert!(matches!(ask(store, n, scope).await, Asked::Open(_)));
    let open = store.next_count(at(69)).await.expect("read").expect("it waits");
    let begun = store.begin_count(&open.id, at(70)).await.expect("begun");
    let (mut counted, mut looked_at) = (Vec::new(), Vec::new());
    let mut after: Option<ApplicationId> = None;
    loop {
        let batch = store.people_batch(scope, &begun.list, after.as_ref(), most).await.expect("read");
        let kept =
            batch.members.into_iter().map(|member| member.kept.expect("it can be read").map(|kept| kept.counted));
        counted.extend(kept);
        looked_at.push(batch.looked_at);
        after = batch.last;
        if after.is_none() {
            let outcome = Err("it was a story".to_owned());
            store.end_count(&open.id, begun.attempt, at(80), &outcome).await.expect("ended");
            return (counted, looked_at);
        }
    }
}

/// `b9`: a set of any size is read along its shortest list, so many applications at once, staging apart.
pub async fn b9_a_set_of_any_size_is_read_in_bounded_batches(store: &dyn Store) {
    for n in 1..=7 {
        reporting(store, n, if n > 2 { "sales" } else { "" }, if n > 4 { "critical" } else { "" }, n == 7).await;
    }
    store.add_application(&act_at(62), &application(8)).await.expect("added");
    while store.review(&Reminders::default(), at(62), 10).await.expect("reviewed").more {}
    let of = |product: &str, group: &str, tag: &str, used_for: &str| {
        Scope::typed(product, group, tag, used_for).expect("a set")
    };
    let some = |counted: &[u64]| counted.iter().map(|counted| Some(*counted)).collect::<Vec<_>>();
    let (counted, looked_at) = walked(store, 1, &Scope::all(Use::Production), 3).await;
    assert_eq!(counted, [some(&[1, 2, 3, 4, 5, 6]), vec![None]].concat(), "the last one has no product");
    assert_eq!(looked_at, [3, 3, 2]);
    assert_eq!(walked(store, 2, &Scope::all(Use::Staging), 3).await, (some(&[7]), vec![1]));
    assert_eq!(walked(store, 3, &of("", "sales", "", ""), 3).await, (some(&[3, 4, 5, 6]), vec![3, 2]));
    assert_eq!(walked(store, 4, &of("acme-wiki", "sales", "critical", ""), 2).await, (some(&[5, 6]), vec![2, 1]));
    assert_eq!(walked(store, 5, &of("acme-wiki", "", "critical", "staging"), 9).await, (some(&[7]), vec![1]));
    assert_eq!(walked(store, 6, &of("acme-chat", "", "", ""), 9).await, (Vec::new(), vec![0]));
}

/// `b9`: who asks for a count that is open gets that one; it is kept with its progress and with what it came to.
pub async fn b9_a_count_is_made_once_and_kept_with_its_numbers(store: &dyn Store) {
    let Asked::Open(asked) = ask(store, 1, &set("sales")).await else { panic!("nothing else waits") };
    assert_eq!((asked.state, asked.asked_by.as_str(), asked.asked_at), (CountState::Waiting, "story", at(1)));
    assert_eq!(ask(store, 2, &set("sales")).await, Asked::Open(asked.clone()), "it waits already");
    ask(store, 3, &set("support")).await;
    assert_eq!(store.next_count(at(9)).await.expect("read"), Some(*asked), "who has waited longest");
    let begun = store.begin_count(&id(3), at(10)).await.expect("begun");
    assert_eq!(
        store.next_count(at(10)).await.expect("read").map(|next| next.id),
        Some(id(3)),
        "what was begun goes on first"
    );
    assert!(store.note_count(&id(3), begun.attempt, 640).await.expect("noted"));
    let under_way = count(store, 3).await;
    assert_eq!((under_way.state, under_way.begun_at, under_way.looked_at), (CountState::UnderWay, Some(at(10)), 640));
    store.end_count(&id(3), begun.attempt, at(20), &nobody()).await.expect("ended");
    let ended = count(store, 3).await;
    assert_eq!((ended.state, ended.ended_at, ended.counted), (CountState::Done, Some(at(20)), nobody().ok()));
    let begun = store.begin_count(&id(1), at(30)).await.expect("begun");
    store.end_count(&id(1), begun.attempt, at(31), &Err("the server ended".to_owned())).await.expect("ended");
    assert_eq!(
        (count(store, 1).await.state, count(store, 1).await.failure.as_deref()),
        (CountState::Failed, Some("the server ended"))
    );
    assert_eq!(store.next_count(at(32)).await.expect("read"), None);
    assert!(matches!(store.begin_count(&id(1), at(40)).await, Err(StoreError::Missing(_))), "it has ended");
    let filter = EntryFilter { kind: Some("people-count".to_owned()), ..EntryFilter::default() };
    let entries = store.audit(&filter, None, PageSize::default()).await.expect("read").items;
    assert_eq!(entries.iter().map(|entry| entry.action.as_str()).collect::<Vec<_>>(), ["people-count.ask"; 2]);
    // They are listed in pages, of one set and of all.
    let listed = async |scope: Option<&Scope>, after: Option<&Cursor>| {
        let page = store.counts(scope, after, PageSize::new(1)).await.expect("a page");
        (page.items.into_iter().map(|count| count.id).collect::<Vec<_>>(), page.next)
    };
    let (first, next) = listed(None, None).await;
    assert_eq!((first, next.is_some()), (vec![id(3)], true));
    assert_eq!(listed(None, next.as_ref()).await, (vec![id(1)], None));
    assert_eq!(listed(Some(&set("sales")), None).await, (vec![id(1)], None));
    assert_eq!(listed(Some(&set("nobody")), None).await, (Vec::new(), None));
    let odd = store.counts(None, Some(&Cursor::new("5 x")), PageSize::default()).await;
    assert!(matches!(odd, Err(StoreError::Cursor)));
}

/// `b9`: a server that ended is followed by another one, and changes nothing when it comes back.
pub async fn b9_a_count_that_is_begun_again_belongs_to_who_began_it_last(store: &dyn Store) {
    ask(store, 1, &set("sales")).await;
    let before = store.begin_count(&id(1), at(10)).await.expect("begun");
    let after = store.begin_count(&id(1), at(10)).await.expect("begun again");
    assert_eq!((before.attempt, after.attempt, count(store, 1).await.tries), (1, 2, 2));
    assert!(!store.note_count(&id(1), before.attempt, 99).await.expect("noted"));
    store.end_count(&id(1), before.attempt, at(20), &nobody()).await.expect("ignored");
    assert_eq!((count(store, 1).await.state, count(store, 1).await.looked_at), (CountState::UnderWay, 0));
    store.end_count(&id(1), after.attempt, at(20), &nobody()).await.expect("ended");
    assert!(!store.note_count(&id(1), after.attempt, 99).await.expect("noted"), "it is done");
}

/// `b9`: how many counts wait, how many of one set are kept, and how many of all, is bounded.
pub async fn b9_counts_that_wait_and_that_are_kept_are_bounded(store: &dyn Store) {
    for n in 1..=MOST_OPEN {
        assert!(matches!(ask(store, n, &set(&format!("group {n}"))).await, Asked::Open(_)), "{n}");
    }
    assert_eq!(ask(store, 100, &set("one more")).await, Asked::Full);
    assert!(matches!(ask(store, 101, &set("group 1")).await, Asked::Open(_)), "it waits already");
    for n in 1..=MOST_OPEN {
        let begun = store.begin_count(&id(n), at(50)).await.expect("begun");
        store.end_count(&id(n), begun.attempt, at(51), &nobody()).await.expect("ended");
    }
    let size = PageSize::new(PageSize::MAX.into());
    for n in 200..200 + MOST_OF_SET + 3 {
        done(store, n, &set("sales")).await;
    }
    let of_set = store.counts(Some(&set("sales")), None, size).await.expect("read").items;
    let expected: Vec<CountId> = (203..200 + MOST_OF_SET + 3).rev().map(id).collect();
    assert_eq!(of_set.into_iter().map(|count| count.id).collect::<Vec<_>>(), expected, "the newest");
    ask(store, 300, &set("it waits for long")).await;
    for n in 400..400 + MOST_KEPT {
        done(store, n, &set(&format!("group {n}"))).await;
    }
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = store.counts(None, after.as_ref(), size).await.expect("read");
        all.extend(page.items.into_iter().map(|count| count.id));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(all.len(), MOST_KEPT as usize + 1);
    assert_eq!(all[all.len() - 2..], [id(400), id(300)], "what waits is never forgotten");
}

/// `b9`: a set that has a schedule is counted at once and then every so often, in its turn, until that is ended.
pub async fn b9_a_set_is_counted_by_its_schedule(store: &dyn Store) {
    const DAY: i64 = 86_400;
    let sales = set("sales");
    let schedule = async |at: i64, scope: &Scope, every: Option<Every>| {
        store.schedule_counts(&act_at(at), scope, every).await.expect("set")
    };
    let due = async |n: u32, now: i64| store.ask_due_count(&id(n), at(now)).await.expect("asked");
    let number = async || store.counts(Some(&sales), None, PageSize::default()).await.expect("read").items.len();
    assert!(!due(1, 10).await, "nothing has a schedule");
    let Scheduled::Set(Some(made)) = schedule(10, &sales, Some(Every::Week)).await else { panic!("there is room") };
    assert_eq!((made.every, made.set_by.as_str(), made.set_at, made.next_at), (Every::Week, "story", at(10), at(10)));
    let again = schedule(11, &sales, Some(Every::Week)).await;
    assert_eq!(again, Scheduled::Set(Some(made)), "the same changes nothing");

    assert!(!due(1, 9).await, "it is not its time");
    assert!(due(1, 12).await, "the first comes at once");
    assert!(!due(2, 12).await);
    let open = store.next_count(at(12)).await.expect("read").expect("it waits");
    assert_eq!((open.id, &open.scope, open.asked_by.as_str()), (id(1), &sales, "story, by schedule"));
    let next = store.count_schedules().await.expect("read").remove(0).next_at;
    assert_eq!(next, at(10 + 7 * DAY), "whole weeks after it was set");
    assert!(due(2, 10 + 30 * DAY).await, "the server was away for a month");
    assert_eq!(number().await, 1, "one is open still");
    let begun = store.begin_count(&id(1), at(13)).await.expect("begun");
    store.end_count(&id(1), begun.attempt, at(14), &nobody()).await.expect("ended");
    assert!(!due(2, 10 + 34 * DAY).await && due(2, 10 + 35 * DAY).await, "what was missed is not made up for");
    assert_eq!(number().await, 2);

    assert_eq!(schedule(20, &sales, None).await, Scheduled::Set(None));
    assert!(!due(3, 10 + 90 * DAY).await && store.count_schedules().await.expect("read").is_empty());
    for n in 0..MOST_SCHEDULED {
        assert!(matches!(schedule(30, &set(&format!("group {n}")), Some(Every::Day)).await, Scheduled::Set(_)), "{n}");
    }
    assert_eq!(schedule(31, &sales, Some(Every::Day)).await, Scheduled::Full);
    assert!(matches!(schedule(32, &set("group 1"), Some(Every::Month)).await, Scheduled::Set(_)), "it has one");
    // Where as many wait as may, the rest stay due.
    for n in 0..MOST_OPEN {
        ask(store, 100 + n, &set(&format!("other {n}"))).await;
    }
    assert!(!due(200, 40).await && store.count_schedules().await.expect("read").iter().all(|of| of.next_at <= at(40)));

    let filter = EntryFilter { kind: Some("people-schedule".to_owned()), ..EntryFilter::default() };
    let entries = store.audit(&filter, None, PageSize::default()).await.expect("read").items;
    let actions: Vec<&str> = entries.iter().rev().take(2).map(|entry| entry.action.as_str()).collect();
    assert_eq!(actions, ["people-schedule.set", "people-schedule.end"]);
    assert_eq!(entries.len(), MOST_SCHEDULED as usize + 3);
}
