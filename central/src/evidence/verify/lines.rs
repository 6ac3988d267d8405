//! Reads a file line by line, none longer than a line of evidence may be.

use std::io::{BufRead, Read as _};

use seatline_protocol::evidence::{Line, MAX_LINE_BYTES};
use seatline_protocol::text;

use super::Unreadable;

/// The lines of a file.
pub(super) struct Lines<R> {
    file: R,
    /// The line that was read last, with its line feed.
    bytes: Vec<u8>,
    number: u64,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(file: R) -> Self {
        Self { file, bytes: Vec::new(), number: 0 }
    }

    /// The next line and its number; none at the end of the file.
    pub(super) fn next(&mut self) -> Result<Option<(u64, Line)>, Unreadable> {
        self.bytes.clear();
        let room = MAX_LINE_BYTES as u64 + 1;
        self.file.by_ref().take(room).read_until(b'\n', &mut self.bytes)?;
        if self.bytes.is_empty() {
            return Ok(None);
        }
        self.number += 1;
        // The first line tells whether it is evidence at all.
        let is_first = self.number == 1;
        if is_first && !self.bytes.starts_with(b"{\"evidence\":") {
            return Err(Unreadable::NotEvidence);
        }
        let Some(line) = self.bytes.strip_suffix(b"\n") else {
            let is_long = self.bytes.len() > MAX_LINE_BYTES;
            return Err(if is_long { Unreadable::LongLine(self.number) } else { Unreadable::CutOff });
        };
        let not_a_line = |reason: String| Unreadable::Line { line: self.number, reason: text::line(&reason, 200) };
        let line: Line = serde_json::from_slice(line).map_err(|error| not_a_line(error.to_string()))?;
        // There is one text for each line: what no digest covers, as the spaces around a manifest, cannot be changed
        // either.
        let canonical = serde_json::to_vec(&line).map_err(|error| not_a_line(error.to_string()))?;
        match self.bytes.strip_suffix(b"\n") == Some(canonical.as_slice()) {
            true => Ok(Some((self.number, line))),
            false => Err(not_a_line("it is not written as the central server writes it".to_owned())),
        }
    }

    /// The bytes of the line that was read last, with its line feed.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// That the file ends here.
    pub(super) fn end(&mut self) -> Result<(), Unreadable> {
        if self.file.fill_buf()?.is_empty() { Ok(()) } else { Err(Unreadable::AfterTheEnd) }
    }
}
