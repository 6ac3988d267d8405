//! The link client: one exchange with the central server over HTTP.
//!
//! It knows no documents: it carries a request there and a response back, within bounds of time and size. HTTPS is
//! verified against the certificates that the operating system trusts, so that an organisation's own authority works.
//! Redirects are not followed: an invite names one server, and no other gets the documents.

use std::io;
use std::time::Duration;

use jiff::Timestamp;
use seatline_protocol::exchange::{self, ExchangeRequest, ExchangeResponse, Refusal};
use seatline_protocol::text;
use seatline_protocol::wait::{self, WaitRequest};
use serde::Serialize;
use ureq::tls::{RootCerts, TlsConfig};

use crate::proxy::ProxySource;

/// How long an exchange may take, from the name lookup to the last byte.
const TIMEOUT: Duration = Duration::from_secs(60);
/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How much longer than it has asked for a product waits for news.
const WAIT_SLACK: Duration = Duration::from_secs(10);
/// The longest wait that a server may ask for with `Retry-After`.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(24 * 3600);

/// Why no answer came. Whatever it is, the reports stay in the outbox.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No connection.
    #[error("the central server at {url} cannot be reached: {reason}")]
    Unreachable {
        /// Where.
        url: String,
        /// Why, in one line.
        reason: String,
    },
    /// It took too long.
    #[error("the central server at {url} did not answer in time ({reason})")]
    Slow {
        /// Where.
        url: String,
        /// Which step, in one line.
        reason: String,
    },
    /// Its certificate is not trusted, or TLS failed in another way.
    #[error(
        "no secure connection to the central server at {url}: {reason}; a certificate of an authority of your own must be \
         among those that this system trusts"
    )]
    Tls {
        /// Where.
        url: String,
        /// Why, in one line.
        reason: String,
    },
    /// The proxy that lets out lets this out not, or its password is not to be had.
    #[error("the proxy{} does not lead to the central server at {url}: {reason}", named(proxy))]
    Proxy {
        /// Where to.
        url: String,
        /// The proxy, where it is known.
        proxy: Option<String>,
        /// Why, in one line.
        reason: String,
    },
    /// It answered with an HTTP status that is not 200.
    #[error("the central server at {url} answered with HTTP status {status}{}", detail(message))]
    Status {
        /// Where.
        url: String,
        /// The status.
        status: u16,
        /// What it said, cleaned and capped.
        message: String,
        /// The code of its refusal, where it is a central server that says why.
        code: Option<String>,
        /// How long it wants to be left alone.
        retry_after: Option<Duration>,
    },
    /// It answered with something that is not an exchange.
    #[error("{url} answered with something that is not an exchange ({reason}); is it a Seatline central server?")]
    Garbage {
        /// Where.
        url: String,
        /// What is wrong, in one line.
        reason: String,
    },
}

fn detail(message: &str) -> String {
    if message.is_empty() { String::new() } else { format!(": {message}") }
}

fn named(proxy: &Option<String>) -> String {
    proxy.as_ref().map(|proxy| format!(" {proxy}")).unwrap_or_default()
}

impl ClientError {
    /// A stable code for machines. For a refusal, the central server's own.
    pub fn code(&self) -> &str {
        match self {
            Self::Status { code: Some(code), .. } => code,
            Self::Unreachable { .. } => "central-unreachable",
            Self::Slow { .. } => "central-slow",
            Self::Tls { .. } => "central-tls",
            Self::Proxy { .. } => "central-proxy",
            Self::Status { .. } => "central-status",
            Self::Garbage { .. } => "central-garbage",
        }
    }

    /// How long the server wants to be left alone, where it says so.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

/// What a central server answered, when by its own clock, in whole seconds, and through which proxy.
pub(crate) struct Answered {
    pub response: ExchangeResponse,
    pub at: Option<Timestamp>,
    pub proxy: Option<String>,
}

/// Speaks with one central server, over connections that are kept, through the proxy that its source names.
pub(crate) struct Client {
    agent: ureq::Agent,
    proxy: ProxySource,
}

impl Client {
    pub fn new(proxy: ProxySource) -> Self {
        let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(TIMEOUT))
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .max_redirects(0)
            .http_status_as_error(false)
            .max_response_header_size(32 * 1024)
            .user_agent(concat!("seatline/", env!("CARGO_PKG_VERSION")))
            .tls_config(tls)
            .build();
        Self { agent: config.new_agent(), proxy }
    }

    /// Sends the request to the central server at `url`, and gives its answer.
    pub fn exchange(&self, url: &str, request: &ExchangeRequest) -> Result<ExchangeResponse, ClientError> {
        self.answered(url, request).map(|answered| answered.response)
    }

    /// As [`Self::exchange`], with what the server's clock says.
    pub fn answered(&self, url: &str, request: &ExchangeRequest) -> Result<Answered, ClientError> {
        self.post(url, exchange::PATH, request, TIMEOUT)
    }

    /// Waits for news of the central server at `url`, which wants to answer within so many seconds.
    pub fn wait(&self, url: &str, request: &WaitRequest, seconds: u64) -> Result<ExchangeResponse, ClientError> {
        let timeout = Duration::from_secs(seconds) + WAIT_SLACK;
        self.post(url, wait::PATH, request, timeout).map(|answered| answered.response)
    }

    fn post(&self, url: &str, path: &str, body: &impl Serialize, timeout: Duration) -> Result<Answered, ClientError> {
        let proxy = (self.proxy)().map_err(|reason| ClientError::Proxy { url: url.to_owned(), proxy: None, reason })?;
        let passed = proxy.name_for(url);
        let failed = |error| failure(url, passed.as_deref(), &error);
        let endpoint = format!("{}{path}", url.trim_end_matches('/'));
        let request =
            self.agent.post(endpoint).config().timeout_global(Some(timeout)).proxy(proxy.proxy_for(url)).build();
        let mut response = request.send_json(body).map_err(failed)?;
        let status = response.status().as_u16();
        if status != 200 {
            let header = response.headers().get("retry-after").and_then(|value| value.to_str().ok());
            let seconds = header.and_then(|value| value.trim().parse().ok()).map(Duration::from_secs);
            let retry_after = seconds.map(|wanted| wanted.min(MAX_RETRY_AFTER));
            let body = response.body_mut().with_config().limit(16 * 1024).lossy_utf8(true).read_to_string();
            let refusal = refusal_in(&body.unwrap_or_default());
            let (code, message) =
                refusal.map(|Refusal { code, message, .. }| (code, text::line(&message, 200))).unzip();
            let (url, message) = (url.to_owned(), message.unwrap_or_default());
            return Err(ClientError::Status { url, status, message, code, retry_after });
        }
        let date = response.headers().get("date").and_then(|value| value.to_str().ok());
        let at = date.and_then(|date| jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(date).ok());
        let limit = exchange::MAX_RESPONSE_BYTES as u64;
        let body = response.body_mut().with_config().limit(limit).read_to_vec().map_err(failed)?;
        let response = serde_json::from_slice(&body).map_err(|error| ClientError::Garbage {
            url: url.to_owned(),
            reason: text::line(&error.to_string(), 120),
        })?;
        Ok(Answered { response, at, proxy: passed })
    }
}

/// The reason in an error's body, where it is one of ours: an exchange that says why it was refused. A page of HTML
/// from some proxy says nothing that the status does not.
fn refusal_in(body: &str) -> Option<Refusal> {
    let response: ExchangeResponse = serde_json::from_str(body).ok()?;
    response.refusals.into_iter().next()
}

/// What a proxy means that refuses, with the way out.
fn refusal_by(said: &str) -> String {
    match said.rsplit('/').next() {
        // Some say that nobody signed in, where somebody did by a wrong password.
        Some(status @ ("401" | "407")) => {
            format!("it answered with HTTP status {status}: it wants a user and a password, or others")
        }
        Some("403") => "it answered with HTTP status 403: its rules must allow it".to_owned(),
        _ => said.to_owned(),
    }
}

fn failure(url: &str, proxy: Option<&str>, error: &ureq::Error) -> ClientError {
    let (url, reason) = (url.to_owned(), text::line(&error.to_string(), 200));
    if let ureq::Error::ConnectProxyFailed(said) = error {
        return ClientError::Proxy { url, proxy: proxy.map(str::to_owned), reason: text::line(&refusal_by(said), 200) };
    }
    // Whoever cannot be reached may be the proxy.
    let reason = proxy.map(|proxy| format!("through the proxy {proxy}: {reason}")).unwrap_or(reason);
    match error {
        ureq::Error::Timeout(_) => ClientError::Slow { url, reason },
        ureq::Error::Io(io) if io.kind() == io::ErrorKind::TimedOut => ClientError::Slow { url, reason },
        ureq::Error::Tls(_) | ureq::Error::Rustls(_) => ClientError::Tls { url, reason },
        ureq::Error::Io(io) if io.kind() == io::ErrorKind::InvalidData => ClientError::Tls { url, reason },
        ureq::Error::Protocol(_) | ureq::Error::BodyExceedsLimit(_) | ureq::Error::Json(_) | ureq::Error::Http(_) => {
            ClientError::Garbage { url, reason }
        }
        _ => ClientError::Unreachable { url, reason },
    }
}
