//! The server ID: the identity of an instance (`c7`), by one of two policies.
//!
//! - *instance*: the ID is made at the first start, lives in the instance's own state, and stays for as long as that
//!   does.
//! - *database-bound* (`s2`): the ID is made of the place of the product's database and of a birth mark of its data,
//!   both of which the product tells ([`Product::database`](crate::ports::Product::database)). The same database has
//!   the same ID whenever it is looked at, another one has another, and one that cannot be read changes nothing.
//!
//! An instance that is declared to be a staging one has an ID of its own under either policy (`s3`).
//!
//! Every ID but the first is an HMAC under a key that was made with the state and never leaves it. So two instances
//! never have the same ID, whatever their databases are called, and an ID tells nobody of what it is made.
//!
//! `rules` decides, without reading or writing anything; `state` keeps what was decided. When the ID changes, the old
//! one vouches for the new (`b4`): the change is kept with the names of the parts that are others, the central server
//! is told by the link's key, and nothing else is sent over the link until a person has said whether this is the
//! instance that was linked, or a copy of it.

mod rules;
pub(crate) mod state;

use std::collections::BTreeSet;

use jiff::Timestamp;
use seatline_protocol::standing::PreviousServer;
use seatline_protocol::{ContinuityAnswer, IdentityPart, ServerId};
use serde::{Deserialize, Serialize};

use crate::exchange::Problem;

pub(crate) use rules::{Makings, Record};

/// What a server ID is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Policy {
    /// It is the instance's own, made at the first start.
    Instance,
    /// It is made of the place of the product's database and the birth mark of its data.
    DatabaseBound,
}

impl Policy {
    /// The name in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Instance => "instance",
            Self::DatabaseBound => "database-bound",
        }
    }
}

/// A change of the server ID.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct IdentityChange {
    /// The server ID before.
    pub previous: ServerId,
    /// The server ID since.
    pub present: ServerId,
    /// When it was noticed.
    pub at: Timestamp,
    /// The parts that are others than before: their names, never their values.
    pub changed: BTreeSet<IdentityPart>,
    /// Whether the instance is declared to be a staging one since.
    pub staging: bool,
    /// What a person has said of it.
    pub answer: Option<ContinuityAnswer>,
    /// Whether the central server has still to be told of it, or of that answer.
    pub to_tell: bool,
}

impl IdentityChange {
    /// Whether nothing has changed but the policy: a decision of whoever configures the instance, and not of its
    /// database.
    pub(crate) fn is_policy_alone(&self) -> bool {
        self.changed.iter().all(|part| *part == IdentityPart::Policy)
    }
}

/// What is known of the server ID. As JSON it is an interface.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct IdentityFacts {
    /// The server ID.
    pub server_id: ServerId,
    /// What it is made of.
    pub policy: Policy,
    /// Whether the instance is declared to be a staging one.
    pub staging: bool,
    /// The parts that enter it: their names, never their values.
    pub parts: BTreeSet<IdentityPart>,
    /// Since when it is so; absent for one that an early version has made.
    pub since: Option<Timestamp>,
    /// Why the last look of this process has not confirmed it: then the last known one holds.
    pub problem: Option<Problem>,
    /// That the link waits for a person to say what the change was.
    pub unconfirmed: Option<Unconfirmed>,
    /// How it has changed, the oldest first.
    pub history: Vec<IdentityChange>,
}

/// That nothing is sent over the link, because the server ID is not the one that it was made for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Unconfirmed {
    /// The server ID that the link was made for, or confirmed for.
    pub linked_as: ServerId,
    /// The server ID now.
    pub present: ServerId,
    /// Since when, where the history still knows.
    pub since: Option<Timestamp>,
    /// The parts that are others than then.
    pub changed: BTreeSet<IdentityPart>,
}

/// What the rest of the host needs to know of the identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    pub server_id: ServerId,
    pub staging: bool,
    pub previous: Vec<PreviousServer>,
}
