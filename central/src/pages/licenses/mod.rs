//! The Licenses tab (`w5`, `b7`): what an application uses, what it may use, and what is wrong.

mod chain;
mod counts;
mod coverage;
mod handlers;
mod instance;
mod reports;

use askama::Template;
use seatline_protocol::standing::{LicenseStanding, Status};
use seatline_ui::{Banner, LicenseCard, LimitCard, Prose, Tone, When, format, reason_banners};

use crate::domain::{Licenses, RefusedReport, ReportRow};
use crate::pages::details::questions;
use crate::pages::words;
pub use chain::evidence;
use counts::Measured;
use coverage::{AddOn, Node};
pub use handlers::{all, bytes, refused_bytes, show};
use instance::Instance;
pub(crate) use reports::chain_words;
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
    /// The questions of the chain that wait for an answer: title, and where it is given.
    questions: Vec<(&'static str, String)>,
    add_ons: Vec<AddOn>,
    nodes: Vec<Node>,
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
        let (licenses, history) = cards(view);
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
            questions: questions(view),
            add_ons: counted.map(|counted| counted.add_ons.iter().map(AddOn::from).collect()).unwrap_or_default(),
            nodes: counted.map(|counted| counted.nodes.iter().map(Node::from).collect()).unwrap_or_default(),
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

/// What tells whether the tab has something new: it changes with every report, stored or refused, with every change of
/// the server ID, and when a trouble comes or goes.
pub fn seen(view: &Licenses) -> String {
    let newest = view.reported.as_ref().map_or(0, |reported| reported.sequence.get());
    let (stored, forks) = view.link.as_ref().map_or((0, 0), |link| (link.chain.stored, link.chain.forks));
    let troubles: Vec<&str> = view.troubles.iter().map(|trouble| trouble.code).collect();
    // Which statements there are, and not how many: the oldest make room for new ones.
    let changes = view.identity_changes.first().map(|change| format!("-{}", &change.digest.hex()[..8]));
    format!("{newest}-{stored}-{forks}-{}{}", troubles.join("-"), changes.unwrap_or_default())
}

/// What is wrong, the gravest first: troubles of the link, then the reasons of the verdict, then what the plugin could
/// not report.
fn banners(view: &Licenses) -> Vec<Banner> {
    let mut banners: Vec<Banner> = Vec::new();
    for trouble in &view.troubles {
        let (tone, title) = words::trouble(trouble);
        let since = trouble.since.map(|at| format!(" (since {})", format::date_time(at))).unwrap_or_default();
        banners.push(Banner::new(tone, format!("{title}{since}"), Prose::sentence(&trouble.message)));
    }
    if let Some(counted) = &view.counted {
        banners.extend(reason_banners(&counted.reasons));
        if !counted.omissions.is_empty() {
            let omitted = counted.omissions.iter().map(|part| format!("{}: {}", part.subject, part.reason));
            let lines = omitted.map(|line| Prose::sentence(&line)).collect();
            banners.push(Banner::list(Tone::Warning, "The plugin could not report everything", lines));
        }
    }
    banners.sort_by_key(|banner| std::cmp::Reverse(banner.tone()));
    banners
}

/// The licenses that say something now, and the replaced ones, which are history (`c10`).
fn cards(view: &Licenses) -> (Vec<LicenseCard>, Vec<LicenseCard>) {
    let Some(counted) = &view.counted else { return Default::default() };
    let (history, present): (Vec<_>, Vec<_>) =
        counted.licenses.iter().map(|row| &row.standing).partition(|license| license.status == Status::Replaced);
    let card = |license: &LicenseStanding| {
        LicenseCard::new(license, counted.governed_by.as_ref() == Some(&license.id), view.as_of)
    };
    (present.into_iter().map(card).collect(), history.into_iter().map(card).collect())
}
