//! Nodes of one product whose state is in a PostgreSQL that Patroni keeps available, and whose central server is on it
//! too.

use seatline_tests::patroni::Patroni;
use seatline_tests::{Agent, Central, Vendor, until};

/// b1, b2, g5
#[test]
fn g5_the_state_of_a_cluster_survives_the_loss_of_the_primary_and_the_chain_is_whole() {
    let (vendor, mut nodes) = (Vendor::new(), Patroni::start());
    let central = Central::start_on(&nodes.url());
    let state = nodes.sockets();
    let one = Agent::node(&vendor, "wiki-0", &state, None);
    let other = Agent::node(&vendor, "wiki-1", &state, Some(&one));
    one.run(&["license", "set", &vendor.license(100, &[])]).ok();
    let link = one.link(&central.invite())["link"]["link"].as_str().expect("a link").to_owned();
    let _running = [&one, &other].map(|node| node.start(&["run"]));
    other.run(&["sync"]).ok();
    let reports = || central.reports(&link);
    let (server_id, before) = (one.status()["product"]["server_id"].take(), reports());
    assert!(!before.is_empty());

    let lost = nodes.primary();
    nodes.kill(lost);
    // Nobody takes changes until Patroni has promoted the other one: reason enough to refuse, and to tell why.
    let refused = one.run(&["sync"]).refused("store-unavailable");
    assert!(refused.contains("refused") || refused.contains("does not allow writes"), "{refused}");
    until("the other node of the database", || (one.run(&["sync"]).code == 0).then_some(()));
    assert_ne!(nodes.primary(), lost);
    assert_eq!(one.status()["product"]["server_id"], server_id, "the same database, and so the same instance");

    // The lost one comes back as a replica, and is made the primary again by its administrator.
    nodes.start_again(lost);
    nodes.wait_until_replica(lost);
    nodes.wait_for_standby();
    nodes.switch_over();
    until("the node that was lost", || (other.run(&["sync"]).code == 0).then_some(()));
    assert_eq!(nodes.primary(), lost);

    let stored = reports();
    assert!(stored.len() > before.len() && stored.starts_with(&before), "{before:?} {stored:?}");
    let sequences: Vec<u64> = stored.iter().map(|(sequence, _)| *sequence).collect();
    assert_eq!(sequences, (1..=stored.len() as u64).collect::<Vec<_>>());
    let chain = &central.licenses()["link"]["chain"];
    assert_eq!((&chain["forks"], chain["gaps"].as_array().map(Vec::len)), (&0.into(), Some(0)), "{chain}");
    assert_eq!(one.status()["outbox"]["pending"], 0);
}
