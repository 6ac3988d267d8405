//! The ID token: a signed statement of the provider about who signed in (OpenID Connect Core, sections 2 and 3.1.3.7).
//!
//! The algorithm comes from a list of ours and must fit the kind of the key, which comes from the provider's own keys:
//! a token chooses neither. Nothing in it is believed before its signature holds.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use jiff::{SignedDuration, Timestamp};
use ring::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm};
use seatline_protocol::text::is_line;
use serde::Deserialize;
use serde_json::{Map, Value};

/// How far two clocks may differ.
const SKEW: SignedDuration = SignedDuration::from_mins(1);
/// The most bytes of an ID token.
const MAX_TOKEN: usize = 64 * 1024;
/// The most characters of a person's id at the provider.
const MAX_SUBJECT: usize = 255;

/// Why an ID token is not to be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It is no token.
    #[error("it is no ID token")]
    Malformed,
    /// It is signed in a way that is not taken: also `none`, and any with a shared secret.
    #[error("it is signed in a way that is not taken here")]
    Algorithm,
    /// The provider has no such key.
    #[error("it is signed by a key that the provider does not show")]
    UnknownKey,
    /// The signature does not hold.
    #[error("its signature does not hold")]
    Signature,
    /// Another provider made it.
    #[error("another provider made it")]
    Issuer,
    /// It was made for somebody else.
    #[error("it was made for another application")]
    Audience,
    /// Its time is over, or has not come.
    #[error("its time is over, or has not come: compare the clocks of both servers")]
    Time,
    /// It belongs to another sign-in.
    #[error("it belongs to another sign-in")]
    Nonce,
    /// It does not say when the person signed in at the provider, or that is too long ago.
    #[error("the person did not sign in anew at the provider")]
    Stale,
}

impl TokenError {
    /// A stable code for machines.
    pub fn code(self) -> &'static str {
        match self {
            Self::Malformed => "sso-token-malformed",
            Self::Algorithm => "sso-token-algorithm",
            Self::UnknownKey => "sso-token-key",
            Self::Signature => "sso-token-signature",
            Self::Issuer => "sso-token-issuer",
            Self::Audience => "sso-token-audience",
            Self::Time => "sso-token-time",
            Self::Nonce => "sso-token-nonce",
            Self::Stale => "sso-token-stale",
        }
    }
}

/// What an ID token has to say.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The provider.
    pub issuer: &'a str,
    /// This server's name there.
    pub client_id: &'a str,
    /// The nonce of this sign-in.
    pub nonce: &'a str,
    /// The present.
    pub now: Timestamp,
    /// Since when the person must have signed in at the provider, where it matters.
    pub signed_in_since: Option<Timestamp>,
}

/// What a believed ID token says.
#[derive(Debug, Clone, PartialEq)]
pub struct Claims {
    /// The person's id at the provider.
    pub subject: String,
    /// All that it says.
    pub all: Map<String, Value>,
}

/// The keys of a provider (RFC 7517). Those of a kind that is not known here are passed over.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Keys {
    keys: Vec<Value>,
}

#[derive(Debug, Deserialize)]
struct Key {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    alg: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<Value>,
}

/// Verifies an ID token.
///
/// # Errors
/// See [`TokenError`]. With [`TokenError::UnknownKey`] the provider may have new keys.
pub fn verify(token: &str, keys: &Keys, expected: Expected<'_>) -> Result<Claims, TokenError> {
    if token.len() > MAX_TOKEN {
        return Err(TokenError::Malformed);
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
    let (header, claims) = signed.split_once('.').ok_or(TokenError::Malformed)?;
    let header: Header = serde_json::from_slice(&decoded(header)?).map_err(|_| TokenError::Malformed)?;
    if header.crit.is_some() {
        // Whoever wrote it demands that it be understood, and nothing of it is.
        return Err(TokenError::Algorithm);
    }
    let signature = decoded(signature)?;
    let usable: Vec<Key> = keys.keys.iter().filter_map(|key| serde_json::from_value(key.clone()).ok()).collect();
    let of_kind = usable.iter().filter(|key| key.serves(&header.alg));
    if !KINDS.iter().any(|(alg, ..)| *alg == header.alg) {
        return Err(TokenError::Algorithm);
    }
    let named = |key: &&Key| header.kid.is_none() || key.kid == header.kid;
    let candidates: Vec<&Key> = of_kind.filter(named).collect();
    if candidates.is_empty() {
        return Err(TokenError::UnknownKey);
    }
    let holds = candidates.iter().any(|key| key.verifies(&header.alg, signed.as_bytes(), &signature));
    if !holds {
        return Err(TokenError::Signature);
    }
    believed(&decoded(claims)?, expected)
}

fn decoded(part: &str) -> Result<Vec<u8>, TokenError> {
    BASE64.decode(part).map_err(|_| TokenError::Malformed)
}

/// Holds claims, whose signature holds, against what they have to say.
fn believed(claims: &[u8], expected: Expected<'_>) -> Result<Claims, TokenError> {
    let all: Map<String, Value> = serde_json::from_slice(claims).map_err(|_| TokenError::Malformed)?;
    let text = |name: &str| all.get(name).and_then(Value::as_str);
    let time = |name: &str| {
        let seconds = all.get(name).and_then(Value::as_f64)?;
        // A fraction of a second decides nothing; what is out of range is no time.
        #[expect(clippy::cast_possible_truncation, reason = "a cast from f64 to i64 saturates")]
        Timestamp::from_second(seconds as i64).ok()
    };
    if text("iss") != Some(expected.issuer) {
        return Err(TokenError::Issuer);
    }
    let audience = match all.get("aud") {
        Some(Value::String(one)) => vec![one.as_str()],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let presenter = text("azp");
    let for_us = audience.contains(&expected.client_id)
        && presenter.is_none_or(|presenter| presenter == expected.client_id)
        && (audience.len() == 1 || presenter.is_some());
    if !for_us {
        return Err(TokenError::Audience);
    }
    let now = expected.now;
    let (earliest, latest) = (now.checked_sub(SKEW).unwrap_or(now), now.checked_add(SKEW).unwrap_or(now));
    let in_time = time("exp").is_some_and(|end| end > earliest)
        && time("iat").is_some_and(|made| made <= latest)
        && (!all.contains_key("nbf") || time("nbf").is_some_and(|begin| begin <= latest));
    if !in_time {
        return Err(TokenError::Time);
    }
    if text("nonce") != Some(expected.nonce) {
        return Err(TokenError::Nonce);
    }
    if let Some(since) = expected.signed_in_since {
        let since = since.checked_sub(SKEW).unwrap_or(since);
        if time("auth_time").is_none_or(|at| at < since) {
            return Err(TokenError::Stale);
        }
    }
    let subject = text("sub").filter(|subject| !subject.is_empty() && is_line(subject, MAX_SUBJECT));
    let subject = subject.ok_or(TokenError::Malformed)?.to_owned();
    Ok(Claims { subject, all })
}

/// The algorithms that are taken, each with the kind and curve of its keys.
const KINDS: [(&str, &str, Option<&str>); 7] = [
    ("RS256", "RSA", None),
    ("RS384", "RSA", None),
    ("RS512", "RSA", None),
    ("PS256", "RSA", None),
    ("ES256", "EC", Some("P-256")),
    ("ES384", "EC", Some("P-384")),
    ("EdDSA", "OKP", Some("Ed25519")),
];

impl Key {
    /// Whether it is a key for signatures by `alg`.
    fn serves(&self, alg: &str) -> bool {
        let fits = |(name, kind, curve): &(&str, &str, Option<&str>)| {
            *name == alg && *kind == self.kty && curve.is_none_or(|curve| self.crv.as_deref() == Some(curve))
        };
        KINDS.iter().any(fits)
            && self.purpose.as_deref().is_none_or(|purpose| purpose == "sig")
            && self.alg.as_deref().is_none_or(|own| own == alg)
    }

    fn verifies(&self, alg: &str, message: &[u8], signature: &[u8]) -> bool {
        let part =
            |part: &Option<String>| part.as_deref().and_then(|text| BASE64.decode(text).ok()).unwrap_or_default();
        let rsa = |parameters| {
            RsaPublicKeyComponents { n: part(&self.n), e: part(&self.e) }.verify(parameters, message, signature)
        };
        let plain = |algorithm: &'static dyn VerificationAlgorithm, key: Vec<u8>| {
            UnparsedPublicKey::new(algorithm, key).verify(message, signature)
        };
        // A point in its uncompressed form (SEC 1).
        let point = || [&[4][..], &part(&self.x), &part(&self.y)].concat();
        let verified = match alg {
            "RS256" => rsa(&signature::RSA_PKCS1_2048_8192_SHA256),
            "RS384" => rsa(&signature::RSA_PKCS1_2048_8192_SHA384),
            "RS512" => rsa(&signature::RSA_PKCS1_2048_8192_SHA512),
            "PS256" => rsa(&signature::RSA_PSS_2048_8192_SHA256),
            "ES256" => plain(&signature::ECDSA_P256_SHA256_FIXED, point()),
            "ES384" => plain(&signature::ECDSA_P384_SHA384_FIXED, point()),
            "EdDSA" => plain(&signature::ED25519, part(&self.x)),
            _ => return false,
        };
        verified.is_ok()
    }
}

#[cfg(test)]
mod tests;
