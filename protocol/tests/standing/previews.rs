//! What a license key would change, before it is saved (`b3`, `c9`). A warning reads: code: message.

use std::collections::BTreeMap;

use seatline_protocol::standing::{Effect, Ends, Held, LimitState, Peak, preview};
use seatline_protocol::{Behaviour, Counting, Dimension, Kind, License, Observed};

use crate::given::{Place as _, With as _, at, dimension, license, observed, running};

const NOW: &str = "2026-06-01";

/// What comes of setting `new` beside `present`.
fn setting(present: &[License], new: &License, observed: &Observed, peaks: &[(&str, u64)]) -> Effect {
    let peak = |(name, count): &(&str, u64)| (dimension(name), Peak { count: *count, at: at("2026-03-01") });
    let peaks: BTreeMap<Dimension, Peak> = peaks.iter().map(peak).collect();
    let after = [present, std::slice::from_ref(new)].concat();
    let [before, after] = [present, after.as_slice()].map(|licenses| Held { licenses, observed });
    preview(new, before, after, &peaks, at(NOW))
}

fn warnings(effect: &Effect) -> Vec<String> {
    effect.warnings.iter().map(|warning| format!("{}: {}", warning.code.name(), warning.message)).collect()
}

fn users(id: &str, issued: &str, max: u64, behaviour: Behaviour) -> License {
    let mut made = license(id, issued).limit("users", max, 0, behaviour);
    made.features = ["sso".to_owned()].into();
    made
}

#[test]
fn c9_a_license_for_fewer_users_says_what_happens_after_saving() {
    let present = [users("L-1", "2026-01-01", 900, Behaviour::Warn)];
    let table = [
        (Behaviour::Warn, 500, "people are told, and nothing stops. Bring the count down by 60"),
        (Behaviour::Restrict, 500, "the licensed features stop until the count is down. Bring the count down by 60"),
        (Behaviour::Refuse, 500, "the product refuses more. Bring the count down by 60"),
        (Behaviour::Refuse, 555, "up to 5 more are tolerated, and people are told. Bring the count down by 5"),
    ];
    for (behaviour, max, happens) in table {
        let mut new = users("L-2", "2026-02-01", max, behaviour);
        new.limits[0].extra = 5 * u64::from(max == 555);
        let effect = setting(&present, &new, &observed(&[("users", 560)]), &[]);
        let expected = format!(
            "below-count: This license allows {max} users, and 560 are counted now. After saving, {happens} first, or ask \
             for a larger license."
        );
        assert_eq!(warnings(&effect)[0], expected);
        let stops = behaviour == Behaviour::Restrict;
        assert_eq!(effect.features_lost.contains("sso"), stops);
        assert_eq!(effect.warnings.len(), if stops { 2 } else { 1 });
    }
}

#[test]
fn b3_a_license_is_held_against_the_highest_count_too() {
    let present = [users("L-1", "2026-01-01", 900, Behaviour::Warn)];
    let new = users("L-2", "2026-02-01", 500, Behaviour::Warn);
    let effect = setting(&present, &new, &observed(&[("users", 400)]), &[("users", 620)]);
    assert_eq!(
        warnings(&effect),
        ["below-peak: This license allows 500 users. That is enough for now, but 620 were counted on 2026-03-01 UTC."]
    );
    let change = &effect.limits[0];
    let max = |limit: &Option<seatline_protocol::standing::LimitStanding>| limit.as_ref().and_then(|limit| limit.max);
    assert_eq!((max(&change.before), max(&change.after)), (Some(900), Some(500)));
    assert_eq!((change.peak.map(|peak| peak.count), change.state_at_peak), (Some(620), Some(LimitState::Over)));

    let larger = users("L-2", "2026-02-01", 950, Behaviour::Warn);
    let effect = setting(&present, &larger, &observed(&[("users", 400)]), &[("users", 1000)]);
    assert_eq!(warnings(&effect), Vec::<String>::new(), "the present one was below it too");
}

#[test]
fn b3_features_dates_kind_and_counting_are_compared() {
    let mut present = users("L-1", "2026-01-01", 9, Behaviour::Warn).maintained("2027-01-01").expires("2028-01-01");
    present.features = ["a", "b", "c", "d", "e", "f", "g", "sso"].map(str::to_owned).into();
    let mut new = users("L-2", "2026-02-01", 9, Behaviour::Warn).maintained("2026-12-01").expires("2027-01-01");
    new.features.insert("mail".to_owned());
    (new.kind, new.limits[0].counting) = (Kind::Evaluation, Some(Counting::FirstSignIn));
    let effect = setting(&[present], &new, &observed(&[]), &[]);
    assert_eq!(effect.features_gained.iter().collect::<Vec<_>>(), ["mail"]);
    assert_eq!(
        warnings(&effect),
        [
            "features-lost: After saving, these features are off: a, b, c, d, e and 2 more.",
            "ends-earlier: This license ends on 2027-01-01 UTC; the present one, L-1, ends on 2028-01-01 UTC.",
            "ends-earlier: The maintenance of this license ends on 2026-12-01 UTC; that of L-1 ends on 2027-01-01 UTC.",
            "kind-changes: This license is of the kind evaluation, and the present one, L-1, is commercial.",
            "counting-changes: This license counts users from their first sign-in on, unlike the present one: their \
             number changes with the next count.",
        ]
    );
    let ends = |ends| effect.dates.iter().find(|change| change.ends == ends).expect("a date");
    assert_eq!(ends(Ends::License).after, Some(at("2027-01-01")));
    assert_eq!(ends(Ends::Maintenance).before, Some(at("2027-01-01")));
}

#[test]
fn b3_a_perpetual_license_before_one_that_ends_is_told() {
    let effect = setting(
        &[license("L-1", "2026-01-01")],
        &license("L-2", "2026-02-01")
            .expires("2029-01-01")
            .with(|license| license.features = ["l-1".to_owned()].into()),
        &observed(&[]),
        &[],
    );
    assert_eq!(
        warnings(&effect),
        ["ends-earlier: This license ends on 2029-01-01 UTC; the present one, L-1, never does."]
    );
}

#[test]
fn b3_a_license_that_would_not_be_in_force_says_why() {
    let present = [license("L-1", "2026-03-01")];
    let table = [
        (license("L-2", "2026-01-01"), "License L-1 took its place on 2026-03-01 UTC."),
        (
            license("L-2", "2026-04-01").bound_to('B'),
            "License L-2 is bound to the server ID BBBB-BBBB-BBBB-BBBB-BBBB, and this is AAAA-AAAA-AAAA-AAAA-AAAA. Ask \
             the vendor to issue it for this server ID.",
        ),
        (
            license("L-2", "2026-01-01").expires("2026-05-01"),
            "License L-2 expired on 2026-05-01 UTC. Set the renewed license, or ask its vendor for one.",
        ),
    ];
    for (new, why) in table {
        let effect = setting(&present, &new, &observed(&[]), &[]);
        assert_eq!(warnings(&effect), [format!("no-effect: This license would not be in force. {why}")]);
        assert!(!effect.in_force && !effect.governs);
        assert_eq!(effect.before.governed_by, effect.after.governed_by);
    }
}

#[test]
fn c10_a_next_license_is_shown_as_of_when_it_takes_effect() {
    let present = [users("L-1", "2026-01-01", 900, Behaviour::Warn).expires("2026-07-01")];
    let next = users("L-2", "2026-05-01", 500, Behaviour::Restrict).begins("2026-07-01").expires("2027-07-01");
    let effect = setting(&present, &next, &observed(&[("users", 560)]), &[]);
    assert_eq!(effect.takes_effect_at, Some(at("2026-07-01")));
    assert_eq!(effect.after.governed_by, Some("L-1".parse().expect("an id")), "nothing changes yet");
    let then = effect.then.as_ref().expect("the standing of then");
    assert_eq!((then.verdict.name(), effect.governs, effect.in_force), ("restricted", true, true));
    assert!(warnings(&effect)[0].starts_with("below-count: This license allows 500 users"));
}

#[test]
fn p1_an_add_on_is_compared_with_its_own_license() {
    let mail =
        |id: &str, issued: &str, max| license(id, issued).add_on("acme-mail").limit("boxes", max, 0, Behaviour::Refuse);
    let product = users("L-1", "2026-01-01", 2, Behaviour::Warn);
    let present = [product, mail("A-1", "2026-01-01", 50).expires("2029-01-01")];
    let new = mail("A-2", "2026-02-01", 10).expires("2028-01-01");
    let effect = setting(&present, &new, &observed(&[("users", 5), ("boxes", 20)]), &[]);
    assert!(effect.governs && effect.in_force);
    assert_eq!(
        warnings(&effect),
        [
            "below-count: This license allows 10 boxes, and 20 are counted now. After saving, the product refuses more. \
             Bring the count down by 10 first, or ask for a larger license.",
            "features-lost: After saving, these features are off: a-1.",
            "ends-earlier: This license ends on 2028-01-01 UTC; the present one, A-1, ends on 2029-01-01 UTC.",
        ],
        "and nothing of the product's own limit"
    );
    let boxes = effect.limits.iter().find(|change| change.add_on.is_some()).expect("its limit");
    assert_eq!(boxes.before.as_ref().and_then(|limit| limit.max), Some(50));
}

#[test]
fn c8_a_license_with_too_few_nodes_names_those_that_lack_one() {
    let present = [license("L-1", "2026-01-01")];
    let by_node = license("N-1", "2026-02-01").by_node().replacing("L-1");
    let effect = setting(&present, &by_node, &running(&["node-1", "node-2", "node-3"]), &[]);
    assert_eq!(
        warnings(&effect)[0],
        "below-count: After saving: 3 nodes run, licensed for acme-wiki: 1. Without a license: node-2, node-3. Set a \
         license for 2 more, or stop 2."
    );
    let few = license("L-2", "2026-02-01").limit("nodes", 2, 0, Behaviour::Warn);
    let effect = setting(&present, &few, &running(&["node-1", "node-2", "node-3"]), &[]);
    assert!(warnings(&effect)[0].starts_with("below-count: After saving: 3 nodes are counted"), "{effect:?}");
}

#[test]
fn c8_a_license_for_one_node_is_in_force_there() {
    let present = [license("L-1", "2026-03-01")];
    let new = license("L-2", "2026-02-01");
    let observed = running(&["node-1", "node-2"]).placed("L-2", &["node-2"]);
    let effect = setting(&present, &new, &observed, &[]);
    assert!(!effect.in_force, "a newer one is there already");
    let newer = license("L-2", "2026-04-01");
    let effect = setting(&present, &newer, &observed, &[]);
    assert!(effect.in_force && effect.governs);
}
