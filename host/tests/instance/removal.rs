//! The central server removes the link, and wants a count at once.

use seatline_host::sandbox::Trigger;
use seatline_protocol::{ExchangeResponse, LinkId, Refusal, Removal, SecretKey, Settings, seal};

use crate::given::{Central, Instance, at, unlink};

fn removal(link: &LinkId, key: &SecretKey) -> ExchangeResponse {
    let removal = Removal { link: link.clone(), removed_at: at("2026-03-01T13:00:00Z") };
    let refusal = Refusal::new("report", Some(0), "link-removed", "the link was removed");
    let removal = Some(seal::seal(&removal, key).expect("sealed"));
    ExchangeResponse { removal, refusals: vec![refusal], ..Default::default() }
}

#[test]
fn w3_a_removed_link_is_given_up_and_its_reports_are_kept_apart() {
    let (instance, central) = (Instance::new(), Central::new());
    let host = &instance.host;
    central.links(host);
    let _ = host.collect(Trigger::Demand).expect("a run");

    let only_said = ExchangeResponse { removal: None, ..removal(&central.link, &central.key) };
    host.import_response(&only_said).expect("taken");
    let forged = removal(&central.link, &SecretKey::from_seed(&[4; 32]));
    assert_eq!(host.import_response(&forged).expect_err("not by its key").code(), "unknown-key");
    host.import_response(&removal(&LinkId::from_random([9; 24]), &central.key)).expect("taken");
    let link = host.link().expect("the state").expect("a link");
    assert_eq!((link.state.name(), host.outbox().expect("it").pending), ("approved", 1), "nobody else can remove it");

    host.import_response(&removal(&central.link, &central.key)).expect("taken");
    let link = host.link().expect("the state").expect("a link");
    let refusal = link.refusal.expect("why");
    assert_eq!((link.state.name(), refusal.code.as_str()), ("refused", "link-removed"));
    assert_eq!(refusal.message, "Example Central has removed this link at 2026-03-01 13:00 UTC");
    assert_eq!(host.outbox().expect("it").pending, 0);
    let synced = host.sync(Trigger::Interval);
    assert!(synced.collected.expect("it is counted all the same").report.is_none());
    let said = synced.exchanged.expect_err("there is nobody to send to").to_string();
    assert!(said.starts_with("Example Central has removed this link at"), "{said}");
    assert_eq!(unlink(host).retired, 0, "they are kept apart already");
    central.links(host);
}

#[test]
fn w6_a_count_that_is_wanted_at_once_is_made_once() {
    let (instance, central) = (Instance::new(), Central::new());
    let host = &instance.host;
    central.links(host);
    let demanded = || host.link().expect("the state").expect("a link").demanded_at;
    let wish = |revision, wanted: Option<&str>| {
        let settings = Settings { demanded_at: wanted.map(at), ..central.wanted(revision) };
        host.import_response(&central.wishes(&settings)).expect("taken");
    };
    wish(1, None);
    assert_eq!(demanded(), None);
    wish(2, Some("2026-03-01T12:00:00Z"));
    assert_eq!(demanded(), Some(at("2026-03-01T12:00:00Z")));
    let synced = host.sync(Trigger::Interval);
    assert_eq!(synced.collected.expect("a run").run.trigger, "demand", "the report says what it is for");
    assert_eq!(demanded(), None);
    assert_eq!(host.sync(Trigger::Interval).collected.expect("a run").run.trigger, "interval");
    wish(3, Some("2026-03-01T12:00:00Z"));
    assert_eq!(demanded(), None, "the same wish is answered already");
    wish(4, Some("2026-03-01T12:00:01Z"));
    assert!(demanded().is_some());
}
