//! Administrators, sessions and API tokens.

use async_trait::async_trait;
use jiff::Timestamp;

use super::row::Row;
use super::session::params;
use super::{SqlStore, StoreError, Stored};
use crate::domain::{Admin, AdminName, ApiToken, NewSession, Session, TokenHash, TokenId};
use crate::store::{Accounts, PageSize};

#[async_trait]
impl Accounts for SqlStore {
    async fn add_admin(&self, admin: &Admin) -> Stored<()> {
        let admin = admin.clone();
        self.write(move |session| {
            let added = session.execute(
                "INSERT INTO admins (name, password, created_at) VALUES (?1, ?2, ?3) ON CONFLICT (name) DO NOTHING",
                params![admin.name.as_str(), &admin.password, admin.created_at],
            )?;
            if added == 0 { Err(StoreError::Conflict("an administrator with this name")) } else { Ok(()) }
        })
        .await
    }

    async fn set_password(&self, name: &AdminName, password: &str) -> Stored<()> {
        let (name, password) = (name.clone(), password.to_owned());
        self.write(move |session| {
            let changed = session
                .execute("UPDATE admins SET password = ?2 WHERE name = ?1", params![name.as_str(), &password])?;
            if changed == 0 {
                return Err(StoreError::Missing("administrator"));
            }
            session.run("DELETE FROM sessions WHERE admin = ?1", params![name.as_str()])
        })
        .await
    }

    async fn admin(&self, name: &AdminName) -> Stored<Option<Admin>> {
        let name = name.clone();
        self.read(move |session| {
            session.row("SELECT name, password, created_at FROM admins WHERE name = ?1", params![name.as_str()], admin)
        })
        .await
    }

    async fn has_admin(&self) -> Stored<bool> {
        self.read(|session| session.exists("SELECT name FROM admins LIMIT 1", &[])).await
    }

    async fn begin_session(&self, begun: &NewSession) -> Stored<()> {
        let begun = begun.clone();
        self.write(move |session| {
            session.run("DELETE FROM sessions WHERE expires_at <= ?1", params![begun.created_at])?;
            session.run(
                "INSERT INTO sessions (token, admin, created_at, expires_at) VALUES (?1, ?2, ?3, ?4)",
                params![&begun.token.hex(), begun.admin.as_str(), begun.created_at, begun.expires_at],
            )
        })
        .await
    }

    async fn session(&self, token: &TokenHash, now: Timestamp) -> Stored<Option<Session>> {
        let token = token.hex();
        self.read(move |session| {
            session.row(
                "SELECT admin, expires_at FROM sessions WHERE token = ?1 AND expires_at > ?2",
                params![&token, now],
                |row| Ok(Session { admin: row.parsed("admin")?, expires_at: row.time("expires_at")? }),
            )
        })
        .await
    }

    async fn end_session(&self, token: &TokenHash) -> Stored<()> {
        let token = token.hex();
        self.write(move |session| session.run("DELETE FROM sessions WHERE token = ?1", params![&token])).await
    }

    async fn add_api_token(&self, token: &ApiToken) -> Stored<()> {
        let token = token.clone();
        self.write(move |session| {
            let owner = params![token.admin.as_str()];
            if !session.exists("SELECT name FROM admins WHERE name = ?1 FOR UPDATE", owner)? {
                return Err(StoreError::Missing("administrator"));
            }
            session.run(
                "INSERT INTO api_tokens (token, id, admin, label, created_at) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![&token.token.hex(), token.id.as_str(), token.admin.as_str(), &token.label, token.created_at,],
            )
        })
        .await
    }

    async fn api_token(&self, token: &TokenHash) -> Stored<Option<ApiToken>> {
        let token = token.hex();
        self.read(move |session| {
            session.row(
                "SELECT id, token, admin, label, created_at FROM api_tokens WHERE token = ?1",
                params![&token],
                api_token,
            )
        })
        .await
    }

    async fn api_tokens(&self) -> Stored<Vec<ApiToken>> {
        self.read(|session| {
            session.rows(
                "SELECT id, token, admin, label, created_at FROM api_tokens
                 ORDER BY created_at DESC, id DESC LIMIT ?1",
                params![PageSize::MAX],
                api_token,
            )
        })
        .await
    }

    async fn revoke_api_token(&self, id: &TokenId) -> Stored<()> {
        let id = id.clone();
        self.write(move |session| {
            let gone = session.execute("DELETE FROM api_tokens WHERE id = ?1", params![id.as_str()])?;
            if gone == 0 { Err(StoreError::Missing("API token")) } else { Ok(()) }
        })
        .await
    }
}

fn admin(row: &Row<'_>) -> Stored<Admin> {
    Ok(Admin { name: row.parsed("name")?, password: row.text("password")?, created_at: row.time("created_at")? })
}

fn api_token(row: &Row<'_>) -> Stored<ApiToken> {
    Ok(ApiToken {
        id: row.parsed("id")?,
        token: row.parsed("token")?,
        admin: row.parsed("admin")?,
        label: row.text("label")?,
        created_at: row.time("created_at")?,
    })
}
