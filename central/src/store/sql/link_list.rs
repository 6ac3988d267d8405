//! The list of links: a range of an index for each state.

use async_trait::async_trait;
use seatline_protocol::{LinkId, ProductId, ServerId};

use super::chain::gaps;
use super::links::{link, link_columns};
use super::row::Row;
use super::session::{Session, params};
use super::{SqlStore, StoreError, Stored};
use crate::domain::{LinkFilter, LinkRow, LinkState, RemovedRow};
use crate::store::{Cursor, LinkLists, Page, PageSize};

/// Links as rows of the list. What is read beside a link stands in one row of another table, or in the few of its
/// refused reports.
macro_rules! row_where {
    ($rest:expr) => {
        concat!(
            "SELECT ",
            link_columns!(),
            ", (SELECT name FROM applications WHERE applications.id = links.application) AS application_name,
               received_at AS last_report_at,
               CASE WHEN forks > 0 THEN
                   (SELECT MIN(first_at) FROM refused_reports WHERE refused_reports.link = links.id
                    AND code IN ('fork', 'broken-chain', 'key-replaced')) END AS conflict_at
             FROM links JOIN chains ON chains.link = links.id WHERE ",
            $rest
        )
    };
}

/// As [`row_where`], for a page of links of one state.
macro_rules! rows_where {
    ($filter:literal) => {
        row_where!(concat!(
            $filter,
            "state = ?1 AND (created_at, id) < (?2, ?3) ORDER BY created_at DESC, id DESC LIMIT ?4"
        ))
    };
}

#[async_trait]
impl LinkLists for SqlStore {
    async fn links(&self, filter: &LinkFilter, after: Option<&Cursor>, size: PageSize) -> Stored<Page<LinkRow>> {
        let (filter, after) = (filter.clone(), after.map(Place::parse).transpose()?);
        self.read(move |session| {
            let mut rows = Vec::new();
            let mut states =
                filter.states().skip_while(|state| after.as_ref().is_some_and(|after| after.state != *state));
            while rows.len() <= size.rows()
                && let Some(state) = states.next()
            {
                let from = after.as_ref().filter(|after| after.state == state);
                let (before, id) = from.map_or((i64::MAX, ""), |after| (after.millis, after.id.as_str()));
                let left = size.rows_and_one() - u32::try_from(rows.len()).unwrap_or_default();
                rows.extend(of_state(session, &filter, state, (before, id), left)?);
            }
            Ok(Page::cut(rows, size, |row| {
                let link = &row.link;
                format!("{} {} {}", link.state.name(), link.created_at.as_millisecond(), link.id)
            }))
        })
        .await
    }

    async fn link_row(&self, id: &LinkId) -> Stored<Option<LinkRow>> {
        let id = id.clone();
        self.read(move |session| {
            let rows = session.rows(row_where!("id = ?1"), params![id.as_str()], link_row)?;
            Ok(with_gaps(session, rows)?.pop())
        })
        .await
    }

    async fn removed_links(&self, after: Option<&Cursor>, size: PageSize) -> Stored<Page<RemovedRow>> {
        let (before, link) = Cursor::time_and_id::<LinkId>(after)?;
        self.read(move |session| {
            // A link whose key was replaced has a row for each key, all alike.
            let rows = session.rows(
                "SELECT DISTINCT removed_at, link, product, application_name FROM removed_links
                 WHERE (removed_at, link) < (?1, ?2) ORDER BY removed_at DESC, link DESC LIMIT ?3",
                params![before, &link, size.rows_and_one()],
                removed_row,
            )?;
            Ok(Page::cut(rows, size, |row| format!("{} {}", row.removed_at.as_millisecond(), row.link)))
        })
        .await
    }
}

/// The place after which a page begins.
struct Place {
    state: LinkState,
    millis: i64,
    id: String,
}

impl Place {
    fn parse(cursor: &Cursor) -> Stored<Self> {
        let read = |place: &str| {
            let mut parts = place.splitn(3, ' ');
            let state = LinkState::of_name(parts.next()?)?;
            let millis = parts.next()?.parse().ok()?;
            Some(Self { state, millis, id: parts.next()?.parse::<LinkId>().ok()?.to_string() })
        };
        cursor.place().and_then(read).ok_or(StoreError::Cursor)
    }
}

/// Links of one state, from a place on.
fn of_state(
    session: &dyn Session,
    filter: &LinkFilter,
    state: LinkState,
    (before, id): (i64, &str),
    most: u32,
) -> Stored<Vec<LinkRow>> {
    let (name, product) = (state.name(), filter.product.as_ref().map(ProductId::as_str));
    let server = filter.server.as_ref().map(ServerId::to_string);
    let rows = match (&server, product) {
        (Some(server), Some(product)) => session.rows(
            rows_where!("server_id = ?5 AND product_id = ?6 AND "),
            params![name, before, id, most, server, product],
            link_row,
        )?,
        (Some(server), None) => {
            session.rows(rows_where!("server_id = ?5 AND "), params![name, before, id, most, server], link_row)?
        }
        (None, Some(product)) => {
            session.rows(rows_where!("product_id = ?5 AND "), params![name, before, id, most, product], link_row)?
        }
        (None, None) => session.rows(rows_where!(""), params![name, before, id, most], link_row)?,
    };
    with_gaps(session, rows)
}

fn with_gaps(session: &dyn Session, mut rows: Vec<LinkRow>) -> Stored<Vec<LinkRow>> {
    for row in rows.iter_mut().filter(|row| row.link.chain.missing() > 0) {
        row.link.chain.gaps = gaps(session, &row.link.id)?;
    }
    Ok(rows)
}

fn link_row(row: &Row<'_>) -> Stored<LinkRow> {
    let (link, last_report_at) = (link(row)?, row.time_option("last_report_at")?);
    Ok(LinkRow {
        application_name: row.text_option("application_name")?,
        chain_state: link.chain.state(row.time_option("conflict_at")?, last_report_at),
        last_report_at,
        link,
    })
}

fn removed_row(row: &Row<'_>) -> Stored<RemovedRow> {
    Ok(RemovedRow {
        link: row.parsed("link")?,
        removed_at: row.time("removed_at")?,
        product: row.json_option("product")?,
        application_name: row.text_option("application_name")?,
    })
}
