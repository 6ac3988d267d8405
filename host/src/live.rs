//! The standing in memory: what a product asks at every turn, without reading or verifying anything (`s9`).
//!
//! It is made anew when this process has changed a license or counted, when another process has changed the state, when
//! [`Standing::changes_at`] passes, and at least once a minute, because a product may describe itself differently.
//! Where the state cannot be read, the last good standing holds, and says what is wrong (`g3`).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, TryLockError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use seatline_protocol::standing::{Banner, LimitAnswer, LimitCheck};
use seatline_protocol::{License, Observed, Standing, standing};

use crate::store::{Slot, Stamp};

/// How often another process's changes are looked for.
pub const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// After how long the standing is made anew, whatever has changed.
const RENEWAL: Duration = Duration::from_secs(60);
/// The slots that a standing is made of.
pub(crate) const SLOTS: [Slot; 4] = [Slot::Identity, Slot::Licenses, Slot::LastRun, Slot::LastExchange];

/// What the licenses come to, in memory.
#[derive(Debug, Clone, PartialEq)]
pub struct Live {
    /// The standing.
    pub standing: Standing,
    /// By when it was made.
    pub at: Timestamp,
    /// When accounts were last counted.
    pub counted_at: Option<Timestamp>,
    /// Why it is not made of the state of now, where that cannot be read. The standing is then that of now by what was
    /// read last.
    pub problem: Option<Problem>,
    basis: Arc<Basis>,
}

/// What a standing is made of, but for the time.
#[derive(Debug, PartialEq)]
pub(crate) struct Basis {
    pub licenses: Vec<License>,
    pub observed: Observed,
    pub counted_at: Option<Timestamp>,
    /// The floor under the clock.
    pub clock_floor: Option<Timestamp>,
}

/// What is in the way of a new standing.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Problem {
    /// A stable code.
    pub code: &'static str,
    /// One line for an administrator.
    pub message: String,
}

impl Live {
    /// What `basis` comes to by a clock that shows `clock`.
    pub(crate) fn of(basis: Arc<Basis>, clock: Timestamp, problem: Option<Problem>) -> Self {
        let at = basis.clock_floor.map_or(clock, |floor| floor.max(clock));
        let standing = standing(&basis.licenses, &basis.observed, at);
        Self { standing, at, counted_at: basis.counted_at, problem, basis }
    }

    /// The same by a later clock, and with what is in the way of more than that.
    pub(crate) fn later(&self, clock: Timestamp, problem: Option<Problem>) -> Self {
        Self::of(Arc::clone(&self.basis), clock, problem)
    }

    /// The time that counts when a clock shows `clock`.
    pub(crate) fn time(&self, clock: Timestamp) -> Timestamp {
        self.basis.clock_floor.map_or(clock, |floor| floor.max(clock))
    }

    /// Whether a feature is enabled now (`s8`).
    pub fn has_feature(&self, name: &str) -> bool {
        self.standing.features.contains(name)
    }

    /// Whether more of something may be made, see [`Standing::check_limit`].
    pub fn check_limit(&self, check: &LimitCheck) -> LimitAnswer {
        self.standing.check_limit(check)
    }

    /// What to show above the pages at `now`, see [`Standing::banners`].
    pub fn banners(&self, now: Timestamp) -> Vec<Banner> {
        self.standing.banners(now)
    }
}

/// Keeps the [`Live`] of a host.
#[derive(Default)]
pub(crate) struct Keeper {
    latest: RwLock<Option<Arc<Live>>>,
    looked: Mutex<Looked>,
}

/// When somebody looked at the state last, and what was there.
#[derive(Default)]
pub(crate) struct Looked {
    at: Option<Instant>,
    made: Option<Instant>,
    stamps: Option<Vec<Stamp>>,
}

impl Looked {
    /// Whether it is time to look for the changes of others.
    pub fn is_due(&self) -> bool {
        self.at.is_none_or(|at| at.elapsed() >= LOOK_INTERVAL)
    }

    /// Whether the standing has to be made anew, by the stamps of now.
    pub fn is_stale(&self, stamps: &[Stamp]) -> bool {
        self.stamps.as_deref() != Some(stamps) || self.made.is_none_or(|made| made.elapsed() >= RENEWAL)
    }

    /// Notes that somebody looks now.
    pub fn look(&mut self) {
        self.at = Some(Instant::now());
    }

    /// Notes that a standing was made of what had these stamps.
    pub fn made(&mut self, stamps: Vec<Stamp>) {
        (self.made, self.stamps) = (Some(Instant::now()), Some(stamps));
    }
}

impl Keeper {
    pub fn latest(&self) -> Option<Arc<Live>> {
        self.latest.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn keep(&self, live: Live) -> Arc<Live> {
        let live = Arc::new(live);
        *self.latest.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&live));
        live
    }

    /// The right to look, unless somebody has it.
    pub fn try_looking(&self) -> Option<MutexGuard<'_, Looked>> {
        match self.looked.try_lock() {
            Ok(looked) => Some(looked),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// The right to look, after whoever has it.
    pub fn looking(&self) -> MutexGuard<'_, Looked> {
        self.looked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
