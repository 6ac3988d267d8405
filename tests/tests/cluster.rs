//! Three nodes of one product, with their state in a real PostgreSQL, and a real central server.

#[path = "../../agent/tests/support"]
#[allow(dead_code)]
mod support {
    pub mod postgres;
    pub mod server;
}

use std::time::{Duration, Instant};

use seatline_tests::{Agent, Central, Running, Vendor, until};
use serde_json::Value;
use support::postgres::Postgres;

/// The shortest interval that a central server can set, in seconds.
const INTERVAL: u32 = 60;

/// Three nodes that run, with the link that they share.
struct Cluster {
    central: Central,
    server: Postgres,
    nodes: [Agent; 3],
    running: [Option<Running>; 3],
    link: String,
}

impl Cluster {
    fn start() -> Self {
        let (vendor, central, server) = (Vendor::new(), Central::start(), Postgres::start());
        let state = server.address("owner", "wiki");
        let first = Agent::node(&vendor, "wiki-0", &state, None);
        let [second, third] = ["wiki-1", "wiki-2"].map(|name| Agent::node(&vendor, name, &state, Some(&first)));
        let nodes = [first, second, third];
        nodes[1].run(&["license", "set", &vendor.license(100, &[])]).ok();
        let link = nodes[2].link(&central.invite())["link"]["link"].as_str().expect("a link").to_owned();
        central.set_interval(&link, INTERVAL);
        let running = nodes.each_ref().map(|node| Some(node.start(&["run"])));
        Self { central, server, nodes, running, link }
    }

    /// What `seatline nodes` shows on one of them.
    fn listed(&self) -> Vec<Value> {
        let listed = self.nodes[0].run(&["nodes", "--json"]).json()["nodes"].take();
        listed.as_array().expect("nodes").clone()
    }

    /// The nodes that run.
    fn count_running(&self) -> usize {
        self.listed().iter().filter(|node| node["state"] == "running").count()
    }

    /// The node whose turn it is.
    fn leader(&self) -> Option<usize> {
        let listed = self.listed();
        let node = listed.iter().find(|node| node["synchronises_since"].is_string())?;
        node["id"].as_str()?.strip_prefix("wiki-")?.parse().ok()
    }

    /// Waits for another node's turn than that of `before`.
    fn successor(&self, before: usize) -> usize {
        until("another node to take over", || self.leader().filter(|leader| *leader != before))
    }

    fn reports(&self) -> usize {
        self.central.reports(&self.link).len()
    }

    /// Every report is stored once, each follows the one before, and there is no other.
    fn chain_is_whole(&self) {
        let stored: Vec<u64> = self.central.reports(&self.link).into_iter().map(|(sequence, _)| sequence).collect();
        assert_eq!(stored, (1..=stored.len() as u64).collect::<Vec<_>>());
        let chain = &self.central.licenses()["link"]["chain"];
        assert_eq!((&chain["forks"], chain["gaps"].as_array().map(Vec::len)), (&0.into(), Some(0)), "{chain}");
        assert_eq!(self.nodes[0].status()["outbox"]["pending"], 0);
    }
}

/// b1, c7, g5
#[test]
fn g5_one_node_reports_and_when_it_is_killed_another_one_does_within_two_intervals_and_the_chain_is_whole() {
    let mut cluster = Cluster::start();
    until("three nodes that run", || (cluster.count_running() == 3).then_some(()));
    until("the first report", || (cluster.reports() > 0).then_some(()));
    let ids = cluster.nodes.each_ref().map(|node| node.status()["product"]["server_id"].take());
    assert!(ids[0].is_string() && ids[0] == ids[1] && ids[1] == ids[2], "{ids:?}");

    let leader = until("a node that synchronises", || cluster.leader());
    let (before, killed) = (cluster.reports(), Instant::now());
    cluster.running[leader].take().expect("it runs").kill();
    cluster.nodes[0].wiki.hire(7);
    let second = cluster.successor(leader);
    until("a report of its successor", || (cluster.reports() > before).then_some(()));
    let took = killed.elapsed();
    assert!(took < Duration::from_secs(2 * u64::from(INTERVAL)), "{took:?}");
    assert_eq!(cluster.central.licenses()["counted"]["accounts"]["counted"], 67, "it counts what is so now");
    cluster.chain_is_whole();

    // It comes back, and leaves the turn where it is.
    cluster.running[leader] = Some(cluster.nodes[leader].start(&["run"]));
    until("three nodes again", || (cluster.count_running() == 3).then_some(()));
    assert_eq!(cluster.leader(), Some(second));
    cluster.nodes[leader].run(&["sync"]).ok();
    cluster.chain_is_whole();
}

/// b1, g3, g5
#[test]
fn g5_the_chain_is_whole_after_nodes_stood_still_and_the_database_crashed() {
    let mut cluster = Cluster::start();
    until("the first report", || (cluster.reports() > 0).then_some(()));
    for _ in 0..2 {
        let leader = until("a node that synchronises", || cluster.leader());
        let running = cluster.running[leader].as_ref().expect("it runs");
        running.signal("STOP");
        let next = cluster.successor(leader);
        cluster.nodes[next].run(&["sync"]).ok();
        cluster.running[leader].as_ref().expect("it runs").signal("CONT");
        until("three nodes", || (cluster.count_running() == 3).then_some(()));
        cluster.nodes[leader].run(&["sync"]).ok();
    }
    cluster.server.stop("QUIT");
    cluster.nodes[1].run(&["sync"]).refused("store-unavailable");
    cluster.server.start_again();
    until("three nodes", || (cluster.count_running() == 3).then_some(()));
    until("a node that synchronises", || cluster.leader());
    // All at once, on every node.
    std::thread::scope(|scope| {
        for node in &cluster.nodes {
            scope.spawn(|| node.run(&["sync"]));
        }
    });
    cluster.nodes[0].run(&["sync"]).ok();
    cluster.chain_is_whole();
}
