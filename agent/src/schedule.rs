//! When `seatline run` does what: pure, the time and the randomness are parameters.

use std::time::{Duration, Instant};

use seatline_host::sandbox::Trigger;

/// How often the approval of a link is asked for.
const APPROVAL_INTERVAL: Duration = Duration::from_secs(30);

/// How far the link is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkPhase {
    /// There is none.
    Absent,
    /// The join was sent, or is to be sent, and the link is not approved.
    Joining,
    /// In force.
    Approved,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// Collect, and exchange where there is a link.
    Synchronise(Trigger),
    /// Exchange what waits.
    Exchange,
}

/// When what is to be done next.
#[derive(Debug)]
pub struct Schedule {
    /// The last synchronisation, and what decides how far the next one is off the interval.
    synchronised: Option<(Instant, u16)>,
    exchange_at: Option<Instant>,
    phase: LinkPhase,
}

impl Schedule {
    /// A schedule that begins with a synchronisation at once.
    pub fn starting(phase: LinkPhase) -> Self {
        Self { synchronised: None, exchange_at: None, phase }
    }

    /// What is to be done at `now`, while the link is in `phase` and this `interval` is set: a link that has come into
    /// force since the last look is synchronised at once, and a new interval holds at once, whoever has received it.
    ///
    /// The interval is kept give or take a twentieth of it, so that a fleet that was started together does not report
    /// together (`w6`).
    pub fn due(&mut self, now: Instant, phase: LinkPhase, interval: Duration) -> Option<Due> {
        let before = std::mem::replace(&mut self.phase, phase);
        let Some((last, random)) = self.synchronised else { return Some(Due::Synchronise(Trigger::Start)) };
        let jitter = interval / 10 * u32::from(random) / u32::from(u16::MAX);
        if now >= last + (interval - interval / 20) + jitter {
            return Some(Due::Synchronise(Trigger::Interval));
        }
        match (before, phase) {
            (LinkPhase::Absent | LinkPhase::Joining, LinkPhase::Approved) => Some(Due::Synchronise(Trigger::Demand)),
            (LinkPhase::Absent, LinkPhase::Joining) => Some(Due::Exchange),
            (_, LinkPhase::Absent) => None,
            _ => self.exchange_at.is_some_and(|at| now >= at).then_some(Due::Exchange),
        }
    }

    /// Notes a synchronisation: `random` decides how far the next one is off the interval.
    pub fn synchronised(&mut self, now: Instant, random: u16) {
        self.synchronised = Some((now, random));
    }

    /// Notes an exchange, and after what time the host wants to try again, where something was in the way.
    pub fn exchanged(&mut self, now: Instant, phase: LinkPhase, retry_after: Option<Duration>) {
        let asks_again = (phase == LinkPhase::Joining).then_some(APPROVAL_INTERVAL);
        self.exchange_at = retry_after.or(asks_again).map(|wait| now + wait);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);
    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn w6_it_synchronises_at_the_start_and_then_at_every_interval() {
        let start = Instant::now();
        let mut schedule = Schedule::starting(LinkPhase::Approved);
        assert_eq!(schedule.due(start, LinkPhase::Approved, HOUR), Some(Due::Synchronise(Trigger::Start)));
        for random in [0, u16::MAX / 2, u16::MAX] {
            schedule.synchronised(start, random);
            assert_eq!(schedule.due(start + HOUR * 94 / 100, LinkPhase::Approved, HOUR), None);
            let later = start + HOUR * 105 / 100;
            assert_eq!(schedule.due(later, LinkPhase::Approved, HOUR), Some(Due::Synchronise(Trigger::Interval)));
        }
    }

    #[test]
    fn w6_a_new_interval_holds_at_once() {
        let start = Instant::now();
        let mut schedule = Schedule::starting(LinkPhase::Approved);
        schedule.synchronised(start, 0);
        assert_eq!(schedule.due(start + SECOND * 60, LinkPhase::Approved, HOUR), None);
        let due = schedule.due(start + SECOND * 60, LinkPhase::Approved, SECOND * 60);
        assert_eq!(due, Some(Due::Synchronise(Trigger::Interval)));
    }

    #[test]
    fn a_link_that_comes_into_force_is_synchronised_at_once_and_only_once() {
        let start = Instant::now();
        let mut schedule = Schedule::starting(LinkPhase::Absent);
        schedule.synchronised(start, 0);
        assert_eq!(schedule.due(start + SECOND, LinkPhase::Absent, HOUR), None);
        assert_eq!(schedule.due(start + SECOND, LinkPhase::Approved, HOUR), Some(Due::Synchronise(Trigger::Demand)));
        assert_eq!(schedule.due(start + SECOND, LinkPhase::Approved, HOUR), None);
    }

    #[test]
    fn a_link_that_is_not_approved_is_asked_for_until_it_is() {
        let start = Instant::now();
        let mut schedule = Schedule::starting(LinkPhase::Absent);
        schedule.synchronised(start, 0);
        assert_eq!(schedule.due(start, LinkPhase::Joining, HOUR), Some(Due::Exchange));
        schedule.exchanged(start, LinkPhase::Joining, None);
        assert_eq!(schedule.due(start + SECOND, LinkPhase::Joining, HOUR), None);
        assert_eq!(schedule.due(start + APPROVAL_INTERVAL, LinkPhase::Joining, HOUR), Some(Due::Exchange));
        assert_eq!(
            schedule.due(start + APPROVAL_INTERVAL, LinkPhase::Approved, HOUR),
            Some(Due::Synchronise(Trigger::Demand))
        );
    }

    #[test]
    fn g3_what_failed_is_tried_again_when_the_host_says_and_not_before() {
        let start = Instant::now();
        let mut schedule = Schedule::starting(LinkPhase::Approved);
        schedule.synchronised(start, 0);
        schedule.exchanged(start, LinkPhase::Approved, Some(SECOND * 40));
        assert_eq!(schedule.due(start + SECOND * 39, LinkPhase::Approved, HOUR), None);
        assert_eq!(schedule.due(start + SECOND * 40, LinkPhase::Approved, HOUR), Some(Due::Exchange));
        schedule.exchanged(start + SECOND * 40, LinkPhase::Approved, None);
        assert_eq!(schedule.due(start + SECOND * 90, LinkPhase::Approved, HOUR), None);
        schedule.exchanged(start, LinkPhase::Approved, Some(SECOND));
        assert_eq!(
            schedule.due(start + SECOND * 90, LinkPhase::Absent, HOUR),
            None,
            "there is nobody to exchange with"
        );
    }
}
