//! A connection with a deadline: every read and write has what is left of it.

use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

/// How long connecting to one address may take.
const CONNECT_TIME_LIMIT: Duration = Duration::from_secs(10);

/// A connection, encrypted or not.
pub(super) enum Stream {
    Plain(Timed),
    Tls(Box<StreamOwned<ClientConnection, Timed>>),
}

/// A connection whose reads and writes end at the deadline.
pub(super) struct Timed {
    tcp: TcpStream,
    deadline: Instant,
}

impl Stream {
    /// Connects to one of the host's addresses; with `only_loopback`, to none that leads away from this machine.
    pub fn connect(host: &str, port: u16, only_loopback: bool, deadline: Instant) -> io::Result<Self> {
        let addresses: Vec<SocketAddr> = (host, port).to_socket_addrs()?.collect();
        if only_loopback && !addresses.iter().all(|address| address.ip().is_loopback()) {
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, "not on this machine"));
        }
        let mut failure = io::Error::new(io::ErrorKind::NotFound, "its name has no address");
        for address in addresses {
            match TcpStream::connect_timeout(&address, left(deadline)?.min(CONNECT_TIME_LIMIT)) {
                Ok(tcp) => return Ok(Self::Plain(Timed { tcp, deadline })),
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    /// Encrypts the connection, and proves that `host` is on the other side.
    pub fn encrypt(self, host: &str, config: Arc<ClientConfig>) -> io::Result<Self> {
        let Self::Plain(mut timed) = self else { return Ok(self) };
        let name =
            ServerName::try_from(host.to_owned()).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        let mut connection =
            ClientConnection::new(config, name).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        while connection.is_handshaking() {
            connection.complete_io(&mut timed)?;
        }
        Ok(Self::Tls(Box::new(StreamOwned::new(connection, timed))))
    }

    pub fn set_deadline(&mut self, deadline: Instant) {
        self.timed().deadline = deadline;
    }

    /// Our own address, as the server sees it unless something stands between.
    pub fn local_address(&mut self) -> io::Result<IpAddr> {
        self.timed().tcp.local_addr().map(|address| address.ip())
    }

    fn timed(&mut self) -> &mut Timed {
        match self {
            Self::Plain(timed) => timed,
            Self::Tls(stream) => &mut stream.sock,
        }
    }
}

fn left(deadline: Instant) -> io::Result<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
}

impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.tcp.set_read_timeout(Some(left(self.deadline)?))?;
        self.tcp.read(buffer)
    }
}

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.tcp.set_write_timeout(Some(left(self.deadline)?))?;
        self.tcp.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.tcp.flush()
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(timed) => timed.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(timed) => timed.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(timed) => timed.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}
