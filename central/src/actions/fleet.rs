//! Sorting applications, and what is asked of the fleet.

use seatline_protocol::notices::Reminders;

use crate::central::{ActionError, Central};
use crate::domain::{Actor, ApplicationId, Labels};

impl Central {
    /// When something counts as near.
    pub fn reminders(&self) -> Reminders {
        Reminders::default()
    }

    /// Sorts an application into a group and under tags; the lists know it at once.
    ///
    /// # Errors
    /// [`ActionError::Invalid`] with the rule that the labels break, [`ActionError::NotFound`] where there is no such application.
    pub async fn set_labels(&self, actor: &Actor, id: &ApplicationId, labels: &Labels) -> Result<(), ActionError> {
        labels.check().map_err(|reason| ActionError::invalid("tags", reason))?;
        self.store().set_labels(&self.act(actor)?, id, labels).await?;
        Ok(self.store().review_one(id, &self.reminders(), self.now()).await?)
    }
}
