//! What the central server knows: applications, links, reports, and who may look at them.
//!
//! Plain values without I/O. The [`crate::store`] keeps them, the API, the pages and the command line show them, and
//! [`licenses`] turns them into the one view that all three share, so that they cannot disagree.

pub mod account;
pub mod admission;
pub mod alerts;
pub mod answer;
pub mod application;
pub mod assessment;
pub mod audit;
pub mod continuity;
pub mod fleet;
pub mod forecast;
pub mod history;
pub mod ids;
pub mod interval;
pub mod invite;
pub mod labels;
pub mod licenses;
pub mod link;
pub mod link_list;
pub mod people;
pub mod pseudonyms;
pub mod quota;
pub mod removal;
pub mod report;
pub mod retention;
pub mod role;
pub mod rotation;
pub(crate) mod sample;
mod schema;
pub mod time;
pub mod trouble;

pub use account::{
    Account, AccountName, AccountRefusal, ApiToken, NewSession, PresentedToken, Proof, Session, SessionLife, SignOn,
    Subject,
};
pub use answer::{About, Answer, Explanation, Question};
pub use application::{Application, ApplicationName, ApplicationRow};
pub use assessment::{Assessment, Concern, Gravity};
pub use audit::{Act, Actor, ActorKind, Changed, Entry, EntryFilter, Object, Record};
pub use continuity::{Stated, Statement, Told};
pub use fleet::{Due, Facet, FleetFilter, FleetItem, FleetOrder, FleetRow, Use};
pub use ids::{AnswerId, ApplicationId, CountId, EntryId, InviteId, SessionId, TokenHash, TokenId};
pub use invite::{InviteRecord, OpenInvite, Redeemed, Redemption};
pub use labels::Labels;
pub use licenses::Licenses;
pub use link::{Chain, Demand, Gap, Link, LinkSettings, LinkState, SettingsChange};
pub use link_list::{LinkFilter, LinkRow, RemovedRow};
pub use removal::{RemovedLink, WouldGo};
pub use report::{
    Admissions, Admitted, Conflict, Incoming, Latest, LatestSummary, RefusedReport, ReportAt, ReportRow, SealedRefused,
    SealedReport,
};
pub use retention::{LetGo, Retention, WouldForget};
pub use role::{Area, Role, Scope, Scopes};
pub use rotation::{FormerKey, KeyChange, KeyChanged, Sender};
pub use time::{Clock, millis};
pub use trouble::Trouble;
