//! Rotating the key of a link: the product makes a new one, and the old one vouches for it.
//!
//! From one report on, the new key seals them; those before stay valid under the old one, whenever they arrive. The
//! chain goes on, because it is made of digests and not of keys. A [`Rotation`] can be sent again until it is answered
//! by a [`crate::Welcome`] for the new key.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{LinkId, Sequence};
use crate::keys::{PublicKey, SecretKey};
use crate::seal::{self, Document, OpenError};

/// That another key takes the place of the one that seals this.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rotation {
    /// The link.
    pub link: LinkId,
    /// The new key.
    pub key: PublicKey,
    /// The first report that the new key seals. The old one seals none from here on.
    pub from: Sequence,
    /// When it was made.
    pub issued_at: Timestamp,
    /// A [`Succession`], sealed by the new key: nobody can name a key that is not his own.
    pub proof: String,
}

/// The new key's own word that it follows on a link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Succession {
    /// The link.
    pub link: LinkId,
    /// The first report that the key seals.
    pub from: Sequence,
}

impl Rotation {
    /// Makes the rotation from `old` to `new`, sealed by both.
    ///
    /// # Errors
    /// As [`seal::seal`].
    ///
    /// ```
    /// use seatline_protocol::{LinkId, Rotation, SecretKey, Sequence, seal};
    ///
    /// let (old, new) = (SecretKey::generate()?, SecretKey::generate()?);
    /// let link = LinkId::from_random([7; 24]);
    /// let sealed = Rotation::sealed(&link, Sequence::FIRST, &old, &new, jiff::Timestamp::now())?;
    /// let rotation: Rotation = seal::open(&sealed, &[old.public()])?;
    /// assert_eq!(rotation.key, new.public());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn sealed(
        link: &LinkId,
        from: Sequence,
        old: &SecretKey,
        new: &SecretKey,
        issued_at: Timestamp,
    ) -> Result<String, OpenError> {
        let proof = seal::seal(&Succession { link: link.clone(), from }, new)?;
        seal::seal(&Self { link: link.clone(), key: new.public(), from, issued_at, proof }, old)
    }
}

impl Document for Rotation {
    const PURPOSE: &'static str = "seatline/rotation/v1";
    const MAX_BYTES: usize = 4 * 1024;

    fn check(&self) -> Result<(), String> {
        let proof = seal::open::<Succession>(&self.proof, std::slice::from_ref(&self.key))
            .map_err(|error| format!("proof: {error}"))?;
        if (&proof.link, proof.from) != (&self.link, self.from) {
            return Err("proof: it is of another rotation".to_owned());
        }
        Ok(())
    }
}

impl Document for Succession {
    const PURPOSE: &'static str = "seatline/succession/v1";
    const MAX_BYTES: usize = 1024;

    fn check(&self) -> Result<(), String> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u8) -> SecretKey {
        SecretKey::from_seed(&[n; 32])
    }

    fn link(n: u8) -> LinkId {
        LinkId::from_random([n; 24])
    }

    fn rotation(proof: String) -> Rotation {
        let from = Sequence::FIRST;
        Rotation { link: link(1), key: key(2).public(), from, issued_at: Timestamp::UNIX_EPOCH, proof }
    }

    #[test]
    fn a_rotation_holds_with_the_word_of_both_keys_and_without_either_it_does_not() {
        let (old, new) = (key(1), key(2));
        let sealed = Rotation::sealed(&link(1), Sequence::FIRST, &old, &new, Timestamp::UNIX_EPOCH).expect("sealed");
        assert_eq!(seal::open::<Rotation>(&sealed, &[old.public()]).expect("opened").key, new.public());
        assert!(seal::open::<Rotation>(&sealed, &[new.public()]).is_err(), "the new key does not vouch for itself");

        let succession = |of: u8, from| Succession { link: link(of), from };
        let second = Sequence::FIRST.next().expect("a second report");
        for (what, proof) in [
            ("no proof", String::new()),
            ("the old key's word alone", seal::seal(&succession(1, Sequence::FIRST), &old).expect("sealed")),
            ("of another link", seal::seal(&succession(3, Sequence::FIRST), &new).expect("sealed")),
            ("from another report on", seal::seal(&succession(1, second), &new).expect("sealed")),
        ] {
            assert!(rotation(proof).check().is_err(), "{what}");
        }
        let good = seal::seal(&succession(1, Sequence::FIRST), &new).expect("sealed");
        assert_eq!(rotation(good).check(), Ok(()));
    }
}
