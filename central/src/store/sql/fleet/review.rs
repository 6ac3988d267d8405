//! The review: what is due is read, assessed by the domain's rule, and kept where nothing was marked meanwhile.

use std::collections::BTreeSet;

use jiff::Timestamp;
use seatline_protocol::LinkId;
use seatline_protocol::notices::Reminders;

use super::{concerns, derived, list};
use crate::domain::assessment::Seen;
use crate::domain::fleet::FleetRow;
use crate::domain::labels::Tag;
use crate::domain::{ApplicationId, Assessment, Labels, Licenses, Told};
use crate::store::sql::links::Reviewed;
use crate::store::sql::row::{Row, odd};
use crate::store::sql::session::{Session, params};
use crate::store::sql::{answers, applications, latest, links, statements};
use crate::store::{StoreError, Stored};

/// What is due.
#[derive(Debug, Default)]
pub(super) struct DueNow {
    pub applications: Vec<String>,
    /// Links that no application shows.
    pub idle: Vec<String>,
}

/// An application as it was read.
#[derive(Debug)]
pub(super) struct Read {
    row: FleetRow,
    marks: i64,
    link: Option<ReadLink>,
    /// What was kept of it before.
    before: Option<FleetRow>,
    /// What called for attention then.
    open: Vec<concerns::Open>,
}

#[derive(Debug)]
struct ReadLink {
    id: LinkId,
    marks: i64,
    /// The digest of the content of the newest report.
    content: Option<String>,
}

/// Applications that could not be read or kept, and why.
pub(super) type Failed = Vec<(String, StoreError)>;

impl Read {
    pub(super) fn id(&self) -> ApplicationId {
        self.row.application.clone()
    }

    /// The link that it shows, which is locked where it is kept.
    pub(super) fn link(&self) -> Option<String> {
        self.link.as_ref().map(|link| link.id.to_string())
    }
}

/// At most `most` applications and links whose time has come, those that wait longest first.
pub(super) fn due(session: &dyn Session, now: Timestamp, most: u32) -> Stored<DueNow> {
    let mut due = DueNow {
        applications: session.rows(
            "SELECT id FROM applications WHERE review_at <= ?1 ORDER BY review_at LIMIT ?2",
            params![now, most],
            |row| row.text("id"),
        )?,
        idle: Vec::new(),
    };
    let left = most.saturating_sub(u32::try_from(due.applications.len()).unwrap_or(most));
    let links = session.rows(
        "SELECT chains.link AS id, links.application, applications.link FROM chains
         JOIN links ON links.id = chains.link
         LEFT JOIN applications ON applications.id = links.application
         WHERE chains.review_at <= ?1 ORDER BY chains.review_at LIMIT ?2",
        params![now, left],
        |row| {
            let (id, shown) = (row.text("id")?, row.text_option("link")?);
            let is_shown = shown.as_ref() == Some(&id);
            Ok((id, row.text_option("application")?.filter(|_| is_shown)))
        },
    )?;
    for (link, application) in links {
        match application {
            Some(application) if due.applications.contains(&application) => {}
            Some(application) => due.applications.push(application),
            None => due.idle.push(link),
        }
    }
    Ok(due)
}

/// Since when the review is behind: the earliest time at which something was due and is not done.
pub(super) fn waits_since(session: &dyn Session, now: Timestamp) -> Stored<Option<Timestamp>> {
    let first = |sql| session.row(sql, params![now], |row| row.time("review_at"));
    let application = first("SELECT review_at FROM applications WHERE review_at <= ?1 ORDER BY review_at LIMIT 1")?;
    let link = first("SELECT review_at FROM chains WHERE review_at <= ?1 ORDER BY review_at LIMIT 1")?;
    Ok([application, link].into_iter().flatten().min())
}

/// Reads applications and assesses each, apart from those that hold what cannot be read. One that was removed since it
/// was found to be due is left out.
pub(super) fn read_each(
    session: &dyn Session,
    ids: &[String],
    reminders: &Reminders,
    now: Timestamp,
) -> Stored<(Vec<Read>, Failed)> {
    let (mut whole, mut failed) = (Vec::new(), Vec::new());
    for id in ids {
        let known = id.parse().map_err(|error| odd("id", error));
        match known.and_then(|id| read(session, &id, reminders, now)) {
            Ok(found) => whole.push(found),
            Err(StoreError::Missing(_)) => {}
            Err(error @ StoreError::Corrupt { .. }) => failed.push((id.clone(), error)),
            Err(error) => return Err(error),
        }
    }
    Ok((whole, failed))
}

/// Reads an application, and assesses it.
pub(super) fn read(session: &dyn Session, id: &ApplicationId, reminders: &Reminders, now: Timestamp) -> Stored<Read> {
    let found = session.row(
        "SELECT id, name, product, url, created_at, link, group_name, marks FROM applications WHERE id = ?1",
        params![id.as_str()],
        |row| Ok((applications::application(row)?, row.parsed_option("group_name")?, marks_of(row)?)),
    )?;
    let (application, group, marks) = found.ok_or(StoreError::Missing("application"))?;
    let (labels, name) = (Labels { group, tags: tags(session, id)? }, application.name.clone());
    let (product, chosen) = (application.product.clone(), application.link.clone());
    let reviewed = chosen.as_ref().map(|link| links::reviewed(session, link)).transpose()?.flatten();
    let (view, link) = match reviewed {
        None => (Licenses::of(application, None, None, Vec::new(), now), None),
        Some(Reviewed { link, marks, content, has_stated, has_answers }) => {
            let latest = latest::read(session, &link.id)?;
            let told = Told {
                statements: if has_stated { statements::of(session, &link.id)? } else { Vec::new() },
                answers: if has_answers { answers::of(session, &link.id)? } else { Vec::new() },
                conflict_at: None,
            };
            let view = Licenses::of(application, Some(&link), latest.as_ref(), told, now);
            (view, Some(ReadLink { id: link.id, marks, content }))
        }
    };
    let assessment = Assessment::of(&view, reminders);
    let row = FleetRow { application: id.clone(), name, product, labels, link: chosen, assessment };
    // Whoever changes these marks the application.
    let (before, open) = (list::kept(session, id)?, concerns::open(session, id)?);
    Ok(Read { row, marks, link, before, open })
}

/// Keeps what was read, with everything that follows from it, unless something was marked meanwhile: then it stays due,
/// and `false` is given.
pub(super) fn keep(session: &dyn Session, read: &Read, now: Timestamp) -> Stored<bool> {
    let id = &read.row.application;
    // Both by one question, which PostgreSQL is waited for.
    let unmarked = match &read.link {
        Some(link) => session.row(
            "SELECT chains.marks AS link_marks, applications.marks FROM chains
             JOIN applications ON applications.id = ?2 WHERE chains.link = ?1 FOR UPDATE",
            params![link.id.as_str(), id.as_str()],
            |row| Ok(row.number::<i64>("link_marks")? == link.marks && marks_of(row)? == read.marks),
        )?,
        None => {
            session.row("SELECT marks FROM applications WHERE id = ?1 FOR UPDATE", params![id.as_str()], |row| {
                Ok(marks_of(row)? == read.marks)
            })?
        }
    };
    if unmarked != Some(true) {
        return Ok(false);
    }
    let assessment = &read.row.assessment;
    let changes_at = assessment.changes_at();
    match &read.link {
        Some(link) => {
            let settled = link.content.as_deref().filter(|_| assessment.is_settled());
            session.run(
                "UPDATE chains SET review_at = ?2, turns_at = ?3, settled = ?4, marks = marks + 1 WHERE link = ?1",
                params![link.id.as_str(), changes_at, assessment.turns_at, settled],
            )?;
            // Of nearly all it is the link that is due: a row that need not change is a page less.
            session.run(
                "UPDATE applications SET review_at = NULL, marks = marks + 1 WHERE id = ?1 AND review_at IS NOT NULL",
                params![id.as_str()],
            )?;
        }
        None => session.run(
            "UPDATE applications SET review_at = ?2, marks = marks + 1 WHERE id = ?1",
            params![id.as_str(), changes_at],
        )?,
    }
    let mut row = read.row.clone();
    if let Some(before) = &read.before {
        concerns::happened(session, before, &row, now)?;
        if before.link == row.link {
            // What this report does not show, such as one of a run that failed, the next one is held against all the
            // same.
            row.assessment.seen = Seen::kept(row.assessment.seen.take(), before.assessment.seen.as_ref());
        }
    }
    concerns::keep(session, &row, &read.open, now)?;
    derived::keep(session, read.before.as_ref(), &row, now)?;
    Ok(true)
}

/// How an application is sorted; none where there is no such application.
pub(in crate::store::sql) fn labels(session: &dyn Session, id: &ApplicationId) -> Stored<Option<Labels>> {
    let group = session.row("SELECT group_name FROM applications WHERE id = ?1", params![id.as_str()], |row| {
        row.parsed_option("group_name")
    })?;
    group.map(|group| Ok(Labels { group, tags: tags(session, id)? })).transpose()
}

fn tags(session: &dyn Session, id: &ApplicationId) -> Stored<BTreeSet<Tag>> {
    let query = "SELECT tag FROM application_tags WHERE application = ?1";
    Ok(session.rows(query, params![id.as_str()], |row| row.parsed("tag"))?.into_iter().collect())
}

fn marks_of(row: &Row<'_>) -> Stored<i64> {
    row.number("marks")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Act, Actor, Application, EntryId};
    use crate::store::sql::SqlStore;
    use crate::store::sql::fleet::marks;
    use crate::store::{Applications as _, Fleet as _, Removals as _};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).expect("a second of this century")
    }

    async fn with(names: &[&str]) -> (SqlStore, Vec<ApplicationId>, tempfile::TempDir) {
        let dir = tempfile::tempdir().expect("a directory");
        let store = SqlStore::sqlite(&dir.path().join("central.db")).expect("a store");
        let mut ids = Vec::new();
        for (n, name) in (0..).zip(names) {
            let id = ApplicationId::from_random([n; 12]);
            let application = Application {
                id: id.clone(),
                name: name.parse().expect("a name"),
                product: "acme-wiki".parse().expect("a product id"),
                url: None,
                created_at: at(0),
                link: None,
            };
            let act = Act { actor: Actor::command_line("test"), at: at(0), id: EntryId::from_random([n; 12]) };
            store.add_application(&act, &application).await.expect("added");
            ids.push(id);
        }
        (store, ids, dir)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_was_read_before_another_mark_is_not_kept() {
        let (store, ids, _dir) = with(&["Wiki"]).await;
        let id = ids[0].clone();
        let kept = store.write(move |session| {
            let early = read(session, &id, &Reminders::default(), at(1))?;
            marks::application(session, &id)?;
            let first = keep(session, &early, at(1))?;
            let late = read(session, &id, &Reminders::default(), at(2))?;
            Ok((first, keep(session, &late, at(2))?, keep(session, &late, at(3))?))
        });
        assert_eq!(kept.await.expect("it works"), (false, true, false), "and nothing is kept twice");
        assert_eq!(store.fleet_item(&ids[0]).await.expect("read").expect("kept").reviewed_at, at(2));
        assert_eq!(store.to_review(at(4)).await.expect("read"), None);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_application_that_cannot_be_read_keeps_no_other_from_its_review() {
        let (store, ids, _dir) = with(&["Wiki", "Chat", "Tracker"]).await;
        store
            .write(|session| session.run("UPDATE applications SET group_name = ' ' WHERE name_key = 'chat'", params![]))
            .await
            .expect("broken");
        let outcome = store.review(&Reminders::default(), at(1), 10).await.expect("reviewed");
        assert_eq!((outcome.reviewed, outcome.failed.len()), (2, 1), "{outcome:?}");
        assert_eq!(outcome.failed, [ids[1].to_string()]);
        assert_eq!(store.to_review(at(1)).await.expect("read"), None, "it is not tried again at once");
        assert!(store.to_review(at(3601)).await.expect("read").is_some(), "but later");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn one_that_is_removed_between_the_look_and_the_reading_keeps_no_other_from_its_review() {
        let (store, ids, _dir) = with(&["Wiki", "Chat"]).await;
        let act = Act { actor: Actor::command_line("test"), at: at(1), id: EntryId::from_random([9; 12]) };
        store.remove_application(&act, &ids[0]).await.expect("removed");
        let (asked, left) = (ids.iter().map(ToString::to_string).collect::<Vec<_>>(), ids[1].clone());
        let read = store.read(move |session| read_each(session, &asked, &Reminders::default(), at(2)));
        let (whole, failed) = read.await.expect("read");
        assert!(failed.is_empty(), "{failed:?}");
        assert_eq!(whole.iter().map(Read::id).collect::<Vec<_>>(), [left]);
    }
}
