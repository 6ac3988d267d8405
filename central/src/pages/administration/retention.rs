//! How long what was reported is kept: it is shown what would go before it is set.

use askama::Template;
use axum::Form;
use axum::extract::{Extension, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use jiff::Timestamp;
use seatline_ui::{Banner, Field, Tabs, Tone, format};
use serde::Deserialize;

use super::{Part, tabs};
use crate::auth::SignedIn;
use crate::domain::retention::LEAST_DAYS;
use crate::domain::{Retention, WouldForget};
use crate::pages::failure::PageError;
use crate::pages::frame::{Section, page_of, page_of_with};
use crate::server::App;

/// What the form sends: days, or nothing for ever.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct RetentionSent {
    reports: String,
    history: String,
    /// Whether what would go is to be shown.
    preview: String,
    done: String,
}

/// The page.
#[derive(Template)]
#[template(path = "administration/retention.html")]
pub struct RetentionPage {
    tabs: Tabs,
    banner: Option<Banner>,
    now: [(&'static str, String); 2],
    sent: RetentionSent,
    error: Option<(&'static str, String)>,
    preview: Option<Preview>,
}

/// What would go.
struct Preview {
    reports: String,
    history: String,
    /// How far that was looked at.
    sample: Option<String>,
}

impl RetentionSent {
    fn of(retention: &Retention) -> Self {
        let days = |days: Option<u32>| days.map(|days| days.to_string()).unwrap_or_default();
        Self { reports: days(retention.reports_days), history: days(retention.history_days), ..Self::default() }
    }

    fn parse(&self) -> Result<Retention, (&'static str, String)> {
        let days = |field, text: &str| match text.trim() {
            "" => Ok(None),
            text => match text.parse() {
                Ok(days) if days >= LEAST_DAYS => Ok(Some(days)),
                _ => Err((field, format!("give {LEAST_DAYS} or more days, or nothing, to keep it for ever"))),
            },
        };
        Ok(Retention { reports_days: days("reports", &self.reports)?, history_days: days("history", &self.history)? })
    }
}

impl RetentionPage {
    /// The page with what holds now.
    pub fn of(retention: &Retention) -> Self {
        let kept = |days: Option<u32>| {
            days.map_or_else(|| "for ever".to_owned(), |days| format::counted(days.into(), "day", "days"))
        };
        Self {
            tabs: tabs(Part::Retention),
            banner: None,
            now: [
                ("Sealed reports", kept(retention.reports_days)),
                ("History by the day", kept(retention.history_days)),
            ],
            sent: RetentionSent::of(retention),
            error: None,
            preview: None,
        }
    }

    /// With what was sent, and what would go then.
    pub fn with_preview(self, sent: RetentionSent, would: &WouldForget) -> Self {
        Self { sent, preview: Some(Preview::of(would)), ..self }
    }

    fn refused(self, sent: RetentionSent, error: (&'static str, String)) -> Self {
        Self { sent, error: Some(error), ..self }
    }

    fn fields(&self) -> [Field<'_>; 2] {
        let error = |field| self.error.as_ref().filter(|(at, _)| *at == field).map(|(_, why)| why.as_str());
        [
            Field::number("reports", "Keep sealed reports for")
                .hint("Empty: for ever.")
                .suffix("days")
                .value(&self.sent.reports)
                .error(error("reports")),
            Field::number("history", "Keep the history by the day for")
                .hint("Empty: for ever.")
                .suffix("days")
                .value(&self.sent.history)
                .error(error("history")),
        ]
    }
}

impl Preview {
    fn of(would: &WouldForget) -> Self {
        let gone = |before: Option<Timestamp>, count: u64, what: (&str, &str), whole: &str| match before {
            None => format!("{whole} is kept for ever: nothing goes."),
            Some(before) => {
                let count = match count {
                    0 => "none at present".to_owned(),
                    count => format!("about {}", format::counted(count, what.0, what.1)),
                };
                format!("What is older than {} goes: {count}.", format::date_time(before))
            }
        };
        Self {
            reports: gone(would.reports_before, would.reports, ("report", "reports"), "Every sealed report"),
            history: gone(
                would.history_before,
                would.days,
                ("day of a link", "days of links"),
                "The history by the day",
            ),
            sample: (!would.is_all).then(|| {
                format!(
                    "Looked at {} of all links, drawn by lot: of all of them it is many times as much.",
                    would.links
                )
            }),
        }
    }
}

/// `GET /administration/retention`
pub async fn show(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Query(sent): Query<RetentionSent>,
) -> Result<Response, PageError> {
    let page = RetentionPage::of(&app.central.store().retention().await?);
    if sent.preview.is_empty() {
        let saved = Banner::new(Tone::Good, "Saved.", "What is too old goes within six hours.");
        let page = RetentionPage { banner: (sent.done == "saved").then_some(saved), ..page };
        return Ok(page_of(Section::Administration, "Retention", Some(&who), page));
    }
    match sent.parse() {
        Ok(retention) => {
            let would = app.central.would_forget(&retention).await?;
            Ok(page_of(Section::Administration, "Retention", Some(&who), page.with_preview(sent, &would)))
        }
        Err(error) => Ok(refused(&who, page, sent, error)),
    }
}

/// `POST /administration/retention`
pub async fn save(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Form(sent): Form<RetentionSent>,
) -> Result<Response, PageError> {
    match sent.parse() {
        Ok(retention) => {
            app.central.set_retention(&who.actor(), &retention).await?;
            Ok(Redirect::to("/administration/retention?done=saved").into_response())
        }
        Err(error) => {
            let page = RetentionPage::of(&app.central.store().retention().await?);
            Ok(refused(&who, page, sent, error))
        }
    }
}

fn refused(who: &SignedIn, page: RetentionPage, sent: RetentionSent, error: (&'static str, String)) -> Response {
    let page = page.refused(sent, error);
    page_of_with(StatusCode::UNPROCESSABLE_ENTITY, Section::Administration, "Retention", Some(who), page)
}
