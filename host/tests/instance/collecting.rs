//! Collecting: what is reported, and for which link.

use std::sync::Arc;

use seatline_host::sandbox::{Capability, Grants, Trigger};
use seatline_protocol::LinkId;
use seatline_protocol::report::{Collected, Outcome};

use crate::given::{Central, Instance, at, key_of, license, unlink};

fn collected(outcome: &Outcome) -> &Collected {
    match outcome {
        Outcome::Collected(collected) => collected,
        Outcome::Failed(failure) => panic!("the run failed: {failure:?}"),
    }
}

#[test]
fn a_run_that_fails_is_reported_as_such_and_keeps_the_counts_of_before() {
    let (instance, central) = (Instance::new(), Central::new());
    let host = &instance.host;
    central.links(host);
    instance.install(Grants::all());
    host.collect(Trigger::Start).expect("a report");
    let counted = host.status().expect("a status").last_run.expect("a run");
    host.plugins().remove().expect("removed");
    instance.set_time("2026-03-01T13:00:00Z");
    host.collect(Trigger::Interval).expect("a report");

    let [_, failed] = instance.waiting().try_into().expect("two reports");
    let Outcome::Failed(failure) = failed.outcome else { panic!("nothing ran") };
    assert_eq!(failure.code, "no-plugin");
    assert_eq!((failed.trigger.as_str(), failed.reporter.plugin), ("interval", None));
    let after = host.status().expect("a status").last_run.expect("a run");
    assert_eq!((after.counts, after.counted_at), (counted.counts, counted.counted_at));
}

#[test]
fn b6_licenses_that_the_plugin_does_not_read_are_not_reported() {
    let (instance, central) = (Instance::new(), Central::new());
    let host = &instance.host;
    central.links(host);
    host.set_license(&key_of(&license("L-1"))).expect("it is set");
    instance.install(Grants::all());
    host.collect(Trigger::Demand).expect("a report");
    let others = Capability::ALL.into_iter().filter(|capability| *capability != Capability::Licensing);
    instance.install(others.collect());
    host.collect(Trigger::Demand).expect("a report");

    let [with, without] = instance.waiting().try_into().expect("two reports");
    let standing = collected(&with.outcome).standing.as_ref().expect("the standing");
    assert_eq!(standing.governed_by.as_ref().map(|id| id.as_str()), Some("L-1"));
    assert_eq!(standing.limits[0].used, Some(3), "held against the counts of this run");
    assert_eq!(collected(&without.outcome).standing, None);
}

/// Two reports wait, with the same people under the same pseudonyms.
fn assert_one_sketch(instance: &Instance, why: &str) {
    let [first, second] = instance.waiting().try_into().expect("two reports");
    let people = |outcome: &Outcome| collected(outcome).people.clone().expect("a sketch");
    assert_eq!(people(&first.outcome), people(&second.outcome), "{why}");
}

#[test]
fn b9_a_link_that_is_approved_during_a_run_gets_pseudonyms_of_its_own_key() {
    let (instance, central) = (Instance::new(), Central::new());
    let host = &instance.host;
    instance.install(Grants::all());
    let key = central.invites(host);
    let (other, approval) = (Arc::clone(host), central.approval(&key));
    instance.wiki.meanwhile(move || {
        other.import_response(&approval).expect("approved");
    });
    host.collect(Trigger::Demand).expect("a report");
    host.collect(Trigger::Demand).expect("a report");
    assert_one_sketch(&instance, "the sketch of the fleet's key, not of the local one");
}

#[test]
fn g5_a_run_during_which_another_process_made_one_is_made_again_so_that_no_report_hides_a_newer_count() {
    let (instance, central) = (Instance::new(), Central::new());
    let host = &instance.host;
    central.links(host);
    instance.install(Grants::all());
    instance.set_time("2026-03-01T12:00:00Z");
    let (other, time) = (instance.again(), instance.time());
    // This node stands still in the middle of its run, for an hour.
    instance.wiki.meanwhile(move || {
        *time.lock().expect("no panic") = at("2026-03-01T13:00:00Z");
        other.collect(Trigger::Interval).expect("another node takes over");
    });
    host.collect(Trigger::Interval).expect("a report");

    let [first, second] = instance.waiting().try_into().expect("two reports");
    assert_eq!([first.observed_at, second.observed_at], [at("2026-03-01T13:00:00Z"); 2]);
    assert_eq!([first.sequence.get(), second.sequence.get()], [1, 2], "and both are in the chain");
}

#[test]
fn a_link_that_is_removed_or_made_anew_during_a_run_gets_no_counts_of_the_one_before() {
    let (instance, central) = (Instance::new(), Central::new());
    let host = &instance.host;
    instance.install(Grants::all());
    central.links(host);
    let other = Arc::clone(host);
    instance.wiki.meanwhile(move || {
        unlink(&other);
    });
    assert!(host.collect(Trigger::Demand).expect("a run").report.is_none());

    central.links(host);
    let (other, next) = (Arc::clone(host), Central { link: LinkId::from_random([7; 24]), fleet: 9, ..Central::new() });
    instance.wiki.meanwhile(move || {
        unlink(&other);
        next.links(&other);
    });
    host.collect(Trigger::Demand).expect("a report");
    host.collect(Trigger::Demand).expect("a report");
    let first = &instance.waiting()[0];
    assert_eq!((&first.link, first.sequence.get()), (&LinkId::from_random([7; 24]), 1));
    assert_one_sketch(&instance, "the sketch of the new fleet's key");
}

#[test]
fn what_is_kept_of_a_run_is_without_the_sketch_of_the_people() {
    let (instance, central) = (Instance::new(), Central::new());
    central.links(&instance.host);
    instance.install(Grants::all());
    let run = instance.host.collect(Trigger::Demand).expect("a report").run;
    assert!(collected(&run.outcome).people.is_some());
    let kept = instance.host.status().expect("a status").last_run.expect("a run");
    assert_eq!(collected(&kept.outcome).people, None);
    assert_eq!(collected(&kept.outcome).accounts, collected(&run.outcome).accounts);
}

#[test]
fn a_status_compiles_nothing_and_tells_of_a_plugin_that_was_changed() {
    let instance = Instance::new();
    instance.install(Grants::all());
    let files = |ending: &str| {
        let entries = std::fs::read_dir(instance.dir.path().join("plugins")).expect("the directory");
        let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
        paths.retain(|path| path.extension().is_some_and(|found| found == ending));
        paths
    };
    let [compiled] = files("compiled").try_into().expect("compiled code");
    std::fs::remove_file(&compiled).expect("the cache is cold");
    let host = instance.again();
    let status = host.status().expect("a status");
    assert_eq!(status.plugin.expect("the plugin").name, "license-visibility");
    assert!(!compiled.exists(), "it was not compiled");

    let [component] = files("wasm").try_into().expect("a component");
    std::fs::write(component, b"changed").expect("somebody changes it");
    let status = host.status().expect("a status");
    assert!(status.plugin.is_none() && status.plugin_problem.expect("why").contains("was changed on the disk"));
}
