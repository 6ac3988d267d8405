//! Counts of people over sets of any size: their rows, and the sketches that they read in batches.

use async_trait::async_trait;
use jiff::Timestamp;

use super::people::read_kept;
use super::row::{Row, to_json};
use super::session::{Param, Session, params};
use super::set_aside::{COUNTS, readable};
use super::{SqlStore, StoreError, Stored};
use crate::domain::people::count::{MOST_KEPT, MOST_OF_SET, MOST_OPEN};
use crate::domain::people::tally::Member;
use crate::domain::people::{CountState, Counted, KeptSketch, PeopleCount, Scope, SketchTrouble};
use crate::domain::{Act, ApplicationId, Changed, CountId, Facet, Object, Record, Use};
use crate::store::people::{Asked, Batch, Begun};
use crate::store::{Cursor, Page, PageSize, PeopleCounts};

/// The columns of a count, as [`read_count`] reads them.
macro_rules! counts {
    ($($rest:tt)*) => {
        concat!(
            "SELECT id, scope, asked_by, asked_at, begun_at, tries, looked_at, to_look_at, ended_at, failure, counted
             FROM people_counts ",
            $($rest)*
        )
    };
}

#[async_trait]
impl PeopleCounts for SqlStore {
    async fn ask_count(&self, act: &Act, id: &CountId, scope: &Scope) -> Stored<Asked> {
        let (id, scope) = (id.clone(), scope.clone());
        let (by, at) = (act.actor.name.clone(), act.at);
        self.change(act, move |session| {
            lock(session)?;
            let asked = ask(session, &id, &scope, &by, at)?;
            let object = Object::new("people-count", &id, format!("People of {}", scope.words()));
            let is_new = matches!(&asked, Asked::Open(count) if count.id == id);
            let record = is_new.then(|| Record::made("people-count.ask", object, &scope));
            Ok(Changed { value: asked, record })
        })
        .await
    }

    async fn next_count(&self, now: Timestamp) -> Stored<Option<PeopleCount>> {
        const BEGUN: &str = counts!("WHERE ended_at IS NULL AND begun_at IS NOT NULL ORDER BY asked_at, id LIMIT 1");
        const WAITS: &str = counts!("WHERE ended_at IS NULL ORDER BY asked_at, id LIMIT 1");
        let next = self.read(|session| match session.row(BEGUN, &[], read_count)? {
            None => session.row(WAITS, &[], read_count),
            begun => Ok(begun),
        });
        match next.await {
            Err(StoreError::Corrupt { .. }) => {}
            next => return next,
        }
        self.write(move |session| match open(session, BEGUN, &[], now)? {
            None => open(session, WAITS, &[], now),
            begun => Ok(begun),
        })
        .await
    }

    async fn begin_count(&self, id: &CountId, now: Timestamp) -> Stored<Begun> {
        let id = id.clone();
        self.write(move |session| {
            let missing = || StoreError::Missing("count that is open");
            let begun = session.execute(
                "UPDATE people_counts SET begun_at = ?2, tries = tries + 1, looked_at = 0
                 WHERE id = ?1 AND ended_at IS NULL",
                params![id.as_str(), now],
            )?;
            let count = kept(session, &id)?.filter(|_| begun > 0).ok_or_else(missing)?;
            let walk = walk(session, &count.scope)?;
            session.run("UPDATE people_counts SET to_look_at = ?2 WHERE id = ?1", params![id.as_str(), walk.length])?;
            Ok(Begun { attempt: count.tries, list: walk.list })
        })
        .await
    }

    async fn people_batch(
        &self,
        scope: &Scope,
        list: &Facet,
        after: Option<&ApplicationId>,
        most: u32,
    ) -> Stored<Batch> {
        let (scope, list, after) = (scope.clone(), list.clone(), after.cloned());
        self.read(move |session| batch(session, &scope, &list, after.as_ref(), most)).await
    }

    async fn note_count(&self, id: &CountId, attempt: u32, looked_at: u64) -> Stored<bool> {
        let id = id.clone();
        self.write(move |session| {
            let noted = session.execute(
                "UPDATE people_counts SET looked_at = ?3 WHERE id = ?1 AND tries = ?2 AND ended_at IS NULL",
                params![id.as_str(), attempt, looked_at],
            )?;
            Ok(noted > 0)
        })
        .await
    }

    async fn end_count(
        &self,
        id: &CountId,
        attempt: u32,
        now: Timestamp,
        outcome: &Result<Counted, String>,
    ) -> Stored<()> {
        let id = id.clone();
        let counted = outcome.as_ref().ok().map(to_json).transpose()?;
        let failure = outcome.as_ref().err().cloned();
        self.write(move |session| {
            let ended = session.execute(
                "UPDATE people_counts SET ended_at = ?3, failure = ?4, counted = ?5,
                    looked_at = CASE WHEN ?4 IS NULL THEN to_look_at ELSE looked_at END
                 WHERE id = ?1 AND tries = ?2 AND ended_at IS NULL",
                params![id.as_str(), attempt, now, &failure, &counted],
            )?;
            match kept(session, &id)?.filter(|_| ended > 0) {
                Some(count) => forget_old(session, &count.scope),
                None => Ok(()),
            }
        })
        .await
    }

    async fn count(&self, id: &CountId) -> Stored<Option<PeopleCount>> {
        let id = id.clone();
        self.read(move |session| kept(session, &id)).await
    }

    async fn counts(&self, scope: Option<&Scope>, after: Option<&Cursor>, size: PageSize) -> Stored<Page<PeopleCount>> {
        let scope = scope.map(to_json).transpose()?;
        let (at, id) = Cursor::time_and_id::<CountId>(after)?;
        self.read(move |session| {
            let place = |row: &Row<'_>| Ok((row.number::<i64>("asked_at")?, row.text("id")?, read_count(row)));
            let found = match &scope {
                Some(scope) => session.rows(
                    counts!("WHERE scope = ?1 AND (asked_at, id) < (?2, ?3) ORDER BY asked_at DESC, id DESC LIMIT ?4"),
                    params![scope, at, &id, size.rows_and_one()],
                    place,
                ),
                None => session.rows(
                    counts!("WHERE (asked_at, id) < (?1, ?2) ORDER BY asked_at DESC, id DESC LIMIT ?3"),
                    params![at, &id, size.rows_and_one()],
                    place,
                ),
            };
            let page = Page::cut(found?, size, |(at, id, _)| format!("{at} {id}"));
            Ok(Page { items: readable(page.items.into_iter().map(|(.., count)| count))?, next: page.next })
        })
        .await
    }
}

/// The one row of the identity is what two servers wait for that ask at the same moment.
pub(super) fn lock(session: &dyn Session) -> Stored<()> {
    session.exists("SELECT singleton FROM identity WHERE singleton = 1 FOR UPDATE", &[]).map(drop)
}

/// Asks for a count of a set, unless one of it is open or too many are. The caller has the lock.
pub(super) fn ask(session: &dyn Session, id: &CountId, scope: &Scope, by: &str, at: Timestamp) -> Stored<Asked> {
    let key = to_json(scope)?;
    if let Some(open) = open(session, counts!("WHERE scope = ?1 AND ended_at IS NULL"), params![&key], at)? {
        return Ok(Asked::Open(Box::new(open)));
    }
    let open = session.rows(
        "SELECT id FROM people_counts WHERE ended_at IS NULL ORDER BY asked_at, id LIMIT ?1",
        params![MOST_OPEN],
        |_| Ok(()),
    )?;
    if open.len() >= MOST_OPEN as usize {
        return Ok(Asked::Full);
    }
    let walk = walk(session, scope)?;
    session.run(
        "INSERT INTO people_counts (id, scope, asked_by, asked_at, tries, looked_at, to_look_at)
         VALUES (?1, ?2, ?3, ?4, 0, 0, ?5)",
        params![id.as_str(), &key, by, at, walk.length],
    )?;
    kept(session, id)?.map(|asked| Asked::Open(Box::new(asked))).ok_or(StoreError::Missing("count"))
}

/// The first open count of a query that can be read. Those before it are set aside, and given up.
fn open(
    session: &dyn Session,
    query: &'static str,
    params: &[Param<'_>],
    now: Timestamp,
) -> Stored<Option<PeopleCount>> {
    loop {
        let found = session.row(query, params, |row| Ok((row.text("id")?, read_count(row))))?;
        let Some((id, count)) = found else { return Ok(None) };
        if let Some(count) = COUNTS.unless_read(session, &id, count, now)? {
            return Ok(Some(count));
        }
        session.run(
            "UPDATE people_counts SET ended_at = ?2, failure = 'it cannot be read' WHERE id = ?1",
            params![&id, now],
        )?;
    }
}

fn kept(session: &dyn Session, id: &CountId) -> Stored<Option<PeopleCount>> {
    session.row(counts!("WHERE id = ?1"), params![id.as_str()], read_count)
}

fn read_count(row: &Row<'_>) -> Stored<PeopleCount> {
    let (begun_at, ended_at) = (row.time_option("begun_at")?, row.time_option("ended_at")?);
    let failure = row.text_option("failure")?;
    Ok(PeopleCount {
        id: row.parsed("id")?,
        scope: row.json("scope")?,
        asked_by: row.text("asked_by")?,
        asked_at: row.time("asked_at")?,
        state: CountState::of(begun_at, ended_at, failure.is_some()),
        begun_at,
        tries: row.number("tries")?,
        looked_at: row.number("looked_at")?,
        to_look_at: row.number("to_look_at")?,
        ended_at,
        failure,
        counted: row.json_option("counted")?,
    })
}

/// The shortest list that holds all of a set, and about how long it is.
struct Walk {
    list: Facet,
    length: u64,
}

fn walk(session: &dyn Session, scope: &Scope) -> Stored<Walk> {
    let length = |facet: &Facet, uses: &[Use]| -> Stored<u64> {
        let each = uses.iter().map(|used_for| Ok(super::fleet::sum_of(session, *used_for, facet)?.applications));
        Ok(u64::try_from(each.sum::<Stored<i64>>()?).unwrap_or_default())
    };
    let mut lists = Vec::new();
    for list in scope.lists() {
        lists.push((length(&list, &[Use::Production, Use::Staging])?, list));
    }
    if scope.used_for == Use::Staging {
        lists.push((length(&Facet::all(), &[Use::Staging])?, Facet::staging()));
    }
    let (length, list) = lists.into_iter().min().unwrap_or((0, Facet::all()));
    Ok(Walk { list, length })
}

fn batch(
    session: &dyn Session,
    scope: &Scope,
    list: &Facet,
    after: Option<&ApplicationId>,
    most: u32,
) -> Stored<Batch> {
    let after = after.map_or("", ApplicationId::as_str);
    let looked_at = session.rows(
        "SELECT application FROM fleet_facets WHERE facet = ?1 AND application > ?2 ORDER BY application LIMIT ?3",
        params![list.as_str(), after, most],
        |row| row.parsed::<ApplicationId>("application"),
    )?;
    let Some(last) = looked_at.last() else { return Ok(Batch { members: Vec::new(), looked_at: 0, last: None }) };
    let (product, group) = (scope.product.as_ref(), scope.group.as_ref());
    let tag = scope.tag.as_ref().map(|tag| Facet::tag(tag).as_str().to_owned()).unwrap_or_default();
    let (staging, overdue) = (Facet::staging(), Facet::concern("overdue"));
    let members = session.rows(
        "SELECT f.application, f.name, f.product, f.group_name, p.observed_at, p.counted, p.sketch, p.key_id,
                l.created_at AS linked_at, o.facet AS overdue
         FROM fleet_facets x
         JOIN fleet f ON f.application = x.application
         LEFT JOIN fleet_facets s ON s.facet = ?4 AND s.application = x.application
         LEFT JOIN fleet_facets o ON o.facet = ?5 AND o.application = x.application
         LEFT JOIN fleet_facets t ON t.facet = ?6 AND t.application = x.application
         LEFT JOIN links l ON l.id = f.link
         LEFT JOIN people p ON p.link = l.id
         WHERE x.facet = ?1 AND x.application > ?2 AND x.application <= ?3
            AND (?7 = '' OR f.product = ?7) AND (?8 = '' OR f.group_name = ?8) AND (?6 = '' OR t.facet IS NOT NULL)
            AND ((?9 = 1 AND s.facet IS NOT NULL) OR (?9 = 0 AND s.facet IS NULL))
         ORDER BY x.application",
        params![
            list.as_str(),
            after,
            last.as_str(),
            staging.as_str(),
            overdue.as_str(),
            &tag,
            product.map_or("", |product| product.as_str()),
            group.map_or("", |group| group.as_str()),
            scope.used_for == Use::Staging,
        ],
        read_member,
    )?;
    let is_last = looked_at.len() < most as usize;
    let last = Some(last.clone()).filter(|_| !is_last);
    Ok(Batch { members, looked_at: looked_at.len() as u64, last })
}

fn read_member(row: &Row<'_>) -> Stored<Member> {
    Ok(Member {
        id: row.parsed("application")?,
        name: row.text("name")?,
        product: row.text("product")?,
        group: row.text_option("group_name")?.unwrap_or_default(),
        is_overdue: row.text_option("overdue")?.is_some(),
        kept: match brought(row) {
            // One row that cannot be read keeps nobody else from being counted.
            Err(StoreError::Corrupt { .. }) => Err(SketchTrouble::Damaged),
            kept => Ok(kept?),
        },
    })
}

fn brought(row: &Row<'_>) -> Stored<Option<KeptSketch>> {
    if row.time_option("observed_at")?.is_none() { Ok(None) } else { read_kept(row).map(Some) }
}

/// Lets those go that are more than are kept, the oldest first: of a set, and of all.
fn forget_old(session: &dyn Session, scope: &Scope) -> Stored<()> {
    let scope = to_json(scope)?;
    let place = |row: &Row<'_>| Ok((row.number::<i64>("asked_at")?, row.text("id")?));
    let of_set = session.rows(
        "SELECT asked_at, id FROM people_counts WHERE scope = ?1 AND ended_at IS NOT NULL
         ORDER BY asked_at DESC, id DESC LIMIT ?2",
        params![&scope, MOST_OF_SET + 1],
        place,
    )?;
    if let Some((at, id)) = of_set.get(MOST_OF_SET as usize) {
        session.run(
            "DELETE FROM people_counts WHERE scope = ?1 AND ended_at IS NOT NULL AND (asked_at, id) <= (?2, ?3)",
            params![&scope, *at, id],
        )?;
    }
    let of_all = session.rows(
        "SELECT asked_at, id FROM people_counts WHERE ended_at IS NOT NULL ORDER BY asked_at DESC, id DESC LIMIT ?1",
        params![MOST_KEPT + 1],
        place,
    )?;
    if let Some((at, id)) = of_all.get(MOST_KEPT as usize) {
        session.run(
            "DELETE FROM people_counts WHERE ended_at IS NOT NULL AND (asked_at, id) <= (?1, ?2)",
            params![*at, id],
        )?;
    }
    Ok(())
}
