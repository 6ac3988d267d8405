//! The order in which writes take their locks on a database that several servers share. Two that took them each in
//! another order would wait for each other until PostgreSQL ends one of them, a second later.
//!
//! 1. **The turn**, a row of its own. Whoever writes anything but one link and what hangs on it has it: what people
//!    change, and what jobs do. One transaction of all servers has the turn at a time.
//! 2. **Links**, by id. Who holds a link may write its row, and the rows that have its id in their key: its chain,
//!    reports, the newest one, gaps, history, people, statements, answers.
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

/// What a write locks, in the order in which it is taken.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Lock {
    /// The turn.
    Turn,
    /// A link, by its id: whoever asks for what is in force of it is answered by what was found where it was locked.
    Link(String),
}

/// The question that takes the turn.
pub(super) const TURN: &str = "SELECT name FROM turns FOR UPDATE";

impl From<&LinkId> for Lock {
    fn from(link: &LinkId) -> Self {
        Self::Link(link.to_string())
    }
}

/// Each lock once, in the order in which they are taken.
pub(super) fn in_order(mut locks: Vec<&Lock>) -> Vec<&Lock> {
    locks.sort_unstable();
    locks.dedup();
    locks
}

/// The links among locks.
pub(super) fn links<'l>(locks: &'l [&Lock]) -> impl Iterator<Item = &'l str> {
    locks.iter().filter_map(|lock| match lock {
        Lock::Turn => None,
        Lock::Link(id) => Some(id.as_str()),
    })
}

/// Whether a statement changes or locks the link that its first value names.
pub(super) fn is_of_link(sql: &str) -> bool {
    let is_about = |table: &str| {
        let locks = sql.contains(&format!("FROM {table} ")) && sql.ends_with(" FOR UPDATE");
        locks || sql.starts_with(&format!("UPDATE {table} ")) || sql.starts_with(&format!("DELETE FROM {table} "))
    };
    is_about("links") || is_about("chains")
}

#[cfg(test)]
mod tests;
