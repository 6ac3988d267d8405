//! The page People, in the states that matter.

use axum::http::StatusCode;
use datasketches::theta::ThetaSketchBuilder;
use jiff::SignedDuration;
use seatline_protocol::PseudonymKeyId;
use seatline_protocol::pairing::Secret;

use super::stories::{Browser, story};
use super::world::{application, now};
use crate::domain::people::count::MOST_OPEN;
use crate::domain::people::tally::{Keys, Member, Tally};
use crate::domain::people::{CountState, CountsOfSet, KeptSketch, People, PeopleCount, Scope};
use crate::domain::{Application, ApplicationId, CountId, Labels, Use};
use crate::jobs::{CountPeople, Job as _, Progress};
use crate::pages::people::{PeoplePage, SetCounts};

fn kept(people: std::ops::Range<u64>) -> Option<KeptSketch> {
    let mut sketch = ThetaSketchBuilder::default().lg_k(12).build().expect("a sketch");
    let counted = people.end - people.start;
    people.for_each(|person| sketch.update(person));
    Some(KeptSketch {
        key: Some(key(1)),
        linked_at: now(),
        observed_at: now(),
        counted,
        bytes: sketch.compact(true).serialize(),
    })
}

fn key(n: u8) -> PseudonymKeyId {
    PseudonymKeyId::of(&Secret::from_bytes([n; 32]))
}

fn of_key(n: u8, people: std::ops::Range<u64>) -> Option<KeptSketch> {
    kept(people).map(|kept| KeptSketch { key: Some(key(n)), ..kept })
}

/// A count of a set of products, asked for some days ago.
fn count_of(days: i64, state: CountState, scope: &Scope, members: Vec<(&str, Option<KeptSketch>)>) -> PeopleCount {
    let mut tally = Tally::new(scope, Keys::new(key(1), &[(key(2), now())]));
    for (n, (product, kept)) in (1..).zip(members) {
        let (id, name) = (ApplicationId::from_random([n; 12]), format!("Application {n}"));
        let product = product.to_owned();
        tally.add(Member { id, name, product, group: String::new(), is_overdue: n == 1, kept: Ok(kept) });
    }
    let at = now() - SignedDuration::from_hours(24 * days + 3);
    let is_open = matches!(state, CountState::Waiting | CountState::UnderWay);
    PeopleCount {
        id: CountId::from_random([1; 12]),
        scope: scope.clone(),
        asked_by: "otto".to_owned(),
        asked_at: at,
        state,
        begun_at: Some(at),
        tries: 1,
        looked_at: 1280,
        to_look_at: 10_000,
        ended_at: (!is_open).then(|| at + SignedDuration::from_secs(12)),
        failure: (state == CountState::Failed).then(|| "it was begun 3 times".to_owned()),
        counted: (state == CountState::Done).then(|| tally.counted()),
    }
}

fn by_count(counts: Vec<PeopleCount>, may_count: bool) -> String {
    let of = CountsOfSet::new(Scope::all(Use::Production), counts);
    PeoplePage::new(None, &[], None).with_counts(Some(SetCounts::new(&of, now(), may_count))).to_string()
}

fn gallery_of_counts() -> Vec<(&'static str, String)> {
    let all = Scope::all(Use::Production);
    let count = |days, state, members| count_of(days, state, &all, members);
    let products =
        || vec![("wiki", kept(0..4180)), ("wiki", kept(3000..5230)), ("chat", kept(0..60_000)), ("build", None)];
    let keys = vec![("wiki", of_key(1, 0..100)), ("wiki", of_key(2, 0..60)), ("chat", of_key(2, 20..80))];
    let newest = count(0, CountState::Done, products());
    let under_way = count(0, CountState::UnderWay, Vec::new());
    vec![
        ("people_by_count", by_count(vec![newest.clone(), count(40, CountState::Done, products())], true)),
        ("people_count_under_way", by_count(vec![under_way, count(9, CountState::Done, products())], true)),
        ("people_count_of_two_keys", by_count(vec![count(0, CountState::Done, keys)], false)),
        ("people_count_given_up", by_count(vec![count(0, CountState::Failed, Vec::new())], true)),
    ]
}

fn named(n: u8, name: &str) -> Application {
    Application { id: ApplicationId::from_random([n; 12]), name: name.parse().expect("a name"), ..application() }
}

pub(super) fn gallery() -> Vec<(&'static str, String)> {
    let wiki = named(1, "Company wiki");
    let all = [wiki.clone(), named(2, "Build server"), named(3, "Issue tracker"), named(4, "Chat")];
    let of = |kept: Vec<Option<KeptSketch>>| People::of(all.iter().cloned().zip(kept).collect(), now());
    let some = of(vec![kept(0..4180), kept(3000..5230), kept(0..60_000), None]);
    let alone = of(vec![kept(0..4180)]);
    let of_two_keys = of(vec![of_key(1, 0..100), of_key(2, 20..80)]);
    let mut pages = vec![
        ("people", PeoplePage::new(Some(&some), &all, Some("/people?after=chat".to_owned())).to_string()),
        ("people_of_one", PeoplePage::new(Some(&alone), &all, None).to_string()),
        ("people_of_two_keys", PeoplePage::new(Some(&of_two_keys), &all, None).to_string()),
        ("people_nothing", PeoplePage::new(None, &[], None).to_string()),
    ];
    pages.extend(gallery_of_counts());
    pages
}

#[test]
fn b9_the_page_says_who_is_left_out_and_how_sure_the_numbers_are() {
    let (_, page) = gallery().swap_remove(0);
    for words in
        ["Left out of the count", "Chat: no report with a sketch", "Bounds of 95 %", "58,277 to 61,609", "1,180"]
    {
        assert!(page.contains(words), "{words}: {page}");
    }
}

#[test]
fn b9_nothing_is_called_exact_of_people_whose_number_nobody_knows() {
    let (name, page) = gallery().swap_remove(2);
    assert!(name == "people_of_two_keys" && page.contains("at least 100 and at most 160 people"), "{page}");
    assert!(!page.contains("exact"), "{page}");
}

#[tokio::test]
async fn b9_people_are_counted_over_what_applications_have_in_common() {
    let mut browser = Browser::signed_in().await;
    for n in 0..3 {
        let name = format!("Wiki {n}");
        let added = browser.central.add_application(&story(), &name, "acme-wiki", "").await.expect("added");
        let labels = Labels::parse(if n < 2 { "sales" } else { "" }, "").expect("labels");
        browser.central.set_labels(&story(), &added.id, &labels).await.expect("sorted, and reviewed");
    }
    let shown = browser.get("/people?group=sales").await.body;
    assert!(shown.contains("Left out of the count"), "none of them has a sketch: {shown}");
    let listed = |name: &str| shown.contains(&format!("/licenses\">{name}</a>"));
    assert_eq!([listed("Wiki 0"), listed("Wiki 1"), listed("Wiki 2")], [true, true, false]);
    assert_eq!(seatline_ui::audit::findings(&shown), Vec::<String>::new());
    for n in 3..130 {
        let name = format!("Wiki {n}");
        let added = browser.central.add_application(&story(), &name, "acme-wiki", "").await.expect("added");
        browser.central.set_labels(&story(), &added.id, &Labels::default()).await.expect("reviewed");
    }
    // The set is too large now: its people are counted by the job, when an operator asks for it.
    let page = "/people?use=production&product=acme-wiki";
    let before = browser.get(page).await.body;
    assert!(before.contains("These are more than 128 applications") && before.contains("Count them"), "{before}");
    browser.sign_in("vic").await;
    let seen = browser.get(page).await.body;
    assert!(!seen.contains("Count them") && seen.contains("An operator can have them counted"), "{seen}");
    assert_eq!(browser.post("/people/counts", &[("product", "acme-wiki")]).await.status, StatusCode::FORBIDDEN);
    browser.sign_in("otto").await;
    let asked = browser.post("/people/counts", &[("product", "acme-wiki"), ("use", "")]).await;
    assert_eq!((asked.status, asked.location.as_str()), (StatusCode::SEE_OTHER, page));
    let waits = browser.get(page).await.body;
    for words in
        ["A count of about 130 applications waits", "Asked for by otto", "<progress", "hx-trigger=\"every 2s\""]
    {
        assert!(waits.contains(words), "{words}: {waits}");
    }
    assert!(!waits.contains("Count them"), "it is asked for already");
    let job = CountPeople::default();
    while job.step(&browser.central).await.expect("a step") == Progress::More {}
    let done = browser.get(page).await.body;
    for words in ["Count again", "0 of 130", "Left out of the count", "No report with a sketch", "and more"] {
        assert!(done.contains(words), "{words}: {done}");
    }
    assert!(!done.contains("hx-trigger"), "nothing is under way");
    assert_eq!(seatline_ui::audit::findings(&done), Vec::<String>::new());
    let listed = browser.get("/people").await.body;
    assert!(listed.contains("Counted in the background") && listed.contains("Product acme-wiki</a>"), "{listed}");
    let nothing = browser.get("/people?use=both").await;
    assert_eq!(nothing.status, StatusCode::BAD_REQUEST, "{}", nothing.body);
}

#[tokio::test]
async fn b9_a_page_says_that_no_more_counts_are_taken() {
    let browser = Browser::signed_in().await;
    for n in 0..MOST_OPEN {
        let asked = browser.post("/people/counts", &[("group", &format!("group {n}"))]).await;
        assert_eq!(asked.status, StatusCode::SEE_OTHER, "{n}");
    }
    let refused = browser.post("/people/counts", &[("group", "one more")]).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(refused.body.contains("20 counts of people wait already"), "{}", refused.body);
}

#[tokio::test]
async fn b9_an_operator_has_a_set_of_any_size_counted_by_a_schedule() {
    let mut browser = Browser::signed_in().await;
    let added = browser.central.add_application(&story(), "Wiki", "acme-wiki", "").await.expect("added");
    let labels = Labels::parse("sales", "").expect("labels");
    browser.central.set_labels(&story(), &added.id, &labels).await.expect("sorted, and reviewed");
    let page = "/people?use=production&group=sales";
    let shown = browser.get(page).await.body;
    assert!(shown.contains("Counted when somebody asks for it.") && shown.contains("Every week"), "{shown}");
    let set = browser.post("/people/schedule", &[("group", "sales"), ("every", "week")]).await;
    assert_eq!((set.status, set.location.as_str()), (StatusCode::SEE_OTHER, page));
    let job = CountPeople::default();
    while job.step(&browser.central).await.expect("a step") == Progress::More {}
    let shown = browser.get(page).await.body;
    for words in
        ["Counted every week, as ada has set; the next time ", "Counts of this set, the newest first", ", by schedule"]
    {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    assert_eq!(seatline_ui::audit::findings(&shown), Vec::<String>::new());
    let listed = browser.get("/people").await.body;
    for words in ["Counted by a schedule", "Group sales</a>", "<td>Every week</td>", "<td>ada</td>"] {
        assert!(listed.contains(words), "which sets have one can be found: {words}: {listed}");
    }
    assert_eq!(seatline_ui::audit::findings(&listed), Vec::<String>::new());
    let odd = browser.post("/people/schedule", &[("group", "sales"), ("every", "hour")]).await;
    assert!(odd.status == StatusCode::BAD_REQUEST && odd.body.contains("one of day, week, month"), "{}", odd.body);
    browser.sign_in("vic").await;
    let seen = browser.get(page).await.body;
    assert!(seen.contains("Counted every week") && !seen.contains("/people/schedule"), "{seen}");
    assert_eq!(browser.post("/people/schedule", &[("group", "sales")]).await.status, StatusCode::FORBIDDEN);
    browser.sign_in("otto").await;
    browser.post("/people/schedule", &[("group", "sales"), ("every", "")]).await;
    assert!(browser.central.store().count_schedules().await.expect("read").is_empty());
}
