//! The way to the provider and back.
//!
//! The browser gets a secret in a cookie of its own; the state that comes back with it, the nonce in the ID token and
//! the verifier of the code (PKCE, RFC 7636) are made from that secret by HMAC. Whoever comes back without the cookie,
//! or with the state of another one, did not begin this sign-in.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use jiff::Timestamp;
use ring::{digest, hmac};
use seatline_protocol::text;
use seatline_web::address::{after_sign_in, escape};
use seatline_web::secret::random_secret;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::provider::Tokens;
use super::token::{Claims, Expected, TokenError, verify};
use super::{Sso, SsoError};
use crate::domain::{AccountName, SignOn, Subject};

/// How long somebody has to sign in at the provider, in seconds.
pub const PATIENCE: i64 = 600;
/// Where the provider sends the browser back to.
pub const CALLBACK: &str = "/sign-in/single-sign-on/callback";

/// What a sign-in at the provider is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A new session.
    SignIn,
    /// To prove again who one is, before accounts are changed.
    Confirm,
}

/// A sign-in that was begun.
pub struct Begun {
    /// Where the browser goes.
    pub address: String,
    /// The value of its cookie, for [`PATIENCE`] seconds.
    pub cookie: Zeroizing<String>,
}

/// Who came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedOn {
    /// Who it is at the provider.
    pub subject: Subject,
    /// What he may be here; absent where no group of his has a role.
    pub on: Option<SignOn>,
    /// What it was for.
    pub purpose: Purpose,
    /// Where to go now: a path of this server.
    pub next: String,
}

/// What the provider's redirect brings.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub struct Returned {
    /// The code.
    pub code: Option<String>,
    /// The state.
    pub state: Option<String>,
    /// Why there is no code.
    pub error: Option<String>,
    /// The provider (RFC 9207).
    pub iss: Option<String>,
}

impl Sso {
    /// Begins a sign-in that leads to `next`. Blocks while the provider is asked.
    ///
    /// # Errors
    /// Where the provider cannot be asked.
    pub fn begin(&self, public_url: &str, purpose: Purpose, next: &str) -> Result<Begun, SsoError> {
        let description = self.provider().description()?;
        let secret = random_secret()?;
        let made = Made::from(&secret);
        let challenge = BASE64.encode(digest::digest(&digest::SHA256, made.verifier.as_bytes()));
        let scopes = ["openid"].into_iter().chain(self.config().scopes.iter().map(String::as_str)).collect::<Vec<_>>();
        let redirect = format!("{public_url}{CALLBACK}");
        let mut query = vec![
            ("response_type", "code"),
            ("client_id", &self.config().client_id),
            ("redirect_uri", &redirect),
            ("state", &made.state),
            ("nonce", &made.nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        let scopes = scopes.join(" ");
        query.push(("scope", &scopes));
        if purpose == Purpose::Confirm {
            query.extend([("max_age", "0"), ("prompt", "login")]);
        }
        let query: Vec<String> = query.into_iter().map(|(name, value)| format!("{name}={}", escape(value))).collect();
        let mark = if description.authorization_endpoint.contains('?') { '&' } else { '?' };
        let address = format!("{}{mark}{}", description.authorization_endpoint, query.join("&"));
        let kind = match purpose {
            Purpose::SignIn => "s",
            Purpose::Confirm => "c",
        };
        let cookie = Zeroizing::new(format!("{}.{kind}.{}", *secret, BASE64.encode(after_sign_in(Some(next)))));
        Ok(Begun { address, cookie })
    }

    /// Takes somebody who came back. Blocks while the provider is asked.
    ///
    /// # Errors
    /// See [`SsoError`]: nobody is signed in then.
    pub fn finish(
        &self,
        public_url: &str,
        cookie: Option<&str>,
        returned: &Returned,
        now: Timestamp,
    ) -> Result<SignedOn, SsoError> {
        let mut parts = cookie.unwrap_or_default().splitn(3, '.');
        let (Some(secret), Some(kind), Some(next)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(SsoError::NotBegun);
        };
        let made = Made::from(secret);
        // Both were made by us or are worth nothing: a comparison in constant time costs nothing.
        let state = returned.state.as_deref().unwrap_or_default();
        if !same(state, &made.state) {
            return Err(SsoError::NotBegun);
        }
        if returned.iss.as_deref().is_some_and(|issuer| issuer != self.config().issuer) {
            return Err(TokenError::Issuer.into());
        }
        if let Some(error) = &returned.error {
            return Err(SsoError::Refused(text::line(error, 100)));
        }
        let code = returned.code.as_deref().ok_or(SsoError::NotBegun)?;
        let purpose = if kind == "c" { Purpose::Confirm } else { Purpose::SignIn };
        let redirect = format!("{public_url}{CALLBACK}");
        let tokens = self.provider().exchange(self.config(), code, &made.verifier, &redirect)?;
        let expected = Expected {
            issuer: &self.config().issuer,
            client_id: &self.config().client_id,
            nonce: &made.nonce,
            now,
            signed_in_since: (purpose == Purpose::Confirm).then(|| began_at_the_earliest(now)),
        };
        let claims = match verify(&tokens.id_token, &*self.provider().keys(false)?, expected) {
            // The provider has changed its keys since they were fetched.
            Err(TokenError::UnknownKey) => verify(&tokens.id_token, &*self.provider().keys(true)?, expected)?,
            verified => verified?,
        };
        let next = BASE64.decode(next).ok().and_then(|next| String::from_utf8(next).ok()).unwrap_or_default();
        let next = after_sign_in(Some(&next)).to_owned();
        let subject = Subject { issuer: self.config().issuer.clone(), subject: claims.subject.clone() };
        let on = self.person(&subject, claims, &tokens)?;
        Ok(SignedOn { subject, on, purpose, next })
    }

    /// Where somebody ends his session at the provider, if the provider says so and is known. Never asks it.
    pub fn sign_out(&self, public_url: &str) -> Option<String> {
        let description = self.provider().last_description()?;
        let address = description.end_session_endpoint.as_ref()?;
        let mark = if address.contains('?') { '&' } else { '?' };
        let back = escape(&format!("{public_url}/sign-in"));
        Some(format!("{address}{mark}client_id={}&post_logout_redirect_uri={back}", escape(&self.config().client_id)))
    }

    /// What somebody is called here and may do, if anything.
    fn person(&self, subject: &Subject, claims: Claims, tokens: &Tokens) -> Result<Option<SignOn>, SsoError> {
        let config = self.config();
        let mut all = claims.all;
        if at(&all, &config.groups_claim).is_none() || at(&all, &config.name_claim).is_none() {
            for (name, value) in self.provider().userinfo(tokens, &subject.subject)? {
                all.entry(name).or_insert(value);
            }
        }
        let Some(role) = config.role(&groups(at(&all, &config.groups_claim))) else { return Ok(None) };
        let name = at(&all, &config.name_claim).and_then(Value::as_str).unwrap_or_default();
        let name: AccountName = name.parse().map_err(|_| SsoError::NoName(config.name_claim.clone()))?;
        Ok(Some(SignOn { subject: subject.clone(), name, role }))
    }

    /// Asks the provider for its description and its keys, for whoever configures it. Blocks.
    ///
    /// # Errors
    /// What the provider does not do as it must.
    pub fn check(&self) -> Result<(), SsoError> {
        self.provider().description()?;
        self.provider().keys(false).map(drop)
    }
}

/// What is made from the secret of a sign-in.
struct Made {
    state: String,
    nonce: String,
    verifier: String,
}

impl Made {
    fn from(secret: &str) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let made = |what: &str| BASE64.encode(hmac::sign(&key, what.as_bytes()));
        Self { state: made("state"), nonce: made("nonce"), verifier: made("verifier") }
    }
}

fn same(one: &str, other: &str) -> bool {
    // Compared by their codes under one key, which nobody can steer byte by byte.
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"state");
    hmac::verify(&key, one.as_bytes(), hmac::sign(&key, other.as_bytes()).as_ref()).is_ok()
}

/// When a sign-in that comes back now began at the earliest.
fn began_at_the_earliest(now: Timestamp) -> Timestamp {
    now.checked_sub(jiff::SignedDuration::from_secs(PATIENCE)).unwrap_or(now)
}

/// A claim; a `.` in its name leads into an object, unless a claim has the whole name.
fn at<'c>(claims: &'c Map<String, Value>, name: &str) -> Option<&'c Value> {
    if let Some(value) = claims.get(name) {
        return Some(value);
    }
    let (first, rest) = name.split_once('.')?;
    at(claims.get(first)?.as_object()?, rest)
}

/// Groups as providers write them: a list, or one name.
fn groups(claim: Option<&Value>) -> Vec<String> {
    match claim {
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn g10_state_nonce_and_verifier_differ_and_belong_to_one_secret() {
        let (one, again, other) = (Made::from("a"), Made::from("a"), Made::from("b"));
        assert!(same(&one.state, &again.state) && !same(&one.state, &other.state) && !same(&one.state, ""));
        assert!(one.state != one.nonce && one.nonce != one.verifier && one.nonce != other.nonce);
        assert!((43..=128).contains(&one.verifier.len()), "RFC 7636, section 4.1");
    }

    #[test]
    fn g10_groups_are_found_where_providers_put_them() {
        let claims = json!({"groups": ["a", 7, "b"], "realm_access": {"roles": ["c"]}, "https://x.y/roles": "d"});
        let claims = claims.as_object().expect("claims");
        let found = |name: &str| groups(at(claims, name)).join(" ");
        assert_eq!(found("groups"), "a b");
        assert_eq!(found("realm_access.roles"), "c");
        assert_eq!(found("https://x.y/roles"), "d");
        assert_eq!(found("realm_access.missing") + &found("missing.roles"), "");
    }
}
