//! What stands around the content of every page.

use std::fmt::Display;

use askama::Template;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};
use seatline_ui::{Badge, NavItem, Page, SecureSession, Tab, Tabs, words};

use crate::auth::SignedIn;
use crate::domain::{Licenses, Role};

/// An entry of the main navigation: a page belongs to one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// The fleet at a glance, and its calendar.
    Overview,
    /// The applications, and the pages of each.
    Applications,
    /// The links of all applications, and those that wait for approval.
    Links,
    /// What is not in order, and who is told.
    Alerts,
    /// People counted once.
    People,
    /// Users, tokens, the audit log: for administrators.
    Administration,
    /// One's own account: behind one's name instead of in the navigation.
    Account,
}

impl Section {
    /// Those of the navigation, in their order.
    const ALL: [Self; 6] =
        [Self::Overview, Self::Applications, Self::Links, Self::Alerts, Self::People, Self::Administration];

    /// The least role that sees it.
    fn least(self) -> Role {
        match self {
            Self::Administration => Role::Administrator,
            _ => Role::Viewer,
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Applications => "Applications",
            Self::Links => "Links",
            Self::Alerts => "Alerts",
            Self::People => "People",
            Self::Administration => "Administration",
            Self::Account => "My account",
        }
    }

    fn href(self) -> &'static str {
        match self {
            Self::Overview => "/",
            Self::Applications => "/applications",
            Self::Links => "/links",
            Self::Alerts => "/alerts",
            Self::People => "/people",
            Self::Administration => "/administration",
            Self::Account => "/account",
        }
    }
}

/// A page of the applications with `body`, for whoever is signed in.
pub fn page(title: &str, who: Option<&SignedIn>, body: impl Display) -> Response {
    page_of(Section::Applications, title, who, body)
}

/// A page of any section.
pub fn page_of(section: Section, title: &str, who: Option<&SignedIn>, body: impl Display) -> Response {
    page_of_with(StatusCode::OK, section, title, who, body)
}

/// A page of any section, with another status than 200.
pub fn page_of_with(
    status: StatusCode,
    section: Section,
    title: &str,
    who: Option<&SignedIn>,
    body: impl Display,
) -> Response {
    answer(status, html_of(Some(section), title, who, body))
}

/// A page of no section, with another status than 200.
pub fn page_apart(status: StatusCode, title: &str, who: Option<&SignedIn>, body: impl Display) -> Response {
    answer(status, html_of(None, title, who, body))
}

/// A page of the applications with another status than 200.
pub fn page_with(status: StatusCode, title: &str, who: Option<&SignedIn>, body: impl Display) -> Response {
    answer(status, html(title, who, body))
}

/// The HTML of a page of the applications.
pub fn html(title: &str, who: Option<&SignedIn>, body: impl Display) -> String {
    html_of(Some(Section::Applications), title, who, body)
}

fn answer(status: StatusCode, html: String) -> Response {
    (status, [(header::CACHE_CONTROL, "no-store")], Html(html)).into_response()
}

fn html_of(section: Option<Section>, title: &str, who: Option<&SignedIn>, body: impl Display) -> String {
    let shown = Section::ALL.into_iter().filter(|entry| who.is_some_and(|who| who.may(entry.least())));
    let item = |entry: Section| NavItem { label: entry.label(), href: entry.href(), current: Some(entry) == section };
    let nav: Vec<NavItem<'_>> = shown.map(item).collect();
    Page {
        title,
        program: "Central",
        base: "",
        nav: &nav,
        user: who.map(|who| who.name.as_str()),
        sign_out: Some("/sign-out"),
        account: who.map(|_| "/account"),
        secure: who.and_then(|who| {
            let until = who.confirmed_until()?;
            Some(SecureSession { until, now: who.asked_at, end: "/confirm/end".to_owned() })
        }),
        version: env!("CARGO_PKG_VERSION"),
        reload: None,
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
    /// The History tab.
    History,
    /// The Reports tab.
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
                    tab("Licenses", format!("{path}/licenses"), place == Place::Licenses),
                    tab("History", format!("{path}/history"), place == Place::History),
                    tab("Reports", format!("{path}/reports"), place == Place::Reports),
                    tab("Details", path, place == Place::Details),
                ],
            },
        }
    }
}

impl askama::filters::HtmlSafe for Head {}
