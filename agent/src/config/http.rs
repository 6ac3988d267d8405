//! `[http]`: where the local API and the pages are served.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;

use seatline_protocol::pairing;
use seatline_web::Address;

use super::document::{Found, Problem};

/// Where is listened if nothing else is said: on this machine alone.
pub const DEFAULT_LISTEN: Address = Address::Tcp(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8096));

/// `[http]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Http {
    /// Where is listened, if anywhere.
    pub listen: Option<Address>,
    /// Whether that may be reachable from other machines, without encryption.
    pub allow_remote: bool,
    /// Where people and products reach the agent through a reverse proxy, such as `https://seatline.example.org`.
    pub public_url: Option<String>,
    /// The other names that it is called by, without a port.
    pub hosts: Vec<String>,
    /// The reverse proxies whose `X-Forwarded-For` is believed.
    pub proxies: Vec<IpAddr>,
    /// Whom the metrics are for.
    pub metrics: Metrics,
}

/// Whom the metrics are for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Metrics {
    /// Whoever carries an API token.
    #[default]
    Token,
    /// Everybody who can connect: they name licenses, and tell how many people use the product.
    Open,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            listen: Some(DEFAULT_LISTEN),
            allow_remote: false,
            public_url: None,
            hosts: Vec::new(),
            proxies: Vec::new(),
            metrics: Metrics::default(),
        }
    }
}

impl Http {
    /// Of the section. Paths are relative to `base`.
    ///
    /// # Errors
    /// Its first problem.
    pub(super) fn read(found: &Found<'_, '_>, base: &Path) -> Result<Self, Problem> {
        let section = found.section(&["listen", "allow_remote", "public_url", "hosts", "proxies", "metrics"])?;
        let allow_remote = section.find("allow_remote").map(|found| found.truth()).transpose()?.unwrap_or(false);
        let mut http = Self { allow_remote, ..Self::default() };
        if let Some(found) = section.find("listen") {
            http.listen = http.listening(found.text()?, base).map_err(|rule| found.refuse(rule))?;
        }
        if let Some(found) = section.find("public_url") {
            let url = found.text()?.trim_end_matches('/');
            check_origin(url).map_err(|reason| found.refuse(reason))?;
            http.public_url = Some(url.to_owned());
        }
        if let Some(found) = section.find("hosts") {
            for host in found.texts()? {
                check_host(host).map_err(|rule| found.refuse(rule))?;
                http.hosts.push(host.to_ascii_lowercase());
            }
        }
        if let Some(found) = section.find("proxies") {
            for proxy in found.texts()? {
                let address =
                    proxy.parse().map_err(|_| found.refuse(format_args!("holds `{proxy}`, which is no IP address")))?;
                http.proxies.push(address);
            }
        }
        if let Some(found) = section.find("metrics") {
            http.metrics = match found.text()? {
                "token" => Metrics::Token,
                "open" => Metrics::Open,
                _ => return Err(found.refuse("is `token`, for whoever carries an API token, or `open`, for everybody")),
            };
        }
        Ok(http)
    }

    /// Where is listened if `text` says so: an address, or `off`. A relative path of a socket begins at `base`.
    ///
    /// # Errors
    /// The rule that it breaks, as the end of a sentence.
    pub fn listening(&self, text: &str, base: &Path) -> Result<Option<Address>, String> {
        let address = match text {
            "off" => return Ok(None),
            _ => text.parse().map_err(|error| format!("is not valid: {error}, or `off`"))?,
        };
        match address {
            Address::Unix(path) => Ok(Some(Address::Unix(base.join(path)))),
            address if address.is_local() || self.allow_remote => Ok(Some(address)),
            _ => Err("listens beyond this machine, without encryption: let it listen on a loopback address or a Unix \
                      socket, with a reverse proxy for HTTPS in front, or set `allow_remote = true` in [http]"
                .to_owned()),
        }
    }
}

/// Whether `url` is that of a whole host: pages, cookies and assets stand at its root.
fn check_origin(url: &str) -> Result<(), String> {
    pairing::check_url(url).map_err(|reason| format!("is no address to be reached at: {reason}"))?;
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    match rest.contains(['/', '?', '#']) {
        true => Err("must have no path: the pages stand at the root of a host".to_owned()),
        false => Ok(()),
    }
}

/// Whether `host` is a name as a `Host` header has it, without a port.
fn check_host(host: &str) -> Result<(), String> {
    let is_name =
        host.len() <= 253 && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'));
    is_name.then_some(()).ok_or_else(|| format!("holds `{host}`, which is no host name (without a port)"))
}
