//! When the [synchroniser](super::synchroniser) does what: pure, the time and the randomness are parameters.

use std::time::{Duration, Instant};

use seatline_host::sandbox::Trigger;

/// How often the approval of a link is asked for.
const APPROVAL_INTERVAL: Duration = Duration::from_secs(30);
/// For how many times as long as it took a count rests that the central server wanted at once, before it gets another.
const REST: u32 = 10;
/// How often is looked whether a link was made, or its settings changed, meanwhile; and how often at the least, while
/// that cannot be seen.
const LOOKS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(64));

/// How far the link is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LinkPhase {
    /// There is none.
    #[default]
    Absent,
    /// The central server has refused the join for good.
    Refused,
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

/// When what is to be done next. A new one begins with a synchronisation at once.
#[derive(Debug, Clone, Default)]
pub struct Schedule {
    /// The last synchronisation, and what decides how far the next one is off the interval.
    synchronised: Option<(Instant, u16)>,
    exchange_at: Option<Instant>,
    phase: LinkPhase,
}

impl Schedule {
    /// A schedule that goes on with what another node has begun, which synchronised `ago` while the link was in
    /// `phase`. What that node may have left in the outbox is exchanged at once.
    pub fn resuming(now: Instant, ago: Duration, phase: LinkPhase) -> Self {
        Self { synchronised: now.checked_sub(ago).map(|last| (last, 0)), exchange_at: Some(now), phase }
    }

    /// What is to be done at `now`, while the link is in `phase` and this `interval` is set: a link that has come into
    /// force since the last look is synchronised at once, and a new interval holds at once, whoever has received it.
    ///
    /// A count that the central server wants is made at once as well.
    ///
    /// The interval is kept give or take a twentieth of it, so that a fleet that was started together does not report
    /// together (`w6`).
    pub fn due(&mut self, now: Instant, phase: LinkPhase, interval: Duration, is_demanded: bool) -> Option<Due> {
        let before = std::mem::replace(&mut self.phase, phase);
        let Some((last, random)) = self.synchronised else { return Some(Due::Synchronise(Trigger::Start)) };
        if is_demanded && phase == LinkPhase::Approved {
            return Some(Due::Synchronise(Trigger::Demand));
        }
        let jitter = interval / 10 * u32::from(random) / u32::from(u16::MAX);
        if now >= last + (interval - interval / 20) + jitter {
            return Some(Due::Synchronise(Trigger::Interval));
        }
        match (before, phase) {
            (LinkPhase::Approved, LinkPhase::Approved) | (LinkPhase::Joining, LinkPhase::Joining) => {
                self.exchange_at.is_some_and(|at| now >= at).then_some(Due::Exchange)
            }
            (_, LinkPhase::Approved) => Some(Due::Synchronise(Trigger::Demand)),
            (_, LinkPhase::Joining) => Some(Due::Exchange),
            (_, LinkPhase::Absent | LinkPhase::Refused) => None,
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

/// What keeps a central server from having the product counted without a pause, however often it renews its wish.
#[derive(Debug, Default)]
pub struct Rest {
    until: Option<Instant>,
}

impl Rest {
    /// Notes that a count that it wanted at once has ended, and how long that took.
    pub fn begin(&mut self, now: Instant, took: Duration) {
        self.until = now.checked_add(took.saturating_mul(REST));
    }

    /// Whether it gets another one.
    pub fn is_over(&self, now: Instant) -> bool {
        self.until.is_none_or(|until| now >= until)
    }
}

/// How often is looked what is due: ever later while that cannot be seen, and what is in the way is told once.
#[derive(Debug, Default)]
pub struct Lookout {
    blocked_by: Option<String>,
    looks: u32,
}

impl Lookout {
    /// Notes what is in the way. Gives whether it is something new, which is to be told.
    pub fn is_blocked_by(&mut self, problem: &str) -> bool {
        self.looks = self.looks.saturating_add(1);
        self.blocked_by.replace(problem.to_owned()).as_deref() != Some(problem)
    }

    /// Notes that nothing is in the way. Gives whether something was.
    pub fn is_free_again(&mut self) -> bool {
        self.looks = 0;
        self.blocked_by.take().is_some()
    }

    /// After what time to look again.
    pub fn wait(&self) -> Duration {
        (LOOKS.0 * 2_u32.saturating_pow(self.looks)).min(LOOKS.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);
    const SECOND: Duration = Duration::from_secs(1);

    /// A schedule that has synchronised while the link was in `phase`.
    fn starting(phase: LinkPhase) -> Schedule {
        let mut schedule = Schedule::default();
        let start = Instant::now();
        assert_eq!(schedule.due(start, phase, HOUR, false), Some(Due::Synchronise(Trigger::Start)));
        schedule.synchronised(start, 0);
        schedule
    }

    #[test]
    fn w6_it_synchronises_at_the_start_and_then_at_every_interval() {
        let start = Instant::now();
        let mut schedule = starting(LinkPhase::Approved);
        for random in [0, u16::MAX / 2, u16::MAX] {
            schedule.synchronised(start, random);
            assert_eq!(schedule.due(start + HOUR * 94 / 100, LinkPhase::Approved, HOUR, false), None);
            let later = start + HOUR * 105 / 100;
            assert_eq!(
                schedule.due(later, LinkPhase::Approved, HOUR, false),
                Some(Due::Synchronise(Trigger::Interval))
            );
        }
    }

    #[test]
    fn g5_a_node_that_takes_over_goes_on_in_the_rhythm_and_sends_what_was_left() {
        let now = Instant::now();
        let mut schedule = Schedule::resuming(now, SECOND * 600, LinkPhase::Approved);
        assert_eq!(schedule.due(now, LinkPhase::Approved, HOUR, false), Some(Due::Exchange));
        schedule.exchanged(now, LinkPhase::Approved, None);
        assert_eq!(schedule.due(now + SECOND * 2800, LinkPhase::Approved, HOUR, false), None);
        let due = schedule.due(now + SECOND * 3000, LinkPhase::Approved, HOUR, false);
        assert_eq!(due, Some(Due::Synchronise(Trigger::Interval)));
        let mut late = Schedule::resuming(now, HOUR * 2, LinkPhase::Absent);
        assert!(matches!(late.due(now, LinkPhase::Absent, HOUR, false), Some(Due::Synchronise(_))));
    }

    #[test]
    fn w6_a_count_that_the_central_server_wants_is_made_at_once_over_a_link_that_is_in_force() {
        let start = Instant::now();
        let mut schedule = starting(LinkPhase::Approved);
        let demanded = schedule.due(start + SECOND, LinkPhase::Approved, HOUR, true);
        assert_eq!(demanded, Some(Due::Synchronise(Trigger::Demand)));
        assert_eq!(schedule.due(start + SECOND, LinkPhase::Approved, HOUR, false), None);
        assert_eq!(starting(LinkPhase::Refused).due(start + SECOND, LinkPhase::Refused, HOUR, true), None);
    }

    #[test]
    fn w6_a_wish_for_a_count_that_is_renewed_again_and_again_has_the_product_counting_a_tenth_of_the_time() {
        let (mut now, end) = (Instant::now(), Instant::now() + HOUR);
        let (mut rest, took, mut counts) = (Rest::default(), SECOND * 30, 0_u32);
        assert!(rest.is_over(now), "the first one is answered at once");
        while now < end {
            if rest.is_over(now) {
                now += took;
                rest.begin(now, took);
                counts += 1;
            }
            now += SECOND;
        }
        assert_eq!(counts, 11);
        rest.begin(now, Duration::MAX);
        assert!(rest.is_over(now), "a time that no clock can tell holds nobody up for ever");
    }

    #[test]
    fn w6_a_new_interval_holds_at_once() {
        let start = Instant::now();
        let mut schedule = starting(LinkPhase::Approved);
        assert_eq!(schedule.due(start + SECOND * 60, LinkPhase::Approved, HOUR, false), None);
        let due = schedule.due(start + SECOND * 60, LinkPhase::Approved, SECOND * 60, false);
        assert_eq!(due, Some(Due::Synchronise(Trigger::Interval)));
    }

    #[test]
    fn a_link_that_comes_into_force_is_synchronised_at_once_and_only_once() {
        let start = Instant::now();
        let mut schedule = starting(LinkPhase::Absent);
        assert_eq!(schedule.due(start + SECOND, LinkPhase::Absent, HOUR, false), None);
        assert_eq!(
            schedule.due(start + SECOND, LinkPhase::Approved, HOUR, false),
            Some(Due::Synchronise(Trigger::Demand))
        );
        assert_eq!(schedule.due(start + SECOND, LinkPhase::Approved, HOUR, false), None);
    }

    #[test]
    fn a_link_that_is_not_approved_is_asked_for_until_it_is() {
        let start = Instant::now();
        let mut schedule = starting(LinkPhase::Absent);
        assert_eq!(schedule.due(start, LinkPhase::Joining, HOUR, false), Some(Due::Exchange));
        schedule.exchanged(start, LinkPhase::Joining, None);
        assert_eq!(schedule.due(start + SECOND, LinkPhase::Joining, HOUR, false), None);
        assert_eq!(schedule.due(start + APPROVAL_INTERVAL, LinkPhase::Joining, HOUR, false), Some(Due::Exchange));
        assert_eq!(
            schedule.due(start + APPROVAL_INTERVAL, LinkPhase::Approved, HOUR, false),
            Some(Due::Synchronise(Trigger::Demand))
        );
    }

    #[test]
    fn a_join_that_is_refused_for_good_is_not_sent_again_and_a_new_link_is() {
        let start = Instant::now();
        let mut schedule = starting(LinkPhase::Joining);
        schedule.exchanged(start, LinkPhase::Refused, None);
        assert_eq!(schedule.due(start + SECOND * 3000, LinkPhase::Refused, HOUR, false), None);
        assert_eq!(schedule.due(start + SECOND * 3001, LinkPhase::Joining, HOUR, false), Some(Due::Exchange));
        schedule.exchanged(start, LinkPhase::Refused, Some(SECOND));
        assert_eq!(schedule.due(start + SECOND * 3002, LinkPhase::Refused, HOUR, false), None);
        let approved = schedule.due(start + SECOND * 3003, LinkPhase::Approved, HOUR, false);
        assert_eq!(approved, Some(Due::Synchronise(Trigger::Demand)), "an approval by file counts");
    }

    #[test]
    fn what_cannot_be_seen_is_told_once_and_looked_for_ever_later_up_to_a_minute() {
        let mut lookout = Lookout::default();
        assert!(!lookout.is_free_again());
        assert_eq!(lookout.wait(), SECOND);
        let told: Vec<bool> = (0..40).map(|_| lookout.is_blocked_by("damaged")).collect();
        assert_eq!(told.iter().filter(|told| **told).count(), 1);
        assert!(told[0] && lookout.is_blocked_by("not there"), "another problem is told");
        assert_eq!(lookout.wait(), SECOND * 64);
        assert!(lookout.is_free_again() && !lookout.is_free_again());
        assert_eq!(lookout.wait(), SECOND);
        let mut waits = Vec::new();
        for _ in 0..3 {
            lookout.is_blocked_by("damaged");
            waits.push(lookout.wait());
        }
        assert_eq!(waits, [SECOND * 2, SECOND * 4, SECOND * 8]);
    }

    #[test]
    fn g3_what_failed_is_tried_again_when_the_host_says_and_not_before() {
        let start = Instant::now();
        let mut schedule = starting(LinkPhase::Approved);
        schedule.exchanged(start, LinkPhase::Approved, Some(SECOND * 40));
        assert_eq!(schedule.due(start + SECOND * 39, LinkPhase::Approved, HOUR, false), None);
        assert_eq!(schedule.due(start + SECOND * 40, LinkPhase::Approved, HOUR, false), Some(Due::Exchange));
        schedule.exchanged(start + SECOND * 40, LinkPhase::Approved, None);
        assert_eq!(schedule.due(start + SECOND * 90, LinkPhase::Approved, HOUR, false), None);
        schedule.exchanged(start, LinkPhase::Approved, Some(SECOND));
        assert_eq!(
            schedule.due(start + SECOND * 90, LinkPhase::Absent, HOUR, false),
            None,
            "there is nobody to exchange with"
        );
    }
}
