//! The key of a link is replaced: the old one vouches for the new one, and the chain goes on.

use seatline_host::Host;
use seatline_host::sandbox::Trigger;
use seatline_host::store::Directory;
use seatline_protocol::{
    Digest, ExchangeRequest, ExchangeResponse, KeyId, PublicKey, Refusal, Report, Rotation, Settings, seal,
};

use crate::given::{Central, Instance};
use crate::interrupted::Failing;

fn exported(host: &Host) -> ExchangeRequest {
    host.export_reports().expect("an export")
}

fn fingerprint(host: &Host) -> String {
    host.link().expect("the state").expect("a link").fingerprint
}

/// The key that a rotation of this instance brings, vouched for by the key with the fingerprint `old`.
fn vouched(request: &ExchangeRequest, old: &PublicKey) -> PublicKey {
    let sealed = request.rotation.as_ref().expect("a rotation");
    seal::open::<Rotation>(sealed, std::slice::from_ref(old)).expect("by the old key").key
}

/// The keys that sealed what waits, in the order of the chain, which is whole.
fn keys_of_chain(request: &ExchangeRequest, keys: &[PublicKey]) -> Vec<KeyId> {
    let mut before: Option<Digest> = None;
    let opened = request.reports.iter().map(|sealed| {
        let report: Report = seal::open(sealed, keys).expect("by one of the keys");
        assert_eq!(report.previous, before, "the chain goes on");
        before = Some(Digest::of(sealed.as_bytes()));
        seal::key_id::<Report>(sealed).expect("a key")
    });
    opened.collect()
}

/// The public half of the link's present key: it introduces itself in the join alone, or in a rotation.
pub fn joined_key(instance: &Instance, central: &Central) -> PublicKey {
    let invite = instance.host.open_invite(&central.invite()).expect("an invite");
    instance.host.accept_invite(&invite).expect("a link");
    let join = exported(&instance.host).join.expect("the join");
    let (_, key) = seal::open_introduced::<seatline_protocol::Join>(&join).expect("it introduces its key");
    instance.host.import_response(&central.approval(&key.id())).expect("approved");
    key
}

#[test]
fn a_new_key_seals_the_reports_from_then_on_and_those_that_wait_stay_as_they_are() {
    let (instance, central) = (Instance::new(), Central::new());
    let host = &instance.host;
    let old = joined_key(&instance, &central);
    let _ = host.collect(Trigger::Demand).expect("a run");
    let made = host.rotate_key().expect("a new key");
    let rotation = made.rotation.expect("how it was replaced");
    assert_eq!((rotation.previous_fingerprint, rotation.is_known), (old.fingerprint(), false));
    assert_eq!(host.rotate_key().expect_err("one is on its way").code(), "rotation-under-way");
    let _ = host.collect(Trigger::Demand).expect("a run");

    let request = exported(host);
    let new = vouched(&request, &old);
    assert_eq!((made.fingerprint, fingerprint(host)), (new.fingerprint(), new.fingerprint()));
    assert_eq!(keys_of_chain(&request, &[old.clone(), new.clone()]), [old.id(), new.id()]);
    let rotation: Rotation =
        seal::open(request.rotation.as_ref().expect("it"), std::slice::from_ref(&old)).expect("opened");
    assert_eq!((rotation.link, rotation.from.get()), (central.link.clone(), 2));

    let receipts = central.receipts(host, "2026-03-01T12:00:01Z");
    let answer = ExchangeResponse { receipts: receipts.receipts, ..central.approval(&new.id()) };
    assert_eq!(host.import_response(&answer).expect("taken").receipts.len(), 2, "of both keys");
    assert_eq!(exported(host), ExchangeRequest::default(), "the central server knows");
    assert!(host.link().expect("the state").expect("a link").rotation.expect("it").is_known);
    host.rotate_key().expect("and another time");
}

#[test]
fn a_rotation_that_is_interrupted_anywhere_has_happened_or_has_not() {
    for writes_left in 0.. {
        let (instance, central) = (Instance::new(), Central::new());
        let old = joined_key(&instance, &central);
        let _ = instance.host.collect(Trigger::Demand).expect("a run");
        let store = Directory::open(instance.dir.path().join("state")).expect("the store");
        let failing = instance.again_on(Failing { store, writes_left: writes_left.into() });
        let is_done = failing.rotate_key().is_ok();

        // As the process that is started next finds it.
        let host = instance.again();
        let _ = host.collect(Trigger::Demand).expect("a run");
        let request = exported(&host);
        assert_eq!(request.rotation.is_some(), is_done, "after {writes_left} writes");
        let new = if is_done { vouched(&request, &old) } else { old.clone() };
        assert_eq!(keys_of_chain(&request, &[old.clone(), new.clone()]), [old.id(), new.id()]);
        if is_done {
            // The answer is lost: the same rotation goes again.
            assert_eq!(exported(&host), request);
            host.import_response(&central.approval(&new.id())).expect("the answer");
            assert_eq!(exported(&host).rotation, None);
            assert_eq!(writes_left, 1, "it is one write");
            return;
        }
    }
}

#[test]
fn the_central_server_asks_for_a_new_key_and_gets_one_once() {
    let (instance, central) = (Instance::new(), Central::new());
    let host = &instance.host;
    let old = joined_key(&instance, &central);
    let settings = |revision, key: &PublicKey| Settings { replace_key: Some(key.id()), ..central.wanted(revision) };
    let outcome = host.import_response(&central.wishes(&settings(1, &old))).expect("taken");
    assert!(outcome.settings_changed && outcome.key_replaced);
    let new = vouched(&exported(host), &old);
    assert_ne!(new, old);
    let again = host.import_response(&central.wishes(&settings(2, &old))).expect("taken");
    assert!(!again.key_replaced, "it has another key by now");
    assert_eq!(fingerprint(host), new.fingerprint());
    let both = host.import_response(&central.wishes(&settings(3, &new))).expect("taken");
    assert!(!both.key_replaced, "one is on its way");
    host.import_response(&central.approval(&new.id())).expect("it is known");
    assert_ne!(fingerprint(host), new.fingerprint(), "what is asked for is done as soon as it can be");
}

#[test]
fn a_central_server_that_has_forgotten_the_new_key_is_told_again() {
    let (instance, central) = (Instance::new(), Central::new());
    let host = &instance.host;
    let old = joined_key(&instance, &central);
    host.rotate_key().expect("a new key");
    let rotation = exported(host).rotation;
    let new = vouched(&exported(host), &old);
    host.import_response(&central.approval(&new.id())).expect("it is known");
    assert_eq!(exported(host).rotation, None);
    let refusals = vec![Refusal::new("report", Some(0), "link-unknown", "the key belongs to no link here")];
    host.import_response(&ExchangeResponse { refusals, ..Default::default() }).expect("taken");
    assert_eq!(exported(host).rotation, rotation, "it was restored from a backup");
}

#[test]
fn a_copy_that_nobody_has_explained_makes_no_key_of_its_own() {
    let (instance, central) = (Instance::new(), Central::new());
    let host = &instance.host;
    assert_eq!(host.rotate_key().expect_err("no link").code(), "not-linked");
    instance.wiki.moves_to("db-1", "mark");
    let _ = host.collect(Trigger::Demand).expect("a run");
    central.invites(host);
    assert_eq!(host.rotate_key().expect_err("not approved").code(), "link-not-in-force");
    let key = fingerprint(host);
    let join = exported(host).join.expect("the join");
    let id = seal::key_id::<seatline_protocol::Join>(&join).expect("its key");
    host.import_response(&central.approval(&id)).expect("approved");
    let copy = instance.again_as_staging();
    let _ = copy.collect(Trigger::Demand).expect("a run");
    assert_eq!(copy.rotate_key().expect_err("it may be a copy").code(), "server-id-unconfirmed");
    assert_eq!(fingerprint(&copy), key);
}
