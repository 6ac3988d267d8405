//! Which license covers which node (`c8`, `p2`, `p3`). A line reads: each node with its license.

use seatline_protocol::standing::{LimitState, ReasonCode};
use seatline_protocol::{Behaviour, License, Observed, standing};

use crate::given::{Place as _, With as _, at, brief, coverage, dimension, license, running};

const FOUR: [&str; 4] = ["node-1", "node-2", "node-3", "node-4"];
const NOW: &str = "2026-06-01";

fn covered(licenses: &[License], observed: &Observed) -> String {
    coverage(&standing(licenses, observed, at(NOW)).nodes)
}

fn node(id: &str) -> License {
    license(id, "2026-01-01").by_node()
}

#[test]
fn p3_a_node_without_a_license_is_named() {
    let licenses = [node("N-1"), node("N-2"), node("N-3")];
    let short = standing(&licenses, &running(&FOUR), at(NOW));
    assert_eq!(coverage(&short.nodes), "node-1:N-1 node-2:N-2 node-3:N-3 node-4:-");
    assert_eq!(
        short.reasons[0].message,
        "4 nodes run, licensed for acme-wiki: 3. Without a license: node-4. Set a license for 1 more, or stop 1."
    );
    assert_eq!((short.reasons[0].code, short.verdict.name()), (ReasonCode::OverLimit, "attention"));
    assert_eq!((short.limits[0].used, short.limits[0].max), (Some(4), Some(3)));

    let strict = [node("N-1").limit("nodes", 9, 9, Behaviour::Restrict)];
    let stopped = standing(&strict, &running(&FOUR), at(NOW));
    assert_eq!(stopped.verdict.name(), "restricted");
    assert_eq!(
        stopped.reasons[0].message,
        "4 nodes run, licensed for acme-wiki: 1: the licensed features are stopped. Without a license: node-2, node-3, \
         node-4. Set a license for 3 more, or stop 3."
    );
    let many: Vec<String> = (0..9).map(|n| format!("n{n}")).collect();
    let many = running(&many.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(standing(&strict, &many, at(NOW)).reasons[0].message.contains("license: n1, n2, n3 and 5 more. Set"));
}

#[test]
fn p3_a_license_by_node_is_for_the_node_that_it_was_set_for_or_else_for_the_first_without() {
    let licenses = [node("N-1"), node("N-2"), node("N-3")];
    let table = [
        (running(&FOUR).placed("N-1", &["node-4"]), "node-1:N-2 node-2:N-3 node-3:- node-4:N-1"),
        // It is for one node, whatever somebody has written there.
        (running(&FOUR).placed("N-1", &["node-4", "node-3"]), "node-1:N-2 node-2:N-3 node-3:N-1 node-4:-"),
        // The node does not run: its license is for no other.
        (running(&FOUR).placed("N-1", &["node-9"]), "node-1:N-2 node-2:N-3 node-3:- node-4:-"),
        (running(&FOUR[..2]), "node-1:N-1 node-2:N-2"),
    ];
    for (observed, expected) in table {
        assert_eq!(covered(&licenses, &observed), expected);
    }
    let spare = standing(&licenses, &running(&FOUR[..2]), at(NOW));
    assert_eq!(brief(&spare), "licensed by N-3 | N-3:active N-2:active N-1:active | - | n-3 | never");
    assert_eq!(spare.limits[0].max, Some(3), "one more node may come");
}

#[test]
fn c8_a_license_is_for_all_nodes_or_for_those_that_it_was_set_for() {
    let old = license("L-1", "2026-01-01");
    let new = license("L-2", "2026-02-01");
    let licenses = [old.clone(), new.clone()];
    let on_two = running(&FOUR).placed("L-2", &["node-1", "node-3"]);
    let mixed = standing(&licenses, &on_two, at(NOW));
    assert_eq!(coverage(&mixed.nodes), "node-1:L-2 node-2:L-1 node-3:L-2 node-4:L-1");
    assert_eq!(brief(&mixed), "licensed by L-2 | L-2:active L-1:active | - | l-2 | never");

    let everywhere = running(&FOUR).placed("L-2", &FOUR);
    assert_eq!(covered(&licenses, &everywhere), "node-1:L-2 node-2:L-2 node-3:L-2 node-4:L-2");
    let after = standing(&licenses, &everywhere, at(NOW));
    assert_eq!(brief(&after), "licensed by L-2 | L-2:active L-1:replaced | - | l-2 | never");

    // A later one for all takes over everywhere.
    let later = [old, new, license("L-3", "2026-03-01")];
    assert_eq!(covered(&later, &on_two), "node-1:L-3 node-2:L-3 node-3:L-3 node-4:L-3");
    assert_eq!(covered(&licenses[1..], &on_two), "node-1:L-2 node-2:- node-3:L-2 node-4:-");
}

#[test]
fn c8_a_license_that_is_given_in_exchange_goes_node_by_node() {
    let licenses = [license("L-1", "2026-01-01"), license("L-2", "2026-02-01").replacing("L-1").expires("2026-05-01")];
    let observed = running(&FOUR[..2]).placed("L-2", &["node-1"]);
    let lacking = standing(&licenses, &observed, at(NOW));
    assert_eq!(coverage(&lacking.nodes), "node-1:- node-2:L-1", "node-1 has given it away");
    assert_eq!(brief(&lacking), "attention by L-1 | L-1:active L-2:expired | over-limit(nodes) | l-1 | never");
    assert_eq!(
        lacking.reasons[0].message,
        "2 nodes run, licensed for acme-wiki: 1. Without a license: node-1. Set a license for 1 more, or stop 1."
    );

    // The others are counted against what it says itself, and a node without a license is beyond any allowance.
    let strict = [licenses[0].clone().limit("nodes", 2, 2, Behaviour::Restrict), licenses[1].clone()];
    let stopped = standing(&strict, &running(&FOUR).placed("L-2", &["node-1"]), at(NOW));
    assert_eq!((stopped.limits[0].used, stopped.limits[0].max), (Some(4), Some(2)));
    assert_eq!(brief(&stopped), "restricted by L-1 | L-1:active L-2:expired | restricted(nodes) | - | never");
}

#[test]
fn c8_a_license_for_nodes_that_do_not_run_does_not_license_the_product() {
    let licenses = [license("L-1", "2026-01-01")];
    let observed = running(&FOUR[..1]).placed("L-1", &["node-7"]);
    let standing = standing(&licenses, &observed, at(NOW));
    assert_eq!(brief(&standing), "unlicensed by none | L-1:not-applicable | wrong-node(L-1) | - | never");
    assert_eq!(
        standing.reasons[0].message,
        "License L-1 was set for the node node-7, which does not run. Set it for a node that runs, or for all of them."
    );
    assert_eq!(standing.licenses[0].set_for.iter().collect::<Vec<_>>(), ["node-7"]);
}

#[test]
fn p3_a_license_for_all_covers_the_nodes_that_have_none_of_their_own() {
    let all = license("L-1", "2025-01-01").limit("nodes", 3, 0, Behaviour::Warn);
    let covered_by = |licenses: &[License]| covered(licenses, &running(&FOUR[..3]));
    assert_eq!(covered_by(&[all.clone(), node("N-1")]), "node-1:N-1 node-2:L-1 node-3:L-1");
    let later = license("L-2", "2026-02-01");
    assert_eq!(covered_by(&[later.clone(), node("N-1")]), "node-1:L-2 node-2:L-2 node-3:L-2");
    let standing = standing(&[later, node("N-1"), node("N-2")], &running(&FOUR[..1]), at(NOW));
    assert_eq!(brief(&standing), "licensed by L-2 | L-2:active N-2:replaced N-1:replaced | - | l-2 | never");
}

#[test]
fn p3_a_license_that_was_set_for_a_node_leaves_the_others_to_those_by_node() {
    let licenses = [license("L-1", "2026-01-01"), node("N-1"), node("N-2")];
    let observed = running(&FOUR[..3]).placed("L-1", &["node-1"]);
    assert_eq!(covered(&licenses, &observed), "node-1:L-1 node-2:N-1 node-3:N-2");
}

#[test]
fn c8_the_nodes_that_run_count_not_those_of_the_last_run() {
    let licenses = [license("L-1", "2026-01-01").limit("nodes", 3, 0, Behaviour::Warn)];
    let mut observed = running(&FOUR);
    observed.counts = [(dimension("nodes"), 2)].into();
    let limit = &standing(&licenses, &observed, at(NOW)).limits[0];
    assert_eq!((limit.used, limit.state), (Some(4), LimitState::Over));
}

#[test]
fn p2_an_add_on_is_licensed_for_the_installation_or_by_node() {
    let product = license("L-1", "2026-01-01");
    let whole = [product.clone(), license("A-1", "2026-01-01").add_on("acme-mail")];
    let add_on = &standing(&whole, &running(&FOUR), at(NOW)).add_ons[0];
    assert_eq!((add_on.verdict.name(), add_on.nodes.len()), ("licensed", 0));

    let by_node = [product, node("A-1").add_on("acme-mail"), node("A-2").add_on("acme-mail")];
    let by_node = standing(&by_node, &running(&FOUR[..3]), at(NOW));
    assert_eq!(coverage(&by_node.add_ons[0].nodes), "node-1:A-1 node-2:A-2 node-3:-");
    assert_eq!(coverage(&by_node.nodes), "node-1:L-1 node-2:L-1 node-3:L-1");
    let reason = &by_node.reasons[0];
    assert_eq!(reason.add_on, Some("acme-mail".parse().expect("a product")));
    assert!(reason.message.contains("licensed for acme-mail: 2. Without a license: node-3."), "{}", reason.message);
}

#[test]
fn names_of_nodes_from_outside_are_cleaned_and_more_than_a_report_holds_are_cut() {
    let long = format!("a\u{202e}{}", "x".repeat(80));
    let named = standing(&[], &running(&[&long]), at(NOW));
    assert_eq!(named.nodes[0].id, format!("a {}…", "x".repeat(61)));
    let many: Vec<String> = (0..300).map(|n| format!("n{n:03}")).collect();
    let many = running(&many.iter().map(String::as_str).collect::<Vec<_>>());
    let licenses: Vec<License> = (0..60).map(|n| node(&format!("N-{n}"))).collect();
    let short = standing(&licenses, &many, at(NOW));
    assert_eq!(short.check(), Ok(()));
    assert_eq!((short.nodes.len(), short.limits[0].used, short.limits[0].max), (256, Some(300), Some(60)));
    assert!(short.nodes[..240].iter().all(|node| node.license.is_none()), "those without come first");
}
