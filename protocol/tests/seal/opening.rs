//! What [`open`] refuses, with which code.

use proptest::prelude::*;
use seatline_protocol::seal::{Document as _, claimed_key, key_id, open, open_introduced, seal, seal_introducing};
use seatline_protocol::{Invite, License, OpenError, PublicKey, Receipt, SecretKey};

use crate::{license, sealed, vendor};

fn refusal(text: &str) -> &'static str {
    open::<License>(text, &[vendor().public()]).expect_err("it must be refused").code()
}

fn invite() -> Invite {
    serde_json::from_str(
        r#"{"central_url": "https://licenses.example.org", "central_name": "Licenses",
            "secret": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "issued_at": "2026-01-01T00:00:00Z", "expires_at": "2026-01-01T00:30:00Z"}"#,
    )
    .expect("an invite")
}

#[test]
fn what_was_sealed_opens_as_it_was() {
    assert_eq!(open(&sealed(), &[vendor().public()]), Ok(license()));
    assert_eq!(key_id::<License>(&sealed()), Ok(vendor().public().id()));
}

#[test]
fn whose_key_a_document_claims_is_read_off_its_footer() {
    let (key, token) = (vendor().public().id(), sealed());
    let introducing = seal_introducing(&invite(), &vendor()).expect("sealed");
    assert_eq!((claimed_key(&token), claimed_key(&introducing)), (Some(key.clone()), Some(key.clone())));
    let (_, footer) = token.rsplit_once('.').expect("a footer");
    assert_eq!(claimed_key(&format!("v4.public.~~~.{footer}")), Some(key), "the rest may be anything");
    let long = "A".repeat(1000);
    for none in ["", "v4.public.", "v4.public.AAAA", "v4.public.AAAA.AAAA", footer, &format!("v4.public.AAAA.{long}")] {
        assert_eq!(claimed_key(none), None, "{none}");
    }
}

proptest! {
    /// Nobody has two names: one that is not read off the footer, or another one, would get around what is counted by
    /// it.
    #[test]
    fn a_document_that_can_be_read_claims_the_key_that_it_is_read_with(
        at in 0usize..1000, junk in "[A-Za-z0-9_.{}\"=-]{0,3}",
    ) {
        let mut text = seal_introducing(&invite(), &vendor()).expect("sealed");
        let at = at % text.len();
        text.replace_range(at..(at + 1), &junk);
        if let Ok(read) = key_id::<Invite>(&text) {
            prop_assert_eq!(claimed_key(&text), Some(read));
        }
    }
}

#[test]
fn g1_keys_rotate_because_several_are_trusted_at_once() {
    let [old, new, other] = [1, 2, 3].map(|seed| SecretKey::from_seed(&[seed; 32]));
    let trusted: Vec<PublicKey> = [&old, &new].map(SecretKey::public).into();
    for key in [&old, &new] {
        assert_eq!(open(&seal(&license(), key).expect("sealed"), &trusted), Ok(license()));
    }
    let unknown = open::<License>(&seal(&license(), &other).expect("sealed"), &trusted);
    assert_eq!(unknown, Err(OpenError::UnknownKey { id: other.public().id() }));
    assert_eq!(unknown.expect_err("it is unknown").code(), "unknown-key");
}

#[test]
fn c1_a_text_that_is_no_license_is_refused_with_its_reason() {
    let token = sealed();
    let table = [
        (String::new(), "empty"),
        ("v4.pub".to_owned(), "truncated"),
        ("hello".to_owned(), "not-a-document"),
        ("v4.local.AAAA".to_owned(), "not-a-document"),
        (vendor().public().to_string(), "not-a-document"),
        (format!(" {token}"), "not-a-document"),
        (format!("{token} "), "damaged"),
        (format!("{token}\n"), "damaged"),
        (format!("{token}."), "damaged"),
        (token.replace(".ey", ".äy"), "damaged"),
        (format!("v4.public.{}", "A".repeat(License::MAX_BYTES)), "too-large"),
    ];
    for (text, code) in table {
        assert_eq!(refusal(&text), code, "{}", text.chars().take(40).collect::<String>());
    }
}

#[test]
fn c1_a_license_that_is_cut_off_anywhere_says_so() {
    let token = sealed();
    for length in 1..token.len() {
        assert_eq!(refusal(&token[..length]), "truncated", "cut after {length} of {} characters", token.len());
    }
}

#[test]
fn no_character_of_a_license_can_be_another_one() {
    let token = sealed();
    for at in 0..token.len() {
        for other in ["A", "Z", "-", "."] {
            let mut changed = token.clone();
            changed.replace_range(at..=at, other);
            assert!(changed == token || open::<License>(&changed, &[vendor().public()]).is_err(), "{other} at {at}");
        }
    }
}

#[test]
fn a_signature_of_another_key_under_a_trusted_name_does_not_hold() {
    let forged = seal(&license(), &SecretKey::from_seed(&[8; 32])).expect("sealed");
    let footer = sealed().rsplit_once('.').expect("a footer").1.to_owned();
    let body = forged.rsplit_once('.').expect("a footer").0.to_owned();
    assert_eq!(refusal(&format!("{body}.{footer}")), "bad-signature");
}

#[test]
fn a_document_of_another_kind_is_named() {
    let receipt: Receipt = serde_json::from_str(&format!(
        r#"{{"link": "AAAA-AAAA-AAAA-AAAA-AAAA-AAAA", "sequence": 1, "report": "sha256:{}",
            "received_at": "2026-01-01T00:00:00Z", "verdict": "chained"}}"#,
        "0".repeat(64)
    ))
    .expect("a receipt");
    let token = seal(&receipt, &vendor()).expect("sealed");
    let refused = open::<License>(&token, &[vendor().public()]);
    assert_eq!(refused, Err(OpenError::WrongPurpose { expected: "license", found: "receipt" }));
    assert_eq!(refused.expect_err("it is no license").to_string(), "this is a receipt, not a license");
}

#[test]
fn a_license_that_breaks_its_own_rules_is_neither_sealed_nor_opened() {
    let mut empty = license();
    empty.licensee.clear();
    assert_eq!(seal(&empty, &vendor()).expect_err("it breaks a rule").code(), "invalid-content");

    // Signed all the same, by a vendor with other tools.
    let table = [r#"{"id": "L-1"}"#, "null", "not JSON", ""]
        .map(|payload| crate::other_implementation::sign(payload, &vendor()));
    for token in table.into_iter().flatten() {
        assert_eq!(refusal(&token), "invalid-content");
    }
}

#[test]
fn a_document_larger_than_may_be_opened_is_not_sealed() {
    let mut large = license();
    large.unknown.insert("x".to_owned(), "y".repeat(License::MAX_BYTES).into());
    assert_eq!(seal(&large, &vendor()), Err(OpenError::TooLarge { max: License::MAX_BYTES }));
}

#[test]
fn an_introduced_key_is_the_one_that_sealed() {
    let token = seal_introducing(&invite(), &vendor()).expect("sealed");
    assert_eq!(open_introduced::<Invite>(&token), Ok((invite(), vendor().public())));
    for length in 1..token.len() {
        assert_eq!(open_introduced::<Invite>(&token[..length]).expect_err("cut off").code(), "truncated");
    }

    let without_key = seal(&invite(), &vendor()).expect("sealed");
    assert_eq!(open_introduced::<Invite>(&without_key).expect_err("no key").code(), "damaged");

    // Another key in the footer: the signature covers the footer, and the key id covers the key.
    let other = SecretKey::from_seed(&[8; 32]);
    let swapped = [
        crate::other_implementation::footer(&vendor(), Some(&other)),
        crate::other_implementation::footer(&other, Some(&other)),
    ];
    let body = token.rsplit_once('.').expect("a footer").0;
    let codes =
        swapped.map(|footer| open_introduced::<Invite>(&format!("{body}.{footer}")).expect_err("swapped").code());
    assert_eq!(codes, ["damaged", "bad-signature"]);
}

#[test]
fn a_secret_of_an_invite_never_shows_itself() {
    assert!(!format!("{:?}", invite()).contains("AAAA"));
}

proptest! {
    #[test]
    fn any_text_is_refused_without_a_panic(text in ".{0,400}") {
        prop_assert!(open::<License>(&text, &[vendor().public()]).is_err());
        prop_assert!(open_introduced::<Invite>(&text).is_err());
    }

    #[test]
    fn any_text_that_begins_well_is_refused_without_a_panic(
        body in "[A-Za-z0-9_-]{0,200}", footer in "(\\.[A-Za-z0-9_-]{0,200}){0,2}",
    ) {
        let text = format!("v4.public.{body}{footer}");
        prop_assert!(open::<License>(&text, &[vendor().public()]).is_err());
        prop_assert!(open_introduced::<Invite>(&text).is_err());
    }
}
