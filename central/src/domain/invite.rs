//! An invite as the store keeps it, and what becomes of it when a product uses it.

use jiff::Timestamp;
use seatline_protocol::report::ProductFacts;
use seatline_protocol::{LinkId, PublicKey};
use serde::Serialize;

use super::ids::{ApplicationId, InviteId, TokenHash};
use super::link::Link;
use super::removal::RemovedLink;

/// An invite. Its secret is not stored, only the hash of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InviteRecord {
    /// Its id.
    pub id: InviteId,
    /// The hash of its secret.
    #[serde(skip)]
    pub secret: TokenHash,
    /// The application that it was made for: then the link is approved beforehand.
    pub application: Option<ApplicationId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Until when it can be used.
    pub expires_at: Timestamp,
}

/// An invite that nobody has used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct OpenInvite {
    /// Its id.
    pub id: InviteId,
    /// The application that it was made for: then the link is approved beforehand.
    pub application: Option<ApplicationId>,
    /// What that is called.
    pub application_name: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Until when it can be used.
    pub expires_at: Timestamp,
}

/// A product's wish to use an invite, its seal verified.
#[derive(Debug, Clone)]
pub struct Redemption {
    /// The hash of the secret that the join named.
    pub secret: TokenHash,
    /// The key that the product made.
    pub key: PublicKey,
    /// The product.
    pub product: ProductFacts,
    /// The id that the link gets if it is made now.
    pub link: LinkId,
    /// Now.
    pub now: Timestamp,
}

/// What became of it. An invite is bound to the first key that used it, so a repeated join comes to the same link,
/// also after the invite has expired; nobody else can use it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Redeemed {
    /// The link, made now or before. Boxed, as it is large beside the others.
    Link(Box<Link>),
    /// The link that this key made with it was removed.
    Removed(RemovedLink),
    /// There is no such invite, it was withdrawn or expired long ago, or another key has used it.
    Unknown,
    /// Nobody used it in time.
    Expired,
    /// The key already belongs to another link.
    KeyInUse,
}
