//! The Licenses tab (`w5`).

use crate::central::{ActionError, Central};
use crate::domain::{ApplicationId, Licenses, RefusedReport, ReportRow};
use crate::store::PageSize;
use crate::store::tab::Tab;

/// How many reports stand on the tab.
const LAST_REPORTS: u32 = 10;

impl Central {
    /// What the Licenses tab of an application says.
    ///
    /// # Errors
    /// [`ActionError::NotFound`] where there is no such application.
    pub async fn licenses(&self, id: &ApplicationId) -> Result<Licenses, ActionError> {
        let tab = self.store().tab(id, None).await?.ok_or(ActionError::NotFound("application"))?;
        Ok(self.view(&tab))
    }

    /// The same with the newest reports and those that were refused: all of one commit.
    ///
    /// # Errors
    /// As [`Self::licenses`].
    pub async fn licenses_with_reports(
        &self,
        id: &ApplicationId,
    ) -> Result<(Licenses, Vec<ReportRow>, Vec<RefusedReport>), ActionError> {
        let tab = self.store().tab(id, Some(PageSize::new(LAST_REPORTS))).await?;
        let tab = tab.ok_or(ActionError::NotFound("application"))?;
        Ok((self.view(&tab), tab.reports, tab.refused))
    }

    fn view(&self, tab: &Tab) -> Licenses {
        let Tab { application, link, latest, told, .. } = tab;
        Licenses::of(application.clone(), link.as_ref(), latest.as_ref(), told.clone(), self.now())
    }
}
