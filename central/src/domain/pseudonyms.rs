//! The keys that pseudonyms are made with, one after the other (`b9`).
//!
//! A new key takes the place of the one before at each product with its next report. Until all have turned, there are
//! sketches of several keys, and those of different keys are never put together: equal people have different pseudonyms
//! in them.

use jiff::Timestamp;
use seatline_protocol::pairing::Secret;
use seatline_protocol::{Digest, PseudonymKeyId};
use serde::{Deserialize, Serialize};

use super::ids::ApplicationId;

/// The most applications of a key that are named, and the most that are counted.
pub const MOST_NAMED: u32 = 50;
/// The most links of a key that are counted: beyond, there are more than so many.
pub const MOST_COUNTED: u32 = 10_000;

/// A key that took the place of the one before, as it is stored: what it is made of beside the server's own secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeKey {
    /// What names it.
    pub id: PseudonymKeyId,
    /// What it is made of beside the server's secret.
    pub salt: Secret,
    /// When it was made.
    pub made_at: Timestamp,
    /// Who made it.
    pub made_by: String,
}

/// The key of a salt. Who has either the secret or the salt has nothing.
pub fn derived(secret: &Secret, salt: &Secret) -> Secret {
    let message = [b"seatline/pseudonym-key/v1".as_slice(), secret.expose(), salt.expose()].concat();
    let message = zeroize::Zeroizing::new(message);
    Secret::from_bytes(Digest::of(&message).hash())
}

/// The key in force.
#[derive(Debug, Clone)]
pub struct PresentKey {
    /// What names it.
    pub id: PseudonymKeyId,
    /// The key.
    pub key: Secret,
    /// When it took the place of the one before; none for the first.
    pub made_at: Option<Timestamp>,
}

/// An application, so that people find it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct NamedApplication {
    /// Its id.
    pub id: ApplicationId,
    /// Its name.
    pub name: String,
}

/// How far a key is used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct KeyUse {
    /// What names it; none for reports that do not say their key: their agents are of an early version.
    pub id: Option<PseudonymKeyId>,
    /// When it took the place of the one before; none for the first.
    pub made_at: Option<Timestamp>,
    /// Who made it.
    pub made_by: Option<String>,
    /// Whether it is the one in force.
    pub is_present: bool,
    /// How many links report people with it, at most [`MOST_COUNTED`].
    pub links: u32,
    /// Some of the applications that do, by the age of their links, at most [`MOST_NAMED`]; none of the key in force.
    pub applications: Vec<NamedApplication>,
}

/// The keys, the newest first, and last the reports that do not name theirs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct KeyUses {
    /// The key in force.
    pub present: PseudonymKeyId,
    /// How far each is used: the one in force, and all others that are.
    pub keys: Vec<KeyUse>,
}

impl KeyUses {
    /// How many links have still to turn, at most [`MOST_COUNTED`] of each key.
    pub fn to_turn(&self) -> u32 {
        self.keys.iter().filter(|key| !key.is_present).map(|key| key.links).fold(0, u32::saturating_add)
    }
}

/// Which key a sketch was made with. Where its report does not say, the link tells: as long as there was the first key
/// alone, each product had that. `replaced_at` is when the first key was replaced, if ever.
pub fn key_of(
    named: Option<&PseudonymKeyId>,
    linked_at: Timestamp,
    first: &PseudonymKeyId,
    replaced_at: Option<Timestamp>,
) -> Option<PseudonymKeyId> {
    match named {
        Some(named) => Some(named.clone()),
        None => replaced_at.is_none_or(|replaced_at| linked_at < replaced_at).then(|| first.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b9_a_sketch_without_a_key_is_of_the_first_one_unless_its_link_came_later() {
        let id = |n| PseudonymKeyId::of(&Secret::from_bytes([n; 32]));
        let at = |second| Timestamp::from_second(second).expect("a time");
        assert_eq!(key_of(Some(&id(2)), at(0), &id(1), None), Some(id(2)));
        assert_eq!(key_of(None, at(9), &id(1), None), Some(id(1)));
        assert_eq!(key_of(None, at(4), &id(1), Some(at(5))), Some(id(1)));
        assert_eq!(key_of(None, at(5), &id(1), Some(at(5))), None, "it was given another one, and does not say so");
    }

    #[test]
    fn b9_a_key_needs_both_halves() {
        let secret = |n| Secret::from_bytes([n; 32]);
        let key = derived(&secret(1), &secret(2));
        assert_eq!(key, derived(&secret(1), &secret(2)), "all servers make the same");
        for other in [derived(&secret(1), &secret(3)), derived(&secret(3), &secret(2)), derived(&secret(2), &secret(1))]
        {
            assert_ne!(key, other);
        }
    }
}
