//! The calendar of what ends: twelve months, and each day of one of them, by product, group and tag.

use askama::Template;
use axum::extract::{Extension, Query, State};
use axum::response::Response;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan as _};
use seatline_protocol::standing::Ends;
use seatline_ui::{Field, format, words as ui_words};
use seatline_web::address::escape;
use serde::Deserialize;

use super::{list, one_of, refused};
use crate::auth::SignedIn;
use crate::domain::fleet::{FleetSent, month};
use crate::domain::{Due, Facet, Use};
use crate::pages::PageError;
use crate::pages::frame::{Section, page_of};
use crate::server::App;
use crate::store::{Cursor, PageSize};

/// How many months are shown, from the present one on.
const MONTHS: i32 = 12;
/// How many applications a day of the month names.
const NAMED: usize = 3;

/// What was asked. Of product, group and tag, the first that is there holds.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct CalendarSent {
    /// The month, such as `2027-01`; the present one where empty.
    pub month: String,
    /// A product.
    pub product: String,
    /// A group.
    pub group: String,
    /// A tag.
    pub tag: String,
    /// Where the page begins.
    pub after: String,
}

/// The calendar.
#[derive(Template)]
#[template(path = "fleet/calendar.html")]
pub struct Calendar {
    sent: CalendarSent,
    known: list::Known,
    title: String,
    months: Vec<MonthLine>,
    weeks: Vec<Vec<Option<Day>>>,
    rows: Vec<EndRow>,
    more: Option<String>,
}

struct MonthLine {
    label: String,
    href: String,
    count: String,
    height: String,
    top: String,
    is_shown: bool,
}

struct Day {
    number: i8,
    is_today: bool,
    names: Vec<(String, String)>,
    more: usize,
}

struct EndRow {
    on: String,
    left: String,
    name: String,
    href: String,
    staging: bool,
    license: String,
    product: String,
    what: String,
    followed: bool,
}

impl CalendarSent {
    /// The list that is asked for.
    fn facet(&self) -> Result<Facet, String> {
        let sent = FleetSent {
            product: self.product.clone(),
            group: self.group.clone(),
            tag: self.tag.clone(),
            ..FleetSent::default()
        };
        Ok(sent.filter()?.facets().into_iter().next().unwrap_or_else(Facet::all))
    }

    /// The first day of the month that is asked for.
    fn first(&self, now: Timestamp) -> Result<Date, String> {
        let today = now.to_zoned(TimeZone::UTC).date();
        match self.month.trim() {
            "" => Ok(today.first_of_month()),
            month => format!("{month}-01").parse().map_err(|_| "month: it is written as 2027-01".to_owned()),
        }
    }

    fn address(&self, month: &str, after: Option<&str>) -> String {
        let pairs = [
            ("month", month),
            ("product", &self.product),
            ("group", &self.group),
            ("tag", &self.tag),
            ("after", after.unwrap_or_default()),
        ];
        let pairs = pairs.into_iter().filter(|(_, value)| !value.is_empty());
        let pairs: Vec<String> = pairs.map(|(name, value)| format!("{name}={}", escape(value))).collect();
        format!("/calendar?{}", pairs.join("&"))
    }
}

impl Calendar {
    /// The calendar at a moment: the month that begins on `first`, with what ends in it, and how much ends in each
    /// month.
    pub fn new(
        sent: CalendarSent,
        known: list::Known,
        first: Date,
        counts: &[(String, u64)],
        (ends, next): (&[Due], Option<&Cursor>),
        now: Timestamp,
    ) -> Self {
        let today = now.to_zoned(TimeZone::UTC).date();
        let most = counts.iter().map(|(_, count)| *count).max().unwrap_or_default().max(1);
        let shown = first.strftime("%Y-%m").to_string();
        let months = (0..MONTHS).map(|ahead| {
            let month = later(today.first_of_month(), ahead.months());
            let name = month.strftime("%Y-%m").to_string();
            let count = counts.iter().find(|(of, _)| *of == name).map_or(0, |(_, count)| *count);
            let share = (count as f64 / most as f64 * 100.0).max(if count > 0 { 6.0 } else { 0.0 });
            MonthLine {
                label: month.strftime("%b %Y").to_string(),
                href: sent.address(&name, None),
                count: format::number(count),
                height: format!("{share:.1}%"),
                top: format!("{:.1}%", 100.0 - share),
                is_shown: name == shown,
            }
        });
        Self {
            months: months.collect(),
            title: first.strftime("%B %Y").to_string(),
            weeks: weeks(first, today, ends),
            rows: ends.iter().map(|due| EndRow::of(due, now)).collect(),
            more: next.map(|next| sent.address(&shown, Some(next.as_str()))),
            known,
            sent,
        }
    }

    fn fields(&self) -> [Field<'_>; 3] {
        [
            Field::select("product", "Product", one_of(&self.known.products)).value(&self.sent.product),
            Field::select("group", "Group", one_of(&self.known.groups)).value(&self.sent.group),
            Field::select("tag", "Tag", one_of(&self.known.tags)).value(&self.sent.tag),
        ]
    }
}

/// The days of a month by week, Monday first.
fn weeks(first: Date, today: Date, ends: &[Due]) -> Vec<Vec<Option<Day>>> {
    let before = first.weekday().to_monday_zero_offset();
    let mut days: Vec<Option<Day>> = (0..before).map(|_| None).collect();
    for number in 1..=first.days_in_month() {
        let on = first.with().day(number).build().unwrap_or(first);
        let text = on.to_string();
        let of_day: Vec<&Due> = ends.iter().filter(|due| format::day(due.end.at) == text).collect();
        let named = of_day.iter().take(NAMED);
        days.push(Some(Day {
            number,
            is_today: on == today,
            names: named
                .map(|due| (due.name.to_string(), format!("/applications/{}/licenses", due.application)))
                .collect(),
            more: of_day.len().saturating_sub(NAMED),
        }));
    }
    let mut weeks = Vec::new();
    let mut days = days.into_iter().peekable();
    while days.peek().is_some() {
        let mut week: Vec<Option<Day>> = days.by_ref().take(7).collect();
        week.resize_with(7, || None);
        weeks.push(week);
    }
    weeks
}

impl EndRow {
    fn of(due: &Due, now: Timestamp) -> Self {
        Self {
            on: format::date_time(due.end.at),
            left: format::relative(due.end.at, now),
            name: due.name.to_string(),
            href: format!("/applications/{}/licenses", due.application),
            staging: due.staging,
            license: due.end.license.to_string(),
            product: due.end.product.to_string(),
            what: match due.end.ends {
                Ends::License => format!("License, {}", ui_words::kind(due.end.kind).to_lowercase()),
                Ends::Maintenance => "Maintenance".to_owned(),
            },
            followed: due.end.followed,
        }
    }
}

fn later(date: Date, span: Span) -> Date {
    date.checked_add(span).unwrap_or(Date::MAX)
}

fn begin(date: Date) -> Timestamp {
    date.to_zoned(TimeZone::UTC).map_or(Timestamp::MAX, |day| day.timestamp())
}

/// `GET /calendar`
pub async fn show(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Query(sent): Query<CalendarSent>,
) -> Result<Response, PageError> {
    let (store, now) = (app.central.store(), app.central.now());
    let (facet, first) = (sent.facet().map_err(refused)?, sent.first(now).map_err(refused)?);
    let after = Some(Cursor::new(sent.after.as_str())).filter(|_| !sent.after.is_empty());
    let span = (begin(first), begin(later(first, 1.month())));
    let found = store.ends(&facet, span, after.as_ref(), PageSize::new(PageSize::MAX.into())).await?;
    let last = later(now.to_zoned(TimeZone::UTC).date(), (MONTHS - 1).months());
    let mut counts: Vec<(String, u64)> = Vec::new();
    for used_for in [Use::Production, Use::Staging] {
        for (name, count) in store.months(used_for, &facet, &month(now), &last.strftime("%Y-%m").to_string()).await? {
            match counts.iter_mut().find(|(of, _)| *of == name) {
                Some((_, sum)) => *sum += count,
                None => counts.push((name, count)),
            }
        }
    }
    let known = list::known(&app).await?;
    let calendar = Calendar::new(sent, known, first, &counts, (&found.items, found.next.as_ref()), now);
    Ok(page_of(Section::Overview, "Calendar", Some(&who), calendar))
}
