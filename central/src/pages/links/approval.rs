//! Approving a link that waits, for an application that is there or for a new one; or refusing it.

use std::collections::BTreeMap;

use axum::Form;
use axum::extract::{Extension, Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use seatline_protocol::{LinkId, ProductId};
use seatline_ui::Field;
use serde::Deserialize;

use super::one;
use crate::auth::SignedIn;
use crate::central::ActionError;
use crate::domain::{Application, FleetFilter, FleetOrder, Link, LinkRow};
use crate::pages::{PageError, parsed};
use crate::server::App;
use crate::store::{PageSize, StoreError};

/// How many applications of a product are offered.
const OFFERED: u32 = 50;
/// For how many products of a page applications are looked up.
const PRODUCTS: usize = 10;

/// The applications that a link could be for, by product: those that no product is linked to.
#[derive(Debug, Clone, Default)]
pub struct Candidates(BTreeMap<ProductId, Vec<String>>);

impl Candidates {
    /// Those for the links of a page that have no application.
    pub async fn of(app: &App, rows: &[LinkRow]) -> Result<Self, PageError> {
        let mut found = BTreeMap::new();
        for product in rows.iter().filter(|row| row.link.application.is_none()).map(|row| &row.link.product.id) {
            if !found.contains_key(product) && found.len() < PRODUCTS {
                found.insert(product.clone(), of_product(app, product).await?);
            }
        }
        Ok(Self(found))
    }
}

async fn of_product(app: &App, product: &ProductId) -> Result<Vec<String>, PageError> {
    let filter = FleetFilter {
        product: Some(product.clone()),
        concern: Some("not-linked".to_owned()),
        ..FleetFilter::default()
    };
    let page = app.central.store().fleet(&filter, FleetOrder::Name, None, PageSize::new(OFFERED)).await?;
    Ok(page.items.iter().map(|item| item.row.name.to_string()).collect())
}

/// The form that approves a link.
#[derive(Debug, Clone)]
pub struct ApprovalForm {
    /// Where the link is.
    pub(super) path: String,
    apart: String,
    offered: Vec<String>,
    sent: String,
    error: Option<String>,
}

impl ApprovalForm {
    /// The form of a link.
    pub fn of(link: &Link, candidates: &Candidates) -> Self {
        let offered = candidates.0.get(&link.product.id).cloned().unwrap_or_default();
        Self {
            path: format!("/links/{}", link.id),
            apart: format!("-{}", link.id),
            sent: if let [only] = offered.as_slice() { only.clone() } else { String::new() },
            offered,
            error: None,
        }
    }

    /// The form as it was sent, with what was wrong.
    pub fn refused(self, sent: String, why: String) -> Self {
        Self { sent, error: Some(why), ..self }
    }

    pub(super) fn field(&self) -> Field<'_> {
        Field::text("application", "Application")
            .hint("The name of an application of this product, or of a new one.")
            .suggestions(self.offered.clone())
            .value(&self.sent)
            .error(self.error.as_deref())
            .id(&self.apart)
            .required()
    }
}

/// What the form sends.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct ApprovalSent {
    /// The name of the application.
    pub application: String,
    /// Whether it is a new one: any text says so.
    pub new: String,
}

/// `POST /links/{link}/approve`
pub async fn approve(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Path(id): Path<String>,
    Form(sent): Form<ApprovalSent>,
) -> Result<Response, PageError> {
    let id: LinkId = parsed(&id, "link")?;
    let link = app.central.link(&id).await?;
    let name = sent.application.trim();
    let approved = match sent.new.is_empty() {
        true => match chosen(&app, &link, name).await? {
            Ok(application) => app.central.approve_link(&who.actor(), &id, &application.id).await.map(|_| Ok(()))?,
            Err(why) => Err(why),
        },
        false => as_new(&app, &who, &id, name).await?,
    };
    match approved {
        Ok(()) => Ok(Redirect::to("/links?done=approved").into_response()),
        Err(why) => one::refused(&app, &who, &id, sent.application, why).await,
    }
}

/// Approves a link for a new application, or says why there cannot be one of this name.
async fn as_new(app: &App, who: &SignedIn, id: &LinkId, name: &str) -> Result<Result<(), String>, PageError> {
    match app.central.approve_link_as_new(&who.actor(), id, name).await {
        Ok(_) => Ok(Ok(())),
        Err(ActionError::Invalid { reason, .. }) => Ok(Err(reason)),
        Err(ActionError::Store(StoreError::Conflict(_))) if app.central.link(id).await?.application.is_none() => {
            Ok(Err("there is an application of this name already: approve the link for it, or choose another name"
                .to_owned()))
        }
        Err(error) => Err(error.into()),
    }
}

/// The application that a link is approved for, or why it cannot be that one.
async fn chosen(app: &App, link: &Link, name: &str) -> Result<Result<Application, String>, PageError> {
    let product = &link.product.id;
    Ok(match app.central.application_named(name).await? {
        None => {
            Err("there is no application of this name: choose one that is offered, or approve it as a new one"
                .to_owned())
        }
        Some(found) if found.product != *product => Err(format!(
            "this application is of the product `{}`, and the link is of `{product}`: choose another one, or approve the link \
             on the application's tab Details if that is right",
            found.product
        )),
        Some(found) => Ok(found),
    })
}

/// `POST /links/{link}/refuse`
pub async fn refuse(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Path(id): Path<String>,
) -> Result<Redirect, PageError> {
    app.central.refuse_link(&who.actor(), &parsed(&id, "link")?).await?;
    Ok(Redirect::to("/links?done=refused"))
}
