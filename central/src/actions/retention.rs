//! Keeping and forgetting.

use crate::central::{ActionError, Central};
use crate::domain::{Actor, Retention};

impl Central {
    /// Sets how long what was reported is kept. What is too old then is forgotten within a day.
    ///
    /// # Errors
    /// [`ActionError::Invalid`] where it would be kept for too short.
    pub async fn set_retention(&self, actor: &Actor, retention: &Retention) -> Result<(), ActionError> {
        retention.check().map_err(|reason| ActionError::invalid("retention", reason))?;
        Ok(self.store().set_retention(&self.act(actor)?, retention).await?)
    }
}
