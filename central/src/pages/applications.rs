//! The list of applications (`w1`), what needs attention first, and the form that adds one.

use askama::Template;
use axum::Form;
use axum::extract::{Extension, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use seatline_protocol::Dimension;
use seatline_protocol::standing::Verdict;
use seatline_ui::{Badge, Field, Gauge, Icon, Level, Prose, Tone, When, format, words};
use seatline_web::address::escape;
use serde::Deserialize;

use crate::auth::SignedIn;
use crate::central::ActionError;
use crate::domain::Licenses;
use crate::pages::failure::PageError;
use crate::pages::frame::{page, page_with};
use crate::pages::words::trouble as trouble_words;
use crate::server::App;
use crate::store::{Cursor, PageSize, StoreError};

/// The list.
#[derive(Template)]
#[template(path = "applications.html")]
pub struct Applications {
    rows: Vec<Row>,
    /// How many of the rows need attention.
    attention: usize,
    /// Whether these are all applications, and not only a page of them.
    is_whole: bool,
    more: Option<String>,
}

/// An application in the list.
struct Row {
    name: String,
    href: String,
    product: String,
    /// Whether it is a staging instance, which no total of production counts (`s3`).
    staging: bool,
    /// The verdict, unless a trouble says already why there is none.
    verdict: Option<Badge>,
    gauge: Option<Gauge>,
    last: Option<When>,
    /// The gravest thing that is wrong, and how many more there are.
    trouble: Option<(Tone, String, Prose)>,
    more_troubles: String,
    gravity: Tone,
}

impl Applications {
    /// A page of the list: these applications, which come `after` a place; `next` is the place after which more of them come.
    pub fn new(views: &[Licenses], after: Option<&Cursor>, next: Option<&Cursor>) -> Self {
        let mut rows: Vec<Row> = views.iter().map(Row::of).collect();
        rows.sort_by(|a, b| b.gravity.cmp(&a.gravity).then_with(|| a.name.to_lowercase().cmp(&b.name.to_lowercase())));
        Self {
            attention: rows.iter().filter(|row| row.gravity >= Tone::Warning).count(),
            rows,
            is_whole: after.is_none() && next.is_none(),
            more: next.map(|cursor| format!("/applications?after={}", escape(cursor.as_str()))),
        }
    }

    fn summary(&self) -> String {
        let all = format::counted(self.rows.len() as u64, "application", "applications");
        let all = if self.is_whole { all } else { format!("{all} on this page, by name") };
        match self.attention {
            0 => format!("{all}, none needs attention"),
            1 => format!("{all}, 1 needs attention"),
            some => format!("{all}, {some} need attention"),
        }
    }
}

impl Row {
    fn of(view: &Licenses) -> Self {
        let counted = view.counted.as_ref();
        let verdict = counted.and_then(|counted| counted.verdict);
        let users = Dimension::users();
        let limit = counted.and_then(|counted| counted.limits.iter().find(|limit| limit.dimension == users));
        let accounts = counted.and_then(|counted| counted.accounts.as_ref());
        let mut troubles = troubles(view);
        let gravity = troubles.first().map_or(Tone::Good, |(tone, ..)| *tone);
        let more = troubles.len().saturating_sub(1) as u64;
        Self {
            name: view.application.name.to_string(),
            href: format!("/applications/{}/licenses", view.application.id),
            product: view.application.product.to_string(),
            staging: view.product.as_ref().is_some_and(|product| product.staging),
            verdict: (verdict.is_some() || troubles.is_empty()).then(|| words::verdict(verdict)),
            gauge: limit
                .and_then(Gauge::of_limit)
                .or_else(|| Some(Gauge::new("users", accounts?.counted, None, Level::Within)))
                .map(Gauge::small),
            last: view.reported.as_ref().map(|reported| When { at: reported.received_at, now: view.as_of }),
            trouble: (!troubles.is_empty()).then(|| troubles.swap_remove(0)),
            more_troubles: if more == 0 {
                String::new()
            } else {
                format!("and {}", format::counted(more, "more", "more"))
            },
            gravity,
        }
    }
}

/// What is wrong with an application, the gravest first: tone, title, and a line of explanation.
fn troubles(view: &Licenses) -> Vec<(Tone, String, Prose)> {
    let of_link = view.troubles.iter().map(|trouble| {
        let (tone, title) = trouble_words(trouble);
        (tone, title.to_owned(), Prose::sentence(&trouble.message))
    });
    let counted = view.counted.as_ref();
    let of_standing = counted.iter().flat_map(|counted| &counted.reasons).map(|reason| {
        let tone = words::reason_tone(reason.code);
        (tone, words::reason(reason.code).to_owned(), Prose::sentence(&reason.message))
    });
    let mut troubles: Vec<_> = of_link.chain(of_standing).collect();
    let unexplained = troubles.is_empty().then(|| counted.and_then(|counted| counted.verdict)).flatten();
    if matches!(unexplained, Some(Verdict::Restricted | Verdict::Unlicensed)) {
        troubles.push((Tone::Danger, "No license covers it".to_owned(), Prose::from("")));
    }
    troubles.sort_by_key(|(tone, ..)| std::cmp::Reverse(*tone));
    troubles
}

/// The form that adds an application.
#[derive(Template, Default)]
#[template(path = "application_new.html")]
pub struct NewApplication {
    sent: NewSent,
    /// The field that was not taken, and why.
    error: Option<(&'static str, String)>,
}

/// What the form sends.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct NewSent {
    /// The name.
    pub name: String,
    /// The product id.
    pub product: String,
    /// The URL, or nothing.
    pub url: String,
}

impl NewApplication {
    /// The form as it was sent, with what was wrong.
    pub fn refused(sent: NewSent, field: &'static str, why: &str) -> Self {
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

/// `GET /applications`
pub async fn list(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Query(After { after }): Query<After>,
) -> Result<Response, PageError> {
    let found = app.central.store().applications(after.as_ref(), PageSize::default()).await?;
    let mut views = Vec::with_capacity(found.items.len());
    for row in &found.items {
        views.push(app.central.licenses(&row.application.id).await?);
    }
    Ok(page("Applications", Some(&who), Applications::new(&views, after.as_ref(), found.next.as_ref())))
}

/// `GET /applications/new`
pub async fn new_form(Extension(who): Extension<SignedIn>) -> Response {
    page("Add an application", Some(&who), NewApplication::default())
}

/// `POST /applications`
pub async fn add(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Form(sent): Form<NewSent>,
) -> Result<Response, PageError> {
    let (status, form) = match app.central.add_application(&who.actor(), &sent.name, &sent.product, &sent.url).await {
        Ok(application) => return Ok(Redirect::to(&format!("/applications/{}", application.id)).into_response()),
        Err(ActionError::Invalid { field, reason }) => {
            (StatusCode::UNPROCESSABLE_ENTITY, NewApplication::refused(sent, field, &reason))
        }
        Err(ActionError::Store(StoreError::Conflict(_))) => {
            let why = "another application has this name: choose one that tells them apart";
            (StatusCode::CONFLICT, NewApplication::refused(sent, "name", why))
        }
        Err(error) => return Err(error.into()),
    };
    Ok(page_with(status, "Add an application", Some(&who), form))
}

/// The icon of what adds something.
const PLUS: Icon = Icon::Plus;
