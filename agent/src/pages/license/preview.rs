//! What a key would change, before it is saved (`b3`, `c9`).

use askama::Template;
use axum::extract::{Extension, State};
use jiff::Timestamp;
use seatline_host::LicensePreview;
use seatline_protocol::standing::{Effect, Ends, LimitChange, LimitStanding};
use seatline_ui::{Badge, Banner, LicenseCard, Prose, Tone, When, format, words};
use zeroize::Zeroizing;

use super::sent::KeySent;
use super::view::KeyForm;
use super::{page_with_form, set};
use crate::pages::{Content, PageError, Pages, Place, Visit, now};

/// The page of a preview.
#[derive(Template)]
#[template(path = "license/preview.html")]
struct PreviewPage {
    back: String,
    save: String,
    key: Zeroizing<String>,
    of: String,
    node: String,
    banners: Vec<Banner>,
    license: Option<LicenseCard>,
    verdicts: [Badge; 2],
    takes_effect: String,
    governs: &'static str,
    limits: Vec<LimitRow>,
    peaks_since: Option<When>,
    dates: Vec<(&'static str, String, String)>,
    gained: Vec<String>,
    lost: Vec<String>,
    new_reasons: Vec<Prose>,
    may_save: bool,
}

struct LimitRow {
    what: String,
    before: String,
    after: String,
    used: String,
    highest: String,
    state: Badge,
}

/// `POST /license/preview`: nothing is changed.
pub async fn preview(
    State(pages): State<Pages>,
    Extension(visit): Extension<Visit>,
    sent: KeySent,
) -> Result<Content, PageError> {
    let (key, node) = (sent.key.clone(), sent.node().map(str::to_owned));
    let found = pages.ask(move |host| host.preview_license_for(&key, node.as_deref())).await?;
    let refused = match found {
        Ok(preview) => match sent.misplaced(&preview.license) {
            Some(why) => why,
            None => {
                let page = PreviewPage::new(&pages, sent, &preview, now());
                return Ok(Content::new("Preview of a license", page).at(Place::License));
            }
        },
        Err(error) => set::refusal(&error),
    };
    page_with_form(&pages, &visit, KeyForm::refused(&pages, &sent, refused)).await
}

impl PreviewPage {
    fn new(pages: &Pages, sent: KeySent, preview: &LicensePreview, now: Timestamp) -> Self {
        let effect = &preview.effect;
        let next = effect.then.as_ref().unwrap_or(&effect.after);
        let entry = next.licenses.iter().find(|entry| entry.id == preview.license.id);
        Self {
            back: pages.href("/license"),
            save: pages.href("/license/save"),
            banners: banners(preview),
            license: entry.map(|entry| LicenseCard::new(entry, effect.governs, now)),
            verdicts: [&effect.before, next].map(|standing| words::verdict(Some(standing.verdict))),
            takes_effect: match effect.takes_effect_at {
                Some(at) => format!("on {} ({})", format::date_time(at), format::relative(at, now)),
                None => "at once, without a restart".to_owned(),
            },
            governs: match (effect.in_force, effect.governs) {
                (_, true) => "yes: its limits hold then",
                (true, false) => "no: another license does",
                (false, false) => "no: it would not be in force",
            },
            limits: effect.limits.iter().map(LimitRow::of).collect(),
            peaks_since: preview.peaks_since.map(|at| When { at, now }),
            dates: dates(effect),
            gained: effect.features_gained.iter().cloned().collect(),
            lost: effect.features_lost.iter().cloned().collect(),
            new_reasons: effect.new_reasons.iter().map(|reason| Prose::sentence(&reason.message)).collect(),
            may_save: preview.refused.is_none() && !preview.was_set,
            key: sent.key,
            of: sent.of,
            node: sent.node,
        }
    }
}

fn banners(preview: &LicensePreview) -> Vec<Banner> {
    if let Some(refused) = &preview.refused {
        let why = Prose::sentence(&refused.message);
        return vec![Banner::new(Tone::Danger, "This key cannot be saved here", why)];
    }
    if preview.was_set {
        return vec![Banner::new(Tone::Info, "This key is set already", "Saving it again would change nothing.")];
    }
    if preview.effect.warnings.is_empty() {
        return vec![Banner::new(Tone::Good, "Nothing gets worse by this license", "Save it to put it in effect.")];
    }
    let lines = preview.effect.warnings.iter().map(|warning| Prose::sentence(&warning.message)).collect();
    vec![Banner::list(Tone::Warning, "Read this before you save it", lines)]
}

impl LimitRow {
    fn of(change: &LimitChange) -> Self {
        let limit = |limit: &Option<LimitStanding>| match limit {
            None => "none".to_owned(),
            Some(LimitStanding { max: None, .. }) => "no limit".to_owned(),
            Some(LimitStanding { max: Some(max), extra: 0, .. }) => format::number(*max),
            Some(LimitStanding { max: Some(max), extra, .. }) => {
                format!("{} + {} tolerated", format::number(*max), format::number(*extra))
            }
        };
        let shown = change.after.as_ref().or(change.before.as_ref());
        let dimension = words::dimension(&change.dimension);
        Self {
            what: match &change.add_on {
                Some(add_on) => format!("{dimension} of {add_on}"),
                None => dimension,
            },
            before: limit(&change.before),
            after: limit(&change.after),
            used: shown.and_then(|limit| limit.used).map_or("–".to_owned(), format::number),
            highest: match &change.peak {
                Some(peak) => format!("{} on {}", format::number(peak.count), format::day(peak.at)),
                None => "–".to_owned(),
            },
            state: match &change.after {
                Some(after) => words::limit_state(after.state),
                None => Badge::new(Tone::Neutral, "No limit any more"),
            },
        }
    }
}

fn dates(effect: &Effect) -> Vec<(&'static str, String, String)> {
    let shown = |at: Option<Timestamp>| at.map_or("–".to_owned(), format::day);
    let name = |ends| match ends {
        Ends::License => "License ends",
        Ends::Maintenance => "Maintenance ends",
    };
    effect.dates.iter().map(|date| (name(date.ends), shown(date.before), shown(date.after))).collect()
}
