//! What the real servers of the tests share. Each has a temporary directory, and ends with the test process, however
//! that ends: a shell beside it waits for its standard input to close, stops the server, and removes the directory.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Runs "$@" until our standard input closes; $0 is the directory.
pub const GUARD: &str = r#""$@" & server=$!; cat > /dev/null; kill -INT $server; wait $server; rm -rf "$0""#;

/// A server that stops when this is dropped.
pub struct Guarded(Child);

impl Guarded {
    /// Starts `command`, whose server keeps its data in `dir`. What it prints goes into `dir/log`.
    pub fn start(dir: &Path, command: &Command) -> Self {
        let log = std::fs::File::create(dir.join("log")).expect("a log");
        let mut guard = Command::new("/bin/sh");
        // Not all servers take INT for an end.
        guard.arg("-c").arg(GUARD.replace("-INT", "-TERM")).arg(dir);
        guard.arg(command.get_program()).args(command.get_args());
        guard.stdin(Stdio::piped()).stdout(log.try_clone().expect("a log")).stderr(log);
        Self(guard.spawn().expect("a shell starts"))
    }

    /// Waits until `is_ready`.
    ///
    /// # Panics
    /// When the server ends, or is not ready after a minute; with its log.
    pub fn wait(&mut self, dir: &Path, is_ready: impl Fn() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !is_ready() {
            let log = || std::fs::read_to_string(dir.join("log")).unwrap_or_default();
            assert!(self.0.try_wait().expect("its state").is_none(), "the server has ended: {}", log());
            assert!(Instant::now() < deadline, "the server does not start: {}", log());
            std::thread::yield_now();
        }
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port of the loopback interface");
    listener.local_addr().expect("its address").port()
}

/// Whether we are root, as whom some servers do not run unless they are told to.
pub fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").expect("our own process").uid() == 0
}

/// An authority `ca.pem`, and a certificate of 127.0.0.1 that it signed: `server.pem` with `server.key`.
pub fn certificates() -> tempfile::TempDir {
    let dir = tempfile::Builder::new().prefix("tls").tempdir_in("/tmp").expect("a directory");
    let script = "set -e; key='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'
        openssl req -x509 $key -keyout ca.key -out ca.pem -subj /CN=authority -days 2
        openssl req $key -keyout server.key -out server.csr -subj /CN=server
        echo subjectAltName=IP:127.0.0.1 > names
        openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile names -out server.pem -days 2";
    let made = Command::new("sh").args(["-c", script]).current_dir(dir.path()).output().expect("a shell");
    let hint = "Debian's package `openssl` is needed for this test";
    assert!(made.status.success(), "{hint}: {}", String::from_utf8_lossy(&made.stderr));
    dir
}
