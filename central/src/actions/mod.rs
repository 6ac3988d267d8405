//! What an administrator does: one file for each subject. The pages, the API and the command line call these functions,
//! so that a rule holds in all three. Whatever changes something is told by whom (an [`crate::domain::Actor`]), for the
//! audit log.

pub mod accounts;
mod act;
pub mod alerts;
pub mod applications;
pub mod chain;
pub mod counts;
pub mod fleet;
pub mod history;
pub mod licenses;
pub mod links;
pub mod people;
pub mod pseudonyms;
pub mod questions;
pub mod retention;
