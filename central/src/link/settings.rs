//! The sealed settings of links. Nearly every exchange brings the same ones as the exchange before, and to sign them is
//! a tenth of its work, so that the signatures are kept; the rest of a document is made again with less memory than it
//! would take.

use seatline_protocol::seal::{self, Unopened};
use seatline_protocol::{LinkId, OpenError, SecretKey, Settings};

use crate::domain::LinkSettings;
use crate::kept::Kept;

/// How many links' signatures are kept, of about 200 bytes each; beyond that, all are made anew.
const KEPT: usize = 128 * 1024;

/// The signatures, each with the revision of the settings.
#[derive(Debug)]
pub struct SealedSettings(Kept<LinkId, (u64, [u8; 64])>);

impl Default for SealedSettings {
    fn default() -> Self {
        Self(Kept::at_most(KEPT))
    }
}

impl SealedSettings {
    /// The settings of a link, sealed by `key`, which is the same each time. They are the same bytes until they change.
    ///
    /// # Errors
    /// Where the settings break a rule of the document.
    pub fn sealed(&self, link: &LinkId, settings: &LinkSettings, key: &SecretKey) -> Result<String, OpenError> {
        let document = settings.document(link);
        let kept = self.0.get(link);
        if let Some((_, signature)) = kept.filter(|(revision, _)| *revision == settings.revision) {
            return seal::assembled(&document, &key.public().id(), &signature);
        }
        let sealed = seal::seal(&document, key)?;
        let signature = *Unopened::<Settings>::read(&sealed)?.signature();
        self.0.keep(link.clone(), (settings.revision, signature));
        Ok(sealed)
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn settings_are_the_same_bytes_until_they_change_and_the_product_can_open_them() {
        let key = SecretKey::generate().expect("randomness");
        let (kept, link) = (SealedSettings::default(), LinkId::from_random([1; 24]));
        let first = LinkSettings::initial(Timestamp::UNIX_EPOCH);
        let sealed = kept.sealed(&link, &first, &key).expect("sealed");
        assert_eq!(kept.sealed(&link, &first, &key).expect("assembled"), sealed);
        let changed = first.demanding(Timestamp::UNIX_EPOCH);
        for _ in 0..2 {
            let sealed = kept.sealed(&link, &changed, &key).expect("sealed");
            let opened: Settings = seal::open(&sealed, &[key.public()]).expect("sealed by the server");
            assert_eq!(opened, changed.document(&link));
        }
    }
}
