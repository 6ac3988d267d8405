//! Who asks, and what a route demands.

use jiff::Timestamp;
use seatline_web::TokenHash;

use crate::users::Role;

/// Somebody who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visitor {
    /// The name that is shown.
    pub name: String,
    /// What the visitor may do; nothing where there is none.
    pub role: Option<Role>,
    /// The session: confirmations belong to it.
    pub(crate) session: TokenHash,
}

impl Visitor {
    /// The visitor called `name`. `session` tells the visitor's session from all others, and ends with it: the
    /// confirmation of a password holds for it alone. Only its hash is kept.
    pub fn new(name: impl Into<String>, role: Option<Role>, session: &str) -> Self {
        Self { name: name.into(), role, session: TokenHash::of(session.as_bytes()) }
    }
}

/// What a route demands of who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// Nothing: the way in.
    Nothing,
    /// That the visitor may look.
    View,
    /// That the visitor is an administrator.
    Administer,
    /// That the visitor is an administrator who has confirmed the password a short time ago (`c2`): every change.
    Confirmed,
}

impl Need {
    /// The role that it takes.
    pub fn role(self) -> Option<Role> {
        match self {
            Self::Nothing => None,
            Self::View => Some(Role::Viewer),
            Self::Administer | Self::Confirmed => Some(Role::Administrator),
        }
    }
}

/// A request of somebody who may do what it asks for: put beside it by the guard (`Extension<Visit>`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    /// Who asks.
    pub visitor: Visitor,
    /// Until when the visitor's temporary secure session lasts, if there is one.
    pub secure_until: Option<Timestamp>,
}

impl Visit {
    /// Whether the visitor is an administrator.
    pub fn is_administrator(&self) -> bool {
        self.visitor.role == Some(Role::Administrator)
    }
}
