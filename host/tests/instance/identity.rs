//! The server ID: bound to a database, unreachable databases, staging, and what becomes of licenses and the link.

use seatline_host::identity::Policy;
use seatline_host::ports::PortError;
use seatline_host::sandbox::{Grants, Trigger};
use seatline_protocol::{Continuity, ContinuityAnswer, Digest, ExchangeResponse, IdentityPart, Kind, ServerId, seal};

use crate::given::{Central, Instance, database, key_of, license};

/// An instance whose database is on the host `db1`, and was looked at.
fn bound() -> Instance {
    let instance = Instance::new();
    instance.wiki.moves_to("db1", "7f3a");
    instance.host.look_at_identity().expect("a look");
    instance
}

/// What the statements say that would leave now.
fn statements(instance: &Instance) -> Vec<Continuity> {
    use base64::Engine as _;
    let sealed = instance.host.export_reports().expect("an export").continuity;
    sealed
        .iter()
        .map(|token| {
            let fingerprint = instance.host.link().expect("the state").expect("a link").fingerprint;
            assert_eq!(seal::key_id::<Continuity>(token).expect("a key id").fingerprint(), fingerprint);
            let body = token.strip_prefix("v4.public.").and_then(|rest| rest.split('.').next()).expect("a token");
            let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(body).expect("base64");
            serde_json::from_slice(&bytes[..bytes.len() - 64]).expect("a statement")
        })
        .collect()
}

/// The central server's word that it has noted what would leave now.
fn noted(instance: &Instance) -> ExchangeResponse {
    let sealed = instance.host.export_reports().expect("an export").continuity;
    ExchangeResponse {
        noted: sealed.iter().map(|token| Digest::of(token.as_bytes())).collect(),
        ..ExchangeResponse::default()
    }
}

#[test]
fn s2_the_id_follows_the_database_and_comes_back_with_it() {
    let instance = bound();
    let host = &instance.host;
    let first = host.server_id();
    let mut seen = vec![first.clone()];
    for (hour, (place, mark)) in [("db2", "7f3a"), ("db2", "aaaa"), ("db1", "aaaa")].into_iter().enumerate() {
        instance.set_time(&format!("2026-03-02T{hour:02}:00:00Z"));
        instance.wiki.moves_to(place, mark);
        assert_eq!(host.server_id(), *seen.last().expect("the one before"), "until the next look");
        let facts = host.look_at_identity().expect("a look");
        assert!(!seen.contains(&facts.server_id), "never the same for two databases");
        assert_eq!((facts.policy, facts.problem), (Policy::DatabaseBound, None));
        seen.push(facts.server_id);
    }
    instance.wiki.moves_to("db1", "7f3a");
    let facts = host.look_at_identity().expect("a look");
    assert_eq!(facts.server_id, first);
    let parts = |facts: &[IdentityPart]| facts.iter().map(|part| part.name()).collect::<Vec<_>>();
    let changed: Vec<_> =
        facts.history.iter().map(|change| parts(&change.changed.iter().copied().collect::<Vec<_>>())).collect();
    assert_eq!(
        changed,
        [vec!["policy"], vec!["host"], vec!["birth-mark"], vec!["host"], vec!["birth-mark"]],
        "each change says which parts were others"
    );
    assert_eq!(host.status().expect("a status").server_id, first);
}

#[test]
fn s2_a_database_that_is_there_from_the_beginning_makes_the_first_id() {
    let wiki = Instance::new();
    wiki.wiki.moves_to("db1", "7f3a");
    std::fs::remove_dir_all(wiki.dir.path().join("state")).expect("a new state");
    let facts = wiki.again().identity().expect("the identity");
    assert_eq!((facts.policy, facts.history.len()), (Policy::DatabaseBound, 0));
    let names: Vec<&str> = facts.parts.iter().map(|part| part.name()).collect();
    assert_eq!(names, ["host", "port", "database", "schema", "birth-mark"]);
}

#[test]
fn a7_where_nobody_waits_for_the_database_the_first_look_makes_the_id_as_if_it_had() {
    let given = Instance::new();
    given.wiki.moves_to("db1", "7f3a");
    let at_once = || {
        std::fs::remove_dir_all(given.dir.path().join("state")).expect("a new state");
        given.wiki.says(|| panic!("nobody waits"));
        let host = given.again_with(|options| options.waits_for_database = false);
        given.wiki.moves_to("db1", "7f3a");
        host
    };
    let host = at_once();
    let before = host.identity().expect("the identity");
    assert_eq!(before.problem.map(|problem| problem.code).as_deref(), Some("server-id-unread"));
    let facts = host.look_at_identity().expect("a look");
    assert_eq!((facts.policy, facts.problem, facts.history.len()), (Policy::DatabaseBound, None, 0));
    assert_ne!(facts.server_id, before.server_id);
    assert_eq!(given.again().server_id(), facts.server_id, "it stays");
    given.wiki.moves_to("db2", "7f3a");
    assert_eq!(host.look_at_identity().expect("a look").history.len(), 1, "and what comes after is a change");

    // Whoever has set a license for the ID of the meantime finds it in the history.
    let host = at_once();
    let before = host.server_id();
    host.set_license(&key_of(&license("L-1"))).expect("it is set");
    let facts = host.look_at_identity().expect("a look");
    assert_eq!(facts.history.iter().map(|change| &change.previous).collect::<Vec<_>>(), [&before]);
    assert_eq!((facts.policy, facts.problem), (Policy::DatabaseBound, None));

    // A database that is unbound before its first look leaves the instance its own ID.
    let host = at_once();
    let before = host.server_id();
    given.wiki.says(|| Ok(None));
    for _ in 0..2 {
        let facts = host.look_at_identity().expect("a look");
        assert_eq!((facts.server_id, facts.problem, facts.history.len()), (before.clone(), None, 0));
    }
    assert_eq!(given.again().identity().expect("the identity").problem, None);
}

#[test]
fn s2_a_database_that_cannot_be_read_changes_nothing_and_says_so() {
    let instance = bound();
    let (host, before) = (&instance.host, instance.host.server_id());
    let unreadable: [(&str, fn() -> _); 4] = [
        ("db1 does not answer", || Err(PortError::new("db1 does not answer"))),
        ("unexpectedly", || panic!("a defect of the product")),
        ("gave no birth mark", || Ok(Some(database("db1", " ")))),
        ("gave no birth mark", || Ok(Some(database("db9", &"x".repeat(2000))))),
    ];
    for (reason, says) in unreadable {
        instance.wiki.says(says);
        let facts = host.look_at_identity().expect("a look");
        let problem = facts.problem.expect("a problem");
        assert_eq!((facts.server_id, problem.code.as_str()), (before.clone(), "server-id-unread"));
        assert!(problem.message.contains(reason) && problem.message.contains("last known"), "{}", problem.message);
        assert_eq!(host.collect(Trigger::Interval).expect("counted all the same").run.trigger, "interval");
    }
    instance.wiki.moves_to("db1", "7f3a");
    let facts = host.look_at_identity().expect("a look");
    assert_eq!((facts.server_id, facts.problem, facts.history.len()), (before, None, 1));
}

#[test]
fn s2_a_run_notices_that_the_database_has_moved_under_a_running_agent() {
    let instance = bound();
    let (host, other) = (&instance.host, instance.again());
    let before = host.server_id();
    instance.wiki.moves_to("db2", "7f3a");
    host.collect(Trigger::Interval).expect("a run");
    assert_ne!(host.server_id(), before);
    assert_eq!(other.server_id(), host.server_id(), "every process on the state has it at once");
    assert_eq!(other.standing().expect("a standing"), host.standing().expect("a standing"));
}

#[test]
fn c7_three_nodes_on_one_state_have_one_id_and_note_a_move_once() {
    let instance = bound();
    let nodes = [instance.again(), instance.again(), instance.again()];
    instance.wiki.moves_to("db2", "7f3a");
    std::thread::scope(|scope| {
        for node in &nodes {
            scope.spawn(|| node.look_at_identity().expect("a look"));
        }
    });
    let ids: Vec<ServerId> = nodes.iter().map(|node| node.server_id()).collect();
    assert_eq!(ids, vec![ids[0].clone(); 3]);
    assert_eq!(nodes[0].identity().expect("the identity").history.len(), 2);
}

#[test]
fn s2_nodes_that_name_the_database_differently_settle_and_are_told() {
    let instance = bound();
    let problems: Vec<String> = (0..12)
        .filter_map(|turn| {
            instance.wiki.moves_to(if turn % 2 == 0 { "db1" } else { "127.0.0.1" }, "7f3a");
            instance.host.look_at_identity().expect("a look").problem.map(|problem| problem.code)
        })
        .collect();
    assert!(problems.len() >= 4 && problems.iter().all(|code| code == "server-id-to-and-fro"), "{problems:?}");
    assert!(instance.host.identity().expect("the identity").history.len() <= 5);
}

#[test]
fn s2_two_installations_on_one_state_are_told_and_share_no_license() {
    let instance = bound();
    let host = &instance.host;
    host.set_license(&key_of(&license_of(&host.server_id(), "L-1"))).expect("set");
    let mut told = Vec::new();
    for turn in 0..6 {
        instance.wiki.moves_to("db1", if turn % 2 == 0 { "of the second" } else { "7f3a" });
        told.push(host.look_at_identity().expect("a look").problem.map(|problem| problem.code));
        let verdict = host.standing().expect("a standing").verdict.name();
        assert_eq!(verdict, if turn % 2 == 0 { "unlicensed" } else { "licensed" }, "at {turn}");
    }
    assert_eq!(told[..3], [None, None, None], "that can be a restored backup");
    assert_eq!(told[3..], vec![Some("server-id-shared".to_owned()); 3]);
}

#[test]
fn b4_a_license_of_the_id_before_a_move_holds_on_for_a_fortnight() {
    let instance = bound();
    let host = &instance.host;
    let mut bound_license = license("L-1");
    bound_license.servers.push(host.server_id());
    host.set_license(&key_of(&bound_license)).expect("set");
    let verdict = || {
        let standing = host.standing().expect("a standing");
        (standing.verdict.name(), standing.reasons.first().map(|reason| reason.message.clone()).unwrap_or_default())
    };
    assert_eq!(verdict().0, "licensed");
    let before = host.server_id();
    instance.wiki.moves_to("db2", "7f3a");
    host.look_at_identity().expect("a look");
    let (word, message) = verdict();
    assert_eq!(word, "attention");
    for part in [before.as_str(), host.server_id().as_str(), "2026-03-15"] {
        assert!(message.contains(part), "{message}");
    }
    assert_eq!(host.live().expect("in memory").standing.verdict.name(), "attention");
    instance.set_time("2026-03-15T12:00:00Z");
    assert_eq!(verdict().0, "unlicensed");
    let refused = host.set_license(&key_of(&license_of(&before, "L-2"))).expect_err("bound to the ID before");
    assert!(refused.to_string().contains(before.as_str()) && refused.to_string().contains(host.server_id().as_str()));
}

fn license_of(server: &ServerId, id: &str) -> seatline_protocol::License {
    let mut made = license(id);
    made.servers.push(server.clone());
    made
}

#[test]
fn s2_other_data_in_the_same_place_take_over_no_license() {
    let instance = bound();
    let host = &instance.host;
    host.set_license(&key_of(&license_of(&host.server_id(), "L-1"))).expect("set");
    instance.wiki.moves_to("db1", "of another instance");
    host.look_at_identity().expect("a look");
    let standing = host.standing().expect("a standing");
    assert_eq!(standing.verdict.name(), "unlicensed");
    assert!(standing.reasons[0].message.contains("is bound to the server ID"), "{}", standing.reasons[0].message);
}

#[test]
fn s3_a_staging_instance_has_its_own_id_and_license_and_reports_say_so() {
    let instance = bound();
    let host = &instance.host;
    host.set_license(&key_of(&license_of(&host.server_id(), "L-1"))).expect("set");
    let production = host.server_id();
    let unbound = |id: &str| {
        let mut made = license(id);
        made.kind = Kind::Staging;
        made
    };
    assert_eq!(host.set_license(&key_of(&unbound("S-0"))).expect_err("for staging").code(), "staging-only");
    assert!(!host.product().expect("the product").staging);

    let staging = instance.again_as_staging();
    let facts = staging.look_at_identity().expect("a look");
    assert!(facts.staging && facts.server_id != production);
    assert_eq!(staging.standing().expect("a standing").verdict.name(), "unlicensed", "at once: it is no move");
    let mut own = unbound("S-1");
    own.servers.push(facts.server_id.clone());
    staging.set_license(&key_of(&own)).expect("its own");
    assert_eq!(staging.standing().expect("a standing").verdict.name(), "licensed");
    assert!(staging.product().expect("the product").staging);
    // The production data are copied over it again: its place is the same, and so are the data's birth marks.
    let again = instance.again_as_staging().look_at_identity().expect("a look");
    assert_eq!(again.server_id, facts.server_id);
}

#[test]
fn s3_a_staging_license_for_its_id_makes_an_instance_a_staging_one() {
    let instance = bound();
    let mut made = license_of(&instance.host.server_id(), "S-1");
    made.kind = Kind::Staging;
    instance.host.set_license(&key_of(&made)).expect("the vendor has said so");
    assert!(instance.host.product().expect("the product").staging);
}

#[test]
fn b4_a_link_waits_for_a_word_after_a_move_and_nothing_is_lost_meanwhile() {
    let (instance, central) = (bound(), Central::new());
    let host = &instance.host;
    instance.install(Grants::all());
    central.links(host);
    host.collect(Trigger::Start).expect("a report");
    let before = host.server_id();
    instance.set_time("2026-03-01T13:00:00Z");
    instance.wiki.moves_to("db2", "7f3a");
    host.collect(Trigger::Interval).expect("a report");

    let exported = host.export_reports().expect("an export");
    assert_eq!((exported.reports.len(), exported.join), (0, None), "nothing of the chain leaves");
    let said = statements(&instance);
    assert_eq!(said.len(), 1, "what was before the link is not told");
    assert_eq!((&said[0].previous, &said[0].present), (&before, &host.server_id()));
    assert_eq!(said[0].changed, [IdentityPart::Host].into());
    assert_eq!((said[0].answer, said[0].staging), (None, false));
    let unconfirmed = host.identity().expect("the identity").unconfirmed.expect("it waits");
    assert_eq!((unconfirmed.linked_as, unconfirmed.changed), (before.clone(), [IdentityPart::Host].into()));
    assert_eq!(host.exchange().expect_err("nobody listens").code(), "central-unreachable");
    let preview = host.preview_report().expect("a preview");
    assert_eq!((preview.statements.len(), preview.pending.len()), (1, 2), "every byte that would leave is shown");

    host.import_response(&noted(&instance)).expect("taken");
    assert_eq!(host.export_reports().expect("an export").continuity.len(), 0, "it is told once");
    let error = host.exchange().expect_err("it waits").to_string();
    assert!(error.contains(before.as_str()) && error.contains("the database's host"), "{error}");
    let problem = host.exchange_state().expect("the state").problem.expect("a problem");
    assert_eq!(problem.code, "server-id-unconfirmed");

    let confirmed = host.confirm_identity(ContinuityAnswer::Moved).expect("confirmed");
    assert_eq!(confirmed.problem.expect("nobody listens").code, "central-unreachable");
    assert!(host.identity().expect("the identity").unconfirmed.is_none());
    let reports = instance.waiting();
    let ids: Vec<&ServerId> = reports.iter().map(|report| &report.product.server_id).collect();
    assert_eq!(ids, [&before, &host.server_id()], "the chain goes on");
    assert_eq!(
        statements(&instance)[0].answer,
        Some(ContinuityAnswer::Moved),
        "the central server is told what was said"
    );
    host.import_response(&noted(&instance)).expect("taken");
    assert_eq!(host.confirm_identity(ContinuityAnswer::Moved).expect_err("nothing waits").code(), "nothing-to-confirm");
}

#[test]
fn b8_a_copy_forgets_the_link_of_the_instance_that_was_copied() {
    let (instance, central) = (bound(), Central::new());
    let host = &instance.host;
    central.links(host);
    host.collect(Trigger::Start).expect("a report");
    instance.wiki.moves_to("staging", "7f3a");
    host.look_at_identity().expect("a look");
    let confirmed = host.confirm_identity(ContinuityAnswer::Copy).expect("confirmed");
    assert_eq!((confirmed.retired_reports, confirmed.removed.is_some()), (1, true));
    assert!(host.link().expect("the state").is_none());
    // A link of its own begins with its own ID.
    central.links(host);
    assert_eq!(host.identity().expect("the identity").unconfirmed, None);
    assert!(host.export_reports().expect("an export").continuity.is_empty());
}

#[test]
fn b4_a_database_that_comes_back_lets_the_link_go_on_without_a_word() {
    let (instance, central) = (bound(), Central::new());
    let host = &instance.host;
    central.links(host);
    let key = host.link().expect("the state").expect("a link").fingerprint;
    instance.wiki.moves_to("db1.example.org", "7f3a");
    host.collect(Trigger::Interval).expect("a report");
    assert!(host.identity().expect("the identity").unconfirmed.is_some());
    instance.wiki.moves_to("db1", "7f3a");
    host.collect(Trigger::Interval).expect("a report");
    assert!(host.identity().expect("the identity").unconfirmed.is_none());
    assert_eq!(instance.waiting().len(), 2);
    assert_eq!(host.link().expect("the state").expect("a link").fingerprint, key);
    assert_eq!(statements(&instance).len(), 2, "there and back");
}

#[test]
fn b4_a_policy_is_changed_by_whoever_configures_the_instance_and_the_link_goes_along() {
    let (instance, central) = (Instance::new(), Central::new());
    let host = &instance.host;
    central.links(host);
    instance.wiki.moves_to("db1", "7f3a");
    host.collect(Trigger::Interval).expect("a report");
    assert_eq!(host.identity().expect("the identity").unconfirmed, None);
    assert_eq!((instance.waiting().len(), statements(&instance).len()), (1, 1));
}

#[test]
fn b4_a_link_of_an_early_version_waits_as_well() {
    let (instance, central) = (bound(), Central::new());
    central.links(&instance.host);
    let path = instance.dir.path().join("state/link.json");
    let mut link: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).expect("the link")).expect("JSON");
    link.as_object_mut().expect("an object").remove("server_id").expect("the server ID");
    std::fs::write(&path, link.to_string()).expect("as an early version wrote it");
    assert_eq!(instance.host.identity().expect("the identity").unconfirmed, None);
    instance.wiki.moves_to("db2", "7f3a");
    instance.host.look_at_identity().expect("a look");
    assert!(instance.host.identity().expect("the identity").unconfirmed.is_some());
}
