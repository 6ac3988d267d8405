//! How a message reaches people and programs: mail over SMTP, and signed webhooks.
//!
//! It knows neither licenses nor a store: it is given a message and where it goes, and says whether it was taken. Each
//! delivery ends within a bounded time, whatever the other side does, and [`retry_after`] says when to try again.
//!
//! | module | holds |
//! |---|---|
//! | [`mail`] | the text of a mail, and the addresses |
//! | [`smtp`] | the session with a mail server |
//! | [`post`] | many messages to one place, and what is done about those that were not taken |
//! | [`webhook`] | calls with Standard Webhooks signatures |
//! | [`trust`] | the authorities whose certificates are accepted |
#![forbid(unsafe_code)]

pub mod mail;
pub mod post;
mod retry;
pub mod smtp;
pub mod trust;
pub mod webhook;

pub use mail::MailAddress;
pub use retry::{GIVE_UP_AFTER, retry_after};
pub use trust::Trust;
