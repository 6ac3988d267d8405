//! Answers of an endpoint: within the time limit, from the one server that was named, over a connection whose
//! certificate was checked. Redirects are not followed, so that the token goes nowhere else.

use std::io::{self, BufReader, Read};
use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use ureq::http::{HeaderMap, HeaderName, HeaderValue, Uri, header};
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use zeroize::Zeroizing;

use super::error::SourceError;
use super::{TimeLimit, is_loopback, short, wire};
use crate::config::accounts::http::{Endpoint, SignIn};
use crate::config::database::AddressError;

/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The most bytes of an answer's head.
const MAX_HEAD_BYTES: usize = 32 * 1024;

/// A client for one endpoint.
pub struct Http {
    agent: ureq::Agent,
    base: Uri,
    sign_in: Option<(HeaderName, HeaderValue)>,
    limit: TimeLimit,
    place: String,
}

/// An answer with status 200.
pub struct Answer {
    /// Its head.
    pub headers: HeaderMap,
    /// Its body.
    pub body: BufReader<Box<dyn Read>>,
}

impl Http {
    /// A client for `endpoint`, with its secret fetched from where it is kept.
    ///
    /// # Errors
    /// When the secret or the authority are not to be had.
    pub fn of(endpoint: &Endpoint, limit: TimeLimit) -> Result<Self, SourceError> {
        let place = format!("the endpoint {}", short(&endpoint.url.to_string()));
        let unreachable = |reason| SourceError::Unreachable { place: place.clone(), reason };
        let root_certs = match endpoint.tls_ca_file.as_deref() {
            None => RootCerts::PlatformVerifier,
            Some(file) => RootCerts::from(authorities(file).map_err(unreachable)?),
        };
        let config = ureq::Agent::config_builder()
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .max_redirects(0)
            .http_status_as_error(false)
            .max_response_header_size(MAX_HEAD_BYTES)
            .user_agent(concat!("seatline/", env!("CARGO_PKG_VERSION")))
            .tls_config(TlsConfig::builder().root_certs(root_certs).build());
        // The proxy of the environment would look for it on its own machine, and learn the token.
        let config = if endpoint.url.host().is_some_and(is_loopback) { config.proxy(None) } else { config }.build();
        let sign_in = endpoint.sign_in.as_ref().map(header_of).transpose()?;
        Ok(Self { agent: config.new_agent(), base: endpoint.url.clone(), sign_in, limit, place })
    }

    /// The answer at `url`, which must be of the endpoint's server.
    ///
    /// # Errors
    /// When there is none, or it has another status than 200.
    pub fn get(&self, url: &Uri, accept: &'static str) -> Result<Answer, SourceError> {
        match self.try_get(url, accept)? {
            (200, Some(answer)) => Ok(answer),
            (status, _) => Err(self.refused(status)),
        }
    }

    /// As [`Self::get`]; none where there is no such resource.
    pub fn find(&self, url: &Uri, accept: &'static str) -> Result<Option<Answer>, SourceError> {
        match self.try_get(url, accept)? {
            (200, answer) => Ok(answer),
            (404 | 405 | 501, _) => Ok(None),
            (status, _) => Err(self.refused(status)),
        }
    }

    fn try_get(&self, url: &Uri, accept: &'static str) -> Result<(u16, Option<Answer>), SourceError> {
        if !is_same_server(url, &self.base) {
            return Err(SourceError::Answer(format!("{} names another server for the next page", self.place)));
        }
        let mut request = self.agent.get(url.clone()).header(header::ACCEPT, accept);
        if let Some((name, value)) = &self.sign_in {
            request = request.header(name, value);
        }
        let request = request.config().timeout_global(Some(self.limit.left()?)).build();
        let response = request.call().map_err(|error| self.failure(&error))?;
        let status = response.status().as_u16();
        if status != 200 {
            return Ok((status, None));
        }
        let (head, body) = response.into_parts();
        let body: Box<dyn Read> = Box::new(body.into_with_config().limit(u64::MAX).reader());
        Ok((status, Some(Answer { headers: head.headers, body: BufReader::with_capacity(64 * 1024, body) })))
    }

    /// `reference` as a URL of this endpoint: whole, from the root of its server, or only another query.
    pub fn resolve(&self, reference: &str) -> Option<Uri> {
        let base = &self.base;
        let text = match (reference.as_bytes(), base.scheme_str(), base.authority()) {
            ([b'/', b'/', ..], ..) => return None,
            ([b'/', ..], Some(scheme), Some(authority)) => format!("{scheme}://{authority}{reference}"),
            ([b'?', ..], Some(scheme), Some(authority)) => format!("{scheme}://{authority}{}{reference}", base.path()),
            _ => reference.to_owned(),
        };
        text.parse().ok().filter(|url: &Uri| url.host().is_some())
    }

    fn refused(&self, status: u16) -> SourceError {
        let place = &self.place;
        match status {
            401 | 403 => SourceError::Denied(format!("{place} refuses the token or the password (status {status})")),
            300..=399 => SourceError::Answer(format!(
                "{place} sends on to another address (status {status}): name the last one, as a redirect is not followed"
            )),
            _ => SourceError::Answer(format!("{place} answers with status {status}")),
        }
    }

    fn failure(&self, error: &ureq::Error) -> SourceError {
        if self.limit.is_over() {
            // Whatever it was that had not come to its end by then.
            return SourceError::TimeLimit(self.limit.seconds);
        }
        match error {
            ureq::Error::Timeout(ureq::Timeout::Connect) => {
                SourceError::Unreachable { place: self.place.clone(), reason: "it does not answer".to_owned() }
            }
            ureq::Error::Timeout(_) => SourceError::TimeLimit(self.limit.seconds),
            ureq::Error::Io(io) => wire::connect_error(io, &self.place, self.limit),
            ureq::Error::Protocol(_) | ureq::Error::Http(_) | ureq::Error::LargeResponseHeader(..) => {
                SourceError::Answer(format!("{} does not answer as HTTP has it", self.place))
            }
            other => SourceError::Unreachable { place: self.place.clone(), reason: short(&other.to_string()) },
        }
    }

    /// What it is, for messages.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Where it begins.
    pub fn base(&self) -> &Uri {
        &self.base
    }
}

/// `url` with a parameter added, or in the place of one of the same name.
pub fn with_parameter(url: &Uri, name: &str, value: &str) -> Option<Uri> {
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    let name = utf8_percent_encode(name, NON_ALPHANUMERIC).to_string();
    let value = utf8_percent_encode(value, NON_ALPHANUMERIC);
    let others = url.query().unwrap_or_default().split('&').filter(|pair| {
        let key = pair.split('=').next().unwrap_or_default();
        !pair.is_empty() && !key.eq_ignore_ascii_case(&name)
    });
    let mut query: Vec<&str> = others.collect();
    let added = format!("{name}={value}");
    query.push(&added);
    let text = format!("{}://{}{}?{}", url.scheme_str()?, url.authority()?, url.path(), query.join("&"));
    text.parse().ok()
}

/// The URL that a header `Link` has for the relation `next` (RFC 8288, section 3).
pub fn next_link(headers: &HeaderMap) -> Option<&str> {
    let links = headers.get_all(header::LINK).iter().filter_map(|value| value.to_str().ok());
    links.flat_map(|links| links.split('<').skip(1)).find_map(|link| {
        let (url, parameters) = link.split_once('>')?;
        let is_next = parameters.split([';', ',']).any(|parameter| {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let value = value.trim().trim_matches('"');
            name.trim().eq_ignore_ascii_case("rel") && value.split(' ').any(|rel| rel.eq_ignore_ascii_case("next"))
        });
        is_next.then_some(url.trim())
    })
}

fn is_same_server(url: &Uri, base: &Uri) -> bool {
    let port = |url: &Uri| url.port_u16().or(if url.scheme_str() == Some("https") { Some(443) } else { Some(80) });
    let host = |url: &Uri| url.host().map(str::to_ascii_lowercase);
    url.scheme() == base.scheme() && host(url) == host(base) && port(url) == port(base)
}

fn authorities(file: &Path) -> Result<Vec<Certificate<'static>>, String> {
    let found = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let found = found.map_err(|error| format!("the tls_ca_file {} cannot be read: {error}", file.display()))?;
    match found.is_empty() {
        true => Err(format!("the tls_ca_file {} holds no certificate", file.display())),
        false => Ok(found.iter().map(|der| Certificate::from_der(der).to_owned()).collect()),
    }
}

/// The header that signs in. It is marked as one that nobody shows.
fn header_of(sign_in: &SignIn) -> Result<(HeaderName, HeaderValue), SourceError> {
    let secret = |source: &crate::config::SecretSource| source.read().map_err(AddressError::Secret);
    let (name, value) = match sign_in {
        SignIn::Token(None, token) => (header::AUTHORIZATION, format!("Bearer {}", *secret(token)?)),
        SignIn::Token(Some(name), token) => {
            // It was looked at when the configuration was read.
            let name = HeaderName::try_from(name.as_str()).unwrap_or(header::AUTHORIZATION);
            (name, secret(token)?.to_string())
        }
        SignIn::Basic(user, password) => {
            let pair = Zeroizing::new(format!("{user}:{}", *secret(password)?));
            let encoded = base64::engine::general_purpose::STANDARD.encode(pair.as_bytes());
            (header::AUTHORIZATION, format!("Basic {encoded}"))
        }
    };
    let value = Zeroizing::new(value);
    let mut value = HeaderValue::from_str(&value)
        .map_err(|_| SourceError::Denied("the token has characters that no header can hold".to_owned()))?;
    value.set_sensitive(true);
    Ok((name, value))
}

/// An error while a body is read, after `rows` rows.
pub fn body_error(kind: io::ErrorKind, limit: TimeLimit, rows: u64) -> SourceError {
    if limit.is_over() || kind == io::ErrorKind::TimedOut {
        return SourceError::TimeLimit(limit.seconds);
    }
    wire::read_error(&kind.into(), limit, rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(text: &str) -> Uri {
        text.parse().expect("a URL")
    }

    #[test]
    fn the_next_page_is_found_in_the_header_link() {
        let next = |link: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::LINK, HeaderValue::from_str(link).expect("a value"));
            next_link(&headers).map(str::to_owned)
        };
        let gitlab = "<https://x/users?page=1>; rel=\"prev\", <https://x/users?a,b&page=3>; rel=\"next\", <https://x/users>; rel=last";
        assert_eq!(next(gitlab).as_deref(), Some("https://x/users?a,b&page=3"));
        assert_eq!(next("</users?page=2>; title=x; rel=next").as_deref(), Some("/users?page=2"));
        assert_eq!(next("<https://x/users?page=1>; rel=\"prev\""), None);
        assert_eq!(next("https://x; rel=next"), None);
    }

    #[test]
    fn a_parameter_is_added_or_replaced_and_encoded() {
        let with = |url: &str| with_parameter(&uri(url), "cursor", "a&b=ü").map(|url| url.to_string());
        assert_eq!(with("https://x/u").as_deref(), Some("https://x/u?cursor=a%26b%3D%C3%BC"));
        assert_eq!(with("https://x/u?cursor=old&n=5").as_deref(), Some("https://x/u?n=5&cursor=a%26b%3D%C3%BC"));
    }

    #[test]
    fn another_server_is_told_by_scheme_host_and_port() {
        let base = uri("https://id.example.org/users");
        for same in ["https://id.example.org:443/x", "https://ID.example.org/"] {
            assert!(is_same_server(&uri(same), &base), "{same}");
        }
        for other in ["http://id.example.org/", "https://id.example.org:8443/", "https://example.org/"] {
            assert!(!is_same_server(&uri(other), &base), "{other}");
        }
    }
}
