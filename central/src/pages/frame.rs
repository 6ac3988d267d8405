//! What stands around the content of every page.

use std::fmt::Display;

use askama::Template;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};
use seatline_ui::{Badge, NavItem, Page, Tab, Tabs, words};

use crate::auth::SignedIn;
use crate::domain::Licenses;

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
        base: "",
        nav: if who.is_some() { &nav } else { &[] },
        user: who.map(|who| who.admin.as_str()),
        sign_out: Some("/sign-out"),
        secure: None,
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
