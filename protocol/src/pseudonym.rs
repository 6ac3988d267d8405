//! The key that makes pseudonyms (`b9`): what names it, and how a product is handed another one.
//!
//! People are counted once over products by equal pseudonyms, and those are equal under one key alone. So a report
//! names the key that its sketch was made with, by an id that tells nothing of it; and a central server that has made
//! another key hands it to its products with the answers to their exchanges.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{Digester, LinkId};
use crate::pairing::Secret;
use crate::seal::Document;

crate::checked_string!(
    /// What names a pseudonym key: 128 bits of a digest of it. Who has it can tell whether two reports were made with
    /// one key, and no more.
    PseudonymKeyId,
    "a pseudonym key id",
    "32 hexadecimal digits",
    |text| text.len() == 32 && text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'a'..=b'f'))
);

impl PseudonymKeyId {
    /// The id of a key.
    ///
    /// ```
    /// use seatline_protocol::pairing::Secret;
    /// use seatline_protocol::pseudonym::PseudonymKeyId;
    ///
    /// let id = PseudonymKeyId::of(&Secret::from_bytes([7; 32]));
    /// assert_eq!(id.as_str().len(), 32);
    /// assert_ne!(id, PseudonymKeyId::of(&Secret::from_bytes([8; 32])));
    /// ```
    pub fn of(key: &Secret) -> Self {
        let mut digester = Digester::default();
        digester.update(b"seatline/pseudonym-key-id/v1");
        digester.update(key.expose());
        Self(digester.digest().hex()[..32].to_owned())
    }
}

/// The pseudonym key that a product is to use from its next report on. It holds a secret: it goes to the product of the
/// link alone, and stands in no evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PseudonymKey {
    /// The link.
    pub link: LinkId,
    /// The key.
    pub key: Secret,
    /// When it was made: an older one never takes the place of a newer one.
    pub made_at: Timestamp,
}

impl Document for PseudonymKey {
    const PURPOSE: &'static str = "seatline/pseudonym-key/v1";
    const MAX_BYTES: usize = 1024;

    fn check(&self) -> Result<(), String> {
        Ok(())
    }
}
