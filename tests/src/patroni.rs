//! A real PostgreSQL of two nodes that a real Patroni keeps available, with a real etcd, in a temporary directory.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::postgres::{Postgres, as_user, give_to_server, owner_of_data};
use crate::process::until;
use crate::server::{Guarded, free_port};

/// Runs "$@", which is Patroni, until our standard input closes; then ends it and its PostgreSQL. $0 is the node's
/// directory.
const GUARD: &str = r#""$@" > "$0/log" 2>&1 & patroni=$!; echo $patroni > "$0/patroni.pid"; cat > /dev/null
kill -KILL $patroni; read postgres < "$0/data/postmaster.pid" || exit
kill -QUIT $postgres; while kill -0 $postgres; do sleep 0.05; done"#;

/// How a node is set up. Patroni's own times are short: the stories wait for them. What `docs/operations.md` shows is
/// this.
const CONFIG: &str = include_str!("patroni.yml");

/// The user whose password is [`PASSWORD`], and who owns the databases `central` and `wiki`.
pub const USER: &str = "seatline";
/// The password of all users.
pub const PASSWORD: &str = "hunter2";

/// Two nodes, of which one takes changes, and the other one has them before they are committed.
pub struct Patroni {
    nodes: [Node; 2],
    /// After the nodes, which end first. It removes the directory.
    _etcd: Guarded,
}

/// Patroni and the PostgreSQL that it looks after.
struct Node {
    name: &'static str,
    dir: PathBuf,
    port: u16,
    rest_port: u16,
    guard: Option<Child>,
}

impl Patroni {
    /// Starts both, and waits until they are a primary and its synchronous standby.
    ///
    /// # Panics
    /// When Patroni, etcd or PostgreSQL is not installed, with what to do.
    pub fn start() -> Self {
        for program in ["patroni", "patronictl", "etcd"] {
            let is_there = Command::new(program).arg("--help").stdout(Stdio::null()).stderr(Stdio::null()).status();
            assert!(is_there.is_ok(), "`{program}` is needed: install Debian's packages `patroni` and `etcd-server`");
        }
        let dir = tempfile::Builder::new().prefix("patroni").tempdir_in("/tmp").expect("a short path").keep();
        give_to_server(&dir);
        let [etcd_port, peer_port] = [free_port(), free_port()];
        let (clients, peers) = (format!("http://127.0.0.1:{etcd_port}"), format!("http://127.0.0.1:{peer_port}"));
        let mut etcd = Command::new("etcd");
        etcd.args(["--name", "etcd", "--data-dir"]).arg(dir.join("etcd"));
        // The newer interface leaves Patroni 3.0 with an old copy of who the standby is, now and then: it names none
        // any more.
        etcd.arg("--enable-v2");
        etcd.args(["--listen-client-urls", &clients, "--advertise-client-urls", &clients]);
        etcd.args(["--listen-peer-urls", &peers, "--initial-advertise-peer-urls", &peers]);
        etcd.args(["--initial-cluster", &format!("etcd={peers}")]);
        let mut guarded = Guarded::start(&dir, &etcd);
        guarded.wait(&dir, || ureq::get(format!("{clients}/health")).call().is_ok());

        let nodes = ["pg1", "pg2"].map(|name| Node::new(name, &dir, etcd_port));
        let mut patroni = Self { nodes, _etcd: guarded };
        // The first one alone, so that it is the one whose database it becomes.
        patroni.start_again(0);
        until("a first node", || patroni.nodes[0].is("primary").then_some(()));
        patroni.start_again(1);
        patroni.wait_for_standby();
        patroni.execute(&format!("CREATE ROLE {USER} LOGIN PASSWORD '{PASSWORD}'"));
        for database in ["central", "wiki"] {
            patroni.execute(&format!("CREATE DATABASE {database} OWNER {USER}"));
        }
        patroni
    }

    /// The database `central` for its owner, by TCP: both nodes in one URL.
    pub fn url(&self) -> String {
        let hosts = self.nodes.each_ref().map(|node| format!("127.0.0.1:{}", node.port)).join(",");
        format!("postgres://{USER}:{PASSWORD}@{hosts}/central?target_session_attrs=read-write")
    }

    /// The database `wiki` of the same owner, by both sockets, without a password.
    pub fn sockets(&self) -> String {
        let hosts = self.nodes.each_ref().map(|node| node.dir.display().to_string()).join(",");
        let ports = self.nodes.each_ref().map(|node| node.port.to_string()).join(",");
        format!("host={hosts} port={ports} user={USER} dbname=wiki target_session_attrs=read-write")
    }

    /// Waits until one node is the primary, and gives it.
    pub fn primary(&self) -> usize {
        until("a primary", || self.nodes.iter().position(|node| node.is("primary")))
    }

    /// Waits until the other node is the synchronous standby: from then on no commit is answered that it does not have.
    pub fn wait_for_standby(&self) {
        until("a synchronous standby", || self.nodes.iter().any(|node| node.is("sync")).then_some(()));
    }

    /// Waits until the node follows the other one.
    pub fn wait_until_replica(&self, node: usize) {
        until("a replica", || self.nodes[node].is("replica").then_some(()));
    }

    /// Kills a node with all its processes at once (SIGKILL), as when its machine loses its power.
    pub fn kill(&mut self, node: usize) {
        let mut guard = self.nodes[node].guard.take().expect("it runs");
        // Nobody is left who would clean up.
        guard.kill().expect("killed");
        self.nodes[node].send("KILL");
        guard.wait().expect("gone");
        until("the end of its processes", || self.nodes[node].processes().iter().all(|id| has_ended(id)).then_some(()));
    }

    /// Sends `STOP` or `CONT` to all processes of a node: it stands still, or goes on.
    pub fn stand_still(&self, node: usize, signal: &str) {
        self.nodes[node].send(signal);
    }

    /// Starts a node that was killed, or never ran.
    pub fn start_again(&mut self, node: usize) {
        let node = &mut self.nodes[node];
        let mut guard = as_user(Path::new("/bin/sh"), owner_of_data());
        guard.arg("-c").arg(GUARD).arg(&node.dir).arg("patroni").arg(node.dir.join("patroni.yml"));
        node.guard = Some(guard.stdin(Stdio::piped()).stderr(Stdio::null()).spawn().expect("a shell starts"));
    }

    /// Makes the other node the primary, as an administrator does who looks after this one.
    pub fn switch_over(&self) {
        let mut command = Command::new("patronictl");
        command.arg("-c").arg(self.nodes[0].dir.join("patroni.yml")).args(["switchover", "central", "--force"]);
        let output = command.output().expect("it starts");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains("Successfully switched over"), "{output:?}");
    }

    /// Runs a statement at the primary, as the superuser.
    pub fn execute(&self, statement: &str) {
        let node = &self.nodes[self.primary()];
        let address = format!("host={} port={} user=owner dbname=postgres", node.dir.display(), node.port);
        let mut client = ::postgres::Client::connect(&address, ::postgres::NoTls).expect("a connection");
        client.batch_execute(statement).expect("the statement");
    }
}

impl Node {
    fn new(name: &'static str, dir: &Path, etcd_port: u16) -> Self {
        let (dir, port, rest_port) = (dir.join(name), free_port(), free_port());
        std::fs::create_dir(&dir).expect("a directory");
        let values = [
            ("NAME", name.to_owned()),
            ("DIR", dir.display().to_string()),
            ("PROGRAMS", Postgres::programs().display().to_string()),
            ("ETCD_PORT", etcd_port.to_string()),
            ("REST_PORT", rest_port.to_string()),
            ("PORT", port.to_string()),
            ("PASSWORD", PASSWORD.to_owned()),
        ];
        let config =
            values.iter().fold(CONFIG.to_owned(), |text, (key, value)| text.replace(&format!("${key}"), value));
        std::fs::write(dir.join("patroni.yml"), config).expect("written");
        give_to_server(&dir);
        Self { name, dir, port, rest_port, guard: None }
    }

    /// Whether Patroni says that it is `what`: `primary`, `replica` or `sync`.
    fn is(&self, what: &str) -> bool {
        let asked = ureq::get(format!("http://127.0.0.1:{}/{what}", self.rest_port));
        asked.config().timeout_global(Some(Duration::from_secs(2))).build().call().is_ok()
    }

    /// Patroni, the first process of PostgreSQL, and all that they have made.
    fn processes(&self) -> Vec<String> {
        let first = |file: &str| {
            let text = std::fs::read_to_string(self.dir.join(file)).ok()?;
            text.lines().next().map(str::to_owned)
        };
        let leaders = [first("patroni.pid"), first("data/postmaster.pid")];
        leaders.into_iter().flatten().flat_map(|id| Postgres::family(&id)).collect()
    }

    fn send(&self, signal: &str) {
        Postgres::send(signal, &self.processes());
    }
}

/// Whether a process is gone, or is a zombie, whose parent has not asked how it ended.
fn has_ended(id: &str) -> bool {
    std::fs::read_to_string(format!("/proc/{id}/stat")).map_or(true, |stat| stat.contains(") Z "))
}

impl Drop for Node {
    fn drop(&mut self) {
        let Some(mut guard) = self.guard.take() else { return };
        if std::thread::panicking() {
            let log = std::fs::read_to_string(self.dir.join("log")).unwrap_or_default();
            let is_telling = |line: &&str| line.contains("ERROR") || line.contains("FATAL") || line.contains("WARNING");
            let last: Vec<&str> = log.lines().rev().filter(is_telling).take(30).collect();
            eprintln!(
                "the last complaints of {}:\n{}",
                self.name,
                last.into_iter().rev().collect::<Vec<_>>().join("\n")
            );
        }
        self.send("CONT");
        drop(guard.stdin.take());
        let _ = guard.wait();
    }
}
