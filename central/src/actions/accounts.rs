//! Accounts, their roles and passwords, their sessions and tokens (`g11`).

use jiff::{SignedDuration, Timestamp};
use seatline_protocol::text;
use seatline_web::password;
use seatline_web::secret::{random, random_secret};
use seatline_web::turns::Turns;
use zeroize::Zeroizing;

use crate::auth::token::PREFIX;
use crate::central::{ActionError, Central};
use crate::domain::{
    Account, AccountName, AccountRefusal, Actor, ActorKind, ApiToken, Proof, Role, Scopes, SessionId, TokenHash,
    TokenId,
};

/// The most characters of a token's label.
const MAX_LABEL: usize = 100;
/// The most days until a token ends by itself.
const MAX_TOKEN_DAYS: u32 = 3650;

/// A change of accounts could not be made. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// As with every change.
    #[error(transparent)]
    Action(#[from] ActionError),
    /// The rules of accounts refuse it.
    #[error(transparent)]
    Refused(#[from] AccountRefusal),
    /// It is the actor's own account.
    #[error("this is your own account: another administrator changes its role or removes it")]
    Own,
}

impl AccountError {
    /// A stable code for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Action(error) => error.code(),
            Self::Refused(refusal) => refusal.code(),
            Self::Own => "own-account",
        }
    }
}

impl From<crate::store::StoreError> for AccountError {
    fn from(error: crate::store::StoreError) -> Self {
        Self::Action(error.into())
    }
}

impl From<seatline_web::password::PasswordError> for AccountError {
    fn from(error: seatline_web::password::PasswordError) -> Self {
        Self::Action(error.into())
    }
}

impl From<getrandom::Error> for AccountError {
    fn from(error: getrandom::Error) -> Self {
        Self::Action(error.into())
    }
}

/// A token that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewToken<'a> {
    /// What it is for, in one line.
    pub label: &'a str,
    /// What it is narrowed to.
    pub scopes: Scopes,
    /// After how many days it ends by itself.
    pub days: Option<u32>,
}

impl Central {
    /// Adds somebody who signs in by a password.
    ///
    /// # Errors
    /// [`ActionError::Invalid`] for a name or password that breaks its rule; a conflict where the name is taken.
    pub async fn add_account(
        &self,
        actor: &Actor,
        name: &str,
        role: Role,
        password: &str,
    ) -> Result<Account, AccountError> {
        let name: AccountName = name.parse().map_err(|error| ActionError::invalid("name", error))?;
        let act = self.act(actor)?;
        let proof = Proof::Password { hash: hashed(password).await? };
        let account = Account { name, role, proof, created_at: act.at, last_sign_in_at: None };
        self.store().add_account(&act, &account).await?;
        Ok(account)
    }

    /// The account of a name.
    ///
    /// # Errors
    /// [`ActionError::NotFound`] where there is none.
    pub async fn account(&self, name: &AccountName) -> Result<Account, ActionError> {
        self.store().account(name).await?.ok_or(ActionError::NotFound("account"))
    }

    /// Gives an account another role. It holds for all its sessions and tokens at once.
    ///
    /// # Errors
    /// [`AccountError::Own`] for one's own account, [`AccountRefusal::LastAdministrator`] for the last one.
    pub async fn change_role(&self, actor: &Actor, name: &AccountName, role: Role) -> Result<Account, AccountError> {
        not_own(actor, name)?;
        Ok(self.store().set_role(&self.act(actor)?, name, role).await??)
    }

    /// Removes an account, with its sessions and tokens.
    ///
    /// # Errors
    /// As [`Self::change_role`].
    pub async fn remove_account(&self, actor: &Actor, name: &AccountName) -> Result<(), AccountError> {
        not_own(actor, name)?;
        Ok(self.store().remove_account(&self.act(actor)?, name).await??)
    }

    /// Sets another password of an account, and ends its sessions but `keep`; its tokens stay.
    ///
    /// # Errors
    /// [`ActionError::Invalid`] for a password that breaks its rule, [`AccountRefusal::SingleSignOn`] for an account
    /// that has none here.
    pub async fn set_password(
        &self,
        actor: &Actor,
        name: &AccountName,
        password: &str,
        keep: Option<&SessionId>,
    ) -> Result<(), AccountError> {
        let hash = hashed(password).await?;
        Ok(self.store().set_password(&self.act(actor)?, name, &hash, keep).await??)
    }

    /// Ends a session of an account.
    ///
    /// # Errors
    /// Where the store cannot do it.
    pub async fn end_session(&self, actor: &Actor, name: &AccountName, id: &SessionId) -> Result<(), ActionError> {
        Ok(self.store().end_session(&self.act(actor)?, name, id).await?)
    }

    /// Ends the sessions of an account, all but `keep`, and says how many.
    ///
    /// # Errors
    /// Where the store cannot do it.
    pub async fn end_sessions(
        &self,
        actor: &Actor,
        name: &AccountName,
        keep: Option<&SessionId>,
    ) -> Result<u64, ActionError> {
        Ok(self.store().end_sessions(&self.act(actor)?, name, keep).await?)
    }

    /// Makes an API token in the name of `owner`: gives the token itself, which cannot be had again, and what is kept.
    ///
    /// # Errors
    /// [`ActionError::Invalid`] for a label, scope or end that breaks its rule, [`ActionError::NotFound`] where there
    /// is no such account.
    pub async fn create_token(
        &self,
        actor: &Actor,
        owner: &AccountName,
        new: NewToken<'_>,
    ) -> Result<(Zeroizing<String>, ApiToken), ActionError> {
        if new.label.is_empty() || !text::is_line(new.label, MAX_LABEL) {
            return Err(ActionError::invalid("label", format!("a label is one line of 1 to {MAX_LABEL} characters")));
        }
        let role = self.account(owner).await?.role;
        if new.scopes.greatest() > role {
            let reason = format!("{owner} is {role}, and a token never may more than its owner");
            return Err(ActionError::invalid("scopes", reason));
        }
        let act = self.act(actor)?;
        let token = Zeroizing::new(format!("{PREFIX}{}", *random_secret()?));
        let kept = ApiToken {
            id: TokenId::from_random(random()?),
            token: TokenHash::of(token.as_bytes()),
            account: owner.clone(),
            label: new.label.to_owned(),
            scopes: new.scopes,
            created_at: act.at,
            expires_at: new.days.map(|days| ends(act.at, days)).transpose()?,
            last_used_day: None,
        };
        self.store().add_api_token(&act, &kept).await?;
        Ok((token, kept))
    }

    /// Revokes an API token, of `owner` alone where that is given.
    ///
    /// # Errors
    /// [`ActionError::NotFound`] where there is none of this id.
    pub async fn revoke_token(
        &self,
        actor: &Actor,
        id: &TokenId,
        owner: Option<&AccountName>,
    ) -> Result<(), ActionError> {
        Ok(self.store().revoke_api_token(&self.act(actor)?, id, owner).await?)
    }
}

fn ends(now: Timestamp, days: u32) -> Result<Timestamp, ActionError> {
    let rule = || ActionError::invalid("days", format!("a token ends after 1 to {MAX_TOKEN_DAYS} days, or never"));
    let days = Some(days).filter(|days| (1..=MAX_TOKEN_DAYS).contains(days)).ok_or_else(rule)?;
    now.checked_add(SignedDuration::from_hours(24 * i64::from(days))).map_err(|_| rule())
}

/// Nobody takes his own rights away by mistake. On the command line there is no own account.
fn not_own(actor: &Actor, name: &AccountName) -> Result<(), AccountError> {
    let is_account = matches!(actor.kind, ActorKind::Person | ActorKind::Token);
    if is_account && actor.name == name.as_str() { Err(AccountError::Own) } else { Ok(()) }
}

/// Passwords that are hashed: each takes 19 MiB and some 30 ms of a processor.
static HASHING: Turns = Turns::new(2);

/// The hash of a password, made off the threads that answer requests.
async fn hashed(password: &str) -> Result<String, AccountError> {
    let password = Zeroizing::new(password.to_owned());
    let hashed = HASHING.run(move || password::hash(&password)).await;
    let hashed = hashed.map_err(|error| ActionError::Store(crate::store::StoreError::Unavailable(Box::new(error))))?;
    Ok(hashed?)
}
