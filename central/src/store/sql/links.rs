//! Links.

use async_trait::async_trait;
use jiff::Timestamp;
use seatline_protocol::exchange::RefusalCode;
use seatline_protocol::{KeyId, LinkId};

use super::applications::{self, choose};
use super::chain::gaps;
use super::fleet::marks;
use super::row::{Row, name_of};
use super::session::{Param, Session, params};
use super::{SqlStore, StoreError, Stored, audit, quota};
use crate::domain::quota::Brought;
use crate::domain::{
    Act, Application, ApplicationId, Chain, Changed, Demand, Link, LinkSettings, LinkState, Object, Record,
};
use crate::store::{Links, PageSize};

/// The columns of a link, as [`link`] reads them.
macro_rules! link_columns {
    () => {
        "id, application, public_key, state, product, created_at, approved_at, settings_revision,
         settings_changed_at, sync_interval, dormancy_days, counting, demanded_at, demand_answered_at,
         replace_key, daily_mib, head, stored, forks, forked_at, met"
    };
}
pub(super) use link_columns;

macro_rules! links_where {
    ($rest:literal) => {
        concat!("SELECT ", link_columns!(), " FROM links JOIN chains ON chains.link = links.id WHERE ", $rest)
    };
}

#[async_trait]
impl Links for SqlStore {
    async fn link(&self, id: &LinkId) -> Stored<Option<Link>> {
        let id = id.clone();
        self.read(move |session| by_id(session, &id)).await
    }

    async fn link_of_key(&self, key: &KeyId) -> Stored<Option<Link>> {
        let key = key.to_string();
        self.read(move |session| by_key(session, &key)).await
    }

    async fn links_of(&self, application: &ApplicationId) -> Stored<Vec<Link>> {
        let application = application.clone();
        self.read(move |session| {
            select(
                session,
                links_where!("application = ?1 ORDER BY created_at DESC, id DESC LIMIT ?2"),
                params![application.as_str(), PageSize::MAX],
            )
        })
        .await
    }

    async fn approve_link(&self, act: &Act, link: &LinkId, application: &ApplicationId) -> Stored<()> {
        let (id, application, now) = (link.clone(), application.clone(), act.at);
        self.change_locking(act, [link.as_str()], move |session| approve(session, &id, &application, now)).await
    }

    async fn approve_link_as_new(
        &self,
        adding: &Act,
        approving: &Act,
        link: &LinkId,
        application: &Application,
    ) -> Stored<()> {
        let (id, application, adding, now) = (link.clone(), application.clone(), adding.clone(), approving.at);
        self.change_locking(approving, [link.as_str()], move |session| {
            audit::write(session, &adding, &applications::add(session, &application)?)?;
            approve(session, &id, &application.id, now)
        })
        .await
    }

    async fn set_link_state(&self, act: &Act, link: &LinkId, state: LinkState) -> Stored<()> {
        let (id, now) = (link.clone(), act.at);
        self.change_locking(act, [link.as_str()], move |session| {
            let before = locked(session, &id)?;
            if before.approved_at.is_none() {
                return Err(StoreError::Conflict("a decision to be made: the link was never approved"));
            }
            session.run(
                "UPDATE links SET state = ?2, news_at = ?3 WHERE id = ?1",
                params![id.as_str(), state.name(), now],
            )?;
            marks::link(session, &id)?;
            let action = if state == LinkState::Suspended { "link.suspend" } else { "link.state" };
            changed(session, action, &before)
        })
        .await
    }

    async fn set_link_settings(&self, act: &Act, link: &LinkId, settings: &LinkSettings) -> Stored<()> {
        let (id, settings) = (link.clone(), settings.clone());
        self.change_locking(act, [link.as_str()], move |session| {
            let before = locked(session, &id)?;
            let newer = session.execute(
                "UPDATE links SET settings_revision = ?2, settings_changed_at = ?3, sync_interval = ?4,
                        dormancy_days = ?5, counting = ?6, demanded_at = ?7, replace_key = ?8, news_at = ?3,
                        daily_mib = ?9, met = ?10
                 WHERE id = ?1 AND settings_revision = ?2 - 1",
                params![
                    id.as_str(),
                    settings.revision,
                    settings.changed_at,
                    settings.interval,
                    settings.dormancy_days,
                    &name_of(&settings.counting)?,
                    settings.demand.map(|demand| demand.at),
                    &settings.replace_key.as_ref().map(KeyId::to_string),
                    settings.daily_mib,
                    &quota::to_text(&before.met_under(&settings))?,
                ],
            )?;
            if newer == 0 {
                return Err(StoreError::Conflict("a newer change of these settings"));
            }
            marks::link(session, &id)?;
            changed(session, "link.settings", &before)
        })
        .await
    }
}

fn approve(session: &dyn Session, id: &LinkId, application: &ApplicationId, now: Timestamp) -> Stored<Changed<()>> {
    let before = locked(session, id)?;
    if before.application.as_ref().is_some_and(|other| other != application) {
        return Err(StoreError::Conflict("another application that this link belongs to"));
    }
    session.run(
        "UPDATE links SET state = ?2, application = ?3, approved_at = COALESCE(approved_at, ?4), news_at = ?4
         WHERE id = ?1",
        params![id.as_str(), LinkState::Approved.name(), application.as_str(), now],
    )?;
    choose(session, application, Some(id))?;
    changed(session, "link.approve", &before)
}

/// The record of a link's change, as it is now.
pub(super) fn changed(session: &dyn Session, action: &'static str, before: &Link) -> Stored<Changed<()>> {
    let after = by_id(session, &before.id)?.ok_or(StoreError::Missing("link"))?;
    if after == *before {
        return Ok(Changed::nothing(()));
    }
    Ok(Changed::new((), Record::changed(action, object(&after), before, &after)))
}

/// A link, as entries of the audit log name it.
pub(super) fn object(link: &Link) -> Object {
    Object::new("link", &link.id, format!("{}, {}", link.product.name, link.product.server_id))
}

/// What decides on what a link that is in force sends.
pub(super) struct InForce {
    /// Its present key.
    pub(super) key: KeyId,
    pub(super) settings: LinkSettings,
    /// Since when it is in force.
    pub(super) approved_at: Timestamp,
    /// What it has brought.
    pub(super) brought: Brought,
}

impl InForce {
    /// What a row of the link says, or why nothing that it sends is taken.
    pub(super) fn of(row: &Row<'_>) -> Stored<Result<Self, RefusalCode>> {
        Ok(match row.named("state")? {
            LinkState::Approved => Ok(Self {
                key: row.parsed("key_id")?,
                settings: settings(row)?,
                approved_at: row.time("approved_at")?,
                brought: Brought { bytes: row.number("brought")?, at: row.time("brought_at")? },
            }),
            LinkState::Pending => Err(RefusalCode::LinkPending),
            LinkState::Suspended => Err(RefusalCode::LinkSuspended),
        })
    }
}

pub(super) fn by_id(session: &dyn Session, id: &LinkId) -> Stored<Option<Link>> {
    Ok(select(session, links_where!("id = ?1"), params![id.as_str()])?.pop())
}

/// A link, as a review begins with it: what it then need not ask for.
pub(super) struct Reviewed {
    pub link: Link,
    /// What has called for a review.
    pub marks: i64,
    /// The digest of what its newest report says.
    pub content: Option<String>,
    /// Whether its product has stated something, and whether somebody has answered a question about it.
    pub has_stated: bool,
    pub has_answers: bool,
}

/// The link of an id for its review, all by one question.
pub(super) fn reviewed(session: &dyn Session, id: &LinkId) -> Stored<Option<Reviewed>> {
    let found = session.row(
        concat!(
            "SELECT ",
            link_columns!(),
            ", marks, content, EXISTS (SELECT digest FROM statements WHERE statements.link = links.id) AS has_stated,
                EXISTS (SELECT id FROM answers WHERE answers.link = links.id) AS has_answers
             FROM links JOIN chains ON chains.link = links.id WHERE links.id = ?1"
        ),
        params![id.as_str()],
        |row| {
            Ok(Reviewed {
                link: link(row)?,
                marks: row.number("marks")?,
                content: row.text_option("content")?,
                has_stated: row.flag("has_stated")?,
                has_answers: row.flag("has_answers")?,
            })
        },
    )?;
    found.map(|found| Ok(Reviewed { link: with_gaps(session, found.link)?, ..found })).transpose()
}

/// The link of an id, which nobody else changes until the commit.
pub(super) fn locked(session: &dyn Session, id: &LinkId) -> Stored<Link> {
    let link = select(session, links_where!("id = ?1 FOR UPDATE"), params![id.as_str()])?.pop();
    link.ok_or(StoreError::Missing("link"))
}

fn by_key(session: &dyn Session, key_id: &str) -> Stored<Option<Link>> {
    Ok(select(session, links_where!("key_id = ?1"), params![key_id])?.pop())
}

/// The links that a query gives, each with its gaps.
fn select(session: &dyn Session, query: &'static str, params: &[Param<'_>]) -> Stored<Vec<Link>> {
    session.rows(query, params, link)?.into_iter().map(|link| with_gaps(session, link)).collect()
}

fn with_gaps(session: &dyn Session, mut link: Link) -> Stored<Link> {
    if link.chain.missing() > 0 {
        link.chain.gaps = gaps(session, &link.id)?;
    }
    Ok(link)
}

pub(super) fn link(row: &Row<'_>) -> Stored<Link> {
    Ok(Link {
        id: row.parsed("id")?,
        application: row.parsed_option("application")?,
        key: row.parsed("public_key")?,
        state: row.named("state")?,
        product: row.json("product")?,
        created_at: row.time("created_at")?,
        approved_at: row.time_option("approved_at")?,
        settings: settings(row)?,
        chain: Chain {
            head: row.sequence_option("head")?,
            stored: row.number("stored")?,
            gaps: Vec::new(),
            forks: row.number("forks")?,
            forked_at: row.time_option("forked_at")?,
        },
        met: row.json_option("met")?.unwrap_or_default(),
    })
}

/// The settings of a link, in a row that has their columns.
fn settings(row: &Row<'_>) -> Stored<LinkSettings> {
    let answered = row.time_option("demand_answered_at")?;
    Ok(LinkSettings {
        revision: row.number("settings_revision")?,
        changed_at: row.time("settings_changed_at")?,
        interval: row.number("sync_interval")?,
        dormancy_days: row.number("dormancy_days")?,
        counting: row.named("counting")?,
        demand: row
            .time_option("demanded_at")?
            .map(|at| Demand { at, answered_at: answered.filter(|answered| *answered >= at) }),
        replace_key: row.parsed_option("replace_key")?,
        daily_mib: row.number("daily_mib")?,
    })
}
