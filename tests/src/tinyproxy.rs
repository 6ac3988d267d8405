//! A real HTTP proxy, which asks who it is that wants to be let out.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::postgres::give_to_server;
use crate::server::{Guarded, free_port, is_root};

/// Who is let out.
pub const USER: &str = "wiki";
/// His password.
pub const PASSWORD: &str = "hunter2";

/// A proxy that lets nobody pass but [`USER`].
pub struct Tinyproxy {
    /// None when it was stopped.
    process: Option<Guarded>,
    dir: PathBuf,
    port: u16,
}

impl Tinyproxy {
    /// Starts it.
    ///
    /// # Panics
    /// When Tinyproxy is not installed, or does not start.
    pub fn start() -> Self {
        let dir = tempfile::Builder::new().prefix("tinyproxy").tempdir_in("/tmp").expect("a directory").keep();
        let port = free_port();
        let whose = if is_root() { "User postgres\nGroup postgres\n" } else { "" };
        let config = format!(
            "{whose}Port {port}\nListen 127.0.0.1\nAllow 127.0.0.1\nBasicAuth {USER} {PASSWORD}\nLogLevel Connect\n"
        );
        fs::write(dir.join("tinyproxy.conf"), config).expect("written");
        give_to_server(&dir);
        let program = Path::new("/usr/bin/tinyproxy");
        assert!(program.is_file(), "Tinyproxy is needed for this test: install Debian's package `tinyproxy-bin`");
        let mut command = Command::new(program);
        command.arg("-d").arg("-c").arg(dir.join("tinyproxy.conf"));
        let mut process = Guarded::start(&dir, &command);
        process.wait(&dir, || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
        Self { process: Some(process), dir, port }
    }

    /// Ends it.
    pub fn stop(&mut self) {
        drop(self.process.take());
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The same with who comes, as an environment names it.
    pub fn named(&self) -> String {
        format!("http://{USER}:{PASSWORD}@127.0.0.1:{}", self.port)
    }

    /// How often it was asked to lead to `host`.
    pub fn passed(&self, host: &str) -> usize {
        let log = fs::read_to_string(self.dir.join("log")).expect("its log");
        log.lines().filter(|line| line.contains(&format!("CONNECT {host} "))).count()
    }
}
