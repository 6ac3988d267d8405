//! The page People (`b9`): people counted once over any set of applications, and the overlap of any two.

mod counts;
mod history;

use askama::Template;
use axum::Form;
use axum::extract::{Extension, RawQuery, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use seatline_ui::{Banner, Choice, Field, Prose, Tone, format};
use seatline_web::address::escape;
use serde::Deserialize;

use crate::actions::counts::PeopleOfSet;
use crate::auth::SignedIn;
use crate::domain::fleet::FleetSent;
use crate::domain::people::{
    CONFIDENCE_PERCENT, Estimate, Every, MOST_APPLICATIONS, MOST_IN_MATRIX, Overlap, People, Scope,
};
use crate::domain::{Application, ApplicationId, Role, Use};
use crate::pages::failure::PageError;
use crate::pages::fleet::{self, list::Known};
use crate::pages::frame::{Section, page_of};
use crate::server::App;
use crate::store::{Cursor, PageSize};
use counts::RecentCount;
pub use counts::SetCounts;
use history::{ScheduledSet, SetHistory};

/// How many counts are listed of those that were asked for last.
const RECENT: u32 = 10;
/// What is said where people are of several keys.
const SEVERAL_KEYS: &str = "The pseudonym key is being replaced, and not all of these have turned to the new one";

/// The page.
#[derive(Template)]
#[template(path = "people.html")]
pub struct PeoplePage {
    choices: Vec<ApplicationChoice>,
    more: Option<String>,
    answer: Option<Answer>,
    /// What was counted of a set that is too large to be counted now.
    counts: Option<SetCounts>,
    /// Its counts over time.
    history: Option<SetHistory>,
    /// The counts that were asked for last, where nothing else is shown.
    recent: Vec<RecentCount>,
    /// The sets that are counted by a schedule, there too.
    scheduled: Vec<ScheduledSet>,
    most: usize,
    /// What applications have in common, and what of it is chosen.
    known: Known,
    sent: FleetSent,
}

/// An application that can be chosen.
struct ApplicationChoice {
    id: String,
    name: String,
    product: String,
    is_chosen: bool,
}

/// What the chosen applications come to.
struct Answer {
    together: Option<String>,
    together_bounds: String,
    seats: String,
    saved: Option<String>,
    applications: Vec<Row>,
    matrix: Option<Matrix>,
    too_many_for_matrix: bool,
    left_out: Option<Banner>,
    /// That the people are of several keys.
    of_keys: Option<Banner>,
}

/// An application's people.
struct Row {
    name: String,
    href: String,
    counted: String,
    people: String,
    as_of: String,
}

/// The people of any two applications, products or groups.
struct Matrix {
    one: &'static str,
    many: &'static str,
    names: Vec<String>,
    rows: Vec<(String, Vec<String>)>,
}

impl PeoplePage {
    /// The page of what was asked for, beside the applications that can be chosen.
    pub fn new(people: Option<&People>, listed: &[Application], more: Option<String>) -> Self {
        let chosen: Vec<&Application> =
            people.iter().flat_map(|people| &people.applications).map(|of| &of.application).collect();
        let is_chosen = |application: &&Application| chosen.iter().any(|other| other.id == application.id);
        let others = listed.iter().filter(|application| !is_chosen(application));
        let choice = |application: &Application, is_chosen| ApplicationChoice {
            id: application.id.to_string(),
            name: application.name.to_string(),
            product: application.product.to_string(),
            is_chosen,
        };
        let choices = chosen.iter().map(|application| choice(application, true));
        Self {
            choices: choices.chain(others.map(|application| choice(application, false))).collect(),
            more,
            answer: people.map(Answer::of),
            counts: None,
            history: None,
            recent: Vec::new(),
            scheduled: Vec::new(),
            most: MOST_APPLICATIONS,
            known: Known::default(),
            sent: FleetSent::default(),
        }
    }

    /// With what was counted of a set.
    pub fn with_counts(self, counts: Option<SetCounts>) -> Self {
        Self { counts, ..self }
    }

    /// With what applications have in common, and what of it was chosen.
    pub fn with_lists(self, known: Known, sent: FleetSent) -> Self {
        Self { known, sent, ..self }
    }

    fn fields(&self) -> [Field<'_>; 4] {
        let uses = [(Use::Production, "Production"), (Use::Staging, "Staging")]
            .map(|(used_for, label)| Choice { value: used_for.name(), label: label.to_owned() });
        [
            Field::select("product", "Product", fleet::one_of(&self.known.products)).value(&self.sent.product),
            Field::select("group", "Group", fleet::one_of(&self.known.groups)).value(&self.sent.group),
            Field::select("tag", "Tag", fleet::one_of(&self.known.tags)).value(&self.sent.tag),
            Field::select("use", "Use", uses.to_vec()).value(&self.sent.used_for),
        ]
    }
}

impl askama::filters::HtmlSafe for PeoplePage {}

impl Answer {
    fn of(people: &People) -> Self {
        let row = |of: &crate::domain::people::PeopleOf| Row {
            name: of.application.name.to_string(),
            href: format!("/applications/{}/licenses", of.application.id),
            counted: of.counted.map_or_else(|| "–".to_owned(), format::number),
            people: of.people.map_or_else(|| "left out".to_owned(), words),
            as_of: of.observed_at.map_or_else(|| "–".to_owned(), format::date_time),
        };
        let left_out = people.applications.iter().filter_map(|of| {
            let why = of.left_out?;
            Some(Prose::plain(&format!("{}: {why}.", of.application.name)))
        });
        let left_out: Vec<Prose> = left_out.collect();
        let used = people.applications.len() - left_out.len();
        let saved = people.together.map(|together| people.seats.saturating_sub(together.likely.round() as u64));
        Self {
            together: people.together.map(|together| format::number(together.likely.round() as u64)),
            together_bounds: bounds_in_words(people.together),
            seats: format::number(people.seats),
            saved: saved.filter(|saved| *saved > 0).map(|saved| {
                format!(
                    "{} more than there are people: who uses several applications holds a seat in each.",
                    format::counted(saved, "seat", "seats")
                )
            }),
            applications: people.applications.iter().map(row).collect(),
            matrix: Matrix::of(people),
            too_many_for_matrix: used > MOST_IN_MATRIX,
            of_keys: of_keys(people),
            left_out: (!left_out.is_empty()).then(|| Banner::list(Tone::Warning, "Left out of the count", left_out)),
        }
    }
}

impl Matrix {
    fn of(people: &People) -> Option<Self> {
        if people.overlaps.is_empty() {
            return None;
        }
        let with_people =
            people.applications.iter().enumerate().filter_map(|(place, of)| Some((place, of, of.people?)));
        let (mut places, mut lines) = (Vec::new(), Vec::new());
        for (place, of, estimate) in with_people {
            places.push(place);
            lines.push((of.application.name.to_string(), words(estimate)));
        }
        Some(Self::named(("Application", "applications"), &places, lines, &people.overlaps))
    }

    /// The matrix of what is at `places`, each with its name and its people.
    fn named(
        (one, many): (&'static str, &'static str),
        places: &[usize],
        lines: Vec<(String, String)>,
        overlaps: &[Overlap],
    ) -> Self {
        let cell = |row: usize, column: usize| {
            if row == column {
                return lines[row].1.clone();
            }
            let (first, second) = (places[row.min(column)], places[row.max(column)]);
            let found = overlaps.iter().find(|overlap| (overlap.one, overlap.other) == (first, second));
            found.map_or_else(|| "–".to_owned(), |overlap| words(overlap.people))
        };
        let columns = 0..lines.len();
        let rows = columns.clone().map(|row| (lines[row].0.clone(), columns.clone().map(|n| cell(row, n)).collect()));
        Self { one, many, names: lines.iter().map(|(name, _)| name.clone()).collect(), rows: rows.collect() }
    }
}

/// What can be said of people whose pseudonyms are of several keys: of each key, and bounds of all.
fn of_keys(people: &People) -> Option<Banner> {
    let (low, high) = people.at_least.zip(people.at_most).filter(|_| people.keys.len() > 1)?;
    let mut lines = vec![Prose::plain(&between(low, high))];
    lines.extend(people.keys.iter().map(|of| {
        let names: Vec<&str> =
            of.applications.iter().map(|place| people.applications[*place].application.name.as_str()).collect();
        Prose::plain(&format!("Key {}: {} people in {}.", &of.key.as_str()[..8], words(of.together), names.join(", ")))
    }));
    Some(Banner::list(Tone::Info, SEVERAL_KEYS, lines))
}

/// How many people of several keys there are.
fn between(low: f64, high: f64) -> String {
    let whole = |bound: f64| format::number(bound.round() as u64);
    format!(
        "Together they are at least {} and at most {} people. People of different keys cannot be told to be the same.",
        whole(low),
        whole(high)
    )
}

/// An estimate with its bounds, which are left away where the number is exact.
fn words(estimate: Estimate) -> String {
    let number = format::number(estimate.likely.round() as u64);
    match bounds(estimate) {
        bounds if bounds.is_empty() => number,
        bounds => format!("{number} ({bounds})"),
    }
}

/// The bounds of an estimate, or that it needs none; nothing is known of none.
fn bounds_in_words(estimate: Option<Estimate>) -> String {
    match estimate.map(bounds) {
        Some(bounds) if bounds.is_empty() => "exact".to_owned(),
        Some(bounds) => bounds,
        None => "–".to_owned(),
    }
}

fn bounds(Estimate { low, likely, high }: Estimate) -> String {
    if low.round() == likely.round() && high.round() == likely.round() {
        return String::new();
    }
    format!("{} to {}", format::number(low.round() as u64), format::number(high.round() as u64))
}

/// `GET /people?application=ID&…&after=PLACE`
pub async fn show(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let asked: Vec<(String, String)> = serde_urlencoded::from_str(&query.unwrap_or_default()).unwrap_or_default();
    let named =
        |name: &str| asked.iter().filter(move |(of, _)| of == name).map(|(_, value)| value.clone()).collect::<Vec<_>>();
    let ids = named("application").iter().map(|id| id.parse()).collect::<Result<Vec<ApplicationId>, _>>();
    let ids = ids.map_err(|_| PageError::not_found("application"))?;
    let after = named("after").pop().map(Cursor::new);
    let of = |name: &str| named(name).pop().unwrap_or_default();
    let (product, group, tag, used_for) = (of("product"), of("group"), of("tag"), of("use"));
    let sent = FleetSent { product, group, tag, used_for, ..FleetSent::default() };
    let (mut people, mut counts, mut history) = (None, None, None);
    let (mut recent, mut scheduled) = (Vec::new(), Vec::new());
    if !ids.is_empty() {
        people = Some(app.central.people(&ids).await?);
    } else if !sent.pairs().is_empty() {
        let scope = Scope::sent(&sent).map_err(fleet::refused)?;
        let (now, may_change) = (app.central.now(), who.may(Role::Operator));
        match app.central.people_of_set(&scope).await? {
            PeopleOfSet::AtOnce(of) => {
                people = Some(*of);
                history = SetHistory::new(&app.central.counts_of(&scope).await?, now, may_change);
            }
            PeopleOfSet::ByCount(of) => {
                counts = Some(SetCounts::new(&of, now, may_change));
                history = SetHistory::new(&of, now, may_change);
            }
        }
    } else if after.is_none() {
        let found = app.central.store().counts(None, None, PageSize::new(RECENT)).await?;
        recent = found.items.iter().map(RecentCount::of).collect();
        let schedules = app.central.store().count_schedules().await?;
        scheduled = schedules.iter().map(|schedule| ScheduledSet::of(schedule, app.central.now())).collect();
    }
    let found = app.central.store().applications(after.as_ref(), PageSize::new(PageSize::MAX.into())).await?;
    let listed: Vec<Application> = found.items.into_iter().map(|row| row.application).collect();
    let chosen: String = ids.iter().map(|id| format!("&application={id}")).collect();
    let more = found.next.map(|cursor| format!("/people?after={}{chosen}", escape(cursor.as_str())));
    let page = PeoplePage::new(people.as_ref(), &listed, more).with_lists(fleet::list::known(&app).await?, sent);
    let page = PeoplePage { history, recent, scheduled, ..page.with_counts(counts) };
    Ok(page_of(Section::People, "People", Some(&who), page))
}

/// `POST /people/counts`
pub async fn count(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Form(sent): Form<FleetSent>,
) -> Result<Response, PageError> {
    let asked = app.central.ask_count(&who.actor(), &Scope::sent(&sent).map_err(fleet::refused)?).await?;
    Ok(Redirect::to(&counts::address(&asked.scope)).into_response())
}

/// What the form about the schedule of a set sends.
#[derive(Deserialize)]
pub struct ScheduleSent {
    #[serde(flatten)]
    set: FleetSent,
    #[serde(default)]
    every: String,
}

/// `POST /people/schedule`
pub async fn schedule(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Form(sent): Form<ScheduleSent>,
) -> Result<Redirect, PageError> {
    let scope = Scope::sent(&sent.set).map_err(fleet::refused)?;
    let every = match sent.every.as_str() {
        "" => None,
        name => Some(Every::of_name(name).ok_or_else(|| fleet::refused("every: one of day, week, month".to_owned()))?),
    };
    app.central.schedule_counts(&who.actor(), &scope, every).await?;
    Ok(Redirect::to(&counts::address(&scope)))
}
