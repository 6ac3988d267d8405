//! The look that Seatline's pages share: assets, the frame of a page, and components.
//!
//! Each component is a plain struct that shows itself as HTML ([`std::fmt::Display`]) and may be put into any askama
//! template as `{{ component }}`. What it is given is text: it is escaped. Nothing is inline (no style, no script), so
//! that a page holds to [`CONTENT_SECURITY_POLICY`]; nothing here knows a web framework or the domain.
//!
//! ```
//! use seatline_ui::{Banner, Tone};
//! let banner = Banner::new(Tone::Warning, "The limit is near", "450 of 500 users are <counted>.");
//! assert!(banner.to_string().contains("&#60;counted&#62;"));
//! ```
#![forbid(unsafe_code)]

mod accounts;
mod assets;
pub mod audit;
mod field;
pub mod format;
mod gauge;
mod icon;
mod page;
mod signs;

pub use accounts::AccountClasses;
pub use assets::{Asset, CACHE_CONTROL, CONTENT_SECURITY_POLICY, PREFIX, asset};
pub use field::{Choice, Field};
pub use format::When;
pub use gauge::{Gauge, Level};
pub use icon::Icon;
pub use page::{NavItem, Page, Tab, Tabs};
pub use signs::{Badge, Banner, Copyable, Prose, Tone};
