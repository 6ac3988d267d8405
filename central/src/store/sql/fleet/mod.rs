//! The fleet: applications as they were reviewed, in rows from which every list is read.
//!
//! | module | job |
//! |---|---|
//! | `marks` | what calls for a review |
//! | `review` | the review itself: read, assess, keep |
//! | `derived` | the rows that follow from an application's |
//! | `concerns` | when concerns begin, go on to another step, and end |
//! | `list` | pages of the list, the calendar and the sums |

mod concerns;
mod derived;
mod list;
pub(super) mod marks;
mod review;

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use seatline_protocol::notices::Reminders;

use super::session::{Session, params};
use super::{SqlStore, StoreError, Stored};
use crate::domain::fleet::Sum;
use crate::domain::{
    Act, ApplicationId, Changed, Due, Facet, FleetFilter, FleetItem, FleetOrder, Labels, Object, Record, Use,
};
use crate::store::fleet::{ChangedConcern, FleetSum, Reviewed, Spell, SumOf};
use crate::store::{Cursor, Fleet, Page, PageSize};

/// How many applications stand in a list, and what else is summed of them.
pub(super) fn sum_of(session: &dyn super::session::Session, used_for: Use, list: &Facet) -> Stored<Sum> {
    list::sum(session, used_for, list, "")
}

/// How an application is sorted; none where there is no such application.
pub(super) use review::labels as labels_of;

/// Takes an application that is removed out of all lists and sums, and ends what called for attention.
pub(super) fn forget(session: &dyn super::session::Session, id: &ApplicationId, now: Timestamp) -> Stored<()> {
    concerns::end_all(session, id, now)?;
    derived::forget(session, id)?;
    session.run("DELETE FROM application_tags WHERE application = ?1", params![id.as_str()])
}

impl SqlStore {
    /// Keeps what was read, in one commit, and gives how much of it. Where one cannot be kept, each is by itself: it
    /// keeps no other from its place.
    async fn keep_reviews(&self, read: Vec<review::Read>, failed: &mut review::Failed, now: Timestamp) -> Stored<u64> {
        let batch = Arc::new(read);
        let together = Arc::clone(&batch);
        let kept = self.write_locking(batch.iter().filter_map(review::Read::link), move |session| {
            together.iter().map(|found| review::keep(session, found, now)).collect::<Stored<Vec<bool>>>()
        });
        match kept.await {
            Err(StoreError::Corrupt { .. }) => {}
            kept => return Ok(kept?.into_iter().map(u64::from).sum()),
        }
        let mut reviewed = 0;
        for place in 0..batch.len() {
            let alone = Arc::clone(&batch);
            let keep = move |session: &dyn Session| review::keep(session, &alone[place], now);
            match self.write_locking(batch[place].link(), keep).await {
                Ok(kept) => reviewed += u64::from(kept),
                Err(error @ StoreError::Corrupt { .. }) => failed.push((batch[place].id().to_string(), error)),
                Err(error) => return Err(error),
            }
        }
        Ok(reviewed)
    }
}

#[async_trait]
impl Fleet for SqlStore {
    async fn review(&self, reminders: &Reminders, now: Timestamp, most: u32) -> Stored<Reviewed> {
        let due = self.read(move |session| review::due(session, now, most)).await?;
        let more = due.applications.len() + due.idle.len() >= most as usize;
        if !due.idle.is_empty() {
            let (links, idle) = (due.idle.clone(), due.idle);
            let clear = move |session: &dyn Session| idle.iter().try_for_each(|link| marks::clear_link(session, link));
            self.write_locking(links, clear).await?;
        }
        let (reminders, applications) = (reminders.clone(), due.applications);
        let read = self.read(move |session| review::read_each(session, &applications, &reminders, now));
        let (read, mut failed) = read.await?;
        let reviewed = self.keep_reviews(read, &mut failed, now).await?;
        let failed = Arc::new(failed);
        if !failed.is_empty() {
            let (asked, failed) = (Arc::clone(&failed), Arc::clone(&failed));
            let links = self.read(move |session| marks::links_shown(session, asked.iter().map(|(id, _)| id))).await?;
            let locked = links.clone();
            let postpone = move |session: &dyn Session| {
                failed.iter().try_for_each(|(id, error)| marks::postpone(session, id, error, now))?;
                links.iter().try_for_each(|link| marks::forget_link(session, link))
            };
            self.write_locking(locked, postpone).await?;
        }
        Ok(Reviewed { reviewed, more, failed: failed.iter().map(|(id, _)| id.clone()).collect() })
    }

    async fn review_one(&self, id: &ApplicationId, reminders: &Reminders, now: Timestamp) -> Stored<()> {
        let (id, reminders) = (id.clone(), reminders.clone());
        let found = self.read(move |session| review::read(session, &id, &reminders, now)).await?;
        self.write_locking(found.link(), move |session| review::keep(session, &found, now).map(drop)).await
    }

    async fn to_review(&self, now: Timestamp) -> Stored<Option<Timestamp>> {
        self.read(move |session| review::waits_since(session, now)).await
    }

    async fn fleet(
        &self,
        filter: &FleetFilter,
        order: FleetOrder,
        after: Option<&Cursor>,
        size: PageSize,
    ) -> Stored<Page<FleetItem>> {
        let after = list::place(order, !filter.search.is_empty(), after)?;
        let filter = filter.clone();
        self.read(move |session| list::page(session, &filter, order, after.clone(), size)).await
    }

    async fn fleet_item(&self, id: &ApplicationId) -> Stored<Option<FleetItem>> {
        let id = id.clone();
        self.read(move |session| list::one(session, &id)).await
    }

    async fn ends(
        &self,
        facet: &Facet,
        (from, until): (Timestamp, Timestamp),
        after: Option<&Cursor>,
        size: PageSize,
    ) -> Stored<Page<Due>> {
        let (facet, after) = (facet.clone(), list::place_of_end(after)?);
        self.read(move |session| list::ends(session, &facet, (from, until), after.clone(), size)).await
    }

    async fn months(&self, used_for: Use, facet: &Facet, from: &str, until: &str) -> Stored<Vec<(String, u64)>> {
        let (facet, from, until) = (facet.clone(), from.to_owned(), until.to_owned());
        self.read(move |session| list::months(session, used_for, &facet, &from, &until)).await
    }

    async fn sums(&self, used_for: Use, of: SumOf) -> Stored<Vec<FleetSum>> {
        self.read(move |session| list::sums(session, used_for, of)).await
    }

    async fn sum(&self, used_for: Use, facet: &Facet, dimension: &str) -> Stored<Sum> {
        let (facet, dimension) = (facet.clone(), dimension.to_owned());
        self.read(move |session| list::sum(session, used_for, &facet, &dimension)).await
    }

    async fn labels(&self, id: &ApplicationId) -> Stored<Labels> {
        let id = id.clone();
        self.read(move |session| {
            let missing = || StoreError::Missing("application");
            review::labels(session, &id)?.ok_or_else(missing)
        })
        .await
    }

    async fn set_labels(&self, act: &Act, id: &ApplicationId, labels: &Labels) -> Stored<()> {
        let (id, labels) = (id.clone(), labels.clone());
        self.change(act, move |session| {
            let missing = || StoreError::Missing("application");
            // Whoever sorts it at the same moment waits here.
            let lock = "SELECT name FROM applications WHERE id = ?1 FOR UPDATE";
            let name = session.row(lock, params![id.as_str()], |row| row.text("name"))?.ok_or_else(missing)?;
            let before = review::labels(session, &id)?.ok_or_else(missing)?;
            if before == labels {
                return Ok(Changed::nothing(()));
            }
            let group = labels.group.as_ref().map(|group| group.as_str());
            session.run("UPDATE applications SET group_name = ?2 WHERE id = ?1", params![id.as_str(), group])?;
            session.run("DELETE FROM application_tags WHERE application = ?1", params![id.as_str()])?;
            for tag in &labels.tags {
                session.run(
                    "INSERT INTO application_tags (application, tag) VALUES (?1, ?2)",
                    params![id.as_str(), tag.as_str()],
                )?;
            }
            marks::application(session, &id)?;
            concerns::follow_again(session, &id)?;
            let object = Object::new("application", &id, name);
            Ok(Changed::new((), Record::changed("application.labels", object, &before, &labels)))
        })
        .await
    }

    async fn spells(&self, id: &ApplicationId, after: Option<&Cursor>, size: PageSize) -> Stored<Page<Spell>> {
        let (id, after) = (id.clone(), concerns::place(after)?);
        self.read(move |session| concerns::of(session, &id, after.clone(), size)).await
    }

    async fn changed_concerns(&self, after: Option<&Cursor>, size: PageSize) -> Stored<Page<ChangedConcern>> {
        let after = concerns::place(after)?;
        self.read(move |session| concerns::changed(session, after.clone(), size)).await
    }
}
