//! What an answer changes: the link goes on, settings change, receipts are stored and their reports leave the outbox.

use jiff::Timestamp;
use seatline_protocol::continuity::MAX_STATEMENTS;
use seatline_protocol::exchange::{ExchangeResponse, MAX_REPORTS, Refusal, RefusalCode};
use seatline_protocol::report::{MAX_CLOCK_AHEAD, MAX_CLOCK_BEHIND};
use seatline_protocol::{Document, PseudonymKey, Receipt, Removal, Settings, Welcome, seal};

use super::{ExchangeError, ExchangeOutcome, ExchangeState};
use crate::identity;
use crate::link::{Link, LinkError};
use crate::outbox::{self, Outbox};
use crate::repeats;
use crate::slots;
use crate::store::{LockedStore, Slot, StoreError};

/// The most refusals of an answer that are kept: one for each report and statement, the join and the whole.
const MAX_REFUSALS: usize = MAX_REPORTS + MAX_STATEMENTS + 2;

/// The sealed documents of an answer, opened with the key that the link is pinned to. All are verified before any is
/// used.
struct Answer {
    welcome: Option<Welcome>,
    settings: Option<Settings>,
    pseudonym_key: Option<PseudonymKey>,
    receipts: Vec<(Receipt, String)>,
    removal: Option<Removal>,
}

impl Answer {
    fn open(response: &ExchangeResponse, link: &Link) -> Result<Self, ExchangeError> {
        let welcome = response.welcome.as_deref().map(|sealed| open::<Welcome>("welcome", sealed, link)).transpose()?;
        if let Some(welcome) = &welcome
            && welcome.key != link.secret_key()?.public().id()
        {
            return Err(ExchangeError::OtherLink);
        }
        let settings = response.settings.as_deref().map(|sealed| open("settings", sealed, link)).transpose()?;
        let pseudonym_key = response.pseudonym_key.as_deref().map(|sealed| open("pseudonym key", sealed, link));
        let pseudonym_key = pseudonym_key.transpose()?;
        let receipts = response.receipts.iter().take(MAX_REPORTS);
        let receipts = receipts.map(|sealed| Ok((open("receipt", sealed, link)?, sealed.clone())));
        let receipts = receipts.collect::<Result<_, ExchangeError>>()?;
        let removal = response.removal.as_deref().map(|sealed| open("removal", sealed, link)).transpose()?;
        Ok(Self { welcome, settings, pseudonym_key, receipts, removal })
    }
}

fn open<T: Document>(document: &'static str, sealed: &str, link: &Link) -> Result<T, ExchangeError> {
    seal::open(sealed, std::slice::from_ref(&link.central_key))
        .map_err(|source| ExchangeError::Answer { document, source })
}

/// Takes an answer that came at `now`. Online, it answers what was `asked` for a link: that must still be the present
/// one. An answer by file answers whom its documents name.
pub(crate) fn take(
    locked: &mut dyn LockedStore,
    response: &ExchangeResponse,
    asked: Option<&Link>,
    now: Timestamp,
) -> Result<ExchangeOutcome, ExchangeError> {
    let mut link = answering(locked, asked)?;
    let answer = Answer::open(response, &link)?;
    let mut outcome = ExchangeOutcome::default();
    if let Some(welcome) = answer.welcome {
        link.take_welcome(welcome);
        link.write(locked)?;
    }
    take_wishes(locked, &mut link, answer.settings, now, &mut outcome)?;
    if answer.pseudonym_key.is_some_and(|key| link.take_pseudonym_key(key)) {
        link.write(locked)?;
        outcome.pseudonym_key_replaced = true;
        tracing::info!("the central server has made a new pseudonym key: the next report is made with it");
    }
    let refused =
        response.refusals.iter().take(MAX_REFUSALS).find_map(|refusal| match ExchangeError::refused(refusal) {
            ExchangeError::JoinRefused(refusal) => Some(refusal),
            _ => None,
        });
    if let Some(refusal) = refused {
        link.take_refusal(refusal);
        link.write(locked)?;
    }
    if let Some(approved) = link.approved() {
        outcome.receipts = outbox::receive(locked, approved.link, answer.receipts)?;
        repeats::received(locked, &outcome.receipts)?;
    }
    take_removal(locked, &mut link, answer.removal, now)?;
    let is_unknown = response.refusals.iter().any(|refusal| refusal.code == RefusalCode::LinkUnknown.name());
    if is_unknown && link.rotation_is_forgotten() {
        link.write(locked)?;
    }
    outcome.noted = identity::state::note(locked, &link, &response.noted)?;
    outcome.refusals = response.refusals.iter().take(MAX_REFUSALS).cloned().collect();
    let mut state = ExchangeState::read(locked.store())?;
    state.receive(&outcome.receipts, now);
    let refused_as = |code: RefusalCode| outcome.refusals.iter().find(|refusal| refusal.code == code.name());
    if let Some(Refusal { code, message, .. }) = refused_as(RefusalCode::FutureReport) {
        let retired = retire_future(locked, state.clock_floor.unwrap_or(now).max(now))?;
        state.let_go(retired, now, code, message);
    }
    if let Some(Refusal { code, message, .. }) = refused_as(RefusalCode::PastReport) {
        let retired = retire_past(locked, &link)?;
        state.let_go(retired, now, code, message);
    }
    match outcome.refusals.first() {
        Some(refusal) => state.failed(&ExchangeError::refused(refusal), now, slots::random()?),
        None => state.succeeded(now),
    }
    slots::write(locked, Slot::LastExchange, &state)?;
    Ok(outcome)
}

/// Takes what came to a product that waited: what the central server wants, or that it has removed the link. How the
/// exchanges go is not touched by it. Gives what has changed.
pub(crate) fn take_news(
    locked: &mut dyn LockedStore,
    response: &ExchangeResponse,
    asked: &Link,
    now: Timestamp,
) -> Result<ExchangeOutcome, ExchangeError> {
    let mut link = answering(locked, Some(asked))?;
    let answer = Answer::open(response, &link)?;
    let mut outcome = ExchangeOutcome::default();
    take_wishes(locked, &mut link, answer.settings, now, &mut outcome)?;
    take_removal(locked, &mut link, answer.removal, now)?;
    outcome.refusals = response.refusals.iter().take(MAX_REFUSALS).cloned().collect();
    Ok(outcome)
}

/// The present link, which must be the one that was `asked` for.
fn answering(locked: &mut dyn LockedStore, asked: Option<&Link>) -> Result<Link, ExchangeError> {
    let link = Link::read(locked.store())?.ok_or(ExchangeError::NotLinked)?;
    if asked.is_some_and(|asked| !asked.is_same(&link)) { Err(ExchangeError::OtherLink) } else { Ok(link) }
}

/// Takes settings, and makes a new key where they ask for one. A copy whose server ID nobody has explained makes none:
/// the link may not be its own.
fn take_wishes(
    locked: &mut dyn LockedStore,
    link: &mut Link,
    settings: Option<Settings>,
    now: Timestamp,
    outcome: &mut ExchangeOutcome,
) -> Result<(), ExchangeError> {
    outcome.settings_changed = settings.is_some_and(|settings| link.take_settings(settings));
    if link.is_asked_to_rotate()? && super::unconfirmed(link, locked.store())?.is_none() {
        let head = Outbox::read(locked.store())?.head;
        match link.rotate(head.as_ref(), now) {
            Ok(()) => outcome.key_replaced = true,
            Err(LinkError::Store(error)) => return Err(error.into()),
            Err(error) => tracing::warn!(code = error.code(), "the key of the link was not replaced: {error}"),
        }
    }
    if outcome.settings_changed || outcome.key_replaced {
        link.write(locked)?;
    }
    Ok(())
}

/// Gives the link up where the central server has removed it. Its waiting reports are kept apart.
fn take_removal(
    locked: &mut dyn LockedStore,
    link: &mut Link,
    removal: Option<Removal>,
    now: Timestamp,
) -> Result<(), ExchangeError> {
    let Some(removal) = removal.filter(|removal| link.take_removal(removal)) else { return Ok(()) };
    // The link goes first: a link without its chain would begin another one, and that is a fork.
    link.write(locked)?;
    let retired = outbox::retire(locked)?;
    let (kept, discarded) = (retired.kept, retired.discarded);
    tracing::warn!(link = %removal.link, kept, discarded, "the central server has removed the link");
    link.refusal().map_or(Ok(()), |reason| ExchangeState::note_let_go(locked, kept, now, reason))?;
    Ok(())
}

/// Lets reports go that a clock has made which was far ahead: the central server would take none of them before that
/// time, and the link would be in trouble until then. While the clock is still ahead, they wait. Gives how many went.
fn retire_future(locked: &mut dyn LockedStore, now: Timestamp) -> Result<usize, StoreError> {
    let latest = now.checked_add(MAX_CLOCK_AHEAD).unwrap_or(Timestamp::MAX);
    let retired = outbox::retire_made(locked, &|made_at| made_at > latest)?;
    if retired > 0 {
        tracing::warn!(retired, "reports that were made while the clock was far ahead will never be received");
    }
    Ok(retired)
}

/// Lets reports go that a clock has made which was far behind: the central server will never take them. From when on it
/// takes any, its welcome has said, which is sealed; the refusal alone would not do. Gives how many went.
fn retire_past(locked: &mut dyn LockedStore, link: &Link) -> Result<usize, StoreError> {
    let Some(since) = link.in_force_since else { return Ok(0) };
    let earliest = since.checked_sub(MAX_CLOCK_BEHIND).unwrap_or(Timestamp::MIN);
    let retired = outbox::retire_made(locked, &|made_at| made_at < earliest)?;
    if retired > 0 {
        tracing::warn!(retired, "reports that were made while the clock was far behind will never be received");
    }
    Ok(retired)
}
