//! A real MariaDB server of a test's own, in a temporary directory.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::server::{Guarded, free_port, is_root};

/// A running server that listens at a socket in its own directory, and at a free port of the loopback interface.
pub struct MariaDb {
    _guard: Guarded,
    dir: PathBuf,
    /// The port, on 127.0.0.1.
    pub port: u16,
}

impl MariaDb {
    /// Starts a server with an empty database `wiki`, whose user `root` has no password.
    ///
    /// # Panics
    /// When MariaDB is not installed, with what to do.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts a server with `settings` of its own, each `name=value`.
    pub fn start_with(settings: &[String]) -> Self {
        let dir = tempfile::Builder::new().prefix("my").tempdir_in("/tmp").expect("a short path").keep();
        let data = format!("--datadir={}", dir.join("data").display());
        let user = if is_root() { &["--user=root"][..] } else { &[] };
        let mut install = Command::new("mariadb-install-db");
        install.args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"]);
        let install = install.arg(&data).args(user).output();
        let install = install.expect("MariaDB is needed for this test: install Debian's package `mariadb-server`");
        assert!(install.status.success(), "mariadb-install-db: {}", String::from_utf8_lossy(&install.stderr));

        let (port, socket) = (free_port(), dir.join("socket"));
        let mut server = Command::new("/usr/sbin/mariadbd");
        server.args(["--no-defaults", "--bind-address=127.0.0.1", "--innodb-flush-log-at-trx-commit=0"]).args(user);
        server.arg(data).arg(format!("--socket={}", socket.display())).arg(format!("--port={port}"));
        server.args(settings.iter().map(|setting| format!("--{setting}")));
        let mut guard = Guarded::start(&dir, &server);
        guard.wait(&dir, || std::os::unix::net::UnixStream::connect(&socket).is_ok());
        let server = Self { _guard: guard, dir, port };
        server.client("", "CREATE DATABASE wiki CHARACTER SET utf8mb4");
        server
    }

    /// The address of the database `wiki` for root, by the socket.
    pub fn address(&self) -> String {
        format!("mysql://root@localhost/wiki?socket={}", self.dir.join("socket").display())
    }

    /// The address of the database `wiki` for `user`, by TCP.
    pub fn tcp(&self, user: &str) -> String {
        format!("mysql://{user}@127.0.0.1:{}/wiki", self.port)
    }

    /// Runs statements in the database `wiki`, and gives what they print.
    pub fn execute(&self, statements: &str) -> String {
        self.client("wiki", statements)
    }

    fn client(&self, database: &str, statements: &str) -> String {
        let mut client = Command::new("mariadb");
        client.args(["--no-defaults", "--user=root", "--batch", "--skip-column-names"]);
        client.arg(format!("--socket={}", self.dir.join("socket").display())).arg(database);
        let child = client.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = child.expect("the client of Debian's package `mariadb-client`");
        child.stdin.take().expect("its input").write_all(statements.as_bytes()).expect("the statements");
        let output = child.wait_with_output().expect("its output");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    }
}
