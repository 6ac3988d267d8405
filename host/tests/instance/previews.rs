//! What a key would change, before it is set.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use proptest::prelude::*;
use proptest::sample::select;
use seatline_host::sandbox::{Grants, Trigger};
use seatline_protocol::standing::WarningCode;
use seatline_protocol::{Behaviour, Dimension, License, Mode, ServerId};

use crate::given::{Instance, at, key_of, license};

#[test]
fn b3_a_preview_shows_what_setting_the_key_then_does_and_changes_nothing() {
    let instance = Instance::new();
    let host = &instance.host;
    instance.install(Grants::all());
    host.collect(Trigger::Demand).expect("three users");
    let now = License { features: ["sso".to_owned()].into(), ..license("L-1") };
    host.set_license(&key_of(&now)).expect("it is set");
    let mut next = license("L-2");
    (next.limits[0].max, next.features) = (Some(2), ["mail".to_owned()].into());
    next.issued = "2026-02-01T00:00:00Z".parse().expect("a time");
    let key = key_of(&next);

    let before = host.standing().expect("a standing");
    let preview = host.preview_license(&key).expect("a preview");
    assert!(preview.refused.is_none() && !preview.was_set);
    assert_eq!(preview.effect.before, before);
    assert_eq!(host.standing().expect("a standing"), before, "nothing is changed");
    let warning = &preview.effect.warnings[0];
    assert_eq!((warning.code, &warning.dimension), (WarningCode::BelowCount, &Some(Dimension::users())));
    assert!(warning.message.starts_with("This license allows 2 users, and 3 are counted now."), "{}", warning.message);
    let names = |set: &BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>();
    assert_eq!(names(&preview.effect.features_gained), ["mail"]);
    assert_eq!(names(&preview.effect.features_lost), ["sso"]);
    assert_eq!(preview.effect.limits[0].peak.expect("a highest count").count, 3);
    assert_eq!(preview.peaks_since, Some("2026-03-01T12:00:00Z".parse().expect("a time")));

    host.set_license(&key).expect("it is set");
    assert_eq!(host.standing().expect("a standing"), preview.effect.after);
    assert!(host.preview_license(&key).expect("a preview").was_set);
}

#[test]
fn b3_a_key_that_would_be_refused_is_previewed_with_the_reason() {
    let instance = Instance::new();
    let stranger = License { servers: vec![ServerId::from_random([1; 20])], ..license("L-1") };
    let preview = instance.host.preview_license(&key_of(&stranger)).expect("a preview");
    let refused = preview.refused.expect("it would be refused");
    let error = instance.host.set_license(&key_of(&stranger)).expect_err("it is");
    assert_eq!((refused.code, refused.message), (error.code(), error.to_string()));
    assert_eq!(instance.host.preview_license("hello").expect_err("no license").code(), "not-a-document");
}

#[test]
fn c8_a_key_is_set_for_one_node_for_another_as_well_or_for_all() {
    let instance = Instance::new();
    let host = &instance.host;
    instance.wiki.runs_node("node-2");
    let key = key_of(&license("L-1"));
    let lacking = || {
        let nodes = host.standing().expect("a standing").nodes.into_iter();
        nodes.filter(|node| node.license.is_none()).map(|node| node.id).collect::<Vec<_>>()
    };
    assert_eq!(lacking(), ["node-1", "node-2"]);
    assert_eq!(host.set_license_for(&key, Some("\n")).expect_err("no name").code(), "invalid-node");
    assert!(!host.set_license_for(&key, Some("node-2")).expect("it is set").was_set);
    assert_eq!(lacking(), ["node-1"]);
    assert!(host.set_license_for(&key, Some("node-2")).expect("it is set").was_set);
    let both = host.preview_license_for(&key, Some("node-1")).expect("a preview");
    assert!(!both.was_set && both.effect.after.nodes.iter().all(|node| node.license.is_some()));
    host.set_license_for(&key, Some("node-1")).expect("it is set");
    assert_eq!(lacking(), Vec::<String>::new());
    let set_for = |host: &seatline_host::Host| host.licenses().expect("licenses")[0].nodes.clone();
    assert_eq!(set_for(host), ["node-1", "node-2"].map(str::to_owned).into());
    assert!(!host.set_license(&key).expect("it is set").was_set, "now it is for all");
    assert_eq!(set_for(host), BTreeSet::new());
}

#[test]
fn p3_a_license_by_node_moves_to_the_node_that_it_is_set_for() {
    let instance = Instance::new();
    instance.wiki.runs_node("node-2");
    let key = key_of(&License { mode: Mode::Node, ..license("N-1") });
    for (node, other) in [("node-2", "node-1"), ("node-1", "node-2")] {
        instance.host.set_license_for(&key, Some(node)).expect("it is set");
        let standing = instance.host.standing().expect("a standing");
        let reason = &standing.reasons[0].message;
        assert!(reason.contains(&format!("Without a license: {other}.")), "{reason}");
    }
}

prop_compose! {
    /// A license, and the node that it is to be set for.
    fn any_key()(
        id in 0..5u8,
        days in (0..200i64, prop::option::of(1..200i64)),
        max in 0..5u64,
        behaviour in select(vec![Behaviour::Warn, Behaviour::Restrict, Behaviour::Refuse]),
        (by_node, add_on, bound) in (any::<bool>(), any::<bool>(), any::<bool>()),
        replaces in prop::option::of(0..5u8),
        node in select(vec![None, Some("node-1"), Some("node-2"), Some("node-9")]),
    ) -> (String, Option<&'static str>) {
        let mut made = license(&format!("L-{id}"));
        made.issued = at("2025-10-01T00:00:00Z") + SignedDuration::from_hours(24 * days.0);
        made.expires = days.1.map(|lasts| made.issued + SignedDuration::from_hours(24 * lasts));
        (made.limits[0].max, made.limits[0].behaviour) = (Some(max), behaviour);
        made.mode = if by_node { Mode::Node } else { Mode::Installation };
        if add_on {
            made.add_on_of = Some(made.product.clone());
            made.product = "acme-mail".parse().expect("a product");
        }
        made.servers = if bound { vec![ServerId::from_random([1; 20])] } else { Vec::new() };
        made.replaces = replaces.map(|id| format!("L-{id}").parse().expect("an id")).into_iter().collect();
        (key_of(&made), node)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn b3_whatever_is_set_in_whatever_order_the_preview_has_shown_it(
        keys in prop::collection::vec(any_key(), 1..8),
    ) {
        let instance = Instance::new();
        instance.wiki.runs_node("node-2");
        let host = &instance.host;
        for (key, node) in keys {
            let before = host.standing().expect("a standing");
            let preview = host.preview_license_for(&key, node).expect("a preview");
            prop_assert_eq!(&preview.effect.before, &before);
            prop_assert_eq!(&host.standing().expect("a standing"), &before, "a preview changes nothing");
            match host.set_license_for(&key, node) {
                Ok(change) => {
                    prop_assert_eq!(preview.refused, None);
                    prop_assert_eq!(change.was_set, preview.was_set);
                    prop_assert_eq!(&host.standing().expect("a standing"), &preview.effect.after);
                    prop_assert_eq!(&host.live().expect("in memory").standing, &preview.effect.after);
                }
                Err(error) => {
                    prop_assert_eq!(preview.refused.map(|refused| refused.code), Some(error.code()));
                    prop_assert_eq!(&host.standing().expect("a standing"), &before);
                }
            }
        }
    }
}
