//! Where nothing has changed since a report that was received, the next one repeats it.

use seatline_host::outbox::PendingReport;
use seatline_host::sandbox::{Capability, Grants, Trigger};
use seatline_host::store::{Directory, Slot, StateReader as _, StoreError, change};
use seatline_protocol::{Entry, ExchangeResponse, Refusal, Repeat, Sequence, Settings};

use crate::given::{Central, Instance};

/// A linked instance with the stock plugin, whose central server takes repeats.
fn linked() -> (Instance, Central) {
    let (instance, central) = (Instance::new(), Central::new());
    instance.install(Grants::all());
    central.links(&instance.host);
    let settings = Settings { takes_repeats: true, ..central.wanted(1) };
    instance.host.import_response(&central.wishes(&settings)).expect("taken");
    (instance, central)
}

/// Makes a report at a time.
fn made(instance: &Instance, time: &str) -> PendingReport {
    instance.set_time(time);
    instance.host.collect(Trigger::Interval).expect("a run").report.expect("a report")
}

/// Has everything that waits received.
fn received(instance: &Instance, central: &Central, time: &str) {
    let answer = central.receipts(&instance.host, time);
    instance.host.import_response(&answer).expect("taken");
    assert_eq!(instance.host.outbox().expect("the outbox").pending, 0);
}

fn repeat(entry: Option<Entry>) -> Repeat {
    match entry {
        Some(Entry::Repeat(repeat)) => repeat,
        other => panic!("no repeat: {other:?}"),
    }
}

#[test]
fn b6_a_report_that_says_nothing_new_repeats_the_one_that_was_received() {
    let (instance, central) = linked();
    let first = made(&instance, "2026-03-01T12:00:00Z");
    let second = made(&instance, "2026-03-01T13:00:00Z");
    assert_eq!((first.repeats, second.repeats), (None, None), "nobody knows yet whether the first arrived");
    received(&instance, &central, "2026-03-01T13:00:01Z");

    let shown = instance.host.preview_report().expect("a preview").next;
    let third = made(&instance, "2026-03-01T14:00:00Z");
    let said = repeat(instance.entries().pop());
    assert_eq!((said.repeats.sequence, &said.repeats.digest), (second.sequence, &second.digest()));
    assert_eq!((said.sequence.get(), &said.previous, said.observed_at), (3, &second.digest(), third.made_at));
    assert!(third.sealed.len() < 700 && first.sealed.len() > 1000, "{} bytes", third.sealed.len());
    assert_eq!(repeat(shown.report).repeats, said.repeats, "what was shown is what would leave");
    let fourth = made(&instance, "2026-03-01T15:00:00Z");
    assert_eq!(fourth.repeats, Some(second.sequence), "a repeat needs no receipt to be followed by another");

    received(&instance, &central, "2026-03-01T15:00:01Z");
    instance.wiki.runs_node("node-2");
    let changed = made(&instance, "2026-03-01T16:00:00Z");
    assert_eq!(changed.repeats, None, "a node more is something new");
    assert_eq!(made(&instance, "2026-03-01T17:00:00Z").repeats, None, "which has no receipt yet");
    received(&instance, &central, "2026-03-01T17:00:01Z");
    assert_eq!(made(&instance, "2026-03-01T18:00:00Z").repeats.map(Sequence::get), Some(6));
}

#[test]
fn b6_a_report_says_what_the_plugin_is_granted_and_a_change_of_that_is_no_repeat() {
    let (instance, central) = linked();
    let granted = || {
        let full = instance.entries().pop().and_then(|entry| entry.full().cloned()).expect("a report that says all");
        full.reporter.plugin.expect("a plugin").granted.expect("it is said")
    };
    instance.install(Capability::ALL.into_iter().filter(|capability| *capability != Capability::Journal).collect());
    made(&instance, "2026-03-01T12:00:00Z");
    let names = granted();
    assert!(names.contains("accounts") && !names.contains("journal"), "{names:?}");
    received(&instance, &central, "2026-03-01T12:00:01Z");
    assert!(made(&instance, "2026-03-01T13:00:00Z").repeats.is_some(), "nothing has changed");

    instance.install(Grants::all());
    let shown = instance.host.preview_report().expect("a preview").next.report.expect("a report");
    let shown = serde_json::to_string(&shown).expect("JSON");
    assert!(shown.contains(r#""granted":["accounts","application-link","journal""#), "{shown}");
    assert_eq!(made(&instance, "2026-03-01T14:00:00Z").repeats, None, "what is granted is part of what is said");
    assert!(granted().contains("journal"));
}

#[test]
fn b12_after_a_week_everything_is_said_anew() {
    let (instance, central) = linked();
    made(&instance, "2026-03-01T12:00:00Z");
    received(&instance, &central, "2026-03-01T12:00:01Z");
    assert!(made(&instance, "2026-03-08T11:59:59Z").repeats.is_some());
    assert!(made(&instance, "2026-03-08T12:00:00Z").repeats.is_none());
}

#[test]
fn a_central_server_that_does_not_take_repeats_gets_none() {
    let (instance, central) = (Instance::new(), Central::new());
    instance.install(Grants::all());
    central.links(&instance.host);
    instance.host.import_response(&central.settings(1, 3600)).expect("taken");
    for time in ["2026-03-01T12:00:00Z", "2026-03-01T13:00:00Z"] {
        assert_eq!(made(&instance, time).repeats, None);
        received(&instance, &central, time);
    }
    // It is updated, and its settings are the same otherwise.
    let link = instance.host.link().expect("the state").expect("a link");
    let settings = Settings { takes_repeats: true, ..link.settings.expect("settings") };
    assert!(instance.host.import_response(&central.wishes(&settings)).expect("taken").settings_changed);
    assert!(made(&instance, "2026-03-01T14:00:00Z").repeats.is_some());
}

#[test]
fn b1_what_a_central_server_has_lost_is_sent_again_before_the_report_that_repeats_it() {
    let (instance, central) = linked();
    let first = made(&instance, "2026-03-01T12:00:00Z");
    received(&instance, &central, "2026-03-01T12:00:01Z");
    let second = made(&instance, "2026-03-01T13:00:00Z");
    let third = made(&instance, "2026-03-01T14:00:00Z");
    let requested = || instance.host.export_reports().expect("an export").reports;
    assert_eq!(requested(), [second.sealed.clone(), third.sealed.clone()]);

    let refusal = Refusal::new("report", Some(0), "repeat-unknown", "it is not stored here");
    let refused = ExchangeResponse { refusals: vec![refusal], ..Default::default() };
    instance.host.import_response(&refused).expect("taken");
    assert_eq!(requested(), [first.sealed, second.sealed.clone(), third.sealed.clone()], "by file as well");
    assert_eq!(instance.host.outbox().expect("the outbox").pending, 2, "nothing is lost, and nothing made anew");

    // Meanwhile something changes: what waits still repeats the first.
    instance.wiki.runs_node("node-2");
    let fourth = made(&instance, "2026-03-01T15:00:00Z");
    assert_eq!((requested().len(), requested()[1..].to_vec()), (4, vec![second.sealed, third.sealed, fourth.sealed]));
    let receipts = [first.sequence, second.sequence, third.sequence, fourth.sequence].into_iter().zip(requested());
    let receipts = receipts.map(|(sequence, sealed)| central.receipt(sequence, &sealed, "2026-03-01T15:00:01Z"));
    let answer = ExchangeResponse { receipts: receipts.collect(), ..Default::default() };
    assert_eq!(instance.host.import_response(&answer).expect("taken").receipts.len(), 3);
    assert_eq!(made(&instance, "2026-03-01T16:00:00Z").repeats, Some(fourth.sequence));
    assert_eq!(requested().len(), 1, "nothing more is sent than what waits");
}

#[test]
fn b6_held_reports_say_all_and_the_approved_one_is_repeated() {
    let (instance, central) = linked();
    let host = &instance.host;
    made(&instance, "2026-03-01T12:00:00Z");
    received(&instance, &central, "2026-03-01T12:00:01Z");
    host.hold_reports(true).expect("held");
    instance.set_time("2026-03-01T13:00:00Z");
    assert!(host.collect(Trigger::Interval).expect("a run").is_held);
    let preview = host.preview_report().expect("a preview");
    assert!(preview.next.report.expect("a report").full().is_some(), "it may be approved or not");
    let approved = host.approve_reports(&seatline_host::held::Which::All).expect("approved");
    assert_eq!(approved[0].repeats, None);
    host.hold_reports(false).expect("let go");
    assert_eq!(made(&instance, "2026-03-01T14:00:00Z").repeats, None, "what was approved has no receipt yet");
    received(&instance, &central, "2026-03-01T14:00:01Z");
    assert_eq!(made(&instance, "2026-03-01T15:00:00Z").repeats.map(Sequence::get), Some(3));
}

#[test]
fn a_report_of_an_older_version_in_between_is_never_passed_over() {
    let (instance, central) = linked();
    made(&instance, "2026-03-01T12:00:00Z");
    received(&instance, &central, "2026-03-01T12:00:01Z");
    let second = made(&instance, "2026-03-01T13:00:00Z");
    assert!(second.repeats.is_some());
    // An older version keeps the last report, and neither says what it repeats nor keeps it as a whole one.
    let store = Directory::open(instance.dir.path().join("state")).expect("the store");
    let json = store.read(Slot::LastReport).expect("read").expect("the last report");
    let mut last: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
    last.as_object_mut().expect("an object").remove("repeats");
    let written: Result<(), StoreError> =
        change(&store, |locked| locked.write(Slot::LastReport, last.to_string().as_bytes()));
    written.expect("written");
    assert_eq!(made(&instance, "2026-03-01T14:00:00Z").repeats, None);
}

#[test]
fn a_damaged_copy_of_what_could_be_repeated_costs_a_longer_report_and_nothing_else() {
    let (instance, central) = linked();
    made(&instance, "2026-03-01T12:00:00Z");
    received(&instance, &central, "2026-03-01T12:00:01Z");
    let store = Directory::open(instance.dir.path().join("state")).expect("the store");
    let written: Result<(), StoreError> = change(&store, |locked| locked.write(Slot::FullReports, b"[{"));
    written.expect("written");
    let second = made(&instance, "2026-03-01T13:00:00Z");
    assert_eq!(second.repeats, None);
    received(&instance, &central, "2026-03-01T13:00:01Z");
    assert_eq!(made(&instance, "2026-03-01T14:00:00Z").repeats, Some(second.sequence));
}

#[test]
fn a_new_link_repeats_nothing_of_the_one_before() {
    let (instance, central) = linked();
    let first = made(&instance, "2026-03-01T12:00:00Z");
    received(&instance, &central, "2026-03-01T12:00:01Z");
    crate::given::unlink(&instance.host);
    let store = Directory::open(instance.dir.path().join("state")).expect("the store");
    assert_eq!(store.read(Slot::FullReports).expect("read"), None, "nothing of it is kept");
    central.links(&instance.host);
    let begins = made(&instance, "2026-03-01T13:00:00Z");
    assert_eq!((begins.sequence, begins.repeats), (first.sequence, None));
}
