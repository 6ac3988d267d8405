//! Making links, approving and suspending them, and setting what their products do (`w3`, `w4`).

use jiff::{SignedDuration, Timestamp};
use seatline_protocol::pairing::{INVITE_MINUTES, Secret};
use seatline_protocol::seal::{self, Document as _};
use seatline_protocol::{Invite, LinkId};
use seatline_web::secret::random;

use crate::central::{ActionError, Central};
use crate::domain::link_list::FilterError;
use crate::domain::{Actor, ApplicationId, InviteId, InviteRecord, Link, LinkState, SettingsChange, TokenHash};
use crate::store::StoreError;

/// An invite that was just made. Its secret is in `invite` alone, and cannot be had again; so it never shows in
/// `Debug`.
#[derive(Clone, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct MadeInvite {
    /// Its id.
    pub id: InviteId,
    /// What is handed to the administrator of the product.
    pub invite: String,
    /// Until when it can be used.
    pub expires_at: Timestamp,
    /// The fingerprint of the central server's key, for the two administrators to compare.
    pub fingerprint: String,
}

impl Central {
    /// Makes an invite, for an application or for one that is decided on at its approval.
    ///
    /// # Errors
    /// [`ActionError::NotFound`] where there is no such application.
    pub async fn make_invite(
        &self,
        actor: &Actor,
        application: Option<&ApplicationId>,
    ) -> Result<MadeInvite, ActionError> {
        let act = self.act(actor)?;
        let named = match application {
            Some(id) => Some(self.application(id).await?),
            None => None,
        };
        let (secret, now) = (Secret::generate()?, act.at);
        let expires_at = now + SignedDuration::from_mins(INVITE_MINUTES);
        let record = InviteRecord {
            id: InviteId::from_random(random()?),
            secret: TokenHash::of(secret.expose()),
            application: application.cloned(),
            created_at: now,
            expires_at,
        };
        let invite = Invite {
            central_url: self.public_url().to_owned(),
            central_name: self.name().to_owned(),
            secret,
            issued_at: now,
            expires_at,
            return_url: Some(self.page_of(application)),
            application: named.map(|application| application.name.to_string()),
        };
        let sealed = seal::seal_introducing(&invite, self.keys().secret())
            .map_err(|error| ActionError::invalid("invite", error))?;
        self.store().add_invite(&act, &record).await?;
        Ok(MadeInvite { id: record.id, invite: sealed, expires_at, fingerprint: self.public_key().fingerprint() })
    }

    /// Withdraws an invite that nobody has used: a product that comes with it is told that it is unknown.
    ///
    /// # Errors
    /// [`ActionError::NotFound`] where there is no such invite, a conflict where it was used.
    pub async fn withdraw_invite(&self, actor: &Actor, id: &InviteId) -> Result<(), ActionError> {
        Ok(self.store().withdraw_invite(&self.act(actor)?, id).await?)
    }

    /// Approves a link for an application; from then on its reports are taken.
    ///
    /// # Errors
    /// [`ActionError::NotFound`] where there is no such link or application, a conflict where the link belongs to
    /// another application.
    pub async fn approve_link(
        &self,
        actor: &Actor,
        link: &LinkId,
        application: &ApplicationId,
    ) -> Result<Link, ActionError> {
        self.store().approve_link(&self.act(actor)?, link, application).await?;
        self.waiting().wake(link);
        self.link(link).await
    }

    /// Suspends a link: its reports are refused, what is stored stays. Approving it again ends that.
    ///
    /// # Errors
    /// [`ActionError::NotFound`] where there is no such link, a conflict where it was never approved.
    pub async fn suspend_link(&self, actor: &Actor, link: &LinkId) -> Result<Link, ActionError> {
        self.store().set_link_state(&self.act(actor)?, link, LinkState::Suspended).await?;
        self.waiting().wake(link);
        self.link(link).await
    }

    /// Changes the settings of a link (`w4`). The product gets them with its next exchange.
    ///
    /// # Errors
    /// [`ActionError::Invalid`] with the rule that a value breaks, [`ActionError::NotFound`] where there is no such
    /// link, a conflict where somebody else changed it at the same moment.
    pub async fn change_settings(
        &self,
        actor: &Actor,
        id: &LinkId,
        change: &SettingsChange,
    ) -> Result<Link, ActionError> {
        let act = self.act(actor)?;
        if let Some(daily_mib) = change.daily_mib {
            SettingsChange::check_daily_mib(daily_mib).map_err(|reason| ActionError::invalid("daily_mib", reason))?;
        }
        let link = self.link(id).await?;
        let settings = change.apply(&link.settings, act.at);
        settings.document(id).check().map_err(|reason| ActionError::invalid("settings", reason))?;
        if settings == link.settings {
            return Ok(link);
        }
        self.store().set_link_settings(&act, id, &settings).await?;
        self.waiting().wake(id);
        Ok(Link { met: link.met_under(&settings), settings, ..link })
    }

    /// Asks the product of a link to count and report now (`w6`): who waits learns of it at once, every other with its
    /// next exchange.
    ///
    /// # Errors
    /// [`ActionError::NotFound`] where there is no such link, a conflict where it is not in force, or where somebody
    /// else changed its settings at the same moment.
    pub async fn demand_sync(&self, actor: &Actor, id: &LinkId) -> Result<Link, ActionError> {
        let act = self.act(actor)?;
        let link = self.link_in_force(id).await?;
        let settings = link.settings.demanding(act.at);
        self.store().set_link_settings(&act, id, &settings).await?;
        self.waiting().wake(id);
        Ok(Link { settings, ..link })
    }

    /// Asks the product of a link to replace its key by a new one. Until it has, the present key holds.
    ///
    /// # Errors
    /// As [`Self::demand_sync`].
    pub async fn ask_for_new_key(&self, actor: &Actor, id: &LinkId) -> Result<Link, ActionError> {
        let act = self.act(actor)?;
        let link = self.link_in_force(id).await?;
        let settings = link.settings.replacing(link.key.id(), act.at);
        if settings == link.settings {
            return Ok(link);
        }
        self.store().set_link_settings(&act, id, &settings).await?;
        self.waiting().wake(id);
        Ok(Link { settings, ..link })
    }

    /// Removes a link for good, with the reports that are stored of it. Its product is told.
    ///
    /// # Errors
    /// [`ActionError::NotFound`] where there is no such link.
    pub async fn remove_link(&self, actor: &Actor, id: &LinkId) -> Result<(), ActionError> {
        self.store().remove_link(&self.act(actor)?, id).await?;
        self.waiting().wake(id);
        self.sweep_later();
        Ok(())
    }

    /// Refuses a link that waits for approval: it is removed, and its product is told.
    ///
    /// # Errors
    /// [`ActionError::NotFound`] where there is no such link, a conflict where it was approved.
    pub async fn refuse_link(&self, actor: &Actor, id: &LinkId) -> Result<(), ActionError> {
        self.store().refuse_link(&self.act(actor)?, id).await?;
        self.waiting().wake(id);
        self.sweep_later();
        Ok(())
    }

    /// Deletes what is left of removed links, in short steps that let others in between. What is left when the server
    /// ends is deleted after the next start.
    pub fn sweep_later(&self) {
        let central = self.clone();
        tokio::spawn(async move {
            loop {
                match central.store().sweep().await {
                    Ok(true) => tokio::task::yield_now().await,
                    Ok(false) => return,
                    Err(error) => {
                        return tracing::warn!(code = error.code(), "removed links are deleted later: {error}");
                    }
                }
            }
        });
    }

    async fn link_in_force(&self, id: &LinkId) -> Result<Link, ActionError> {
        let link = self.link(id).await?;
        match link.state {
            LinkState::Approved => Ok(link),
            _ => {
                Err(ActionError::Store(StoreError::Conflict("no connection to its product: the link is not in force")))
            }
        }
    }

    /// The page that an administrator comes back to.
    fn page_of(&self, application: Option<&ApplicationId>) -> String {
        match application {
            Some(id) => format!("{}/applications/{id}", self.public_url()),
            None => format!("{}/links", self.public_url()),
        }
    }
}

impl From<FilterError> for ActionError {
    fn from(FilterError { field, rule }: FilterError) -> Self {
        Self::invalid(field, rule)
    }
}
