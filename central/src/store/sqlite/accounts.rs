//! Administrators, sessions and API tokens on SQLite.

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, Row, params};

use super::row::{parsed, time};
use super::{SqliteStore, StoreError, Stored};
use crate::domain::{Admin, AdminName, ApiToken, NewSession, Session, TokenHash, TokenId};
use crate::store::{Accounts, PageSize};

#[async_trait]
impl Accounts for SqliteStore {
    async fn add_admin(&self, admin: &Admin) -> Stored<()> {
        let admin = admin.clone();
        self.write(move |connection| {
            let added = connection
                .prepare_cached(
                    "INSERT INTO admins (name, password, created_at) VALUES (?1, ?2, ?3) ON CONFLICT (name) DO NOTHING",
                )?
                .execute(params![admin.name.as_str(), admin.password, admin.created_at.as_millisecond()])?;
            if added == 0 { Err(StoreError::Conflict("an administrator with this name")) } else { Ok(()) }
        })
        .await
    }

    async fn set_password(&self, name: &AdminName, password: &str) -> Stored<()> {
        let (name, password) = (name.clone(), password.to_owned());
        self.write(move |connection| {
            let changed = connection
                .prepare_cached("UPDATE admins SET password = ?2 WHERE name = ?1")?
                .execute([name.as_str(), &password])?;
            if changed == 0 {
                return Err(StoreError::Missing("administrator"));
            }
            connection.prepare_cached("DELETE FROM sessions WHERE admin = ?1")?.execute([name.as_str()])?;
            Ok(())
        })
        .await
    }

    async fn admin(&self, name: &AdminName) -> Stored<Option<Admin>> {
        let name = name.clone();
        self.read(move |connection| {
            let mut query = connection.prepare_cached("SELECT * FROM admins WHERE name = ?1")?;
            Ok(query.query_row([name.as_str()], admin).optional()?)
        })
        .await
    }

    async fn has_admin(&self) -> Stored<bool> {
        self.read(|connection| Ok(connection.prepare_cached("SELECT 1 FROM admins LIMIT 1")?.exists([])?)).await
    }

    async fn begin_session(&self, session: &NewSession) -> Stored<()> {
        let session = session.clone();
        self.write(move |connection| {
            let now = session.created_at.as_millisecond();
            connection.prepare_cached("DELETE FROM sessions WHERE expires_at <= ?1")?.execute([now])?;
            connection
                .prepare_cached("INSERT INTO sessions (token, admin, created_at, expires_at) VALUES (?1, ?2, ?3, ?4)")?
                .execute(params![
                    session.token.hex(),
                    session.admin.as_str(),
                    now,
                    session.expires_at.as_millisecond()
                ])?;
            Ok(())
        })
        .await
    }

    async fn session(&self, token: &TokenHash, now: Timestamp) -> Stored<Option<Session>> {
        let token = token.hex();
        self.read(move |connection| {
            let mut query = connection.prepare_cached("SELECT * FROM sessions WHERE token = ?1 AND expires_at > ?2")?;
            let session =
                |row: &Row<'_>| Ok(Session { admin: parsed(row, "admin")?, expires_at: time(row, "expires_at")? });
            Ok(query.query_row(params![token, now.as_millisecond()], session).optional()?)
        })
        .await
    }

    async fn end_session(&self, token: &TokenHash) -> Stored<()> {
        let token = token.hex();
        self.write(move |connection| {
            connection.prepare_cached("DELETE FROM sessions WHERE token = ?1")?.execute([&token])?;
            Ok(())
        })
        .await
    }

    async fn add_api_token(&self, token: &ApiToken) -> Stored<()> {
        let token = token.clone();
        self.write(move |connection| {
            let mut query = connection.prepare_cached("SELECT 1 FROM admins WHERE name = ?1")?;
            if !query.exists([token.admin.as_str()])? {
                return Err(StoreError::Missing("administrator"));
            }
            connection
                .prepare_cached(
                    "INSERT INTO api_tokens (token, id, admin, label, created_at) VALUES (?1, ?2, ?3, ?4, ?5)",
                )?
                .execute(params![
                    token.token.hex(),
                    token.id.as_str(),
                    token.admin.as_str(),
                    token.label,
                    token.created_at.as_millisecond(),
                ])?;
            Ok(())
        })
        .await
    }

    async fn api_token(&self, token: &TokenHash) -> Stored<Option<ApiToken>> {
        let hash = token.clone();
        self.read(move |connection| {
            let mut query = connection.prepare_cached("SELECT * FROM api_tokens WHERE token = ?1")?;
            Ok(query.query_row([hash.hex()], api_token).optional()?)
        })
        .await
    }

    async fn api_tokens(&self) -> Stored<Vec<ApiToken>> {
        self.read(|connection| {
            let mut query =
                connection.prepare_cached("SELECT * FROM api_tokens ORDER BY created_at DESC, id DESC LIMIT ?1")?;
            Ok(query.query_map([PageSize::MAX], api_token)?.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }

    async fn revoke_api_token(&self, id: &TokenId) -> Stored<()> {
        let id = id.clone();
        self.write(move |connection| {
            let gone = connection.prepare_cached("DELETE FROM api_tokens WHERE id = ?1")?.execute([id.as_str()])?;
            if gone == 0 { Err(StoreError::Missing("API token")) } else { Ok(()) }
        })
        .await
    }
}

fn admin(row: &Row<'_>) -> rusqlite::Result<Admin> {
    Ok(Admin { name: parsed(row, "name")?, password: row.get("password")?, created_at: time(row, "created_at")? })
}

fn api_token(row: &Row<'_>) -> rusqlite::Result<ApiToken> {
    Ok(ApiToken {
        id: parsed(row, "id")?,
        token: parsed(row, "token")?,
        admin: parsed(row, "admin")?,
        label: row.get("label")?,
        created_at: time(row, "created_at")?,
    })
}
