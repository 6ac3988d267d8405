//! `ldap`: a directory, such as OpenLDAP or Active Directory.

use std::path::{Path, PathBuf};

use super::super::document::{Found, Problem, Section};
use super::super::secret::SecretSource;
use super::fields::{self, Fields, Test, Truth};
use crate::accounts::is_loopback;

/// The keys of the section.
pub(super) const KEYS: [&str; 13] = [
    "url",
    "start_tls",
    "tls_ca_file",
    "allow_unencrypted",
    "bind_dn",
    "password_env",
    "password_file",
    "base",
    "scope",
    "filter",
    "page_size",
    "schema",
    "fields",
];
/// The entries that are asked for at once, where nothing else is said: what Active Directory gives at most.
const DEFAULT_PAGE_SIZE: u64 = 1000;

/// A directory, and what is looked for in it.
#[derive(Debug, Clone)]
pub struct Directory {
    /// Where it is.
    pub server: Server,
    /// How the connection is encrypted.
    pub encryption: Encryption,
    /// The authority that signed the server's certificate, where it is none of the public ones: a file in PEM form.
    pub tls_ca_file: Option<PathBuf>,
    /// Who reads it; none: nobody in particular.
    pub bind: Option<(String, SecretSource)>,
    /// Below which entry.
    pub base: String,
    /// Whether in all of the tree below, or only directly.
    pub whole_tree: bool,
    /// Which entries (RFC 4515).
    pub filter: String,
    /// How many at once (RFC 2696).
    pub page_size: u32,
    /// In which attributes the fields of an account are.
    pub fields: Fields,
}

/// Where a directory is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Server {
    /// At a host and port.
    Tcp(String, u16),
    /// At a socket of this machine.
    Socket(PathBuf),
}

/// How a connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    /// By TLS from the beginning.
    Tls,
    /// By TLS after asking for it.
    StartTls,
    /// Not at all.
    None,
}

impl Directory {
    /// Of the section; paths are relative to `base`.
    ///
    /// # Errors
    /// Its first problem.
    pub fn read(found: &Found<'_, '_>, base: &Path) -> Result<Self, Problem> {
        let section = found.section(&KEYS)?;
        let (server, encryption) = server_of(&section)?;
        let tls_ca_file = section.find("tls_ca_file").map(|file| file.text()).transpose()?.map(|file| base.join(file));
        if tls_ca_file.is_some() && encryption == Encryption::None {
            return Err(section.refuse("tls_ca_file", "has no effect on a connection without TLS: leave it out"));
        }
        let bind_dn = section.find("bind_dn").map(|name| name.text()).transpose()?.map(str::to_owned);
        let bind = match (bind_dn, SecretSource::of(&section, "password_env", "password_file", base)?) {
            (Some(name), Some(password)) => Some((name, password)),
            (None, None) => None,
            (Some(_), None) => {
                return Err(section.refuse("bind_dn", "needs `password_file` or `password_env` beside it"));
            }
            (None, Some(_)) => return Err(section.refuse("password_file", "needs a `bind_dn` beside it")),
        };
        let (usual, usual_filter) = match section.find("schema").map(|schema| schema.text()).transpose()? {
            None => (general(), "(objectClass=inetOrgPerson)"),
            Some("active-directory") => (active_directory(), "(&(objectCategory=person)(objectClass=user))"),
            Some(_) => return Err(section.refuse("schema", "must be \"active-directory\", or left out")),
        };
        let filter = section.find("filter").map(|filter| filter.text()).transpose()?.unwrap_or(usual_filter);
        if ldap3::parse_filter(filter).is_err() {
            return Err(section.refuse("filter", "is no filter of LDAP, such as \"(objectClass=inetOrgPerson)\""));
        }
        let whole_tree = match section.find("scope").map(|scope| scope.text()).transpose()? {
            None | Some("subtree") => true,
            Some("one") => false,
            Some(_) => return Err(section.refuse("scope", "must be \"subtree\" or \"one\"")),
        };
        let page_size = section.find("page_size").map(|size| size.number(1..=10_000)).transpose()?;
        let fields = match section.find("fields") {
            Some(found) => {
                let fields = Fields::read(&found, Some(&usual))?;
                if fields.paths().any(|path| path.name().is_none()) {
                    return Err(
                        section.refuse("fields", "must name attributes: one name each, without dots and slashes")
                    );
                }
                fields
            }
            None => usual,
        };
        Ok(Self {
            server,
            encryption,
            tls_ca_file,
            bind,
            base: section.require("base")?.text()?.to_owned(),
            whole_tree,
            filter: filter.to_owned(),
            page_size: u32::try_from(page_size.unwrap_or(DEFAULT_PAGE_SIZE)).unwrap_or(1),
            fields,
        })
    }
}

fn server_of(section: &Section<'_>) -> Result<(Server, Encryption), Problem> {
    let url = section.require("url")?;
    let text = url.text()?;
    let start_tls = section.find("start_tls").map(|found| found.truth()).transpose()?.unwrap_or_default();
    let allowed = section.find("allow_unencrypted").map(|found| found.truth()).transpose()?.unwrap_or_default();
    if let Some(path) = text.strip_prefix("ldapi://") {
        let path = path.trim_end_matches('/');
        let path = percent_encoding::percent_decode_str(path).decode_utf8_lossy().into_owned();
        if path.is_empty() || start_tls {
            return Err(url.refuse("must name a socket, as in ldapi://%2Frun%2Fslapd%2Fldapi, which has no TLS"));
        }
        return Ok((Server::Socket(path.into()), Encryption::None));
    }
    let (rest, usual_port, encryption) = match (text.strip_prefix("ldaps://"), text.strip_prefix("ldap://")) {
        (Some(_), _) if start_tls => {
            return Err(section.refuse("start_tls", "is for ldap://: ldaps:// has TLS already"));
        }
        (Some(rest), _) => (rest, 636, Encryption::Tls),
        (_, Some(rest)) if start_tls => (rest, 389, Encryption::StartTls),
        (_, Some(rest)) => (rest, 389, Encryption::None),
        (None, None) => return Err(url.refuse("must begin with ldaps://, ldap:// or ldapi://")),
    };
    let authority =
        rest.parse::<ureq::http::uri::Authority>().ok().filter(|authority| !authority.as_str().contains('@'));
    let authority = authority.ok_or_else(|| url.refuse("must be a host, and a port if it is not the usual one"))?;
    let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
    if encryption == Encryption::None && !allowed && !is_loopback(&host) {
        return Err(url.refuse(
            "would be read in clear, and anybody on the way could read the password: begin it with ldaps://, or write \
             `start_tls = true` or `allow_unencrypted = true`",
        ));
    }
    Ok((Server::Tcp(host, authority.port_u16().unwrap_or(usual_port)), encryption))
}

fn attribute(name: &str) -> fields::Path {
    fields::Path { segments: vec![name.to_owned()] }
}

/// Of directories in general (RFC 4519 and RFC 2798), which know neither whether an account is active nor who has
/// signed in.
fn general() -> Fields {
    Fields {
        identity: vec![attribute("mail"), attribute("uid")],
        active: None,
        licensed_access: None,
        last_seen: None,
        service_account: None,
    }
}

/// Of Active Directory. The second bit of `userAccountControl` is ACCOUNTDISABLE; `lastLogonTimestamp` is the sign-in
/// that all domain controllers know of, up to two weeks late.
fn active_directory() -> Fields {
    let disabled = Truth { path: attribute("userAccountControl"), test: Test::WithoutBits(2), missing: None };
    Fields {
        identity: ["mail", "userPrincipalName", "sAMAccountName"].map(attribute).to_vec(),
        active: Some(disabled),
        licensed_access: None,
        last_seen: Some(vec![attribute("lastLogonTimestamp")]),
        service_account: None,
    }
}
