//! Packets of the MySQL client/server protocol, and the types inside them.

use std::io::{self, BufReader, Read as _, Write as _};

use crate::accounts::wire::Wire;

/// The most bytes of a packet: one byte less than the protocol would continue in the next. No sign-in, message or
/// account comes near it.
const MAX_PACKET_BYTES: usize = 0xFF_FFFF - 1;
/// The bytes that are kept for the next packet: room for nearly every row.
const USUAL_BYTES: usize = 64 * 1024;

/// What is wrong with a conversation.
#[derive(Debug)]
pub enum Trouble {
    /// The connection.
    Io(io::Error),
    /// The server refuses something.
    Refused(Refusal),
    /// What the server sends is not the protocol.
    Garbage,
    /// A packet is too large.
    TooLarge,
    /// The server asks for a way of signing in that we do not have.
    SignIn(String),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// An error of the server.
#[derive(Debug)]
pub struct Refusal {
    /// Its number, the same in MySQL and MariaDB for nearly all.
    pub number: u16,
    /// The five characters of SQLSTATE; `HY000` where there are none.
    pub state: [u8; 5],
    /// In the words of the server, which may quote values.
    pub message: String,
}

/// A connection that carries packets.
pub struct Packets {
    wire: BufReader<Wire>,
    sequence: u8,
    payload: Vec<u8>,
}

impl Packets {
    pub fn over(wire: Wire) -> Self {
        Self { wire: BufReader::with_capacity(32 * 1024, wire), sequence: 0, payload: Vec::new() }
    }

    /// The connection below.
    pub fn wire(&mut self) -> &mut Wire {
        self.wire.get_mut()
    }

    /// Whether the server has sent something that nobody has read. Before TLS begins, that came from somebody in
    /// between.
    pub fn has_unread(&self) -> bool {
        !self.wire.buffer().is_empty()
    }

    /// The next packet.
    ///
    /// # Errors
    /// [`Trouble::Refused`] when it is an error of the server; or when there is none that could be taken.
    pub fn read(&mut self) -> Result<&[u8], Trouble> {
        let mut head = [0; 4];
        self.wire.read_exact(&mut head)?;
        let [a, b, c, sequence] = head;
        if sequence != self.sequence {
            return Err(Trouble::Garbage);
        }
        self.sequence = sequence.wrapping_add(1);
        let length = u32::from_le_bytes([a, b, c, 0]) as usize;
        if length > MAX_PACKET_BYTES {
            return Err(Trouble::TooLarge);
        }
        self.payload.clear();
        self.payload.shrink_to(USUAL_BYTES);
        // Memory grows with what really comes, not with what was announced.
        let read = (&mut self.wire).take(length as u64).read_to_end(&mut self.payload)?;
        if read < length {
            return Err(Trouble::Io(io::ErrorKind::UnexpectedEof.into()));
        }
        match self.payload.first() {
            Some(0xFF) => Err(Trouble::Refused(refusal(&self.payload).ok_or(Trouble::Garbage)?)),
            Some(_) => Ok(&self.payload),
            None => Err(Trouble::Garbage),
        }
    }

    /// Sends `payload` as the answer to the packet before.
    pub fn write(&mut self, payload: &[u8]) -> Result<(), Trouble> {
        let length = u32::try_from(payload.len()).ok().filter(|length| *length as usize <= MAX_PACKET_BYTES);
        let [a, b, c, _] = length.ok_or(Trouble::TooLarge)?.to_le_bytes();
        let mut packet = zeroize::Zeroizing::new(Vec::with_capacity(4 + payload.len()));
        packet.extend([a, b, c, self.sequence]);
        packet.extend(payload);
        self.sequence = self.sequence.wrapping_add(1);
        self.wire.get_mut().write_all(&packet)?;
        Ok(self.wire.get_mut().flush()?)
    }

    /// Sends a command, with which a conversation begins anew.
    pub fn command(&mut self, command: u8, argument: &[u8]) -> Result<(), Trouble> {
        self.sequence = 0;
        self.write(&[&[command], argument].concat())
    }
}

/// `ERR_Packet`, in either of its forms.
fn refusal(payload: &[u8]) -> Option<Refusal> {
    let mut fields = Fields(payload.get(1..)?);
    let number = fields.u16()?;
    let mut state = *b"HY000";
    if fields.0.first() == Some(&b'#') {
        state.copy_from_slice(fields.take(6)?.get(1..)?);
    }
    Some(Refusal { number, state, message: String::from_utf8_lossy(fields.0).into_owned() })
}

/// Whether a packet of at most eight bytes says that rows or columns have ended (`EOF_Packet`).
pub fn is_end(payload: &[u8]) -> bool {
    payload.first() == Some(&0xFE) && payload.len() < 9
}

/// The rest of a packet, of which one field after the other is taken. None: the packet ends too early.
pub struct Fields<'p>(pub &'p [u8]);

impl<'p> Fields<'p> {
    pub fn take(&mut self, length: usize) -> Option<&'p [u8]> {
        let (field, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(field)
    }

    pub fn u8(&mut self) -> Option<u8> {
        self.take(1).map(|bytes| bytes[0])
    }

    pub fn u16(&mut self) -> Option<u16> {
        self.take(2).map(|bytes| u16::from_le_bytes([bytes[0], bytes[1]]))
    }

    /// Bytes up to a zero, which is left out.
    pub fn until_zero(&mut self) -> Option<&'p [u8]> {
        let end = self.0.iter().position(|byte| *byte == 0)?;
        let field = self.take(end);
        self.take(1);
        field
    }

    /// A length-encoded integer.
    pub fn length(&mut self) -> Option<u64> {
        let bytes = match self.u8()? {
            small @ 0..=0xFA => return Some(u64::from(small)),
            0xFC => self.take(2)?,
            0xFD => self.take(3)?,
            0xFE => self.take(8)?,
            _ => return None,
        };
        let mut number = [0; 8];
        number[..bytes.len()].copy_from_slice(bytes);
        Some(u64::from_le_bytes(number))
    }

    /// A length-encoded string.
    pub fn text(&mut self) -> Option<&'p [u8]> {
        let length = self.length()?;
        self.take(usize::try_from(length).ok()?)
    }

    /// A value of a row in the text protocol: a string, or NULL.
    pub fn value(&mut self) -> Option<Option<&'p [u8]>> {
        if self.0.first() == Some(&0xFB) {
            self.take(1);
            return Some(None);
        }
        self.text().map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_read_in_each_of_its_forms_and_never_beyond_the_packet() {
        let length = |bytes: &[u8]| Fields(bytes).length();
        assert_eq!(length(&[0xFA]), Some(250));
        assert_eq!(length(&[0xFC, 0xFB, 0]), Some(251));
        assert_eq!(length(&[0xFD, 1, 0, 1]), Some(65_537));
        assert_eq!(length(&[0xFE, 0, 0, 0, 0, 1, 0, 0, 0]), Some(1 << 32));
        for wrong in [&[][..], &[0xFB], &[0xFF], &[0xFC, 1], &[0xFE, 1, 2, 3]] {
            assert_eq!(length(wrong), None, "{wrong:?}");
        }
        assert_eq!(Fields(&[3, b'a', b'b']).text(), None);
        assert_eq!(Fields(&[0xFE, 255, 255, 255, 255, 255, 255, 255, 255, 1]).text(), None);
    }

    #[test]
    fn null_is_told_apart_from_an_empty_text() {
        let mut row = Fields(&[0xFB, 0, 1, b'x']);
        assert_eq!([row.value(), row.value(), row.value()], [Some(None), Some(Some(&b""[..])), Some(Some(&b"x"[..]))]);
        assert_eq!(row.value(), None);
    }

    #[test]
    fn a_refusal_is_read_with_and_without_its_state() {
        let with = refusal(b"\xff\x15\x04#28000Access denied").expect("whole");
        assert_eq!((with.number, &with.state, with.message.as_str()), (1045, b"28000", "Access denied"));
        let without = refusal(b"\xff\x10\x04Too many connections").expect("whole");
        assert_eq!((without.number, &without.state), (1040, b"HY000"));
        assert!(refusal(b"\xff\x15").is_none() && refusal(b"\xff\x15\x04#28").is_none());
    }
}
