//! People counted once over applications (`b9`).

use seatline_protocol::LinkId;

use crate::central::{ActionError, Central};
use crate::domain::people::{KeptSketch, MOST_APPLICATIONS, People, Scope};
use crate::domain::pseudonyms::key_of;
use crate::domain::{ApplicationId, FleetOrder};
use crate::store::PageSize;

impl Central {
    /// The people of a set.
    ///
    /// # Errors
    /// [`ActionError::Invalid`] where it holds more applications than are counted at once.
    pub async fn people_of(&self, scope: &Scope) -> Result<People, ActionError> {
        let too_many = || {
            let reason = format!(
                "more than {MOST_APPLICATIONS} applications are in it: have them counted, by `POST /api/v1/people-counts`"
            );
            ActionError::invalid("applications", reason)
        };
        self.people_at_once(scope).await?.ok_or_else(too_many)
    }

    /// The people of a set; none where it holds more applications than are counted at once, or more have to be looked
    /// at to tell.
    pub(super) async fn people_at_once(&self, scope: &Scope) -> Result<Option<People>, ActionError> {
        let most = PageSize::new(u32::try_from(MOST_APPLICATIONS).unwrap_or(u32::MAX));
        let page = self.store().fleet(&scope.filter(), FleetOrder::Name, None, most).await?;
        if page.next.is_some() {
            return Ok(None);
        }
        let ids: Vec<ApplicationId> = page.items.into_iter().map(|item| item.row.application).collect();
        self.people(&ids).await.map(Some)
    }

    /// The people of these applications, each counted once. An application that is named twice is asked once.
    ///
    /// # Errors
    /// [`ActionError::Invalid`] where there are more than [`MOST_APPLICATIONS`], [`ActionError::NotFound`] where one
    /// does not exist.
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
