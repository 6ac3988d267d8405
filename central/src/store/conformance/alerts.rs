//! Stories about alerts: what is told, once; what waits; who knows.

use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use seatline_delivery::post::Failed;
use seatline_protocol::notices::Reminders;

use super::sample::{act, act_at, application, at, linked};
use crate::domain::alerts::MatterKey;
use crate::domain::alerts::channel::{Channel, ChannelConfig};
use crate::domain::alerts::settings::AlertSettings;
use crate::domain::alerts::telling::News;
use crate::domain::ids::{ChannelId, MessageId};
use crate::domain::{Gravity, Labels};
use crate::store::alerts::{Alert, AlertFigures, AlertFilter, KeptChannel, Message, Outcome, Parcel};
use crate::store::{Cursor, PageSize, Store, StoreError};

/// A channel that is told of everything, by this JSON over what is usual.
pub(crate) fn channel(n: u8, with: serde_json::Value) -> Channel {
    let mut config = serde_json::json!({
        "name": format!("Channel {n}"),
        "to": {"kind": "mail", "recipients": ["ada@example.org"]},
        "scope": {"least": "note", "staging": true},
        "per_hour": 60,
    });
    if let (Some(config), serde_json::Value::Object(with)) = (config.as_object_mut(), with) {
        config.extend(with);
    }
    let config: ChannelConfig = serde_json::from_value(config).expect("a channel");
    Channel { id: ChannelId::from_random([n; 12]), created_at: at(0), config }
}

pub(super) async fn kept(store: &dyn Store, id: &ChannelId) -> KeptChannel {
    store.channel(id).await.expect("read").expect("there")
}

fn numbers(figures: &AlertFigures) -> Vec<(Gravity, u64)> {
    figures.open.iter().map(|open| (open.gravity, open.number)).collect()
}

/// An application without a link, which is worth a note.
pub(crate) async fn unlinked(store: &dyn Store, n: u8, second: i64) -> MatterKey {
    let application = application(n);
    store.add_application(&act_at(second), &application).await.expect("added");
    review(store, second).await;
    MatterKey { application: application.id, code: "not-linked".to_owned(), subject: String::new() }
}

pub(super) async fn review(store: &dyn Store, second: i64) {
    while store.review(&Reminders::default(), at(second), 100).await.expect("reviewed").more {}
}

/// Does all that the job does until nothing is left, and gives the messages that there are, the newest first.
pub(crate) async fn tell(store: &dyn Store, second: i64) -> Vec<Message> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    loop {
        let mut id = [0; 12];
        id[4..].copy_from_slice(&NUMBER.fetch_add(1, Ordering::Relaxed).to_be_bytes());
        let mut more = store.follow(at(second), 7).await.expect("followed");
        more |= store.walk(at(second), 7).await.expect("walked");
        more |= store.speak(at(second), &MessageId::from_random(id), 7).await.expect("spoken");
        if !more {
            break;
        }
    }
    let page = store.messages(None, None, PageSize::new(200)).await.expect("read");
    assert!(page.items.iter().all(|message| !message.open), "every message is whole");
    page.items
}

/// What a message tells, and of how much.
pub(super) fn news(message: &Message) -> Vec<(News, u64)> {
    let mut news: Vec<(News, u64)> = Vec::new();
    for count in &message.content.counts {
        match news.iter_mut().find(|(known, _)| *known == count.news) {
            Some((_, number)) => *number += count.number,
            None => news.push((count.news, count.number)),
        }
    }
    news
}

pub(crate) async fn taken(store: &dyn Store, second: i64) -> Vec<Parcel> {
    store.take_deliveries(at(second), at(second + 300), 100).await.expect("taken")
}

/// An alert is told once, and once again when it is over.
pub async fn an_alert_is_told_once_and_again_when_it_is_over(store: &dyn Store) {
    store.add_channel(&act(), &channel(1, serde_json::json!({})), None).await.expect("added");
    let matter = unlinked(store, 1, 10).await;
    assert!(tell(store, 20).await.is_empty(), "it has not lasted for a minute");
    let told = tell(store, 70).await;
    assert_eq!((told.len(), news(&told[0])), (1, vec![(News::Began, 1)]));
    let item = &told[0].content.listed[0];
    assert_eq!((&item.matter, item.name.as_str(), item.gravity), (&matter, "Application 001", Gravity::Note));
    assert_eq!(tell(store, 5000).await.len(), 1, "once");
    store.remove_application(&act_at(6000), &matter.application).await.expect("removed");
    assert_eq!(tell(store, 6100).await.len(), 1, "it could come back");
    let told = tell(store, 6600).await;
    assert_eq!((told.len(), news(&told[0])), (2, vec![(News::Over, 1)]));
    assert_eq!(tell(store, 90_000).await.len(), 2);
}

/// What is over before anybody was told is never told.
pub async fn what_is_over_before_it_was_told_is_never_told(store: &dyn Store) {
    store.add_channel(&act(), &channel(1, serde_json::json!({})), None).await.expect("added");
    let matter = unlinked(store, 1, 10).await;
    assert!(tell(store, 30).await.is_empty());
    store.remove_application(&act_at(40), &matter.application).await.expect("removed");
    assert!(tell(store, 9000).await.is_empty());
}

/// Whatever begins together is one message for a channel, and there is a limit to how many messages it gets in an hour.
pub async fn what_begins_together_is_one_message(store: &dyn Store) {
    store.add_channel(&act(), &channel(1, serde_json::json!({"per_hour": 2})), None).await.expect("added");
    for n in 1..=60 {
        store.add_application(&act_at(10), &application(n)).await.expect("added");
    }
    review(store, 10).await;
    let told = tell(store, 80).await;
    assert_eq!((told.len(), news(&told[0])), (1, vec![(News::Began, 60)]));
    assert_eq!(told[0].content.listed.len(), 20, "the others are counted");
    for n in 61..=70 {
        unlinked(store, n, 100 + i64::from(n)).await;
    }
    assert_eq!(tell(store, 1000).await.len(), 1, "two in an hour, half an hour apart");
    let told = tell(store, 80 + 1800).await;
    assert_eq!((told.len(), news(&told[0])), (2, vec![(News::Began, 10)]));
    assert_eq!(taken(store, 2000).await.len(), 2, "each to the one recipient");
}

/// A channel that is new hears what is open, and one that wants something else hears what it newly wants.
pub async fn a_channel_that_is_new_hears_what_is_open(store: &dyn Store) {
    for n in 1..=20 {
        unlinked(store, n, 10).await;
    }
    assert!(tell(store, 100).await.is_empty(), "there is nobody who could hear it");
    let warnings = channel(1, serde_json::json!({"scope": {"least": "warning"}}));
    store.add_channel(&act_at(100), &warnings, None).await.expect("added");
    assert!(tell(store, 200).await.is_empty(), "it does not want notes");
    let all = channel(1, serde_json::json!({}));
    store.change_channel(&act_at(200), &kept(store, &all.id).await, &all.config, None).await.expect("changed");
    let told = tell(store, 300).await;
    assert_eq!((told.len(), news(&told[0])), (1, vec![(News::Began, 20)]));
    store.change_channel(&act_at(400), &kept(store, &all.id).await, &warnings.config, None).await.expect("changed");
    assert_eq!(tell(store, 9000).await.len(), 1);
}

/// In quiet hours nothing is told; what is over when they end is never told.
pub async fn in_quiet_hours_nothing_is_told_until_they_end(store: &dyn Store) {
    // The story begins on a Friday at 08:00 UTC.
    let quiet = serde_json::json!({
        "quiet": {"zone": "UTC", "times": [{"days": ["friday"], "from": "07:00", "until": "10:00"}]},
    });
    store.add_channel(&act(), &channel(1, quiet), None).await.expect("added");
    let gone = unlinked(store, 1, 10).await;
    unlinked(store, 2, 20).await;
    assert!(tell(store, 3600).await.is_empty(), "it is nine o'clock");
    store.remove_application(&act_at(3700), &gone.application).await.expect("removed");
    assert!(tell(store, 7199).await.is_empty());
    let told = tell(store, 7200).await;
    assert_eq!((told.len(), news(&told[0])), (1, vec![(News::Began, 1)]));
}

/// What somebody knows of is not told, until he takes it back or its time is over; and it stands in the audit log.
pub async fn what_is_acknowledged_is_not_told(store: &dyn Store) {
    store.add_channel(&act(), &channel(1, serde_json::json!({})), None).await.expect("added");
    let (first, second) = (unlinked(store, 1, 10).await, unlinked(store, 2, 10).await);
    let known = store.acknowledge(&act_at(20), &first, "a trial", None).await.expect("acknowledged");
    assert_eq!((known.by.as_str(), known.why.as_str(), known.until), ("story", "a trial", None));
    store.acknowledge(&act_at(20), &second, "", Some(at(5000))).await.expect("acknowledged");
    assert!(tell(store, 4000).await.is_empty());
    let listed = store.open_alerts(&AlertFilter::default(), None, PageSize::default()).await.expect("read").items;
    assert!(listed.iter().all(|alert| alert.acknowledged.is_some()));
    assert_eq!(tell(store, 5001).await.len(), 1, "until a time");
    store.withdraw(&act_at(6000), &first).await.expect("taken back");
    assert_eq!(tell(store, 6100).await.len(), 2);
    assert!(matches!(store.withdraw(&act_at(6200), &first).await, Err(StoreError::Missing(_))));
    for (code, subject) in [("fork", ""), ("not-linked", "users"), ("not-linked\0", ""), ("not-linked", "\0")] {
        let nothing = MatterKey { code: code.to_owned(), subject: subject.to_owned(), ..first.clone() };
        let refused = store.acknowledge(&act_at(6200), &nothing, "", None).await.map(|_| ());
        assert!(matches!(refused, Err(StoreError::Missing(_))), "{code:?} of {subject:?} is not open: {refused:?}");
        let refused = store.withdraw(&act_at(6200), &nothing).await;
        assert!(matches!(refused, Err(StoreError::Missing(_))), "{code:?} of {subject:?} is not known: {refused:?}");
    }
    let filter = crate::domain::EntryFilter { kind: Some("alert".to_owned()), ..Default::default() };
    let entries = store.audit(&filter, None, PageSize::default()).await.expect("read").items;
    let actions: Vec<&str> = entries.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(actions, ["alert.withdraw", "alert.acknowledge", "alert.acknowledge"]);
    assert_eq!(entries[0].object.name, "Application 001: not-linked");
}

/// A delivery is one taker's for a time; then anybody may take it again, with the same id.
pub async fn a_delivery_is_one_takers_until_its_time_is_over(store: &dyn Store) {
    let two = serde_json::json!({"to": {"kind": "mail", "recipients": ["ada@example.org", "bob@example.org"]}});
    store.add_channel(&act(), &channel(1, two), None).await.expect("added");
    unlinked(store, 1, 10).await;
    tell(store, 80).await;
    let (one, other) = tokio::join!(taken(store, 100), taken(store, 100));
    assert_eq!(one.len() + other.len(), 2, "each goes to one of them");
    assert!(taken(store, 399).await.is_empty());
    let again = taken(store, 400).await;
    assert_eq!(again.len(), 2, "whoever took them is gone");
    assert!(one.iter().chain(&other).all(|parcel| again.iter().any(|later| later.message == parcel.message)));
    let failed = Failed::new("mail-slow", "it did not answer in time");
    let note = async |place: &str, outcome: Outcome| {
        store.note_delivery(&again[0].message, place, &outcome, at(410)).await.expect("noted");
    };
    note("ada@example.org", Outcome::Taken).await;
    note("bob@example.org", Outcome::Again(failed.clone(), at(500))).await;
    let figures = store.alert_figures().await.expect("read");
    assert_eq!((figures.waiting, figures.failing, figures.oldest), (1, 1, Some(at(80))));
    store.hurry_deliveries(None, at(420)).await.expect("hurried");
    let later = taken(store, 420).await;
    assert_eq!((later.len(), later[0].place.as_str(), later[0].failures), (1, "bob@example.org", 1));
    note("bob@example.org", Outcome::Untried).await;
    assert_eq!(taken(store, 421).await.len(), 1, "what was not tried can be at once");
    note("bob@example.org", Outcome::GivenUp(failed)).await;
    assert!(taken(store, 90_000).await.is_empty());
    let message = store.messages(None, None, PageSize::default()).await.expect("read").items.remove(0);
    let [ada, bob] = &message.deliveries[..] else { panic!("{message:?}") };
    assert_eq!((ada.taken_at, ada.problem.as_deref()), (Some(at(410)), None));
    assert_eq!((bob.given_up_at, bob.failures, bob.code.as_deref()), (Some(at(410)), 2, Some("mail-slow")));
    assert_eq!(store.alert_figures().await.expect("read").oldest, None);
}

/// Of several servers that make messages at once, each alert is told once.
pub async fn of_servers_that_tell_at_once_each_alert_is_told_once(store: &dyn Store) {
    store.add_channel(&act(), &channel(1, serde_json::json!({})), None).await.expect("added");
    for n in 1..=30 {
        unlinked(store, n, 10).await;
    }
    let (one, other) = tokio::join!(tell_once(store, 1), tell_once(store, 2));
    assert_eq!((one, other), ((), ()));
    let messages = tell(store, 80).await;
    assert_eq!(messages.iter().map(|message| message.content.total()).sum::<u64>(), 30, "{messages:?}");
    assert_eq!(messages.len(), 1, "in one message");
}

async fn tell_once(store: &dyn Store, n: u8) {
    for turn in 0..20 {
        let id = MessageId::from_random([n, turn, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
        store.follow(at(80), 3).await.expect("followed");
        store.walk(at(80), 3).await.expect("walked");
        store.speak(at(80), &id, 3).await.expect("spoken");
    }
}

/// All that is open is listed in pages, the gravest first, and filtered; so is what is over.
pub async fn alerts_are_listed_in_pages_and_filtered(store: &dyn Store) {
    for n in 1..=9 {
        unlinked(store, n, 10 + i64::from(n)).await;
    }
    linked(store, 10).await;
    review(store, 50).await;
    review(store, 50 + 3 * 86_400).await;
    let pages = async |filter: &AlertFilter, past: bool| {
        let (mut all, mut after): (Vec<Alert>, Option<Cursor>) = (Vec::new(), None);
        loop {
            let page = match past {
                false => store.open_alerts(filter, after.as_ref(), PageSize::new(2)).await.expect("read"),
                true => store.past_alerts(filter, after.as_ref(), PageSize::new(2)).await.expect("read"),
            };
            assert!(page.items.len() <= 2);
            all.extend(page.items);
            after = page.next;
            if after.is_none() {
                return all;
            }
        }
    };
    let open = pages(&AlertFilter::default(), false).await;
    let shown: Vec<(i64, &str)> =
        open.iter().map(|alert| (alert.spell.concern.gravity.rank(), alert.spell.concern.code.as_str())).collect();
    assert_eq!(shown[0], (2, "never-reported"), "the gravest first: {shown:?}");
    assert_eq!((open.len(), &shown[1..]), (10, &vec![(1, "not-linked"); 9][..]));
    assert!(open[1].spell.began_at > open[2].spell.began_at, "and of those what began last");
    let figures = store.alert_figures().await.expect("read");
    assert_eq!(numbers(&figures), [(Gravity::Problem, 0), (Gravity::Warning, 1), (Gravity::Note, 9)]);
    let of = |code: Option<&str>, gravity| AlertFilter { code: code.map(str::to_owned), gravity };
    assert_eq!(pages(&of(Some("not-linked"), None), false).await.len(), 9);
    assert_eq!(pages(&of(Some("not-linked"), Some(Gravity::Warning)), false).await.len(), 0);
    assert_eq!(pages(&of(None, Some(Gravity::Warning)), false).await.len(), 1);
    for n in 1..=5 {
        store.remove_application(&act_at(300_000 + i64::from(n)), &application(n).id).await.expect("removed");
    }
    let past: Vec<Alert> = pages(&AlertFilter::default(), true)
        .await
        .into_iter()
        .filter(|alert| alert.spell.ended_at > Some(at(300_000)))
        .collect();
    assert_eq!(past.len(), 5);
    assert!(past.windows(2).all(|pair| pair[0].spell.ended_at > pair[1].spell.ended_at), "what ended last first");
    assert_eq!(past[0].name, None, "the application was removed");
    assert_eq!(pages(&of(Some("not-linked"), Some(Gravity::Problem)), true).await.len(), 0);
    assert!(pages(&of(Some("not-linked"), Some(Gravity::Note)), true).await.len() >= 5);
    let figures = store.alert_figures().await.expect("read");
    assert_eq!(numbers(&figures), [(Gravity::Problem, 0), (Gravity::Warning, 1), (Gravity::Note, 4)]);
    let wrong = store.open_alerts(&AlertFilter::default(), Some(&Cursor::new("x")), PageSize::default()).await;
    assert!(matches!(wrong, Err(StoreError::Cursor)));
}

/// A channel that is narrowed to a tag hears of an application from when it has the tag.
pub async fn who_is_told_follows_the_labels_of_an_application(store: &dyn Store) {
    let critical = serde_json::json!({"scope": {"least": "note", "tags": ["critical"]}});
    store.add_channel(&act(), &channel(1, critical), None).await.expect("added");
    let matter = unlinked(store, 1, 10).await;
    assert!(tell(store, 80).await.is_empty());
    let labels = Labels::parse("", "critical").expect("labels");
    store.set_labels(&act_at(90), &matter.application, &labels).await.expect("set");
    assert_eq!(tell(store, 100).await.len(), 1);
}

/// Other reminders have the whole fleet reviewed; the password is kept as it is given.
pub async fn s5_other_reminders_have_the_fleet_reviewed(store: &dyn Store) {
    for n in 1..=5 {
        store.add_application(&act(), &application(n)).await.expect("added");
    }
    review(store, 10).await;
    assert_eq!(store.to_review(at(20)).await.expect("asked"), None);
    let mut settings = store.alert_settings().await.expect("read").settings;
    assert_eq!(settings, AlertSettings::default());
    settings.local_webhooks = true;
    store.set_alert_settings(&act(), &settings, Some("locked")).await.expect("set");
    assert!(!store.mark_for_reminders(2).await.expect("asked"), "the reminders are the same");
    settings.reminders.expiry_days = vec![90, 14];
    store.set_alert_settings(&act(), &settings, Some("locked")).await.expect("set");
    let mut steps = 0;
    while store.mark_for_reminders(2).await.expect("marked") {
        steps += 1;
    }
    assert_eq!(steps, 2, "in batches");
    assert!(store.to_review(at(20)).await.expect("asked").is_some());
    review(store, 30).await;
    assert_eq!(store.to_review(at(40)).await.expect("asked"), None);
    let kept = store.alert_settings().await.expect("read");
    assert_eq!((kept.settings, kept.sealed.as_deref()), (settings, Some("locked")));
}

/// What is too old goes, and so does what is kept of a removed channel.
pub async fn old_messages_and_removed_channels_are_forgotten(store: &dyn Store) {
    let gone = channel(1, serde_json::json!({}));
    store.add_channel(&act(), &gone, None).await.expect("added");
    store.add_channel(&act(), &channel(2, serde_json::json!({})), None).await.expect("added");
    for n in 1..=10 {
        unlinked(store, n, 10).await;
    }
    assert_eq!(tell(store, 80).await.len(), 2);
    let sweep = async |now: Timestamp| while store.forget_alerts(now, 3).await.expect("forgotten") {};
    sweep(at(90)).await;
    assert_eq!(store.messages(None, None, PageSize::default()).await.expect("read").items.len(), 2);
    store.remove_channel(&act_at(100), &gone.id).await.expect("removed");
    sweep(at(110)).await;
    let left = store.messages(None, None, PageSize::default()).await.expect("read").items;
    assert!(left.len() == 1 && left[0].channel != gone.id, "{left:?}");
    let open = store.open_alerts(&AlertFilter::default(), None, PageSize::default()).await.expect("read").items;
    assert!(open.iter().all(|alert| alert.told.len() == 1), "{open:?}");
    sweep(at(91 * 86_400)).await;
    assert!(store.messages(None, None, PageSize::default()).await.expect("read").items.is_empty());
    let open = store.open_alerts(&AlertFilter::default(), None, PageSize::default()).await.expect("read").items;
    assert_eq!(open.len(), 10, "what is open is never forgotten");
    assert_eq!(tell(store, 91 * 86_400).await.len(), 0, "and not told again");
}
