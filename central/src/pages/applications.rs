//! The form that adds an application (`w1`); the list stands in [`super::fleet`].

use askama::Template;
use axum::Form;
use axum::extract::{Extension, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use seatline_ui::Field;
use serde::Deserialize;

use crate::auth::SignedIn;
use crate::pages::failure::{PageError, broken};
use crate::pages::frame::{page, page_with};
use crate::server::App;
use crate::store::Cursor;

/// The form that adds an application.
#[derive(Template, Default)]
#[template(path = "application_new.html")]
pub struct NewApplication {
    sent: ApplicationSent,
    /// The field that was not taken, and why.
    error: Option<(&'static str, String)>,
}

/// What the form sends.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct ApplicationSent {
    /// The name.
    pub name: String,
    /// The product id.
    pub product: String,
    /// The URL, or nothing.
    pub url: String,
}

impl NewApplication {
    /// The form as it was sent, with what was wrong.
    pub fn refused(sent: ApplicationSent, field: &'static str, why: &str) -> Self {
        Self { sent, error: Some((field, why.to_owned())) }
    }

    fn fields(&self) -> [Field<'_>; 3] {
        let error = |field| self.error.as_ref().filter(|(at, _)| *at == field).map(|(_, why)| why.as_str());
        [
            Field::text("name", "Name")
                .hint("What people call it, such as “Wiki of the sales department”.")
                .value(&self.sent.name)
                .error(error("name"))
                .required(),
            Field::text("product", "Product")
                .hint("The product id that its vendor uses, such as acme-wiki. `seatline status` shows it beside the product.")
                .value(&self.sent.product)
                .error(error("product"))
                .required(),
            Field::url("url", "URL (optional)")
                .hint("Where people reach it. It is shown as a link here, and this server never fetches it.")
                .value(&self.sent.url)
                .error(error("url")),
        ]
    }
}

/// Where a page of a list begins.
#[derive(Debug, Deserialize)]
pub struct After {
    /// The place that the page before named.
    pub after: Option<Cursor>,
}

/// `GET /applications/new`
pub async fn new_form(Extension(who): Extension<SignedIn>) -> Response {
    page("Add an application", Some(&who), NewApplication::default())
}

/// `POST /applications`
pub async fn add(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Form(sent): Form<ApplicationSent>,
) -> Result<Response, PageError> {
    match app.central.add_application(&who.actor(), &sent.name, &sent.product, &sent.url).await {
        Ok(application) => Ok(Redirect::to(&format!("/applications/{}", application.id)).into_response()),
        Err(error) => {
            let (status, (field, why)) = broken(error)?;
            let form = NewApplication::refused(sent, field, &why);
            Ok(page_with(status, "Add an application", Some(&who), form))
        }
    }
}
