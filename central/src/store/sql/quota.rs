//! The bounds of what a link may take, as its product meets them. Only who is refused pays for it.

use jiff::Timestamp;
use seatline_protocol::LinkId;

use super::Stored;
use super::fleet::marks;
use super::row::to_json;
use super::session::{Session, params};
use crate::domain::quota::{self, Bound, Met};

/// Notes that a product has met a bound, and has its application reviewed where that is news. The row of the link is
/// locked.
pub(super) fn note(session: &dyn Session, link: &LinkId, bound: Bound, now: Timestamp) -> Stored<()> {
    let met: Option<Vec<Met>> = session
        .row("SELECT met FROM links WHERE id = ?1", params![link.as_str()], |row| row.json_option("met"))?
        .flatten();
    let Some((met, is_news)) = quota::note(&met.unwrap_or_default(), bound, now) else { return Ok(()) };
    session.run("UPDATE links SET met = ?2 WHERE id = ?1", params![link.as_str(), &to_text(&met)?])?;
    if is_news { marks::link(session, link) } else { Ok(()) }
}

/// The bounds that were met as the row holds them: nothing where there are none.
pub(super) fn to_text(met: &[Met]) -> Stored<Option<String>> {
    if met.is_empty() { Ok(None) } else { to_json(&met).map(Some) }
}
