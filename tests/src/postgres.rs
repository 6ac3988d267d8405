//! A real PostgreSQL server of a test's own, in a temporary directory.

use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A connection to it.
pub use ::postgres::Client;

use crate::server::{GUARD, free_port, is_root};

/// Runs a script in a namespace of its own, in which whoever starts it may mount: it needs no privilege where users may
/// make namespaces (`user.max_user_namespaces` above 0).
const UNSHARE: [&str; 6] = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"];
/// Mounts a file system of $1 bytes in memory at $0, and becomes what follows. PostgreSQL refuses to be root, which one
/// is here, so that it gets a namespace of its own in turn, where the same user has another number.
const SMALL_DISK: &str = r#"mkdir -p "$0" && mount -t tmpfs -o size="$1",mode=0700 seatline-test "$0" || exit
shift
exec unshare --user --map-user=1 --map-group=1 "$@" 2> /dev/null"#;

/// A running server that listens on a socket in its own directory, and on a free port of the loopback interface.
pub struct Postgres {
    /// The shells beside the server and those before it.
    guards: Vec<Child>,
    /// What the server is started with.
    server: Command,
    dir: PathBuf,
    /// The port, on 127.0.0.1.
    pub port: u16,
}

impl Postgres {
    /// Starts a server with an empty database `wiki` that belongs to the superuser `owner`. Everybody may connect by
    /// the socket; by TCP, only with a password.
    ///
    /// # Panics
    /// When PostgreSQL is not installed, with what to do.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts a server with `settings` of its own, each `name=value`.
    pub fn start_with(settings: &[&str]) -> Self {
        Self::start_on(None, settings)
    }

    /// Starts a server that alone sees a disk of so many bytes, at [`Self::small_disk`].
    pub fn start_with_small_disk(bytes: u64) -> Self {
        Self::start_on(Some(bytes), &[])
    }

    fn start_on(small_disk: Option<u64>, settings: &[&str]) -> Self {
        let programs = installed();
        let dir = tempfile::Builder::new().prefix("pg").tempdir_in("/tmp").expect("a short path").keep();
        give_to_server(&dir);
        let unprivileged = owner_of_data();
        let data = dir.join("data");
        let mut initdb = as_user(&programs.join("initdb"), unprivileged);
        initdb.args(["--username=owner", "--auth-local=trust", "--auth-host=scram-sha-256", "--no-sync"]);
        initdb.args(["--encoding=UTF8", "--locale=C", "--pgdata"]).arg(&data);
        let output = initdb.output().expect("initdb starts");
        assert!(output.status.success(), "initdb: {}", String::from_utf8_lossy(&output.stderr));

        let port = free_port();
        let mut server = as_user(Path::new("/bin/sh"), unprivileged);
        server.arg("-c").arg(GUARD).arg(&dir);
        server.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        if let Some(bytes) = small_disk {
            // What is in the way of the disk is told.
            server.args(UNSHARE).arg(SMALL_DISK).arg(dir.join("disk")).arg(bytes.to_string()).stderr(Stdio::inherit());
        }
        server.arg(programs.join("postgres")).arg("-D").arg(&data).arg("-k").arg(&dir).args(["-p", &port.to_string()]);
        server.args(["-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "max_connections=20"]);
        for setting in settings {
            server.args(["-c", setting]);
        }
        let mut postgres = Self { guards: Vec::new(), server, dir, port };
        postgres.start_again().batch_execute("CREATE DATABASE wiki").expect("a database");
        postgres
    }

    /// Starts the server, and gives a connection to its database `postgres`.
    pub fn start_again(&mut self) -> Client {
        let mut guard = self.server.spawn().expect("a shell starts");
        let deadline = Instant::now() + Duration::from_secs(30);
        let client = loop {
            match Client::connect(&self.address("owner", "postgres"), ::postgres::NoTls) {
                Ok(client) => break client,
                Err(error) => {
                    let ended = guard.try_wait().expect("the server's state");
                    assert!(ended.is_none() && Instant::now() < deadline, "PostgreSQL does not answer: {error}");
                    std::thread::yield_now();
                }
            }
        };
        self.guards.push(guard);
        client
    }

    /// Sends `STOP` or `CONT` to all processes of the server: it stands still, or goes on.
    pub fn stand_still(&self, signal: &str) {
        let all = self.processes();
        assert!(Self::send(signal, &all), "the server's processes get the signal");
    }

    /// Its processes, the first one first: it would make new ones.
    fn processes(&self) -> Vec<String> {
        Self::family(&self.postmaster())
    }

    /// A process and those that it has made, itself first.
    pub(crate) fn family(parent: &str) -> Vec<String> {
        let is_child = |stat: &str| stat.rsplit(')').next().is_some_and(|rest| rest.split(' ').nth(2) == Some(parent));
        let processes = std::fs::read_dir("/proc").expect("the processes").flatten();
        let ids = processes.filter_map(|process| process.file_name().into_string().ok());
        let children =
            ids.filter(|id| std::fs::read_to_string(format!("/proc/{id}/stat")).is_ok_and(|stat| is_child(&stat)));
        std::iter::once(parent.to_owned()).chain(children).collect()
    }

    pub(crate) fn send(signal: &str, processes: &[String]) -> bool {
        // One that has ended since is no fault, and what `kill` says of it would stand among what is measured.
        let kill = Command::new("kill").args(["-s", signal]).args(processes).stderr(Stdio::null()).status();
        kill.is_ok_and(|ended| ended.success())
    }

    /// Where the programs of the newest installed version are.
    pub fn programs() -> PathBuf {
        installed()
    }

    /// The id of the server's first process.
    fn postmaster(&self) -> String {
        let pid = std::fs::read_to_string(self.dir.join("data/postmaster.pid")).expect("the server runs");
        pid.lines().next().expect("its process").to_owned()
    }

    /// Stops the server with `signal`: `INT` ends its connections, `QUIT` is a crash.
    pub fn stop(&self, signal: &str) {
        let pid = self.postmaster();
        let killed = Command::new("kill").args(["-s", signal, &pid]).status();
        assert!(killed.expect("kill starts").success());
        // The shell that started it has not asked how it ended.
        let runs = || std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "));
        let deadline = Instant::now() + Duration::from_secs(30);
        while runs() {
            assert!(Instant::now() < deadline, "PostgreSQL does not end");
            std::thread::yield_now();
        }
    }

    /// Where a server that was started with a small disk sees it.
    pub fn small_disk(&self) -> PathBuf {
        self.dir.join("disk")
    }

    /// The address of `database` for `user`, by the socket.
    pub fn address(&self, user: &str, database: &str) -> String {
        format!("host={} port={} user={user} dbname={database}", self.dir.display(), self.port)
    }

    /// Runs statements in the database `wiki`, as its owner.
    pub fn execute(&self, statements: &str) {
        self.client().batch_execute(statements).expect("the statements");
    }

    /// A connection to the database `wiki`, as its owner.
    pub fn client(&self) -> Client {
        Client::connect(&self.address("owner", "wiki"), ::postgres::NoTls).expect("a connection")
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // Of a server that was made to stand still, nothing would end.
        if self.dir.join("data/postmaster.pid").is_file() {
            Self::send("CONT", &self.processes());
        }
        // The last one first: it stops the server.
        for mut guard in self.guards.drain(..).rev() {
            drop(guard.stdin.take());
            let _ = guard.wait();
        }
    }
}

/// The programs of the newest installed version.
fn installed() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<(u32, PathBuf)> = versions
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .filter(|(_, programs)| programs.join("initdb").is_file() && programs.join("postgres").is_file())
        .collect();
    found.sort();
    found.pop().expect("PostgreSQL is needed for this test: install Debian's package `postgresql`").1
}

/// The user and group that the server must run as: PostgreSQL refuses root, so root uses the package's own user.
pub(crate) fn owner_of_data() -> Option<(u32, u32)> {
    if !is_root() {
        return None;
    }
    let passwd = std::fs::read_to_string("/etc/passwd").expect("the users of this machine");
    let line = passwd.lines().find(|line| line.starts_with("postgres:")).expect("the user `postgres` of the package");
    let mut ids = line.split(':').skip(2).map(|id| id.parse().expect("a number"));
    Some((ids.next().expect("a user id"), ids.next().expect("a group id")))
}

pub(crate) fn as_user(program: &Path, user: Option<(u32, u32)>) -> Command {
    use std::os::unix::process::CommandExt as _;
    let mut command = Command::new(program);
    if let Some((user, group)) = user {
        command.uid(user).gid(group);
    }
    command.current_dir("/");
    command
}

/// Makes `dir` and the files in it belong to the server's user.
pub fn give_to_server(dir: &Path) {
    std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o755)).expect("a readable directory");
    let Some((user, group)) = owner_of_data() else { return };
    let files = std::fs::read_dir(dir).expect("the directory").map(|entry| entry.expect("a file").path());
    for path in files.chain([dir.to_owned()]) {
        chown(path, Some(user), Some(group)).expect("a file of the server's user");
    }
}
