//! Pages of the list, the calendar and the sums. What a page costs depends on its size: a filter is answered from the
//! shortest of the lists that hold all that is wanted, and no more than [`MAX_LOOKED_AT`] rows of it are looked at for
//! a page.

use jiff::Timestamp;

use crate::domain::assessment::End;
use crate::domain::fleet::{Due, FleetItem, FleetRow, Sum};
use crate::domain::{ApplicationId, Assessment, Facet, FleetFilter, FleetOrder, Labels, Use};
use crate::store::fleet::{FleetSum, SumOf};
use crate::store::sql::row::Row;
use crate::store::sql::session::{Session, params};
use crate::store::{Cursor, Page, PageSize, StoreError, Stored};

/// The most rows that are looked at for a page. Where so few of them are wanted that the page is not full, it is
/// shorter, and the next one goes on from there.
const MAX_LOOKED_AT: usize = 1000;
/// The most sums of a kind that are given.
const MAX_SUMS: u32 = 500;

/// Where a page begins: after a row.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// The key of the order; unused by a search.
    key: i64,
    /// The word that a search found; empty without one.
    word: String,
    /// The name.
    name: String,
}

/// The place of a cursor of a list in `order`, or of a search.
pub(super) fn place(order: FleetOrder, is_search: bool, after: Option<&Cursor>) -> Stored<Place> {
    let Some(after) = after else {
        return Ok(Place { key: i64::MIN, word: String::new(), name: String::new() });
    };
    let parsed = || {
        let (of, rest) = after.place()?.split_once(' ')?;
        let (first, name) = rest.split_once(' ')?;
        let expected = if is_search { "search" } else { order.name() };
        let key = if is_search { 0 } else { first.parse().ok()? };
        let word = if is_search { first.to_owned() } else { String::new() };
        (of == expected).then(|| Place { key, word, name: name.to_owned() })
    };
    parsed().ok_or(StoreError::Cursor)
}

/// The columns of a candidate, as [`candidate`] reads them, and where they come from.
macro_rules! candidates {
    ($($rest:tt)*) => {
        concat!(
            "SELECT f.application, f.name, f.product, f.group_name, f.tags, f.link, f.assessment, f.reviewed_at,
                    l.received_at, x.name_key, ",
            $($rest)*
        )
    };
}

/// The candidates of a list in an order, after a place.
macro_rules! ordered {
    ($key:literal) => {
        candidates!(
            $key,
            " AS place FROM fleet_facets x JOIN fleet f ON f.application = x.application
              LEFT JOIN chains l ON l.link = f.link
              WHERE x.facet = ?1 AND (",
            $key,
            ", x.name_key) > (?2, ?3) ORDER BY ",
            $key,
            ", x.name_key LIMIT ?4"
        )
    };
}

const BY_NAME: &str = candidates!(
    "x.urgency AS place FROM fleet_facets x JOIN fleet f ON f.application = x.application
     LEFT JOIN chains l ON l.link = f.link
     WHERE x.facet = ?1 AND x.name_key > ?2 ORDER BY x.name_key LIMIT ?3"
);
const BY_WORD: &str = candidates!(
    "x.word FROM fleet_words x JOIN fleet f ON f.application = x.application
     LEFT JOIN chains l ON l.link = f.link
     WHERE (x.word, x.name_key) > (?1, ?2) AND x.word < ?3 ORDER BY x.word, x.name_key LIMIT ?4"
);

/// A page of those that `filter` wants, in `order`; a search gives them by the words that it found.
pub(super) fn page(
    session: &dyn Session,
    filter: &FleetFilter,
    order: FleetOrder,
    mut after: Place,
    size: PageSize,
) -> Stored<Page<FleetItem>> {
    let facet = shortest(session, filter)?;
    // Where the list holds exactly what is wanted, no row is looked at in vain.
    let is_exact = filter.search.is_empty() && filter.used_for != Some(Use::Production) && filter.facets().len() <= 1;
    let (mut items, mut last, mut looked_at) = (Vec::new(), None, 0);
    loop {
        let chunk = if is_exact { size.rows() + 1 } else { (2 * size.rows()).clamp(100, 400) };
        let candidates = match filter.search.iter().max_by_key(|word| word.len()) {
            Some(word) => found(session, word, &after, chunk)?,
            None => listed(session, &facet, order, &after, chunk)?,
        };
        let is_last = candidates.len() < chunk;
        for candidate in candidates {
            if items.len() == size.rows() {
                return Ok(Page { items, next: last.map(Cursor::new) });
            }
            looked_at += 1;
            after = candidate.place;
            last = Some(candidate.cursor);
            if filter.matches(&candidate.item.row) && is_first_word(filter, &candidate.item.row, &candidate.word) {
                items.push(candidate.item);
            }
        }
        if is_last {
            return Ok(Page { items, next: None });
        }
        if looked_at >= MAX_LOOKED_AT {
            return Ok(Page { items, next: last.map(Cursor::new) });
        }
    }
}

/// Whether a search finds an application by this word first: it can have several that begin alike.
fn is_first_word(filter: &FleetFilter, row: &FleetRow, word: &str) -> bool {
    let Some(searched) = filter.search.iter().max_by_key(|word| word.len()) else { return true };
    row.words().into_iter().find(|known| known.starts_with(searched.as_str())).is_some_and(|first| first == word)
}

/// The shortest of the lists that hold all that is wanted.
fn shortest(session: &dyn Session, filter: &FleetFilter) -> Stored<Facet> {
    let facets = filter.facets();
    if facets.len() < 2 || !filter.search.is_empty() {
        return Ok(facets.into_iter().next().unwrap_or_else(Facet::all));
    }
    let mut lengths = Vec::new();
    for facet in facets {
        let length: i64 = [Use::Production, Use::Staging]
            .into_iter()
            .map(|used_for| Ok(sum(session, used_for, &facet, "")?.applications))
            .sum::<Stored<i64>>()?;
        lengths.push((length, facet));
    }
    Ok(lengths.into_iter().min().map_or_else(Facet::all, |(_, facet)| facet))
}

fn listed(
    session: &dyn Session,
    facet: &Facet,
    order: FleetOrder,
    after: &Place,
    most: usize,
) -> Stored<Vec<Candidate>> {
    let sql = match order {
        FleetOrder::Attention => ordered!("x.urgency"),
        FleetOrder::Consumption => ordered!("x.slack"),
        FleetOrder::Expiry => ordered!("x.ends_at"),
        FleetOrder::Name => {
            return session.rows(BY_NAME, params![facet.as_str(), &after.name, most], |row| {
                candidate(row, Place { key: 0, word: String::new(), name: row.text("name_key")? }, order)
            });
        }
    };
    session.rows(sql, params![facet.as_str(), after.key, &after.name, most], |row| {
        let place = Place { key: row.number("place")?, word: String::new(), name: row.text("name_key")? };
        candidate(row, place, order)
    })
}

fn found(session: &dyn Session, searched: &str, after: &Place, most: usize) -> Stored<Vec<Candidate>> {
    let end = format!("{searched}{}", char::MAX);
    // No name is empty, so that none is before the first place.
    let (word, name) = (searched, "").max((after.word.as_str(), after.name.as_str()));
    session.rows(BY_WORD, params![word, name, &end, most], |row| {
        let place = Place { key: 0, word: row.text("word")?, name: row.text("name_key")? };
        candidate(row, place, FleetOrder::Name)
    })
}

/// A row that was looked at, and its place.
struct Candidate {
    item: FleetItem,
    place: Place,
    cursor: String,
    /// The word that a search found it by.
    word: String,
}

fn candidate(row: &Row<'_>, place: Place, order: FleetOrder) -> Stored<Candidate> {
    let cursor = match place.word.as_str() {
        "" => format!("{} {} {}", order.name(), place.key, place.name),
        word => format!("search {word} {}", place.name),
    };
    Ok(Candidate { item: item(row)?, cursor, word: place.word.clone(), place })
}

fn item(row: &Row<'_>) -> Stored<FleetItem> {
    Ok(FleetItem {
        row: fleet_row(row)?,
        reviewed_at: row.time("reviewed_at")?,
        reported_at: row.time_option("received_at")?,
    })
}

fn fleet_row(row: &Row<'_>) -> Stored<FleetRow> {
    Ok(FleetRow {
        application: row.parsed("application")?,
        name: row.parsed("name")?,
        product: row.parsed("product")?,
        labels: Labels { group: row.parsed_option("group_name")?, tags: row.json("tags")? },
        link: row.parsed_option("link")?,
        assessment: row.json::<Assessment>("assessment")?,
    })
}

/// What was kept of an application.
pub(super) fn kept(session: &dyn Session, id: &ApplicationId) -> Stored<Option<FleetRow>> {
    session.row(
        "SELECT application, name, product, group_name, tags, link, assessment FROM fleet WHERE application = ?1",
        params![id.as_str()],
        fleet_row,
    )
}

/// What a list shows of an application.
pub(super) fn one(session: &dyn Session, id: &ApplicationId) -> Stored<Option<FleetItem>> {
    let sql = candidates!(
        "x.id AS place FROM applications x JOIN fleet f ON f.application = x.id
         LEFT JOIN chains l ON l.link = f.link WHERE x.id = ?1"
    );
    session.row(sql, params![id.as_str()], item)
}

/// The key of an end in its list.
#[derive(Debug, Clone)]
pub(super) struct PlaceOfEnd {
    at: i64,
    application: String,
    license: String,
    ends: String,
}

/// The place of a cursor of the calendar; none where it begins.
pub(super) fn place_of_end(after: Option<&Cursor>) -> Stored<Option<PlaceOfEnd>> {
    let Some(after) = after else { return Ok(None) };
    let parsed = || {
        let mut parts = after.place()?.splitn(4, ' ');
        let at = parts.next()?.parse().ok()?;
        let (application, license, ends) = (parts.next()?, parts.next()?, parts.next()?);
        let (application, license, ends) = (application.to_owned(), license.to_owned(), ends.to_owned());
        Some(PlaceOfEnd { at, application, license, ends })
    };
    parsed().map(Some).ok_or(StoreError::Cursor)
}

/// A page of the ends in a list, from a time until just before another one, the earliest first.
pub(super) fn ends(
    session: &dyn Session,
    facet: &Facet,
    (from, until): (Timestamp, Timestamp),
    after: Option<PlaceOfEnd>,
    size: PageSize,
) -> Stored<Page<Due>> {
    let first = PlaceOfEnd {
        at: from.as_millisecond(),
        application: String::new(),
        license: String::new(),
        ends: String::new(),
    };
    let after = after.unwrap_or(first);
    let found = session.rows(
        "SELECT f.application, f.name, f.product, f.group_name, f.tags, f.link, f.assessment,
                e.ends_at, e.license, e.ends
         FROM fleet_ends e JOIN fleet f ON f.application = e.application
         WHERE e.facet = ?1 AND (e.ends_at, e.application, e.license, e.ends) > (?2, ?3, ?4, ?5) AND e.ends_at < ?6
         ORDER BY e.ends_at, e.application, e.license, e.ends LIMIT ?7",
        params![facet.as_str(), after.at, &after.application, &after.license, &after.ends, until, size.rows_and_one()],
        |row| {
            let kept = fleet_row(row)?;
            let cursor = format!(
                "{} {} {} {}",
                row.number::<i64>("ends_at")?,
                kept.application,
                row.text("license")?,
                row.text("ends")?
            );
            let (at, license, ends) = (row.time("ends_at")?, row.parsed("license")?, row.named("ends")?);
            let is_it = |end: &&End| end.at == at && end.license == license && end.ends == ends;
            let end = kept.assessment.ends.iter().find(is_it).cloned();
            let due = |end| Due {
                application: kept.application.clone(),
                name: kept.name.clone(),
                labels: kept.labels.clone(),
                staging: kept.assessment.staging,
                end,
            };
            Ok((cursor, end.map(due)))
        },
    )?;
    let Page { items, next } = Page::cut(found, size, |(cursor, _)| cursor.clone());
    Ok(Page { items: items.into_iter().filter_map(|(_, due)| due).collect(), next })
}

/// How many ends that matter a month has, from one month to another.
pub(super) fn months(
    session: &dyn Session,
    used_for: Use,
    facet: &Facet,
    from: &str,
    until: &str,
) -> Stored<Vec<(String, u64)>> {
    session.rows(
        "SELECT month, ends FROM fleet_months
         WHERE used_for = ?1 AND facet = ?2 AND month >= ?3 AND month <= ?4 AND ends > 0 ORDER BY month",
        params![used_for.name(), facet.as_str(), from, until],
        |row| Ok((row.text("month")?, row.number("ends")?)),
    )
}

/// The sums of one kind of list, in the order of their names.
pub(super) fn sums(session: &dyn Session, used_for: Use, of: SumOf) -> Stored<Vec<FleetSum>> {
    let kind = of.prefix();
    let end = format!("{kind}{}", char::MAX);
    session.rows(
        "SELECT facet, dimension, applications, used, used_of_limit, max, limited FROM fleet_totals
         WHERE used_for = ?1 AND facet >= ?2 AND facet < ?3 ORDER BY facet, dimension LIMIT ?4",
        params![used_for.name(), kind, &end, MAX_SUMS],
        |row| {
            let (facet, dimension) = (Facet::from(row.text("facet")?), row.text("dimension")?);
            Ok(FleetSum { facet, dimension, sum: read_sum(row)? })
        },
    )
}

/// One sum; nothing of what nothing was added to.
pub(super) fn sum(session: &dyn Session, used_for: Use, facet: &Facet, dimension: &str) -> Stored<Sum> {
    let sum = session.row(
        "SELECT applications, used, used_of_limit, max, limited FROM fleet_totals
         WHERE used_for = ?1 AND facet = ?2 AND dimension = ?3",
        params![used_for.name(), facet.as_str(), dimension],
        read_sum,
    )?;
    Ok(sum.unwrap_or_default())
}

fn read_sum(row: &Row<'_>) -> Stored<Sum> {
    Ok(Sum {
        applications: row.number("applications")?,
        used: row.number("used")?,
        used_of_limit: row.number("used_of_limit")?,
        max: row.number("max")?,
        limited: row.number("limited")?,
    })
}
