//! The store: what is kept, as small traits by subject, and the implementations of them.
//!
//! No SQL stands outside this module. Times and ids are parameters: a store has no clock and no randomness. Whatever
//! a call changes is committed, and synced to disk, when the call returns. Every implementation passes the stories of
//! [`conformance`].
//!
//! # Adding something that is kept
//!
//! 1. A trait here, in the words of the domain, and its name in [`Store`]. Its stories in `conformance/`, named in the
//!    macro there: they then run on every database.
//! 2. Its tables in `sql/migrations/sqlite/` *and* `sql/migrations/postgres/`, as the same next number. What was
//!    released is never changed. Numbers, times (milliseconds) and booleans (0 and 1) are `BIGINT`; texts are `TEXT`,
//!    in PostgreSQL always `TEXT COLLATE "C"`; bytes are `BLOB` and `BYTEA`.
//! 3. Its implementation in `sql/SUBJECT.rs`, once, for [`sql::SqlStore`]:
//!
//! ```text
//! async fn note(&self, id: &TagId, name: &str, now: Timestamp) -> Stored<()> {
//!     let (id, name) = (id.clone(), name.to_owned());
//!     self.write(move |session| {                       // or self.read(…), or self.change(act, …): see below
//!         let changed = session.execute(
//!             "UPDATE tags SET name = ?2, changed_at = ?3 WHERE id = ?1",
//!             params![id.as_str(), &name, now],
//!         )?;
//!         if changed == 0 { Err(StoreError::Missing("tag")) } else { Ok(()) }
//!     })
//!     .await
//! }
//! ```
//!
//! What somebody changes demands an [`Act`] and goes through `self.change(act, …)`, whose closure gives a
//! [`crate::domain::Changed`]: its value, and the record for the audit log, which is written in the same commit
//! ([`crate::domain::audit`] tells how). `self.write` is for what products and jobs do by themselves.
//!
//! All that a `self.read` sees is of one commit. It is short: whoever holds a snapshot keeps the database from clearing
//! up, and after 12 seconds it is given up. `self.look` is a read of one statement, for what exchanges ask.
//!
//! The closure is a synchronous transaction over `&dyn Session`. It may run several times, all but the last without
//! effect, so it changes nothing but the database. `session.execute` gives how many rows it changed; `session.run` is
//! for statements whose count nobody needs, and PostgreSQL is not waited for; `session.row`, `rows` and `exists` ask,
//! and read each row by a function over `&Row` (`row.parsed("id")?`, `time`, `named`, `json`, `number`, `text`, and
//! `…_option` where it may be null).
//!
//! The SQL is one text for both databases:
//!
//! - `?1`, `?2` … for values, each of one type wherever it stands; statements are constants, never put together at run
//!   time.
//! - Columns by name, never `SELECT *`: a column that a newer version adds must not change what an older one prepared.
//! - `ON CONFLICT … DO NOTHING`, or `DO UPDATE`, instead of an error that is awaited; keyset pages, never `OFFSET`; no
//!   function that only one has; `CAST(SUM(x) AS BIGINT)`; columns of `excluded` and of the table named with their
//!   table in an upsert.
//! - Several replicas write to one PostgreSQL. A `self.write` or `self.change` has *the turn*: no other server runs one
//!   meanwhile. Who changes a link, or what hangs on it, names it beforehand: `self.write_locking([link], …)`,
//!   `self.change_locking(act, [link], …)`. What products send about one link goes without the turn, by
//!   `self.write_to_link`. `sql/lock.rs` tells why, and in which order all lock. SQLite needs no lock: its driver
//!   leaves ` FOR UPDATE` away.
//! - Where two may insert the same key, the one who was slower runs again, and finds what the other has written.
//! - A write holds up all others, on PostgreSQL also those of other servers: keep each short, and work through many
//!   rows in batches, a call for each.

mod accounts;
pub mod alerts;
pub mod conformance;
mod evidence;
pub mod fleet;
mod history;
mod invites;
pub mod leases;
mod link_list;
pub mod load;
pub mod page;
pub mod people;
mod pseudonyms;
mod retention;
pub mod sql;
pub mod tab;
mod upkeep;

use async_trait::async_trait;
use jiff::Timestamp;
use seatline_protocol::exchange::RefusalCode;
use seatline_protocol::{Digest, KeyId, LinkId, Sequence};

use crate::domain::{
    Act, Admissions, Application, ApplicationId, ApplicationName, ApplicationRow, Incoming, Latest, Link, LinkSettings,
    LinkState, RefusedReport, ReportRow, Stated, Statement,
};
pub use accounts::{Accounts, Audit, Sessions, Tokens};
pub use alerts::Alerts;
pub use evidence::{Evidence, Stretch};
pub use fleet::Fleet;
pub use history::{Histories, MAX_SPANS};
pub use invites::Invites;
pub use leases::Leases;
pub use link_list::LinkLists;
pub use load::Busy;
pub use page::{Cursor, Page, PageSize};
pub use people::{PeopleCounts, PeopleSchedules, Sketches};
pub use pseudonyms::PseudonymKeys;
pub use retention::Retentions;
pub use tab::LicenseTabs;
pub use upkeep::{Answers, LinkKeys, LinkNews, News, Removals};

/// Why the store did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Something with this name is there already. Nothing was changed.
    #[error("there is already {0}")]
    Conflict(&'static str),
    /// What should be changed is not there. Nothing was changed.
    #[error("there is no such {0}")]
    Missing(&'static str),
    /// A cursor was not one that this list gave.
    #[error("the cursor is not one that this list gave: begin again without it")]
    Cursor,
    /// Too much waits to be written. Nothing was changed; try again.
    #[error("too much waits to be written: try again in a few seconds")]
    Overloaded,
    /// The database could not be used, or the commit failed. Nothing was changed.
    #[error("the database cannot be used now: {0}")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A stored value is not what this program stores.
    #[error("the database holds {what} that this version cannot read: {reason}")]
    Corrupt {
        /// What was read.
        what: &'static str,
        /// Why it cannot be read.
        reason: String,
    },
}

impl StoreError {
    /// A stable code for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Conflict(_) => "conflict",
            Self::Missing(_) => "not-found",
            Self::Cursor => "invalid-cursor",
            Self::Overloaded => "overloaded",
            Self::Unavailable(_) => "store-unavailable",
            Self::Corrupt { .. } => "store-corrupt",
        }
    }
}

/// What a store call gives.
pub type Stored<T> = Result<T, StoreError>;

/// Applications (`w1`).
#[async_trait]
pub trait Applications: Send + Sync {
    /// Adds an application.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where another has its name, whatever the case of the letters.
    async fn add_application(&self, act: &Act, application: &Application) -> Stored<()>;
    /// The application of an id.
    async fn application(&self, id: &ApplicationId) -> Stored<Option<Application>>;
    /// The application of a name, whatever the case of its letters.
    async fn application_named(&self, name: &ApplicationName) -> Stored<Option<Application>>;
    /// A page of the list, by name.
    async fn applications(&self, after: Option<&Cursor>, size: PageSize) -> Stored<Page<ApplicationRow>>;
    /// Chooses the link whose reports are shown for an application (`w4`), or none.
    ///
    /// # Errors
    /// [`StoreError::Missing`] where there is no such application, or the link does not belong to it.
    async fn choose_link(&self, act: &Act, id: &ApplicationId, link: Option<&LinkId>) -> Stored<()>;
}

/// Links.
#[async_trait]
pub trait Links: Send + Sync {
    /// The link of an id.
    async fn link(&self, id: &LinkId) -> Stored<Option<Link>>;
    /// The link of a key.
    async fn link_of_key(&self, key: &KeyId) -> Stored<Option<Link>>;
    /// The links of an application, the newest first, at most [`PageSize::MAX`].
    async fn links_of(&self, application: &ApplicationId) -> Stored<Vec<Link>>;
    /// Approves a link for an application, which chooses it: also one that was suspended.
    ///
    /// # Errors
    /// [`StoreError::Missing`] where there is no such link or application, [`StoreError::Conflict`] where the link
    /// belongs to another application.
    async fn approve_link(&self, act: &Act, link: &LinkId, application: &ApplicationId) -> Stored<()>;
    /// Adds an application and approves a link for it: both acts, or none.
    ///
    /// # Errors
    /// [`StoreError::Missing`] where there is no such link, [`StoreError::Conflict`] where the link belongs to another
    /// application, or one has the name.
    async fn approve_link_as_new(
        &self,
        adding: &Act,
        approving: &Act,
        link: &LinkId,
        application: &Application,
    ) -> Stored<()>;
    /// Sets the state of a link that was approved before.
    ///
    /// # Errors
    /// [`StoreError::Missing`] where there is no such link, [`StoreError::Conflict`] where it is pending.
    async fn set_link_state(&self, act: &Act, link: &LinkId, state: LinkState) -> Stored<()>;
    /// Sets the settings of a link, if its revision is still `settings.revision - 1`.
    ///
    /// # Errors
    /// [`StoreError::Missing`] where there is no such link, [`StoreError::Conflict`] where somebody else changed it.
    async fn set_link_settings(&self, act: &Act, link: &LinkId, settings: &LinkSettings) -> Stored<()>;
}

/// Reports and the chains that they make (`b1`).
#[async_trait]
pub trait Reports: Send + Sync {
    /// Decides on reports of one link by [`seatline_protocol::chain::admit`] and stores what is admitted, with the
    /// chain and the latest report of the link, all in one commit. All are refused where the link is not in force.
    async fn admit(&self, link: &LinkId, reports: Vec<Incoming>, now: Timestamp) -> Stored<Admissions>;
    /// A page of the reports of a link, the newest first.
    async fn reports(&self, link: &LinkId, after: Option<&Cursor>, size: PageSize) -> Stored<Page<ReportRow>>;
    /// The exact bytes of a stored report.
    async fn sealed_report(&self, link: &LinkId, sequence: Sequence) -> Stored<Option<String>>;
    /// The refused reports of a link that are kept, the one that came last first.
    async fn refused_reports(&self, link: &LinkId) -> Stored<Vec<RefusedReport>>;
    /// The exact bytes of a refused report.
    async fn sealed_refused_report(&self, link: &LinkId, digest: &Digest) -> Stored<Option<String>>;
    /// The newest report of a link.
    async fn latest(&self, link: &LinkId) -> Stored<Option<Latest>>;
}

/// What instances have said of changes of their server IDs (`b4`).
#[async_trait]
pub trait Statements: Send + Sync {
    /// Keeps statements of one link, the latest [`seatline_protocol::continuity::MAX_STATEMENTS`] of them, and gives
    /// the settings of the link; or says why none is taken, where the link is not in force. One that came before stays
    /// as it is.
    async fn note(
        &self,
        link: &LinkId,
        stated: Vec<Stated>,
        now: Timestamp,
    ) -> Stored<Result<LinkSettings, RefusalCode>>;
    /// The statements of a link, the newest first.
    async fn statements(&self, link: &LinkId) -> Stored<Vec<Statement>>;
}

/// The identity that the stored data belongs to.
#[async_trait]
pub trait Identity: Send + Sync {
    /// Binds the store to the central server's key if it is bound to none, and gives the key that it is bound to.
    async fn bind(&self, key: &KeyId) -> Stored<KeyId>;
    /// The key that the store is bound to, if it is bound to one.
    async fn bound(&self) -> Stored<Option<KeyId>>;
    /// Whether the store can be read and written now.
    ///
    /// # Errors
    /// Where it cannot.
    async fn check(&self) -> Stored<()>;
}

/// Everything that is kept.
pub trait Store:
    Applications
    + Links
    + Invites
    + LinkLists
    + LinkKeys
    + LinkNews
    + Removals
    + Answers
    + Reports
    + Histories
    + Sketches
    + PeopleCounts
    + PeopleSchedules
    + PseudonymKeys
    + Statements
    + Accounts
    + Sessions
    + Tokens
    + Audit
    + Identity
    + Busy
    + Fleet
    + Alerts
    + Evidence
    + Leases
    + Retentions
    + LicenseTabs
    + 'static
{
}
