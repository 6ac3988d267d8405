//! Accounts.

use async_trait::async_trait;

use super::row::Row;
use super::session::{Session, params};
use super::{SqlStore, StoreError, Stored};
use crate::domain::{
    Account, AccountName, AccountRefusal, Act, Changed, Object, Proof, Record, Role, SessionId, SignOn, Subject,
};
use crate::store::{Accounts, Cursor, Page, PageSize};

/// The columns of an account.
macro_rules! accounts {
    ($which:literal) => {
        concat!("SELECT name, role, password, issuer, subject, created_at, last_sign_in_at FROM accounts ", $which)
    };
}

#[async_trait]
impl Accounts for SqlStore {
    async fn add_account(&self, act: &Act, account: &Account) -> Stored<()> {
        let account = account.clone();
        self.change(act, move |session| {
            if !insert(session, &account)? {
                return Err(StoreError::Conflict("an account with this name"));
            }
            Ok(Changed::new((), Record::made("account.add", object(&account.name), &account)))
        })
        .await
    }

    async fn account(&self, name: &AccountName) -> Stored<Option<Account>> {
        let name = name.clone();
        self.read(move |session| find(session, &name)).await
    }

    async fn accounts(&self, after: Option<&Cursor>, size: PageSize) -> Stored<Page<Account>> {
        let after = after.map(|cursor| cursor.place().ok_or(StoreError::Cursor)).transpose()?.map(str::to_owned);
        self.read(move |session| {
            let values = params![after.as_deref().unwrap_or_default(), size.rows_and_one()];
            let rows = session.rows(accounts!("WHERE name > ?1 ORDER BY name LIMIT ?2"), values, account)?;
            Ok(Page::cut(rows, size, |account: &Account| account.name.to_string()))
        })
        .await
    }

    async fn has_administrator(&self) -> Stored<bool> {
        self.read(|session| {
            session.exists("SELECT name FROM accounts WHERE role = ?1 LIMIT 1", params![Role::Administrator.name()])
        })
        .await
    }

    async fn set_role(&self, act: &Act, name: &AccountName, role: Role) -> Stored<Result<Account, AccountRefusal>> {
        let name = name.clone();
        self.change(act, move |session| {
            let before = one_at_a_time(session, &name)?;
            if let Err(refusal) = may_lose_role(session, &before, Some(role))? {
                return Ok(Changed::nothing(Err(refusal)));
            }
            if before.role == role {
                return Ok(Changed::nothing(Ok(before)));
            }
            if matches!(before.proof, Proof::SingleSignOn(_)) {
                return Ok(Changed::nothing(Err(AccountRefusal::SingleSignOn)));
            }
            session.run("UPDATE accounts SET role = ?2 WHERE name = ?1", params![name.as_str(), role.name()])?;
            let after = Account { role, ..before.clone() };
            let record = Record::changed("account.role", object(&name), &before, &after);
            Ok(Changed::new(Ok(after), record))
        })
        .await
    }

    async fn set_password(
        &self,
        act: &Act,
        name: &AccountName,
        hash: &str,
        keep: Option<&SessionId>,
    ) -> Stored<Result<(), AccountRefusal>> {
        let (name, hash, keep) = (name.clone(), hash.to_owned(), keep.cloned());
        self.change(act, move |session| {
            let before = one_at_a_time(session, &name)?;
            if before.password().is_none() {
                return Ok(Changed::nothing(Err(AccountRefusal::SingleSignOn)));
            }
            session.run("UPDATE accounts SET password = ?2 WHERE name = ?1", params![name.as_str(), &hash])?;
            let keep = keep.as_ref().map_or("", SessionId::as_str);
            session.run("DELETE FROM sessions WHERE account = ?1 AND id <> ?2", params![name.as_str(), keep])?;
            Ok(Changed::new(Ok(()), Record::done("account.password", object(&name))))
        })
        .await
    }

    async fn remove_account(&self, act: &Act, name: &AccountName) -> Stored<Result<(), AccountRefusal>> {
        let name = name.clone();
        self.change(act, move |session| {
            let before = one_at_a_time(session, &name)?;
            if let Err(refusal) = may_lose_role(session, &before, None)? {
                return Ok(Changed::nothing(Err(refusal)));
            }
            remove(session, &name)?;
            Ok(Changed::new(Ok(()), Record::removed("account.remove", object(&name), &before)))
        })
        .await
    }

    async fn sign_on(&self, act: &Act, on: &SignOn) -> Stored<Result<Account, AccountRefusal>> {
        let (on, now) = (on.clone(), act.at);
        self.change(act, move |session| {
            in_turn(session)?;
            let Some(before) = known(session, &on.subject)? else {
                let proof = Proof::SingleSignOn(on.subject.clone());
                let (name, role) = (on.name.clone(), on.role);
                let account = Account { name, role, proof, created_at: now, last_sign_in_at: None };
                if !insert(session, &account)? {
                    return Ok(Changed::nothing(Err(AccountRefusal::NameTaken)));
                }
                let record = Record::made("account.add", object(&account.name), &account);
                return Ok(Changed::new(Ok(account), record));
            };
            // What people call somebody here stays what it was: entries, tokens and sessions name him by it.
            if before.role == on.role {
                return Ok(Changed::nothing(Ok(before)));
            }
            let role = params![before.name.as_str(), on.role.name()];
            session.run("UPDATE accounts SET role = ?2 WHERE name = ?1", role)?;
            let after = Account { role: on.role, ..before.clone() };
            let record = Record::changed("account.role", object(&after.name), &before, &after);
            Ok(Changed::new(Ok(after), record))
        })
        .await
    }

    async fn sign_off(&self, act: &Act, subject: &Subject) -> Stored<()> {
        let subject = subject.clone();
        self.change(act, move |session| {
            in_turn(session)?;
            let Some(before) = known(session, &subject)? else { return Ok(Changed::nothing(())) };
            remove(session, &before.name)?;
            Ok(Changed::new((), Record::removed("account.remove", object(&before.name), &before)))
        })
        .await
    }
}

/// An account, as entries of the audit log name it.
pub(super) fn object(name: &AccountName) -> Object {
    Object::new("account", name, name)
}

/// The account of a name.
pub(super) fn find(session: &dyn Session, name: &AccountName) -> Stored<Option<Account>> {
    session.row(accounts!("WHERE name = ?1"), params![name.as_str()], account)
}

/// The account of somebody whom a provider knows.
fn known(session: &dyn Session, on: &Subject) -> Stored<Option<Account>> {
    session.row(accounts!("WHERE issuer = ?1 AND subject = ?2"), params![&on.issuer, &on.subject], account)
}

/// Changes of accounts go one at a time, so that two of them never each leave the other's administrator as the last.
fn in_turn(session: &dyn Session) -> Stored<()> {
    session.exists("SELECT key_id FROM identity WHERE singleton = 1 FOR UPDATE", &[]).map(drop)
}

fn one_at_a_time(session: &dyn Session, name: &AccountName) -> Stored<Account> {
    in_turn(session)?;
    find(session, name)?.ok_or(StoreError::Missing("account"))
}

/// Whether an account may come to the role `to`, or be removed, without leaving the server to nobody.
fn may_lose_role(session: &dyn Session, account: &Account, to: Option<Role>) -> Stored<Result<(), AccountRefusal>> {
    if account.role != Role::Administrator || to == Some(Role::Administrator) {
        return Ok(Ok(()));
    }
    let others = session.exists(
        "SELECT name FROM accounts WHERE role = ?1 AND name <> ?2 LIMIT 1",
        params![Role::Administrator.name(), account.name.as_str()],
    )?;
    Ok(if others { Ok(()) } else { Err(AccountRefusal::LastAdministrator) })
}

/// Whether it was added: another may have its name.
fn insert(session: &dyn Session, account: &Account) -> Stored<bool> {
    let (issuer, subject) = match &account.proof {
        Proof::SingleSignOn(on) => (Some(on.issuer.as_str()), Some(on.subject.as_str())),
        Proof::Password { .. } => (None, None),
    };
    let added = session.execute(
        "INSERT INTO accounts (name, role, password, issuer, subject, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (name) DO NOTHING",
        params![account.name.as_str(), account.role.name(), account.password(), issuer, subject, account.created_at],
    )?;
    Ok(added > 0)
}

/// Removes an account and all that lets its owner in.
fn remove(session: &dyn Session, name: &AccountName) -> Stored<()> {
    session.run("DELETE FROM sessions WHERE account = ?1", params![name.as_str()])?;
    session.run("DELETE FROM api_tokens WHERE account = ?1", params![name.as_str()])?;
    session.run("DELETE FROM accounts WHERE name = ?1", params![name.as_str()])
}

fn account(row: &Row<'_>) -> Stored<Account> {
    let proof = match row.text_option("password")? {
        Some(hash) => Proof::Password { hash },
        None => Proof::SingleSignOn(Subject { issuer: row.text("issuer")?, subject: row.text("subject")? }),
    };
    Ok(Account {
        name: row.parsed("name")?,
        role: row.parsed("role")?,
        proof,
        created_at: row.time("created_at")?,
        last_sign_in_at: row.time_option("last_sign_in_at")?,
    })
}
