//! The server ID: what it is now, whether the product's database still says so, and what a change of it was.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::PoisonError;

use seatline_protocol::continuity::parts_in_words;
use seatline_protocol::{ContinuityAnswer, ServerId};
use serde::Serialize;

use super::Host;
use crate::exchange::{ExchangeError, ExchangeState, Problem};
use crate::identity::state::{self, Looked};
use crate::identity::{Identity, IdentityChange, IdentityFacts, Makings};
use crate::link::{Link, LinkError, LinkFacts, RemovedLink};
use crate::ports::{PortError, Product};
use crate::slots;
use crate::store::{Slot, StoreError, change};

/// What came of a person's word on a change of the server ID. As JSON it is an interface.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Confirmed {
    /// The word.
    pub answer: ContinuityAnswer,
    /// The link that was removed, because it is not the copy's own.
    pub removed: Option<LinkFacts>,
    /// How many reports of it were never received; they are kept apart.
    pub retired_reports: usize,
    /// How many reports of it waited for approval; they are thrown away.
    pub discarded_reports: usize,
    /// Why the central server was not told now, where it was not. It is told with the next exchange, unless the link
    /// was removed.
    pub problem: Option<Problem>,
}

/// Why a person's word was not taken.
#[derive(Debug, thiserror::Error)]
pub enum ConfirmError {
    /// There is no change that waits for one.
    #[error("there is nothing to confirm: the server ID is the one that is known")]
    NothingToConfirm,
    /// The state could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The link could not be removed.
    #[error(transparent)]
    Link(#[from] LinkError),
}

impl ConfirmError {
    /// A stable code for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NothingToConfirm => "nothing-to-confirm",
            Self::Store(error) => error.code(),
            Self::Link(error) => error.code(),
        }
    }
}

/// What the server ID is made of, as the product says it now.
pub(super) fn makings(product: &dyn Product, staging: bool) -> Result<Makings, PortError> {
    let database = catch_unwind(AssertUnwindSafe(|| product.database()))
        .unwrap_or_else(|_| Err(PortError::new("the product's own code failed unexpectedly")))?;
    match database {
        None => Ok(Makings::of_instance(staging)),
        Some(database) => Makings::of_database(&database, staging)
            .map_err(|reason| PortError::new(format_args!("the product's database {reason}"))),
    }
}

impl Host {
    /// The server ID of the instance, as the state has it now: another process on the same state may have seen a change
    /// of it. While the state cannot be read, the one that was read last holds.
    pub fn server_id(&self) -> ServerId {
        // Nobody waits for the state with the lock in his hand.
        let present = state::present(&*self.store);
        let mut known = self.server_id.lock().unwrap_or_else(PoisonError::into_inner);
        if let Ok(record) = present {
            known.clone_from(record.server_id());
        }
        known.clone()
    }

    /// What is known of the server ID. Nothing is asked of the product: see [`Self::look_at_identity`].
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn identity(&self) -> Result<IdentityFacts, StoreError> {
        let record = state::present(&*self.store)?;
        let link = Link::read(&*self.store)?;
        let problem = self.identity_problem.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Identity { server_id, staging, .. } = record.identity();
        Ok(IdentityFacts {
            server_id,
            policy: record.policy(),
            staging,
            parts: record.parts(),
            since: record.since(),
            problem,
            unconfirmed: link.and_then(|link| state::unconfirmed(&record, &link)),
            history: record.history,
        })
    }

    /// Asks the product for its database, and takes it if the server ID is another one by now (`s2`). It happens by
    /// itself before every run; a product calls it when it has reason to think that something has changed.
    ///
    /// A database that cannot be read changes nothing: the last known server ID holds, and [`IdentityFacts::problem`]
    /// says so.
    ///
    /// # Errors
    /// When the state cannot be read or written.
    pub fn look_at_identity(&self) -> Result<IdentityFacts, StoreError> {
        let now = self.now()?;
        let mut problem = match makings(&*self.product, self.staging) {
            Err(error) => Some(unread(&error)),
            Ok(makings) => match state::look(&*self.store, &makings, now)? {
                Looked::Same => None,
                Looked::Named(server_id) => {
                    tracing::info!(%server_id, "the server ID is made: the product has named its database");
                    self.refresh();
                    None
                }
                Looked::Changed(changed) => {
                    tell(&changed);
                    self.refresh();
                    None
                }
                Looked::ToAndFro => Some(Problem {
                    code: "server-id-to-and-fro".to_owned(),
                    message:
                        "the server ID went to and fro within a day, so the last one holds: the nodes of this instance \
                              name its database differently; write the same address on each"
                            .to_owned(),
                }),
            },
        };
        if state::present(&*self.store)?.is_shared(now) {
            problem = Some(Problem {
                code: "server-id-shared".to_owned(),
                message: "the server ID went to and fro within a day, and so did the data: two installations share this \
                          state, and the license of one does not hold for the other; give each a state and a license of \
                          its own"
                    .to_owned(),
            });
        }
        *self.identity_problem.lock().unwrap_or_else(PoisonError::into_inner) = problem;
        self.identity()
    }

    /// What is wrong with the server ID at this moment, with the product asked for its database, and nothing kept: that
    /// the database cannot be read, that it is another one than at the last look, or that the link waits for a person's
    /// word.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn examine_identity(&self) -> Result<Option<Problem>, StoreError> {
        let known = self.identity()?;
        if let Some(unconfirmed) = known.unconfirmed {
            let error = ExchangeError::Unconfirmed(Box::new(unconfirmed));
            return Ok(Some(Problem { code: error.code().to_owned(), message: error.to_string() }));
        }
        let makings = match makings(&*self.product, self.staging) {
            Ok(makings) => makings,
            Err(error) => return Ok(Some(unread(&error))),
        };
        Ok(state::differs(&*self.store, &makings, self.now()?)?.map(|change| Problem {
            code: "server-id-changed".to_owned(),
            message: format!(
                "the server ID is {}, and with the next run it is {}: {} changed",
                change.previous,
                change.present,
                parts_in_words(&change.changed)
            ),
        }))
    }

    /// Takes a person's word on what a change of the server ID was (`b4`). If this is the instance that was linked, the
    /// link is used again, and what waits is sent. If it is a copy, the central server is told so if it can be reached,
    /// and then the link is removed, with its key: it belongs to the instance that was copied.
    ///
    /// # Errors
    /// When nothing waits for it, or the state cannot be written.
    pub fn confirm_identity(&self, answer: ContinuityAnswer) -> Result<Confirmed, ConfirmError> {
        let link = change(&*self.store, |locked| {
            let mut record = state::present(locked.store())?;
            let link = Link::read(locked.store())?;
            // A link that was made since the change is not asked about: it was made for the present server ID.
            let waits = link.as_ref().map_or(record.has_question(), |link| state::unconfirmed(&record, link).is_some());
            if !waits {
                return Err(ConfirmError::NothingToConfirm);
            }
            record.answer(answer, link.is_some());
            let facts = link.as_ref().map(Link::facts).transpose()?;
            if let Some(mut link) = link.filter(|_| answer != ContinuityAnswer::Copy) {
                link.server_id = Some(record.server_id().clone());
                link.write(locked)?;
                let state = ExchangeState::read(locked.store())?.mended();
                slots::write(locked, Slot::LastExchange, &state)?;
            }
            slots::write(locked, Slot::Identity, &record)?;
            Ok(facts)
        })?;
        self.refresh();
        let mut confirmed =
            Confirmed { answer, removed: None, retired_reports: 0, discarded_reports: 0, problem: None };
        let Some(link) = link else { return Ok(confirmed) };
        confirmed.problem = match self.exchange() {
            // That the copy's link waits is what was asked for.
            Ok(_) | Err(ExchangeError::Unconfirmed(_)) => None,
            Err(error) => Some(Problem { code: error.code().to_owned(), message: error.to_string() }),
        };
        if answer == ContinuityAnswer::Copy {
            match self.remove_link(&link.fingerprint) {
                Ok(RemovedLink { link, retired, discarded }) => {
                    confirmed.removed = Some(link);
                    (confirmed.retired_reports, confirmed.discarded_reports) = (retired, discarded);
                }
                // Somebody else has removed it meanwhile; what was linked since is the copy's own.
                Err(LinkError::NotLinked | LinkError::Replaced { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(confirmed)
    }

    /// What the rest of the host needs to know of the identity, as the state has it now.
    pub(super) fn present_identity(&self) -> Result<Identity, StoreError> {
        Ok(state::present(&*self.store)?.identity())
    }
}

/// Before the first look at the database.
pub(super) fn not_looked() -> Problem {
    Problem {
        code: "server-id-unread".to_owned(),
        message: "the product's database was not looked at yet, so the server ID is one for the meantime: ask for no license \
                  with it"
            .to_owned(),
    }
}

fn unread(error: &PortError) -> Problem {
    Problem {
        code: "server-id-unread".to_owned(),
        message: format!("the product's database was not read, so the last known server ID holds: {error}"),
    }
}

/// Tells the log of a change: names of parts, and no values.
fn tell(changed: &IdentityChange) {
    let IdentityChange { previous, present, changed, .. } = changed;
    tracing::warn!(%previous, %present, "the server ID has changed: {}", parts_in_words(changed));
}
