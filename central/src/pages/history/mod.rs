//! The History tab (`g8`, `b11`) and the difference of two reports (`b7`).

mod course;
mod difference;
mod handlers;

use askama::Template;
use seatline_ui::{Banner, Prose, Tone, format};

use crate::domain::history::{History, Range};
use course::Course;
pub use difference::DifferencePage;
pub use handlers::{difference, show};

/// The content of the tab. It only says what [`History`] holds.
#[derive(Template)]
#[template(path = "history.html")]
pub struct HistoryTab {
    /// The path of the application's pages.
    path: String,
    ranges: Vec<RangeLink>,
    until: Option<String>,
    courses: Vec<Course>,
    /// Why there is nothing to show.
    nothing: Option<Banner>,
    exports: Vec<(String, &'static str)>,
}

/// A range that can be chosen.
struct RangeLink {
    href: String,
    label: &'static str,
    current: bool,
}

impl HistoryTab {
    /// The tab of a history.
    pub fn new(history: &History) -> Self {
        let path = format!("/applications/{}", history.application.id);
        let link = |range: Range| RangeLink {
            href: format!("{path}/history?range={}", range.name()),
            label: words(range),
            current: range == history.range,
        };
        let courses = course::courses(history);
        let nothing = courses.is_empty().then(|| {
            let why = "a product's reports become its history as they arrive: link one, or wait for its first report";
            Banner::new(Tone::Info, "Nothing was counted yet", Prose::sentence(why))
        });
        let api = format!("/api/v1/applications/{}/history", history.application.id);
        Self {
            ranges: Range::ALL.map(link).into(),
            until: history.until.map(format::date_time),
            courses,
            nothing,
            exports: vec![(format!("{api}.csv"), "CSV"), (format!("{api}.json"), "JSON")],
            path,
        }
    }
}

impl askama::filters::HtmlSafe for HistoryTab {}

fn words(range: Range) -> &'static str {
    match range {
        Range::Month => "30 days",
        Range::Quarter => "90 days",
        Range::Year => "365 days",
        Range::All => "All",
    }
}
