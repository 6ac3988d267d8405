//! What stands around the content of every page: the navigation, the banners (`a4`), the secure session.

use std::fmt::Display;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use seatline_host::live::Live;
use seatline_protocol::standing::{Reason, ReasonCode};
use seatline_ui::{Banner, Failure, NavItem, Page, SecureSession, Tone, reason_banners};

use super::{Need, PageError, Pages, People, Visit, now};

/// What a handler gives: the frame makes a page of it.
#[derive(Debug, Clone)]
pub struct Content {
    status: StatusCode,
    title: String,
    place: Option<Place>,
    reload: Option<u32>,
    body: Body,
}

#[derive(Debug, Clone)]
enum Body {
    Html(String),
    /// Its way out is a path of the pages, wherever they are mounted.
    Failure(Box<Failure>),
}

impl Content {
    /// The content of a page, which brings its own `h1`.
    pub fn new(title: impl Into<String>, body: impl Display) -> Self {
        let (status, body) = (StatusCode::OK, Body::Html(body.to_string()));
        Self { status, title: title.into(), place: None, reload: None, body }
    }

    /// The entry of the navigation that it belongs to.
    pub fn at(self, place: Place) -> Self {
        Self { place: Some(place), ..self }
    }

    /// Lets a browser without JavaScript load the page again after so many seconds: it waits for something.
    pub fn reload_after(self, seconds: u32) -> Self {
        Self { reload: Some(seconds), ..self }
    }

    /// Another status than 200.
    pub fn status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    pub(super) fn of_failure(status: StatusCode, failure: Failure) -> Self {
        let title = failure.title.to_owned();
        Self { status, title, place: None, reload: None, body: Body::Failure(Box::new(failure)) }
    }
}

impl IntoResponse for Content {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// An entry of the navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// License Details.
    License,
    /// System Info.
    System,
    /// The plugin.
    Plugin,
    /// Application Links.
    Links,
    /// Notifications.
    Notifications,
    /// Support.
    Support,
}

/// The navigation: what each entry is called, and where it leads.
const NAV: [(Place, &str, &str); 6] = [
    (Place::License, "License", "/license"),
    (Place::Plugin, "Plugin", "/plugin"),
    (Place::Links, "Application Links", "/links"),
    // Where they are the agent's own: a product that mounts the pages tells its people itself.
    (Place::Notifications, "Notifications", "/notifications"),
    (Place::System, "System Info", "/system"),
    // Where the license entitles to it (`s11`).
    (Place::Support, "Support", "/support"),
];

/// Makes a page of what a handler gave, and of an error that no handler made.
pub async fn framed(State(pages): State<Pages>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let visit = response.extensions_mut().remove::<Visit>();
    let content = match response.extensions_mut().remove::<Content>() {
        Some(content) => content,
        None if is_bare_error(&response) => PageError::of_status(response.status()).into(),
        None => return response,
    };
    let html = html(&pages, visit.as_ref(), content).await;
    let (mut parts, _) = response.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.remove(header::CONTENT_TYPE);
    parts.headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    (parts.status, parts.headers, Html(html)).into_response()
}

/// Whether it is an error without a form: a method that a route does not take, a body that is too large. htmx is told
/// where to go, and shows nothing of the answer itself.
fn is_bare_error(response: &Response) -> bool {
    let failed = response.status().is_client_error() || response.status().is_server_error();
    failed && !response.headers().contains_key("hx-redirect")
}

async fn html(pages: &Pages, visit: Option<&Visit>, content: Content) -> String {
    let may_look = visit.is_some_and(|visit| visit.visitor.role >= Need::View.role());
    let told = if may_look { Told::by(pages).await } else { Told::default() };
    let is_there = |(place, ..): &&(Place, &str, &str)| match place {
        Place::Notifications => pages.has_notices(),
        Place::Support => told.is_supported,
        _ => true,
    };
    let shown: Vec<&(Place, &'static str, &str)> = NAV.iter().filter(is_there).collect();
    let hrefs: Vec<String> = shown.iter().map(|(_, _, path)| pages.href(path)).collect();
    let entry = |((place, label, _), href): (&(Place, &'static str, &str), _)| NavItem {
        label,
        href,
        current: content.place == Some(*place),
    };
    let nav: Vec<NavItem<'_>> = shown.into_iter().zip(hrefs.iter().map(String::as_str)).map(entry).collect();
    let is_ours = matches!(pages.people(), People::Own(_));
    let body = match content.body {
        Body::Html(body) => body,
        Body::Failure(mut failure) => {
            failure.way_out.1 = pages.href(&failure.way_out.1);
            failure.to_string()
        }
    };
    let above: String = told.banners.iter().map(|banner| format!("{banner}\n")).collect();
    Page {
        title: &content.title,
        program: "Licenses",
        base: pages.base(),
        nav: if may_look { &nav } else { &[] },
        user: visit.map(|visit| visit.visitor.name.as_str()),
        account: None,
        sign_out: is_ours.then(|| pages.href("/sign-out")).as_deref(),
        secure: visit.and_then(|visit| visit.secure_until).map(|until| SecureSession {
            until,
            now: now(),
            end: pages.href("/confirm/end"),
        }),
        version: env!("CARGO_PKG_VERSION"),
        reload: content.reload,
        body: above + &body,
    }
    .to_string()
}

/// What the licenses tell every page.
#[derive(Default)]
struct Told {
    banners: Vec<Banner>,
    /// Whether they entitle to support.
    is_supported: bool,
}

impl Told {
    /// What the licenses give cause to say, or why that is not known (`a7`).
    async fn by(pages: &Pages) -> Self {
        let failed = |why: &str| {
            let what = "What the licenses come to cannot be told now";
            let banner = Banner::new(Tone::Danger, what, seatline_ui::Prose::sentence(why));
            Self { banners: vec![banner], is_supported: false }
        };
        match pages.ask(|host| host.live()).await {
            Ok(Ok(live)) => Self { banners: banners_of(&live), is_supported: live.standing.support },
            Ok(Err(error)) => failed(&error.to_string()),
            Err(_) => failed("it failed unexpectedly: see the log"),
        }
    }
}

fn banners_of(live: &Live) -> Vec<Banner> {
    // Maintenance that has ended would stand there for good.
    let lasting = |reason: &&Reason| reason.code != ReasonCode::MaintenanceEnded;
    let reasons: Vec<Reason> = live.standing.reasons.iter().filter(lasting).cloned().collect();
    let problem = live.problem.as_ref().map(|problem| {
        let why = format!("{}; what was read last is shown until it can be read again", problem.message);
        Banner::new(Tone::Danger, "The state cannot be read", seatline_ui::Prose::sentence(&why))
    });
    problem.into_iter().chain(reason_banners(&reasons)).collect()
}
