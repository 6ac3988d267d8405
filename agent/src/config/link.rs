//! `[link]`: how the agent stays in touch with the central server.

use super::document::{Found, Problem};

/// `[link]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkOptions {
    /// Whether it waits for what the central server wants at once, and does not only learn of it at the next interval.
    pub wait: bool,
}

impl Default for LinkOptions {
    fn default() -> Self {
        Self { wait: true }
    }
}

impl LinkOptions {
    /// Of the section.
    ///
    /// # Errors
    /// Its first problem.
    pub(super) fn read(found: &Found<'_, '_>) -> Result<Self, Problem> {
        let section = found.section(&["wait"])?;
        let wait = section.find("wait").map(|found| found.truth()).transpose()?;
        Ok(wait.map_or_else(Self::default, |wait| Self { wait }))
    }
}
