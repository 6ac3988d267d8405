use super::*;
use crate::domain::ids::ApplicationId;

fn item(n: u8, news: News, gravity: Gravity) -> Item {
    let application = ApplicationId::from_random([n; 12]);
    Item {
        news,
        matter: MatterKey { application, code: "limit".to_owned(), subject: "users".to_owned() },
        name: format!("Wiki {n}"),
        step: Step::Over,
        gravity,
        title: "Limit of users passed".to_owned(),
        message: "540 users are counted, and the license allows 500. Deactivate accounts, or set a greater license."
            .to_owned(),
        began_at: "2026-11-22T01:30:00Z".parse().expect("a time"),
        ended_at: (news == News::Over).then(|| "2026-11-22T02:30:00Z".parse().expect("a time")),
        staging: false,
    }
}

fn content(items: &[Item]) -> Content {
    let mut content = Content::default();
    for item in items {
        content.count(item.news, item.gravity, &item.matter.code);
        if content.has_room() {
            content.listed.push(item.clone());
        }
    }
    content
}

const ORIGIN: Origin<'static> = Origin { name: "Central", url: "https://central.example", channel: "Operations" };

#[test]
fn a_single_alert_is_its_own_subject() {
    let content = content(&[item(1, News::Began, Gravity::Problem)]);
    assert_eq!(content.subject(ORIGIN), "[Central] Wiki 1: Limit of users passed");
    insta::assert_snapshot!(content.text(ORIGIN));
}

#[test]
fn many_alerts_are_counted_and_the_first_are_listed() {
    let mut items: Vec<Item> = (0..30).map(|n| item(n, News::Began, Gravity::Warning)).collect();
    items.push(item(31, News::Over, Gravity::Problem));
    let content = content(&items);
    assert_eq!(content.subject(ORIGIN), "[Central] 30 alerts have begun, 1 is over");
    assert_eq!((content.total(), content.listed.len(), content.gravity()), (31, MAX_LISTED, Gravity::Problem));
    let text = content.text(ORIGIN);
    assert!(text.contains("11 more are not in this list"), "{text}");
    assert!(text.contains("       30  Limit near or passed: begun"), "{text}");
    assert!(text.lines().count() < 150, "a mail stays a mail");
}

#[test]
fn a_webhook_says_the_same_to_machines() {
    let content = content(&[item(1, News::Began, Gravity::Problem), item(2, News::Over, Gravity::Warning)]);
    let at = "2026-11-22T01:31:00Z".parse().expect("a time");
    let body: serde_json::Value = serde_json::from_slice(&content.body("m1", at, ORIGIN)).expect("JSON");
    insta::assert_snapshot!(serde_json::to_string_pretty(&body).expect("JSON"));
}

#[test]
fn a_message_of_a_hundred_thousand_alerts_stays_small() {
    let mut content = Content::default();
    for n in 0..100_000_u32 {
        content.count(News::Began, Gravity::ALL[n as usize % 3], "overdue");
        if content.has_room() {
            content.listed.push(item(n as u8, News::Began, Gravity::Warning));
        }
    }
    let at = Timestamp::UNIX_EPOCH;
    assert!(content.body("m1", at, ORIGIN).len() < 20_000 && content.text(ORIGIN).len() < 20_000);
    assert_eq!(content.subject(ORIGIN), "[Central] 100,000 alerts have begun");
}
