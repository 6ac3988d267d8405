//! Sorting applications, and what is asked of the fleet.

use seatline_protocol::notices::Reminders;

use crate::central::{ActionError, Central};
use crate::domain::{Actor, ApplicationId, Labels};
use crate::store::Stored;

impl Central {
    /// When something counts as near.
    ///
    /// # Errors
    /// Where the store cannot be asked.
    pub async fn reminders(&self) -> Stored<Reminders> {
        Ok(self.store().alert_settings().await?.settings.reminders)
    }

    /// Sorts an application into a group and under tags; the lists know it at once.
    ///
    /// # Errors
    /// [`ActionError::Invalid`] with the rule that the labels break, [`ActionError::NotFound`] where there is no such
    /// application.
    pub async fn set_labels(&self, actor: &Actor, id: &ApplicationId, labels: &Labels) -> Result<(), ActionError> {
        labels.check().map_err(|reason| ActionError::invalid("tags", reason))?;
        self.store().set_labels(&self.act(actor)?, id, labels).await?;
        self.review_now(id).await;
        Ok(())
    }

    /// Reviews an application that somebody has just changed, so that he finds it in the lists as it is. Where that
    /// fails, the change is made all the same, and marked: the review comes by.
    pub(super) async fn review_now(&self, id: &ApplicationId) {
        let reviewed = async { self.store().review_one(id, &self.reminders().await?, self.now()).await };
        if let Err(error) = reviewed.await {
            tracing::warn!(application = %id, code = error.code(), "a change is in the lists a little later: {error}");
        }
    }
}
