//! Accounts in a directory: OpenLDAP, Active Directory and others that speak LDAP (RFC 4511), page by page (RFC 2696).

mod gate;

use std::hash::{BuildHasher as _, RandomState};
use std::io::{self, Read as _, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};

use gate::{Closed, Gate, MAX_MESSAGE_BYTES};
use lber::structure::{PL, StructureTag};
use ldap3::controls::{Control, PagedResults, RawControl};
use ldap3::{LdapConn, LdapConnSettings, LdapError, LdapResult, Scope, StdStream};

use super::ber::{Elements, INTEGER};
use super::error::SourceError;
use super::json::MAX_PAGES;
use super::record::{Record, Records};
use super::value::Value;
use super::wire::{self, Wire};
use super::{Pass, TimeLimit, short, tls};
use crate::config::accounts::fields::Path;
use crate::config::accounts::ldap::{Directory, Encryption, Server};
use crate::config::database::AddressError;

/// `ExtendedRequest` for StartTLS, as message 1 (RFC 4511, section 4.14.1).
const START_TLS: &[u8] = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037";
/// The tag of an `ExtendedResponse`, and that of the result code in it.
const EXTENDED_RESPONSE: u8 = 0x78;
const ENUMERATED: u8 = 0x0A;
/// The most bytes of the answer to it.
const MAX_ANSWER_BYTES: usize = 4096;
/// The control of paged results (RFC 2696).
const PAGED_RESULTS: &str = "1.2.840.113556.1.4.319";
const OCTET_STRING: u8 = 0x04;

/// Gives every entry that the filter finds to `pass`, and returns how many there were.
pub fn read_accounts(directory: &Directory, limit: TimeLimit, pass: &mut Pass<'_>) -> Result<u64, SourceError> {
    let place = place(directory);
    let wire = connect(directory, limit, &place)?;
    let unreachable = |error: io::Error| wire::connect_error(&error, &place, limit);
    let (gate, end) = Gate::open(wire).map_err(unreachable)?;
    let mut records = Records::of(Some(&directory.fields));
    // The library panics on some messages that are none, and a server must not end us.
    let read = catch_unwind(AssertUnwindSafe(|| search(directory, end, &place, limit, pass, &mut records)));
    let rows = records.count();
    let read = read.unwrap_or_else(|_| Err(Failed::Garbage));
    // The library's end is closed by now, and the gate with it.
    match (read, gate.end()) {
        (Ok(()), _) => Ok(rows),
        (Err(Failed::Source(error)), _) => Err(error),
        (Err(_), Some(Closed::TooLarge)) => {
            Err(SourceError::TooLarge { rows, what: "an entry", bytes: MAX_MESSAGE_BYTES as u64 })
        }
        (Err(_), Some(Closed::Io(kind))) => Err(wire::read_error(&kind.into(), limit, rows)),
        (Err(Failed::Library(error)), None) if limit.is_over() || matches!(error, LdapError::Timeout { .. }) => {
            Err(SourceError::TimeLimit(limit.seconds))
        }
        _ => Err(SourceError::Answer(format!("{place} does not answer as LDAP has it"))),
    }
}

/// Why a search failed.
enum Failed {
    /// For a reason that we know.
    Source(SourceError),
    /// In the library, because of the connection.
    Library(LdapError),
    /// What came is not the protocol.
    Garbage,
}

impl From<LdapError> for Failed {
    fn from(error: LdapError) -> Self {
        Self::Library(error)
    }
}

impl From<SourceError> for Failed {
    fn from(error: SourceError) -> Self {
        Self::Source(error)
    }
}

fn search(
    directory: &Directory,
    end: std::os::unix::net::UnixStream,
    place: &str,
    limit: TimeLimit,
    pass: &mut Pass<'_>,
    records: &mut Records<'_>,
) -> Result<(), Failed> {
    let settings = LdapConnSettings::new().set_std_stream(StdStream::Unix(end));
    let mut ldap = LdapConn::with_settings(settings, "ldapi://gate")?;
    if let Some((name, password)) = &directory.bind {
        let password = password.read().map_err(AddressError::Secret).map_err(SourceError::from)?;
        let result = ldap.simple_bind(name, &password)?;
        accept(&result, place, limit, 0)?;
    }
    let scope = if directory.whole_tree { Scope::Subtree } else { Scope::OneLevel };
    let attributes: Vec<&str> = directory.fields.paths().filter_map(Path::name).collect();
    let size = i32::try_from(directory.page_size).unwrap_or(i32::MAX);
    // A cookie may be the same for every page, so a page that comes again is known by its first entry.
    let (mut cookie, hasher, mut first_before) = (Vec::new(), RandomState::new(), None);
    for _ in 0..MAX_PAGES {
        limit.left()?;
        let control: RawControl = PagedResults { size, cookie }.into();
        ldap.with_controls(control);
        let mut entries = ldap.streaming_search(&directory.base, scope, &directory.filter, &attributes)?;
        let mut first = None;
        while let Some(entry) = entries.next()? {
            // References to other servers are not followed, and no account.
            if !entry.is_ref() && !entry.is_intermediate() {
                let entry = Entry::of(entry.0).ok_or(Failed::Garbage)?;
                let is_first = first.is_none();
                let name = *first.get_or_insert_with(|| hasher.hash_one(&entry.name));
                if is_first && first_before == Some(name) {
                    return Err(again(place).into());
                }
                pass.take(records.mapped(&entry))?;
            }
        }
        let result = entries.result();
        first_before = first;
        accept(&result, place, limit, records.count())?;
        match next_cookie(&result) {
            None => {
                // Nothing depends on the goodbye.
                let _ = ldap.unbind();
                return Ok(());
            }
            Some(next) => cookie = next,
        }
    }
    Err(SourceError::Pages(format!("{place} has more than {MAX_PAGES} pages: ask for larger ones")).into())
}

fn again(place: &str) -> SourceError {
    SourceError::Pages(format!("{place} gives the same page again, without end"))
}

/// The cookie for the next page; none after the last, and where the server does not page.
fn next_cookie(result: &LdapResult) -> Option<Vec<u8>> {
    let value =
        result.ctrls.iter().find_map(|Control(_, raw)| (raw.ctype == PAGED_RESULTS).then_some(raw.val.as_ref()))?;
    let mut fields = Elements(value?).sequence()?;
    fields.expect(INTEGER)?;
    fields.expect(OCTET_STRING).filter(|cookie| !cookie.is_empty()).map(<[u8]>::to_vec)
}

/// Whether a result is success. Its text is not shown: servers write names into it.
fn accept(result: &LdapResult, place: &str, limit: TimeLimit, rows: u64) -> Result<(), SourceError> {
    let answer = |reason: &str| Err(SourceError::Answer(format!("{place} {reason} (result code {})", result.rc)));
    match result.rc {
        0 => Ok(()),
        49 => Err(SourceError::Denied(format!("{place} refuses the bind_dn or the password"))),
        50 => Err(SourceError::Denied(format!("{place} does not let this user read below `base`"))),
        8 | 13 => Err(SourceError::Denied(format!("{place} wants TLS: use ldaps:// or `start_tls = true`"))),
        1 | 53 | 48 => Err(SourceError::Denied(format!("{place} wants a bind_dn and a password"))),
        32 => answer("has no entry `base`, or does not show it to the bind_dn"),
        34 => answer("does not accept `base` or `bind_dn` as a name"),
        18 | 21 | 17 => answer("does not accept the filter"),
        10 => answer("sends on to another server: name that one"),
        4 => {
            Err(SourceError::BrokenOff { rows, reason: "the server gives no more entries (its size limit)".to_owned() })
        }
        3 => Err(SourceError::TimeLimit(limit.seconds)),
        11 => Err(SourceError::BrokenOff { rows, reason: "the server's own limit was reached".to_owned() }),
        _ => answer("does not answer the search"),
    }
}

/// An entry of a directory.
struct Entry {
    name: Vec<u8>,
    attributes: Vec<Attribute>,
}

/// The name of an attribute, and its values.
type Attribute = (Vec<u8>, Vec<Vec<u8>>);

impl Entry {
    /// Of a `SearchResultEntry` (RFC 4511, section 4.5.2); none if it is something else.
    fn of(tag: StructureTag) -> Option<Self> {
        let parts = |tag: StructureTag| match tag.payload {
            PL::C(parts) => Some(parts),
            PL::P(_) => None,
        };
        let text = |tag: StructureTag| match tag.payload {
            PL::P(text) => Some(text),
            PL::C(_) => None,
        };
        let mut entry = parts(tag)?.into_iter();
        let (name, attributes) = (text(entry.next()?)?, parts(entry.next()?)?);
        let attribute = |attribute| {
            let mut both = parts(attribute)?.into_iter();
            let (name, values) = (text(both.next()?)?, parts(both.next()?)?);
            Some((name, values.into_iter().map(text).collect::<Option<Vec<_>>>()?))
        };
        let attributes = attributes.into_iter().map(attribute).collect::<Option<_>>()?;
        Some(Self { name, attributes })
    }
}

impl Record for Entry {
    fn values<'r>(&'r self, path: &Path, take: &mut dyn FnMut(Value<'r>) -> bool) {
        let name = path.name().unwrap_or_default().as_bytes();
        // An attribute may come with options behind its name, such as `;lang-en` (RFC 4512, section 2.5).
        let is_it = |given: &[u8]| {
            given.split(|byte| *byte == b';').next().is_some_and(|given| given.eq_ignore_ascii_case(name))
        };
        let values = self.attributes.iter().filter(|(given, _)| is_it(given)).flat_map(|(_, values)| values);
        for value in values {
            if take(Value::Text(value)) {
                return;
            }
        }
    }
}

/// Connects, by TLS where that was asked for.
fn connect(directory: &Directory, limit: TimeLimit, place: &str) -> Result<Wire, SourceError> {
    let (wire, host) = match &directory.server {
        Server::Socket(path) => (Wire::unix(path, limit), ""),
        Server::Tcp(host, port) => (Wire::tcp(host, *port, limit), host.as_str()),
    };
    let mut wire = wire.map_err(|error| wire::connect_error(&error, place, limit))?;
    if directory.encryption == Encryption::None {
        return Ok(wire);
    }
    let unreachable = |reason| SourceError::Unreachable { place: place.to_owned(), reason };
    let config = tls::client_config(directory.tls_ca_file.as_deref()).map_err(unreachable)?;
    if directory.encryption == Encryption::StartTls {
        match start_tls(&mut wire) {
            Ok(true) => {}
            Ok(false) => return Err(unreachable("the server does not start TLS".to_owned())),
            Err(error) => return Err(wire::connect_error(&error, place, limit)),
        }
    }
    wire.secure(config, host).map_err(|error| wire::connect_error(&error, place, limit))?;
    Ok(wire)
}

/// Asks for TLS; whether the server agrees. It is read to the end of its answer and not a byte beyond: what somebody in
/// between puts behind it would otherwise pass for what came by TLS.
fn start_tls(wire: &mut Wire) -> io::Result<bool> {
    wire.write_all(START_TLS)?;
    let mut answer = vec![0; 2];
    wire.read_exact(&mut answer)?;
    while super::ber::head(&answer).is_none() && answer.len() < 6 {
        let mut byte = [0];
        wire.read_exact(&mut byte)?;
        answer.extend(byte);
    }
    let Some((head, length)) = super::ber::head(&answer).filter(|(_, length)| *length <= MAX_ANSWER_BYTES) else {
        return Ok(false);
    };
    answer.resize(head + length, 0);
    let begin = head.min(answer.len());
    wire.read_exact(&mut answer[begin..])?;
    let agreed = || {
        let mut message = Elements(&answer).sequence()?;
        message.expect(INTEGER)?;
        Elements(message.expect(EXTENDED_RESPONSE)?).expect(ENUMERATED)
    };
    Ok(agreed() == Some(&[0]))
}

/// Where the directory is, for an administrator.
fn place(directory: &Directory) -> String {
    match &directory.server {
        Server::Tcp(host, port) => format!("the directory {}:{port}", short(host)),
        Server::Socket(path) => format!("the directory at {}", path.display()),
    }
}
