//! The keys that pseudonyms are made with, and which sketches are of which.

use async_trait::async_trait;
use seatline_protocol::pairing::Secret;
use seatline_protocol::{LinkId, PseudonymKeyId};

use super::row::{Row, odd};
use super::session::{Session, params};
use super::{SqlStore, StoreError, Stored};
use crate::domain::pseudonyms::{KeyUse, KeyUses, MOST_COUNTED, MOST_NAMED, MadeKey, NamedApplication};
use crate::domain::{Act, Changed, Object, Record};
use crate::store::PseudonymKeys;

/// The most keys that are looked at.
const MOST_KEYS: u32 = 100;

#[async_trait]
impl PseudonymKeys for SqlStore {
    async fn bind_pseudonyms(&self, first: &PseudonymKeyId) -> Stored<PseudonymKeyId> {
        let first = first.clone();
        self.write(move |session| {
            session.run(
                "UPDATE identity SET pseudonym_id = ?1 WHERE singleton = 1 AND pseudonym_id IS NULL",
                params![first.as_str()],
            )?;
            let bound = session
                .row("SELECT pseudonym_id FROM identity WHERE singleton = 1", &[], |row| row.parsed("pseudonym_id"))?;
            bound.ok_or(StoreError::Missing("identity"))
        })
        .await
    }

    async fn pseudonym_keys(&self) -> Stored<Vec<MadeKey>> {
        self.look(made).await
    }

    async fn add_pseudonym_key(&self, act: &Act, key: &MadeKey, replaces: &PseudonymKeyId) -> Stored<()> {
        let (key, replaces) = (key.clone(), replaces.clone());
        self.change(act, move |session| {
            // The one row of the identity is what two servers wait for.
            let first: Option<PseudonymKeyId> =
                session.row("SELECT pseudonym_id FROM identity WHERE singleton = 1 FOR UPDATE", &[], |row| {
                    row.parsed("pseudonym_id")
                })?;
            let present = made(session)?.into_iter().next().map(|made| made.id).or(first);
            if present.as_ref() != Some(&replaces) {
                return Err(StoreError::Conflict("another pseudonym key in force"));
            }
            session.run(
                "INSERT INTO pseudonym_keys (id, salt, made_at, made_by) VALUES (?1, ?2, ?3, ?4)",
                params![key.id.as_str(), key.salt.expose().as_slice(), key.made_at, &key.made_by],
            )?;
            let object = Object::new("pseudonym-key", &key.id, "Pseudonym key");
            Ok(Changed::new((), Record::changed("pseudonym-key.replace", object, &replaces, &key.id)))
        })
        .await
    }

    async fn people_key(&self, link: &LinkId) -> Stored<Option<PseudonymKeyId>> {
        let link = link.clone();
        self.look(move |session| {
            let named = session.row("SELECT key_id FROM people WHERE link = ?1", params![link.as_str()], named)?;
            Ok(named.flatten())
        })
        .await
    }

    async fn key_uses(&self, first: &PseudonymKeyId) -> Stored<KeyUses> {
        let first = first.clone();
        self.read(move |session| {
            let made = made(session)?;
            let present = made.first().map_or_else(|| first.clone(), |made| made.id.clone());
            let mut keys = Vec::new();
            for made in made {
                let (at, by) = (Some(made.made_at), Some(made.made_by));
                keys.push(key_use(session, Some(made.id), at, by, &present)?);
            }
            keys.push(key_use(session, Some(first.clone()), None, None, &present)?);
            keys.push(key_use(session, None, None, None, &present)?);
            keys.retain(|key| key.is_present || key.links > 0);
            Ok(KeyUses { present, keys })
        })
        .await
    }
}

fn made(session: &dyn Session) -> Stored<Vec<MadeKey>> {
    session.rows(
        "SELECT id, salt, made_at, made_by FROM pseudonym_keys ORDER BY made_at DESC, id DESC LIMIT ?1",
        params![MOST_KEYS],
        |row| {
            let salt = row.bytes_option("salt")?.and_then(|salt| salt.try_into().ok());
            Ok(MadeKey {
                id: row.parsed("id")?,
                salt: Secret::from_bytes(salt.ok_or_else(|| odd("salt", "it is none"))?),
                made_at: row.time("made_at")?,
                made_by: row.text("made_by")?,
            })
        },
    )
}

/// The key that a row of sketches names.
pub(super) fn named(row: &Row<'_>) -> Stored<Option<PseudonymKeyId>> {
    match row.text("key_id")?.as_str() {
        "" => Ok(None),
        id => id.parse().map(Some).map_err(|error| odd("key_id", error)),
    }
}

fn key_use(
    session: &dyn Session,
    id: Option<PseudonymKeyId>,
    made_at: Option<jiff::Timestamp>,
    made_by: Option<String>,
    present: &PseudonymKeyId,
) -> Stored<KeyUse> {
    let key = id.as_ref().map_or("", PseudonymKeyId::as_str);
    let is_present = id.as_ref() == Some(present);
    let links = session.row(
        "SELECT CAST(COUNT(some_of.link) AS BIGINT) AS links FROM
            (SELECT people.link FROM people WHERE people.key_id = ?1 ORDER BY people.link LIMIT ?2) AS some_of",
        params![key, MOST_COUNTED],
        |row| row.number("links"),
    )?;
    let mut applications = Vec::new();
    if !is_present {
        applications = session.rows(
            "SELECT applications.id, applications.name FROM people
             JOIN links ON links.id = people.link JOIN applications ON applications.id = links.application
             WHERE people.key_id = ?1 ORDER BY people.link LIMIT ?2",
            params![key, MOST_NAMED],
            |row| Ok(NamedApplication { id: row.parsed("id")?, name: row.text("name")? }),
        )?;
    }
    Ok(KeyUse { id, made_at, made_by, is_present, links: links.unwrap_or_default(), applications })
}
