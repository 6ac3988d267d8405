//! A page that says what could not be done, why, and the way out.

use askama::Template;

use crate::signs::Banner;

/// What could not be done, why, and where to go from here.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "failure.html")]
pub struct Failure {
    /// The heading.
    pub title: &'static str,
    /// What, and why.
    pub banner: Banner,
    /// What the way out is called, and its address.
    pub way_out: (&'static str, String),
}

impl askama::filters::HtmlSafe for Failure {}
