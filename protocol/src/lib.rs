//! Every document that crosses a boundary of Seatline, and the pure rules over them.
//!
//! A document is sealed: signed as a PASETO `v4.public` token with its purpose as implicit assertion, so that one can
//! never pass as another (see [`seal`]). The same bytes serve online, by file and as evidence.
//!
//! | document | sealed by | read by |
//! |---|---|---|
//! | [`License`] | a vendor's key | the host |
//! | [`Invite`], [`Welcome`], [`Settings`], [`PseudonymKey`], [`Receipt`], [`Removal`] | the central server's key | the host |
//! | [`evidence::EvidenceSection`], [`evidence::EvidenceManifest`] | the central server's key | anyone |
//! | [`Join`], [`Report`], [`Repeat`], [`Continuity`], [`Rotation`], [`Wait`] | the link's key, made by the host | the central server |
//!
//! A [`LicenseRequest`] is not sealed: an administrator sends it to a vendor, before there is a license.
//!
//! Nothing here does I/O or reads a clock: the time is always a parameter.
#![forbid(unsafe_code)]

pub mod chain;
pub mod continuity;
pub mod evidence;
pub mod exchange;
pub mod ids;
pub mod keys;
pub mod license;
pub mod notices;
pub mod pairing;
mod paseto;
pub mod pseudonym;
pub mod receipt;
pub mod removal;
pub mod repeat;
pub mod report;
pub mod request;
pub mod rotation;
#[cfg(feature = "schema")]
mod schema;
pub mod seal;
pub mod settings;
pub mod standing;
pub mod text;
mod url;
pub mod wait;

pub use continuity::{Continuity, ContinuityAnswer, IdentityPart};
pub use exchange::{ExchangeRequest, ExchangeResponse, Refusal};
pub use ids::{Digest, Dimension, IdError, LicenseId, LinkId, ProductId, Sequence, ServerId};
pub use keys::{KeyError, KeyId, PublicKey, SecretKey};
pub use license::{Behaviour, Cost, Counting, Kind, License, Limit, Mode, Prerequisite};
pub use pairing::{Invite, Join, Welcome};
pub use pseudonym::{PseudonymKey, PseudonymKeyId};
pub use receipt::{Receipt, Verdict as ReceiptVerdict};
pub use removal::Removal;
pub use repeat::{Entry, Repeat};
pub use report::{AccountCounts, Collected, Measurement, Omission, Outcome, Report};
pub use request::{LicenseRequest, RequestError};
pub use rotation::Rotation;
pub use seal::{Document, OpenError};
pub use settings::Settings;
pub use standing::{Observed, Standing, standing};
pub use wait::{Wait, WaitRequest};
