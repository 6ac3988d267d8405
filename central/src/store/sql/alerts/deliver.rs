//! Messages on their way. Who takes a delivery has it for a time; then anybody may take it again, because he may be
//! gone.

use jiff::Timestamp;
use seatline_delivery::post::Failed;

use super::channels::Channels;
use crate::domain::ids::{ChannelId, MessageId};
use crate::store::Stored;
use crate::store::alerts::{Outcome, Parcel};
use crate::store::sql::row::Row;
use crate::store::sql::session::{Session, params};
use crate::store::sql::set_aside;

/// Whether anything is due.
pub(super) fn is_due(session: &dyn Session, now: Timestamp) -> Stored<bool> {
    session.exists(
        "SELECT message FROM alert_deliveries WHERE next_at <= ?1 AND next_at IS NOT NULL LIMIT 1",
        params![now],
    )
}

pub(super) fn take(session: &dyn Session, now: Timestamp, until: Timestamp, most: u32) -> Stored<Vec<Parcel>> {
    let due = session.rows(
        "SELECT message, place, channel, made_at, failures FROM alert_deliveries
         WHERE next_at <= ?1 AND next_at IS NOT NULL ORDER BY next_at, message, place LIMIT ?2 FOR UPDATE",
        params![now, most],
        |row| Ok((row.text("message")?, row.text("place")?, row.text("channel")?, row_of(row))),
    )?;
    let channels = Channels::of(session)?;
    let mut parcels: Vec<Parcel> = Vec::new();
    for (message, place, channel, row) in due {
        if let Some(why) = channels.odd(&channel) {
            // It is not known where to; whoever mends the channel finds everything that waited for it.
            set_aside::WAITING.note(session, &channel, why, now)?;
            session.run(
                "UPDATE alert_deliveries SET next_at = ?3 WHERE message = ?1 AND place = ?2",
                params![&message, &place, set_aside::WAITING.again_at(now)],
            )?;
            continue;
        }
        let parcel = row.and_then(|row| parcel(session, &parcels, row));
        // A message that cannot be read, or is gone, is not tried again.
        let parcel = set_aside::DELIVERY.unless_read(session, &message, parcel, now)?.flatten();
        session.run(
            "UPDATE alert_deliveries SET next_at = ?3, given_up_at = ?4 WHERE message = ?1 AND place = ?2",
            params![&message, &place, parcel.is_some().then_some(until), parcel.is_none().then_some(now)],
        )?;
        parcels.extend(parcel);
    }
    Ok(parcels)
}

/// A delivery as its row says it.
struct DeliveryRow {
    message: MessageId,
    channel: ChannelId,
    made_at: Timestamp,
    place: String,
    failures: u32,
}

fn row_of(row: &Row<'_>) -> Stored<DeliveryRow> {
    Ok(DeliveryRow {
        message: row.parsed("message")?,
        channel: row.parsed("channel")?,
        made_at: row.time("made_at")?,
        place: row.text("place")?,
        failures: row.number("failures")?,
    })
}

/// A delivery with its message; none where that is gone.
fn parcel(session: &dyn Session, others: &[Parcel], row: DeliveryRow) -> Stored<Option<Parcel>> {
    let DeliveryRow { message, channel, made_at, place, failures } = row;
    let content = match others.iter().find(|other| other.message == message) {
        Some(same) => Some(same.content.clone()),
        None => {
            let of = "SELECT content FROM alert_messages WHERE id = ?1";
            session.row(of, params![message.as_str()], |row| row.json("content"))?
        }
    };
    Ok(content.map(|content| Parcel { message, channel, made_at, place, failures, content }))
}

pub(super) fn note(
    session: &dyn Session,
    message: &MessageId,
    place: &str,
    outcome: &Outcome,
    now: Timestamp,
) -> Stored<()> {
    let id = message.as_str();
    let failed = |failed: &Failed, next_at: Option<Timestamp>| {
        let given_up_at = next_at.is_none().then_some(now);
        session.run(
            "UPDATE alert_deliveries SET failures = failures + 1, next_at = ?3, code = ?4, problem = ?5, failed_at = ?6,
                                         given_up_at = ?7
             WHERE message = ?1 AND place = ?2 AND taken_at IS NULL",
            params![id, place, next_at, &failed.code, &failed.message, now, given_up_at],
        )
    };
    match outcome {
        Outcome::Taken => session.run(
            "UPDATE alert_deliveries SET next_at = NULL, taken_at = ?3, given_up_at = NULL
             WHERE message = ?1 AND place = ?2 AND taken_at IS NULL",
            params![id, place, now],
        ),
        Outcome::Again(why, at) => failed(why, Some(*at)),
        Outcome::GivenUp(why) => failed(why, None),
        Outcome::Untried => session.run(
            "UPDATE alert_deliveries SET next_at = ?3 WHERE message = ?1 AND place = ?2 AND next_at IS NOT NULL",
            params![id, place, now],
        ),
    }
}

/// What waits after a failure is tried at once.
pub(super) fn hurry(session: &dyn Session, channel: Option<&ChannelId>, now: Timestamp) -> Stored<()> {
    let channel = channel.map_or("", ChannelId::as_str);
    // What was never tried may be on its way just now.
    session.run(
        "UPDATE alert_deliveries SET next_at = ?2
         WHERE next_at > ?2 AND next_at IS NOT NULL AND failures > 0 AND (?1 = '' OR channel = ?1)",
        params![channel, now],
    )
}
