//! The way of a report from the outbox to its receipt, and what is left where it is interrupted.

use seatline_host::outbox::MAX_PENDING;
use seatline_host::sandbox::Trigger;
use seatline_host::store::{Directory, Log, StoreError, change, records};
use seatline_protocol::{Digest, ExchangeResponse, LinkId, Refusal, Sequence};

use crate::given::{Central, Instance, unlink};

/// Makes reports of what failed: there is no plugin.
fn report(instance: &Instance, times: usize) {
    for _ in 0..times {
        instance.host.collect(Trigger::Demand).expect("a report");
    }
}

fn sequences(instance: &Instance) -> Vec<u64> {
    instance.waiting().iter().map(|report| report.sequence.get()).collect()
}

#[test]
fn a_request_holds_at_most_64_reports_the_oldest_first() {
    let (instance, central) = (Instance::new(), Central::new());
    central.links(&instance.host);
    report(&instance, 70);
    assert_eq!(sequences(&instance), (1..=64).collect::<Vec<_>>());
    let receipts = central.receipts(&instance.host, "2026-03-01T12:00:00Z");
    assert_eq!(instance.host.import_response(&receipts).expect("taken").receipts.len(), 64);
    assert_eq!(sequences(&instance), (65..=70).collect::<Vec<_>>());
}

#[test]
fn b2_receipts_of_another_link_or_report_let_nothing_go() {
    let (instance, central) = (Instance::new(), Central::new());
    let host = &instance.host;
    central.links(host);
    report(&instance, 2);
    let good = central.receipts(host, "2026-03-01T12:00:00Z");
    let other_link = Central { link: LinkId::from_random([7; 24]), ..Central::new() };
    let taken = |response: &ExchangeResponse| host.import_response(response).expect("taken").receipts.len();
    assert_eq!(taken(&other_link.receipts(host, "2026-03-01T12:00:00Z")), 0);
    assert_eq!((sequences(&instance), host.now().is_ok()), (vec![1, 2], true));
    assert_eq!(taken(&good), 2);
    assert_eq!(taken(&good), 0, "a receipt that arrives twice is taken once");
    report(&instance, 1);
    assert_eq!(sequences(&instance), [3], "the chain goes on");
}

#[test]
fn b1_a_report_whose_seal_is_refused_waits_as_it_is_and_holds_up_none_after_it() {
    let (instance, central) = (Instance::new(), Central::new());
    let host = &instance.host;
    central.links(host);
    report(&instance, 2);
    let sealed = host.export_reports().expect("an export").reports;
    let received = |place: u64, sealed: &str| {
        central.receipt(place.try_into().expect("a sequence"), sealed, "2026-03-01T12:00:00Z")
    };
    // Garbled on its way, of a newer version than the central server, and refused for what nobody knows today.
    for code in ["bad-signature", "invalid-content", "a-code-of-tomorrow"] {
        let refusals = vec![Refusal::new("report", Some(0), code, "it is not taken")];
        let receipts = vec![received(2, &sealed[1])];
        host.import_response(&ExchangeResponse { receipts, refusals, ..Default::default() }).expect("taken");
        assert_eq!(host.export_reports().expect("an export").reports, sealed[..1], "{code}");
        let exchange = host.exchange_state().expect("the state");
        assert_eq!(exchange.problem.map(|problem| problem.code).as_deref(), Some(code), "it is told");
        assert!(exchange.next_attempt_at.is_some(), "and tried again");
    }
    report(&instance, 1);
    assert_eq!(sequences(&instance), [1, 3], "the chain goes on");
    let third = host.export_reports().expect("an export").reports.remove(1);
    let receipts = vec![received(1, &sealed[0]), received(3, &third)];
    host.import_response(&ExchangeResponse { receipts, ..Default::default() }).expect("taken");
    assert_eq!((sequences(&instance), host.exchange_state().expect("the state").problem), (vec![], None));
}

#[test]
fn b1_two_processes_that_collect_at_once_make_one_chain() {
    let (instance, central) = (Instance::new(), Central::new());
    central.links(&instance.host);
    std::thread::scope(|scope| {
        for host in [instance.again(), instance.again()] {
            scope.spawn(move || (0..20).for_each(|_| drop(host.collect(Trigger::Interval).expect("a report"))));
        }
    });
    let sealed = instance.host.export_reports().expect("an export").reports;
    let digests = sealed.iter().map(|sealed| Some(Digest::of(sealed.as_bytes())));
    let previous: Vec<_> = std::iter::once(None).chain(digests).take(sealed.len()).collect();
    assert_eq!(sequences(&instance), (1..=40).collect::<Vec<_>>());
    assert_eq!(instance.waiting().into_iter().map(|report| report.previous).collect::<Vec<_>>(), previous);
}

#[test]
fn a_removal_that_was_interrupted_leaves_no_chain_to_the_next_link() {
    let (instance, central) = (Instance::new(), Central::new());
    central.links(&instance.host);
    report(&instance, 3);
    // The crash came after the link was removed, and before the outbox was emptied.
    let state = instance.dir.path().join("state");
    let outbox = std::fs::read(state.join("outbox.log")).expect("the outbox");
    assert_eq!(unlink(&instance.host).retired, 3);
    std::fs::write(state.join("outbox.log"), outbox).expect("as it was");

    let next = Central { link: LinkId::from_random([7; 24]), ..Central::new() };
    next.links(&instance.host);
    report(&instance, 1);
    let [first] = instance.waiting().try_into().expect("one report");
    assert_eq!((first.link, first.sequence.get(), first.previous), (next.link, 1, None));
}

#[test]
fn a_report_is_made_and_kept_though_the_central_server_cannot_be_reached() {
    let (instance, central) = (Instance::new(), Central::new());
    let host = &instance.host;
    central.invites(host);
    assert_eq!(host.sync(Trigger::Demand).exchanged.expect_err("nobody listens").code(), "central-unreachable");
    let status = host.status().expect("a status");
    assert!(status.last_run.is_some(), "a product that is not approved yet is counted");
    assert_eq!(status.exchange.failures, 1, "what is in the way is met once");
    unlink(host);
    central.links(host);
    for failures in 1..=2 {
        assert_eq!(host.sync(Trigger::Demand).exchanged.expect_err("nobody listens").code(), "central-unreachable");
        let status = host.status().expect("a status");
        assert_eq!((status.outbox.pending, status.exchange.failures), (failures, failures as u32));
        assert!(status.exchange.next_attempt_at > status.exchange.tried_at);
    }
}

#[test]
fn a_full_outbox_is_sent_though_no_report_can_be_made() {
    let (instance, central) = (Instance::new(), Central::new());
    central.links(&instance.host);
    report(&instance, 1);
    let store = Directory::open(instance.dir.path().join("state")).expect("the store");
    let one = records(&store, Log::Outbox).expect("the outbox").remove(0);
    let filled: Result<(), StoreError> =
        change(&store, |locked| locked.rewrite(Log::Outbox, &mut |_| false, &vec![one; MAX_PENDING]));
    filled.expect("a full outbox");
    let synced = instance.host.sync(Trigger::Interval);
    assert_eq!(synced.collected.expect_err("no room").code(), "outbox-full");
    assert_eq!(synced.exchanged.expect_err("nobody listens").code(), "central-unreachable");
}

#[test]
fn b1_a_chain_that_has_reached_its_last_number_makes_no_report_until_the_product_is_linked_again() {
    let (instance, central) = (Instance::new(), Central::new());
    let host = &instance.host;
    central.links(host);
    let store = Directory::open(instance.dir.path().join("state")).expect("the store");
    let head = serde_json::json!({ "head": { "sequence": Sequence::MAX - 1, "digest": Digest::of(b"") } });
    let head = serde_json::to_vec(&head).expect("JSON");
    let put: Result<(), StoreError> = change(&store, |locked| locked.append(Log::Outbox, std::slice::from_ref(&head)));
    put.expect("so many have left");
    report(&instance, 1);
    assert_eq!(sequences(&instance), [Sequence::MAX]);
    let ended = host.collect(Trigger::Demand).expect_err("there is no number after it");
    assert_eq!(ended.code(), "chain-ended");
    assert!(ended.to_string().contains("link the product again"), "{ended}");
    unlink(host);
    Central { link: LinkId::from_random([7; 24]), ..Central::new() }.links(host);
    report(&instance, 1);
    assert_eq!(sequences(&instance), [1], "a new link begins a new chain");
}
