//! Replacing the link's key: one write makes the new key the link's, and leaves the old one's word for it behind.
//!
//! The old secret key is gone with that write: what it vouches for is sealed already. Reports are sealed by the new key
//! from then on, and the rotation goes with every exchange until the central server has welcomed the new key. Whatever
//! is interrupted, the one side has the new key or has not, and the other learns of it with the next exchange.

use jiff::Timestamp;
use seatline_protocol::{KeyId, Rotation, SecretKey, Sequence};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{Link, LinkError};
use crate::outbox::Head;
use crate::slots;
use crate::store::StoreError;

/// How the key came to take the place of another one.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Rotated {
    /// The sealed [`Rotation`].
    sealed: String,
    /// The key before.
    previous: KeyId,
    /// When the new one was made.
    at: Timestamp,
    /// Whether the central server knows.
    is_known: bool,
}

/// What can be shown of the latest change of a link's key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RotationFacts {
    /// When the present key was made.
    pub at: Timestamp,
    /// The fingerprint of the key before.
    pub previous_fingerprint: String,
    /// Whether the central server knows the present key.
    pub is_known: bool,
}

impl Link {
    /// Replaces the key by a new one, of a link that is in force and whose last report is `head`.
    pub fn rotate(&mut self, head: Option<&Head>, now: Timestamp) -> Result<(), LinkError> {
        let Some(approved) = self.approved() else { return Err(LinkError::NotInForce) };
        if self.untold_rotation().is_some() {
            return Err(LinkError::RotationUnderWay);
        }
        let (old, new) = (self.secret_key()?, SecretKey::from_seed(&Zeroizing::new(slots::random()?)));
        let from = head.map_or(Sequence::FIRST, |head| head.sequence.next().unwrap_or(head.sequence));
        let sealed = Rotation::sealed(approved.link, from, &old, &new, now)?;
        self.key = new.to_paserk();
        self.rotated = Some(Rotated { sealed, previous: old.public().id(), at: now, is_known: false });
        Ok(())
    }

    /// Whether the central server asks for another key than the present one.
    pub fn is_asked_to_rotate(&self) -> Result<bool, StoreError> {
        let asked = self.approved().and_then(|approved| approved.settings?.replace_key.as_ref());
        let Some(asked) = asked.filter(|_| self.untold_rotation().is_none()) else { return Ok(false) };
        Ok(self.secret_key()?.public().id() == *asked)
    }

    /// The rotation that the central server does not know of yet, sealed.
    pub fn untold_rotation(&self) -> Option<&String> {
        self.rotated.as_ref().filter(|rotated| !rotated.is_known).map(|rotated| &rotated.sealed)
    }

    /// Notes that the central server knows the present key.
    pub(super) fn rotation_is_known(&mut self) {
        if let Some(rotated) = &mut self.rotated {
            rotated.is_known = true;
        }
    }

    /// Notes that the central server does not know the present key, as where it was restored from a backup that is
    /// older than the key. Gives whether it can be told.
    pub fn rotation_is_forgotten(&mut self) -> bool {
        let known = self.rotated.as_mut().filter(|rotated| rotated.is_known);
        known.map(|rotated| rotated.is_known = false).is_some()
    }

    /// Whether a key with this fingerprint is the link's, or was before the present one.
    pub fn had_key(&self, fingerprint: &str) -> Result<bool, StoreError> {
        let before = self.rotated.as_ref().map(|rotated| rotated.previous.fingerprint());
        Ok(self.secret_key()?.public().fingerprint() == fingerprint || before.as_deref() == Some(fingerprint))
    }

    pub(super) fn rotation_facts(&self) -> Option<RotationFacts> {
        let Rotated { previous, at, is_known, .. } = self.rotated.as_ref()?;
        Some(RotationFacts { at: *at, previous_fingerprint: previous.fingerprint(), is_known: *is_known })
    }
}
