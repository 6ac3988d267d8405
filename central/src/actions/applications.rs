//! Adding, changing and removing applications (`w1`).

use jiff::Timestamp;
use seatline_protocol::{LinkId, ProductId, pairing};
use seatline_web::secret::random;
use serde::Deserialize;

use crate::central::{ActionError, Central};
use crate::domain::{Actor, Application, ApplicationId, ApplicationName, Link, WouldGo};

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
        let (name, product, url) = (checked_name(name)?, checked_product(product)?, checked_url(url)?);
        let application = new_application(name, product, url, act.at)?;
        self.store().add_application(&act, &application).await?;
        self.review_now(&application.id).await;
        Ok(application)
    }

    /// Adds an application of a link's product, and approves the link for it: both, or nothing.
    ///
    /// # Errors
    /// As [`Self::add_application`] and [`Self::approve_link`].
    pub async fn approve_link_as_new(&self, actor: &Actor, link: &LinkId, name: &str) -> Result<Link, ActionError> {
        let (adding, approving) = (self.act(actor)?, self.act(actor)?);
        let (name, product) = (checked_name(name)?, self.link(link).await?.product.id);
        let application = new_application(name, product, None, adding.at)?;
        self.store().approve_link_as_new(&adding, &approving, link, &application).await?;
        self.waiting().wake(link);
        self.review_now(&application.id).await;
        self.link(link).await
    }

    /// Changes an application. What is absent stays; an empty URL takes it away.
    ///
    /// # Errors
    /// As [`Self::add_application`], and [`ActionError::NotFound`] where there is no such application; a conflict also
    /// where somebody else changed it at the same moment.
    pub async fn change_application(
        &self,
        actor: &Actor,
        id: &ApplicationId,
        change: &ApplicationChange,
    ) -> Result<Application, ActionError> {
        let act = self.act(actor)?;
        let before = self.application(id).await?;
        let ApplicationChange { name, product, url } = change;
        let after = Application {
            name: name.as_deref().map_or(Ok(before.name.clone()), checked_name)?,
            product: product.as_deref().map_or(Ok(before.product.clone()), checked_product)?,
            url: url.as_deref().map_or(Ok(before.url.clone()), checked_url)?,
            ..before.clone()
        };
        if after != before {
            self.store().change_application(&act, &before, &after).await?;
            self.review_now(id).await;
        }
        Ok(after)
    }

    /// Removes an application for good, with its links and the reports that are stored of them. Their products are
    /// told.
    ///
    /// # Errors
    /// [`ActionError::NotFound`] where there is no such application.
    pub async fn remove_application(&self, actor: &Actor, id: &ApplicationId) -> Result<WouldGo, ActionError> {
        let act = self.act(actor)?;
        let gone = self.store().goes_with_application(id).await?;
        let links = self.store().links_of(id).await?;
        self.store().remove_application(&act, id).await?;
        links.iter().for_each(|link| self.waiting().wake(&link.id));
        self.sweep_later();
        Ok(gone)
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

/// A change of an application.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApplicationChange {
    /// The name.
    #[serde(default)]
    pub name: Option<String>,
    /// The product id.
    #[serde(default)]
    pub product: Option<String>,
    /// The URL; empty for none.
    #[serde(default)]
    pub url: Option<String>,
}

fn new_application(
    name: ApplicationName,
    product: ProductId,
    url: Option<String>,
    created_at: Timestamp,
) -> Result<Application, ActionError> {
    Ok(Application { id: ApplicationId::from_random(random()?), name, product, url, created_at, link: None })
}

fn checked_name(name: &str) -> Result<ApplicationName, ActionError> {
    name.parse().map_err(|error| ActionError::invalid("name", error))
}

fn checked_product(product: &str) -> Result<ProductId, ActionError> {
    product.trim().parse().map_err(|error| ActionError::invalid("product", error))
}

fn checked_url(url: &str) -> Result<Option<String>, ActionError> {
    let url = Some(url.trim()).filter(|url| !url.is_empty());
    url.map_or(Ok(()), check_product_url).map_err(|reason| ActionError::invalid("url", reason))?;
    Ok(url.map(str::to_owned))
}

/// Whether `url` may stand on a page as the address of a product: `http` or `https`, as an intranet has both. It is
/// shown to people and never fetched.
fn check_product_url(url: &str) -> Result<(), String> {
    let as_https = url.strip_prefix("http://").map(|rest| format!("https://{rest}"));
    pairing::check_url(as_https.as_deref().unwrap_or(url))
}
