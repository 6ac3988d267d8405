//! `[product]`: what the product is.

use jiff::Timestamp;
use seatline_protocol::ProductId;

use super::document::{Found, Problem};
use crate::dates;

/// `[product]`
#[derive(Debug, Clone)]
pub struct Product {
    /// The product id that licenses are held against.
    pub id: ProductId,
    /// The name that people know it by.
    pub name: String,
    /// The version that runs.
    pub version: String,
    /// The edition that runs.
    pub edition: Option<String>,
    /// When the running release was built.
    pub released: Option<Timestamp>,
    /// The names of the running nodes, at least one, where they are named.
    pub nodes: Option<Vec<String>>,
}

impl Product {
    /// Of the section.
    ///
    /// # Errors
    /// Its first problem.
    pub(super) fn read(found: &Found<'_, '_>) -> Result<Self, Problem> {
        let section = found.section(&["id", "name", "version", "edition", "released", "nodes"])?;
        let line = |found: Found<'_, '_>, max| {
            let text = found.text()?;
            match seatline_protocol::text::is_line(text, max) {
                true => Ok(text.to_owned()),
                false => Err(found.refuse(format_args!("must be one line of at most {max} characters"))),
            }
        };
        let nodes = match section.find("nodes") {
            None => None,
            Some(found) => {
                let nodes: Vec<String> = found.texts()?.into_iter().map(str::to_owned).collect();
                let distinct: std::collections::BTreeSet<&String> = nodes.iter().collect();
                let valid = nodes.iter().all(|node| seatline_protocol::text::is_line(node, 64));
                if !valid || nodes.is_empty() || nodes.len() > 256 || distinct.len() < nodes.len() {
                    return Err(found.refuse("must name 1 to 256 different nodes of at most 64 characters each"));
                }
                Some(nodes)
            }
        };
        Ok(Self {
            id: section.require("id")?.parse()?,
            name: line(section.require("name")?, seatline_protocol::license::MAX_NAME)?,
            version: line(section.require("version")?, 64)?,
            edition: section.find("edition").map(|found| line(found, 64)).transpose()?,
            released: section.find("released").map(|found| read_time(&found)).transpose()?,
            nodes,
        })
    }
}

/// A day (its beginning in UTC) or a time with its zone.
fn read_time(found: &Found<'_, '_>) -> Result<Timestamp, Problem> {
    let rule = "must be a day such as \"2026-03-01\", or a time such as \"2026-03-01T12:00:00Z\"";
    dates::read(found.text()?).ok_or_else(|| found.refuse(rule))
}
