//! `seatline doctor`: looks at everything that a working agent needs, and says of each thing how it is and what to do.
//!
//! It changes nothing that is kept, makes no state where there is none, and sends no report. What cannot be looked at
//! because something else is wrong is said to be unknown, so that nobody takes silence for health.
//!
//! | module | looks at |
//! |---|---|
//! | `place` | the data directory, its disk, the configuration |
//! | `inside` | the state: server ID, nodes, licenses, plugin, notices, who may sign in |
//! | `outside` | the product's accounts and dimensions, the running agent, the central server, the clock |

mod inside;
mod outside;
mod place;

use std::fmt::Display;
use std::path::Path;

use seatline_protocol::text;
use serde::Serialize;

use crate::config::Config;
use crate::failure::Failure;
use crate::instance::Instance;

/// How a thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Condition {
    /// As it should be.
    Good,
    /// It could not be looked at.
    Unknown,
    /// It works, and somebody should look at it.
    Attention,
    /// It does not work.
    Bad,
}

impl Condition {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Unknown => "unknown",
            Self::Attention => "attention",
            Self::Bad => "bad",
        }
    }
}

/// What was found about one thing. As JSON it is an interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at: a stable name.
    pub check: &'static str,
    /// How it is.
    pub condition: Condition,
    /// One line: what is so, and the way out where something is wrong.
    pub message: String,
    /// What is wrong, stable for machines; none where nothing is.
    pub code: Option<String>,
}

/// The most characters of a message.
const MAX_MESSAGE: usize = 1000;

impl Finding {
    fn new(check: &'static str, condition: Condition, code: Option<&str>, message: impl Display) -> Self {
        let message = text::line(&message.to_string(), MAX_MESSAGE);
        Self { check, condition, message, code: code.map(str::to_owned) }
    }

    fn good(check: &'static str, message: impl Display) -> Self {
        Self::new(check, Condition::Good, None, message)
    }

    fn attention(check: &'static str, code: &str, message: impl Display) -> Self {
        Self::new(check, Condition::Attention, Some(code), message)
    }

    fn bad(check: &'static str, failure: impl Into<Failure>) -> Self {
        let Failure { code, message, .. } = failure.into();
        Self::new(check, Condition::Bad, Some(&code), message)
    }

    fn unknown(check: &'static str, message: impl Display) -> Self {
        Self::new(check, Condition::Unknown, None, message)
    }
}

/// Looks at the agent whose data directory is `dir`, and tells `found` of each thing as soon as it is known.
pub fn examine(dir: &Path, found: &mut dyn FnMut(Finding)) {
    place::directory(dir, found);
    let config = match Config::load(dir) {
        Ok(config) => config,
        Err(error) => {
            found(Finding::bad("configuration", error));
            let rest = "nothing else was looked at: what there is to look at stands in the configuration";
            return found(Finding::unknown("state", rest));
        }
    };
    found(Finding::good("configuration", format_args!("{} {}", config.product.name, config.product.version)));
    let instance = Instance::open_made(dir, &config).map_err(|failure| found(Finding::bad("state", failure))).ok();
    match &instance {
        Some(instance) => {
            inside::state(instance, found);
            inside::identity(instance, found);
            inside::nodes(instance, found);
            inside::licenses(instance, found);
            inside::plugin(instance, found);
        }
        None => {
            let rest = "licenses, plugin, link and notices were not looked at: they are kept in the state";
            found(Finding::unknown("licenses", rest));
        }
    }
    outside::accounts(&config, instance.as_ref(), found);
    outside::dimensions(&config, found);
    outside::agent(&config, found);
    if let Some(instance) = &instance {
        outside::link(instance, found);
        inside::notices(instance, found);
        inside::people(instance, found);
    }
}
