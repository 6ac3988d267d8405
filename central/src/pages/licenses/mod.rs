//! The Licenses tab (`w5`, `b7`): what an application uses, what it may use, and what is wrong.

mod counts;
mod handlers;
mod instance;
mod license;
mod reports;

use askama::Template;
use seatline_ui::{Banner, Prose, Tone, When};

use crate::domain::{Licenses, RefusedReport, ReportRow};
use crate::pages::words;
use counts::{LimitCard, Measured};
pub use handlers::{all, bytes, refused_bytes, show};
use instance::Instance;
use license::LicenseCard;
use reports::{RefusedLine, ReportLine, Reporting};

/// The content of the tab. It only says what [`Licenses`] holds.
#[derive(Template)]
#[template(path = "licenses.html")]
pub struct LicensesTab {
    /// The path of the application's pages.
    path: String,
    /// What was newest when this was made, see [`seen`].
    seen: String,
    banners: Vec<Banner>,
    /// Whether there is nothing to show but the way to the first report.
    first_steps: bool,
    /// Whether the steps up to the link are done.
    linked: bool,
    counted: Option<When>,
    stale: bool,
    limits: Vec<LimitCard>,
    measured: Vec<Measured>,
    accounts: Option<counts::Accounts>,
    licenses: Vec<LicenseCard>,
    history: Vec<LicenseCard>,
    instance: Option<Instance>,
    reporting: Option<Reporting>,
    reports: Vec<ReportLine>,
    refused: Vec<RefusedLine>,
    notes: Vec<Prose>,
}

impl LicensesTab {
    /// The tab of `view`, with the newest `reports` of its link and those that were `refused`.
    pub fn new(view: &Licenses, reports: &[ReportRow], refused: &[RefusedReport]) -> Self {
        let path = format!("/applications/{}", view.application.id);
        let counted = view.counted.as_ref();
        let (licenses, history) = license::cards(view);
        Self {
            seen: seen(view),
            banners: banners(view),
            first_steps: view.reported.is_none(),
            linked: view.link.is_some(),
            counted: counted.map(|counted| When { at: counted.observed_at, now: view.as_of }),
            stale: counted
                .zip(view.reported.as_ref())
                .is_some_and(|(counted, newest)| counted.sequence < newest.sequence),
            limits: counted.map(counts::limits).unwrap_or_default(),
            measured: counted.map(counts::unlimited).unwrap_or_default(),
            accounts: counted.and_then(|counted| counted.accounts.as_ref()).map(counts::accounts),
            licenses,
            history,
            instance: Instance::of(view),
            reporting: Reporting::of(view),
            reports: reports.iter().map(|report| ReportLine::of(report, &path)).collect(),
            refused: refused.iter().map(|report| RefusedLine::of(report, &path)).collect(),
            notes: counted
                .map(|counted| counted.notes.iter().map(|note| Prose::sentence(note)).collect())
                .unwrap_or_default(),
            path,
        }
    }
}

impl askama::filters::HtmlSafe for LicensesTab {}

/// What tells whether the tab has something new: it changes with every report, and when a trouble comes or goes.
pub fn seen(view: &Licenses) -> String {
    let newest = view.reported.as_ref().map_or(0, |reported| reported.sequence.get());
    let troubles: Vec<&str> = view.troubles.iter().map(|trouble| trouble.code).collect();
    format!("{newest}-{}", troubles.join("-"))
}

/// What is wrong, the gravest first: troubles of the link, then the reasons of the verdict, then what the plugin could
/// not report.
fn banners(view: &Licenses) -> Vec<Banner> {
    let since = |at| seatline_ui::format::date_time(at);
    let mut banners: Vec<(Tone, Banner)> = Vec::new();
    for trouble in &view.troubles {
        let (tone, title) = words::trouble(trouble);
        let since = trouble.since.map(|at| format!(" (since {})", since(at))).unwrap_or_default();
        let banner = Banner::new(tone, format!("{title}{since}"), Prose::sentence(&trouble.message));
        banners.push((tone, banner));
    }
    if let Some(counted) = &view.counted {
        for tone in [Tone::Danger, Tone::Warning] {
            let reasons = counted.reasons.iter().filter(|reason| words::reason_tone(reason.code) == tone);
            let lines: Vec<Prose> = reasons.map(|reason| Prose::sentence(&reason.message)).collect();
            if !lines.is_empty() {
                banners.push((tone, standing(tone, lines)));
            }
        }
        if !counted.omissions.is_empty() {
            let lines = counted
                .omissions
                .iter()
                .map(|part| Prose::sentence(&format!("{}: {}", part.subject, part.reason)))
                .collect();
            banners.push((Tone::Warning, Banner::list(Tone::Warning, "The plugin could not report everything", lines)));
        }
    }
    banners.sort_by_key(|(tone, _)| std::cmp::Reverse(*tone));
    banners.into_iter().map(|(_, banner)| banner).collect()
}

fn standing(tone: Tone, lines: Vec<Prose>) -> Banner {
    let title = match tone {
        Tone::Danger => "The licenses do not cover this use",
        _ => "The licenses need attention soon",
    };
    Banner::list(tone, title, lines)
}
