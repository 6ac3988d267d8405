//! What the HTTP servers of Seatline share: `seatline run` and `seatline-central` answer behind the same listener, with
//! the same headers, and tell programs and people of errors in the same form.
//!
//! | module | holds |
//! |---|---|
//! | [`listener`] | where is listened (TCP, a Unix socket), and the limits of connections |
//! | [`peer`] | who sent a request |
//! | [`request_log`] | what was asked and how it was answered |
//! | [`headers`], [`csrf`], [`assets`] | what stands around all routes: the headers, the refusal of other sites, the files |
//! | [`api`] | the form of the JSON APIs: errors, bodies |
//! | [`stream`] | answers that are made while they are sent |
//! | [`time_limit`] | how long an answer may take |
//! | [`turns`] | how much of what holds a thread is done at once |
//! | [`exposition`] | metrics, as Prometheus reads them |
//! | [`account`], [`secret`], [`password`], [`cookie`] | what people and programs prove themselves with |
//! | [`rate`] | how often somebody may ask |
//! | [`repeated`] | lines of the log that may come again and again |
//! | [`gate`], [`throttle`] | the check of a name and password, and how guessing is slowed down |
//! | [`refusal`] | what pages say where a request is refused |
//! | [`address`] | addresses of pages that come from outside |
//!
//! Nothing here knows a store, a license or a page: whose password it is, where a session is kept and what a page says
//! is told by each server.
#![forbid(unsafe_code)]

pub mod account;
pub mod address;
pub mod api;
pub mod assets;
pub mod cookie;
pub mod csrf;
pub mod exposition;
pub mod gate;
pub mod headers;
pub mod listener;
pub mod password;
pub mod peer;
pub mod rate;
pub mod refusal;
pub mod repeated;
pub mod request_log;
pub mod secret;
pub mod stream;
pub mod throttle;
pub mod time_limit;
pub mod turns;

pub use account::AccountName;
pub use api::{ApiError, Input};
pub use gate::Gate;
pub use listener::{Address, Limits, Listener, ServeError, serve};
pub use peer::{Peer, Proxies};
pub use rate::Rate;
pub use repeated::Repeated;
pub use secret::TokenHash;
pub use stream::Stream;
