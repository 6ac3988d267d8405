//! What calls for a review. A mark is counted, so that a review does not keep what it has read before it.

use jiff::{SignedDuration, Timestamp};
use seatline_protocol::LinkId;

use crate::domain::ApplicationId;
use crate::store::sql::session::{Session, params};
use crate::store::sql::set_aside;
use crate::store::{StoreError, Stored};

/// How long an application waits whose rows could not be read.
const POSTPONED: SignedDuration = SignedDuration::from_hours(1);

/// The application of a link is reviewed at once.
pub(crate) fn link(session: &dyn Session, id: &LinkId) -> Stored<()> {
    session.run("UPDATE chains SET review_at = 0, marks = marks + 1 WHERE link = ?1", params![id.as_str()])
}

/// An application is reviewed at once.
pub(crate) fn application(session: &dyn Session, id: &ApplicationId) -> Stored<()> {
    session.run("UPDATE applications SET review_at = 0, marks = marks + 1 WHERE id = ?1", params![id.as_str()])
}

/// No application shows the link: there is nothing to review until one does, which marks the application.
pub(super) fn clear_link(session: &dyn Session, id: &str) -> Stored<()> {
    session.run(
        "UPDATE chains SET review_at = NULL WHERE link = ?1
         AND NOT EXISTS (SELECT links.id FROM links
                         JOIN applications ON applications.link = links.id AND applications.id = links.application
                         WHERE links.id = ?1)",
        params![id],
    )
}

/// What could not be reviewed is set aside: it is tried again later, and not at once for ever.
pub(super) fn postpone(session: &dyn Session, id: &str, error: &StoreError, now: Timestamp) -> Stored<()> {
    set_aside::REVIEW.note(session, id, error, now)?;
    let later = now.checked_add(POSTPONED).unwrap_or(Timestamp::MAX);
    session.run("UPDATE applications SET review_at = ?2 WHERE id = ?1", params![id, later])
}

/// The links that applications show.
pub(super) fn links_shown<'i>(session: &dyn Session, ids: impl Iterator<Item = &'i String>) -> Stored<Vec<String>> {
    let shown = "SELECT link FROM applications WHERE id = ?1";
    let each = ids.map(|id| Ok(session.row(shown, params![id], |row| row.text_option("link"))?.flatten()));
    each.filter_map(Stored::transpose).collect()
}

/// The link of what is set aside does not call for its review either.
pub(super) fn forget_link(session: &dyn Session, id: &str) -> Stored<()> {
    session.run("UPDATE chains SET review_at = NULL WHERE link = ?1", params![id])
}
