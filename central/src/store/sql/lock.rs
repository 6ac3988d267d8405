//! The order in which writes take their locks on a database that several servers share. Two that took them each in
//! another order would wait for each other until PostgreSQL ends one of them, a second later.
//!
//! 1. **The turn**, a row of its own. Whoever writes anything but one link and what hangs on it has it: what people
//!    change, and what jobs do. One transaction of all servers has the turn at a time.
//! 2. **Links**, by id. Who holds a link may write its row, and the rows that have its id in their key: reports, the
//!    newest one, gaps, history, people, statements, answers.
//! 3. **Everything else**, in any order: only who has the turn writes there. What hung on a link that is gone is of
//!    this kind.
//!
//! The group of writes says beforehand what of 1 and 2 it needs, takes all of it before anything else, and no more of
//! it later. So who waits for the turn holds nothing, who waits for a link holds only links that come before it, and
//! the turn or not; and nobody waits in 3. There is no circle in which everybody waits for the next one.
//!
//! What products send goes without the turn, and so waits for no job and no person, but where they work on the same
//! link.
//!
//! Two things lock otherwise, and are in nobody's way. Migrations, and the months that are dropped, lock whole tables:
//! a month's first lock is that of all reports, which whoever writes a row that it needs afterwards holds already; it
//! waits for a second at most.

use seatline_protocol::LinkId;

/// A lock, taken by a question: a statement whose only value is a text. Whoever asks the same in his transaction is
/// answered by what was found then.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Lock {
    /// Its value: the link, or what the turn is called.
    pub(super) about: String,
    /// The statement.
    pub(super) sql: &'static str,
}

const TURN: &str = "SELECT name FROM turns WHERE name = ?1 FOR UPDATE";
const LINK: &str = "SELECT id FROM links WHERE id = ?1 FOR UPDATE";

impl Lock {
    /// The turn.
    pub(super) fn turn() -> Self {
        Self { about: "turn".to_owned(), sql: TURN }
    }

    /// A link.
    pub(super) fn link(id: impl Into<String>) -> Self {
        Self { about: id.into(), sql: LINK }
    }

    /// A link, by a question of its own, which finds nothing where the link is there and something else is missing.
    pub(super) fn link_by(sql: &'static str, id: &LinkId) -> Self {
        Self { about: id.to_string(), sql }
    }

    pub(super) fn is_turn(&self) -> bool {
        self.sql == TURN
    }

    /// What locks the link nonetheless, where its own question has found nothing.
    pub(super) fn instead(&self) -> Option<Self> {
        (self.sql != TURN && self.sql != LINK).then(|| Self::link(&self.about))
    }
}

/// Each lock once, in the order in which they are taken.
pub(super) fn in_order(mut locks: Vec<&Lock>) -> Vec<&Lock> {
    locks.sort_unstable_by_key(|lock| (!lock.is_turn(), *lock));
    locks.dedup();
    locks
}

/// Whether a statement changes or locks the link that its first value names.
pub(super) fn is_of_link(sql: &str) -> bool {
    let locks = sql.contains("FROM links ") && sql.ends_with(" FOR UPDATE");
    locks || sql.starts_with("UPDATE links ") || sql.starts_with("DELETE FROM links ")
}

#[cfg(test)]
mod tests;
