//! What a service manager is told, where one asks for it: systemd with `Type=notify`, by the protocol of sd_notify(3).
//!
//! There is no watchdog. Each thing that the agent waits for has a time limit of its own, and a service that ends stops
//! the agent; a sign of life from yet another thread would prove neither.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::UnixDatagram;

/// The environment variable with the socket of the service manager.
const SOCKET: &str = "NOTIFY_SOCKET";

/// Tells that the agent answers and works.
pub fn ready() {
    tell("READY=1");
}

/// Tells that the agent was asked to stop, and ends what is under way.
pub fn stopping() {
    tell("STOPPING=1");
}

fn tell(state: &str) {
    let Some(socket) = std::env::var_os(SOCKET).filter(|socket| !socket.is_empty()) else { return };
    if let Err(error) = send(&socket, state) {
        tracing::warn!(code = "notify", "the service manager could not be told `{state}`: {error}");
    }
}

/// Sends `state` to `socket`, a path or a name in the abstract namespace that begins with `@`.
fn send(socket: &OsStr, state: &str) -> io::Result<()> {
    let sender = UnixDatagram::unbound()?;
    let sent = match socket.as_bytes() {
        [b'@', name @ ..] => sender.send_to_addr(state.as_bytes(), &abstract_address(name)?)?,
        _ => sender.send_to(state.as_bytes(), socket)?,
    };
    if sent == state.len() { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
}

#[cfg(target_os = "linux")]
fn abstract_address(name: &[u8]) -> io::Result<std::os::unix::net::SocketAddr> {
    use std::os::linux::net::SocketAddrExt as _;
    std::os::unix::net::SocketAddr::from_abstract_name(name)
}

#[cfg(not(target_os = "linux"))]
fn abstract_address(_: &[u8]) -> io::Result<std::os::unix::net::SocketAddr> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(socket: &UnixDatagram) -> String {
        let mut message = [0; 64];
        let length = socket.recv(&mut message).expect("a message");
        String::from_utf8(message[..length].to_vec()).expect("text")
    }

    #[test]
    fn a_socket_is_told_by_its_path_and_by_its_abstract_name() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("notify");
        let socket = UnixDatagram::bind(&path).expect("a socket");
        send(path.as_os_str(), "READY=1").expect("sent");
        assert_eq!(received(&socket), "READY=1");

        let name = format!("seatline-test-{}", std::process::id());
        let address = abstract_address(name.as_bytes()).expect("an address");
        let socket = UnixDatagram::bind_addr(&address).expect("a socket");
        send(OsStr::new(&format!("@{name}")), "STOPPING=1").expect("sent");
        assert_eq!(received(&socket), "STOPPING=1");
    }

    #[test]
    fn a_service_manager_that_is_gone_is_an_error_and_not_more() {
        assert!(send(OsStr::new("/no/such/socket"), "READY=1").is_err());
    }
}
