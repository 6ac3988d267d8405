//! Invites, by which links are made.

use async_trait::async_trait;
use jiff::Timestamp;

use super::{Cursor, Page, PageSize, Stored};
use crate::domain::{Act, InviteId, InviteRecord, OpenInvite, Redeemed, Redemption};

/// Invites.
#[async_trait]
pub trait Invites: Send + Sync {
    /// Keeps an invite. Those that expired long ago, and that nobody used, are forgotten.
    async fn add_invite(&self, act: &Act, invite: &InviteRecord) -> Stored<()>;
    /// A page of the invites that can be used at `now`, the newest first.
    async fn open_invites(&self, now: Timestamp, after: Option<&Cursor>, size: PageSize) -> Stored<Page<OpenInvite>>;
    /// Withdraws an invite: nobody can use it any more.
    ///
    /// # Errors
    /// [`super::StoreError::Missing`] where there is no such invite, [`super::StoreError::Conflict`] where it was used.
    async fn withdraw_invite(&self, act: &Act, id: &InviteId) -> Stored<()>;
    /// Uses an invite, once: makes the link, or finds the one that the same key made before. The link of an invite that
    /// was made for an application is approved, belongs to it, and is chosen for it.
    async fn redeem(&self, redemption: &Redemption) -> Stored<Redeemed>;
}
