use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
use serde_json::json;

use super::*;

const ISSUER: &str = "https://id.example";

/// A provider with one key of each curve.
struct Provider {
    p256: EcdsaKeyPair,
    ed25519: Ed25519KeyPair,
}

impl Provider {
    fn new() -> Self {
        let random = SystemRandom::new();
        let p256 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).expect("a key");
        let p256 = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, p256.as_ref(), &random).expect("a key");
        let ed25519 = Ed25519KeyPair::generate_pkcs8(&random).expect("a key");
        let ed25519 = Ed25519KeyPair::from_pkcs8(ed25519.as_ref()).expect("a key");
        Self { p256, ed25519 }
    }

    fn keys(&self) -> Keys {
        let point = self.p256.public_key().as_ref();
        let text = |bytes: &[u8]| BASE64.encode(bytes);
        let keys = json!({"keys": [
            {"kty": "EC", "crv": "P-256", "kid": "ec", "use": "sig", "x": text(&point[1..33]), "y": text(&point[33..])},
            {"kty": "OKP", "crv": "Ed25519", "kid": "ed", "x": text(self.ed25519.public_key().as_ref())},
            {"kty": "new-kind", "kid": "later"},
        ]});
        serde_json::from_value(keys).expect("keys")
    }

    /// A token of these claims, signed as its header says.
    fn token(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| BASE64.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let signature = match header["alg"].as_str() {
            Some("ES256") => self.p256.sign(&SystemRandom::new(), signed.as_bytes()).expect("signed").as_ref().to_vec(),
            Some("EdDSA") => self.ed25519.sign(signed.as_bytes()).as_ref().to_vec(),
            Some("HS256") => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, self.p256.public_key().as_ref());
                hmac::sign(&key, signed.as_bytes()).as_ref().to_vec()
            }
            _ => Vec::new(),
        };
        format!("{signed}.{}", BASE64.encode(signature))
    }

    fn verify(&self, token: &str) -> Result<Claims, TokenError> {
        verify(token, &self.keys(), expected())
    }
}

fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).expect("a time")
}

fn expected() -> Expected<'static> {
    Expected { issuer: ISSUER, client_id: "seatline", nonce: "n-1", now: now(), signed_in_since: None }
}

fn good() -> Value {
    let now = now().as_second();
    json!({"iss": ISSUER, "aud": "seatline", "sub": "0017", "exp": now + 300, "iat": now, "nonce": "n-1"})
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = good();
    claims[name] = value;
    claims
}

#[test]
fn g10_a_token_of_the_provider_is_believed_by_either_of_its_keys() {
    let provider = Provider::new();
    for header in [json!({"alg": "ES256", "kid": "ec"}), json!({"alg": "ES256"}), json!({"alg": "EdDSA", "kid": "ed"})]
    {
        let claims = provider.verify(&provider.token(&header, &good())).expect("believed");
        assert_eq!(claims.subject, "0017");
    }
    let several = with("aud", json!(["other", "seatline"]));
    assert_eq!(provider.verify(&provider.token(&json!({"alg": "ES256"}), &several)), Err(TokenError::Audience));
    let mut several = several;
    several["azp"] = json!("seatline");
    assert!(provider.verify(&provider.token(&json!({"alg": "ES256"}), &several)).is_ok());
}

#[test]
fn g10_a_token_chooses_neither_its_algorithm_nor_its_key() {
    let (provider, stranger) = (Provider::new(), Provider::new());
    for (alg, expected) in [
        ("none", TokenError::Algorithm),
        ("None", TokenError::Algorithm),
        ("HS256", TokenError::Algorithm),
        ("", TokenError::Algorithm),
        ("RS256", TokenError::UnknownKey),
        ("ES384", TokenError::UnknownKey),
    ] {
        let token = provider.token(&json!({"alg": alg}), &good());
        assert_eq!(provider.verify(&token), Err(expected), "{alg}");
    }
    let stripped = provider.token(&json!({"alg": "none"}), &good());
    assert_eq!(provider.verify(stripped.trim_end_matches('.')), Err(TokenError::Malformed));
    let crossed = provider.token(&json!({"alg": "EdDSA", "kid": "ec"}), &good());
    assert_eq!(provider.verify(&crossed), Err(TokenError::UnknownKey), "the key's kind and the algorithm must fit");
    let forged = stranger.token(&json!({"alg": "ES256", "kid": "ec"}), &good());
    assert_eq!(provider.verify(&forged), Err(TokenError::Signature));
    let rotated = provider.token(&json!({"alg": "ES256", "kid": "newer"}), &good());
    assert_eq!(provider.verify(&rotated), Err(TokenError::UnknownKey));
    let critical = provider.token(&json!({"alg": "ES256", "crit": ["b64"]}), &good());
    assert_eq!(provider.verify(&critical), Err(TokenError::Algorithm));
    let point = stranger.p256.public_key().as_ref();
    let own = json!({"kty": "EC", "crv": "P-256", "x": BASE64.encode(&point[1..33]), "y": BASE64.encode(&point[33..])});
    let brought = stranger.token(&json!({"alg": "ES256", "jwk": own}), &good());
    assert_eq!(provider.verify(&brought), Err(TokenError::Signature), "a key that a token brings is not looked at");
}

#[test]
fn g10_each_claim_is_held_against_what_it_must_say() {
    let provider = Provider::new();
    let now = now().as_second();
    for (claims, expected) in [
        (with("iss", json!("https://evil.example")), TokenError::Issuer),
        (with("iss", json!("https://id.example/")), TokenError::Issuer),
        (with("iss", Value::Null), TokenError::Issuer),
        (with("aud", json!("another")), TokenError::Audience),
        (with("aud", json!([])), TokenError::Audience),
        (with("azp", json!("another")), TokenError::Audience),
        (with("exp", json!(now - 61)), TokenError::Time),
        (with("exp", json!("never")), TokenError::Time),
        (with("exp", json!(1e300)), TokenError::Time),
        (with("iat", json!(now + 61)), TokenError::Time),
        (with("nbf", json!(now + 61)), TokenError::Time),
        (with("nonce", json!("n-2")), TokenError::Nonce),
        (with("nonce", Value::Null), TokenError::Nonce),
        (with("sub", json!("")), TokenError::Malformed),
        (with("sub", json!("x".repeat(256))), TokenError::Malformed),
        (json!([]), TokenError::Malformed),
    ] {
        let token = provider.token(&json!({"alg": "ES256"}), &claims);
        assert_eq!(provider.verify(&token).map(|_| ()), Err(expected), "{claims}");
    }
    let token = provider.token(&json!({"alg": "ES256"}), &good());
    let (signed, _) = token.rsplit_once('.').expect("parts");
    let (_, signature) = provider
        .token(&json!({"alg": "ES256"}), &with("sub", json!("0018")))
        .rsplit_once('.')
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .expect("parts");
    assert_eq!(provider.verify(&format!("{signed}.{signature}")), Err(TokenError::Signature));
    for odd in ["", ".", "..", "a.b.c", &"x".repeat(MAX_TOKEN + 1)] {
        assert_eq!(provider.verify(odd), Err(TokenError::Malformed));
    }
}

#[test]
fn g10_who_has_to_prove_again_who_he_is_signed_in_just_now() {
    let provider = Provider::new();
    let ask = |claims: &Value| {
        let expected = Expected { signed_in_since: Some(now()), ..expected() };
        verify(&provider.token(&json!({"alg": "ES256"}), claims), &provider.keys(), expected).map(|_| ())
    };
    let now = now().as_second();
    assert_eq!(ask(&with("auth_time", json!(now))), Ok(()));
    assert_eq!(ask(&with("auth_time", json!(now - 3600))), Err(TokenError::Stale));
    assert_eq!(ask(&good()), Err(TokenError::Stale));
}
