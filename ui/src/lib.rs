//! The look that Seatline's pages share: assets, the frame of a page, and components.
//!
//! Each component is a plain struct that shows itself as HTML ([`std::fmt::Display`]) and may be put into any askama
//! template as `{{ component }}`. What it is given is text: it is escaped. Nothing is inline (no style, no script), so
//! that a page holds to [`CONTENT_SECURITY_POLICY`]. What licenses come to is shown by components that take the values
//! of [`seatline_protocol`], so that central and a product say it alike. Nothing here knows a web framework.
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
mod chart;
mod confirmation;
mod failure;
mod field;
pub mod format;
mod fragment;
mod gauge;
mod icon;
mod license;
mod limit;
mod page;
mod sign_in;
mod signs;
pub mod words;

pub use accounts::AccountClasses;
pub use assets::{Asset, CONTENT_SECURITY_POLICY, PREFIX, SECURITY_HEADERS, asset};
pub use chart::{Chart, Outlook, Step};
pub use confirmation::{Confirmation, SecureSession};
pub use failure::Failure;
pub use field::{Choice, Field};
pub use format::When;
pub use fragment::BannerFragment;
pub use gauge::{Gauge, Level};
pub use icon::Icon;
pub use license::LicenseCard;
pub use limit::{LimitCard, reason_banners};
pub use page::{NavItem, Page, Tab, Tabs};
pub use sign_in::SignIn;
pub use signs::{Badge, Banner, Copyable, Prose, Tone};
