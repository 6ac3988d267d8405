//! Reports that are held for approval (`b6`): nothing leaves unseen, and the chain stays whole.

use seatline_host::held::{MAX_HELD, Which};
use seatline_host::outbox::{MAX_PENDING, MAX_PENDING_BYTES};
use seatline_host::sandbox::Trigger;
use seatline_host::store::{Directory, Log, StoreError, change, records};
use seatline_protocol::{Digest, LinkId};

use crate::given::{Central, Instance, unlink};

/// A linked instance that holds its reports.
fn holding() -> Instance {
    let instance = Instance::new();
    Central::new().links(&instance.host);
    assert!(instance.host.hold_reports(true).expect("on").since.is_some());
    instance
}

/// Makes reports of what failed: there is no plugin.
fn report(instance: &Instance, times: usize) {
    for _ in 0..times {
        let collected = instance.host.collect(Trigger::Demand).expect("a run");
        assert!(collected.is_held && collected.report.is_none());
    }
}

fn held(instance: &Instance) -> Vec<(u64, Digest)> {
    let held = instance.host.held_reports().expect("what waits");
    held.iter().map(|held| (held.report.sequence.get(), held.sealed.digest())).collect()
}

fn sealed(instance: &Instance) -> Vec<String> {
    instance.host.export_reports().expect("an export").reports
}

#[test]
fn b6_a_report_that_is_held_leaves_when_it_is_approved_and_as_the_bytes_that_were_shown() {
    let instance = holding();
    let host = &instance.host;
    report(&instance, 3);
    assert!(sealed(&instance).is_empty(), "nothing leaves, by file or otherwise");
    let status = host.status().expect("a status");
    assert_eq!((status.hold.held, status.outbox.pending), (3, 0));
    let shown: Vec<String> =
        host.held_reports().expect("what waits").into_iter().map(|held| held.sealed.sealed).collect();
    let second = held(&instance)[1].1.clone();
    assert_eq!(host.approve_reports(&Which::Of(second)).expect("approved").len(), 2, "it, and the one before");
    assert_eq!(sealed(&instance), shown[..2]);
    assert_eq!(host.last_report().expect("the state").expect("the latest").sealed, shown[1]);
    assert_eq!(held(&instance).len(), 1);
    assert_eq!(instance.again().approve_reports(&Which::All).expect("by another process").len(), 1);
    assert_eq!(sealed(&instance), shown);
    let waiting = instance.waiting();
    assert_eq!(waiting.iter().map(|report| report.sequence.get()).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(waiting[2].previous, Some(Digest::of(shown[1].as_bytes())), "b1");
    assert_eq!(host.approve_reports(&Which::All).expect_err("none waits").code(), "nothing-held");
}

#[test]
fn b6_a_report_that_is_discarded_never_leaves_and_leaves_no_gap() {
    let instance = holding();
    let host = &instance.host;
    for time in ["2026-03-01T12:01:00Z", "2026-03-01T12:02:00Z", "2026-03-01T12:03:00Z"] {
        instance.set_time(time);
        report(&instance, 1);
    }
    let before = held(&instance);
    assert_eq!(host.discard_reports(&Which::Of(before[1].1.clone())).expect("discarded"), 1);
    let after = held(&instance);
    assert_eq!(after[0], before[0]);
    assert_eq!(after[1].0, 2, "the one after it moves up");
    assert_ne!(after[1].1, before[2].1);
    let stale = host.approve_reports(&Which::Of(before[2].1.clone())).expect_err("nobody has seen these bytes");
    assert_eq!(stale.code(), "not-held");
    assert_eq!(host.discard_reports(&Which::Of(before[1].1.clone())).expect_err("twice").code(), "not-held");
    host.approve_reports(&Which::All).expect("approved");
    let times: Vec<String> = instance.waiting().iter().map(|report| report.observed_at.to_string()).collect();
    assert_eq!(times, ["2026-03-01T12:01:00Z", "2026-03-01T12:03:00Z"]);
    report(&instance, 2);
    assert_eq!(host.discard_reports(&Which::All).expect("all"), 2);
    assert!(held(&instance).is_empty());
}

#[test]
fn b6_reports_leave_by_themselves_again_only_when_none_waits() {
    let instance = holding();
    let host = &instance.host;
    report(&instance, 1);
    let refused = host.hold_reports(false).expect_err("one waits");
    assert_eq!(refused.code(), "reports-held");
    assert!(refused.to_string().starts_with("1 report waits for approval"), "{refused}");
    host.approve_reports(&Which::All).expect("approved");
    assert_eq!(host.hold_reports(false).expect("off").since, None);
    assert!(host.collect(Trigger::Demand).expect("a run").report.is_some());
    assert_eq!(sealed(&instance).len(), 2);
    let since = host.hold_reports(true).expect("on").since;
    instance.set_time("2026-03-02T12:00:00Z");
    assert_eq!(host.hold_reports(true).expect("on already").since, since);
}

#[test]
fn b6_the_preview_shows_what_waits_and_what_would_come_after_it() {
    let instance = holding();
    report(&instance, 2);
    let preview = instance.host.preview_report().expect("a preview");
    assert_eq!((preview.pending.len(), preview.held.len()), (0, 2));
    let next = preview.next.report.expect("a report");
    assert_eq!((next.sequence().get(), next.previous()), (3, Some(&preview.held[1].digest())));
    assert_eq!(held(&instance).len(), 2, "nothing is kept");
}

#[test]
fn b6_what_is_held_is_bounded_and_the_reason_names_the_way_out() {
    let instance = holding();
    report(&instance, 1);
    let store = Directory::open(instance.dir.path().join("state")).expect("the store");
    let one = records(&store, Log::Held).expect("what is held").remove(0);
    let filled: Result<(), StoreError> =
        change(&store, |locked| locked.rewrite(Log::Held, &mut |_| false, &vec![one; MAX_HELD]));
    filled.expect("as many as can be");
    let error = instance.host.collect(Trigger::Demand).expect_err("no room");
    assert_eq!(error.code(), "held-full");
    assert!(error.to_string().contains("seatline report hold"), "{error}");
    assert!(instance.host.past_runs().expect("the runs")[0].sequence.is_none());
}

#[test]
fn b6_a_full_outbox_is_no_reason_not_to_hold_a_report_and_takes_no_more_than_it_has_room_for() {
    let instance = Instance::new();
    let host = &instance.host;
    Central::new().links(host);
    host.collect(Trigger::Demand).expect("a report in the outbox");
    let fill = |reports: usize| {
        let store = Directory::open(instance.dir.path().join("state")).expect("the store");
        let one = records(&store, Log::Outbox).expect("the outbox").remove(0);
        let filled: Result<(), StoreError> =
            change(&store, |locked| locked.rewrite(Log::Outbox, &mut |_| false, &vec![one; reports]));
        filled.expect("filled");
    };
    fill(MAX_PENDING);
    assert_eq!(host.collect(Trigger::Demand).expect_err("no room").code(), "outbox-full");
    host.hold_reports(true).expect("on");
    report(&instance, 2);
    assert!(host.preview_report().expect("a preview").next.report.is_some());
    fill(MAX_PENDING - 1);
    let refused = host.approve_reports(&Which::All).expect_err("there is room for one");
    assert_eq!(refused.code(), "outbox-full");
    assert!(refused.to_string().contains("2 reports more: 999 wait"), "{refused}");
    let first = held(&instance)[0].1.clone();
    assert_eq!(host.approve_reports(&Which::Of(first)).expect("approved").len(), 1);
    assert_eq!(held(&instance).len(), 1);
}

#[test]
fn b6_what_is_approved_together_stays_within_the_bytes_of_the_outbox() {
    let instance = holding();
    report(&instance, 3);
    let store = Directory::open(instance.dir.path().join("state")).expect("the store");
    let sealed: Vec<usize> =
        instance.host.held_reports().expect("what waits").iter().map(|held| held.sealed.sealed.len()).collect();
    // So many bytes wait in the outbox that two of the three have room.
    let outbox = |bytes: usize| {
        let made_at = "2026-03-01T12:00:00Z";
        let waits = |sequence: usize, bytes: usize| {
            let report = serde_json::json!({ "sequence": sequence, "made_at": made_at, "sealed": "x".repeat(bytes) });
            serde_json::to_vec(&serde_json::json!({ "report": report })).expect("JSON")
        };
        let whole = bytes / 64;
        let mut all: Vec<Vec<u8>> = (1..64).map(|sequence| waits(sequence, whole)).collect();
        all.push(waits(64, bytes - 63 * whole));
        all
    };
    let bytes = MAX_PENDING_BYTES - 2 * sealed[2] - 100;
    let filled: Result<(), StoreError> =
        change(&store, |locked| locked.rewrite(Log::Outbox, &mut |_| false, &outbox(bytes)));
    filled.expect("filled");
    let host = &instance.host;
    assert_eq!(host.approve_reports(&Which::All).expect_err("no room for three").code(), "outbox-full");
    let second = held(&instance)[1].1.clone();
    assert_eq!(host.approve_reports(&Which::Of(second)).expect("room for two").len(), 2);
}

#[test]
fn b6_what_was_held_for_another_link_is_neither_counted_nor_sent_nor_in_the_way() {
    let instance = holding();
    let host = &instance.host;
    report(&instance, 1);
    let store = Directory::open(instance.dir.path().join("state")).expect("the store");
    let ours = records(&store, Log::Held).expect("what is held").remove(0);
    let mut other: serde_json::Value = serde_json::from_slice(&ours).expect("JSON");
    other["link"] = serde_json::to_value(LinkId::from_random([7; 24])).expect("JSON");
    let other = serde_json::to_vec(&other).expect("JSON");
    let mut all = vec![other; MAX_HELD];
    all.push(ours);
    let put: Result<(), StoreError> = change(&store, |locked| locked.rewrite(Log::Held, &mut |_| false, &all));
    put.expect("held");
    assert_eq!(host.hold_status().expect("the state").held, 1);
    report(&instance, 1);
    let first = held(&instance)[0].1.clone();
    assert_eq!(host.discard_reports(&Which::Of(first)).expect("discarded"), 1);
    assert_eq!(host.hold_status().expect("the state").held, 1);
    assert_eq!(host.approve_reports(&Which::All).expect("approved").len(), 1);
    assert!(records(&store, Log::Held).expect("what is held").is_empty());
}

#[test]
fn b6_what_is_held_for_a_link_goes_with_it() {
    let instance = holding();
    report(&instance, 2);
    let removed = unlink(&instance.host);
    assert_eq!((removed.retired, removed.discarded), (0, 2), "it is told how many");
    Central { link: LinkId::from_random([7; 24]), ..Central::new() }.links(&instance.host);
    assert!(held(&instance).is_empty());
    report(&instance, 1);
    assert_eq!(held(&instance)[0].0, 1, "the new link is held too");
}

#[test]
fn b6_where_the_switch_cannot_be_read_nothing_leaves() {
    let instance = holding();
    std::fs::write(instance.dir.path().join("state/hold.json"), "{ damaged").expect("damaged");
    let error = instance.host.collect(Trigger::Demand).expect_err("nobody knows");
    assert_eq!(error.code(), "store-damaged");
    assert!(sealed(&instance).is_empty());
}

#[test]
fn b6_runs_of_late_are_remembered_with_what_became_of_them() {
    let instance = holding();
    report(&instance, 1);
    instance.host.approve_reports(&Which::All).expect("approved");
    instance.host.hold_reports(false).expect("off");
    for _ in 0..20 {
        instance.host.collect(Trigger::Interval).expect("a report");
    }
    let runs = instance.host.past_runs().expect("the runs");
    assert_eq!(runs.len(), 10);
    assert_eq!(runs[0].sequence.map(|sequence| sequence.get()), Some(21), "the newest first");
    assert_eq!((runs[0].trigger.as_str(), runs[0].is_held), ("interval", false));
}
