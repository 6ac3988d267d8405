//! The overview: what needs attention first, what is used of each product, what ends next, what is not heard of.

use askama::Template;
use axum::extract::{Extension, State};
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};
use seatline_ui::{Gauge, Icon, Level, Tone, When, format, words as ui_words};

use super::rows::Row;
use super::words;
use crate::auth::SignedIn;
use crate::domain::fleet::Sum;
use crate::domain::{Facet, FleetFilter, FleetItem, FleetOrder, Gravity, LinkFilter, LinkState, Role, Use};
use crate::pages::PageError;
use crate::pages::frame::{Section, page_of};
use crate::server::App;
use crate::store::fleet::{FleetSum, SumOf};
use crate::store::{PageSize, Store};

/// How many applications stand in the part of what needs attention.
const URGENT: u32 = 8;
/// How many stand in each part of what is not heard of.
const SILENT: u32 = 5;
/// How many ends are shown.
const NEXT_ENDS: usize = 6;
/// How many of all ends are looked at for them, in so many pages at the most.
const PAGE_OF_ENDS: u32 = 50;
const MOST_PAGES_OF_ENDS: usize = 4;
/// How many products.
const PRODUCTS: usize = 12;
/// How far ahead ends are shown.
const AHEAD: SignedDuration = SignedDuration::from_hours(24 * 366);
/// What tells that an application is not heard of, or gives no counts.
const SILENCES: [&str; 4] = ["overdue", "run-failed", "gap", "never-reported"];

/// What the overview is made of.
#[derive(Debug, Default)]
pub struct Known {
    /// How many applications there are, in production and for staging.
    pub all: [i64; 2],
    /// How many of production have at least so grave a concern.
    pub gravities: Vec<FleetSum>,
    /// How many of production have each concern.
    pub concerns: Vec<FleetSum>,
    /// What is used of each product in production.
    pub products: Vec<FleetSum>,
    /// What needs attention.
    pub urgent: Vec<FleetItem>,
    /// What is not heard of, by the code of why.
    pub silent: Vec<(&'static str, Vec<FleetItem>)>,
    /// What ends next.
    pub ends: Vec<crate::domain::Due>,
    /// When the last review was, and since when it is behind.
    pub reviewed: Option<Timestamp>,
    /// Since when applications wait for their review.
    pub waits: Option<Timestamp>,
    /// How many links wait for approval, and whether these are all.
    pub pending: (u64, bool),
}

/// The overview.
#[derive(Template)]
#[template(path = "fleet/overview.html")]
pub struct Overview {
    stats: Vec<Stat>,
    rows: Vec<Row>,
    silent: Vec<Silence>,
    products: Vec<Product>,
    /// How many more products there are, where there are more.
    more_products: String,
    ends: Vec<EndLine>,
    as_of: String,
    /// The links that wait for approval.
    pending: Option<String>,
    is_first: bool,
    may_add: bool,
}

/// A figure of the fleet.
struct Stat {
    label: &'static str,
    value: String,
    note: String,
    tone: Tone,
    href: String,
}

/// Applications that are not heard of for one reason.
struct Silence {
    title: &'static str,
    href: String,
    lines: Vec<SilentLine>,
}

struct SilentLine {
    name: String,
    href: String,
    staging: bool,
    message: seatline_ui::Prose,
    since: Option<When>,
}

struct Product {
    name: String,
    href: String,
    applications: String,
    gauges: Vec<Gauge>,
}

struct EndLine {
    name: String,
    href: String,
    what: String,
    on: String,
    left: String,
    tone: Tone,
    staging: bool,
}

impl Overview {
    /// The overview of what is known.
    pub fn new(known: &Known, now: Timestamp, may_add: bool) -> Self {
        let [production, staging] = known.all;
        let count = |sums: &[FleetSum], name: &str| {
            let found = sums.iter().find(|one| one.facet.value() == name && one.dimension.is_empty());
            found.map_or(0, |one| one.sum.applications)
        };
        let at_least = |gravity: Gravity| count(&known.gravities, gravity.name());
        let (problems, attention) = (at_least(Gravity::Problem), at_least(Gravity::Warning));
        let [expiring, overdue, failing] = ["expiry", "overdue", "run-failed"].map(|code| count(&known.concerns, code));
        let tone = |count: i64, tone: Tone| if count > 0 { tone } else { Tone::Good };
        let stats = vec![
            Stat {
                label: "In production",
                value: figure(production),
                note: match staging {
                    0 => "none for staging".to_owned(),
                    some => format!("{} for staging, apart", figure(some)),
                },
                tone: Tone::Neutral,
                href: "/applications?use=production".to_owned(),
            },
            Stat {
                label: "Problems",
                value: figure(problems),
                note: "not in order".to_owned(),
                tone: tone(problems, Tone::Danger),
                href: "/applications?gravity=problem&use=production".to_owned(),
            },
            Stat {
                label: "Need attention",
                value: figure(attention),
                note: "problems, and what is to be done in time".to_owned(),
                tone: tone(attention, Tone::Warning),
                href: "/applications?gravity=warning&use=production".to_owned(),
            },
            Stat {
                label: "License ends",
                value: figure(expiring),
                note: "soon, or has ended".to_owned(),
                tone: tone(expiring, Tone::Warning),
                href: "/applications?concern=expiry&sort=expiry&use=production".to_owned(),
            },
            Stat {
                label: "Overdue",
                value: figure(overdue),
                note: "with a report".to_owned(),
                tone: tone(overdue, Tone::Warning),
                href: "/applications?concern=overdue&use=production".to_owned(),
            },
            Stat {
                label: "Failing",
                value: figure(failing),
                note: "the last run gave no counts".to_owned(),
                tone: tone(failing, Tone::Warning),
                href: "/applications?concern=run-failed&use=production".to_owned(),
            },
        ];
        let products = products(&known.products);
        Self {
            stats,
            rows: known.urgent.iter().map(|item| Row::of(item, now)).collect(),
            silent: known.silent.iter().filter_map(|(code, items)| Silence::of(code, items, now)).collect(),
            more_products: match products.len().saturating_sub(PRODUCTS) as u64 {
                0 => String::new(),
                more => format::counted(more, "more product", "more products"),
            },
            products: products.into_iter().take(PRODUCTS).collect(),
            ends: known.ends.iter().map(|due| EndLine::of(due, now)).collect(),
            as_of: as_of(known, now),
            pending: match known.pending {
                (0, _) => None,
                (1, true) => Some("1 link waits for approval".to_owned()),
                (count, true) => Some(format!("{} links wait for approval", format::number(count))),
                (count, false) => Some(format!("More than {} links wait for approval", format::number(count))),
            },
            is_first: production + staging == 0 && known.urgent.is_empty(),
            may_add,
        }
    }
}

fn figure(count: i64) -> String {
    format::number(u64::try_from(count).unwrap_or_default())
}

/// When all of this was so.
fn as_of(known: &Known, now: Timestamp) -> String {
    let behind = known.waits.filter(|waits| now.duration_since(*waits) > SignedDuration::from_secs(60));
    match (behind, known.reviewed) {
        (Some(waits), _) if waits.as_millisecond() > 0 => {
            format!("The review is behind: changes since {} are not in here yet.", format::date_time(waits))
        }
        (_, Some(reviewed)) => format!("As of {}.", format::date_time(reviewed)),
        (_, None) => "Not reviewed yet.".to_owned(),
    }
}

/// The products, what is tightest first.
fn products(sums: &[FleetSum]) -> Vec<Product> {
    let mut found: Vec<(i64, Product)> = Vec::new();
    for one in sums {
        let name = one.facet.value();
        if one.dimension.is_empty() {
            let applications = u64::try_from(one.sum.applications).unwrap_or_default();
            let product = Product {
                name: name.to_owned(),
                href: format!("/applications?product={}&use=production", seatline_web::address::escape(name)),
                applications: format::counted(applications, "application", "applications"),
                gauges: Vec::new(),
            };
            found.push((0, product));
        } else if let Some((tightest, product)) = found.last_mut().filter(|(_, product)| product.name == name) {
            *tightest = (*tightest).max(one.sum.share().unwrap_or_default());
            product.gauges.push(gauge(&one.dimension, &one.sum));
        }
    }
    found.sort_by(|one, other| (-one.0, &one.1.name).cmp(&(-other.0, &other.1.name)));
    found.into_iter().map(|(_, product)| product).collect()
}

/// What is used against the limits together; without any limit, what is used.
fn gauge(dimension: &str, sum: &Sum) -> Gauge {
    let count = |count: i64| u64::try_from(count).unwrap_or_default();
    match sum.limited {
        0 => Gauge::new(dimension, count(sum.used), None, Level::Within).small(),
        _ => {
            let level = match sum.share() {
                Some(share) if share > 1000 => Level::Over,
                Some(900..) => Level::Near,
                _ => Level::Within,
            };
            Gauge::new(dimension, count(sum.used_of_limit), Some(count(sum.max)), level).small()
        }
    }
}

impl Silence {
    fn of(code: &'static str, items: &[FleetItem], now: Timestamp) -> Option<Self> {
        let line = |item: &FleetItem| {
            let concern = item.row.assessment.concerns.iter().find(|concern| concern.code == code)?;
            Some(SilentLine {
                name: item.row.name.to_string(),
                href: format!("/applications/{}/licenses", item.row.application),
                staging: item.row.assessment.staging,
                message: seatline_ui::Prose::sentence(&concern.message),
                since: concern.since.map(|at| When { at, now }),
            })
        };
        let lines: Vec<SilentLine> = items.iter().filter_map(line).collect();
        let href = format!("/applications?concern={code}");
        (!lines.is_empty()).then(|| Self { title: words::kind(code), href, lines })
    }
}

impl EndLine {
    fn of(due: &crate::domain::Due, now: Timestamp) -> Self {
        let days = due.end.at.duration_since(now).as_hours() / 24;
        Self {
            name: due.name.to_string(),
            href: format!("/applications/{}/licenses", due.application),
            what: format!("{}, {}", due.end.license, ui_words::kind(due.end.kind).to_lowercase()),
            on: format::day(due.end.at),
            left: format::relative(due.end.at, now),
            tone: if days < 30 { Tone::Warning } else { Tone::Neutral },
            staging: due.staging,
        }
    }
}

/// What ends next and matters. Of maintenance and of what is followed there may be much before it: so far is looked.
async fn next_ends(store: &dyn Store, now: Timestamp) -> Result<Vec<crate::domain::Due>, PageError> {
    let until = now.checked_add(AHEAD).unwrap_or(Timestamp::MAX);
    let (mut ends, mut after) = (Vec::new(), None);
    for _ in 0..MOST_PAGES_OF_ENDS {
        let page = store.ends(&Facet::all(), (now, until), after.as_ref(), PageSize::new(PAGE_OF_ENDS)).await?;
        ends.extend(page.items.into_iter().filter(|due| due.end.matters()));
        after = page.next;
        if ends.len() >= NEXT_ENDS || after.is_none() {
            break;
        }
    }
    ends.truncate(NEXT_ENDS);
    Ok(ends)
}

/// Reads what the overview is made of.
async fn known(store: &dyn Store, now: Timestamp) -> Result<Known, PageError> {
    let mut all = [0; 2];
    for (place, used_for) in [Use::Production, Use::Staging].into_iter().enumerate() {
        all[place] = store.sum(used_for, &Facet::all(), "").await?.applications;
    }
    let listed = async |filter: FleetFilter, rows: u32| {
        Ok::<_, PageError>(store.fleet(&filter, FleetOrder::Attention, None, PageSize::new(rows)).await?.items)
    };
    let mut silent = Vec::new();
    for code in SILENCES {
        let filter = FleetFilter { concern: Some(code.to_owned()), ..FleetFilter::default() };
        silent.push((code, listed(filter, SILENT).await?));
    }
    let urgent = FleetFilter { at_least: Some(Gravity::Warning), ..FleetFilter::default() };
    let jobs = store.jobs().await?;
    let pending = store.links(&LinkFilter::state(LinkState::Pending), None, PageSize::default()).await?;
    Ok(Known {
        pending: (pending.items.len() as u64, pending.next.is_none()),
        all,
        gravities: store.sums(Use::Production, SumOf::Gravities).await?,
        concerns: store.sums(Use::Production, SumOf::Concerns).await?,
        products: store.sums(Use::Production, SumOf::Products).await?,
        urgent: listed(urgent, URGENT).await?,
        silent,
        ends: next_ends(store, now).await?,
        reviewed: jobs.iter().find(|job| job.name == "review").and_then(|job| job.ran_at),
        waits: store.to_review(now).await?,
    })
}

/// `GET /`
pub async fn show(State(app): State<App>, Extension(who): Extension<SignedIn>) -> Result<Response, PageError> {
    let now = app.central.now();
    let known = known(app.central.store(), now).await?;
    Ok(page_of(Section::Overview, "Overview", Some(&who), Overview::new(&known, now, who.may(Role::Operator))))
}

const PLUS: Icon = Icon::Plus;
