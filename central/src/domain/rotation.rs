//! The keys of a link: the present one, and those before it, each of which is good for the reports before a place.

use jiff::Timestamp;
use seatline_protocol::{KeyId, LinkId, PublicKey, Sequence};
use serde::Serialize;

use super::link::Link;

/// A key that seals for a link, or has sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    /// The link.
    pub link: LinkId,
    /// The key.
    pub key: PublicKey,
}

/// A key that another one took the place of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct FormerKey {
    /// The key.
    pub key: PublicKey,
    /// Its fingerprint.
    pub fingerprint: String,
    /// The first report that it does not seal any more.
    pub until: Sequence,
    /// When it was replaced.
    pub replaced_at: Timestamp,
}

/// A product's wish to replace the key of its link, both seals verified.
#[derive(Debug, Clone)]
pub struct KeyChange {
    /// The link.
    pub link: LinkId,
    /// The key that vouches.
    pub old: PublicKey,
    /// The new key.
    pub new: PublicKey,
    /// The first report that the new key seals.
    pub from: Sequence,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyChanged {
    /// The link with the new key: since now, or since the same wish came before. Boxed, as it is large beside the
    /// others.
    Link(Box<Link>),
    /// The old key was replaced by another one already: two copies of one instance have each made a key. Kept as a
    /// fork.
    Replaced,
    /// The new key belongs to a link already, or did.
    InUse,
    /// The key of the link was replaced too often ([`super::quota`]).
    TooMany,
    /// The link is not in force.
    NotInForce(super::LinkState),
    /// There is no such link.
    Unknown,
}

/// Whether `sealed_by` may seal the report at `sequence` of a link whose present key is `present`; `until` is from
/// where on another key has taken its place, if it was the link's key once.
pub fn may_seal(sealed_by: &KeyId, present: &KeyId, until: Option<Sequence>, sequence: Sequence) -> bool {
    sealed_by == present || until.is_some_and(|until| sequence < until)
}

#[cfg(test)]
mod tests {
    use super::*;
    use seatline_protocol::SecretKey;

    #[test]
    fn a_former_key_is_good_for_the_reports_before_its_end_alone() {
        let key = |n: u8| SecretKey::from_seed(&[n; 32]).public().id();
        let at = |n: u64| Sequence::try_from(n).expect("a sequence number");
        assert!(may_seal(&key(1), &key(1), None, at(9)));
        assert!(may_seal(&key(1), &key(2), Some(at(5)), at(4)));
        assert!(!may_seal(&key(1), &key(2), Some(at(5)), at(5)));
        assert!(!may_seal(&key(1), &key(2), None, at(1)), "it never was the link's");
        assert!(may_seal(&key(2), &key(2), None, at(1)), "the present key seals what was left out before it, too");
    }
}
