//! The provider: its description, its keys, and the exchange of a code for tokens. Each answer is bounded in size and
//! time, no redirect is followed, and HTTPS is required of every address that the description names, except on
//! loopback.

use std::io::Read as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use seatline_protocol::{pairing, text};
use seatline_web::address::escape;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use ureq::tls::{RootCerts, TlsConfig};
use zeroize::Zeroizing;

use super::token::Keys;
use super::{SsoConfig, SsoError};

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The most bytes of an answer.
const MAX_ANSWER: u64 = 256 * 1024;
/// How long the description and the keys are taken to be what they were.
const FRESH: Duration = Duration::from_secs(3600);

/// What a provider says of itself (OpenID Connect Discovery 1.0).
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Description {
    issuer: String,
    pub(super) authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    userinfo_endpoint: Option<String>,
    pub(super) end_session_endpoint: Option<String>,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Vec<String>,
}

/// What a provider gives for a code.
#[derive(Deserialize)]
pub(super) struct Tokens {
    pub(super) id_token: Zeroizing<String>,
    access_token: Option<Zeroizing<String>>,
}

#[derive(Debug)]
struct Known<T> {
    at: Instant,
    value: Arc<T>,
}

/// One provider, with what is known of it.
#[derive(Debug)]
pub(super) struct Provider {
    agent: ureq::Agent,
    issuer: String,
    description: Mutex<Option<Known<Description>>>,
    keys: Mutex<Option<Known<Keys>>>,
}

impl Provider {
    pub(super) fn new(config: &SsoConfig) -> Self {
        let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(TIMEOUT))
            .max_redirects(0)
            .http_status_as_error(false)
            .max_response_header_size(32 * 1024)
            .user_agent(concat!("seatline-central/", env!("CARGO_PKG_VERSION")))
            .tls_config(tls)
            .build()
            .new_agent();
        Self { agent, issuer: config.issuer.clone(), description: Mutex::default(), keys: Mutex::default() }
    }

    /// What the provider last said of itself, however long ago. Never asks it.
    pub(super) fn last_description(&self) -> Option<Arc<Description>> {
        kept(&self.description, Duration::MAX)
    }

    /// What the provider says of itself. Blocks.
    pub(super) fn description(&self) -> Result<Arc<Description>, SsoError> {
        if let Some(known) = kept(&self.description, FRESH) {
            return Ok(known);
        }
        let address = format!("{}/.well-known/openid-configuration", self.issuer.trim_end_matches('/'));
        let description: Description = self.get(&address, None, "does not describe itself")?;
        let odd = |reason: String| SsoError::Provider { what: "describes itself in a way that is not taken", reason };
        if description.issuer != self.issuer {
            let reason = format!("it calls itself {}", text::line(&description.issuer, 200));
            return Err(odd(reason));
        }
        let named = [&description.authorization_endpoint, &description.token_endpoint, &description.jwks_uri];
        let more = [&description.userinfo_endpoint, &description.end_session_endpoint].into_iter().flatten();
        for address in named.into_iter().chain(more) {
            let plain = address.split(['?', '#']).next().unwrap_or_default();
            pairing::check_url(plain).map_err(|reason| odd(format!("{}: {reason}", text::line(address, 200))))?;
        }
        Ok(keep(&self.description, description))
    }

    /// The keys of the provider: those that are known, or where `anew`, those that it has now. That is asked for only
    /// where a token that came from the provider itself names another key, so no stranger makes us ask. Blocks.
    pub(super) fn keys(&self, anew: bool) -> Result<Arc<Keys>, SsoError> {
        if let Some(known) = kept(&self.keys, FRESH).filter(|_| !anew) {
            return Ok(known);
        }
        let description = self.description()?;
        Ok(keep(&self.keys, self.get(&description.jwks_uri, None, "does not show its keys")?))
    }

    /// Exchanges a code for tokens. Blocks.
    pub(super) fn exchange(
        &self,
        config: &SsoConfig,
        code: &str,
        verifier: &str,
        redirect_uri: &str,
    ) -> Result<Tokens, SsoError> {
        let description = self.description()?;
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", redirect_uri),
            ("code_verifier", verifier),
        ];
        let mut request = self.agent.post(&description.token_endpoint);
        let methods = &description.token_endpoint_auth_methods_supported;
        match &config.client_secret {
            // Where nothing is said, the header is what all take (RFC 8414, section 2).
            Some(secret) if methods.is_empty() || methods.iter().any(|method| method == "client_secret_basic") => {
                let pair = Zeroizing::new(format!("{}:{}", escape(&config.client_id), escape(secret)));
                let value = Zeroizing::new(format!("Basic {}", BASE64.encode(pair.as_bytes())));
                request = request.header("Authorization", value.as_str());
            }
            Some(secret) => form.extend([("client_id", config.client_id.as_str()), ("client_secret", secret.as_str())]),
            None => form.push(("client_id", config.client_id.as_str())),
        }
        let form: Vec<String> = form.iter().map(|(name, value)| format!("{name}={}", escape(value))).collect();
        let form = Zeroizing::new(form.join("&"));
        let response = request
            .header("Content-Type", "application/x-www-form-urlencoded")
            .header("Accept", "application/json")
            .send(form.as_bytes());
        read(response, "gives no tokens")
    }

    /// What the provider says of who signed in, beside the ID token: an empty answer where it has no such address.
    /// Blocks.
    pub(super) fn userinfo(&self, tokens: &Tokens, subject: &str) -> Result<Map<String, Value>, SsoError> {
        let description = self.description()?;
        let (Some(address), Some(token)) = (&description.userinfo_endpoint, &tokens.access_token) else {
            return Ok(Map::new());
        };
        let what = "does not say who signed in";
        let all: Map<String, Value> = self.get(address, Some(token), what)?;
        // Another person's claims would be a mix-up of tokens (section 5.3.2).
        if all.get("sub").and_then(Value::as_str) != Some(subject) {
            return Err(SsoError::Provider { what, reason: "it names somebody else".to_owned() });
        }
        Ok(all)
    }

    fn get<T: DeserializeOwned>(&self, address: &str, token: Option<&str>, what: &'static str) -> Result<T, SsoError> {
        let mut request = self.agent.get(address).header("Accept", "application/json");
        if let Some(token) = token {
            request = request.header("Authorization", Zeroizing::new(format!("Bearer {token}")).as_str());
        }
        read(request.call(), what)
    }
}

type Answer = Result<ureq::http::Response<ureq::Body>, ureq::Error>;

fn read<T: DeserializeOwned>(answer: Answer, what: &'static str) -> Result<T, SsoError> {
    let failed = |reason: String| SsoError::Provider { what, reason: text::line(&reason, 300) };
    let response = answer.map_err(|error| failed(error.to_string()))?;
    let (parts, body) = response.into_parts();
    let mut bytes = Zeroizing::new(Vec::new());
    let mut reader = body.into_reader().take(MAX_ANSWER + 1);
    reader.read_to_end(&mut bytes).map_err(|error| failed(error.to_string()))?;
    if bytes.len() as u64 > MAX_ANSWER {
        return Err(failed(format!("the answer has more than {MAX_ANSWER} bytes")));
    }
    if parts.status.as_u16() != 200 {
        // A provider names the error by a code (RFC 6749, section 5.2); what else it says may hold anything.
        let named: Option<Value> = serde_json::from_slice(&bytes).ok();
        let code = named.as_ref().and_then(|error| error["error"].as_str()).unwrap_or("no reason given");
        return Err(failed(format!("HTTP status {}, {}", parts.status.as_u16(), text::line(code, 100))));
    }
    serde_json::from_slice(&bytes).map_err(|error| failed(format!("not as it must be: {error}")))
}

fn kept<T>(place: &Mutex<Option<Known<T>>>, life: Duration) -> Option<Arc<T>> {
    let place = place.lock().unwrap_or_else(PoisonError::into_inner);
    place.as_ref().filter(|known| known.at.elapsed() < life).map(|known| Arc::clone(&known.value))
}

fn keep<T>(place: &Mutex<Option<Known<T>>>, value: T) -> Arc<T> {
    let value = Arc::new(value);
    let known = Known { at: Instant::now(), value: Arc::clone(&value) };
    *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(known);
    value
}
