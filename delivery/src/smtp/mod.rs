//! The session with a mail server (RFC 5321): STARTTLS or TLS, authentication, one mail after the other.
//!
//! It is our own, and small, because a mail server is the administrator's to name and anybody's to answer for: the time
//! is bounded over the whole of a session's step and not for each byte, a line and an answer are bounded before they
//! are read, and what was sent before STARTTLS never counts as said after it (RFC 3207, section 6).

mod reply;
mod session;
mod stream;

use std::net::IpAddr;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use crate::mail::MailAddress;
use crate::trust::Trust;
use session::Session;

/// How long a step may take: to open a session, or to hand over one mail.
pub const TIME_LIMIT: Duration = Duration::from_secs(60);

/// A mail server, and how it is spoken with.
#[derive(Debug, Clone)]
pub struct MailServer {
    /// Its name, which its certificate is held against, or its address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is encrypted.
    pub security: Security,
    /// Who we are, where it wants to know.
    pub credentials: Option<Credentials>,
    /// Whose certificates are accepted.
    pub trust: Trust,
    /// How long a step may take: [`TIME_LIMIT`], or less in tests.
    pub time_limit: Duration,
}

/// How a connection is encrypted. A server that does not offer what was chosen gets no mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = MailSecurity))]
#[serde(rename_all = "lowercase")]
pub enum Security {
    /// STARTTLS before anything else, mostly on port 587.
    #[default]
    StartTls,
    /// TLS from the beginning, mostly on port 465.
    Tls,
    /// Not at all: to a server on this machine alone.
    Plain,
}

impl Security {
    /// The name in settings.
    pub fn name(self) -> &'static str {
        match self {
            Self::StartTls => "starttls",
            Self::Tls => "tls",
            Self::Plain => "plain",
        }
    }

    /// The port that is meant where none is named.
    pub fn port(self) -> u16 {
        match self {
            Self::StartTls => 587,
            Self::Tls => 465,
            Self::Plain => 25,
        }
    }
}

/// The most characters of the name of a mail server.
const MAX_HOST: usize = 255;

/// Whether a text that somebody has set can be a mail server.
///
/// # Errors
/// The rule.
pub fn check_host(host: &str) -> Result<(), &'static str> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let is_host = host.parse::<IpAddr>().is_ok() || host.chars().all(is_name) && !host.starts_with(['-', '.']);
    match !host.is_empty() && host.len() <= MAX_HOST && is_host {
        true => Ok(()),
        false => Err("must be the name of a mail server or its IP address, without a port"),
    }
}

/// Whether the name of a host is one of this machine. That it leads there is looked at again when it is connected to.
pub fn is_loopback_name(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// A user of the mail server.
#[derive(Clone)]
pub struct Credentials {
    /// His name.
    pub user: String,
    /// His password.
    pub password: Zeroizing<String>,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("user", &self.user).finish_non_exhaustive()
    }
}

/// Why a mail was not taken. What the server said is cleaned and capped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// No connection.
    #[error("the mail server {server} cannot be reached: {reason}")]
    Unreachable {
        /// Where.
        server: String,
        /// Why, in one line.
        reason: String,
    },
    /// It took too long.
    #[error("the mail server {server} did not answer in time")]
    Slow {
        /// Where.
        server: String,
    },
    /// Its certificate is not accepted, or TLS failed in another way.
    #[error(
        "no secure connection to the mail server {server}: {reason}; a certificate of an authority of your own needs its \
         ca_file"
    )]
    Tls {
        /// Where.
        server: String,
        /// Why, in one line.
        reason: String,
    },
    /// It does not offer STARTTLS.
    #[error("the mail server {server} offers no STARTTLS: use its port for TLS, or another server")]
    NoStartTls {
        /// Where.
        server: String,
    },
    /// It is on another machine, and the connection is not to be encrypted.
    #[error("the mail server {server} is on another machine: it is not spoken with unless the connection is encrypted")]
    NotEncrypted {
        /// Where.
        server: String,
    },
    /// It offers no authentication that we know.
    #[error(
        "the mail server {server} offers no authentication by PLAIN or LOGIN: leave out the user, or use another server"
    )]
    NoAuthentication {
        /// Where.
        server: String,
    },
    /// It does not take the user or the password.
    #[error("the mail server {server} refused the user or the password: {reply}")]
    Credentials {
        /// Where.
        server: String,
        /// What it said.
        reply: String,
    },
    /// It does not take mail from this sender.
    #[error("the mail server {server} refused the sender {sender}: {reply}")]
    Sender {
        /// Where.
        server: String,
        /// Who.
        sender: String,
        /// What it said.
        reply: String,
    },
    /// It does not take mail for this recipient.
    #[error("the mail server {server} refused the recipient {recipient}: {reply}")]
    Recipient {
        /// Where.
        server: String,
        /// Who.
        recipient: String,
        /// What it said.
        reply: String,
        /// Whether it would say the same again.
        is_final: bool,
    },
    /// It refused something else.
    #[error("the mail server {server} refused {what}: {reply}")]
    Refused {
        /// Where.
        server: String,
        /// What.
        what: &'static str,
        /// What it said.
        reply: String,
    },
    /// What it says is no SMTP.
    #[error("the mail server {server} says what is no SMTP: {reason}")]
    Garbage {
        /// Where.
        server: String,
        /// What is wrong, in one line.
        reason: String,
    },
}

impl MailError {
    /// A stable code for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => "mail-unreachable",
            Self::Slow { .. } => "mail-slow",
            Self::Tls { .. } => "mail-tls",
            Self::NoStartTls { .. } => "mail-no-starttls",
            Self::NotEncrypted { .. } => "mail-not-encrypted",
            Self::NoAuthentication { .. } => "mail-no-authentication",
            Self::Credentials { .. } => "mail-credentials",
            Self::Sender { .. } => "mail-sender",
            Self::Recipient { .. } => "mail-recipient",
            Self::Refused { .. } => "mail-refused",
            Self::Garbage { .. } => "mail-garbage",
        }
    }

    /// Whether another try would end the same way until somebody changes an address: it is not tried again.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Recipient { is_final: true, .. })
    }
}

/// A mail to one recipient, in the bytes that [`Letter::to_bytes`](crate::mail::Letter::to_bytes) gives.
#[derive(Debug, Clone)]
pub struct Mail {
    /// Who reads.
    pub to: MailAddress,
    /// The mail.
    pub bytes: Vec<u8>,
}

/// Hands over `mails`, each to its recipient, from `sender`, in one session. What came of each goes to `done` with its
/// place, as soon as it is known, and says whether to go on; a recipient that is refused is in the way of no other.
pub fn deliver(
    server: &MailServer,
    sender: &MailAddress,
    mails: &[Mail],
    mut done: impl FnMut(usize, Result<(), MailError>) -> bool,
) {
    let deadline = || Instant::now() + server.time_limit;
    let mut session = Session::open(server, deadline());
    for (at, mail) in mails.iter().enumerate() {
        let result = match &mut session {
            Ok(session) => session.send(sender, &mail.to, &mail.bytes, deadline()),
            Err(error) => Err(error.clone()),
        };
        // Without a connection the others cannot fare better; a refusal is about this mail alone.
        if let Some(error) = result.as_ref().err().filter(|error| error.ends_session()) {
            session = Err(error.clone());
        }
        if !done(at, result) {
            break;
        }
    }
    if let Ok(session) = session {
        session.quit();
    }
}

/// Opens a session and ends it, without a mail: whether the settings are right (`s7`).
///
/// # Errors
/// What is wrong.
pub fn probe(server: &MailServer) -> Result<(), MailError> {
    Session::open(server, Instant::now() + server.time_limit).map(Session::quit)
}

impl MailError {
    fn ends_session(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Slow { .. } | Self::Tls { .. } | Self::Garbage { .. })
    }
}
