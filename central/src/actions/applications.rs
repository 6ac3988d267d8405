//! Adding applications (`w1`).

use seatline_protocol::{LinkId, pairing};
use seatline_web::secret::random;

use crate::central::{ActionError, Central};
use crate::domain::{Actor, Application, ApplicationId, ApplicationName};

impl Central {
    /// Adds an application (`w1`). The URL may be empty.
    ///
    /// # Errors
    /// [`ActionError::Invalid`] with the rule that a value breaks; a conflict where the name is taken.
    pub async fn add_application(
        &self,
        actor: &Actor,
        name: &str,
        product: &str,
        url: &str,
    ) -> Result<Application, ActionError> {
        let act = self.act(actor)?;
        let name: ApplicationName = name.parse().map_err(|error| ActionError::invalid("name", error))?;
        let product = product.trim().parse().map_err(|error| ActionError::invalid("product", error))?;
        let url = Some(url.trim()).filter(|url| !url.is_empty());
        if let Some(url) = url {
            check_product_url(url).map_err(|reason| ActionError::invalid("url", reason))?;
        }
        let application = Application {
            id: ApplicationId::from_random(random()?),
            name,
            product,
            url: url.map(str::to_owned),
            created_at: act.at,
            link: None,
        };
        self.store().add_application(&act, &application).await?;
        Ok(application)
    }

    /// Chooses the link whose reports are shown for an application (`w4`), or none.
    ///
    /// # Errors
    /// [`ActionError::NotFound`] where there is no such application, or the link does not belong to it.
    pub async fn choose_link(
        &self,
        actor: &Actor,
        id: &ApplicationId,
        link: Option<&LinkId>,
    ) -> Result<Application, ActionError> {
        self.store().choose_link(&self.act(actor)?, id, link).await?;
        self.application(id).await
    }
}

/// Whether `url` may stand on a page as the address of a product: `http` or `https`, as an intranet has both. It is
/// shown to people and never fetched.
fn check_product_url(url: &str) -> Result<(), String> {
    let as_https = url.strip_prefix("http://").map(|rest| format!("https://{rest}"));
    pairing::check_url(as_https.as_deref().unwrap_or(url))
}
