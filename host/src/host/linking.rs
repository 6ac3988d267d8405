//! Linking and synchronising: from the invite to the receipts.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use seatline_protocol::exchange::{ExchangeRequest, ExchangeResponse, MAX_REPORTS, RefusalCode};

use super::{CollectError, Collected, Host};
use crate::exchange::{self, ExchangeError, ExchangeOutcome, ExchangeState, Problem};
use crate::identity;
use crate::link::{self, Link, LinkError, LinkFacts, OpenedInvite, RemovedLink};
use crate::outbox::{self, MAX_PENDING, Outbox, Retired};
use crate::sandbox::Trigger;
use crate::slots;
use crate::status::OutboxStatus;
use crate::store::{Slot, StoreError, change};

/// The most requests of one exchange: more than a full outbox takes. Whatever a central server answers, an exchange
/// ends, and the product is counted.
const MAX_REQUESTS: usize = 2 * MAX_PENDING.div_ceil(MAX_REPORTS);

/// What a synchronisation came to. Whatever is in the way of the one is in the way of the other no more than it must
/// be.
#[derive(Debug)]
#[must_use]
pub struct Synchronised {
    /// What was counted. A report that was made stays in the outbox until it was received.
    pub collected: Result<Collected, CollectError>,
    /// What was sent and received.
    pub exchanged: Result<ExchangeOutcome, ExchangeError>,
}

/// How the central server answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    /// How long that took.
    pub took: Duration,
    /// By how many seconds the clock here is ahead of the server's, or behind where it is negative; none where the
    /// server does not say. What the way takes is in it.
    pub clock_ahead: Option<i64>,
    /// Through which proxy, if through any.
    pub proxy: Option<String>,
}

impl Host {
    /// Opens a pasted invite, for a person to confirm whom it links to. Nothing is sent or kept.
    ///
    /// # Errors
    /// When it is no invite, its time is over, or the product is linked already.
    pub fn open_invite(&self, pasted: &str) -> Result<OpenedInvite, LinkError> {
        if let Some(link) = Link::read(&*self.store)? {
            return Err(LinkError::AlreadyLinked { central_url: link.central_url });
        }
        // The clock without its floor: the central server decides by its own, and a floor that a wrong clock has set
        // there shall not keep a product from linking anew.
        OpenedInvite::open(pasted, self.clock.now())
    }

    /// Links the product by an invite that a person has confirmed. The next exchange sends the join.
    ///
    /// # Errors
    /// When the product is linked already, or the state cannot be written.
    pub fn accept_invite(&self, invite: &OpenedInvite) -> Result<LinkFacts, LinkError> {
        let product = self.product()?;
        let link = Link::from_invite(invite, product, self.now()?)?;
        change(&*self.store, |locked| {
            if let Some(link) = Link::read(locked.store())? {
                return Err(LinkError::AlreadyLinked { central_url: link.central_url });
            }
            // What an interrupted removal has left is of another chain.
            outbox::retire(locked)?;
            let state = ExchangeState::of_new_link(ExchangeState::read(locked.store())?);
            slots::write(locked, Slot::LastExchange, &state)?;
            identity::state::begin_link(locked)?;
            link.write(locked)?;
            Ok(link.facts()?)
        })
    }

    /// The link, where there is one.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn link(&self) -> Result<Option<LinkFacts>, StoreError> {
        Link::read(&*self.store)?.as_ref().map(Link::facts).transpose()
    }

    /// Removes the link with this [`LinkFacts::fingerprint`], and its key. Reports that were never received are kept
    /// apart, and those that wait for approval are thrown away.
    ///
    /// # Errors
    /// When there is no link, or another one that was made meanwhile, or the state cannot be written.
    pub fn remove_link(&self, fingerprint: &str) -> Result<RemovedLink, LinkError> {
        change(&*self.store, |locked| {
            let link = Link::read(locked.store())?.ok_or(LinkError::NotLinked)?;
            let (had_key, link) = (link.had_key(fingerprint)?, link.facts()?);
            if !had_key {
                return Err(LinkError::Replaced { central_url: link.central_url });
            }
            // The link goes first: a link without its chain would begin another one, and that is a fork.
            locked.clear(Slot::Link)?;
            let Retired { kept, discarded } = outbox::retire(locked)?;
            let message = format!("the link to {} was removed here", link.central_name);
            let reason = Problem { code: RefusalCode::LinkRemoved.name().to_owned(), message };
            ExchangeState::note_let_go(locked, kept, self.clock.now(), &reason)?;
            Ok(RemovedLink { link, retired: kept, discarded })
        })
    }

    /// Replaces the key of the link by a new one. The next exchange tells the central server; reports that wait stay
    /// valid.
    ///
    /// # Errors
    /// When no link is in force, a new key is on its way already, the server ID waits for a person's word, or the state
    /// cannot be written.
    pub fn rotate_key(&self) -> Result<LinkFacts, LinkError> {
        let now = self.now()?;
        change(&*self.store, |locked| {
            let mut link = Link::read(locked.store())?.ok_or(LinkError::NotLinked)?;
            if exchange::unconfirmed(&link, locked.store())?.is_some() {
                return Err(LinkError::Unconfirmed);
            }
            link.rotate(Outbox::read(locked.store())?.head.as_ref(), now)?;
            link.write(locked)?;
            Ok(link.facts()?)
        })
    }

    /// The synchronisation interval: the central server's, or an hour.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn interval(&self) -> Result<Duration, StoreError> {
        let (seconds, _, _) = link::settings_of(Link::read(&*self.store)?.as_ref());
        Ok(Duration::from_secs(u64::from(seconds)))
    }

    /// Sends what waits, until the outbox is empty or something is in the way. With nothing to send, nothing is sent. A
    /// central server that always wants something more gets it with the next exchange.
    ///
    /// # Errors
    /// What was in the way. It is kept for [`Self::status`], with the time of the next attempt.
    pub fn exchange(&self) -> Result<ExchangeOutcome, ExchangeError> {
        let _one = self.exchanging.lock().unwrap_or_else(PoisonError::into_inner);
        let mut total = ExchangeOutcome::default();
        let mut was_lacking = false;
        for _ in 0..MAX_REQUESTS {
            let link = Link::read(&*self.store)?.ok_or(ExchangeError::NotLinked)?;
            let request = exchange::request(&link, &*self.store)?;
            if request == ExchangeRequest::default() {
                return self.in_order(&link, total);
            }
            let applied =
                self.client.exchange(&link.central_url, &request).map_err(ExchangeError::from).and_then(|response| {
                    change(&*self.store, |locked| exchange::take(locked, &response, Some(&link), self.clock.now()))
                });
            self.activity.exchanged(applied.as_ref().is_ok_and(|outcome| outcome.refusals.is_empty()));
            let outcome = match applied {
                Ok(outcome) => outcome,
                Err(error) => {
                    self.note_failure(&link, &error);
                    return Err(error);
                }
            };
            let progress = !outcome.receipts.is_empty() || outcome.noted > 0 || outcome.key_replaced;
            total.add(ExchangeOutcome { sent: request.reports.len(), ..outcome });
            if let Some(refusal) = total.refusals.first() {
                // What it lacks goes with the next request.
                if refusal.code == RefusalCode::RepeatUnknown.name() && !std::mem::replace(&mut was_lacking, true) {
                    continue;
                }
                return Err(ExchangeError::refused(refusal));
            }
            if !progress {
                return self.in_order(&link, total);
            }
        }
        Ok(total)
    }

    /// What an exchange over `link` came to in which nothing went wrong, unless the link waits for a person's word on
    /// the server ID (`b4`): then what was sent is the question alone.
    fn in_order(&self, link: &Link, total: ExchangeOutcome) -> Result<ExchangeOutcome, ExchangeError> {
        match exchange::unconfirmed(link, &*self.store)? {
            None => Ok(total),
            Some(unconfirmed) => {
                let error = ExchangeError::Unconfirmed(Box::new(unconfirmed));
                self.note_failure(link, &error);
                Err(error)
            }
        }
    }

    /// Asks the central server for an answer and nothing else: no document leaves, and nothing is kept of it.
    ///
    /// # Errors
    /// When there is no link, or what is in the way of an exchange.
    pub fn reach_central(&self) -> Result<Reached, ExchangeError> {
        let link = Link::read(&*self.store)?.ok_or(ExchangeError::NotLinked)?;
        let begun = Instant::now();
        let answered = self.client.answered(&link.central_url, &ExchangeRequest::default())?;
        let ahead = answered.at.map(|at| self.clock_now().duration_since(at).as_secs());
        Ok(Reached { took: begun.elapsed(), clock_ahead: ahead, proxy: answered.proxy })
    }

    /// Keeps what was in the way of an exchange over `link`. If it cannot be kept, the failure itself is what to tell.
    fn note_failure(&self, link: &Link, error: &ExchangeError) {
        let noted = change(&*self.store, |locked| {
            if !Link::read(locked.store())?.is_some_and(|present| present.is_same(link)) {
                return Ok(());
            }
            let mut state = ExchangeState::read(locked.store())?;
            state.failed(error, self.clock.now(), slots::random()?);
            slots::write(locked, Slot::LastExchange, &state)
        });
        let noted: Result<(), StoreError> = noted;
        if let Err(unnoted) = noted {
            tracing::warn!(error = %unnoted, "how the exchange failed is not kept");
        }
    }

    /// How the exchanges go, and when the next one is to be tried.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn exchange_state(&self) -> Result<ExchangeState, StoreError> {
        ExchangeState::read(&*self.store)
    }

    /// What waits in the outbox.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn outbox(&self) -> Result<OutboxStatus, StoreError> {
        OutboxStatus::read(&*self.store)
    }

    /// What waits, as a file for a central server that cannot be reached (`g4`): the oldest reports, as many as one
    /// exchange takes.
    ///
    /// # Errors
    /// When there is no link, or the state cannot be read.
    pub fn export_reports(&self) -> Result<ExchangeRequest, ExchangeError> {
        let link = Link::read(&*self.store)?.ok_or(ExchangeError::NotLinked)?;
        Ok(exchange::request(&link, &*self.store)?)
    }

    /// Applies the central server's answer that came as a file.
    ///
    /// # Errors
    /// As [`Self::exchange`].
    pub fn import_response(&self, response: &ExchangeResponse) -> Result<ExchangeOutcome, ExchangeError> {
        change(&*self.store, |locked| exchange::take(locked, response, None, self.clock.now()))
    }

    /// Sends what waits, collects, and sends the new report: what happens at every interval, and on "synchronise now".
    /// A link that was approved meanwhile is thus in force for this report already, and a full outbox has room again.
    /// Whatever is in the way of the link, the product is counted; and what is in the way is met once. A join that was
    /// refused for good is sent again on demand alone.
    ///
    /// A wish of the central server for a count at once is answered by it, also if that comes with the exchange.
    pub fn sync(&self, trigger: Trigger) -> Synchronised {
        let before = self.refused_join(trigger).and_then(|()| self.exchange());
        let demanded = Link::read(&*self.store).ok().flatten().and_then(|link| link.demanded_at());
        let trigger = if demanded.is_some() { Trigger::Demand } else { trigger };
        let collected = self.collect(trigger);
        if let Some(demanded) = demanded {
            self.note_demand(demanded);
        }
        let is_made = collected.as_ref().is_ok_and(|collected| collected.report.is_some());
        let exchanged = match before {
            Ok(mut outcome) if is_made => self.exchange().map(|later| {
                outcome.add(later);
                outcome
            }),
            before => before,
        };
        Synchronised { collected, exchanged }
    }

    /// Notes that a wish for a count was answered. If that cannot be kept, it is answered once more.
    fn note_demand(&self, demanded: Timestamp) {
        let noted: Result<(), StoreError> = change(&*self.store, |locked| {
            let Some(mut link) = Link::read(locked.store())? else { return Ok(()) };
            link.answer_demand(demanded);
            link.write(locked)
        });
        if let Err(unnoted) = noted {
            tracing::warn!(error = %unnoted, "that a wish for a count was answered is not kept");
        }
    }

    /// That the join was refused for good, unless somebody demands that it is sent all the same.
    fn refused_join(&self, trigger: Trigger) -> Result<(), ExchangeError> {
        if trigger == Trigger::Demand {
            return Ok(());
        }
        let link = Link::read(&*self.store)?;
        let refusal = link.as_ref().and_then(Link::refusal);
        refusal.map_or(Ok(()), |refusal| Err(ExchangeError::JoinRefused(refusal.clone())))
    }
}
