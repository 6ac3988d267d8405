//! What becomes of somebody who comes back from the provider of single sign-on (`g10`).

use axum::http::HeaderValue;
use axum::http::request::Parts;

use super::session::{begin, confirmed};
use super::{SignInError, address, signed_in};
use crate::actions::accounts::AccountError;
use crate::domain::{Actor, ActorKind, Proof};
use crate::server::App;
use crate::sso::{Purpose, SignedOn, SsoError};

/// Signs somebody in whom the provider vouches for, or notes that he has proved again who he is. Gives the `Set-Cookie`
/// header of a new session, and where to go.
///
/// # Errors
/// [`SsoError::NoRole`] where none of his groups has a role: then an account that he had is removed.
/// [`SsoError::NotConfirmed`] where somebody else came back to confirm a session.
pub async fn sign_on(app: &App, parts: &Parts, on: SignedOn) -> Result<(Option<HeaderValue>, String), SignInError> {
    let address = Some(address(app, parts));
    let actor = |kind, name: String| Actor { kind, name, token: None, address };
    let (store, next) = (app.central.store(), on.next);
    let Some(person) = on.on else {
        let act = app.central.act(&actor(ActorKind::SingleSignOn, on.subject.subject.clone()))?;
        store.sign_off(&act, &on.subject).await?;
        return Err(SsoError::NoRole.into());
    };
    if on.purpose == Purpose::Confirm {
        let who = signed_in(app, parts, false).await?.ok_or(SsoError::NotConfirmed)?;
        let account = app.central.account(&who.name).await?;
        if account.proof != Proof::SingleSignOn(on.subject) {
            return Err(SsoError::NotConfirmed.into());
        }
        confirmed(&app.central, &who).await?;
        return Ok((None, next));
    }
    let act = app.central.act(&actor(ActorKind::SingleSignOn, person.name.to_string()))?;
    let account = store.sign_on(&act, &person).await?.map_err(AccountError::from)?;
    let actor = actor(ActorKind::Person, account.name.to_string());
    let session = begin(&app.central, app.life, &actor, account.name, &parts.headers).await?;
    Ok((Some(session), next))
}
