//! How the exchanges go: what went wrong last, when to try again, and what receipts have proven of the time.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use seatline_protocol::{Receipt, Sequence, text};
use serde::{Deserialize, Serialize};

use super::ExchangeError;
use crate::slots;
use crate::store::{LockedStore, Slot, StateReader, StoreError};

/// The wait after the first failure.
const FIRST_RETRY: Duration = Duration::from_secs(30);
/// The longest wait that failures add up to.
const LAST_RETRY: Duration = Duration::from_secs(3600);
/// Of how many times is told at which reports were let go: the last ones.
const MAX_NEVER_RECEIVED: usize = 10;
/// How far the receipts of one answer can move the floor beyond the clock and the floor before: a day. A central server
/// whose clock is wrong once then costs a day, and not all time to come; one whose clock is right moves the floor of a
/// product whose clock was wound back on with every exchange.
const MAX_LEAP: SignedDuration = SignedDuration::from_hours(24);

/// How the exchanges go, over all restarts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ExchangeState {
    /// When the last one was tried.
    pub tried_at: Option<Timestamp>,
    /// When the last one succeeded.
    pub succeeded_at: Option<Timestamp>,
    /// How many have failed since.
    pub failures: u32,
    /// What went wrong with the last one.
    pub problem: Option<Problem>,
    /// Before this time no further one is tried of its own accord; none is where the join was refused for good.
    pub next_attempt_at: Option<Timestamp>,
    /// The latest receipt.
    pub last_receipt: Option<ReceiptFacts>,
    /// The highest time that receipts have proven, a day further at the most with each answer: a floor under the clock
    /// (`b2`). It outlives the link.
    pub clock_floor: Option<Timestamp>,
    /// The reports that will never be received, and why: the last ten times at which any were let go, the latest first.
    /// It outlives the link.
    #[serde(default)]
    pub never_received: Vec<NeverReceived>,
}

/// Reports that will never be received. They are kept apart, as evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct NeverReceived {
    /// When they were let go.
    pub at: Timestamp,
    /// How many they are.
    pub reports: usize,
    /// Why.
    pub reason: Problem,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Problem {
    /// A stable code.
    pub code: String,
    /// One line for an administrator.
    pub message: String,
}

/// What is shown of a receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ReceiptFacts {
    /// The report's place in the chain.
    pub sequence: Sequence,
    /// When the central server stored it.
    pub received_at: Timestamp,
}

impl ExchangeState {
    pub(crate) fn read(store: &dyn StateReader) -> Result<Self, StoreError> {
        Ok(slots::read(store, Slot::LastExchange)?.unwrap_or_default())
    }

    /// The state of a link that was just made: nothing was exchanged over it, and the time goes on.
    pub(crate) fn of_new_link(before: Self) -> Self {
        Self { clock_floor: before.clock_floor, never_received: before.never_received, ..Self::default() }
    }

    /// Notes that so many reports were let go at `at`, if any were.
    pub(crate) fn let_go(&mut self, reports: usize, at: Timestamp, code: &str, message: &str) {
        if reports > 0 {
            let reason = Problem { code: code.to_owned(), message: text::line(message, 400) };
            self.never_received.insert(0, NeverReceived { at, reports, reason });
            self.never_received.truncate(MAX_NEVER_RECEIVED);
        }
    }

    /// The same in the state itself. What cannot be read there is in the way of nothing else.
    pub(crate) fn note_let_go(
        locked: &mut dyn LockedStore,
        reports: usize,
        at: Timestamp,
        reason: &Problem,
    ) -> Result<(), StoreError> {
        let Ok(mut state) = Self::read(locked.store()) else { return Ok(()) };
        state.let_go(reports, at, &reason.code, &reason.message);
        slots::write(locked, Slot::LastExchange, &state)
    }

    /// Notes the receipts of an answer that came at `now`, by the clock without its floor.
    pub(super) fn receive(&mut self, receipts: &[Receipt], now: Timestamp) {
        let before = self.clock_floor.unwrap_or(Timestamp::MIN);
        let highest = before.max(now).checked_add(MAX_LEAP).unwrap_or(Timestamp::MAX);
        for receipt in receipts {
            let (sequence, received_at) = (receipt.sequence, receipt.received_at);
            self.clock_floor = self.clock_floor.max(Some(received_at.min(highest)));
            if self.last_receipt.as_ref().is_none_or(|last| last.sequence < sequence) {
                self.last_receipt = Some(ReceiptFacts { sequence, received_at });
            }
        }
    }

    /// The state after what was in the way is out of it.
    pub(crate) fn mended(self) -> Self {
        Self { failures: 0, problem: None, next_attempt_at: None, ..self }
    }

    pub(super) fn succeeded(&mut self, now: Timestamp) {
        self.tried_at = Some(now);
        self.succeeded_at = Some(now);
        self.failures = 0;
        self.problem = None;
        self.next_attempt_at = None;
    }

    /// Notes a failure, and when to try again: `random` decides the jitter.
    pub(crate) fn failed(&mut self, error: &ExchangeError, now: Timestamp, random: [u8; 2]) {
        self.tried_at = Some(now);
        self.failures = self.failures.saturating_add(1);
        self.problem = Some(Problem { code: error.code().to_owned(), message: text::line(&error.to_string(), 400) });
        let asked = match error {
            ExchangeError::Client(error) => error.retry_after(),
            _ => None,
        };
        let wait = retry_after(self.failures, u16::from_le_bytes(random)).max(asked.unwrap_or_default());
        let is_for_good = matches!(error, ExchangeError::JoinRefused(_));
        self.next_attempt_at = if is_for_good { None } else { now.checked_add(wait).ok() };
    }
}

/// How long to wait after `failures` in a row: twice as long each time up to an hour, and then between three and five
/// quarters of it as `random` decides, so that a fleet does not come back all at once (`g3`).
fn retry_after(failures: u32, random: u16) -> Duration {
    let doubled = FIRST_RETRY.saturating_mul(1 << failures.saturating_sub(1).min(16));
    let wait = doubled.min(LAST_RETRY);
    wait * 3 / 4 + (wait / 2) * u32::from(random) / u32::from(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use seatline_protocol::{Digest, LinkId, ReceiptVerdict};

    proptest! {
        #[test]
        fn g3_retries_back_off_with_jitter_and_stay_within_an_hour_and_a_quarter(failures in 1u32.., random: u16) {
            let wait = retry_after(failures, random);
            prop_assert!(wait >= FIRST_RETRY * 3 / 4);
            prop_assert!(wait <= LAST_RETRY * 5 / 4);
            prop_assert!(retry_after(failures, 0) <= retry_after(failures.saturating_add(1), 0));
        }
    }

    fn receipt(sequence: u64, received_at: &str) -> Receipt {
        Receipt {
            link: LinkId::from_random([1; 24]),
            sequence: sequence.try_into().expect("a sequence"),
            report: Digest::of(b"report"),
            received_at: at(received_at),
            verdict: ReceiptVerdict::Chained,
        }
    }

    fn at(time: &str) -> Timestamp {
        time.parse().expect("a time")
    }

    #[test]
    fn b2_the_floor_is_the_highest_time_of_a_receipt_and_never_falls() {
        let mut state = ExchangeState::default();
        state.receive(
            &[receipt(2, "2026-01-01T12:00:00Z"), receipt(1, "2026-01-01T11:00:00Z")],
            at("2026-01-01T12:00:01Z"),
        );
        assert_eq!(state.clock_floor, Some(at("2026-01-01T12:00:00Z")));
        assert_eq!(state.last_receipt.as_ref().map(|last| last.sequence.get()), Some(2));
        state.receive(&[receipt(3, "2025-01-01T00:00:00Z")], at("2026-01-02T00:00:00Z"));
        assert_eq!(state.clock_floor, Some(at("2026-01-01T12:00:00Z")));
        assert_eq!(ExchangeState::of_new_link(state.clone()).clock_floor, state.clock_floor);
        assert_eq!(ExchangeState::of_new_link(state).last_receipt, None);
    }

    #[test]
    fn b2_an_answer_moves_the_floor_a_day_beyond_what_was_known_at_the_most() {
        let mut state = ExchangeState::default();
        let wrong = [receipt(1, "2099-01-01T00:00:00Z"), receipt(2, "2099-01-01T00:00:00Z")];
        state.receive(&wrong, at("2026-01-01T00:00:00Z"));
        assert_eq!(state.clock_floor, Some(at("2026-01-02T00:00:00Z")));
        // A clock that was wound back by years does not stop the floor: it follows the receipts.
        let mut state = ExchangeState { clock_floor: Some(at("2026-01-01T00:00:00Z")), ..ExchangeState::default() };
        for (now, floor) in
            [("2020-01-01T00:00:00Z", "2026-01-01T01:00:00Z"), ("2020-01-01T01:00:00Z", "2026-01-01T02:00:00Z")]
        {
            state.receive(&[receipt(1, floor)], at(now));
            assert_eq!(state.clock_floor, Some(at(floor)));
        }
    }

    #[test]
    fn of_reports_that_were_let_go_the_last_times_are_told_also_of_a_link_that_is_gone() {
        let mut state = ExchangeState::default();
        for reports in 0..=MAX_NEVER_RECEIVED + 1 {
            state.let_go(reports, at("2026-01-01T00:00:00Z"), "past-report", "too old");
        }
        let told = |state: &ExchangeState| state.never_received.iter().map(|told| told.reports).collect::<Vec<_>>();
        assert_eq!(told(&state), (2..=MAX_NEVER_RECEIVED + 1).rev().collect::<Vec<_>>(), "of none is nothing told");
        state.succeeded(at("2026-01-02T00:00:00Z"));
        assert_eq!(told(&ExchangeState::of_new_link(state.clone())), told(&state));
    }

    #[test]
    fn a_failure_is_told_and_a_success_takes_it_back() {
        let mut state = ExchangeState::default();
        let now = Timestamp::UNIX_EPOCH;
        state.failed(&ExchangeError::NotLinked, now, [0, 0]);
        state.failed(&ExchangeError::NotLinked, now, [0, 0]);
        assert_eq!((state.failures, state.problem.as_ref().map(|p| p.code.as_str())), (2, Some("not-linked")));
        assert_eq!(state.next_attempt_at, now.checked_add(Duration::from_secs(45)).ok());
        state.succeeded(now);
        assert_eq!((state.failures, state.problem, state.next_attempt_at), (0, None, None));
    }
}
