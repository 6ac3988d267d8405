//! The key that pseudonyms are made with, and another one in its place (`b9`).

use std::time::{Duration, Instant};

use seatline_protocol::pairing::Secret;
use seatline_protocol::{LinkId, OpenError, PseudonymKey, PseudonymKeyId, seal};

use crate::central::{ActionError, Central};
use crate::domain::Actor;
use crate::domain::pseudonyms::{KeyUses, MadeKey, PresentKey, derived};
use crate::store::{StoreError, Stored};

/// For how long the key in force is taken to be so without a look at the store: another server may have made one.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

impl Central {
    /// What names the first key, which is the secret beside the server.
    pub(super) fn first_pseudonym_key(&self) -> PseudonymKeyId {
        PseudonymKeyId::of(self.keys().pseudonym())
    }

    /// The key in force.
    ///
    /// # Errors
    /// Where the store cannot be asked.
    pub async fn pseudonym_key(&self) -> Stored<PresentKey> {
        let kept = self.kept_pseudonym_key();
        if let Some((_, present)) = kept.filter(|(at, _)| at.elapsed() < LOOK_AGAIN) {
            return Ok(present);
        }
        let present = match self.store().pseudonym_keys().await?.into_iter().next() {
            None => PresentKey { id: self.first_pseudonym_key(), key: self.keys().pseudonym().clone(), made_at: None },
            Some(MadeKey { id, salt, made_at, .. }) => {
                PresentKey { id, key: derived(self.keys().pseudonym(), &salt), made_at: Some(made_at) }
            }
        };
        self.keep_pseudonym_key(Some((Instant::now(), present.clone())));
        Ok(present)
    }

    /// The key in force, sealed for the product of a link that has not turned to it yet; none where there is nothing to
    /// turn to.
    ///
    /// # Errors
    /// Where the store cannot be asked.
    pub async fn pseudonym_key_for(&self, link: &LinkId) -> Stored<Option<Result<String, OpenError>>> {
        let present = self.pseudonym_key().await?;
        // Of a key that was never replaced there is nothing to tell.
        let Some(made_at) = present.made_at else { return Ok(None) };
        if self.store().people_key(link).await? == Some(present.id) {
            return Ok(None);
        }
        let document = PseudonymKey { link: link.clone(), key: present.key, made_at };
        Ok(Some(seal::seal(&document, self.keys().secret())))
    }

    /// How far the keys are used: who has turned to the one in force, and who has not.
    ///
    /// # Errors
    /// Where the store cannot be asked.
    pub async fn pseudonym_keys(&self) -> Result<KeyUses, ActionError> {
        Ok(self.store().key_uses(&self.first_pseudonym_key()).await?)
    }

    /// Makes another key in the place of `replaces`, the one in force. Products turn to it with their next reports.
    ///
    /// # Errors
    /// [`ActionError::Store`] with a conflict where another one is in force meanwhile.
    pub async fn replace_pseudonym_key(
        &self,
        actor: &Actor,
        replaces: &PseudonymKeyId,
    ) -> Result<KeyUses, ActionError> {
        let salt = Secret::generate()?;
        let id = PseudonymKeyId::of(&derived(self.keys().pseudonym(), &salt));
        let key = MadeKey { id, salt, made_at: self.now(), made_by: actor.name.clone() };
        self.store().add_pseudonym_key(&self.act(actor)?, &key, replaces).await?;
        self.keep_pseudonym_key(None);
        tracing::info!(id = key.id.as_str(), "another pseudonym key is in force");
        self.pseudonym_keys().await
    }

    /// Holds the secret beside this server against the one that the stored data was made with.
    pub(crate) async fn bound_pseudonyms(store: &dyn crate::store::Store, first: &Secret) -> Result<(), ActionError> {
        let first = PseudonymKeyId::of(first);
        let bound_to = match store.bind_pseudonyms(&first).await {
            Ok(bound_to) => bound_to,
            Err(StoreError::Missing(_)) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        if bound_to == first {
            return Ok(());
        }
        let reason = format!(
            "the key beside this server is {first}, and the stored data was made with {bound_to}: put the file \
             `pseudonym.key` here that the other servers have, or the one of the backup"
        );
        Err(ActionError::invalid("pseudonym key", reason))
    }
}
