//! What holds for any licenses, any counts and at any time.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};
use seatline_protocol::seal::Document as _;
use seatline_protocol::standing::{
    BannerLevel, LicenseStanding, LimitCheck, LimitState, PreviousServer, Status, Verdict,
};
use seatline_protocol::{Behaviour, Dimension, Kind, License, LicenseId, Limit, Mode, Observed, Standing, standing};

use crate::given::{at, dimension, license, observed, server_id};

const DIMENSIONS: [&str; 3] = ["users", "nodes", "channels"];
const NODES: [&str; 4] = ["node-1", "node-2", "node-3", "node-4"];

/// A time near the others of a test: days with a few odd seconds, so that dates coincide often and differ narrowly.
fn time() -> impl Strategy<Value = Timestamp> {
    (0i64..1500, -1i64..=1)
        .prop_map(|(day, second)| at("2025-01-01") + SignedDuration::from_secs(day * 86_400 + second))
}

fn limit(name: &'static str) -> impl Strategy<Value = Limit> {
    let behaviour = select(vec![Behaviour::Warn, Behaviour::Restrict, Behaviour::Refuse]);
    (prop::option::weighted(0.8, 0u64..30), 0u64..4, behaviour).prop_map(move |(max, extra, behaviour)| Limit {
        dimension: dimension(name),
        max,
        extra,
        counting: None,
        behaviour,
    })
}

prop_compose! {
    fn any_license()(
        id in select(vec!["L-1", "L-2", "L-3", "L-4"]),
        (product, add_on) in select(vec![
            ("acme-wiki", false), ("acme-wiki", false), ("acme-wiki", false), ("acme-mail", true), ("acme-chat", false),
        ]),
        edition in select(vec![None, None, Some("community"), Some("enterprise")]),
        kind in select(Kind::ALL.to_vec()),
        issued in prop_oneof![time(), Just(at("2025-03-01"))],
        not_before in prop::option::of(time()),
        expires in prop::option::of(time()),
        grace_days in select(vec![0, 0, 1, 30, 3650]),
        maintenance_until in prop::option::of(time()),
        mode in select(vec![Mode::Installation, Mode::Installation, Mode::Node]),
        servers in select(vec!["", "", "A", "B", "BA"]),
        replaces in subsequence(vec!["L-1", "L-2", "L-3", "L-4"], 0..=2),
        limits in (limit("users"), limit("nodes"), limit("channels")),
        kept in subsequence(vec![0usize, 1, 2], 0..=3),
    ) -> License {
        let mut made = license(id, "2025-01-01");
        made.product = product.parse().expect("a product id");
        made.add_on_of = add_on.then(|| "acme-wiki".parse().expect("a product id"));
        made.edition = edition.map(str::to_owned);
        made.kind = kind;
        made.issued = issued;
        made.not_before = not_before;
        made.expires = expires.filter(|expires| *expires > made.begins());
        made.grace_days = grace_days;
        made.maintenance_until = maintenance_until;
        made.mode = mode;
        made.servers = servers.chars().map(server_id).collect();
        made.replaces = replaces.iter().map(|id| id.parse().expect("a license id")).collect();
        let all = [limits.0, limits.1, limits.2];
        made.limits = kept.into_iter().map(|at| all[at].clone()).collect();
        made
    }
}

fn any_licenses() -> impl Strategy<Value = Vec<License>> {
    prop::collection::vec(any_license(), 0..6)
}

fn any_observed() -> impl Strategy<Value = Observed> {
    let counts = prop::collection::btree_map(select(DIMENSIONS.to_vec()), 0u64..40, 0..=3);
    let previous =
        (select(vec!['B', 'C']), time()).prop_map(|(of, until)| PreviousServer { server_id: server_id(of), until });
    let previous = prop::collection::vec(previous, 0..3);
    let nodes = prop::collection::btree_set(select(NODES.to_vec()).prop_map(str::to_owned), 0..=3);
    let placed = prop::collection::btree_map(
        select(vec!["L-1", "L-2", "L-3", "L-4"]).prop_map(|id| id.parse::<LicenseId>().expect("a license id")),
        prop::collection::btree_set(select(NODES.to_vec()).prop_map(str::to_owned), 0..=3),
        0..=2,
    );
    let instance = (any::<bool>(), previous, nodes, placed);
    (counts, prop::option::of(time()), instance).prop_map(|(counts, released, (staging, previous, nodes, placed))| {
        let counts: Vec<_> = counts.into_iter().collect();
        Observed { released, staging, previous, nodes, placed, ..observed(&counts) }
    })
}

/// The running nodes for which a license is, told from the rules' text; one without a name where none is known.
fn nodes_of(license: &License, observed: &Observed) -> BTreeSet<String> {
    let running = if observed.nodes.is_empty() { [String::new()].into() } else { observed.nodes.clone() };
    match observed.placed.get(&license.id).filter(|nodes| !nodes.is_empty() && !observed.nodes.is_empty()) {
        None => running,
        Some(set_for) => {
            let here = running.intersection(set_for).cloned();
            here.take(if license.mode == Mode::Node { 1 } else { usize::MAX }).collect()
        }
    }
}

/// Whether any license is in force for the product, told from the rules' text without the rules' code.
fn anything_in_force(licenses: &[License], observed: &Observed, now: Timestamp) -> bool {
    let fits_server = |license: &License| {
        let for_staging = license.kind == Kind::Staging;
        let had = |previous: &PreviousServer| now < previous.until && license.servers.contains(&previous.server_id);
        if license.servers.is_empty() {
            return !for_staging || observed.staging;
        }
        license.servers.contains(&observed.server_id)
            || !for_staging && !observed.staging && observed.previous.iter().any(had)
    };
    let applies = |license: &License| {
        license.product == observed.product
            && license.edition.as_ref().is_none_or(|edition| Some(edition) == observed.edition.as_ref())
            && fits_server(license)
    };
    let order = |license: &License| {
        let json = serde_json::to_string(license).expect("a license is JSON");
        (license.issued, license.begins(), license.expires.unwrap_or(Timestamp::MAX), license.id.clone(), json)
    };
    let claims = |one: &License, other: &License| match one.id == other.id {
        true => order(one) > order(other),
        false => one.replaces.contains(&other.id),
    };
    let is_peer = |one: &License, other: &License| one.product == other.product && one.add_on_of == other.add_on_of;
    let takes_place = |one: &License, other: &License| {
        let at_once: Vec<&License> =
            licenses.iter().filter(|third| third.issued == one.issued && is_peer(third, one)).collect();
        // All that claims lead to from `other`: as many steps as there are licenses reach everything.
        let mut reached = vec![other];
        for _ in &at_once {
            let more: Vec<&License> =
                at_once.iter().copied().filter(|third| reached.iter().any(|from| claims(from, third))).collect();
            reached.extend(more);
        }
        let in_a_circle = one.issued == other.issued && reached.contains(&one);
        let is_later =
            if in_a_circle || one.id == other.id { order(one) > order(other) } else { one.issued >= other.issued };
        claims(one, other) && is_later
    };
    licenses.iter().any(|license| {
        let holds = license.begins() <= now && license.grace_ends().is_none_or(|ends| now < ends);
        let given_in_exchange = |node: &String| {
            licenses.iter().any(|newer| {
                let reaches = nodes_of(newer, observed);
                applies(newer)
                    && newer.begins() <= now
                    && takes_place(newer, license)
                    && (reaches.contains(node) || newer.mode == Mode::Node && !reaches.is_empty())
            })
        };
        applies(license) && holds && nodes_of(license, observed).iter().any(|node| !given_in_exchange(node))
    })
}

fn without_changes_at(standing: Standing) -> Standing {
    Standing { changes_at: None, ..standing }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn the_order_and_the_repetition_of_licenses_do_not_matter(
        (licenses, shuffled) in any_licenses().prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
        again in any::<Index>(), observed in any_observed(), now in time(),
    ) {
        let expected = standing(&licenses, &observed, now);
        prop_assert_eq!(&standing(&shuffled, &observed, now), &expected);
        if !licenses.is_empty() {
            let twice = [shuffled, vec![again.get(&licenses).clone()]].concat();
            prop_assert_eq!(&standing(&twice, &observed, now), &expected);
        }
    }

    #[test]
    fn the_product_is_unlicensed_exactly_when_nothing_is_in_force(
        licenses in any_licenses(), observed in any_observed(), now in time(),
    ) {
        let standing = standing(&licenses, &observed, now);
        let in_force = anything_in_force(&licenses, &observed, now);
        prop_assert_eq!(standing.verdict == Verdict::Unlicensed, !in_force);
        prop_assert_eq!(standing.governed_by.is_some(), in_force);
        if let Some(governing) = standing.governing() {
            prop_assert_eq!(&governing.product, &observed.product);
            prop_assert!(matches!(governing.status, Status::Active | Status::Grace));
        }
    }

    #[test]
    fn a_higher_count_never_improves_the_verdict(
        licenses in any_licenses(), observed in any_observed(), now in time(),
        raised in select(DIMENSIONS.to_vec()), by in 1u64..40,
    ) {
        let before = standing(&licenses, &observed, now).verdict;
        let mut more = observed;
        more.counts.entry(dimension(raised)).and_modify(|count| *count += by);
        prop_assert!(standing(&licenses, &more, now).verdict >= before);
    }

    #[test]
    fn nothing_changes_before_the_next_change_and_something_does_then(
        licenses in any_licenses(), observed in any_observed(), now in time(), share in 0.0..1.0f64,
    ) {
        let present = standing(&licenses, &observed, now);
        let until = present.changes_at.unwrap_or(Timestamp::MAX);
        prop_assert!(until > now);
        let meanwhile = SignedDuration::from_secs_f64(now.duration_until(until).as_secs_f64() * share);
        let last_moment = until - SignedDuration::from_nanos(1);
        for instant in [now + meanwhile, last_moment].into_iter().filter(|instant| *instant < until) {
            prop_assert_eq!(&standing(&licenses, &observed, instant), &present, "at {}", instant);
        }
        if let Some(changes_at) = present.changes_at {
            let then = standing(&licenses, &observed, changes_at);
            prop_assert_ne!(without_changes_at(then), without_changes_at(present));
        }
    }

    #[test]
    fn p3_every_running_node_is_listed_and_the_missing_licenses_are_as_many_as_the_limit_says(
        licenses in any_licenses(), observed in any_observed(), now in time(),
    ) {
        let standing = standing(&licenses, &observed, now);
        let listed: BTreeSet<String> = standing.nodes.iter().map(|node| node.id.clone()).collect();
        prop_assert_eq!(&listed, &observed.nodes);
        for node in &standing.nodes {
            let Some(id) = &node.license else { continue };
            let in_force = |license: &LicenseStanding| matches!(license.status, Status::Active | Status::Grace);
            prop_assert!(standing.licenses.iter().any(|license| license.id == *id && in_force(license)));
            let is_here = |license: &License| license.id == *id && nodes_of(license, &observed).contains(&node.id);
            prop_assert!(licenses.iter().any(is_here), "{} is not for {}", id, node.id);
        }
        let lacking = standing.nodes.iter().filter(|node| node.license.is_none()).count() as u64;
        if lacking > 0 && standing.governed_by.is_some() {
            let nodes = standing.limits.iter().find(|limit| limit.dimension == Dimension::nodes());
            let nodes = nodes.expect("the limit of nodes");
            let (used, max) = (nodes.used.unwrap_or_default(), nodes.max.unwrap_or_default());
            let is_named = |license: &License, named: &LicenseStanding| {
                license.id == named.id && license.product == named.product
            };
            let in_force = |named: &&LicenseStanding| matches!(named.status, Status::Active | Status::Grace);
            let is_for_all = licenses.iter().any(|license| {
                let is_everywhere = nodes_of(license, &observed).len() == observed.nodes.len().max(1);
                license.mode == Mode::Installation && is_everywhere
                    && standing.licenses.iter().filter(in_force).any(|named| is_named(license, named))
            });
            // One for all may itself allow fewer nodes than it is in force on.
            let governing = standing.governing().expect("one governs");
            let is_stated = licenses.iter().filter(|license| is_named(license, governing)).any(|license| {
                license.limit(&Dimension::nodes()).is_some_and(|stated| stated.max == Some(max))
            });
            prop_assert!(used - max == lacking || used - max > lacking && is_for_all && is_stated);
            prop_assert!(standing.verdict >= Verdict::Attention);
        }
    }

    #[test]
    fn a4_banners_are_there_whenever_something_is_to_be_done(
        licenses in any_licenses(), observed in any_observed(), now in time(),
    ) {
        let standing = standing(&licenses, &observed, now);
        let banners = standing.banners(now);
        prop_assert_eq!(banners.is_empty(), standing.verdict == Verdict::Licensed);
        let stopped = standing.verdict >= Verdict::Restricted;
        prop_assert_eq!(banners.first().is_some_and(|banner| banner.level == BannerLevel::Error), stopped);
        prop_assert!(banners.iter().all(|banner| banner.days_left.is_none_or(|days| days >= 0)));
    }

    #[test]
    fn a6_asking_for_more_is_never_more_welcome_and_users_are_never_turned_away_but_by_their_license(
        licenses in any_licenses(), observed in any_observed(), now in time(),
        name in select(DIMENSIONS.to_vec()), additional in 0u64..50, more in 0u64..50,
    ) {
        let standing = standing(&licenses, &observed, now);
        let ask = |additional| standing.check_limit(&LimitCheck::of(dimension(name), additional));
        let (few, many) = (ask(additional), ask(additional + more));
        prop_assert!(few.allowed || !many.allowed);
        let refuses = standing.limits.iter().any(|limit| {
            limit.dimension == Dimension::users() && limit.behaviour == Behaviour::Refuse
        });
        let add_on_refuses = standing.add_ons.iter().flat_map(|add_on| &add_on.limits)
            .any(|limit| limit.behaviour == Behaviour::Refuse);
        if name == "users" && !refuses && !add_on_refuses {
            prop_assert!(many.allowed);
        }
    }

    #[test]
    fn no_feature_is_enabled_while_restricted_or_unlicensed(
        licenses in any_licenses(), observed in any_observed(), now in time(),
    ) {
        let standing = standing(&licenses, &observed, now);
        if standing.verdict >= Verdict::Restricted {
            prop_assert!(standing.features.is_empty());
        } else {
            let governing = standing.governing().expect("something governs");
            prop_assert!(governing.features.is_subset(&standing.features));
        }
        let tolerable = standing.limits.iter()
            .all(|limit| limit.state != LimitState::Over || limit.behaviour != Behaviour::Restrict);
        prop_assert!(tolerable || standing.verdict == Verdict::Restricted);
    }

    #[test]
    fn every_standing_can_be_reported(licenses in any_licenses(), observed in any_observed(), now in time()) {
        for license in &licenses {
            prop_assert_eq!(license.check(), Ok(()));
        }
        let standing = standing(&licenses, &observed, now);
        prop_assert_eq!(standing.check(), Ok(()));
        let json = serde_json::to_string(&standing).expect("a standing is JSON");
        prop_assert_eq!(serde_json::from_str::<Standing>(&json).expect("and back"), standing);
    }
}

#[test]
fn the_largest_licenses_make_a_standing_that_can_be_reported() {
    use seatline_protocol::license::{MAX_FEATURE, MAX_FEATURES, MAX_LIMITS, MAX_NAME};
    let largest = |n: usize| {
        let mut made = license(&format!("{n:064}"), "2026-01-01");
        made.edition = Some("\u{10FFFF}".repeat(MAX_NAME));
        made.licensee = "\u{10FFFF}".repeat(MAX_NAME);
        made.features = (0..MAX_FEATURES).map(|i| format!("{i:0width$}-{n:03}", width = MAX_FEATURE - 4)).collect();
        let limit = |i: usize| Limit {
            dimension: dimension(&format!("d{i:063}")),
            max: Some(seatline_protocol::ids::MAX_COUNT - 1),
            extra: 0,
            counting: None,
            behaviour: Behaviour::Restrict,
        };
        made.limits = (0..MAX_LIMITS).map(limit).collect();
        made
    };
    let mut licenses: Vec<License> = (0..100).map(largest).collect();
    for (n, add_on) in licenses.iter_mut().enumerate().skip(1) {
        add_on.product = format!("p{n:063}").parse().expect("a product id");
        add_on.add_on_of = Some("acme-wiki".parse().expect("a product id"));
    }
    let mut here = observed(&[]);
    here.edition = None;
    // With the restricting limits at their very end, everything is enabled and every reason is there.
    for count in [u64::MAX, seatline_protocol::ids::MAX_COUNT - 1] {
        here.counts = licenses[0].limits.iter().map(|limit| (limit.dimension.clone(), count)).collect::<_>();
        here.counts.insert(Dimension::users(), count);
        let standing = standing(&licenses, &here, at("2026-06-01"));
        assert_eq!(standing.check(), Ok(()));
        assert_eq!(standing.governing().expect("it governs").product, here.product);
    }
}
