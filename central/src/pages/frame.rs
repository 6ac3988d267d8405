//! What stands around the content of every page, and what becomes of an action that failed.

use std::fmt::Display;

use askama::Template;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use seatline_ui::{Badge, Banner, NavItem, Page, Prose, Tab, Tabs, Tone};

use crate::auth::SignedIn;
use crate::central::ActionError;
use crate::domain::Licenses;
use crate::pages::words;
use crate::store::StoreError;

/// A page with `body`, for whoever is signed in.
pub fn page(title: &str, who: Option<&SignedIn>, body: impl Display) -> Response {
    page_with(StatusCode::OK, title, who, body)
}

/// A page with another status than 200.
pub fn page_with(status: StatusCode, title: &str, who: Option<&SignedIn>, body: impl Display) -> Response {
    (status, [(header::CACHE_CONTROL, "no-store")], Html(html(title, who, body))).into_response()
}

/// The HTML of a page.
pub fn html(title: &str, who: Option<&SignedIn>, body: impl Display) -> String {
    let nav = [NavItem { label: "Applications", href: "/applications", current: true }];
    Page {
        title,
        program: "Central",
        nav: if who.is_some() { &nav } else { &[] },
        user: who.map(|who| who.admin.as_str()),
        sign_out: "/sign-out",
        version: env!("CARGO_PKG_VERSION"),
        body,
    }
    .to_string()
}

/// The head of an application's pages: its name, the verdict, and the tabs.
#[derive(Template)]
#[template(path = "head.html")]
pub struct Head {
    name: String,
    verdict: Badge,
    product: String,
    url: Option<String>,
    tabs: Tabs,
}

/// The pages of an application.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The Licenses tab.
    Licenses,
    /// All reports: a page under the Licenses tab.
    Reports,
    /// The Details tab.
    Details,
}

impl Head {
    /// The head of `view`'s application on one of its pages.
    pub fn new(view: &Licenses, place: Place) -> Self {
        let application = &view.application;
        let path = format!("/applications/{}", application.id);
        let tab = |label, href, current| Tab { label, href, current };
        Self {
            name: application.name.to_string(),
            verdict: words::verdict(view.counted.as_ref().and_then(|counted| counted.verdict)),
            product: view.product.as_ref().map_or_else(
                || application.product.to_string(),
                |product| format!("{} {}", product.name, product.version),
            ),
            url: application.url.clone(),
            tabs: Tabs {
                label: "Application".to_owned(),
                tabs: vec![
                    tab("Licenses", format!("{path}/licenses"), place != Place::Details),
                    tab("Details", path, place == Place::Details),
                ],
            },
        }
    }
}

impl askama::filters::HtmlSafe for Head {}

/// A page that says what could not be done, why, and the way out.
#[derive(Debug, Template)]
#[template(path = "failure.html")]
struct Failure {
    title: &'static str,
    banner: Banner,
}

/// An action that failed, as the answer to a request for a page. What broke a rule of a field is shown at the field
/// instead, where there is one.
#[derive(Debug)]
pub struct PageError(StatusCode, Failure);

impl PageError {
    /// The answer where there is nothing at an address.
    pub fn not_found(what: &str) -> Self {
        let why = format!("There is no such {what} here, or not any more. Begin again from the list of applications.");
        Self::new(StatusCode::NOT_FOUND, "Not found", Tone::Warning, "Nothing is at this address", why)
    }

    fn new(status: StatusCode, title: &'static str, tone: Tone, what: &str, why: impl Into<Prose>) -> Self {
        Self(status, Failure { title, banner: Banner::new(tone, what, why) })
    }
}

impl From<ActionError> for PageError {
    fn from(error: ActionError) -> Self {
        let why = Prose::sentence(&error.to_string());
        match error {
            ActionError::NotFound(what) => Self::not_found(what),
            ActionError::Invalid { .. } => {
                Self::new(StatusCode::BAD_REQUEST, "Not done", Tone::Warning, "This could not be done", why)
            }
            ActionError::Store(StoreError::Conflict(_)) => {
                Self::new(StatusCode::CONFLICT, "Not done", Tone::Warning, "This could not be done", why)
            }
            ActionError::Store(StoreError::Cursor) => {
                Self::new(StatusCode::BAD_REQUEST, "Not done", Tone::Warning, "This could not be done", why)
            }
            ActionError::Store(_) | ActionError::Random(_) => {
                tracing::error!(code = error.code(), %error, "a page could not be shown");
                let way_out = "Try again in a moment. If it stays so, the server's log says more.".to_owned();
                let what = "The server cannot do this now";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "Not available", Tone::Danger, what, way_out)
            }
        }
    }
}

impl From<StoreError> for PageError {
    fn from(error: StoreError) -> Self {
        ActionError::from(error).into()
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        page_with(self.0, self.1.title, None, self.1)
    }
}
