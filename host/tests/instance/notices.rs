//! What administrators are told: each thing once, over restarts, and whichever process looks.

use std::os::unix::fs::PermissionsExt as _;

use jiff::Timestamp;
use seatline_host::Host;
use seatline_host::exchange::Problem;
use seatline_host::held::{MAX_HELD_BYTES, Which};
use seatline_host::notices::{Delivered, DeliveryState, Outcome, Refused};
use seatline_host::outbox::MAX_PENDING_BYTES;
use seatline_host::sandbox::{Grants, Trigger};
use seatline_host::store::{Directory, Log, Slot, StoreError, change, records};
use seatline_protocol::notices::{Change, Notice};
use seatline_protocol::{Dimension, ExchangeResponse, License, Refusal};
use serde_json::Value;

use crate::given::{Central, Instance, at, key_of, license};

/// Looks at what is due, for one channel: the code of each notice, marked where it is over.
fn told(host: &Host) -> Vec<String> {
    codes(&host.take_notices(&["mail:ada@example.org".to_owned()], &[]).expect("a look"))
}

fn codes(notices: &[Notice]) -> Vec<String> {
    let mark = |change| if change == Change::Over { " over" } else { "" };
    notices.iter().map(|notice| format!("{}{}", notice.code, mark(notice.change))).collect()
}

fn set(instance: &Instance, change: impl FnOnce(&mut License)) {
    let mut license = license("L-1");
    change(&mut license);
    instance.host.set_license(&key_of(&license)).expect("it holds");
}

#[test]
fn s5_a_reminder_is_taken_once_over_restarts_and_whoever_looks() {
    let instance = Instance::new();
    set(&instance, |license| license.expires = Some(at("2026-04-20T00:00:00Z")));
    let looks = std::thread::scope(|scope| {
        let hosts = [instance.again(), instance.again(), instance.again()];
        let looks = hosts.map(|host| scope.spawn(move || told(&host).len()));
        looks.map(|look| look.join().expect("a look"))
    });
    assert_eq!(looks.iter().sum::<usize>(), 1, "one of three processes takes it");
    assert_eq!(told(&instance.again()), [""; 0]);

    let book = instance.host.book_of_notices().expect("the book");
    let [entry] = &book.entries[..] else { panic!("{book:?}") };
    assert_eq!(entry.notice.message.split(". ").next(), Some("License L-1 expires on 2026-04-20 UTC"));
    assert_eq!((entry.id.len(), entry.deliveries.len()), (32, 1));
    assert_eq!(entry.deliveries[0].state, DeliveryState::Waiting);
    instance.set_time("2026-03-21T00:00:00Z");
    assert_eq!(told(&instance.host), ["expires-soon"], "a month before");
    let ids: Vec<_> = instance.host.book_of_notices().expect("the book").entries.into_iter().map(|it| it.id).collect();
    assert_ne!(ids[0], ids[1]);
}

#[test]
fn s6_a_threshold_that_is_passed_by_a_run_is_taken_after_it() {
    let instance = Instance::new();
    instance.install(Grants::all());
    set(&instance, |license| license.limits[0].max = Some(4));
    instance.host.collect(Trigger::Demand).expect("a run");
    assert_eq!(told(&instance.host), [""; 0], "3 of 4 are 75 %");
    let before = instance.host.notices_stamp().expect("a stamp");
    let set = |percent| {
        instance.host.change_reminders(|reminders| reminders.thresholds = [(Dimension::users(), percent)].into())
    };
    assert_eq!(set(101).expect_err("no hundredths").code(), "reminders-invalid");
    assert_eq!(instance.host.notices_stamp().expect("a stamp"), before, "what was refused changed nothing");
    set(75).expect("a threshold");
    assert_ne!(instance.host.notices_stamp().expect("a stamp"), before, "there is something to look at");
    assert_eq!(instance.again().reminders().expect("the reminders").threshold(&Dimension::users()), Some(75));
    assert_eq!(told(&instance.host), ["threshold-exceeded"]);
}

#[test]
fn without_a_channel_nothing_is_taken_and_all_of_it_stays_due() {
    let instance = Instance::new();
    set(&instance, |license| license.expires = Some(at("2026-04-20T00:00:00Z")));
    assert_eq!(instance.host.take_notices(&[], &[]).expect("a look"), []);
    assert_eq!(told(&instance.host), ["expires-soon"]);
}

#[test]
fn a_run_that_fails_for_some_intervals_is_told_and_so_is_the_one_that_counts_again() {
    let instance = Instance::new();
    let run_at = |time: &str| {
        instance.set_time(time);
        instance.host.collect(Trigger::Interval).expect("a run");
        told(&instance.host)
    };
    assert_eq!(run_at("2026-03-01T12:00:00Z"), [""; 0]);
    assert_eq!(run_at("2026-03-01T14:59:00Z"), [""; 0]);
    assert_eq!(run_at("2026-03-01T15:00:00Z"), ["counting-fails"], "three hours, at an interval of one");
    instance.install(Grants::all());
    assert_eq!(run_at("2026-03-01T16:00:00Z"), [""; 0]);
    assert_eq!(run_at("2026-03-01T17:00:00Z"), ["counting-fails over"]);
}

#[test]
fn reports_that_nobody_receives_and_a_link_that_is_refused_are_told() {
    let (instance, central) = (Instance::new(), Central::new());
    instance.install(Grants::all());
    central.links(&instance.host);
    assert!(instance.host.sync(Trigger::Demand).exchanged.is_err(), "nobody listens");
    assert_eq!(told(&instance.host), [""; 0]);
    instance.set_time("2026-03-01T15:00:00Z");
    let notices = instance.host.take_notices(&["x".to_owned()], &[]).expect("a look");
    assert_eq!(codes(&notices), ["reports-wait"]);
    let message = &notices[0].message;
    assert!(message.starts_with("1 report waits to be received, the first since 2026-03-01 12:00 UTC: "), "{message}");
    assert!(message.ends_with("[central-unreachable]. What waits is sent again."), "{message}");
    instance.host.import_response(&central.receipts(&instance.host, "2026-03-01T15:00:00Z")).expect("receipts");
    assert_eq!(told(&instance.host), [""; 0]);
    instance.set_time("2026-03-01T16:00:00Z");
    assert_eq!(told(&instance.host), ["reports-wait over"]);

    let (instance, central) = (Instance::new(), Central::new());
    central.invites(&instance.host);
    let refusals = vec![Refusal::new("join", None, "invite-unknown", "the invite is unknown")];
    instance.host.import_response(&ExchangeResponse { refusals, ..Default::default() }).expect("taken");
    assert_eq!(told(&instance.host), ["link-refused"]);
    assert_eq!(told(&instance.host), [""; 0]);
}

#[test]
fn no_report_is_made_any_more_where_few_large_ones_take_up_all_the_room_and_that_is_told() {
    const MEBIBYTE: usize = 1024 * 1024;
    let (instance, central) = (Instance::new(), Central::new());
    let host = &instance.host;
    central.links(host);
    let grown = |log, field: &str, reports: usize| {
        let store = Directory::open(instance.dir.path().join("state")).expect("the store");
        let mut one: Value = serde_json::from_slice(&records(&store, log).expect("a log").remove(0)).expect("JSON");
        let inner = one.pointer_mut(field).expect("a report").as_object_mut().expect("an object");
        inner.insert("sealed".to_owned(), "x".repeat(MEBIBYTE).into());
        let one = serde_json::to_vec(&one).expect("JSON");
        let filled: Result<(), StoreError> =
            change(&store, |locked| locked.rewrite(log, &mut |_| false, &vec![one; reports]));
        filled.expect("filled");
    };
    host.collect(Trigger::Demand).expect("a report");
    grown(Log::Outbox, "/report", MAX_PENDING_BYTES / MEBIBYTE);
    assert_eq!(host.collect(Trigger::Demand).expect_err("no room").code(), "outbox-full");
    assert_eq!(told(host), ["outbox-full"]);

    host.hold_reports(true).expect("held");
    assert!(host.collect(Trigger::Demand).expect("a run").is_held);
    grown(Log::Held, "", MAX_HELD_BYTES / MEBIBYTE - 1);
    let hold = host.hold_status().expect("the hold");
    assert!(hold.is_full && hold.held < hold.capacity, "{hold:?}");
    assert_eq!(host.collect(Trigger::Demand).expect_err("no room").code(), "held-full");
    assert_eq!(told(host), ["held-full"]);
    grown(Log::Held, "", MAX_HELD_BYTES / MEBIBYTE - 2);
    assert!(host.collect(Trigger::Demand).expect("room for one").is_held);
}

#[test]
fn b6_reports_that_wait_for_approval_are_told_when_nobody_has_looked_at_them_for_long() {
    let (instance, central) = (Instance::new(), Central::new());
    let host = &instance.host;
    instance.install(Grants::all());
    central.links(host);
    let before = host.notices_stamp().expect("a stamp");
    host.hold_reports(true).expect("held");
    assert_ne!(host.notices_stamp().expect("a stamp"), before, "there is something to look at");
    host.collect(Trigger::Interval).expect("a report that is held");
    assert_eq!(told(host), [""; 0]);
    instance.set_time("2026-03-01T15:00:00Z");
    let notices = host.take_notices(&["x".to_owned()], &[]).expect("a look");
    assert_eq!(codes(&notices), ["reports-held"], "three hours, at an interval of one");
    assert!(notices[0].message.contains("1 report waits for approval, the first since 2026-03-01 12:00 UTC"));

    for _ in 1..host.hold_status().expect("the hold").capacity {
        assert!(host.collect(Trigger::Interval).expect("a run").is_held);
    }
    assert_eq!(told(host), ["held-full"]);
    host.discard_reports(&Which::All).expect("discarded");
    assert_eq!(told(host), ["held-full over"]);
    assert_eq!(told(host), [""; 0]);
}

#[test]
fn b2_a_clock_that_was_set_back_is_told() {
    let (instance, central) = (Instance::new(), Central::new());
    central.links(&instance.host);
    instance.host.collect(Trigger::Demand).expect("a report of what failed");
    instance.host.import_response(&central.receipts(&instance.host, "2026-03-01T12:00:00Z")).expect("a receipt");
    instance.set_time("2026-03-01T11:56:00Z");
    assert_eq!(told(&instance.host), [""; 0], "clocks differ");
    instance.set_time("2026-03-01T11:00:00Z");
    assert_eq!(told(&instance.host), ["clock-behind"]);
}

#[test]
fn g2_a_license_key_that_lies_ready_and_is_refused_is_told_once_for_each_reason() {
    let instance = Instance::new();
    let look = |messages: &[&str]| {
        let refused = |message: &&str| Refused { code: "wrong-product".to_owned(), message: (*message).to_owned() };
        let refused: Vec<_> = messages.iter().map(refused).collect();
        codes(&instance.host.take_notices(&["x".to_owned()], &refused).expect("a look"))
    };
    assert_eq!(look(&["for another product"]), ["license-refused"]);
    assert_eq!(look(&["for another product"]), [""; 0]);
    assert_eq!(look(&["for a third product"]), ["license-refused"]);
    assert_eq!(look(&[]), ["license-refused over"]);
}

fn delivered(id: &str, channel: &str, outcome: Outcome) -> Delivered {
    Delivered { id: id.to_owned(), channel: channel.to_owned(), outcome }
}

fn problem(code: &str) -> Problem {
    Problem { code: code.to_owned(), message: "it failed".to_owned() }
}

/// What is due: the channel and how often it failed.
fn due(host: &Host, time: &str) -> Vec<(String, u32)> {
    let book = host.book_of_notices().expect("the book");
    book.due(at(time)).into_iter().map(|due| (due.channel.to_owned(), due.failures)).collect()
}

#[test]
fn each_channel_is_delivered_to_by_itself_and_what_fails_waits_for_its_time() {
    let instance = Instance::new();
    let host = &instance.host;
    set(&instance, |license| license.expires = Some(at("2026-04-20T00:00:00Z")));
    let channels = ["a", "b", "c"].map(str::to_owned);
    assert_eq!(host.take_notices(&channels, &[]).expect("a look").len(), 1);
    let id = host.book_of_notices().expect("the book").entries[0].id.clone();
    assert_eq!(due(host, "2026-03-01T12:00:00Z"), [("a".to_owned(), 0), ("b".to_owned(), 0), ("c".to_owned(), 0)]);
    let note = |channel: &str, outcome| host.note_deliveries(&[delivered(&id, channel, outcome)]).expect("noted");
    note("a", Outcome::Taken);
    note("b", Outcome::Failed(problem("mail-slow"), at("2026-03-01T13:00:00Z")));
    note("c", Outcome::GivenUp(problem("mail-recipient")));
    // What was delivered stays so, whatever comes later.
    note("a", Outcome::GivenUp(problem("late")));
    assert_eq!(due(host, "2026-03-01T12:59:00Z"), []);
    assert_eq!(host.book_of_notices().expect("the book").next_due(), Some(at("2026-03-01T13:00:00Z")));
    assert_eq!(due(&instance.again(), "2026-03-01T13:00:00Z"), [("b".to_owned(), 1)]);

    // Who mends the settings does not wait.
    let save = |settings: &mut String| {
        *settings = "hunter2".to_owned();
        Ok::<_, StoreError>(())
    };
    host.change_kept(Slot::NotificationSettings, save).expect("changed");
    host.hurry_deliveries().expect("hurried");
    assert_eq!(due(host, "2026-03-01T12:00:00Z"), [("b".to_owned(), 1)]);
    let mode = std::fs::metadata(instance.dir.path().join("state/notification-settings.json")).expect("the file");
    assert_eq!(mode.permissions().mode() & 0o777, 0o600);

    // A channel that was removed is given up with the next look.
    host.take_notices(&["a".to_owned()], &[]).expect("a look");
    let book = host.book_of_notices().expect("the book");
    let shown: Vec<_> = book.entries[0].deliveries.iter().map(|it| (it.state.name(), it.failures)).collect();
    assert_eq!(shown, [("delivered", 0), ("given-up", 1), ("given-up", 1)]);
    assert_eq!(book.next_due(), None);
}

#[test]
fn the_book_is_bounded_and_the_newest_stay() {
    use seatline_host::notices::{MAX_CHANNELS, MAX_ENTRIES, TOO_MANY};
    let instance = Instance::new();
    let channels: Vec<String> = (0..=MAX_CHANNELS).map(|index| format!("mail:{index}")).collect();
    for index in 0..=MAX_ENTRIES {
        let refused = [Refused { code: "x".to_owned(), message: format!("key {index}") }];
        assert_eq!(instance.host.take_notices(&channels, &refused).expect("a look").len(), 1, "{index}");
    }
    let book = instance.host.book_of_notices().expect("the book");
    assert_eq!(book.entries.len(), MAX_ENTRIES);
    assert_eq!(book.entries[0].notice.message, "key 1");
    let last = &book.entries[0].deliveries[MAX_CHANNELS];
    assert_eq!(
        (last.state, last.problem.as_ref().map(|it| it.code.as_str())),
        (DeliveryState::GivenUp, Some(TOO_MANY))
    );
    assert_eq!(book.due(Timestamp::MAX).len(), MAX_ENTRIES * MAX_CHANNELS);
}
