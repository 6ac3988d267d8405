//! `[license]`: whose licenses are trusted, and where one may lie.

use std::path::{Path, PathBuf};

use seatline_protocol::PublicKey;

use super::document::{Found, Problem};
use crate::files;

/// The environment variable that holds a license key where nothing else is said (`g2`).
pub const DEFAULT_LICENSE_ENVIRONMENT: &str = "SEATLINE_LICENSE";

/// `[license]`
#[derive(Debug, Clone)]
pub struct LicenseSources {
    /// The keys of the vendors whose licenses are trusted (`g1`).
    pub vendor_keys: Vec<PublicKey>,
    /// A file that holds a license key (`g2`).
    pub file: Option<PathBuf>,
    /// The environment variable that may hold a license key (`g2`).
    pub environment: String,
}

impl LicenseSources {
    /// Of the section, where there is one. Paths are relative to `base`.
    ///
    /// # Errors
    /// Its first problem.
    pub(super) fn read(found: Option<&Found<'_, '_>>, base: &Path) -> Result<Self, Problem> {
        let mut sources =
            Self { vendor_keys: Vec::new(), file: None, environment: DEFAULT_LICENSE_ENVIRONMENT.to_owned() };
        let Some(found) = found else { return Ok(sources) };
        let section = found.section(&["vendor_keys", "file", "environment"])?;
        if let Some(found) = section.find("vendor_keys") {
            for text in found.texts()? {
                sources.vendor_keys.push(read_public_key(text, base).map_err(|reason| found.refuse(reason))?);
            }
        }
        sources.file = section.find("file").map(|found| found.text()).transpose()?.map(|file| base.join(file));
        if let Some(found) = section.find("environment") {
            sources.environment = found.text()?.to_owned();
        }
        Ok(sources)
    }
}

/// A key, or the file that holds one.
fn read_public_key(text: &str, base: &Path) -> Result<PublicKey, String> {
    if text.starts_with("k4.") {
        return text.parse().map_err(|error| format!("holds what is no public key: {error}"));
    }
    let path = base.join(text);
    let content = files::read_text(&path).map_err(|error| format!("names {}: {error}", path.display()))?;
    content.trim().parse().map_err(|error| format!("names {}: {error}", path.display()))
}
