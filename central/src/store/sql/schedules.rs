//! Sets whose people are counted again and again.

use async_trait::async_trait;
use jiff::Timestamp;

use super::counts::{ask, lock};
use super::row::{Row, to_json};
use super::session::{Session, params};
use super::set_aside::{SCHEDULES, readable};
use super::{SqlStore, Stored};
use crate::domain::people::Scope;
use crate::domain::people::schedule::{Every, MOST_SCHEDULED, Schedule};
use crate::domain::{Act, Changed, CountId, Object, Record};
use crate::store::PeopleSchedules;
use crate::store::people::{Asked, Scheduled};

#[async_trait]
impl PeopleSchedules for SqlStore {
    async fn schedule_counts(&self, act: &Act, scope: &Scope, every: Option<Every>) -> Stored<Scheduled> {
        let (scope, key) = (scope.clone(), to_json(scope)?);
        let (by, at) = (act.actor.name.clone(), act.at);
        self.change(act, move |session| {
            lock(session)?;
            let all = all(session)?;
            let before = all.iter().find(|schedule| schedule.scope == scope);
            let object = || Object::new("people-schedule", "", format!("People of {}", scope.words()));
            let Some(every) = every else {
                session.run("DELETE FROM people_schedules WHERE scope = ?1", params![&key])?;
                let record = before.map(|before| Record::removed("people-schedule.end", object(), before));
                return Ok(Changed { value: Scheduled::Set(None), record });
            };
            if let Some(same) = before.filter(|before| before.every == every) {
                return Ok(Changed::nothing(Scheduled::Set(Some(same.clone()))));
            }
            if before.is_none() && all.len() >= MOST_SCHEDULED as usize {
                return Ok(Changed::nothing(Scheduled::Full));
            }
            session.run(
                "INSERT INTO people_schedules (scope, every, set_by, set_at, next_at) VALUES (?1, ?2, ?3, ?4, ?4)
                 ON CONFLICT (scope) DO UPDATE SET every = excluded.every, set_by = excluded.set_by,
                    set_at = excluded.set_at, next_at = excluded.next_at",
                params![&key, every.name(), &by, at],
            )?;
            let set = Schedule { scope: scope.clone(), every, set_by: by.clone(), set_at: at, next_at: at };
            let record = match before {
                Some(before) => Record::changed("people-schedule.set", object(), before, &set),
                None => Record::made("people-schedule.set", object(), &set),
            };
            Ok(Changed::new(Scheduled::Set(Some(set)), record))
        })
        .await
    }

    async fn count_schedules(&self) -> Stored<Vec<Schedule>> {
        self.read(all).await
    }

    async fn ask_due_count(&self, id: &CountId, now: Timestamp) -> Stored<bool> {
        // Most of the time nothing is due, and nothing is written.
        let due = "SELECT scope FROM people_schedules WHERE next_at <= ?1 LIMIT 1";
        if !self.look(move |session| session.exists(due, params![now])).await? {
            return Ok(false);
        }
        let id = id.clone();
        self.write(move |session| {
            lock(session)?;
            let due = session.row(
                "SELECT scope, every, set_by, set_at, next_at FROM people_schedules WHERE next_at <= ?1
                 ORDER BY next_at, scope LIMIT 1",
                params![now],
                |row| Ok((row.text("scope")?, schedule(row))),
            )?;
            let Some((key, due)) = due else { return Ok(false) };
            let next_at = "UPDATE people_schedules SET next_at = ?2 WHERE scope = ?1";
            let Some(due) = SCHEDULES.unless_read(session, &key, due, now)? else {
                session.run(next_at, params![&key, SCHEDULES.again_at(now)])?;
                return Ok(true);
            };
            let asked = ask(session, &id, &due.scope, &format!("{}, by schedule", due.set_by), now)?;
            if asked == Asked::Full {
                return Ok(false);
            }
            session.run(next_at, params![&key, due.every.next(due.set_at, now)])?;
            Ok(true)
        })
        .await
    }
}

/// Those that can be read.
fn all(session: &dyn Session) -> Stored<Vec<Schedule>> {
    let all = session.rows(
        "SELECT scope, every, set_by, set_at, next_at FROM people_schedules ORDER BY scope",
        &[],
        |row| Ok(schedule(row)),
    )?;
    readable(all)
}

fn schedule(row: &Row<'_>) -> Stored<Schedule> {
    Ok(Schedule {
        scope: row.json("scope")?,
        every: row.named("every")?,
        set_by: row.text("set_by")?,
        set_at: row.time("set_at")?,
        next_at: row.time("next_at")?,
    })
}
