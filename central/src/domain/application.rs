//! An application: a product of the organisation whose licenses are looked after (`w1`).

use jiff::Timestamp;
use seatline_protocol::{LinkId, ProductId, text};
use serde::Serialize;

use super::ids::ApplicationId;
use super::link::LinkState;
use super::report::LatestSummary;

/// An application. It is added here first, and linked to a running product then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
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

seatline_protocol::checked_string!(
    /// The name of an application.
    ApplicationName,
    "a name",
    "one line of 1 to 100 characters, without control characters",
    |name| !name.is_empty() && text::is_line(name, MAX_NAME),
    |text| text.trim().to_owned()
);

/// The most characters of an application's name.
pub const MAX_NAME: usize = 100;

impl ApplicationName {
    /// What names are compared and sorted by: the name in lower case.
    pub fn key(&self) -> String {
        self.0.to_lowercase()
    }
}

/// A row of the list of applications.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct ApplicationRow {
    /// The application.
    #[serde(flatten)]
    pub application: Application,
    /// The state of its link; absent without a link.
    pub link_state: Option<LinkState>,
    /// The newest report in short; absent before the first.
    pub latest: Option<LatestSummary>,
}
