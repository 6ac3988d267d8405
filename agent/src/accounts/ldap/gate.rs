//! The connection of the library `ldap3` to a directory, over a gate of our own.
//!
//! The library speaks the protocol; it bounds neither a message nor the time that it takes. So it speaks over a pair of
//! sockets, and a thread between it and the server carries every byte: over the connection that all sources share, with
//! its time limit and its checked certificate, and no message larger than an account can be.

use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use crate::accounts::ber::head;
use crate::accounts::wire::Wire;

/// The most bytes of a message: an entry with the attributes that are asked for, all groups of an account among them.
pub const MAX_MESSAGE_BYTES: usize = 1024 * 1024;
/// The bytes that tag and length of a message have at most.
const MAX_HEAD_BYTES: usize = 6;

/// Why a gate was closed before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// The connection failed so.
    Io(io::ErrorKind),
    /// A message is too large.
    TooLarge,
    /// What came is no message.
    Garbage,
}

/// A gate, open until the library closes its end.
pub struct Gate {
    closed: Arc<Mutex<Option<Closed>>>,
    carrier: JoinHandle<()>,
}

impl Gate {
    /// Opens a gate over `wire`, and gives the library's end.
    ///
    /// # Errors
    /// When the system gives no sockets or threads.
    pub fn open(mut wire: Wire) -> io::Result<(Self, UnixStream)> {
        let (inner, end) = UnixStream::pair()?;
        let closed = Arc::new(Mutex::new(None));
        let reason = Arc::clone(&closed);
        let carry = move || {
            if let Err(why) = carry(&mut wire, inner) {
                *reason.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
            }
        };
        let carrier = std::thread::Builder::new().name("ldap".to_owned()).spawn(carry)?;
        Ok((Self { closed, carrier }, end))
    }

    /// Why it was closed, once the library has closed its end.
    pub fn end(self) -> Option<Closed> {
        // It ends with the connection, at the time limit at the latest.
        let _ = self.carrier.join();
        self.closed.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Carries in both directions until one end closes.
fn carry(wire: &mut Wire, mut inner: UnixStream) -> Result<(), Closed> {
    let failed = |error: io::Error| Closed::Io(error.kind());
    let mut buffer = [0; 16 * 1024];
    let mut messages = Messages::default();
    loop {
        let (from_server, from_library) = wire.wait_with(&inner).map_err(failed)?;
        if from_library {
            match inner.read(&mut buffer) {
                Ok(0) | Err(_) => return Ok(()),
                Ok(read) => wire.write_all(&buffer[..read]).and_then(|()| wire.flush()).map_err(failed)?,
            }
        }
        if from_server {
            let read = wire.read(&mut buffer).map_err(failed)?;
            if read == 0 {
                return Err(Closed::Io(io::ErrorKind::UnexpectedEof));
            }
            messages.pass(&buffer[..read])?;
            inner.set_write_timeout(Some(wire.remaining().map_err(failed)?)).map_err(failed)?;
            match inner.write_all(&buffer[..read]) {
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
                written => written.map_err(failed)?,
            }
        }
    }
}

/// Where messages begin and end in what comes.
#[derive(Default)]
struct Messages {
    begun: Vec<u8>,
    left: usize,
}

impl Messages {
    fn pass(&mut self, mut bytes: &[u8]) -> Result<(), Closed> {
        while let Some((first, rest)) = bytes.split_first() {
            if self.left > 0 {
                let inside = self.left.min(bytes.len());
                self.left -= inside;
                bytes = &bytes[inside..];
                continue;
            }
            self.begun.push(*first);
            bytes = rest;
            match head(&self.begun) {
                Some((_, length)) if length > MAX_MESSAGE_BYTES => return Err(Closed::TooLarge),
                Some((_, length)) => {
                    self.left = length;
                    self.begun.clear();
                }
                None if self.begun.len() >= MAX_HEAD_BYTES => return Err(Closed::Garbage),
                None => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_told_apart_however_they_are_cut() {
        let stream = [&[0x30, 3, 1, 2, 3, 0x30, 0x82, 1, 0][..], &[7; 256], &[0x30, 0]].concat();
        for size in [1, 2, 3, 100, stream.len()] {
            let mut messages = Messages::default();
            for piece in stream.chunks(size) {
                messages.pass(piece).expect("whole messages");
            }
            assert!(messages.begun.is_empty() && messages.left == 0, "cut by {size}");
        }
        assert_eq!(Messages::default().pass(&[0x30, 0x84, 0, 0x10, 0, 1]), Err(Closed::TooLarge));
        assert_eq!(Messages::default().pass(&[0x30, 0x85, 1, 1, 1, 1, 1]), Err(Closed::Garbage));
    }
}
