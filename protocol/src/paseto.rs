//! The token under the seal: PASETO `v4.public` over raw bytes, held to the published vectors.
//!
//! Source: the PASETO specification, version 4, purpose `public`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;

use crate::keys::{PublicKey, SecretKey};

/// How every token begins.
pub(crate) const HEADER: &str = "v4.public.";
const SIGNATURE_BYTES: usize = 64;

/// A token, decoded and not verified.
pub(crate) struct Token {
    pub payload: Vec<u8>,
    pub signature: [u8; SIGNATURE_BYTES],
    /// Empty where there is none.
    pub footer: Vec<u8>,
}

/// Why a text is not a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Malformed {
    /// It begins as something else.
    NotAToken,
    /// It is the beginning of a token.
    CutOff,
    /// It is garbled, with the reason.
    Damaged(&'static str),
}

impl Token {
    /// Decodes a token. There is one text for each token: padding, and bits that mean nothing, are refused.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let Some(rest) = text.strip_prefix(HEADER) else {
            return Err(if HEADER.starts_with(text) { Malformed::CutOff } else { Malformed::NotAToken });
        };
        let (body, footer) = rest.split_once('.').map_or((rest, None), |(body, footer)| (body, Some(footer)));
        // Only a token that does not decode is looked at closely: most do.
        let fault = |otherwise| {
            let is_own = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
            let foreign = Malformed::Damaged("it holds characters that are not of base64url");
            if rest.bytes().all(is_own) { otherwise } else { foreign }
        };
        // What follows the fault tells a gap in the middle from a missing end.
        let damaged = |reason| fault(if footer.is_some() { Malformed::Damaged(reason) } else { Malformed::CutOff });
        let mut payload = BASE64.decode(body).map_err(|_| damaged("its body is not base64url"))?;
        let signed = payload.len().checked_sub(SIGNATURE_BYTES);
        let at = signed.ok_or_else(|| damaged("its body is shorter than a signature"))?;
        let mut signature = [0; SIGNATURE_BYTES];
        signature.copy_from_slice(&payload[at..]);
        payload.truncate(at);
        let footer = footer.unwrap_or_default();
        if footer.contains('.') {
            return Err(fault(Malformed::Damaged("it has too many parts")));
        }
        // The footer is the end of the text: what is no base64 with good characters lacks some.
        let footer = BASE64.decode(footer).map_err(|_| fault(Malformed::CutOff))?;
        Ok(Self { payload, signature, footer })
    }

    /// Whether `key` signed the payload and the footer for `assertion`.
    pub fn verifies(&self, key: &PublicKey, assertion: &[u8]) -> bool {
        let message = pae(&[HEADER.as_bytes(), &self.payload, &self.footer, assertion]);
        key.verifies(&message, &self.signature)
    }
}

/// The footer of a token, where it has one of at most `max` bytes. What stands before it is not decoded.
pub(crate) fn footer_of(text: &str, max: usize) -> Option<Vec<u8>> {
    let (_, footer) = text.strip_prefix(HEADER)?.rsplit_once('.')?;
    // Base64 writes three bytes in four characters.
    if footer.len() > (max * 4).div_ceil(3) { None } else { BASE64.decode(footer).ok() }
}

/// Signs a payload and a footer, which may be empty, for `assertion`.
pub(crate) fn sign(key: &SecretKey, payload: &[u8], footer: &[u8], assertion: &[u8]) -> String {
    assemble(payload, &key.sign(&pae(&[HEADER.as_bytes(), payload, footer, assertion])), footer)
}

/// The text of a token.
pub(crate) fn assemble(payload: &[u8], signature: &[u8; SIGNATURE_BYTES], footer: &[u8]) -> String {
    let mut token = String::from(HEADER);
    BASE64.encode_string([payload, &signature[..]].concat(), &mut token);
    if !footer.is_empty() {
        token.push('.');
        BASE64.encode_string(footer, &mut token);
    }
    token
}

/// PASETO's pre-authentication encoding: the number of pieces, then each with its length, all as 64-bit little endian.
fn pae(pieces: &[&[u8]]) -> Vec<u8> {
    let mut encoded = Vec::with_capacity(8 + pieces.iter().map(|piece| 8 + piece.len()).sum::<usize>());
    encoded.extend((pieces.len() as u64).to_le_bytes());
    for piece in pieces {
        encoded.extend((piece.len() as u64).to_le_bytes());
        encoded.extend(*piece);
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::tests::unhex;
    use serde_json::Value;

    /// The published vectors of purpose `public`, and the failures of both purposes.
    fn vectors() -> Vec<Value> {
        let file: Value = serde_json::from_str(include_str!("../tests/vectors/paseto-v4.json")).expect("the vectors");
        file["tests"].as_array().expect("a list").clone()
    }

    fn text<'a>(vector: &'a Value, field: &str) -> &'a str {
        vector[field].as_str().expect("a text of the vector")
    }

    fn secret(vector: &Value) -> SecretKey {
        SecretKey::from_seed(&unhex(text(vector, "secret-key-seed")).expect("a seed"))
    }

    #[test]
    fn the_published_tokens_are_made_and_verified_byte_by_byte() {
        let signed: Vec<_> = vectors().into_iter().filter(|vector| vector["expect-fail"] == false).collect();
        assert_eq!(signed.len(), 3, "4-S-1 to 4-S-3");
        for vector in signed {
            let [payload, footer, assertion] =
                ["payload", "footer", "implicit-assertion"].map(|field| text(&vector, field).as_bytes());
            let key = secret(&vector);
            assert_eq!(sign(&key, payload, footer, assertion), text(&vector, "token"), "{}", vector["name"]);

            let token = Token::parse(text(&vector, "token")).expect("a token");
            assert_eq!((&token.payload[..], &token.footer[..]), (payload, footer), "{}", vector["name"]);
            assert!(token.verifies(&key.public(), assertion), "{}", vector["name"]);
            assert!(!token.verifies(&key.public(), b"another assertion"), "{}", vector["name"]);
            assert!(!token.verifies(&SecretKey::from_seed(&[1; 32]).public(), assertion), "{}", vector["name"]);
        }
    }

    #[test]
    fn the_published_failures_of_another_purpose_or_version_are_no_tokens() {
        let failures: Vec<_> = vectors().into_iter().filter(|vector| vector["expect-fail"] == true).collect();
        assert_eq!(failures.len(), 5, "4-F-1 to 4-F-5");
        let any_key = secret(&vectors()[0]).public();
        for vector in failures {
            let assertion = text(&vector, "implicit-assertion").as_bytes();
            match Token::parse(text(&vector, "token")) {
                // 4-F-2 is a token of our purpose that was made to be taken for the other one, by an unknown key.
                Ok(token) => assert!(vector["name"] == "4-F-2" && !token.verifies(&any_key, assertion)),
                Err(malformed) => assert_eq!(malformed, Malformed::NotAToken, "{}", vector["name"]),
            }
        }
    }

    #[test]
    fn there_is_one_text_for_each_token() {
        let whole = sign(&SecretKey::from_seed(&[7; 32]), b"{}", b"footer", b"");
        assert!(Token::parse(&whole).is_ok());
        let (head, footer) = whole.rsplit_once('.').expect("a footer");
        let table = [
            (format!("{whole}="), Malformed::Damaged("it holds characters that are not of base64url")),
            (format!("{head}=.{footer}"), Malformed::Damaged("it holds characters that are not of base64url")),
            (format!("{whole}.more"), Malformed::Damaged("it has too many parts")),
            (format!("{HEADER}A.{footer}"), Malformed::Damaged("its body is not base64url")),
            (format!("{HEADER}AAAA.{footer}"), Malformed::Damaged("its body is shorter than a signature")),
            (whole.to_uppercase(), Malformed::NotAToken),
        ];
        for (text, expected) in table {
            assert_eq!(Token::parse(&text).err(), Some(expected), "{text}");
        }
    }
}
