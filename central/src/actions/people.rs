//! People counted once over applications (`b9`).

use seatline_protocol::LinkId;

use crate::central::{ActionError, Central};
use crate::domain::people::{KeptSketch, MOST_APPLICATIONS, People};
use crate::domain::pseudonyms::key_of;
use crate::domain::{ApplicationId, FleetFilter, FleetOrder, Use};
use crate::store::PageSize;

impl Central {
    /// The people of the applications in production that `filter` wants: of a group, a tag, a product.
    ///
    /// # Errors
    /// [`ActionError::Invalid`] where these are more than [`MOST_APPLICATIONS`].
    pub async fn people_of(&self, filter: &FleetFilter) -> Result<People, ActionError> {
        let filter = FleetFilter { used_for: Some(Use::Production), ..filter.clone() };
        let (mut ids, mut after) = (Vec::new(), None);
        loop {
            let page = self.store().fleet(&filter, FleetOrder::Name, after.as_ref(), PageSize::default()).await?;
            ids.extend(page.items.into_iter().map(|item| item.row.application));
            after = page.next;
            if ids.len() > MOST_APPLICATIONS {
                let reason =
                    format!("more than {MOST_APPLICATIONS} applications are in it: narrow it down by another one");
                return Err(ActionError::invalid("applications", reason));
            }
            if after.is_none() {
                return self.people(&ids).await;
            }
        }
    }

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
        let sketches = self.store().sketches(&links).await?;
        let (first, replaced) = (self.first_pseudonym_key(), self.store().pseudonym_keys().await?.pop());
        let replaced_at = replaced.map(|first_new| first_new.made_at);
        let mut sketches = sketches.into_iter().map(|kept| {
            kept.map(|kept| KeptSketch { key: key_of(kept.key.as_ref(), kept.linked_at, &first, replaced_at), ..kept })
        });
        let with_sketch = |application: crate::domain::Application| {
            let kept = application.link.as_ref().and_then(|_| sketches.next().flatten());
            (application, kept)
        };
        Ok(People::of(applications.into_iter().map(with_sketch).collect(), self.now()))
    }
}
