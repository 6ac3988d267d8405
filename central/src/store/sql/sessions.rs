//! Sessions of people who signed in.

use async_trait::async_trait;
use jiff::Timestamp;

use super::accounts::object;
use super::row::Row;
use super::session::params;
use super::{SqlStore, StoreError, Stored};
use crate::domain::{AccountName, Act, Changed, NewSession, Record, Session, SessionId, TokenHash};
use crate::store::{PageSize, Sessions};

/// The columns of a session.
macro_rules! sessions {
    ($which:literal) => {
        concat!(
            "SELECT sessions.id, sessions.account, accounts.role, sessions.created_at, sessions.last_used_at,
                    sessions.expires_at, sessions.address, sessions.browser, sessions.confirmed_until
             FROM sessions JOIN accounts ON accounts.name = sessions.account ",
            $which
        )
    };
}

#[async_trait]
impl Sessions for SqlStore {
    async fn begin_session(&self, act: &Act, begun: &NewSession, ended: Option<&TokenHash>) -> Stored<()> {
        let (begun, ended) = (begun.clone(), ended.map(TokenHash::hex));
        self.change(act, move |session| {
            let signed_in = session.execute(
                "UPDATE accounts SET last_sign_in_at = ?2 WHERE name = ?1",
                params![begun.account.as_str(), begun.created_at],
            )?;
            if signed_in == 0 {
                return Err(StoreError::Missing("account"));
            }
            session.run("DELETE FROM sessions WHERE expires_at <= ?1", params![begun.created_at])?;
            if let Some(ended) = &ended {
                session.run("DELETE FROM sessions WHERE token = ?1", params![ended])?;
            }
            session.run(
                "INSERT INTO sessions (token, id, account, created_at, last_used_at, expires_at, address, browser)
                 VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6, ?7)",
                params![
                    &begun.token.hex(),
                    begun.id.as_str(),
                    begun.account.as_str(),
                    begun.created_at,
                    begun.expires_at,
                    &begun.address.to_string(),
                    &begun.browser,
                ],
            )?;
            Ok(Changed::new((), Record::done("session.begin", object(&begun.account))))
        })
        .await
    }

    async fn session(&self, token: &TokenHash, now: Timestamp, used_since: Timestamp) -> Stored<Option<Session>> {
        let token = token.hex();
        self.read(move |session| {
            session.row(
                sessions!("WHERE sessions.token = ?1 AND sessions.expires_at > ?2 AND sessions.last_used_at > ?3"),
                params![&token, now, used_since],
                running,
            )
        })
        .await
    }

    async fn use_session(&self, id: &SessionId, now: Timestamp) -> Stored<()> {
        let id = id.clone();
        self.write(move |session| {
            session.run("UPDATE sessions SET last_used_at = ?2 WHERE id = ?1", params![id.as_str(), now])
        })
        .await
    }

    async fn confirm_session(&self, id: &SessionId, until: Option<Timestamp>) -> Stored<()> {
        let id = id.clone();
        self.write(move |session| {
            session.run("UPDATE sessions SET confirmed_until = ?2 WHERE id = ?1", params![id.as_str(), until])
        })
        .await
    }

    async fn sessions_of(&self, name: &AccountName, now: Timestamp, used_since: Timestamp) -> Stored<Vec<Session>> {
        let name = name.clone();
        self.read(move |session| {
            session.rows(
                sessions!(
                    "WHERE sessions.account = ?1 AND sessions.expires_at > ?2 AND sessions.last_used_at > ?3
                     ORDER BY sessions.created_at DESC, sessions.id DESC LIMIT ?4"
                ),
                params![name.as_str(), now, used_since, PageSize::MAX],
                running,
            )
        })
        .await
    }

    async fn end_session(&self, act: &Act, name: &AccountName, id: &SessionId) -> Stored<()> {
        let (name, id) = (name.clone(), id.clone());
        self.change(act, move |session| {
            let ended = session
                .execute("DELETE FROM sessions WHERE id = ?1 AND account = ?2", params![id.as_str(), name.as_str()])?;
            Ok(match ended {
                0 => Changed::nothing(()),
                _ => Changed::new((), Record::done("session.end", object(&name))),
            })
        })
        .await
    }

    async fn end_sessions(&self, act: &Act, name: &AccountName, keep: Option<&SessionId>) -> Stored<u64> {
        let (name, keep) = (name.clone(), keep.cloned());
        self.change(act, move |session| {
            let keep = keep.as_ref().map_or("", SessionId::as_str);
            let ended = session
                .execute("DELETE FROM sessions WHERE account = ?1 AND id <> ?2", params![name.as_str(), keep])?;
            Ok(match ended {
                0 => Changed::nothing(0),
                _ => Changed::new(ended, Record::done("session.end-all", object(&name))),
            })
        })
        .await
    }
}

fn running(row: &Row<'_>) -> Stored<Session> {
    Ok(Session {
        id: row.parsed("id")?,
        account: row.parsed("account")?,
        role: row.parsed("role")?,
        created_at: row.time("created_at")?,
        last_used_at: row.time("last_used_at")?,
        expires_at: row.time("expires_at")?,
        address: row.parsed("address")?,
        browser: row.text("browser")?,
        confirmed_until: row.time_option("confirmed_until")?,
    })
}
