//! Invites: made, used by a product, withdrawn, and forgotten where nobody used them.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use seatline_protocol::LinkId;

use super::applications::choose;
use super::keys::is_in_use;
use super::links::{self, by_id};
use super::removal::removed_by;
use super::row::{Row, name_of, to_json};
use super::session::{Session, params};
use super::{SqlStore, StoreError, Stored, audit, chain};
use crate::domain::{
    Act, ApplicationId, Chain, Changed, InviteId, InviteRecord, Link, LinkSettings, LinkState, Object, OpenInvite,
    Record, Redeemed, Redemption,
};
use crate::store::{Cursor, Invites, Page, PageSize};

/// For how long it is kept that nobody has used an invite in time: until then a product is told that it has expired,
/// and later that it is unknown.
const UNUSED: SignedDuration = SignedDuration::from_hours(24 * 30);
/// How many of these are forgotten with each new invite.
const FORGOTTEN: u32 = 100;

/// Invites that nobody has used.
macro_rules! open_invites {
    ($rest:literal) => {
        concat!(
            "SELECT id, application, created_at, expires_at,
                (SELECT name FROM applications WHERE applications.id = invites.application) AS application_name
             FROM invites WHERE link IS NULL AND ",
            $rest
        )
    };
}

#[async_trait]
impl Invites for SqlStore {
    async fn add_invite(&self, act: &Act, invite: &InviteRecord) -> Stored<()> {
        let invite = invite.clone();
        self.change(act, move |session| {
            forget(session, invite.created_at)?;
            session.run(
                "INSERT INTO invites (secret, id, application, created_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![
                    &invite.secret.hex(),
                    invite.id.as_str(),
                    invite.application.as_ref().map(ApplicationId::as_str),
                    invite.created_at,
                    invite.expires_at,
                ],
            )?;
            Ok(Changed::new((), Record::made("invite.make", object(&invite.id), &invite)))
        })
        .await
    }

    async fn open_invites(&self, now: Timestamp, after: Option<&Cursor>, size: PageSize) -> Stored<Page<OpenInvite>> {
        let (expires_at, id) = Cursor::time_and_id::<InviteId>(after)?;
        self.read(move |session| {
            let rows = session.rows(
                open_invites!(
                    "expires_at > ?1 AND (expires_at, id) < (?2, ?3) ORDER BY expires_at DESC, id DESC LIMIT ?4"
                ),
                params![now, expires_at, &id, size.rows_and_one()],
                open_invite,
            )?;
            Ok(Page::cut(rows, size, |invite| format!("{} {}", invite.expires_at.as_millisecond(), invite.id)))
        })
        .await
    }

    async fn withdraw_invite(&self, act: &Act, id: &InviteId) -> Stored<()> {
        let id = id.clone();
        self.change(act, move |session| {
            let Some(invite) = session.row(open_invites!("id = ?1"), params![id.as_str()], open_invite)? else {
                let is_used = session.exists("SELECT id FROM invites WHERE id = ?1", params![id.as_str()])?;
                let used = StoreError::Conflict("a link that was made by it: refuse or remove that one");
                return Err(if is_used { used } else { StoreError::Missing("invite") });
            };
            session.run("DELETE FROM invites WHERE id = ?1", params![id.as_str()])?;
            Ok(Changed::new((), Record::removed("invite.withdraw", object(&id), &invite)))
        })
        .await
    }

    async fn redeem(&self, redemption: &Redemption) -> Stored<Redeemed> {
        let (asked, redemption) = (redemption.clone(), redemption.clone());
        // Anybody may ask, and a product that waits asks again and again: only a new link is a write.
        match self.read(move |session| find(session, INVITE, &asked)).await? {
            Found::Answer(answer) => Ok(answer),
            Found::Unused(_) => self.write(move |session| redeem(session, &redemption)).await,
        }
    }
}

/// An invite, as entries of the audit log name it.
fn object(id: &InviteId) -> Object {
    Object::new("invite", id, id)
}

/// Forgets those that nobody used in time.
fn forget(session: &dyn Session, now: Timestamp) -> Stored<()> {
    let before = now.checked_sub(UNUSED).unwrap_or(Timestamp::UNIX_EPOCH);
    session.run(
        "DELETE FROM invites WHERE secret IN
            (SELECT secret FROM invites WHERE link IS NULL AND expires_at < ?1 ORDER BY expires_at LIMIT ?2)",
        params![before, FORGOTTEN],
    )
}

fn open_invite(row: &Row<'_>) -> Stored<OpenInvite> {
    Ok(OpenInvite {
        id: row.parsed("id")?,
        application: row.parsed_option("application")?,
        application_name: row.text_option("application_name")?,
        created_at: row.time("created_at")?,
        expires_at: row.time("expires_at")?,
    })
}

/// What an invite is good for at the moment.
enum Found {
    /// Nothing new: it was used, or cannot be.
    Answer(Redeemed),
    /// A link, for the application that it was made for, if for one.
    Unused(Option<ApplicationId>),
}

const INVITE: &str = "SELECT application, expires_at, link FROM invites WHERE secret = ?1";
/// Whoever uses an invite keeps the others waiting until it is used.
const INVITE_TO_USE: &str = "SELECT application, expires_at, link FROM invites WHERE secret = ?1 FOR UPDATE";

fn find(session: &dyn Session, invite: &'static str, redemption: &Redemption) -> Stored<Found> {
    let invite = session.row(invite, params![&redemption.secret.hex()], |row| {
        let application: Option<ApplicationId> = row.parsed_option("application")?;
        Ok((application, row.time("expires_at")?, row.parsed_option::<LinkId>("link")?))
    })?;
    let Some((application, expires_at, used_by)) = invite else {
        return Ok(Found::Answer(Redeemed::Unknown));
    };
    if let Some(id) = used_by {
        return Ok(Found::Answer(used(session, &id, redemption)?));
    }
    if expires_at <= redemption.now {
        return Ok(Found::Answer(Redeemed::Expired));
    }
    if is_in_use(session, &redemption.key.id())? {
        return Ok(Found::Answer(Redeemed::KeyInUse));
    }
    Ok(Found::Unused(application))
}

/// What somebody finds who asks again with an invite that has made a link.
fn used(session: &dyn Session, id: &LinkId, redemption: &Redemption) -> Stored<Redeemed> {
    if let Some(removed) = removed_by(session, &redemption.key.id())?.filter(|removed| removed.link == *id) {
        return Ok(Redeemed::Removed(removed));
    }
    let link = by_id(session, id)?.filter(|link| link.key == redemption.key);
    Ok(link.map_or(Redeemed::Unknown, |link| Redeemed::Link(Box::new(link))))
}

fn redeem(session: &dyn Session, redemption: &Redemption) -> Stored<Redeemed> {
    let application = match find(session, INVITE_TO_USE, redemption)? {
        Found::Answer(answer) => return Ok(answer),
        Found::Unused(application) => application,
    };
    let link = new_link(redemption, application);
    insert(session, &link)?;
    if let Some(application) = &link.application {
        choose(session, application, Some(&link.id))?;
    }
    session
        .run("UPDATE invites SET link = ?2 WHERE secret = ?1", params![&redemption.secret.hex(), link.id.as_str()])?;
    let act = Act::of_product(&link.id, &link.key.id(), redemption.now);
    audit::write(session, &act, &Record::made("link.join", links::object(&link), &link))?;
    Ok(Redeemed::Link(Box::new(link)))
}

fn new_link(redemption: &Redemption, application: Option<ApplicationId>) -> Link {
    let approved = application.is_some();
    Link {
        id: redemption.link.clone(),
        application,
        key: redemption.key.clone(),
        state: if approved { LinkState::Approved } else { LinkState::Pending },
        product: redemption.product.clone(),
        created_at: redemption.now,
        approved_at: approved.then_some(redemption.now),
        settings: LinkSettings::initial(redemption.now),
        chain: Chain::default(),
        met: Vec::new(),
    }
}

fn insert(session: &dyn Session, link: &Link) -> Stored<()> {
    session.run(
        "INSERT INTO links (id, application, public_key, key_id, state, product, created_at, approved_at,
                            settings_revision, settings_changed_at, sync_interval, dormancy_days, counting,
                            forks, product_id, server_id, daily_mib)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, 0, ?14, ?15, ?16)",
        params![
            link.id.as_str(),
            link.application.as_ref().map(ApplicationId::as_str),
            &link.key.to_string(),
            &link.key.id().to_string(),
            link.state.name(),
            &to_json(&link.product)?,
            link.created_at,
            link.approved_at,
            link.settings.revision,
            link.settings.changed_at,
            link.settings.interval,
            link.settings.dormancy_days,
            &name_of(&link.settings.counting)?,
            link.product.id.as_str(),
            &link.product.server_id.to_string(),
            link.settings.daily_mib,
        ],
    )?;
    chain::begin(session, &link.id)
}
