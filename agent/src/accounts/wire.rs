//! A connection to a server of the product: by TCP or a socket of this machine, in clear or by TLS, and never for
//! longer than the time limit. Every single read and write has what is left of that time, so that a server which gives
//! a byte now and then holds nobody.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::retry_on_intr;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use super::error::SourceError;
use super::{TimeLimit, short};

/// For how long one address is tried.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// An open connection. It is read and written in order, by one thread.
pub struct Wire {
    stream: Stream,
}

enum Stream {
    Clear(Timed),
    Tls(Box<StreamOwned<ClientConnection, Timed>>),
    /// While TLS is being set up, and after that has failed.
    Closed,
}

/// A socket whose every call has the time that is left.
struct Timed {
    socket: Socket,
    limit: TimeLimit,
}

enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Wire {
    /// Connects to the first address of `host` that answers.
    ///
    /// # Errors
    /// Why the last one did not.
    pub fn tcp(host: &str, port: u16, limit: TimeLimit) -> io::Result<Self> {
        let mut refusal = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        for address in (host, port).to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, limit.remaining()?.min(CONNECT_TIMEOUT)) {
                Ok(stream) => {
                    stream.set_nodelay(true)?;
                    return Ok(Self::over(Socket::Tcp(stream), limit));
                }
                Err(error) => refusal = error,
            }
        }
        Err(refusal)
    }

    /// Connects to a socket of this machine.
    ///
    /// # Errors
    /// When nobody listens there.
    pub fn unix(path: &Path, limit: TimeLimit) -> io::Result<Self> {
        UnixStream::connect(path).map(|stream| Self::over(Socket::Unix(stream), limit))
    }

    fn over(socket: Socket, limit: TimeLimit) -> Self {
        Self { stream: Stream::Clear(Timed { socket, limit }) }
    }

    /// Whether nobody between us and the server can read what is written: by TLS, or by a socket of this machine.
    pub fn is_private(&self) -> bool {
        match &self.stream {
            Stream::Clear(timed) => matches!(timed.socket, Socket::Unix(_)),
            Stream::Tls(_) => true,
            Stream::Closed => false,
        }
    }

    /// Whether it goes by TLS.
    pub fn is_tls(&self) -> bool {
        matches!(self.stream, Stream::Tls(_))
    }

    /// The time that is left.
    ///
    /// # Errors
    /// When there is none.
    pub fn remaining(&self) -> io::Result<Duration> {
        match &self.stream {
            Stream::Clear(timed) => timed.limit.remaining(),
            Stream::Tls(stream) => stream.sock.limit.remaining(),
            Stream::Closed => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// Waits until there is something to read, here or at `other`; tells which.
    ///
    /// # Errors
    /// When the time is up.
    pub fn wait_with(&mut self, other: &UnixStream) -> io::Result<(bool, bool)> {
        if let Stream::Tls(stream) = &mut self.stream
            && stream.conn.process_new_packets().map_err(io::Error::other)?.plaintext_bytes_to_read() > 0
        {
            return Ok((true, false));
        }
        let left = Timespec::try_from(self.remaining()?).map_err(io::Error::other)?;
        let timed = match &self.stream {
            Stream::Clear(timed) => timed,
            Stream::Tls(stream) => &stream.sock,
            Stream::Closed => return Err(io::ErrorKind::NotConnected.into()),
        };
        let here = match &timed.socket {
            Socket::Tcp(stream) => PollFd::new(stream, PollFlags::IN),
            Socket::Unix(stream) => PollFd::new(stream, PollFlags::IN),
        };
        let mut both = [here, PollFd::new(other, PollFlags::IN)];
        retry_on_intr(|| poll(&mut both, Some(&left)))?;
        let is_ready = |polled: &PollFd<'_>| !polled.revents().is_empty();
        match (is_ready(&both[0]), is_ready(&both[1])) {
            (false, false) => Err(io::ErrorKind::TimedOut.into()),
            ready => Ok(ready),
        }
    }

    /// Goes on by TLS, with the server called `host`.
    ///
    /// # Errors
    /// When its certificate is not to be trusted, or it does not speak TLS. The connection is then closed.
    pub fn secure(&mut self, config: ClientConfig, host: &str) -> io::Result<()> {
        let name = ServerName::try_from(host.trim_start_matches('[').trim_end_matches(']').to_owned())
            .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "a certificate cannot be for this host name"))?;
        let mut connection = ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
        let Stream::Clear(mut timed) = std::mem::replace(&mut self.stream, Stream::Closed) else {
            return Err(io::Error::other("TLS inside TLS"));
        };
        while connection.is_handshaking() {
            connection.complete_io(&mut timed)?;
        }
        self.stream = Stream::Tls(Box::new(StreamOwned::new(connection, timed)));
        Ok(())
    }
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.stream {
            Stream::Clear(stream) => stream.read(buffer),
            Stream::Tls(stream) => stream.read(buffer),
            Stream::Closed => Ok(0),
        }
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.stream {
            Stream::Clear(stream) => stream.write(bytes),
            Stream::Tls(stream) => stream.write(bytes),
            Stream::Closed => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.stream {
            Stream::Clear(stream) => stream.flush(),
            Stream::Tls(stream) => stream.flush(),
            Stream::Closed => Ok(()),
        }
    }
}

impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = Some(self.limit.remaining()?);
        match &mut self.socket {
            Socket::Tcp(stream) => stream.set_read_timeout(left).and_then(|()| stream.read(buffer)),
            Socket::Unix(stream) => stream.set_read_timeout(left).and_then(|()| stream.read(buffer)),
        }
    }
}

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let left = Some(self.limit.remaining()?);
        match &mut self.socket {
            Socket::Tcp(stream) => stream.set_write_timeout(left).and_then(|()| stream.write(bytes)),
            Socket::Unix(stream) => stream.set_write_timeout(left).and_then(|()| stream.write(bytes)),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Whether an error means that the time is up.
fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock)
}

/// An error while connecting to `place`.
pub fn connect_error(error: &io::Error, place: &str, limit: TimeLimit) -> SourceError {
    if is_timeout(error) && limit.is_over() {
        return SourceError::TimeLimit(limit.seconds);
    }
    let reason = match error.kind() {
        io::ErrorKind::UnexpectedEof => "the connection was closed".to_owned(),
        _ => short(&error.to_string()),
    };
    SourceError::Unreachable { place: place.to_owned(), reason }
}

/// An error after `rows` rows.
pub fn read_error(error: &io::Error, limit: TimeLimit, rows: u64) -> SourceError {
    if is_timeout(error) {
        return SourceError::TimeLimit(limit.seconds);
    }
    let reason = match error.kind() {
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
            "the connection was closed".to_owned()
        }
        _ => short(&error.to_string()),
    };
    SourceError::BrokenOff { rows, reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_says_nothing_is_waited_for_no_longer_than_the_limit() {
        let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = silent.local_addr().expect("its address").port();
        let limit = TimeLimit::starting_now(1);
        let mut wire = Wire::tcp("127.0.0.1", port, limit).expect("it listens");
        let error = wire.read(&mut [0; 8]).expect_err("nothing comes");
        assert_eq!(read_error(&error, limit, 3), SourceError::TimeLimit(1));
        let error = wire.write(b"x").expect_err("the time is up");
        assert_eq!(read_error(&error, limit, 3), SourceError::TimeLimit(1));
    }
}
