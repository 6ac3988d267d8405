//! The audit log (`g11`): who changed what, when and from where, with the value before and after.
//!
//! # How a change is made
//! Whoever changes something on somebody's behalf carries an [`Actor`]; [`crate::Central::act`] makes an [`Act`] of it,
//! with the moment and the entry's id, and every changing function of the store demands one:
//!
//! ```text
//! // central/src/actions/….rs
//! pub async fn rename(&self, actor: &Actor, id: &ApplicationId, name: &str) -> Result<…, ActionError> {
//!     let act = self.act(actor)?;
//!     self.store().rename_application(&act, id, &name).await
//! }
//!
//! // central/src/store/sql/….rs: the work gives its value with the record of the change, and both are committed at once
//! self.change(act, move |session| {
//!     let before = …;
//!     …
//!     Ok(Changed::new((), Record::changed("application.rename", Object::application(&before), &before, &after)))
//! })
//! ```
//!
//! Handlers take the actor from who is signed in (`who.actor()`), the command line from [`Actor::command_line`]. A
//! product that uses an invite or replaces its key is an actor too ([`Act::of_product`]); its reports, and what the
//! server's own jobs do, write no entry.
//!
//! A record takes what `Serialize` shows of a value: what is secret is not serialised, so it never comes here.

use std::fmt;
use std::net::IpAddr;

use jiff::Timestamp;
use seatline_protocol::{KeyId, LinkId, text};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::ids::{EntryId, TokenId};

/// The kinds of things that entries are about.
pub const KINDS: [&str; 12] = [
    "account",
    "token",
    "application",
    "link",
    "invite",
    "alert",
    "channel",
    "alert-settings",
    "people-count",
    "people-schedule",
    "pseudonym-key",
    "retention",
];
/// The most characters of an object's name in an entry.
const MAX_NAME: usize = 200;

/// Who changes something, and from where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// By what means he is known.
    pub kind: ActorKind,
    /// The name of his account; on the command line, of the operating system's user; of a product, the id of its link.
    pub name: String,
    /// The token that a program carries.
    pub token: Option<TokenId>,
    /// The address that the request came from.
    pub address: Option<IpAddr>,
}

/// By what means somebody is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ActorKind {
    /// A person who signed in to the pages.
    Person,
    /// A program with an API token, in its owner's name.
    Token,
    /// The command line on the server.
    CommandLine,
    /// Single sign-on, where it makes, changes or removes the account of who signs in.
    SingleSignOn,
    /// A product, where it uses an invite or replaces the key of its link.
    Product,
}

impl ActorKind {
    /// All kinds.
    pub const ALL: [Self; 5] = [Self::Person, Self::Token, Self::CommandLine, Self::SingleSignOn, Self::Product];

    /// The name in documents and in the store.
    pub fn name(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Token => "token",
            Self::CommandLine => "command-line",
            Self::SingleSignOn => "single-sign-on",
            Self::Product => "product",
        }
    }
}

impl Actor {
    /// Who runs a command on the server, by the name of the operating system's user.
    pub fn command_line(user: impl Into<String>) -> Self {
        Self { kind: ActorKind::CommandLine, name: user.into(), token: None, address: None }
    }
}

/// Somebody's one change, at one moment. Made by [`crate::Central::act`]; one act is one entry at the most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// Who.
    pub actor: Actor,
    /// When.
    pub at: Timestamp,
    /// The id of its entry.
    pub id: EntryId,
}

impl Act {
    /// What a product does by sealing it with a key: using an invite, or taking the key for its link. However often it
    /// is sent, it is one entry.
    pub fn of_product(link: &LinkId, key: &KeyId, at: Timestamp) -> Self {
        let digest = Sha256::digest(format!("{link} {key}"));
        let mut id = [0; 12];
        id.iter_mut().zip(digest).for_each(|(byte, of)| *byte = of);
        let actor = Actor { kind: ActorKind::Product, name: link.to_string(), token: None, address: None };
        Self { actor, at, id: EntryId::from_random(id) }
    }
}

/// What is changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = AuditObject)]
pub struct Object {
    /// What kind of thing, such as `application`.
    pub kind: String,
    /// Its id.
    pub id: String,
    /// What people call it, as it was called then.
    pub name: String,
}

impl Object {
    /// A thing of one of the [`KINDS`], by its id and what people call it.
    pub fn new(kind: &'static str, id: impl fmt::Display, name: impl fmt::Display) -> Self {
        debug_assert!(KINDS.contains(&kind), "nobody could look for entries about a {kind}");
        Self { kind: kind.to_owned(), id: id.to_string(), name: text::line(&name.to_string(), MAX_NAME) }
    }
}

/// What an act did, to be written in its commit.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// What was done, as `kind.verb`: `application.add`, `link.suspend`. It never changes its meaning.
    pub action: &'static str,
    /// To what.
    pub object: Object,
    /// What was so before; absent for what was made.
    pub before: Option<Value>,
    /// What is so since; absent for what was removed.
    pub after: Option<Value>,
}

impl Record {
    /// Something was made.
    pub fn made(action: &'static str, object: Object, after: &impl Serialize) -> Self {
        Self { action, object, before: None, after: shown(after) }
    }

    /// Something was changed. Of both values, what differs is kept.
    pub fn changed(action: &'static str, object: Object, before: &impl Serialize, after: &impl Serialize) -> Self {
        let (before, after) = differing(shown(before), shown(after));
        Self { action, object, before, after }
    }

    /// Something was removed.
    pub fn removed(action: &'static str, object: Object, before: &impl Serialize) -> Self {
        Self { action, object, before: shown(before), after: None }
    }

    /// Something was done that has no value, such as another password.
    pub fn done(action: &'static str, object: Object) -> Self {
        Self { action, object, before: None, after: None }
    }
}

fn shown(value: &impl Serialize) -> Option<Value> {
    serde_json::to_value(value).ok()
}

/// Two objects without the fields that are alike in both.
fn differing(before: Option<Value>, after: Option<Value>) -> (Option<Value>, Option<Value>) {
    let (Some(Value::Object(before)), Some(Value::Object(after))) = (&before, &after) else { return (before, after) };
    let own = |one: &Map<String, Value>, other: &Map<String, Value>| {
        one.iter()
            .filter(|(name, value)| other.get(*name) != Some(value))
            .map(|(n, v)| (n.clone(), v.clone()))
            .collect()
    };
    (Some(Value::Object(own(before, after))), Some(Value::Object(own(after, before))))
}

/// The value of a change, and the record that is committed with it.
#[derive(Debug, Clone, PartialEq)]
pub struct Changed<T> {
    /// What the change gives.
    pub value: T,
    /// What it did; absent where everything was so already.
    pub record: Option<Record>,
}

impl<T> Changed<T> {
    /// Something was changed.
    pub fn new(value: T, record: Record) -> Self {
        Self { value, record: Some(record) }
    }

    /// Everything was so already.
    pub fn nothing(value: T) -> Self {
        Self { value, record: None }
    }
}

/// [`Object`] under a name that a description does not take for any object.
type Thing = Object;

/// An entry of the audit log, as it is read.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Entry {
    /// Its id.
    pub id: EntryId,
    /// When it was done.
    pub at: Timestamp,
    /// By what means the actor was known.
    pub actor_kind: ActorKind,
    /// Who did it.
    pub actor: String,
    /// The token that the program carried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenId>,
    /// From where; absent on the command line.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub address: Option<IpAddr>,
    /// What was done.
    pub action: String,
    /// To what.
    #[schema(value_type = Thing)]
    pub object: Object,
    /// What was so before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// What is so since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

/// Which entries are wanted. What is absent is not asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EntryFilter {
    /// Of this actor's name.
    pub actor: Option<String>,
    /// Of this kind of thing.
    pub kind: Option<String>,
    /// Of this thing; with its kind.
    pub object: Option<String>,
    /// From this moment on.
    pub from: Option<Timestamp>,
    /// Before this moment.
    pub until: Option<Timestamp>,
}

impl EntryFilter {
    /// What somebody typed to look for: nothing where it is empty. What no entry can hold finds none.
    pub fn typed(text: &str) -> Option<String> {
        Some(text::line(text, MAX_NAME)).filter(|text| !text.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn g11_a_record_of_a_change_keeps_what_differs() {
        let (before, after) =
            (json!({"name": "a", "url": null, "old": 1}), json!({"name": "b", "url": null, "new": 2}));
        let record = Record::changed("account.change", Object::new("account", 7, "a"), &before, &after);
        assert_eq!(record.before, Some(json!({"name": "a", "old": 1})));
        assert_eq!(record.after, Some(json!({"name": "b", "new": 2})));
    }

    #[test]
    fn the_name_of_an_object_is_one_bounded_line() {
        let object = Object::new("account", "1", format!("a\n\u{202e}b{}", "x".repeat(1000)));
        assert!(object.name.chars().count() <= MAX_NAME + 1, "{}", object.name.chars().count());
        assert!(!object.name.contains('\n') && !object.name.contains('\u{202e}'), "{}", object.name);
    }
}
