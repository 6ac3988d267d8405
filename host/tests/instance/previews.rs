//! What a key would change, before it is set.

use seatline_host::sandbox::{Grants, Trigger};
use seatline_protocol::standing::WarningCode;
use seatline_protocol::{Dimension, License, ServerId};

use crate::given::{Instance, key_of, license};

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
    let names = |set: &std::collections::BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>();
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
