//! Three nodes of one product, with their state in a real PostgreSQL, and a real central server.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use seatline_tests::postgres::Postgres;
use seatline_tests::{Agent, Central, Running, Vendor, binaries, plugin, until};
use serde_json::Value;

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

/// c7, c8
#[test]
fn c7_the_commands_of_the_guide_make_a_cluster_and_its_backup_is_a_whole_state() {
    let (vendor, central, server) = (Vendor::new(), Central::start(), Postgres::start());
    let home = tempfile::tempdir().expect("a directory");
    let path = |name: &str| home.path().join(name).display().to_string();
    server.execute(
        "CREATE ROLE seatline_state LOGIN PASSWORD 'hunter2'; GRANT CREATE ON DATABASE wiki TO seatline_state",
    );
    std::fs::write(path("password"), "hunter2\n").expect("the password");
    std::fs::write(path("license.key"), vendor.license(50, &[])).expect("the key");
    let guide = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/operations.md"));
    let guide = guide.expect("the guide").replace("\\\n", "");
    let section = guide.split("\n## Cluster\n").nth(1).expect("the section");
    let block = section.split("```text\n").nth(1).and_then(|rest| rest.split("```").next()).expect("its commands");
    let state = format!("postgres://seatline_state@127.0.0.1:{}/wiki", server.port);
    let block = block
        .replace("postgres://seatline_state@db.example.org/wiki", &state)
        .replace("/etc/seatline/state.password", &path("password"))
        .replace("k4.public.…", &vendor.public_key)
        .replace("acme-wiki", "example-wiki")
        .replace("license-visibility.wasm", &format!("{} --yes", plugin("license-visibility.wasm").display()))
        .replace("@license.key", &format!("@{}", path("license.key")))
        .replace("INVITE", &format!("{} --yes", central.invite()));
    let (each, once) = block.split_once("# once, on any node").expect("two parts");
    let command = |line: &str, node: &str| {
        let search = std::env::var("PATH").expect("a path");
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("exec {line}")]).env("PATH", format!("{}:{search}", binaries().display()));
        shell.env("SEATLINE_DIR", path(node)).env("SEATLINE_LISTEN", "127.0.0.1:0").env_remove("SEATLINE_LICENSE");
        shell.stdin(Stdio::null());
        shell
    };
    let run = |line: &str, node: &str| {
        let ran = command(line, node).output().expect("a shell");
        assert!(ran.status.success(), "{line}: {}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8_lossy(&ran.stdout).into_owned()
    };
    let lines = |part: &str| -> Vec<String> {
        part.lines().filter(|line| line.starts_with("seatline ")).map(str::to_owned).collect()
    };
    let mut running = Vec::new();
    for node in ["wiki-1", "wiki-2"] {
        for line in lines(&each.replace("--node wiki-1", &format!("--node {node}"))) {
            match line.as_str() {
                "seatline run" => {
                    running.push(Ended(command(&line, node).stderr(Stdio::null()).spawn().expect("it starts")))
                }
                _ => drop(run(&line, node)),
            }
        }
    }
    lines(once).iter().for_each(|line| drop(run(line, "wiki-2")));
    until("two nodes", || (run("seatline nodes --json", "wiki-1").matches("\"running\"").count() == 2).then_some(()));
    until("a report", || {
        let link: Value = serde_json::from_str(&run("seatline link show --json", "wiki-1")).expect("JSON");
        let link = link["link"].as_str().or(link["link"]["link"].as_str())?.to_owned();
        (!central.reports(&link).is_empty()).then_some(())
    });

    // The backup, in another database.
    let before = run("seatline server-id", "wiki-1");
    drop(running);
    server.execute("CREATE DATABASE restored");
    let dump = "pg_dump --schema=seatline";
    assert!(section.contains(dump), "the guide names it");
    let programs = Postgres::programs();
    let (from, to) = (server.address("owner", "wiki"), server.address("owner", "restored"));
    let pipe = format!(
        "{}/{dump} \"{from}\" | {}/psql --quiet -v ON_ERROR_STOP=1 \"{to}\"",
        programs.display(),
        programs.display()
    );
    assert!(Command::new("sh").args(["-c", &pipe]).stdout(Stdio::null()).status().expect("a shell").success());
    let config = std::fs::read_to_string(path("wiki-1/seatline.toml")).expect("the configuration");
    let config = config.replace(&state, &state.replace("/wiki", "/restored"));
    std::fs::write(path("wiki-1/seatline.toml"), config).expect("the configuration");
    assert_eq!(run("seatline server-id", "wiki-1"), before);
}

/// A process that ends with this.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
