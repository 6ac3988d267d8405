//! Webhooks: a JSON body, signed as [Standard Webhooks](https://www.standardwebhooks.com/) has it, so that the receiver
//! knows who calls, that nothing was changed, and whether he has heard it before.
//!
//! The signature is a small module over `hmac`, held to the published vector: the reference crate would bring second
//! copies of four others for these lines.

mod outward;

use std::io;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use seatline_protocol::pairing::check_url;
use seatline_protocol::text;
use sha2::Sha256;
use ureq::config::ConfigBuilder;
use ureq::typestate::AgentScope;
use ureq::unversioned::transport::DefaultConnector;
use zeroize::Zeroizing;

use crate::trust::Trust;
use outward::Outward;

/// How long a call may take, from the name lookup to the head of the answer.
pub const TIME_LIMIT: Duration = Duration::from_secs(30);
/// How long connecting may take.
const CONNECT_TIME_LIMIT: Duration = Duration::from_secs(10);
/// The most characters of a URL.
const MAX_URL: usize = 1000;
/// The longest wait that a receiver may ask for with `Retry-After`.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(24 * 3600);
/// What a secret begins with.
const PREFIX: &str = "whsec_";

/// The secret that a webhook and its receiver share.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookSecret(Zeroizing<Vec<u8>>);

/// A text is no secret of a webhook. It is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the secret of a webhook is `whsec_` and 24 to 64 bytes in base64")]
pub struct NoWebhookSecret;

impl std::fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WebhookSecret(…)")
    }
}

impl std::str::FromStr for WebhookSecret {
    type Err = NoWebhookSecret;

    fn from_str(text: &str) -> Result<Self, NoWebhookSecret> {
        let encoded = text.trim().strip_prefix(PREFIX).ok_or(NoWebhookSecret)?;
        let bytes = Zeroizing::new(STANDARD.decode(encoded).map_err(|_| NoWebhookSecret)?);
        if (24..=64).contains(&bytes.len()) { Ok(Self(bytes)) } else { Err(NoWebhookSecret) }
    }
}

impl WebhookSecret {
    /// A new secret of 32 random bytes.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn generate() -> io::Result<Self> {
        let mut bytes = Zeroizing::new(vec![0; 32]);
        getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
        Ok(Self(bytes))
    }

    /// The secret as text, for the receiver.
    pub fn to_text(&self) -> Zeroizing<String> {
        let encoded = Zeroizing::new(STANDARD.encode(&*self.0));
        Zeroizing::new([PREFIX, encoded.as_str()].concat())
    }

    /// The signature of a call: the header `webhook-signature`.
    pub fn sign(&self, id: &str, seconds: i64, body: &[u8]) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes a key of any length");
        mac.update(format!("{id}.{seconds}.").as_bytes());
        mac.update(body);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

/// Whether `url` may be called: `https`, or `http` on the loopback interface; without user name and fragment. Unlike a
/// link's, it may have a query.
///
/// # Errors
/// One line that names the rule.
pub fn check_webhook_url(url: &str) -> Result<(), String> {
    if url.len() > MAX_URL {
        return Err(format!("the URL must have at most {MAX_URL} characters"));
    }
    let (place, query) = url.split_once('?').unwrap_or((url, ""));
    let is_plain =
        |c: char| c.is_ascii_graphic() && !matches!(c, '#' | '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}');
    if !query.chars().all(is_plain) {
        return Err("the query of the URL must have plain characters, and no fragment".to_owned());
    }
    check_url(place)
}

/// A URL as it may be shown: what stands behind `?` may be a secret of the receiver's.
pub fn shown_url(url: &str) -> String {
    match url.split_once('?') {
        Some((place, _)) => format!("{place}?…"),
        None => url.to_owned(),
    }
}

/// Why a call was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    /// No connection.
    #[error("{url} cannot be reached: {reason}")]
    Unreachable {
        /// Where.
        url: String,
        /// Why, in one line.
        reason: String,
    },
    /// It took too long.
    #[error("{url} did not answer in time")]
    Slow {
        /// Where.
        url: String,
    },
    /// Its certificate is not accepted, or TLS failed in another way.
    #[error("no secure connection to {url}: {reason}; a certificate of an authority of your own needs its ca_file")]
    Tls {
        /// Where.
        url: String,
        /// Why, in one line.
        reason: String,
    },
    /// It answered with another status than one of success.
    #[error("{url} answered with HTTP status {status}{}", hint(*status))]
    Status {
        /// Where.
        url: String,
        /// The status.
        status: u16,
        /// How long it wants to be left alone.
        retry_after: Option<Duration>,
    },
    /// It answered with what is no HTTP.
    #[error("{url} answered with what is no HTTP: {reason}")]
    Garbage {
        /// Where.
        url: String,
        /// What is wrong, in one line.
        reason: String,
    },
}

fn hint(status: u16) -> &'static str {
    match status {
        300..=399 => ": redirects are not followed, so name the place that it leads to",
        401 | 403 => ": it does not take the signature, so look at the secret on both sides",
        410 => ": it is gone, and is not called again with this",
        _ => "",
    }
}

impl WebhookError {
    /// A stable code for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => "webhook-unreachable",
            Self::Slow { .. } => "webhook-slow",
            Self::Tls { .. } => "webhook-tls",
            Self::Status { .. } => "webhook-status",
            Self::Garbage { .. } => "webhook-garbage",
        }
    }

    /// Whether the receiver is gone for good (410): it is not tried again.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Status { status: 410, .. })
    }

    /// How long the receiver wants to be left alone, where it says so.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

/// Calls webhooks.
#[derive(Debug, Clone)]
pub struct Caller {
    agent: ureq::Agent,
}

/// What is called, and with what.
#[derive(Debug, Clone, Copy)]
pub struct Call<'c> {
    /// Where: a URL that [`check_webhook_url`] takes.
    pub url: &'c str,
    /// The secret.
    pub secret: &'c WebhookSecret,
    /// The message's id, the same when it is sent again.
    pub id: &'c str,
    /// The JSON.
    pub body: &'c [u8],
}

impl Caller {
    /// A caller that accepts the certificates of `trust`, and waits for at most `time_limit` ([`TIME_LIMIT`]). It asks
    /// the proxy that the environment names (`HTTPS_PROXY`), if it names one.
    pub fn new(trust: &Trust, time_limit: Duration) -> Self {
        Self { agent: config(trust, time_limit).build().new_agent() }
    }

    /// As [`Self::new`], and it calls nothing on this machine and its own network segment: loopback, link-local and
    /// unspecified addresses. Whoever may name a URL could else have services asked that trust this machine. It is the
    /// address that is looked at, when it is connected to, and not the name. So it asks no proxy, whatever the
    /// environment says: a proxy is given the name, and would find the address where nobody looks at it.
    pub fn outward(trust: &Trust, time_limit: Duration) -> Self {
        let connector = DefaultConnector::default();
        let config = config(trust, time_limit).proxy(None).build();
        Self { agent: ureq::Agent::with_parts(config, connector, Outward::default()) }
    }

    /// Calls at `now`. A status of 200 to 299 is success; what else stands in the answer is not read.
    ///
    /// # Errors
    /// Why it was not taken.
    pub fn call(&self, call: Call<'_>, now: Timestamp) -> Result<(), WebhookError> {
        let url = shown_url(call.url);
        let seconds = now.as_second();
        let answer = self
            .agent
            .post(call.url)
            .header("content-type", "application/json")
            .header("webhook-id", call.id)
            .header("webhook-timestamp", seconds.to_string())
            .header("webhook-signature", call.secret.sign(call.id, seconds, call.body))
            .send(call.body);
        let answer = answer.map_err(|error| failure(url.clone(), call.url, &error))?;
        let status = answer.status().as_u16();
        if answer.status().is_success() {
            return Ok(());
        }
        let asked = answer.headers().get("retry-after").and_then(|value| value.to_str().ok()?.trim().parse().ok());
        let retry_after = asked.map(|seconds| Duration::from_secs(seconds).min(MAX_RETRY_AFTER));
        Err(WebhookError::Status { url, status, retry_after })
    }
}

fn config(trust: &Trust, time_limit: Duration) -> ConfigBuilder<AgentScope> {
    ureq::Agent::config_builder()
        .timeout_global(Some(time_limit))
        .timeout_connect(Some(CONNECT_TIME_LIMIT.min(time_limit)))
        .max_redirects(0)
        .http_status_as_error(false)
        .max_response_header_size(32 * 1024)
        .max_idle_connections(0)
        .user_agent(concat!("seatline/", env!("CARGO_PKG_VERSION")))
        .tls_config(trust.tls_config())
}

fn failure(shown: String, url: &str, error: &ureq::Error) -> WebhookError {
    // Some errors repeat the URL, and its query may be a secret.
    let reason = text::line(&error.to_string().replace(url, &shown), 200);
    let url = shown;
    match error {
        ureq::Error::Timeout(_) => WebhookError::Slow { url },
        ureq::Error::Io(io) if io.kind() == io::ErrorKind::TimedOut => WebhookError::Slow { url },
        ureq::Error::Tls(_) | ureq::Error::Rustls(_) => WebhookError::Tls { url, reason },
        ureq::Error::Io(io) if io.kind() == io::ErrorKind::InvalidData => WebhookError::Tls { url, reason },
        ureq::Error::Protocol(_) | ureq::Error::BodyExceedsLimit(_) | ureq::Error::Http(_) => {
            WebhookError::Garbage { url, reason }
        }
        _ => WebhookError::Unreachable { url, reason },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_the_published_vector() {
        let secret: WebhookSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".parse().expect("the secret");
        let signature = secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_secret_has_its_form_and_does_not_show() {
        let secret = WebhookSecret::generate().expect("randomness");
        let text = secret.to_text();
        assert_eq!(text.parse::<WebhookSecret>(), Ok(secret.clone()));
        assert_eq!(format!("{secret:?}"), "WebhookSecret(…)");
        assert_ne!(WebhookSecret::generate().expect("randomness"), secret);
        for bad in ["", "whsec_", "whsec_c2hvcnQ=", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_???"] {
            assert_eq!(bad.parse::<WebhookSecret>(), Err(NoWebhookSecret), "{bad}");
        }
        let long = format!("whsec_{}", STANDARD.encode([7; 65]));
        assert_eq!(long.parse::<WebhookSecret>(), Err(NoWebhookSecret));
    }

    #[test]
    fn a_webhook_is_called_over_https_or_on_this_machine() {
        for good in ["https://hooks.example.org/x?key=a%2Fb&c=d", "http://127.0.0.1:9/x", "http://localhost/"] {
            assert_eq!(check_webhook_url(good), Ok(()), "{good}");
        }
        for bad in [
            "http://hooks.example.org/",
            "https://u:p@hooks.example.org/",
            "https://hooks.example.org/#x",
            "https://hooks.example.org/?a#b",
            "https://hooks.example.org/?a b",
            "ftp://hooks.example.org/",
            "",
            "https://hooks.example.org/?a\r\nHost: evil.example",
        ] {
            assert!(check_webhook_url(bad).is_err(), "{bad:?}");
        }
        assert!(check_webhook_url(&format!("https://hooks.example.org/?{}", "a".repeat(MAX_URL))).is_err());
        assert_eq!(shown_url("https://hooks.example.org/x?key=secret"), "https://hooks.example.org/x?…");
    }
}
