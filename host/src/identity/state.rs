//! The identity in the store: made once, changed under the lock, and held against the link.

use jiff::Timestamp;
use seatline_protocol::pairing::Secret;
use seatline_protocol::{Continuity, Digest, ServerId, seal};

use super::rules::Look;
use super::{IdentityChange, Makings, Record, Unconfirmed};
use crate::link::Link;
use crate::slots;
use crate::store::{LockedStore, Slot, StateReader, StateStore, StoreError, change};

/// The record, where there is one. An early version kept the server ID alone: that is none yet.
pub(crate) fn read(store: &dyn StateReader) -> Result<Option<Record>, StoreError> {
    match slots::read(store, Slot::Identity) {
        Err(error @ StoreError::Damaged { .. }) => match bare(store)? {
            Some(_) => Ok(None),
            None => Err(error),
        },
        read => read,
    }
}

/// The server ID as an early version kept it.
fn bare(store: &dyn StateReader) -> Result<Option<ServerId>, StoreError> {
    match slots::read(store, Slot::Identity) {
        Err(StoreError::Damaged { .. }) => Ok(None),
        read => read,
    }
}

/// The record of a state that was opened.
pub(crate) fn present(store: &dyn StateReader) -> Result<Record, StoreError> {
    read(store)?.ok_or_else(|| missing("it was there when the state was opened"))
}

fn missing(reason: &str) -> StoreError {
    let what = format!("`{}` of the state", Slot::Identity.name());
    StoreError::Damaged { what, reason: reason.to_owned(), way_out: Slot::Identity.way_out() }
}

/// The record: made at the first call, of what `makings` gives if that is known by then, and the same ever after, for
/// every node on the same store.
pub(crate) fn open(
    store: &dyn StateStore,
    makings: impl FnOnce() -> Option<Makings>,
    now: Timestamp,
) -> Result<Record, StoreError> {
    if let Some(record) = read(store)? {
        return Ok(record);
    }
    // Whoever the product asks for it, nobody waits for the lock meanwhile.
    let makings = makings();
    change(store, |locked| {
        // Another node may have made it while this one waited for the lock.
        if let Some(record) = read(locked.store())? {
            return Ok(record);
        }
        let key = Secret::from_bytes(slots::random()?);
        let record = match bare(locked.store())? {
            Some(server_id) => Record::new(key, server_id, None),
            None => {
                is_new(locked.store())?;
                let record = Record::new(key, ServerId::from_random(slots::random()?), Some(now));
                match makings {
                    Some(makings) => record.made_of(&makings, now),
                    None => record.provisional(),
                }
            }
        };
        slots::write(locked, Slot::Identity, &record)?;
        Ok(record)
    })
}

/// Where the rest of a state is, its server ID was made: another one would make its licenses and its link strangers.
fn is_new(store: &dyn StateReader) -> Result<(), StoreError> {
    for slot in [Slot::Licenses, Slot::Link] {
        if store.read(slot)?.is_some() {
            return Err(missing(&format!("it is missing beside `{}`", slot.name())));
        }
    }
    Ok(())
}

/// What a look came to.
pub(crate) enum Looked {
    /// The server ID is the one that is known.
    Same,
    /// It is known from now on: the database was seen for the first time.
    Named(ServerId),
    /// It is another one since now.
    Changed(Box<IdentityChange>),
    /// The known one holds, because it would go to and fro.
    ToAndFro,
}

/// The change that a look at `now` would come to, if to any. Nothing is kept.
pub(crate) fn differs(
    store: &dyn StateReader,
    makings: &Makings,
    now: Timestamp,
) -> Result<Option<IdentityChange>, StoreError> {
    Ok(match present(store)?.look(makings, now) {
        Look::Changed(record) => record.history.last().cloned(),
        Look::Same | Look::ToAndFro => None,
    })
}

/// Takes what was seen of the makings at `now`.
pub(crate) fn look(store: &dyn StateStore, makings: &Makings, now: Timestamp) -> Result<Looked, StoreError> {
    let known = present(store)?;
    match known.look(makings, now) {
        _ if known.is_provisional() => {}
        Look::Same => return Ok(Looked::Same),
        Look::ToAndFro => return Ok(Looked::ToAndFro),
        Look::Changed(_) => {}
    }
    change(store, |locked| {
        let known = present(locked.store())?;
        // Nobody has built on an ID for the meantime: it leaves no trace.
        if known.is_provisional() && is_new(locked.store()).is_ok() {
            let record = known.made_of(makings, now);
            slots::write(locked, Slot::Identity, &record)?;
            return Ok(Looked::Named(record.server_id().clone()));
        }
        let known = known.settled();
        let mut record = match known.look(makings, now) {
            Look::Changed(record) => record,
            Look::Same => return slots::write(locked, Slot::Identity, &known).map(|()| Looked::Same),
            Look::ToAndFro => return Ok(Looked::ToAndFro),
        };
        let Some(made) = record.history.last().cloned() else { return Ok(Looked::Same) };
        if let Some(link) = Link::read(locked.store())? {
            record.tell_of_last();
            // The link first: a change that breaks off between the two then holds it, and does not let it go on
            // unasked.
            carry(locked, link, &made)?;
        }
        slots::write(locked, Slot::Identity, &*record)?;
        Ok(Looked::Changed(Box::new(made)))
    })
}

/// Lets the link know which server ID it stands for, before that is another one. A policy is changed by whoever looks
/// after the instance, and nobody else: the link goes along with it.
fn carry(locked: &mut dyn LockedStore, mut link: Link, made: &IdentityChange) -> Result<(), StoreError> {
    let before = link.server_id.clone();
    let stands_for = before.clone().unwrap_or_else(|| made.previous.clone());
    let goes_along = made.is_policy_alone() && stands_for == made.previous;
    link.server_id = Some(if goes_along { made.present.clone() } else { stands_for });
    if link.server_id == before { Ok(()) } else { link.write(locked) }
}

/// What keeps the link from being used, if anything does: it stands for another server ID than the present one.
pub(crate) fn unconfirmed(record: &Record, link: &Link) -> Option<Unconfirmed> {
    let linked_as = link.server_id.clone().filter(|linked_as| linked_as != record.server_id())?;
    let changes = record.changes_since(&linked_as);
    Some(Unconfirmed {
        since: changes.first().map(|change| change.at),
        changed: changes.iter().flat_map(|change| change.changed.clone()).collect(),
        present: record.server_id().clone(),
        linked_as,
    })
}

/// What the central server has still to be told, sealed by the link's key.
pub(crate) fn statements(record: &Record, link: &Link) -> Result<Vec<String>, StoreError> {
    let Some(approved) = link.approved() else { return Ok(Vec::new()) };
    let key = link.secret_key()?;
    let sealed = record.untold().filter_map(|change| {
        let statement = Continuity {
            link: approved.link.clone(),
            previous: change.previous.clone(),
            present: change.present.clone(),
            changed_at: change.at,
            changed: change.changed.clone(),
            staging: change.staging,
            answer: change.answer,
        };
        // A change that was made by a look holds to the rules of a statement.
        seal::seal(&statement, &key).ok()
    });
    Ok(sealed.collect())
}

/// Takes it that the central server has noted statements with these digests; gives how many were new.
pub(crate) fn note(locked: &mut dyn LockedStore, link: &Link, noted: &[Digest]) -> Result<usize, StoreError> {
    let Some(mut record) = read(locked.store())?.filter(|_| !noted.is_empty()) else { return Ok(0) };
    let statements = statements(&record, link)?;
    let changes: Vec<IdentityChange> = record.untold().cloned().collect();
    let is_noted = |change: &IdentityChange| {
        let mut stated = changes.iter().zip(&statements).filter(|(stated, _)| *stated == change);
        stated.any(|(_, sealed)| noted.contains(&Digest::of(sealed.as_bytes())))
    };
    let count = record.told(is_noted);
    if count > 0 {
        slots::write(locked, Slot::Identity, &record)?;
    }
    Ok(count)
}

/// Begins with a new link, which is made for the present server ID: nobody there has to be told of the changes before.
pub(crate) fn begin_link(locked: &mut dyn LockedStore) -> Result<(), StoreError> {
    let mut record = present(locked.store())?;
    match record.told(|_| true) {
        0 => Ok(()),
        _ => slots::write(locked, Slot::Identity, &record),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Memory;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn opened(store: &dyn StateStore) -> Result<ServerId, StoreError> {
        open(store, || None, NOW).map(|record| record.server_id().clone())
    }

    #[test]
    fn c7_the_server_id_is_made_once_and_never_beside_a_state_that_lost_it() {
        let store = Memory::default();
        let id = opened(&store).expect("a new one");
        assert_eq!(opened(&store.clone()).expect("the same"), id);

        let broken: Result<(), StoreError> = change(&store, |locked| {
            locked.write(Slot::Licenses, b"[]")?;
            locked.clear(Slot::Identity)
        });
        broken.expect("somebody removes it");
        let error = opened(&store).expect_err("no second one");
        assert_eq!(error.code(), "store-damaged");
        assert_eq!(
            error.to_string(),
            "`identity` of the state is damaged (it is missing beside `licenses`); restore it from a backup: the \
             licenses and the link are those of this server ID"
        );
        assert_eq!(present(&store).map(|_| ()).expect_err("none").code(), "store-damaged");
    }

    #[test]
    fn c7_the_server_id_of_an_early_version_stays() {
        let store = Memory::default();
        let early: Result<(), StoreError> =
            change(&store, |locked| locked.write(Slot::Identity, b"\"6C49-PHGB-64KX-JV40-FE8P\""));
        early.expect("what it wrote");
        for _ in 0..2 {
            assert_eq!(opened(&store).expect("the same").as_str(), "6C49-PHGB-64KX-JV40-FE8P");
        }
        assert_eq!(present(&store).expect("the record").since(), None);
    }
}
