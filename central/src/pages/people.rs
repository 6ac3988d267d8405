//! The page People (`b9`): people counted once over any set of applications, and the overlap of any two.

use askama::Template;
use axum::extract::{Extension, RawQuery, State};
use axum::response::Response;
use seatline_ui::{Banner, Field, Prose, Tone, format};
use seatline_web::address::escape;

use crate::auth::SignedIn;
use crate::domain::fleet::FleetSent;
use crate::domain::people::{CONFIDENCE_PERCENT, Estimate, MOST_APPLICATIONS, MOST_IN_MATRIX, People};
use crate::domain::{Application, ApplicationId};
use crate::pages::failure::PageError;
use crate::pages::fleet::{self, list::Known};
use crate::pages::frame::{Section, page_of};
use crate::server::App;
use crate::store::{Cursor, PageSize};

/// The page.
#[derive(Template)]
#[template(path = "people.html")]
pub struct PeoplePage {
    choices: Vec<ApplicationChoice>,
    more: Option<String>,
    answer: Option<Answer>,
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

/// The people of any two applications.
struct Matrix {
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
            most: MOST_APPLICATIONS,
            known: Known::default(),
            sent: FleetSent::default(),
        }
    }

    /// With what applications have in common, and what of it was chosen.
    pub fn with_lists(self, known: Known, sent: FleetSent) -> Self {
        Self { known, sent, ..self }
    }

    fn fields(&self) -> [Field<'_>; 3] {
        [
            Field::select("product", "Product", fleet::one_of(&self.known.products)).value(&self.sent.product),
            Field::select("group", "Group", fleet::one_of(&self.known.groups)).value(&self.sent.group),
            Field::select("tag", "Tag", fleet::one_of(&self.known.tags)).value(&self.sent.tag),
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
            together_bounds: people.together.map(bounds).unwrap_or_default(),
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
        let places: Vec<usize> =
            (0..people.applications.len()).filter(|place| people.applications[*place].people.is_some()).collect();
        let name = |place: usize| people.applications[place].application.name.to_string();
        let cell = |one: usize, other: usize| {
            if one == other {
                return people.applications[one].people.map_or_else(String::new, words);
            }
            let (one, other) = (one.min(other), one.max(other));
            let found = people.overlaps.iter().find(|overlap| (overlap.one, overlap.other) == (one, other));
            found.map_or_else(|| "–".to_owned(), |overlap| words(overlap.people))
        };
        let row = |one: &usize| (name(*one), places.iter().map(|other| cell(*one, *other)).collect());
        Some(Self { names: places.iter().map(|place| name(*place)).collect(), rows: places.iter().map(row).collect() })
    }
}

/// What can be said of people whose pseudonyms are of several keys: of each key, and bounds of all.
fn of_keys(people: &People) -> Option<Banner> {
    let (low, high) = people.at_least.zip(people.at_most).filter(|_| people.keys.len() > 1)?;
    let whole = |bound: f64| format::number(bound.round() as u64);
    let mut lines = vec![Prose::plain(&format!(
        "Together they are at least {} and at most {} people. People of different keys cannot be told to be the same.",
        whole(low),
        whole(high)
    ))];
    lines.extend(people.keys.iter().map(|of| {
        let names: Vec<&str> =
            of.applications.iter().map(|place| people.applications[*place].application.name.as_str()).collect();
        Prose::plain(&format!("Key {}: {} people in {}.", &of.key.as_str()[..8], words(of.together), names.join(", ")))
    }));
    let title = "The pseudonym key is being replaced, and not all of these have turned to the new one";
    Some(Banner::list(Tone::Info, title, lines))
}

/// An estimate with its bounds, which are left away where the number is exact.
fn words(estimate: Estimate) -> String {
    let number = format::number(estimate.likely.round() as u64);
    match bounds(estimate) {
        bounds if bounds.is_empty() => number,
        bounds => format!("{number} ({bounds})"),
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
    let sent = FleetSent { product: of("product"), group: of("group"), tag: of("tag"), ..FleetSent::default() };
    let people = if !ids.is_empty() {
        Some(app.central.people(&ids).await?)
    } else if sent != FleetSent::default() {
        Some(app.central.people_of(&sent.filter().map_err(fleet::refused)?).await?)
    } else {
        None
    };
    let found = app.central.store().applications(after.as_ref(), PageSize::new(PageSize::MAX.into())).await?;
    let listed: Vec<Application> = found.items.into_iter().map(|row| row.application).collect();
    let chosen: String = ids.iter().map(|id| format!("&application={id}")).collect();
    let more = found.next.map(|cursor| format!("/people?after={}{chosen}", escape(cursor.as_str())));
    let page = PeoplePage::new(people.as_ref(), &listed, more).with_lists(fleet::list::known(&app).await?, sent);
    Ok(page_of(Section::People, "People", Some(&who), page))
}
