//! Keeping and forgetting.

use serde::{Deserialize, Deserializer};

use crate::central::{ActionError, Central};
use crate::domain::{Actor, Retention, WouldForget};

/// A change of what is kept. What is absent stays as it is, and null is for ever.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetentionChange {
    /// For how many days sealed reports are kept.
    #[serde(deserialize_with = "given")]
    pub reports_days: Option<Option<u32>>,
    /// For how many days the history is kept by the day.
    #[serde(deserialize_with = "given")]
    pub history_days: Option<Option<u32>>,
}

/// Tells null from what is absent.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<u32>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

impl RetentionChange {
    /// What is kept with this change.
    pub fn apply(self, retention: Retention) -> Retention {
        Retention {
            reports_days: self.reports_days.unwrap_or(retention.reports_days),
            history_days: self.history_days.unwrap_or(retention.history_days),
        }
    }
}

impl Central {
    /// Sets how long what was reported is kept. What is too old then is forgotten within a day.
    ///
    /// # Errors
    /// [`ActionError::Invalid`] where it would be kept for too short.
    pub async fn set_retention(&self, actor: &Actor, retention: &Retention) -> Result<(), ActionError> {
        retention.check().map_err(|reason| ActionError::invalid("retention", reason))?;
        Ok(self.store().set_retention(&self.act(actor)?, retention).await?)
    }

    /// What would go if a retention were set.
    ///
    /// # Errors
    /// [`ActionError::Invalid`] where it cannot be set.
    pub async fn would_forget(&self, retention: &Retention) -> Result<WouldForget, ActionError> {
        retention.check().map_err(|reason| ActionError::invalid("retention", reason))?;
        Ok(self.store().would_forget(retention, self.now()).await?)
    }
}
