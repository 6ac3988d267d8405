//! A table of cases: counts against limits, of the product, its nodes and its add-ons. A line reads as in `cases`.

use seatline_protocol::standing::{LimitState, MAX_LICENSES};
use seatline_protocol::{Behaviour, Counting, standing};

use crate::given::{With, at, brief, dimension, license, observed, says};

const NOW: &str = "2026-06-01";

#[test]
fn g9_each_limit_has_its_allowance_and_its_own_behaviour() {
    let table = [
        (Behaviour::Warn, 0, "licensed", "-", "l-1"),
        (Behaviour::Warn, 89, "licensed", "-", "l-1"),
        (Behaviour::Warn, 90, "attention", "near-limit(users)", "l-1"),
        (Behaviour::Warn, 100, "attention", "near-limit(users)", "l-1"),
        (Behaviour::Warn, 101, "attention", "in-allowance(users)", "l-1"),
        (Behaviour::Warn, 105, "attention", "in-allowance(users)", "l-1"),
        (Behaviour::Warn, 106, "attention", "over-limit(users)", "l-1"),
        (Behaviour::Refuse, 106, "attention", "over-limit(users)", "l-1"),
        (Behaviour::Restrict, 105, "attention", "in-allowance(users)", "l-1"),
        (Behaviour::Restrict, 106, "restricted", "restricted(users)", "-"),
    ];
    for (behaviour, users, verdict, reasons, features) in table {
        let licenses = [license("L-1", "2026-01-01").limit("users", 100, 5, behaviour)];
        assert_eq!(
            says(&licenses, &observed(&[("users", users)]), NOW),
            format!("{verdict} by L-1 | L-1:active | {reasons} | {features} | never"),
            "{users} users, {behaviour:?}"
        );
    }
}

#[test]
fn a_limit_of_nothing_and_no_limit_are_different_things() {
    for (max, extra, used, expected) in [
        (Some(0), 0, Some(0), LimitState::Within),
        (Some(0), 0, Some(1), LimitState::Over),
        (Some(0), 1, Some(1), LimitState::InAllowance),
        (None, 0, Some(u64::MAX), LimitState::Within),
        (Some(1), 0, None, LimitState::Unknown),
        (None, 0, None, LimitState::Unknown),
        (Some(u64::MAX), u64::MAX, Some(u64::MAX), LimitState::Near),
    ] {
        assert_eq!(LimitState::of(max, extra, used), expected, "{used:?} of {max:?} and {extra}");
    }
}

#[test]
fn a_dimension_that_was_never_counted_gives_no_reason() {
    let licenses = [license("L-1", "2026-01-01").limit("channels", 1, 0, Behaviour::Restrict)];
    let standing = standing(&licenses, &observed(&[("users", 7)]), at(NOW));
    assert_eq!(brief(&standing), "licensed by L-1 | L-1:active | - | l-1 | never");
    assert_eq!((standing.limits[0].used, standing.limits[0].state), (None, LimitState::Unknown));
}

#[test]
fn c8_the_nodes_that_run_are_held_against_the_license_and_all_of_them_is_in_order() {
    let licenses = [license("L-1", "2026-01-01").limit("nodes", 3, 0, Behaviour::Warn)];
    for (nodes, verdict, reasons) in [(3, "licensed", "-"), (4, "attention", "over-limit(nodes)")] {
        assert_eq!(
            says(&licenses, &observed(&[("nodes", nodes)]), NOW),
            format!("{verdict} by L-1 | L-1:active | {reasons} | l-1 | never")
        );
    }
}

#[test]
fn p3_licenses_by_node_add_up() {
    let node = |id: &str| license(id, "2026-01-01").by_node();
    let licenses = [node("N-1"), node("N-2"), node("N-3")];
    let four = standing(&licenses, &observed(&[("nodes", 4)]), at(NOW));
    assert_eq!(brief(&four), "attention by N-3 | N-3:active N-2:active N-1:active | over-limit(nodes) | n-3 | never");
    assert_eq!((four.limits[0].dimension.clone(), four.limits[0].max), (dimension("nodes"), Some(3)));
    assert_eq!(standing(&licenses, &observed(&[("nodes", 3)]), at(NOW)).verdict.name(), "licensed");
}

#[test]
fn p3_a_license_by_node_that_ends_is_told_of_though_others_hold() {
    let licenses =
        [license("N-1", "2026-01-01").by_node(), license("N-2", "2026-01-01").by_node().expires("2026-06-15")];
    assert_eq!(
        says(&licenses, &observed(&[("nodes", 2)]), NOW),
        "attention by N-1 | N-1:active N-2:active | expires-soon(N-2) | n-1 | 2026-06-15"
    );
    assert_eq!(
        says(&licenses, &observed(&[("nodes", 2)]), "2026-06-15"),
        "attention by N-1 | N-1:active N-2:expired | over-limit(nodes) | n-1 | never"
    );
}

#[test]
fn p1_an_add_on_adds_its_features_and_never_governs() {
    let mail = || license("M-1", "2026-02-01").add_on("acme-mail").edition("paid");
    assert_eq!(
        says(&[license("L-1", "2026-01-01"), mail()], &observed(&[]), NOW),
        "licensed by L-1 | L-1:active M-1:active | - | l-1 m-1 | never"
    );
    assert_eq!(
        says(&[mail()], &observed(&[]), NOW),
        "unlicensed by none | M-1:active | no-license() | - | never",
        "there is nothing to extend"
    );
}

#[test]
fn p1_an_add_on_that_fails_stops_alone() {
    let product = || license("L-1", "2026-01-01");
    let mail = || license("M-1", "2026-02-01").add_on("acme-mail");
    let table = [
        (mail().expires("2026-05-01"), "attention by L-1 | L-1:active M-1:expired | expired(M-1) | l-1 | never"),
        (mail().bound_to('B'), "attention by L-1 | L-1:active M-1:not-applicable | wrong-server(M-1) | l-1 | never"),
        (
            mail().limit("users", 10, 0, Behaviour::Restrict),
            "attention by L-1 | L-1:active M-1:active | restricted(users) | l-1 | never",
        ),
        (
            mail().limit("users", 10, 0, Behaviour::Warn),
            "attention by L-1 | L-1:active M-1:active | over-limit(users) | l-1 m-1 | never",
        ),
    ];
    for (mail, expected) in table {
        assert_eq!(says(&[mail, product()], &observed(&[("users", 50)]), NOW), expected);
    }
}

#[test]
fn p2_an_add_on_by_node_needs_a_license_for_each_node() {
    let licenses = [license("L-1", "2026-01-01"), license("M-1", "2026-01-01").add_on("acme-mail").by_node()];
    assert_eq!(
        says(&licenses, &observed(&[("nodes", 2)]), NOW),
        "attention by L-1 | L-1:active M-1:active | over-limit(nodes) | l-1 m-1 | never"
    );
}

#[test]
fn an_add_on_can_be_the_host_product_itself() {
    let mut mail = observed(&[]);
    mail.product = "acme-mail".parse().expect("a product id");
    let licenses = [license("M-1", "2026-01-01").add_on("acme-mail")];
    assert_eq!(says(&licenses, &mail, NOW), "licensed by M-1 | M-1:active | - | m-1 | never");
}

#[test]
fn a5_the_rule_for_counting_is_that_of_the_governing_license() {
    let counting = |id, issued, rule| {
        license(id, issued).limit("users", 9, 0, Behaviour::Warn).with(|license| license.limits[0].counting = rule)
    };
    let licenses = [
        counting("L-1", "2025-01-01", Some(Counting::Account)),
        counting("L-2", "2026-01-01", Some(Counting::FirstSignIn)),
    ];
    assert_eq!(standing(&licenses, &observed(&[]), at(NOW)).counting, Some(Counting::FirstSignIn));
    assert_eq!(standing(&[counting("L-3", "2026-01-01", None)], &observed(&[]), at(NOW)).counting, None);
}

#[test]
fn the_gravest_reason_stands_first() {
    let licenses = [
        license("L-1", "2026-01-01").expires("2026-06-15").limit("channels", 10, 0, Behaviour::Warn).limit(
            "users",
            10,
            0,
            Behaviour::Restrict,
        ),
        license("M-1", "2026-01-01").add_on("acme-mail").expires("2026-05-01"),
    ];
    let standing = standing(&licenses, &observed(&[("users", 11), ("channels", 11)]), at(NOW));
    let first_words: Vec<_> = standing.reasons.iter().map(|reason| reason.code).collect();
    use seatline_protocol::standing::ReasonCode::{Expired, ExpiresSoon, OverLimit, Restricted};
    assert_eq!(first_words, [Restricted, Expired, OverLimit, ExpiresSoon]);
}

#[test]
fn a_long_history_is_listed_up_to_its_bound_with_what_governs_first() {
    let history = (0..100).map(|n| license(&format!("L-{n}"), &format!("20{:02}-01-01", n / 4 + 1)));
    let licenses: Vec<_> = history.collect();
    let standing = standing(&licenses, &observed(&[]), at(NOW));
    assert_eq!(standing.licenses.len(), MAX_LICENSES);
    assert_eq!(
        standing.governing().map(|license| license.id.as_str()),
        standing.governed_by.as_ref().map(|id| id.as_str())
    );
    assert_eq!(standing.check(), Ok(()));
}
