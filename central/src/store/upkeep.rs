//! What happens to links beside their reports: their keys are replaced, products wait for news of them, questions about
//! them are answered, and they are removed.

use async_trait::async_trait;
use jiff::Timestamp;
use seatline_protocol::{KeyId, LinkId};

use super::Stored;
use crate::domain::quota::Bound;
use crate::domain::{
    Act, Answer, Application, ApplicationId, FormerKey, KeyChange, KeyChanged, LinkState, RemovedLink, Sender, WouldGo,
};

/// The keys of links.
#[async_trait]
pub trait LinkKeys: Send + Sync {
    /// Whose key it is, or was before another one took its place.
    async fn sender(&self, key: &KeyId) -> Stored<Option<Sender>>;
    /// Replaces the key of a link that is in force, once: the same wish again finds what it has come to. Of two wishes
    /// to replace one key, the first one is granted, and the other counted as a fork.
    async fn change_key(&self, change: &KeyChange, now: Timestamp) -> Stored<KeyChanged>;
    /// Notes that the product of a link has met a bound that is not the store's to hold, and has its application
    /// reviewed where that is news. Of a link that is not there, nothing.
    async fn note_met(&self, link: &LinkId, bound: Bound, now: Timestamp) -> Stored<()>;
    /// The keys that a link had before its present one, the latest first: as many as evidence names beside that.
    async fn former_keys(&self, link: &LinkId) -> Stored<Vec<FormerKey>>;
}

/// That what a product is told may be something else than before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// The link.
    pub link: LinkId,
    /// The revision of its settings; none where the link was removed.
    pub revision: Option<u64>,
    /// What it may do; none where the link was removed.
    pub state: Option<LinkState>,
}

/// News of links, for the products that wait.
#[async_trait]
pub trait LinkNews: Send + Sync {
    /// How a link stands; none where there is none.
    async fn standing(&self, link: &LinkId) -> Stored<Option<News>>;
    /// The links that there is news of since a time, at most `most`, what came first before the others.
    async fn news_since(&self, at: Timestamp, most: u32) -> Stored<Vec<News>>;
}

/// Removing links and applications.
#[async_trait]
pub trait Removals: Send + Sync {
    /// What goes with an application: its links, and their reports.
    async fn goes_with_application(&self, id: &ApplicationId) -> Stored<WouldGo>;
    /// Removes a link for good. Its id and its keys are remembered, so that its product learns of it; what else is kept
    /// of it goes by [`Self::sweep`].
    ///
    /// # Errors
    /// [`super::StoreError::Missing`] where there is no such link.
    async fn remove_link(&self, act: &Act, link: &LinkId) -> Stored<()>;
    /// Removes a link that waits for approval: its product is told so.
    ///
    /// # Errors
    /// [`super::StoreError::Missing`] where there is no such link, [`super::StoreError::Conflict`] where it was
    /// approved.
    async fn refuse_link(&self, act: &Act, link: &LinkId) -> Stored<()>;
    /// Removes an application with its links and its unused invites.
    ///
    /// # Errors
    /// [`super::StoreError::Missing`] where there is no such application.
    async fn remove_application(&self, act: &Act, id: &ApplicationId) -> Stored<()>;
    /// Deletes a batch of what is left of removed links. Gives whether there may be more.
    async fn sweep(&self) -> Stored<bool>;
    /// The removed link that a key belonged to.
    async fn removed_by_key(&self, key: &KeyId) -> Stored<Option<RemovedLink>>;
    /// The removed link of an id.
    async fn removed_link(&self, link: &LinkId) -> Stored<Option<RemovedLink>>;
    /// Changes the name, the product and the URL of an application from what they are in `before`.
    ///
    /// # Errors
    /// [`super::StoreError::Missing`] where it is not there, [`super::StoreError::Conflict`] where another has its
    /// name, or somebody else has changed it since.
    async fn change_application(&self, act: &Act, before: &Application, after: &Application) -> Stored<()>;
}

/// What administrators have answered to the questions of chains (`b4`, `b8`).
#[async_trait]
pub trait Answers: Send + Sync {
    /// Keeps an answer, and the latest [`crate::domain::answer::MAX_ANSWERS`] of its link.
    ///
    /// # Errors
    /// [`super::StoreError::Missing`] where there is no such link.
    async fn answer(&self, act: &Act, answer: &Answer) -> Stored<()>;
    /// The answers of a link, the newest first.
    async fn answers(&self, link: &LinkId) -> Stored<Vec<Answer>>;
}
