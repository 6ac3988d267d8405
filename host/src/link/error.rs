//! Why a link was not made, changed or removed.

use jiff::Timestamp;
use seatline_protocol::OpenError;

use crate::host::HostError;
use crate::ports::PortError;
use crate::store::StoreError;

/// Why a link was not made.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The invite is none.
    #[error("the invite was refused: {0}")]
    Invite(#[from] OpenError),
    /// Its time is over.
    #[error("the invite expired at {}; ask for a new one", expired.strftime("%Y-%m-%d %H:%M UTC"))]
    InviteExpired {
        /// When.
        expired: Timestamp,
    },
    /// There is a link.
    #[error("the product is linked to {central_url} already; remove that link first (`seatline link remove`)")]
    AlreadyLinked {
        /// Where to.
        central_url: String,
    },
    /// There is no link.
    #[error("the product is not linked; accept an invite first (`seatline link accept`)")]
    NotLinked,
    /// The link is not in force, so there is nothing to rotate.
    #[error("the link is not in force yet: its key can be replaced once the central server has approved it")]
    NotInForce,
    /// A new key was made, and the central server does not know it yet.
    #[error(
        "a new key was made already, and the central server has not answered yet; synchronise first (`seatline sync`)"
    )]
    RotationUnderWay,
    /// The server ID is another one than the link was made for: this may be a copy, whose key is not its own.
    #[error(
        "the server ID has changed since the product was linked: say first whether this is the same instance or a copy of it \
         (`seatline server-id confirm`)"
    )]
    Unconfirmed,
    /// The link that was meant is gone, and there is another one.
    #[error(
        "the link that was meant is gone, and another one, to {central_url}, was made since: nothing was changed; look at \
         what holds now (`seatline link show`)"
    )]
    Replaced {
        /// Where the other one leads.
        central_url: String,
    },
    /// The product does not say what it is, so it cannot introduce itself.
    #[error("the product does not say what it is: {0}")]
    Product(#[source] PortError),
    /// The state could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<HostError> for LinkError {
    fn from(error: HostError) -> Self {
        match error {
            HostError::Store(error) => Self::Store(error),
            HostError::Product(error) => Self::Product(error),
            HostError::Plugins(error) => Self::Product(PortError::new(error)),
        }
    }
}

impl LinkError {
    /// A stable code for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Invite(error) => error.code(),
            Self::InviteExpired { .. } => "invite-expired",
            Self::AlreadyLinked { .. } => "already-linked",
            Self::NotLinked => "not-linked",
            Self::NotInForce => "link-not-in-force",
            Self::RotationUnderWay => "rotation-under-way",
            Self::Unconfirmed => "server-id-unconfirmed",
            Self::Replaced { .. } => "link-replaced",
            Self::Product(_) => "product-unavailable",
            Self::Store(error) => error.code(),
        }
    }
}
