//! The link: invites, welcomes, settings, and answers that are for somebody else.

use seatline_host::sandbox::Trigger;
use seatline_protocol::continuity::MAX_STATEMENTS;
use seatline_protocol::exchange::MAX_REPORTS;
use seatline_protocol::pairing::{Secret, WelcomeState};
use seatline_protocol::{ExchangeResponse, LinkId, Refusal, SecretKey, seal};

use crate::given::{Central, Instance, license, unlink, vendor};

fn state(instance: &Instance) -> &'static str {
    instance.host.link().expect("the state").expect("a link").state.name()
}

fn interval(instance: &Instance) -> u64 {
    instance.host.interval().expect("the state").as_secs()
}

#[test]
fn w3_an_invite_that_cannot_be_used_says_why_and_nothing_is_kept() {
    let (instance, central) = (Instance::new(), Central::new());
    let host = &instance.host;
    let good = central.invite();
    let table = [
        ("no invite".to_owned(), "not-a-document"),
        (good[..good.len() - 30].to_owned(), "truncated"),
        (seal::seal(&license("L-1"), &vendor()).expect("a license key"), "damaged"),
        (seal::seal_introducing(&license("L-1"), &vendor()).expect("a license key"), "wrong-purpose"),
        ("v4.public.".repeat(100_000), "too-large"),
    ];
    for (invite, code) in table {
        assert_eq!(host.open_invite(&invite).expect_err(code).code(), code);
    }
    instance.set_time("2026-03-01T12:20:00Z");
    let error = host.open_invite(&good).expect_err("its thirty minutes are over");
    assert_eq!(error.code(), "invite-expired");
    assert_eq!(error.to_string(), "the invite expired at 2026-03-01 12:20 UTC; ask for a new one");
    assert!(host.link().expect("the state").is_none());
}

#[test]
fn w3_a_linked_product_is_not_linked_again_until_its_link_is_removed() {
    let (instance, central) = (Instance::new(), Central::new());
    let host = &instance.host;
    let opened = host.open_invite(&central.invite()).expect("an invite");
    host.accept_invite(&opened).expect("a link");
    let before = host.link().expect("the state").expect("a link").fingerprint;
    assert_eq!(host.open_invite(&central.invite()).expect_err("linked").code(), "already-linked");
    assert_eq!(host.accept_invite(&opened).expect_err("linked").code(), "already-linked");
    assert_eq!(host.link().expect("the state").expect("a link").fingerprint, before);
    unlink(host);
    assert_eq!(host.remove_link(&before).expect_err("there is none").code(), "not-linked");
    host.accept_invite(&opened).expect("a link");
    assert_ne!(host.link().expect("the state").expect("a link").fingerprint, before, "each link has a key of its own");
}

#[test]
fn w3_a_link_that_somebody_else_made_meanwhile_is_not_removed() {
    let (instance, central) = (Instance::new(), Central::new());
    let host = &instance.host;
    central.links(host);
    let seen = host.link().expect("the state").expect("a link");
    // While an administrator looks at it, another one links anew.
    let other = instance.again();
    unlink(&other);
    central.links(&other);
    let made = host.link().expect("the state").expect("a link").fingerprint;
    let refused = host.remove_link(&seen.fingerprint).expect_err("it is gone, and there is another one");
    assert_eq!(refused.code(), "link-replaced");
    assert!(refused.to_string().contains(&seen.central_url), "{refused}");
    assert_eq!(host.link().expect("the state").expect("a link").fingerprint, made);
    assert!(host.collect(Trigger::Demand).expect("a run").report.is_some(), "its key is whole");
}

#[test]
fn w3_an_approved_link_stays_so_whatever_older_answer_arrives_late() {
    let (instance, central) = (Instance::new(), Central::new());
    let host = &instance.host;
    let key = central.invites(host);
    let pending = central.welcome(&key, WelcomeState::Pending);
    assert_eq!(state(&instance), "joining");
    for _ in 0..2 {
        host.import_response(&pending).expect("taken");
        assert_eq!(state(&instance), "pending");
        assert!(host.export_reports().expect("an export").join.is_some(), "the join is sent until the approval");
    }
    let approved = central.approval(&key);
    host.import_response(&approved).expect("taken");
    assert_eq!(state(&instance), "approved");
    assert!(host.export_reports().expect("an export").join.is_none());
    let file = || std::fs::read(instance.dir.path().join("state/link.json")).expect("the link");
    let link = file();
    let another_key = WelcomeState::Approved { pseudonym_key: Secret::from_bytes([9; 32]) };
    for late in [pending, approved, central.welcome(&key, another_key)] {
        host.import_response(&late).expect("taken");
        assert_eq!(file(), link, "nothing changes");
    }
}

#[test]
fn w3_a_welcome_to_another_join_is_refused_though_the_right_server_sealed_it() {
    let (instance, central) = (Instance::new(), Central::new());
    let host = &instance.host;
    let before = central.invites(host);
    unlink(host);
    central.invites(host);
    for other in [before, SecretKey::from_seed(&[1; 32]).public().id()] {
        let error = host.import_response(&central.approval(&other)).expect_err("for another join");
        assert_eq!(error.code(), "other-link");
        assert_eq!(state(&instance), "joining");
    }
}

#[test]
fn w4_older_settings_never_replace_newer_ones_and_those_of_another_link_are_left_alone() {
    let (instance, central) = (Instance::new(), Central::new());
    let host = &instance.host;
    let key = central.invites(host);
    let change = |response: &ExchangeResponse| host.import_response(response).expect("taken").settings_changed;
    assert!(!change(&central.settings(1, 600)), "settings before the approval are not for this link");
    host.import_response(&central.approval(&key)).expect("taken");
    assert_eq!(interval(&instance), 3600);
    assert!(change(&central.settings(2, 900)));
    assert!(!change(&central.settings(1, 600)) && !change(&central.settings(2, 600)));
    let other = Central { link: LinkId::from_random([7; 24]), ..Central::new() };
    assert!(!change(&other.settings(9, 600)));
    assert_eq!(interval(&instance), 900);
    assert!(change(&central.settings(3, 600)));
    assert_eq!(interval(&instance), 600);
}

#[test]
fn all_documents_of_an_answer_are_verified_before_any_is_used() {
    let (instance, central) = (Instance::new(), Central::new());
    let host = &instance.host;
    let key = central.invites(host);
    let stranger = Central { key: SecretKey::from_seed(&[1; 32]), ..Central::new() };
    let approval = || central.approval(&key);
    let table = [
        (ExchangeResponse { settings: stranger.settings(1, 600).settings, ..approval() }, "unknown-key"),
        (ExchangeResponse { settings: central.approval(&key).welcome, ..approval() }, "wrong-purpose"),
        (ExchangeResponse { receipts: vec!["v4.public.AAAA".to_owned()], ..approval() }, "truncated"),
        (stranger.approval(&key), "unknown-key"),
    ];
    for (response, code) in table {
        assert_eq!(host.import_response(&response).expect_err(code).code(), code);
        assert_eq!(state(&instance), "joining", "{code}");
    }
    unlink(host);
    assert_eq!(host.import_response(&approval()).expect_err("no link").code(), "not-linked");
}

#[test]
fn refusals_are_told_cleaned_and_only_so_many() {
    let (instance, central) = (Instance::new(), Central::new());
    central.invites(&instance.host);
    let refusal = r#"{"document": "join", "code": "invite-unknown", "message": "ask for\u001b[31m a new one"}"#;
    let refusal: Refusal = serde_json::from_str(refusal).expect("a refusal");
    let response = ExchangeResponse { refusals: vec![refusal; 10_000], ..Default::default() };
    let outcome = instance.host.import_response(&response).expect("taken");
    assert_eq!(outcome.refusals.len(), MAX_REPORTS + MAX_STATEMENTS + 2);
    let exchange = instance.host.exchange_state().expect("the state");
    let problem = exchange.problem.expect("a problem");
    assert_eq!(problem.code, "invite-unknown");
    let said = "the central server refused the join: ask for [31m a new one; remove this link (`seatline link remove`), \
                and accept a new invite";
    assert_eq!(problem.message, said);
}

#[test]
fn w3_a_join_that_is_refused_for_good_is_remembered_and_not_sent_again_of_its_own_accord() {
    let (instance, central) = (Instance::new(), Central::new());
    let host = &instance.host;
    let refuse = |code: &str| {
        let refusals = vec![Refusal::new("join", None, code, "the invite is over")];
        host.import_response(&ExchangeResponse { refusals, ..Default::default() }).expect("taken");
        host.status().expect("a status")
    };
    let key = central.invites(host);
    for (code, remembered) in [("unavailable", "joining"), ("invite-expired", "refused"), ("invite-unknown", "refused")]
    {
        let status = refuse(code);
        let link = status.link.expect("a link");
        assert_eq!((link.state.name(), link.refusal.is_some()), (remembered, remembered == "refused"), "{code}");
        assert_eq!(status.exchange.next_attempt_at.is_none(), remembered == "refused", "{code}");
    }
    let failures = || host.status().expect("a status").exchange.failures;
    assert_eq!(failures(), 3);
    for trigger in [Trigger::Start, Trigger::Interval] {
        let synced = host.sync(trigger);
        assert_eq!(synced.exchanged.expect_err("refused").code(), "invite-unknown");
        assert!(synced.collected.is_ok(), "the product is counted all the same");
        assert_eq!(failures(), 3, "nobody was asked");
    }
    assert_eq!(host.sync(Trigger::Demand).exchanged.expect_err("nobody listens").code(), "central-unreachable");
    assert_eq!(failures(), 4, "a person can ask again");
    assert_eq!(state(&instance), "refused");
    host.import_response(&central.approval(&key)).expect("a refusal is not sealed, and an approval is");
    assert_eq!(state(&instance), "approved");
    refuse("invite-unknown");
    assert_eq!(state(&instance), "approved");
}
