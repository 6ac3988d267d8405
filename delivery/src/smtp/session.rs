//! One session: greeting, encryption, authentication, mails.

use std::io::{self, Write as _};
use std::net::IpAddr;
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use seatline_protocol::text;
use zeroize::Zeroizing;

use super::reply::{Replies, Reply, ReplyError};
use super::stream::Stream;
use super::{Credentials, MailError, MailServer, Security};
use crate::mail::MailAddress;

/// The most characters of a reason.
const MAX_REASON: usize = 200;

pub(super) struct Session<'s> {
    /// The server, as messages name it.
    server: String,
    stream: Stream,
    replies: Replies,
    /// What it offers, in capital letters.
    offers: Vec<String>,
    /// What is not to be shown, though the server may say it.
    secrets: Vec<&'s str>,
}

impl<'s> Session<'s> {
    /// Connects, encrypts as it was chosen, and authenticates.
    pub fn open(server: &'s MailServer, deadline: Instant) -> Result<Self, MailError> {
        let name = format!("{}:{}", server.host, server.port);
        let config = server.trust.client_config();
        let config =
            config.map_err(|error| MailError::Tls { server: name.clone(), reason: line(&error.to_string()) })?;
        let is_plain = server.security == Security::Plain;
        let connected = Stream::connect(&server.host, server.port, is_plain, deadline);
        let mut stream = connected.map_err(|error| match error.kind() {
            io::ErrorKind::PermissionDenied if is_plain => MailError::NotEncrypted { server: name.clone() },
            _ => connection_error(&name, &error),
        })?;
        if server.security == Security::Tls {
            stream = stream.encrypt(&server.host, config.clone()).map_err(|error| tls_error(&name, &error))?;
        }
        let secrets = server.credentials.iter().map(|it| it.password.as_str()).collect();
        let mut session = Self { server: name, stream, replies: Replies::default(), offers: Vec::new(), secrets };
        let greeting = session.reply()?;
        session.expect(greeting, "the connection")?;
        session.hello()?;
        if server.security == Security::StartTls {
            session = session.start_tls(server, config)?;
        }
        if let Some(credentials) = &server.credentials {
            session.authenticate(credentials)?;
        }
        Ok(session)
    }

    /// Hands over one mail.
    pub fn send(
        &mut self,
        sender: &MailAddress,
        recipient: &MailAddress,
        mail: &[u8],
        deadline: Instant,
    ) -> Result<(), MailError> {
        self.stream.set_deadline(deadline);
        let handed_over = self.hand_over(sender, recipient, mail);
        if handed_over.as_ref().is_err_and(|error| !error.ends_session()) {
            // The next mail begins anew.
            self.command("RSET")?;
        }
        handed_over
    }

    fn hand_over(&mut self, sender: &MailAddress, recipient: &MailAddress, mail: &[u8]) -> Result<(), MailError> {
        let server = self.server.clone();
        let reply = self.command(&format!("MAIL FROM:<{sender}>"))?;
        if !reply.is_positive() {
            return Err(MailError::Sender { server, sender: sender.to_string(), reply: self.shown(&reply) });
        }
        let reply = self.command(&format!("RCPT TO:<{recipient}>"))?;
        if !reply.is_positive() {
            let (recipient, is_final) = (recipient.to_string(), reply.is_final());
            return Err(MailError::Recipient { server, recipient, reply: self.shown(&reply), is_final });
        }
        let reply = self.command("DATA")?;
        self.expect(reply, "the mail")?;
        let reply = self.ask(&stuffed(mail))?;
        self.expect(reply, "the mail")
    }

    /// Says goodbye. Everything was handed over: whether it is heard does not matter.
    pub fn quit(mut self) {
        let _ = self.stream.write_all(b"QUIT\r\n").and_then(|()| self.stream.flush());
    }

    fn hello(&mut self) -> Result<(), MailError> {
        // An address literal (RFC 5321, section 4.1.3) is right everywhere, and tells no name of this machine.
        let us = match self.stream.local_address().map_err(|error| connection_error(&self.server, &error))? {
            IpAddr::V4(address) => format!("[{address}]"),
            IpAddr::V6(address) => format!("[IPv6:{address}]"),
        };
        let reply = self.command(&format!("EHLO {us}"))?;
        self.offers = reply.lines.iter().skip(1).map(|line| line.to_ascii_uppercase()).collect();
        self.expect(reply, "our greeting")
    }

    fn start_tls(
        mut self,
        server: &MailServer,
        config: std::sync::Arc<rustls::ClientConfig>,
    ) -> Result<Self, MailError> {
        if !self.offers.iter().any(|offer| offer == "STARTTLS") {
            return Err(MailError::NoStartTls { server: self.server });
        }
        let reply = self.command("STARTTLS")?;
        self.expect(reply, "STARTTLS")?;
        if self.replies.has_more() {
            let reason = "it went on before the connection was encrypted, as if somebody stood between".to_owned();
            return Err(MailError::Garbage { server: self.server, reason });
        }
        self.stream = self.stream.encrypt(&server.host, config).map_err(|error| tls_error(&self.server, &error))?;
        self.hello()?;
        Ok(self)
    }

    fn authenticate(&mut self, credentials: &Credentials) -> Result<(), MailError> {
        let offered: Vec<&str> = self
            .offers
            .iter()
            .filter_map(|offer| offer.strip_prefix("AUTH "))
            .flat_map(str::split_whitespace)
            .collect();
        let Credentials { user, password } = credentials;
        let reply = if offered.contains(&"PLAIN") {
            let token = Zeroizing::new(format!("\0{user}\0{}", password.as_str()));
            self.command(&Zeroizing::new(format!("AUTH PLAIN {}", encoded(&token).as_str())))?
        } else if offered.contains(&"LOGIN") {
            let mut reply = self.command("AUTH LOGIN")?;
            for answer in [user.as_str(), password.as_str()] {
                if reply.code == 334 {
                    reply = self.command(&encoded(answer))?;
                }
            }
            reply
        } else {
            return Err(MailError::NoAuthentication { server: self.server.clone() });
        };
        if reply.code == 235 {
            return Ok(());
        }
        let token = encoded(&format!("\0{user}\0{}", password.as_str()));
        let reply = reply.shown(&[password, &encoded(password), &token]);
        Err(MailError::Credentials { server: self.server.clone(), reply })
    }

    fn command(&mut self, command: &str) -> Result<Reply, MailError> {
        let mut line = Zeroizing::new(String::with_capacity(command.len() + 2));
        line.push_str(command);
        line.push_str("\r\n");
        self.ask(line.as_bytes())
    }

    fn ask(&mut self, bytes: &[u8]) -> Result<Reply, MailError> {
        let written = self.stream.write_all(bytes).and_then(|()| self.stream.flush());
        written.map_err(|error| connection_error(&self.server, &error))?;
        self.reply()
    }

    fn reply(&mut self) -> Result<Reply, MailError> {
        self.replies.next(&mut self.stream).map_err(|error| match error {
            ReplyError::Io(error) => connection_error(&self.server, &error),
            ReplyError::Garbage(reason) => {
                MailError::Garbage { server: self.server.clone(), reason: reason.to_owned() }
            }
        })
    }

    fn expect(&self, reply: Reply, what: &'static str) -> Result<(), MailError> {
        match reply.is_positive() {
            true => Ok(()),
            false => Err(MailError::Refused { server: self.server.clone(), what, reply: self.shown(&reply) }),
        }
    }

    fn shown(&self, reply: &Reply) -> String {
        reply.shown(&self.secrets)
    }
}

/// The mail with its end; a line that begins with a dot has another one before it (RFC 5321, section 4.5.2).
fn stuffed(mail: &[u8]) -> Vec<u8> {
    let mut stuffed = Vec::with_capacity(mail.len() + 16);
    for line in mail.split_inclusive(|byte| *byte == b'\n') {
        if line.starts_with(b".") {
            stuffed.push(b'.');
        }
        stuffed.extend_from_slice(line);
    }
    if !stuffed.ends_with(b"\r\n") {
        stuffed.extend_from_slice(b"\r\n");
    }
    stuffed.extend_from_slice(b".\r\n");
    stuffed
}

fn encoded(secret: &str) -> Zeroizing<String> {
    Zeroizing::new(STANDARD.encode(secret))
}

fn line(reason: &str) -> String {
    text::line(reason, MAX_REASON)
}

fn connection_error(server: &str, error: &io::Error) -> MailError {
    let server = server.to_owned();
    match error.kind() {
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => MailError::Slow { server },
        io::ErrorKind::InvalidData => MailError::Tls { server, reason: line(&error.to_string()) },
        io::ErrorKind::UnexpectedEof => MailError::Unreachable { server, reason: "it ended the connection".to_owned() },
        _ => MailError::Unreachable { server, reason: line(&error.to_string()) },
    }
}

fn tls_error(server: &str, error: &io::Error) -> MailError {
    match connection_error(server, error) {
        MailError::Unreachable { server, reason } => MailError::Tls { server, reason },
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_with_a_dot_does_not_end_a_mail() {
        assert_eq!(stuffed(b"a\r\n.\r\n..b\r\n"), b"a\r\n..\r\n...b\r\n.\r\n");
        assert_eq!(stuffed(b".a"), b"..a\r\n.\r\n");
        assert_eq!(stuffed(b""), b"\r\n.\r\n");
    }
}
