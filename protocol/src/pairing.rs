//! Making an application link: the invite from the central server, the join from the product, the welcome back.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use jiff::Timestamp;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::{Zeroize as _, Zeroizing};

use crate::ids::LinkId;
use crate::keys::KeyId;
use crate::license::MAX_NAME;
use crate::report::ProductFacts;
use crate::seal::Document;
use crate::text;

pub use crate::url::{check_url, is_on_this_machine};

/// For how many minutes an invite can be used.
pub const INVITE_MINUTES: i64 = 30;

/// Thirty-two secret bytes in a document. They are zeroed when dropped, and never show themselves in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret([u8; 32]);

impl Secret {
    /// New bytes from the operating system's randomness.
    ///
    /// # Errors
    /// When the operating system has none to give.
    pub fn generate() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// The secret of these bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&Zeroizing::new(BASE64.encode(self.0)))
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        let bytes = Zeroizing::new(BASE64.decode(&*text).unwrap_or_default());
        let bytes = <[u8; 32]>::try_from(bytes.as_slice());
        bytes.map(Self).map_err(|_| D::Error::custom("a secret must be the base64url of 32 bytes"))
    }
}

/// What the administrator of the central server hands to the administrator of a product. It introduces the central
/// server's key, which is pinned by it: whoever hands over the invite vouches for the key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invite {
    /// Where the central server is reached, such as `https://licenses.example.org`.
    pub central_url: String,
    /// What the central server calls itself.
    pub central_name: String,
    /// What makes the invite usable once.
    pub secret: Secret,
    /// When it was made.
    pub issued_at: Timestamp,
    /// Until when it can be used.
    pub expires_at: Timestamp,
    /// The name of the application that it was made for, where there is one: then the link needs no approval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application: Option<String>,
    /// The page at the central server that its administrator came from, and is shown the way back to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_url: Option<String>,
}

impl Document for Invite {
    const PURPOSE: &'static str = "seatline/invite/v1";
    const MAX_BYTES: usize = 6 * 1024;

    fn check(&self) -> Result<(), String> {
        check_url(&self.central_url)?;
        check_name("central_name", &self.central_name)?;
        self.application.as_ref().map_or(Ok(()), |name| check_name("application", name))?;
        self.return_url.as_ref().map_or(Ok(()), |url| check_return(url, &self.central_url))
    }
}

/// What a product answers to an invite. It introduces the key that the product made for this link alone, and can be
/// sent again until the welcome has arrived: the same key and secret come to the same link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Join {
    /// The invite's secret.
    pub secret: Secret,
    /// When it was made.
    pub issued_at: Timestamp,
    /// The product that wants to be linked.
    pub product: ProductFacts,
}

impl Document for Join {
    const PURPOSE: &'static str = "seatline/join/v1";
    const MAX_BYTES: usize = 192 * 1024;

    fn check(&self) -> Result<(), String> {
        self.product.check()?;
        check_name("product.name", &self.product.name)
    }
}

/// The central server's answer to a join. It names the link's key, so that it never passes for the answer to another
/// join.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// The key that the join introduced: the link's.
    pub key: KeyId,
    /// The link that was made.
    pub link: LinkId,
    /// What the central server calls the application.
    pub application: String,
    /// When it was made.
    pub issued_at: Timestamp,
    /// Whether an administrator has approved the link, and with it the key that makes pseudonyms.
    pub state: WelcomeState,
}

/// How far a link is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WelcomeState {
    /// An administrator of the central server must compare fingerprints and approve.
    Pending,
    /// The link is in force.
    Approved {
        /// The fleet's key for pseudonyms: equal people have equal pseudonyms in all linked products.
        pseudonym_key: Secret,
    },
}

impl Document for Welcome {
    const PURPOSE: &'static str = "seatline/welcome/v1";
    const MAX_BYTES: usize = 8 * 1024;

    fn check(&self) -> Result<(), String> {
        check_name("application", &self.application)
    }
}

/// Nobody is led to another server than the one that he was shown.
fn check_return(url: &str, central_url: &str) -> Result<(), String> {
    check_url(url).map_err(|reason| format!("return_url: {reason}"))?;
    let inside = url.strip_prefix(central_url.trim_end_matches('/')).is_some_and(|path| path.starts_with('/'));
    if inside { Ok(()) } else { Err("return_url: it must be a page of the central server".to_owned()) }
}

fn check_name(what: &str, name: &str) -> Result<(), String> {
    if name.is_empty() || !text::is_line(name, MAX_NAME) {
        return Err(format!("{what} must be one line of 1 to {MAX_NAME} characters"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_its_base64url_and_nothing_else() {
        let secret = Secret::from_bytes([7; 32]);
        let json = serde_json::to_string(&secret).expect("JSON");
        assert_eq!(json, format!("\"{}\"", BASE64.encode([7; 32])));
        assert_eq!(serde_json::from_str::<Secret>(&json).expect("its own text"), secret);
        for bad in ["\"\"", "\"not base64!\"", "\"BwcH\"", "7", "null"] {
            assert!(serde_json::from_str::<Secret>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn w3_the_way_back_leads_to_the_central_server_and_to_no_other() {
        let back = |url: &str| check_return(url, "https://licenses.example.org").is_ok();
        assert!(back("https://licenses.example.org/applications/AAAA"));
        for elsewhere in [
            "https://licenses.example.org",
            "https://licenses.example.org.evil.example/applications",
            "https://evil.example/licenses.example.org/",
            "http://licenses.example.org/applications",
            "https://licenses.example.org//evil.example",
            "https://licenses.example.org/%2e%2e/x",
            "javascript:alert(1)",
        ] {
            assert!(!back(elsewhere), "{elsewhere}");
        }
    }

    #[test]
    fn a_secret_never_shows_itself() {
        assert_eq!(format!("{:?}", Secret::from_bytes([7; 32])), "Secret(…)");
        let refused = serde_json::from_str::<Secret>("\"BwcHBwcH\"").expect_err("too short").to_string();
        assert!(!refused.contains("BwcH"), "{refused}");
    }
}
