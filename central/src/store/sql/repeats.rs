//! Reports that repeat an earlier one: what is stored of them, and how their exact bytes are made again.
//!
//! Of a repeat the row holds its place, its time, which report it repeats, and the signature. What is repeated stands
//! in the chain; where it is forgotten there, it moves beside it (`repeated`) and stays for as long as a repeat of it
//! is stored.
//!
//! From report to report of a chain, what is repeated never goes back: no stored report stands between another one and
//! what it repeats, unless it repeats the same. So the first that is stored of a link tells what may be forgotten of
//! `repeated`.

use jiff::{SignedDuration, Timestamp};
use seatline_protocol::exchange::RefusalCode;
use seatline_protocol::repeat::Repeated;
use seatline_protocol::{Digest, KeyId, LinkId, ReceiptVerdict, Repeat, Report, Sequence, seal};

use super::chain::{self, News, Standing, Step};
use super::latest::{self, Prepared};
use super::reports::Arrived;
use super::row::{Row, name_of, odd, short};
use super::session::{Session, params};
use super::{StoreError, Stored};
use crate::domain::Admitted;

/// A query for stored reports `AS r`, with what their exact bytes are made of.
macro_rules! exact_where {
    ($condition:literal) => {
        concat!(
            "SELECT r.sequence, r.digest, r.previous, r.observed_at, r.received_at, r.verdict, r.sealed, r.repeats,
                    r.signature, COALESCE(said.digest, moved.digest) AS repeated_digest
             FROM reports AS r
             LEFT JOIN reports AS said ON said.link = r.link AND said.sequence = r.repeats AND said.repeats IS NULL
             LEFT JOIN repeated AS moved ON moved.link = r.link AND moved.sequence = r.repeats
             WHERE r.link = ?1 AND ",
            $condition
        )
    };
}
pub(super) use exact_where;

/// Decides whether a repeat that has its place in the chain says something that is known here, and stores it.
pub(super) fn store(
    session: &dyn Session,
    repeat: &Repeat,
    arrived: &Arrived,
    standing: Option<&Standing>,
    (verdict, patience): (ReceiptVerdict, SignedDuration),
    step: Step<'_>,
) -> Stored<Admitted> {
    let (link, at, now) = (&repeat.link, repeat.sequence, step.now);
    // Nearly all repeats say again what the newest report says: then nothing needs to be read.
    if let Some((content, mark)) = standing.and_then(|standing| standing.repeated_by(repeat, patience)) {
        insert(session, repeat, arrived, verdict, now)?;
        let (digest, repeats) = (&arrived.digest, Some(&repeat.repeats));
        let news = News { digest, observed_at: repeat.observed_at, mark, content, repeats };
        chain::extend(session, link, standing, step.saying(content, verdict), news)?;
        return Ok(Admitted::Stored { received_at: now, verdict });
    }
    let Some(report) = known(session, link, &repeat.repeats)? else {
        return Ok(Admitted::Refused(RefusalCode::RepeatUnknown));
    };
    if !fits(session, link, at, repeat.repeats.sequence)? {
        return Ok(Admitted::Refused(RefusalCode::BrokenChain));
    }
    insert(session, repeat, arrived, verdict, now)?;
    let prepared = Prepared::repeating(report, repeat, &arrived.digest)?;
    chain::extend(session, link, standing, step.saying(&prepared.content, verdict), prepared.news())?;
    latest::update(session, link, &prepared, standing, patience, now)?;
    Ok(Admitted::Stored { received_at: now, verdict })
}

fn insert(
    session: &dyn Session,
    repeat: &Repeat,
    arrived: &Arrived,
    verdict: ReceiptVerdict,
    now: Timestamp,
) -> Stored<()> {
    let unopened = seal::Unopened::<Report>::read(&arrived.sealed).map_err(|error| odd("sealed", error))?;
    session.write_row(
        "INSERT INTO reports
            (link, sequence, digest, previous, observed_at, received_at, verdict, sealed, repeats, signature)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        params![
            repeat.link.as_str(),
            repeat.sequence.get(),
            &short(&arrived.digest),
            &short(&repeat.previous),
            repeat.observed_at,
            now,
            &name_of(&verdict)?,
            letter(&repeat.trigger),
            repeat.repeats.sequence.get(),
            unopened.signature().as_slice(),
        ],
    )
}

/// What a repeated report says, if it is stored here, to the byte.
fn known(session: &dyn Session, link: &LinkId, repeated: &Repeated) -> Stored<Option<Report>> {
    match said(session, link, repeated.sequence)?.filter(|(digest, _)| *digest == repeated.digest) {
        Some((_, sealed)) => seal::read_again(&sealed).map(Some).map_err(|error| odd("sealed", error)),
        None => Ok(None),
    }
}

/// The digest and the exact bytes of a report that says all itself and can be repeated, in the chain or beside it.
fn said(session: &dyn Session, link: &LinkId, sequence: Sequence) -> Stored<Option<(Digest, String)>> {
    let read = |row: &Row<'_>| Ok((row.digest("digest")?, row.text("sealed")?));
    let params = params![link.as_str(), sequence.get()];
    let in_chain = "SELECT digest, sealed FROM reports WHERE link = ?1 AND sequence = ?2 AND repeats IS NULL";
    match session.row(in_chain, params, read)? {
        None => session.row("SELECT digest, sealed FROM repeated WHERE link = ?1 AND sequence = ?2", params, read),
        found => Ok(found),
    }
}

/// Whether a report at the place `at` that says what the one at `says` says fits between its neighbours.
pub(super) fn fits(session: &dyn Session, link: &LinkId, at: Sequence, says: Sequence) -> Stored<bool> {
    let said = |row: &Row<'_>| row.number::<u64>("says");
    let before = session.row(
        "SELECT COALESCE(repeats, sequence) AS says FROM reports
         WHERE link = ?1 AND sequence < ?2 ORDER BY sequence DESC LIMIT 1",
        params![link.as_str(), at.get()],
        said,
    )?;
    let after = session.row(
        "SELECT COALESCE(repeats, sequence) AS says FROM reports
         WHERE link = ?1 AND sequence > ?2 ORDER BY sequence LIMIT 1",
        params![link.as_str(), at.get()],
        said,
    )?;
    Ok(before.is_none_or(|before| before <= says.get()) && after.is_none_or(|after| says.get() <= after))
}

/// Moves what the first report behind the place `last` repeats beside the chain, which is about to lose all up to
/// there.
pub(super) fn outlive(session: &dyn Session, link: &LinkId, last: u64) -> Stored<()> {
    session.run(
        "INSERT INTO repeated (link, sequence, digest, sealed)
            SELECT link, sequence, digest, sealed FROM reports
            WHERE link = ?1 AND sequence <= ?2 AND repeats IS NULL AND sequence =
                (SELECT later.repeats FROM reports AS later WHERE later.link = ?1 AND later.sequence > ?2
                 ORDER BY later.sequence LIMIT 1)
         ON CONFLICT (link, sequence) DO NOTHING",
        params![link.as_str(), last],
    )
}

/// Forgets what no stored report of a link repeats any more.
pub(super) fn forget(session: &dyn Session, link: &LinkId) -> Stored<()> {
    session.run(
        "DELETE FROM repeated WHERE link = ?1 AND sequence <
            (SELECT COALESCE(repeats, sequence) FROM reports WHERE link = ?1 ORDER BY sequence LIMIT 1)",
        params![link.as_str()],
    )
}

/// The exact bytes of a report that can be repeated.
pub(super) fn sealed(session: &dyn Session, link: &LinkId, sequence: Sequence) -> Stored<Option<String>> {
    Ok(said(session, link, sequence)?.map(|(_, sealed)| sealed))
}

/// The keys that a link's reports are sealed by, the present one first.
pub(super) fn keys(session: &dyn Session, link: &LinkId) -> Stored<Vec<KeyId>> {
    let mut keys: Vec<KeyId> = Vec::new();
    for place in ["SELECT key_id FROM links WHERE id = ?1", "SELECT key_id FROM link_keys WHERE link = ?1"] {
        keys.extend(session.rows(place, params![link.as_str()], |row| row.parsed("key_id"))?);
    }
    Ok(keys)
}

/// The exact bytes of a report, in a row of a query of [`exact_where`].
pub(super) fn exact(row: &Row<'_>, link: &LinkId, keys: &[KeyId]) -> Stored<String> {
    let sealed = row.text("sealed")?;
    let Some(sequence) = row.sequence_option("repeats")? else { return Ok(sealed) };
    let repeats = Repeated { sequence, digest: row.digest("repeated_digest")? };
    let repeat = stored(row, link, repeats, &sealed)?;
    let signature = row.bytes_option("signature")?.and_then(|bytes| bytes.try_into().ok());
    let signature = signature.ok_or_else(|| odd("signature", "it is none"))?;
    let digest = row.digest("digest")?;
    let made = keys.iter().filter_map(|key| repeat.sealed_by(key, &signature).ok());
    made.into_iter().find(|made| Digest::of(made.as_bytes()) == digest).ok_or_else(|| StoreError::Corrupt {
        what: "a repeat",
        reason: format!("what is kept of report {} of {link} does not make its bytes again", repeat.sequence),
    })
}

/// Why a report was made, in a letter: there are millions of them.
fn letter(trigger: &str) -> &str {
    trigger.get(..1).unwrap_or_default()
}

const TRIGGERS: [&str; 3] = ["start", "interval", "demand"];

fn stored(row: &Row<'_>, link: &LinkId, repeats: Repeated, made_for: &str) -> Stored<Repeat> {
    let trigger = TRIGGERS.into_iter().find(|trigger| letter(trigger) == made_for);
    let trigger = trigger.ok_or_else(|| odd("sealed", "it does not say why the report was made"))?.to_owned();
    Ok(Repeat {
        repeats,
        link: link.clone(),
        sequence: row.sequence("sequence")?,
        previous: row.digest("previous")?,
        observed_at: row.time("observed_at")?,
        trigger,
    })
}

/// How many bytes the exact text of a stored repeat has: as many as with any other key, signature and digest.
pub(super) fn length(row: &Row<'_>, link: &LinkId, key: &KeyId) -> Stored<u64> {
    let repeats = Repeated { sequence: row.sequence("repeats")?, digest: row.digest("digest")? };
    let made = stored(row, link, repeats, &row.text("made_for")?)?.sealed_by(key, &[0; 64]);
    Ok(made.map_err(|error| odd("sealed", error))?.len() as u64)
}
