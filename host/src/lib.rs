//! What a product embeds to show its license use: ports, sandbox, plugin store, license state, report chain and outbox,
//! link client.
//!
//! A product implements [`ports::Product`], opens a [`Host`], and calls [`Host::sync`] at every [`Host::interval`]. All
//! else is there to look at, to set, and to show: [`Host::set_license`], [`Host::standing`], [`Host::status`],
//! [`Host::preview_report`].
//!
//! | module | holds |
//! |---|---|
//! | [`ports`] | what a product tells the host about itself |
//! | [`store`] | where the state is kept, and the store on files |
//! | [`identity`] | the server ID, by its two policies |
//! | [`licenses`] | the license keys that were set |
//! | [`live`] | what they come to, in memory: features, limits, banners |
//! | [`peaks`] | the highest counts |
//! | [`notices`] | what administrators are told, and what became of it |
//! | [`link`], [`held`], [`outbox`], [`exchange`], [`client`], [`proxy`] | the application link and the way of a report over it |
//! | [`host`], [`runs`], [`status`], [`activity`] | the whole |
#![deny(unsafe_code)]

pub mod activity;
pub mod client;
pub mod clock;
pub mod exchange;
mod files;
pub mod held;
pub mod host;
pub mod identity;
pub mod licenses;
pub mod link;
pub mod live;
pub mod notices;
pub mod outbox;
pub mod peaks;
pub mod plugins;
pub mod ports;
pub mod proxy;
pub mod pseudonym;
mod repeats;
pub mod runs;
pub mod sandbox;
mod slots;
pub mod status;
pub mod store;

pub use host::{
    CollectError, Collected, Host, HostError, HostOptions, LicensePreview, Preview, PreviewedReport, Synchronised,
};
