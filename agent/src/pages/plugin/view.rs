//! The page of the plugin.

use askama::Template;
use jiff::Timestamp;
use seatline_host::Host;
use seatline_host::held::{HeldReport, HoldStatus};
use seatline_host::outbox::PendingReport;
use seatline_host::plugins::{InstalledPlugin, Roster};
use seatline_host::runs::{JournalEntry, PastRun};
use seatline_host::sandbox::Capability;
use seatline_protocol::report::Outcome;
use seatline_ui::format::{counted, number};
use seatline_ui::{Badge, Banner, Field, Prose, Tone, When};

use super::bytes::ReportView;
use super::difference::Difference;
use crate::pages::system::{took, trigger};
use crate::pages::{Pages, Visit};

/// The most reports that the page shows of those that wait: the oldest, which are approved first.
const MAX_SHOWN: usize = 20;

/// What the page is made of. Each part can fail on its own.
pub struct Looked {
    roster: Roster,
    runs: Vec<PastRun>,
    last: Option<PendingReport>,
    hold: HoldStatus,
    held: Vec<HeldReport>,
    is_linked: bool,
    /// What could not be read, in words.
    troubles: Vec<String>,
}

impl Looked {
    /// Looks at the host.
    pub fn at(host: &Host) -> Self {
        let mut troubles = Vec::new();
        let mut trouble = |error: &dyn std::error::Error| troubles.push(error.to_string());
        let plugins = host.plugins();
        let roster = plugins.list().inspect_err(|error| trouble(error));
        // Its component is looked at too: what was changed on the disk does not run.
        if roster.is_ok()
            && let Err(error) = plugins.installed()
        {
            trouble(&error);
        }
        let roster = roster.unwrap_or_default();
        let runs = host.past_runs().inspect_err(|error| trouble(error)).unwrap_or_default();
        let last = host.last_report().inspect_err(|error| trouble(error)).ok().flatten();
        let hold = host.hold_status().inspect_err(|error| trouble(error)).unwrap_or_default();
        let held = host.held_reports().inspect_err(|error| trouble(error)).unwrap_or_default();
        let is_linked = host.link().inspect_err(|error| trouble(error)).is_ok_and(|link| link.is_some());
        Self { roster, runs, last, hold, held, is_linked, troubles }
    }
}

/// The page.
#[derive(Template)]
#[template(path = "plugin/page.html")]
pub struct PluginPage {
    may_change: bool,
    paths: Paths,
    banners: Vec<Banner>,
    current: Option<PluginCard>,
    waiting: Option<PluginCard>,
    is_first: bool,
    runs: Vec<RunItem>,
    difference: Option<Difference>,
    last: Option<ReportView>,
    is_linked: bool,
    held_since: Option<When>,
    held: Vec<HeldItem>,
    more_held: usize,
    refusal: Option<String>,
}

/// Where the forms and links lead.
struct Paths {
    next: String,
    last_token: String,
    last_json: String,
    hold: String,
    approve_report: String,
    discard_report: String,
    offer: String,
    approve: String,
    decline: String,
}

/// A plugin, and what it may do.
struct PluginCard {
    name: String,
    version: String,
    publisher: Option<String>,
    digest: String,
    size: String,
    installed: When,
    capabilities: Vec<CapabilityRow>,
    asked_anew: usize,
}

/// A capability that it asks for.
struct CapabilityRow {
    name: &'static str,
    gives: &'static str,
    state: Badge,
}

/// A run of late.
struct RunItem {
    at: When,
    trigger: &'static str,
    took: String,
    result: Badge,
    why: Option<Prose>,
    report: String,
    journal: Vec<JournalEntry>,
}

/// A report that waits.
struct HeldItem {
    digest: String,
    view: ReportView,
    before: usize,
}

impl PluginPage {
    /// The page for `visit` at `now`.
    pub fn new(pages: &Pages, visit: &Visit, looked: Looked, now: Timestamp) -> Self {
        let Looked { roster, runs, last, hold, held, is_linked, troubles } = looked;
        let mut banners = Vec::new();
        if !troubles.is_empty() {
            let lines = troubles.iter().map(|trouble| Prose::sentence(trouble)).collect();
            banners.push(Banner::list(Tone::Danger, "Something is not in order", lines));
        }
        let anew = roster.asked_anew();
        let granted = |plugin: &InstalledPlugin, capability| match plugin.grants.contains(capability) {
            true => Badge::new(Tone::Good, "Granted"),
            false => Badge::new(Tone::Neutral, "Not granted"),
        };
        let asked = |capability: Capability| match anew.contains(&capability) {
            true => Badge::new(Tone::Warning, "Asked anew"),
            false => Badge::new(Tone::Good, "Granted before"),
        };
        let waiting = roster
            .waiting
            .as_ref()
            .map(|plugin| PluginCard { asked_anew: anew.len(), ..PluginCard::of(plugin, asked, now) });
        let more_held = held.len().saturating_sub(MAX_SHOWN);
        Self {
            may_change: visit.is_administrator(),
            paths: Paths::new(pages),
            banners,
            is_first: roster.current.is_none(),
            current: roster.current.as_ref().map(|plugin| PluginCard::of(plugin, |asked| granted(plugin, asked), now)),
            waiting,
            difference: Difference::of(&runs, now),
            runs: runs.iter().map(|run| RunItem::of(run, now)).collect(),
            last: last.map(|report| {
                let number = report.sequence.to_string();
                ReportView::of(number, &report, Some(When { at: report.made_at, now }))
            }),
            is_linked,
            held_since: hold.since.map(|at| When { at, now }),
            held: held.into_iter().take(MAX_SHOWN).enumerate().map(|(at, held)| HeldItem::of(&held, at, now)).collect(),
            more_held,
            refusal: None,
        }
    }

    /// The page with something to say above.
    pub fn with_banner(mut self, banner: Option<Banner>) -> Self {
        self.banners.splice(0..0, banner);
        self
    }

    /// The page with a file that was not taken.
    pub fn with_refusal(self, why: String) -> Self {
        Self { refusal: Some(why), ..self }
    }

    fn file(&self) -> Field<'_> {
        let hint = "It is tried on a simulated product, and waits until you approve what it asks for.";
        Field::file("file", "File of the plugin").hint(hint).error(self.refusal.as_deref()).required()
    }
}

impl Paths {
    fn new(pages: &Pages) -> Self {
        let href = |path| pages.href(path);
        Self {
            next: href("/plugin/next"),
            last_token: href("/plugin/last.token"),
            last_json: href("/plugin/last.json"),
            hold: href("/plugin/hold"),
            approve_report: href("/plugin/report/approve"),
            discard_report: href("/plugin/report/discard"),
            offer: href("/plugin/offer"),
            approve: href("/plugin/approve"),
            decline: href("/plugin/decline"),
        }
    }
}

impl PluginCard {
    fn of(plugin: &InstalledPlugin, state: impl Fn(Capability) -> Badge, now: Timestamp) -> Self {
        let row = |capability: &Capability| CapabilityRow {
            name: capability.name(),
            gives: capability.gives(),
            state: state(*capability),
        };
        Self {
            name: plugin.name.clone(),
            version: plugin.version.clone(),
            publisher: plugin.publisher.clone(),
            digest: plugin.digest.to_string(),
            size: counted(plugin.size as u64, "byte", "bytes"),
            installed: When { at: plugin.installed_at, now },
            capabilities: plugin.asks.iter().map(row).collect(),
            asked_anew: 0,
        }
    }
}

impl RunItem {
    fn of(run: &PastRun, now: Timestamp) -> Self {
        let (result, why) = match &run.outcome {
            Outcome::Failed(failure) => (Badge::new(Tone::Danger, "Failed"), Some(Prose::sentence(&failure.message))),
            Outcome::Collected(collected) if collected.omissions.is_empty() => {
                (Badge::new(Tone::Good, "Counted"), None)
            }
            Outcome::Collected(collected) => {
                let missing: Vec<String> = collected
                    .omissions
                    .iter()
                    .map(|omission| format!("{}: {}", omission.subject, omission.reason))
                    .collect();
                (Badge::new(Tone::Warning, "Counted in part"), Some(Prose::sentence(&missing.join("; "))))
            }
        };
        Self {
            at: When { at: run.at, now },
            trigger: trigger(&run.trigger),
            took: took(run.took_ms),
            result,
            why,
            report: match (run.sequence, run.is_held) {
                (Some(sequence), _) => format!("Report {}", number(sequence.get())),
                (None, true) => "Its report was held for approval".to_owned(),
                (None, false) => "No report".to_owned(),
            },
            journal: run.journal.clone(),
        }
    }
}

impl HeldItem {
    fn of(held: &HeldReport, before: usize, now: Timestamp) -> Self {
        let made = When { at: held.sealed.made_at, now };
        Self {
            digest: held.sealed.digest().to_string(),
            view: ReportView::of(held.report.sequence.to_string(), &held.sealed, Some(made)),
            before,
        }
    }
}
