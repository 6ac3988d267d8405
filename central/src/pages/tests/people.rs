//! The page People, in the states that matter.

use datasketches::theta::ThetaSketchBuilder;

use axum::http::StatusCode;

use super::stories::{Browser, story};
use super::world::{application, now};
use crate::domain::people::{KeptSketch, People};
use crate::domain::{Application, ApplicationId, Labels};
use crate::pages::people::PeoplePage;

fn kept(people: std::ops::Range<u64>) -> Option<KeptSketch> {
    let mut sketch = ThetaSketchBuilder::default().lg_k(12).build().expect("a sketch");
    let counted = people.end - people.start;
    people.for_each(|person| sketch.update(person));
    let key = seatline_protocol::PseudonymKeyId::of(&seatline_protocol::pairing::Secret::from_bytes([1; 32]));
    Some(KeptSketch {
        key: Some(key),
        linked_at: now(),
        observed_at: now(),
        counted,
        bytes: sketch.compact(true).serialize(),
    })
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
    vec![
        ("people", PeoplePage::new(Some(&some), &all, Some("/people?after=chat".to_owned())).to_string()),
        ("people_of_one", PeoplePage::new(Some(&alone), &all, None).to_string()),
        ("people_nothing", PeoplePage::new(None, &[], None).to_string()),
    ]
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

#[tokio::test]
async fn b9_people_are_counted_over_what_applications_have_in_common() {
    let browser = Browser::signed_in().await;
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
    let too_many = browser.get("/people?product=acme-wiki").await;
    assert_eq!(too_many.status, StatusCode::BAD_REQUEST);
    assert!(too_many.body.contains("more than 128 applications"), "{}", too_many.body);
}
