//! Answers to the questions of chains.

use async_trait::async_trait;
use jiff::Timestamp;
use seatline_protocol::LinkId;

use super::fleet::marks;
use super::links::locked;
use super::row::{Row, to_json};
use super::session::{Session, params};
use super::{SqlStore, Stored};
use crate::domain::answer::MAX_ANSWERS;
use crate::domain::report::REFUSED_COUNTED_EVERY;
use crate::domain::{Act, Answer, Changed, Object, Record};
use crate::store::Answers;

#[async_trait]
impl Answers for SqlStore {
    async fn answer(&self, act: &Act, answer: &Answer) -> Stored<()> {
        let answer = answer.clone();
        self.change_locking(act, [answer.link.to_string()], move |session| {
            let link = locked(session, &answer.link)?;
            session.run(
                "INSERT INTO answers (id, link, question, about, explanation, why, answered_by, answered_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                params![
                    answer.id.as_str(),
                    answer.link.as_str(),
                    answer.question.name(),
                    &to_json(&answer.about)?,
                    answer.explanation.name(),
                    &answer.why,
                    &answer.by,
                    answer.at,
                ],
            )?;
            session.run(
                "DELETE FROM answers WHERE link = ?1 AND id NOT IN
                    (SELECT id FROM answers WHERE link = ?1 ORDER BY answered_at DESC, id LIMIT ?2)",
                params![answer.link.as_str(), MAX_ANSWERS],
            )?;
            marks::link(session, &link.id)?;
            let object = Object::new("link", &link.id, &link.product.name);
            Ok(Changed::new((), Record::made("link.answer", object, &answer)))
        })
        .await
    }

    async fn answers(&self, link: &LinkId) -> Stored<Vec<Answer>> {
        let link = link.clone();
        self.read(move |session| of(session, &link)).await
    }
}

/// The answers of a link, the newest first.
pub(super) fn of(session: &dyn Session, link: &LinkId) -> Stored<Vec<Answer>> {
    session.rows(
        "SELECT id, link, question, about, explanation, why, answered_by, answered_at
         FROM answers WHERE link = ?1 ORDER BY answered_at DESC, id LIMIT ?2",
        params![link.as_str(), MAX_ANSWERS],
        answer,
    )
}

/// After what time the same refused document of a link is counted no second time: a while ago, and never before
/// somebody has answered what it means. What comes after his answer asks him again at once.
pub(super) fn counts_once_after(session: &dyn Session, link: &LinkId, now: Timestamp) -> Stored<Timestamp> {
    let answered = session.row(
        "SELECT answered_at FROM answers WHERE link = ?1 ORDER BY answered_at DESC LIMIT 1",
        params![link.as_str()],
        |row| row.time("answered_at"),
    )?;
    Ok(now.checked_sub(REFUSED_COUNTED_EVERY).unwrap_or(Timestamp::MIN).max(answered.unwrap_or(Timestamp::MIN)))
}

fn answer(row: &Row<'_>) -> Stored<Answer> {
    Ok(Answer {
        id: row.parsed("id")?,
        link: row.parsed("link")?,
        question: row.named("question")?,
        about: row.json("about")?,
        explanation: row.named("explanation")?,
        why: row.text("why")?,
        by: row.text("answered_by")?,
        at: row.time("answered_at")?,
    })
}
