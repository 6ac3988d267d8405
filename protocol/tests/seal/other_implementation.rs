//! The crate `pasetors` reads what we seal, and we read what it signs.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use pasetors::keys::{AsymmetricPublicKey, AsymmetricSecretKey};
use pasetors::token::UntrustedToken;
use pasetors::version4::{PublicToken, V4};
use pasetors::{Public, paserk::FormatAsPaserk};
use seatline_protocol::seal::{Document as _, open};
use seatline_protocol::{License, PublicKey, SecretKey};

use crate::{license, sealed, vendor};

/// The other implementation's form of a secret key, by way of its PASERK text.
pub fn theirs(key: &SecretKey) -> AsymmetricSecretKey<V4> {
    AsymmetricSecretKey::try_from(key.to_paserk().as_str()).expect("they read our secret key")
}

pub fn footer_json(signer: &SecretKey, introduced: Option<&SecretKey>) -> String {
    let kid = signer.public().id();
    match introduced {
        Some(key) => format!(r#"{{"kid":"{kid}","key":"{}"}}"#, key.public()),
        None => format!(r#"{{"kid":"{kid}"}}"#),
    }
}

/// A footer as it stands in a token.
pub fn footer(signer: &SecretKey, introduced: Option<&SecretKey>) -> String {
    BASE64.encode(footer_json(signer, introduced))
}

/// Any payload, signed as a license; none where the other implementation does not sign it.
pub fn sign(payload: &str, key: &SecretKey) -> Option<String> {
    let footer = footer_json(key, None);
    let assertion = License::PURPOSE.as_bytes();
    PublicToken::sign(&theirs(key), payload.as_bytes(), Some(footer.as_bytes()), Some(assertion)).ok()
}

#[test]
fn what_we_seal_the_other_implementation_verifies() {
    let text = vendor().public().to_string();
    let key = AsymmetricPublicKey::<V4>::try_from(text.as_str()).expect("they read our public key");
    let token = UntrustedToken::<Public, V4>::try_from(&sealed()).expect("they read our token");
    let verified = PublicToken::verify(&key, &token, None, Some(License::PURPOSE.as_bytes())).expect("it verifies");
    assert_eq!(serde_json::from_str::<License>(verified.payload()).expect("our license"), license());
    assert!(PublicToken::verify(&key, &token, None, Some(b"seatline/report/v1")).is_err(), "another purpose");
}

#[test]
fn what_the_other_implementation_signs_for_our_purpose_we_open() {
    let payload = serde_json::to_string(&license()).expect("JSON");
    let token = sign(&payload, &vendor()).expect("they sign it");
    assert_eq!(token, sealed(), "the same bytes, since nothing in a seal is random");
    assert_eq!(open(&token, &[vendor().public()]), Ok(license()));
}

#[test]
fn keys_and_key_ids_have_one_text_in_both() {
    let key = theirs(&vendor());
    let public = AsymmetricPublicKey::try_from(&key).expect("their public half");
    let mut text = String::new();
    public.fmt(&mut text).expect("their text");
    assert_eq!(text.parse::<PublicKey>().expect("we read it"), vendor().public());

    let mut id = String::new();
    pasetors::paserk::Id::from(&public).fmt(&mut id).expect("their key id");
    assert_eq!(id, vendor().public().id().to_string());
}
