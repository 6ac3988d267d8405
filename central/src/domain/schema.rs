//! The texts of the domain as the description of the API shows them. The types with fields derive theirs.

use jiff::Timestamp;
use seatline_protocol::described_texts;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use super::alerts::channel::ChannelName;
use super::alerts::quiet::{Clock, Zone};
use super::history::ClassPeriod;
use super::ids::{ChannelId, MessageId};
use super::labels::{GroupName, Tag};
use super::{AnswerId, ApplicationId, ApplicationName, CountId, EntryId, Facet, InviteId, Scopes, SessionId, TokenId};
use crate::store::Cursor;

described_texts! {
    ApplicationId: "An application: 24 hexadecimal digits.", "7baafe9c89f6a059f5328f11";
    InviteId: "An invite; not its secret.", "58e95a0c31f6a059f5328f11";
    TokenId: "An API token; not its secret.", "0c1bfe9c89f6a059f5328f11";
    SessionId: "A session; not its secret.", "9d2cfe9c89f6a059f5328f11";
    AnswerId: "An answer to a question of a chain.", "11aafe9c89f6a059f5328f11";
    CountId: "A count of people.", "33ccfe9c89f6a059f5328f11";
    ChannelId: "A channel that alerts go to.", "33ccfe9c89f6a059f5328f11";
    MessageId: "A message to a channel: the same whenever it is handed over.", "44ddfe9c89f6a059f5328f11";
    ChannelName: "What people call a channel: one line of 1 to 60 characters, each name once.", "Operations";
    Zone: "A time zone: a name of the IANA.", "Europe/Berlin";
    Clock: "A time of the day, from 00:00 to 23:59.", "22:00";
    EntryId: "An entry of the audit log.", "22bbfe9c89f6a059f5328f11";
    ApplicationName: "What people call an application: one line of 1 to 100 characters, each name once.", "Company wiki";
    GroupName: "A group of applications, such as a department.", "sales";
    Tag: "A tag of an application.", "critical";
    Facet: "A list that applications stand in: empty for all of them, or `product:…`, `group:…`, `tag:…`, `concern:…`, \
        `gravity:…`.", "group:sales";
    Cursor: "The place of a row in its list: the `after` of the next page.", "company wiki";
}

/// The fields of [`ClassPeriod`] as it is written.
#[derive(ToSchema)]
#[allow(dead_code, reason = "it is there for its fields alone")]
struct ClassesOfPeriod {
    from: Timestamp,
    until: Timestamp,
    counted: u64,
    /// Of the counted ones: seats that could be freed.
    dormant: u64,
    never_signed_in: u64,
    no_access: u64,
    deactivated: u64,
    service_accounts: u64,
    total: u64,
    dormancy_days: u64,
}

impl PartialSchema for ClassPeriod {
    fn schema() -> RefOr<Schema> {
        ClassesOfPeriod::schema()
    }
}

impl ToSchema for ClassPeriod {}

impl PartialSchema for Scopes {
    fn schema() -> RefOr<Schema> {
        let scope = ObjectBuilder::new().schema_type(Type::String).examples(["reports:read"]);
        ArrayBuilder::new().items(scope).description(Some("What a token may do, each once.")).into()
    }
}

impl ToSchema for Scopes {}
