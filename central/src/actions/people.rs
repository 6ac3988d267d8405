//! People counted once over applications (`b9`).

use seatline_protocol::LinkId;

use crate::central::{ActionError, Central};
use crate::domain::ApplicationId;
use crate::domain::people::{MOST_APPLICATIONS, People};

impl Central {
    /// The people of these applications, each counted once. An application that is named twice is asked once.
    ///
    /// # Errors
    /// [`ActionError::Invalid`] where there are more than [`MOST_APPLICATIONS`], [`ActionError::NotFound`] where one does not exist.
    pub async fn people(&self, ids: &[ApplicationId]) -> Result<People, ActionError> {
        let mut asked: Vec<&ApplicationId> = Vec::new();
        for id in ids {
            if !asked.contains(&id) {
                asked.push(id);
            }
        }
        if asked.len() > MOST_APPLICATIONS {
            let reason = format!("at most {MOST_APPLICATIONS} at once, and {} are named", asked.len());
            return Err(ActionError::invalid("applications", reason));
        }
        let mut applications = Vec::with_capacity(asked.len());
        for id in asked {
            applications.push(self.application(id).await?);
        }
        let links: Vec<LinkId> = applications.iter().filter_map(|application| application.link.clone()).collect();
        let mut sketches = self.store().sketches(&links).await?.into_iter();
        let with_sketch = |application: crate::domain::Application| {
            let kept = application.link.as_ref().and_then(|_| sketches.next().flatten());
            (application, kept)
        };
        Ok(People::of(applications.into_iter().map(with_sketch).collect(), self.now()))
    }
}
