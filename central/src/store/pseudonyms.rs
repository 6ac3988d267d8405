//! The keys that pseudonyms are made with (`b9`).

use async_trait::async_trait;
use seatline_protocol::PseudonymKeyId;

use super::Stored;
use crate::domain::Act;
use crate::domain::pseudonyms::{KeyUses, MadeKey};

/// The keys that pseudonyms are made with.
#[async_trait]
pub trait PseudonymKeys: Send + Sync {
    /// Binds the store to the first pseudonym key if it is bound to none, and gives the one that it is bound to.
    async fn bind_pseudonyms(&self, first: &PseudonymKeyId) -> Stored<PseudonymKeyId>;
    /// The keys that took the place of the first, the newest first, at most a hundred.
    async fn pseudonym_keys(&self) -> Stored<Vec<MadeKey>>;
    /// Puts a key in the place of the one in force, which must be `replaces`.
    ///
    /// # Errors
    /// [`super::StoreError::Conflict`] where another one is in force: somebody was faster.
    async fn add_pseudonym_key(&self, act: &Act, key: &MadeKey, replaces: &PseudonymKeyId) -> Stored<()>;
    /// The key that the newest sketch of a link was made with; none where it has none, or does not say.
    async fn people_key(&self, link: &seatline_protocol::LinkId) -> Stored<Option<PseudonymKeyId>>;
    /// How far the keys are used, of which `first` is the first.
    async fn key_uses(&self, first: &PseudonymKeyId) -> Stored<KeyUses>;
}
