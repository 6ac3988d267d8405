//! The pages: server-rendered HTML that works without JavaScript; htmx adds comfort.
//!
//! | module | holds |
//! |---|---|
//! | [`routes`] | every route, with what it demands of who asks |
//! | [`visitor`], [`guard`] | who asks, and what stands before every page |
//! | [`own`], [`sessions`] | the agent's own sign-in; [`mount`]: that of a product which mounts the pages |
//! | [`secure`] | the password that is confirmed before a change (`c2`); `moment`: how long that and a sign-in last |
//! | [`frame`], [`failure`] | what stands around every page, and what is said where there is none |
//! | [`license`], [`links`], [`notifications`] … | a page each; `download`: what they give as a file |
//! | `identity` | what is said and asked about the server ID |
//!
//! A handler gives a [`Content`], and [`frame`] makes a page of it: with the navigation, the banners (`a4`)
//! and the secure session of who asks. So nothing that fails below leaves anybody without a page (`a7`).

mod download;
pub mod failure;
mod fields;
pub mod frame;
pub mod guard;
mod identity;
pub mod license;
pub mod links;
mod moment;
pub mod mount;
pub mod notifications;
pub mod own;
pub mod plugin;
pub mod routes;
pub mod secure;
pub mod sessions;
pub mod support;
pub mod system;
pub mod visitor;

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use jiff::Timestamp;
use seatline_host::Host;
use tokio::sync::Semaphore;

use crate::http::synchronising::{SyncState, Synchronising};
use crate::instance::Instance;
use crate::notices::Notices;

pub use failure::PageError;
pub use frame::{Content, Place};
pub use mount::{Confirmation, Mount};
use notifications::Testing;
use own::OwnSignIn;
use plugin::next::NextReport;
pub use routes::router;
use secure::SecureSessions;
pub use visitor::{Need, Visit, Visitor};

/// How long an answer waits for a count that was asked for, so that most people see it at once.
const PATIENCE: Duration = Duration::from_secs(3);

/// What every page works with. Cloning it is cheap: all clones share the same things.
#[derive(Clone)]
pub struct Pages(Arc<Inner>);

struct Inner {
    host: Arc<Host>,
    base: String,
    people: People,
    secure: SecureSessions,
    origins: Vec<String>,
    synchronising: Arc<Synchronising>,
    next_report: NextReport,
    /// What the notices of an agent are told by; none in a product that mounts the pages, which tells people itself.
    telling: Option<Telling>,
    /// How many more long questions may be asked.
    long: Arc<Semaphore>,
}

/// How many questions that take long are asked at once: fewer than there are threads to ask on, so that the license
/// page and the way in wait for none of them (`a7`).
const LONG_QUESTIONS: usize = 2;

/// What the notices of an agent are told by.
pub(crate) struct Telling {
    instance: Arc<Instance>,
    testing: Testing,
}

/// Whose sign-in it is.
pub(crate) enum People {
    /// The agent's own.
    Own(OwnSignIn),
    /// That of the product which mounts the pages.
    Product(mount::ProductSignIn),
}

impl Pages {
    /// The pages of an agent, at the root of its address. The `origins` are its own, also behind a proxy that changes
    /// the `Host` header.
    pub fn of_agent(
        instance: Arc<Instance>,
        sign_in: OwnSignIn,
        origins: Vec<String>,
        synchronising: Arc<Synchronising>,
    ) -> Self {
        let host = Arc::clone(&instance.host);
        let telling = Some(Telling { instance, testing: Testing::default() });
        Self::new(host, String::new(), People::Own(sign_in), origins, synchronising, telling)
    }

    pub(crate) fn new(
        host: Arc<Host>,
        base: String,
        people: People,
        origins: Vec<String>,
        synchronising: Arc<Synchronising>,
        telling: Option<Telling>,
    ) -> Self {
        let secure = SecureSessions::default();
        let long = Arc::new(Semaphore::new(LONG_QUESTIONS));
        let next_report = NextReport::default();
        Self(Arc::new(Inner { host, base, people, secure, origins, synchronising, next_report, telling, long }))
    }

    /// Whether there is anything to set about who is told.
    pub fn has_notices(&self) -> bool {
        self.0.telling.is_some()
    }

    /// Asks the notices, as [`Self::ask`] asks the host.
    ///
    /// # Errors
    /// Where there are none: in a product that mounts the pages.
    pub async fn ask_notices<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Notices<'_>) -> T + Send + 'static,
    ) -> Result<T, PageError> {
        let instance = Arc::clone(&self.telling()?.instance);
        self.ask(move |_| question(&Notices::of(&instance))).await
    }

    fn telling(&self) -> Result<&Telling, PageError> {
        self.0.telling.as_ref().ok_or_else(|| PageError::of_status(StatusCode::NOT_FOUND))
    }

    /// Asks the host, on a thread where it may block.
    ///
    /// # Errors
    /// When the thread ends unexpectedly. What the host itself answers is in the value.
    pub async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Host) -> T + Send + 'static,
    ) -> Result<T, PageError> {
        let host = Arc::clone(&self.0.host);
        let span = tracing::Span::current();
        tokio::task::spawn_blocking(move || span.in_scope(|| question(&host))).await.map_err(|error| {
            tracing::error!(code = "internal", "a page failed unexpectedly: {error}");
            PageError::internal()
        })
    }

    /// As [`Self::ask`], a question that takes as long as counting, a network or a compiler does.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn ask_long<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Host) -> T + Send + 'static,
    ) -> Result<T, PageError> {
        let place = Arc::clone(&self.0.long).acquire_owned().await.map_err(|_| PageError::internal())?;
        self.ask(move |host| {
            // It is given back when the question is answered, whether or not somebody still waits for that.
            let _place = place;
            question(host)
        })
        .await
    }

    /// The address of the page at `path`, which begins with a slash, where the pages are mounted. A router that is
    /// nested under a path answers there, and not behind one more slash.
    pub fn href(&self, path: &str) -> String {
        match path {
            "/" if !self.0.base.is_empty() => self.0.base.clone(),
            path => format!("{}{path}", self.0.base),
        }
    }

    /// Begins to count, unless it is under way.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn synchronise(&self) -> Result<(), PageError> {
        self.0.synchronising.begin(&self.0.host).map_err(|_| PageError::internal())
    }

    /// Counts for somebody who waits to see it: it waits a little for its end. A long count goes on after the answer.
    ///
    /// # Errors
    /// When no thread can be started.
    pub async fn synchronise_in_sight(&self) -> Result<(), PageError> {
        self.synchronise()?;
        self.0.synchronising.wait(PATIENCE).await;
        Ok(())
    }

    /// How the count goes that was asked for.
    pub fn synchronisation(&self) -> SyncState {
        self.0.synchronising.state()
    }

    pub(crate) fn host(&self) -> &Arc<Host> {
        &self.0.host
    }

    pub(crate) fn next_report(&self) -> &NextReport {
        &self.0.next_report
    }

    pub(crate) fn people(&self) -> &People {
        &self.0.people
    }

    pub(crate) fn secure(&self) -> &SecureSessions {
        &self.0.secure
    }

    pub(crate) fn base(&self) -> &str {
        &self.0.base
    }

    pub(crate) fn origins(&self) -> impl Iterator<Item = &str> {
        self.0.origins.iter().map(String::as_str)
    }
}

/// The time by the system's clock.
fn now() -> Timestamp {
    Timestamp::now()
}
