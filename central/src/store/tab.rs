//! What the Licenses tab is made of.

use async_trait::async_trait;

use super::{PageSize, Stored};
use crate::domain::{Application, ApplicationId, Latest, Link, RefusedReport, ReportRow, Told};

/// What is stored of an application and its link, all of one commit: what one part says of the chain, the others say
/// too.
#[derive(Debug)]
pub struct Tab {
    /// The application.
    pub application: Application,
    /// The link that it shows, if there is one.
    pub link: Option<Link>,
    /// The link's newest report.
    pub latest: Option<Latest>,
    /// What its instance and administrators have said.
    pub told: Told,
    /// Its newest reports, the newest first, where they are asked for.
    pub reports: Vec<ReportRow>,
    /// Its refused reports, the one that came last first, where the others are asked for.
    pub refused: Vec<RefusedReport>,
}

/// The Licenses tab (`w5`).
#[async_trait]
pub trait LicenseTabs: Send + Sync {
    /// What the tab of an application is made of, with so many of its newest reports.
    async fn tab(&self, id: &ApplicationId, reports: Option<PageSize>) -> Stored<Option<Tab>>;
}
