//! The keys of links.

use async_trait::async_trait;
use jiff::Timestamp;
use seatline_protocol::evidence::MAX_KEYS;
use seatline_protocol::{KeyId, LinkId, PublicKey, Sequence};

use super::fleet::marks;
use super::links::{by_id, locked, object};
use super::session::{Session, params};
use super::{SqlStore, StoreError, Stored, answers, audit, quota};
use crate::domain::quota::{Bound, DAILY_KEYS, DAY, KEYS_EVER};
use crate::domain::{Act, FormerKey, KeyChange, KeyChanged, LinkState, Record, Sender};
use crate::store::LinkKeys;

#[async_trait]
impl LinkKeys for SqlStore {
    async fn sender(&self, key: &KeyId) -> Stored<Option<Sender>> {
        let key = key.to_string();
        self.look(move |session| {
            session.row(
                "SELECT id AS link, public_key FROM links WHERE key_id = ?1
                 UNION ALL SELECT link, public_key FROM link_keys WHERE key_id = ?1 LIMIT 1",
                params![&key],
                |row| Ok(Sender { link: row.parsed("link")?, key: row.parsed("public_key")? }),
            )
        })
        .await
    }

    async fn change_key(&self, change: &KeyChange, now: Timestamp) -> Stored<KeyChanged> {
        let change = change.clone();
        self.write_locking([change.link.to_string()], move |session| change_key(session, &change, now)).await
    }

    async fn note_met(&self, link: &LinkId, bound: Bound, now: Timestamp) -> Stored<()> {
        let id = link.clone();
        self.write_to_link(link, move |session| match locked(session, &id) {
            Ok(_) => quota::note(session, &id, bound, now),
            Err(StoreError::Missing(_)) => Ok(()),
            Err(error) => Err(error),
        })
        .await
    }

    async fn former_keys(&self, link: &LinkId) -> Stored<Vec<FormerKey>> {
        let link = link.clone();
        self.read(move |session| {
            session.rows(
                "SELECT public_key, until_sequence, replaced_at FROM link_keys WHERE link = ?1
                 ORDER BY replaced_at DESC, key_id LIMIT ?2",
                params![link.as_str(), MAX_KEYS - 1],
                |row| {
                    let key: PublicKey = row.parsed("public_key")?;
                    Ok(FormerKey {
                        fingerprint: key.fingerprint(),
                        key,
                        until: row.sequence("until_sequence")?,
                        replaced_at: row.time("replaced_at")?,
                    })
                },
            )
        })
        .await
    }
}

fn change_key(session: &dyn Session, change: &KeyChange, now: Timestamp) -> Stored<KeyChanged> {
    let KeyChange { link: id, old, new, from } = change;
    let link = match locked(session, id) {
        Ok(link) => link,
        Err(StoreError::Missing(_)) => return Ok(KeyChanged::Unknown),
        Err(error) => return Err(error),
    };
    if link.state != LinkState::Approved {
        return Ok(KeyChanged::NotInForce(link.state));
    }
    if link.key == *new {
        return Ok(KeyChanged::Link(Box::new(link)));
    }
    if link.key != *old {
        let after = answers::counts_once_after(session, id, now)?;
        if link.chain.forked_at.is_some_and(|at| after < at && at <= now) {
            return Ok(KeyChanged::Replaced);
        }
        session.run("UPDATE links SET forks = forks + 1, forked_at = ?2 WHERE id = ?1", params![id.as_str(), now])?;
        marks::link(session, id)?;
        return Ok(KeyChanged::Replaced);
    }
    if is_in_use(session, &new.id())? {
        return Ok(KeyChanged::InUse);
    }
    if has_too_many(session, id, now)? {
        quota::note(session, id, Bound::TooManyKeys, now)?;
        return Ok(KeyChanged::TooMany);
    }
    session.run(
        "INSERT INTO link_keys (key_id, link, public_key, until_sequence, replaced_at) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![&old.id().to_string(), id.as_str(), &old.to_string(), from.get(), now],
    )?;
    session.run(
        "UPDATE links SET public_key = ?2, key_id = ?3 WHERE id = ?1",
        params![id.as_str(), &new.to_string(), &new.id().to_string()],
    )?;
    let after = by_id(session, id)?.ok_or(StoreError::Missing("link"))?;
    let act = Act::of_product(id, &new.id(), now);
    audit::write(session, &act, &Record::changed("link.key", object(&after), &link, &after))?;
    Ok(KeyChanged::Link(Box::new(after)))
}

/// Whether a link has had as many keys as it may have within a day, or at all.
fn has_too_many(session: &dyn Session, link: &LinkId, now: Timestamp) -> Stored<bool> {
    let a_day_ago = now.checked_sub(DAY).unwrap_or(Timestamp::MIN);
    let many = session.row(
        "SELECT COUNT(*) AS ever, COUNT(CASE WHEN replaced_at > ?2 THEN 1 END) AS lately FROM link_keys WHERE link = ?1",
        params![link.as_str(), a_day_ago],
        |row| Ok(row.number::<u64>("ever")? >= KEYS_EVER || row.number::<u64>("lately")? >= DAILY_KEYS),
    )?;
    Ok(many.unwrap_or_default())
}

/// Whether a key is, or was, that of any link.
pub(super) fn is_in_use(session: &dyn Session, key: &KeyId) -> Stored<bool> {
    let key = key.to_string();
    let places = [
        "SELECT key_id FROM links WHERE key_id = ?1",
        "SELECT key_id FROM link_keys WHERE key_id = ?1",
        "SELECT key_id FROM removed_links WHERE key_id = ?1",
    ];
    for place in places {
        if session.exists(place, params![&key])? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// From which report on another key has taken the place of this one, if it was the link's.
pub(super) fn until(session: &dyn Session, link: &LinkId, key: &KeyId) -> Stored<Option<Sequence>> {
    session.row(
        "SELECT until_sequence FROM link_keys WHERE key_id = ?1 AND link = ?2",
        params![&key.to_string(), link.as_str()],
        |row| row.sequence("until_sequence"),
    )
}
