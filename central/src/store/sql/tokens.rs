//! Tokens of programs.

use async_trait::async_trait;
use jiff::Timestamp;

use super::accounts::find;
use super::row::Row;
use super::session::params;
use super::{SqlStore, StoreError, Stored};
use crate::domain::{AccountName, Act, ApiToken, Changed, Object, PresentedToken, Record, TokenHash, TokenId};
use crate::store::{Cursor, Page, PageSize, Tokens};

/// The columns of a token.
macro_rules! tokens {
    ($which:literal) => {
        concat!(
            "SELECT api_tokens.id, api_tokens.token, api_tokens.account, api_tokens.label, api_tokens.scopes,
                    api_tokens.created_at, api_tokens.expires_at, api_tokens.last_used_day, accounts.role,
                    accounts.issuer, COALESCE(accounts.last_sign_in_at, accounts.created_at) AS vouched_at
             FROM api_tokens JOIN accounts ON accounts.name = api_tokens.account ",
            $which
        )
    };
}

#[async_trait]
impl Tokens for SqlStore {
    async fn add_api_token(&self, act: &Act, token: &ApiToken) -> Stored<()> {
        let token = token.clone();
        self.change(act, move |session| {
            if find(session, &token.account)?.is_none() {
                return Err(StoreError::Missing("account"));
            }
            session.run(
                "INSERT INTO api_tokens (token, id, account, label, scopes, created_at, expires_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![
                    &token.token.hex(),
                    token.id.as_str(),
                    token.account.as_str(),
                    &token.label,
                    &token.scopes.to_string(),
                    token.created_at,
                    token.expires_at,
                ],
            )?;
            Ok(Changed::new((), Record::made("token.create", object(&token), &token)))
        })
        .await
    }

    async fn api_token(&self, token: &TokenHash, now: Timestamp) -> Stored<Option<PresentedToken>> {
        let token = token.hex();
        self.read(move |session| {
            session.row(
                tokens!(
                    "WHERE api_tokens.token = ?1 AND (api_tokens.expires_at IS NULL OR api_tokens.expires_at > ?2)"
                ),
                params![&token, now],
                presented,
            )
        })
        .await
    }

    async fn use_api_token(&self, id: &TokenId, day: Timestamp) -> Stored<()> {
        let id = id.clone();
        self.write(move |session| {
            session.run("UPDATE api_tokens SET last_used_day = ?2 WHERE id = ?1", params![id.as_str(), day])
        })
        .await
    }

    async fn api_tokens(
        &self,
        of: Option<&AccountName>,
        after: Option<&Cursor>,
        size: PageSize,
    ) -> Stored<Page<ApiToken>> {
        let of = of.cloned();
        let (before, below) = after.map_or(Ok((Timestamp::MAX, String::new())), place)?;
        self.read(move |session| {
            let sql = match &of {
                Some(_) => tokens!(
                    "WHERE api_tokens.account = ?3
                       AND (api_tokens.created_at, api_tokens.id) < (?1, ?2)
                     ORDER BY api_tokens.created_at DESC, api_tokens.id DESC LIMIT ?4"
                ),
                None => tokens!(
                    "WHERE (api_tokens.created_at, api_tokens.id) < (?1, ?2)
                       AND ?3 = ''
                     ORDER BY api_tokens.created_at DESC, api_tokens.id DESC LIMIT ?4"
                ),
            };
            let of = of.as_ref().map_or("", AccountName::as_str);
            let rows = session.rows(sql, params![before, &below, of, size.rows_and_one()], api_token)?;
            Ok(Page::cut(rows, size, |token: &ApiToken| format!("{}-{}", token.created_at.as_millisecond(), token.id)))
        })
        .await
    }

    async fn revoke_api_token(&self, act: &Act, id: &TokenId, of: Option<&AccountName>) -> Stored<()> {
        let (id, of) = (id.clone(), of.cloned());
        self.change(act, move |session| {
            let found = session.row(tokens!("WHERE api_tokens.id = ?1"), params![id.as_str()], api_token)?;
            let owned = found.filter(|token| of.as_ref().is_none_or(|of| token.account == *of));
            let token = owned.ok_or(StoreError::Missing("API token"))?;
            session.run("DELETE FROM api_tokens WHERE id = ?1", params![id.as_str()])?;
            Ok(Changed::new((), Record::removed("token.revoke", object(&token), &token)))
        })
        .await
    }
}

fn object(token: &ApiToken) -> Object {
    Object::new("token", &token.id, &token.label)
}

/// The place that a cursor of this list names.
fn place(cursor: &Cursor) -> Stored<(Timestamp, String)> {
    let (at, id) = cursor.place().and_then(|place| place.split_once('-')).ok_or(StoreError::Cursor)?;
    let id: TokenId = id.parse().map_err(|_| StoreError::Cursor)?;
    let at = at.parse().ok().and_then(|at| Timestamp::from_millisecond(at).ok()).ok_or(StoreError::Cursor)?;
    Ok((at, id.to_string()))
}

fn presented(row: &Row<'_>) -> Stored<PresentedToken> {
    let is_vouched_for = row.text_option("issuer")?.is_some();
    let vouched_at = if is_vouched_for { row.time_option("vouched_at")? } else { None };
    Ok(PresentedToken { token: api_token(row)?, role: row.parsed("role")?, vouched_at })
}

fn api_token(row: &Row<'_>) -> Stored<ApiToken> {
    Ok(ApiToken {
        id: row.parsed("id")?,
        token: row.parsed("token")?,
        account: row.parsed("account")?,
        label: row.text("label")?,
        scopes: row.parsed("scopes")?,
        created_at: row.time("created_at")?,
        expires_at: row.time_option("expires_at")?,
        last_used_day: row.time_option("last_used_day")?,
    })
}
