//! A mail: plain text with a clear subject, from and to checked addresses.

use std::time::SystemTime;

use lettre::message::header::{Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, SinglePart};
use lettre::{Address, Message};
use seatline_protocol::{checked_string, text};

checked_string!(
    /// A mail address as it stands in SMTP: `user@host`, without a name beside it.
    MailAddress,
    "a mail address",
    "of the form user@host.example, at most 254 characters of ASCII, without spaces, quotes or brackets",
    is_address
);

#[cfg(feature = "schema")]
seatline_protocol::described_texts! {
    MailAddress: "A mail address, without a name beside it.", "ada@example.org";
}

/// The most characters of a subject.
const MAX_SUBJECT: usize = 200;

fn is_address(text: &str) -> bool {
    let is_plain = |c: char| {
        c.is_ascii_graphic() && !matches!(c, '"' | '<' | '>' | '(' | ')' | ',' | ';' | ':' | '\\' | '[' | ']')
    };
    text.len() <= 254 && text.chars().all(is_plain) && text.parse::<Address>().is_ok()
}

impl MailAddress {
    /// The part behind the `@`.
    pub fn host(&self) -> &str {
        self.as_str().rsplit_once('@').map_or("", |(_, host)| host)
    }

    fn mailbox(&self, name: Option<&str>) -> Result<Mailbox, lettre::address::AddressError> {
        // A name is encoded by the builder; what would end a header is gone beforehand.
        let name = name.map(|name| text::line(name, MAX_SUBJECT)).filter(|name| !name.is_empty());
        Ok(Mailbox::new(name, self.as_str().parse()?))
    }
}

/// A mail to one person.
#[derive(Debug, Clone)]
pub struct Letter<'l> {
    /// Who writes, and his name.
    pub from: (&'l MailAddress, &'l str),
    /// Who reads.
    pub to: &'l MailAddress,
    /// The subject: one line.
    pub subject: &'l str,
    /// The text.
    pub text: &'l str,
    /// Unique for the message, and the same when it is sent again: of ASCII letters, digits, `-`, `_` and `.`.
    pub id: &'l str,
    /// When it is written.
    pub date: SystemTime,
}

impl Letter<'_> {
    /// The mail as it goes over SMTP: headers and text in ASCII, its lines ended by CR LF.
    ///
    /// # Errors
    /// When it cannot be made, in one line.
    pub fn to_bytes(&self) -> Result<Vec<u8>, String> {
        let failed = |error: &dyn std::fmt::Display| text::line(&error.to_string(), 200);
        let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if !self.id.chars().all(is_word) {
            return Err("the id of a mail has letters, digits, `-`, `_` and `.`".to_owned());
        }
        let (from, name) = self.from;
        let message = Message::builder()
            .from(from.mailbox(Some(name)).map_err(|error| failed(&error))?)
            .to(self.to.mailbox(None).map_err(|error| failed(&error))?)
            .subject(text::line(self.subject, MAX_SUBJECT))
            .date(self.date)
            .message_id(Some(format!("<{}@{}>", self.id, from.host())))
            .header(AutoSubmitted)
            .singlepart(SinglePart::plain(self.text.to_owned()))
            .map_err(|error| failed(&error))?;
        Ok(message.formatted())
    }
}

/// The most characters of a line of a mail.
const WIDTH: usize = 76;

/// The words in lines of at most 76 characters; a longer word stands alone.
pub fn wrapped(text: &str) -> String {
    let mut wrapped = String::with_capacity(text.len());
    let mut room = WIDTH;
    for word in text.split(' ') {
        let length = word.chars().count();
        if wrapped.is_empty() {
        } else if length < room {
            wrapped.push(' ');
            room -= 1;
        } else {
            wrapped.push('\n');
            room = WIDTH;
        }
        wrapped.push_str(word);
        room = room.saturating_sub(length);
    }
    wrapped
}

/// That a program writes, so that no absence is answered to it (RFC 3834, section 5).
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::Duration;

    fn bytes(name: &str, subject: &str, text: &str) -> String {
        let (from, to) = ("seatline@example.org".parse().expect("from"), "ada@example.org".parse().expect("to"));
        let date = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let letter = Letter { from: (&from, name), to: &to, subject, text, id: "ab-1", date };
        String::from_utf8(letter.to_bytes().expect("a mail")).expect("ASCII")
    }

    #[test]
    fn a_mail_has_its_headers_and_its_text() {
        let mail = bytes("Seatline", "License L-1 expires", "Dear Ada,\nit expires.\n");
        for line in [
            "From: Seatline <seatline@example.org>",
            "To: ada@example.org",
            "Subject: License L-1 expires",
            "Message-ID: <ab-1@example.org>",
            "Date: Fri, 15 Jan 2027 08:00:00 +0000",
            "Auto-Submitted: auto-generated",
            "Content-Type: text/plain; charset=utf-8",
        ] {
            assert!(mail.contains(&format!("{line}\r\n")), "{line} is not in\n{mail}");
        }
        assert!(mail.contains("\r\n\r\nDear Ada,\r\nit expires.\r\n"), "{mail}");
    }

    #[test]
    fn lines_are_as_long_as_a_mail_has_them() {
        let text = wrapped(&"word ".repeat(40));
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH) && text.lines().count() == 3, "{text}");
        let long = "x".repeat(90);
        assert_eq!(wrapped(&format!("a {long} b")), format!("a\n{long}\nb"));
        assert_eq!(wrapped(""), "");
    }

    #[test]
    fn an_address_is_plain() {
        for good in ["ada@example.org", "a.b+c@mail.example.org", "root@localhost"] {
            assert!(good.parse::<MailAddress>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "ada",
            "@example.org",
            "ada@",
            "a b@example.org",
            "ada@example.org\r\nBcc: eve@example.org",
            "<ada@example.org>",
            "Ada <ada@example.org>",
            "\"a b\"@example.org",
            "ada@example.org,eve@example.org",
            "ada@example.org>\r\nRCPT TO:<eve@example.org",
            "ädä@example.org",
            "ada@[127.0.0.1]",
            "a@b@c",
        ] {
            assert!(bad.parse::<MailAddress>().is_err(), "{bad:?}");
        }
        assert!(format!("{}@example.org", "a".repeat(250)).parse::<MailAddress>().is_err());
    }

    proptest! {
        #[test]
        fn no_text_adds_a_header_or_a_line_that_is_not_ascii(name in "\\PC{0,40}|[\\s\\S]{0,40}", subject in "[\\s\\S]{0,400}") {
            let mail = bytes(&name, &subject, "text");
            let (head, _) = mail.split_once("\r\n\r\n").expect("a head");
            let names: Vec<&str> = head
                .split("\r\n")
                .filter(|line| !line.starts_with([' ', '\t']))
                .map(|line| line.split(':').next().unwrap_or_default())
                .collect();
            let known = ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type",
                "Content-Transfer-Encoding"];
            prop_assert!(names.len() <= known.len() && names.iter().all(|name| known.contains(name)), "{names:?}");
            prop_assert!(mail.is_ascii() && mail.split("\r\n").all(|line| line.len() < 998 && !line.contains(['\r', '\n'])));
        }
    }
}
