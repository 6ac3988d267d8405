//! A table of cases. A line reads: verdict by governing license | licenses | reasons | features | next change.

use seatline_protocol::standing::PreviousServer;
use seatline_protocol::{Behaviour, Kind, Observed, standing};

use crate::given::{With, at, brief, license, observed, says, server_id};

const NOW: &str = "2026-06-01";

#[test]
fn without_a_license_the_product_is_unlicensed() {
    assert_eq!(says(&[], &observed(&[]), NOW), "unlicensed by none | - | no-license() | - | never");
}

#[test]
fn a_perpetual_license_is_licensed_for_good() {
    let licenses = [license("L-1", "2026-01-01")];
    assert_eq!(says(&licenses, &observed(&[]), NOW), "licensed by L-1 | L-1:active | - | l-1 | never");
}

#[test]
fn a_license_lives_from_its_beginning_to_the_end_of_its_grace() {
    let licenses = [license("L-1", "2026-01-01").begins("2026-02-01").expires("2026-12-01").grace(14)];
    let table = [
        ("2026-01-31", "unlicensed by none | L-1:upcoming | not-yet-valid(L-1) | - | 2026-02-01"),
        ("2026-02-01", "licensed by L-1 | L-1:active | - | l-1 | 2026-10-02"),
        ("2026-10-02", "attention by L-1 | L-1:active | expires-soon(L-1) | l-1 | 2026-12-01"),
        ("2026-11-30", "attention by L-1 | L-1:active | expires-soon(L-1) | l-1 | 2026-12-01"),
        ("2026-12-01", "attention by L-1 | L-1:grace | in-grace(L-1) | l-1 | 2026-12-15"),
        ("2026-12-14", "attention by L-1 | L-1:grace | in-grace(L-1) | l-1 | 2026-12-15"),
        ("2026-12-15", "unlicensed by none | L-1:expired | expired(L-1) | - | never"),
    ];
    for (now, expected) in table {
        assert_eq!(says(&licenses, &observed(&[]), now), expected, "{now}");
    }
}

#[test]
fn an_expiry_takes_effect_at_its_very_instant() {
    let licenses = [license("L-1", "2026-01-01").expires("2026-12-01T00:00:00Z")];
    let before = standing(&licenses, &observed(&[]), at("2026-11-30T23:59:59.999999999Z"));
    let then = standing(&licenses, &observed(&[]), at("2026-12-01T00:00:00Z"));
    assert_eq!((before.verdict.name(), then.verdict.name()), ("attention", "unlicensed"));
    assert_eq!(before.changes_at, Some(at("2026-12-01T00:00:00Z")));
}

#[test]
fn c6_an_evaluation_of_a_month_calls_for_attention_in_its_last_week() {
    let licenses = [license("T-1", "2026-05-15").kind(Kind::Evaluation).expires("2026-06-14")];
    let table = [
        ("2026-06-06", "licensed by T-1 | T-1:active | - | t-1 | 2026-06-07"),
        ("2026-06-07", "attention by T-1 | T-1:active | expires-soon(T-1) | t-1 | 2026-06-14"),
    ];
    for (now, expected) in table {
        assert_eq!(says(&licenses, &observed(&[]), now), expected, "{now}");
    }
}

#[test]
fn c6_the_product_goes_on_after_maintenance_but_a_later_release_is_not_covered() {
    let licenses = [license("L-1", "2026-01-01").maintained("2026-07-01")];
    let released = |day: Option<&str>| {
        let mut observed = observed(&[]);
        observed.released = day.map(at);
        observed
    };
    let table = [
        ("2026-05-01", None, "licensed by L-1 | L-1:active | - | l-1 | 2026-05-02"),
        ("2026-05-02", None, "attention by L-1 | L-1:active | maintenance-ends-soon(L-1) | l-1 | 2026-07-01"),
        ("2026-07-01", None, "licensed by L-1 | L-1:active | maintenance-ended(L-1) | l-1 | never"),
        ("2030-01-01", Some("2026-07-01"), "licensed by L-1 | L-1:active | maintenance-ended(L-1) | l-1 | never"),
        (
            "2030-01-01",
            Some("2026-07-02"),
            "restricted by L-1 | L-1:active | maintenance-ended-before-release(L-1) | - | never",
        ),
    ];
    for (now, release, expected) in table {
        assert_eq!(says(&licenses, &released(release), now), expected, "{now} {release:?}");
    }
}

#[test]
fn maintenance_that_ends_with_the_license_is_not_told_twice() {
    let licenses = [license("L-1", "2026-01-01").maintained("2026-07-01").expires("2026-07-01").grace(30)];
    assert_eq!(
        says(&licenses, &observed(&[]), NOW),
        "attention by L-1 | L-1:active | expires-soon(L-1) | l-1 | 2026-07-01"
    );
    assert_eq!(
        says(&licenses, &observed(&[]), "2026-07-02"),
        "attention by L-1 | L-1:grace | in-grace(L-1) | l-1 | 2026-07-31"
    );
}

#[test]
fn c10_a_next_license_can_be_loaded_early_and_takes_over_without_a_gap() {
    let licenses =
        [license("L-1", "2025-06-15").expires("2026-06-15"), license("L-2", "2026-05-01").begins("2026-06-15")];
    let table = [
        (NOW, "licensed by L-1 | L-1:active L-2:upcoming | - | l-1 | 2026-06-15"),
        ("2026-06-15", "licensed by L-2 | L-2:active L-1:expired | - | l-2 | never"),
    ];
    for (now, expected) in table {
        assert_eq!(says(&licenses, &observed(&[]), now), expected, "{now}");
    }
}

#[test]
fn c10_a_next_license_that_leaves_a_gap_does_not_silence_the_expiry() {
    let licenses =
        [license("L-1", "2025-06-15").expires("2026-06-15"), license("L-2", "2026-05-01").begins("2026-06-16")];
    assert_eq!(
        says(&licenses, &observed(&[]), NOW),
        "attention by L-1 | L-1:active L-2:upcoming | expires-soon(L-1) | l-1 | 2026-06-15"
    );
}

#[test]
fn c10_a_renewal_governs_from_its_beginning_and_the_old_one_is_history() {
    let licenses = [license("L-1", "2025-01-01"), license("L-2", "2026-01-01").expires("2026-12-01")];
    let table = [
        (NOW, "licensed by L-2 | L-2:active L-1:replaced | - | l-2 | 2026-12-01"),
        // Nothing says that the perpetual one was given in exchange: it governs again, and so the expiry is not near.
        ("2026-12-01", "licensed by L-1 | L-1:active L-2:expired | - | l-1 | never"),
    ];
    for (now, expected) in table {
        assert_eq!(says(&licenses, &observed(&[]), now), expected, "{now}");
    }
}

#[test]
fn c10_a_license_that_was_given_in_exchange_never_governs_again() {
    let licenses = [license("L-1", "2025-01-01"), license("L-2", "2026-01-01").expires("2026-12-01").replacing("L-1")];
    let table = [
        ("2025-12-31", "licensed by L-1 | L-1:active L-2:upcoming | - | l-1 | 2026-01-01"),
        (NOW, "licensed by L-2 | L-2:active L-1:replaced | - | l-2 | 2026-10-02"),
        ("2026-12-01", "unlicensed by none | L-2:expired L-1:replaced | expired(L-2) | - | never"),
    ];
    for (now, expected) in table {
        assert_eq!(says(&licenses, &observed(&[]), now), expected, "{now}");
    }
}

#[test]
fn a_license_can_only_replace_an_older_one_of_the_same_product() {
    let backwards = [license("L-1", "2025-01-01").replacing("L-2"), license("L-2", "2026-01-01").replacing("L-1")];
    assert_eq!(says(&backwards, &observed(&[]), NOW), "licensed by L-2 | L-2:active L-1:replaced | - | l-2 | never");

    let other_product = [license("L-1", "2025-01-01"), license("L-2", "2026-01-01").of("acme-chat").replacing("L-1")];
    assert_eq!(
        says(&other_product, &observed(&[]), NOW),
        "licensed by L-1 | L-1:active L-2:not-applicable | - | l-1 | never"
    );

    let other_server = [license("L-1", "2025-01-01"), license("L-2", "2026-01-01").bound_to('B').replacing("L-1")];
    assert_eq!(
        says(&other_server, &observed(&[]), NOW),
        "licensed by L-1 | L-1:active L-2:not-applicable | - | l-1 | never"
    );
}

#[test]
fn a_license_replaces_one_that_was_issued_at_the_same_instant_whatever_their_ids() {
    let [old, new] = [license("L-2", "2026-01-01"), license("L-1", "2026-01-01").replacing("L-2")];
    for licenses in [[old.clone(), new.clone()], [new, old]] {
        assert_eq!(says(&licenses, &observed(&[]), NOW), "licensed by L-1 | L-1:active L-2:replaced | - | l-1 | never");
    }
}

#[test]
fn licenses_that_replace_each_other_in_a_circle_leave_the_last_of_them() {
    let pair = [license("L-1", "2026-01-01").replacing("L-2"), license("L-2", "2026-01-01").replacing("L-1")];
    assert_eq!(says(&pair, &observed(&[]), NOW), "licensed by L-2 | L-2:active L-1:replaced | - | l-2 | never");
    let circle = [
        license("L-1", "2026-01-01").replacing("L-2"),
        license("L-2", "2026-01-01").replacing("L-3"),
        license("L-3", "2026-01-01").replacing("L-1"),
    ];
    assert_eq!(
        says(&circle, &observed(&[]), NOW),
        "licensed by L-3 | L-3:active L-2:replaced L-1:replaced | - | l-3 | never"
    );
}

#[test]
fn the_older_of_two_licenses_with_one_id_takes_no_place_over_the_newer_one() {
    // The newer one names what has replaced the older one, and is for another server: what was given in exchange stays so.
    let licenses = [
        license("L-1", "2026-01-01"),
        license("L-3", "2026-01-01").expires("2026-01-02").replacing("L-1"),
        license("L-1", "2026-01-01").begins("2026-01-02").bound_to('B').replacing("L-3"),
    ];
    let said = says(&licenses, &observed(&[]), NOW);
    assert!(said.starts_with("unlicensed"), "{said}");
}

#[test]
fn a_license_that_was_issued_again_under_its_id_takes_its_own_place() {
    let users = |max| move |license: seatline_protocol::License| license.limit("users", max, 0, Behaviour::Warn);
    let licenses =
        [users(900)(license("L-1", "2026-02-01").expires("2026-05-01")), users(10)(license("L-1", "2026-01-01"))];
    assert_eq!(
        says(&licenses, &observed(&[("users", 5)]), "2026-02-10"),
        "licensed by L-1 | L-1:active L-1:replaced | - | l-1 | 2026-03-02"
    );
    let standing = standing(&licenses, &observed(&[("users", 5)]), at("2026-02-10"));
    assert_eq!(standing.limits[0].max, Some(900));
    assert_eq!(standing.governing().expect("it governs").limits[0].max, Some(900));
}

#[test]
fn two_vendors_may_use_one_license_id() {
    let licenses = [license("L-1", "2026-01-01"), license("L-1", "2026-02-01").add_on("acme-mail")];
    assert_eq!(says(&licenses, &observed(&[]), NOW), "licensed by L-1 | L-1:active L-1:active | - | l-1 | never");
    let standing = standing(&licenses, &observed(&[]), at(NOW));
    assert_eq!(standing.governing().map(|license| license.product.as_str()), Some("acme-wiki"));
}

#[test]
fn a_license_in_force_goes_before_a_newer_one_in_grace() {
    let licenses = [
        license("L-1", "2026-01-01").expires("2027-01-01"),
        license("L-2", "2026-02-01").expires("2026-05-31").grace(30),
    ];
    assert_eq!(
        says(&licenses, &observed(&[]), NOW),
        "licensed by L-1 | L-1:active L-2:replaced | - | l-1 | 2026-06-30"
    );
}

#[test]
fn what_does_not_apply_says_which_part_of_it_does_not() {
    let table = [
        (license("L-1", "2026-01-01").of("acme-chat"), "wrong-product(L-1)"),
        (license("L-1", "2026-01-01").edition("enterprise"), "wrong-edition(L-1)"),
        (license("L-1", "2026-01-01").bound_to('B').bound_to('C'), "wrong-server(L-1)"),
    ];
    for (license, reason) in table {
        assert_eq!(
            says(&[license], &observed(&[]), NOW),
            format!("unlicensed by none | L-1:not-applicable | {reason} | - | never")
        );
    }
}

/// The instance that had the server ID B until it moved; licenses that are bound to it hold on until that day.
fn moved(until: &str) -> Observed {
    Observed { previous: vec![PreviousServer { server_id: server_id('B'), until: at(until) }], ..observed(&[]) }
}

#[test]
fn b4_a_license_of_the_server_id_before_a_move_holds_on_for_some_days_and_says_both_ids() {
    let licenses = [license("L-1", "2026-01-01").bound_to('B')];
    let table = [
        ("2026-06-14", "attention by L-1 | L-1:active | server-changed(L-1) | l-1 | 2026-06-15"),
        ("2026-06-15", "unlicensed by none | L-1:not-applicable | wrong-server(L-1) | - | never"),
    ];
    for (now, expected) in table {
        let standing = standing(&licenses, &moved("2026-06-15"), at(now));
        assert_eq!(brief(&standing), expected, "{now}");
        let message = &standing.reasons[0].message;
        assert!(message.contains("BBBB-BBBB") && message.contains("AAAA-AAAA"), "{message}");
    }
}

#[test]
fn b4_a_license_of_the_new_server_id_governs_though_the_old_one_began_later() {
    let licenses = [license("L-1", "2026-03-01").bound_to('B'), license("L-2", "2026-02-01").bound_to('A')];
    assert_eq!(
        says(&licenses, &moved("2026-06-15"), NOW),
        "licensed by L-2 | L-2:active L-1:replaced | - | l-2 | 2026-06-15"
    );
}

#[test]
fn s3_a_staging_instance_takes_over_no_license_and_a_staging_license_stays_on_staging() {
    let production = || license("L-1", "2026-01-01").bound_to('B');
    let staging = || license("S-1", "2026-01-01").kind(Kind::Staging);
    let on_staging = || Observed { staging: true, ..moved("2026-06-15") };
    let table = [
        (production(), on_staging(), "unlicensed by none | L-1:not-applicable | wrong-server(L-1) | - | never"),
        (staging(), observed(&[]), "unlicensed by none | S-1:not-applicable | staging-only(S-1) | - | never"),
        (staging(), on_staging(), "licensed by S-1 | S-1:active | - | s-1 | never"),
        (staging().bound_to('A'), observed(&[]), "licensed by S-1 | S-1:active | - | s-1 | never"),
        (
            staging().bound_to('B'),
            moved("2026-06-15"),
            "unlicensed by none | S-1:not-applicable | wrong-server(S-1) | - | never",
        ),
    ];
    for (license, observed, expected) in table {
        assert_eq!(says(&[license], &observed, NOW), expected);
    }
}

#[test]
fn a_license_applies_to_its_edition_in_any_case_and_to_each_of_its_servers() {
    let licenses = [license("L-1", "2026-01-01").edition("Community").bound_to('B').bound_to('A')];
    assert_eq!(says(&licenses, &observed(&[]), NOW), "licensed by L-1 | L-1:active | - | l-1 | never");

    let mut without_editions = observed(&[]);
    without_editions.edition = None;
    let licenses = [license("L-1", "2026-01-01").edition("enterprise")];
    assert_eq!(says(&licenses, &without_editions, NOW), "licensed by L-1 | L-1:active | - | l-1 | never");
}
