//! An application: a product of the organisation whose licenses are looked after (`w1`).

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use seatline_protocol::{LinkId, ProductId, text};
use serde::{Deserialize, Serialize};

use super::ids::ApplicationId;
use super::link::LinkState;
use super::report::LatestSummary;

/// An application. It is added here first, and linked to a running product then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Application {
    /// Its id.
    pub id: ApplicationId,
    /// What people call it; no two applications have the same name, whatever the case of its letters.
    pub name: ApplicationName,
    /// The product that it is an installation of.
    pub product: ProductId,
    /// Where people reach it. The central server never fetches it.
    pub url: Option<String>,
    /// When it was added.
    pub created_at: Timestamp,
    /// The link whose reports are shown for it (`w4`).
    pub link: Option<LinkId>,
}

/// The name of an application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ApplicationName(String);

/// The most characters of an application's name.
pub const MAX_NAME: usize = 100;

/// A text is not the name of an application.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a name is one line of 1 to {MAX_NAME} characters, without control characters")]
pub struct NameError;

impl ApplicationName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What names are compared and sorted by: the name in lower case.
    pub fn key(&self) -> String {
        self.0.to_lowercase()
    }
}

impl FromStr for ApplicationName {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        let name = text.trim();
        if name.is_empty() || !text::is_line(name, MAX_NAME) { Err(NameError) } else { Ok(Self(name.to_owned())) }
    }
}

impl TryFrom<String> for ApplicationName {
    type Error = NameError;
    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl From<ApplicationName> for String {
    fn from(name: ApplicationName) -> String {
        name.0
    }
}

impl fmt::Display for ApplicationName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A row of the list of applications.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ApplicationRow {
    /// The application.
    #[serde(flatten)]
    pub application: Application,
    /// The state of its link; absent without a link.
    pub link_state: Option<LinkState>,
    /// The newest report in short; absent before the first.
    pub latest: Option<LatestSummary>,
}
