//! What a mail server answers: a code, and lines of text (RFC 5321, section 4.2). Both are bounded as they are read.

use std::io::{self, Read};

use seatline_protocol::text;

/// The most bytes of a line. The standard has 512, and servers exceed it.
const MAX_LINE: usize = 2048;
/// The most lines of an answer.
const MAX_LINES: usize = 128;
/// The most characters of an answer that are shown.
const MAX_SHOWN: usize = 300;

/// An answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reply {
    pub code: u16,
    pub lines: Vec<String>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum ReplyError {
    Io(io::Error),
    Garbage(&'static str),
}

impl From<io::Error> for ReplyError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Reply {
    /// Whether the server has done, or goes on with, what it was asked for.
    pub fn is_positive(&self) -> bool {
        (200..400).contains(&self.code)
    }

    /// Whether the server would say the same again.
    pub fn is_final(&self) -> bool {
        self.code >= 500
    }

    /// The answer as one line, without `secrets`: some servers repeat what they were told.
    pub fn shown(&self, secrets: &[&str]) -> String {
        let mut said = self.lines.join(" ");
        for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
            said = said.replace(secret, "…");
        }
        text::line(&format!("{} {said}", self.code), MAX_SHOWN)
    }
}

/// The bytes that were read and not yet understood.
#[derive(Default)]
pub(super) struct Replies {
    read: Vec<u8>,
}

impl Replies {
    /// Whether the server has said more than it was asked.
    pub fn has_more(&self) -> bool {
        !self.read.is_empty()
    }

    /// The next answer from `stream`.
    pub fn next(&mut self, stream: &mut impl Read) -> Result<Reply, ReplyError> {
        let mut reply: Option<Reply> = None;
        for _ in 0..MAX_LINES {
            let line = self.line(stream)?;
            let code = line.get(..3).and_then(|code| code.parse::<u16>().ok()).filter(|code| (200..600).contains(code));
            let code = code.ok_or(ReplyError::Garbage("an answer begins with a code from 200 to 599"))?;
            let is_last = match line.as_bytes().get(3) {
                None | Some(b' ') => true,
                Some(b'-') => false,
                Some(_) => return Err(ReplyError::Garbage("behind the code stands a space or a hyphen")),
            };
            let reply = reply.get_or_insert(Reply { code, lines: Vec::new() });
            if reply.code != code {
                return Err(ReplyError::Garbage("one answer has two codes"));
            }
            reply.lines.push(line.get(4..).unwrap_or_default().to_owned());
            if is_last {
                return Ok(Reply { code, lines: std::mem::take(&mut reply.lines) });
            }
        }
        Err(ReplyError::Garbage("an answer has no end"))
    }

    fn line(&mut self, stream: &mut impl Read) -> Result<String, ReplyError> {
        loop {
            if let Some(end) = self.read.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.read.drain(..=end).collect();
                return Ok(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned());
            }
            if self.read.len() > MAX_LINE {
                return Err(ReplyError::Garbage("a line has no end"));
            }
            let mut buffer = [0; 1024];
            match stream.read(&mut buffer) {
                Ok(0) => return Err(ReplyError::Io(io::ErrorKind::UnexpectedEof.into())),
                Ok(count) => self.read.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(bytes: &str) -> Result<Reply, String> {
        Replies::default().next(&mut bytes.as_bytes()).map_err(|error| match error {
            ReplyError::Garbage(reason) => reason.to_owned(),
            ReplyError::Io(error) => error.kind().to_string(),
        })
    }

    #[test]
    fn an_answer_has_one_code_and_an_end() {
        let reply = read("250-mail.example.org\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n").expect("a reply");
        assert_eq!(
            (reply.code, reply.lines),
            (250, ["mail.example.org", "STARTTLS", "AUTH PLAIN"].map(String::from).to_vec())
        );
        assert_eq!(read("354\n").expect("a reply").code, 354);
        for (bytes, reason) in [
            ("HTTP/1.1 400 Bad Request\r\n", "an answer begins with a code from 200 to 599"),
            ("999 x\r\n", "an answer begins with a code from 200 to 599"),
            ("250x\r\n", "behind the code stands a space or a hyphen"),
            ("250-a\r\n354 b\r\n", "one answer has two codes"),
            ("250-a\r\n", "unexpected end of file"),
            (&"250-a\r\n".repeat(MAX_LINES + 1), "an answer has no end"),
            (&"2".repeat(MAX_LINE + 2000), "a line has no end"),
        ] {
            assert_eq!(read(bytes), Err(reason.to_owned()), "{bytes:.40}");
        }
    }

    #[test]
    fn what_is_shown_of_an_answer_holds_no_secret_and_no_escape() {
        let reply = Reply { code: 535, lines: vec!["no: hunter2\u{1b}[31m".to_owned()] };
        assert_eq!(reply.shown(&["hunter2", ""]), "535 no: … [31m");
    }

    proptest! {
        #[test]
        fn whatever_a_server_says_it_is_an_answer_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            let _ = Replies::default().next(&mut &bytes[..]);
        }
    }
}
