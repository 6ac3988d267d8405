//! What one link may take of the central server: room for its reports, keys, and time that has passed. A product that
//! is linked is known and not trusted: it may be broken, or somebody else's by now.
//!
//! A bound that is met is noted in the row of the link ([`Met`]), and is told for a day.

use jiff::{SignedDuration, Timestamp};
use seatline_protocol::evidence::MAX_KEYS;
use seatline_protocol::exchange::RefusalCode;
use seatline_protocol::report::MAX_CLOCK_BEHIND;
use serde::{Deserialize, Serialize};

/// How much a link may bring within a day where nobody has said otherwise, in MiB: a report with the greatest sketch of
/// people every minute, or four times all that fits into the outbox of a product.
pub const DEFAULT_DAILY_MIB: u32 = 256;
/// The most that it can be set to: a TiB.
pub const MAX_DAILY_MIB: u32 = 1024 * 1024;
/// What a report costs beside its own bytes: its rows, their indexes, its part of the history.
const BESIDE_A_REPORT: u64 = 2048;
/// How often the key of a link may be replaced within a day.
pub const DAILY_KEYS: u64 = 10;
/// How often it may be replaced at all: evidence holds so many keys of a link beside the present one.
pub const KEYS_EVER: u64 = MAX_KEYS as u64 - 1;
/// The day of these bounds.
pub const DAY: SignedDuration = SignedDuration::from_hours(24);
/// How long it is told that a bound was met.
const TOLD_FOR: SignedDuration = DAY;
/// After what time it is noted again: a product that is refused all the time costs no write each time.
pub(crate) const NOTED_EVERY: SignedDuration = SignedDuration::from_mins(5);

/// How much a link has brought: it drains evenly, so much a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Brought {
    /// So many bytes were not drained yet,
    pub bytes: u64,
    /// at this time.
    pub at: Timestamp,
}

impl Brought {
    /// With a report of `bytes` more at `now`, of a link that may bring `daily_mib` a day.
    ///
    /// Whether there is room is decided without the size of the report, which may go beyond it: so reports are refused
    /// in their order, the greatest does not have to wait for a day without any, and the chain has no gap.
    ///
    /// # Errors
    /// [`RefusalCode::OverQuota`] where there is no room.
    pub fn and(self, bytes: usize, daily_mib: u32, now: Timestamp) -> Result<Self, RefusalCode> {
        let daily = u64::from(daily_mib) * 1024 * 1024;
        let left = self.bytes.saturating_sub(self.drained(daily, now));
        if left >= daily {
            return Err(RefusalCode::OverQuota);
        }
        let cost = u64::try_from(bytes).unwrap_or(u64::MAX).saturating_add(BESIDE_A_REPORT);
        // The clock of another server may be behind: time that was counted is not counted again.
        Ok(Self { bytes: left.saturating_add(cost), at: now.max(self.at) })
    }

    fn drained(self, daily: u64, now: Timestamp) -> u64 {
        let passed = now.duration_since(self.at).clamp(SignedDuration::ZERO, DAY).as_millis();
        let drained = i128::from(daily) * passed / DAY.as_millis();
        u64::try_from(drained).unwrap_or(daily)
    }
}

/// Whether a report says that it was made before its link, which was approved at `approved_at`.
pub fn is_before_link(observed_at: Timestamp, approved_at: Timestamp) -> bool {
    approved_at.duration_since(observed_at) > MAX_CLOCK_BEHIND
}

/// A bound that a product can meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Bound {
    /// What a link may bring within a day.
    OverQuota,
    /// How often a key may be replaced.
    TooManyKeys,
    /// What time a report may say that it was made at.
    PastReport,
    /// How many documents may come from one address within a second.
    TooManyDocuments,
}

impl Bound {
    /// The bound that a refusal tells of.
    pub fn of(code: RefusalCode) -> Option<Self> {
        match code {
            RefusalCode::OverQuota => Some(Self::OverQuota),
            RefusalCode::TooManyKeys => Some(Self::TooManyKeys),
            RefusalCode::PastReport => Some(Self::PastReport),
            RefusalCode::TooManyDocuments => Some(Self::TooManyDocuments),
            _ => None,
        }
    }

    /// The code of the concern, which is that of the refusal.
    pub fn code(self) -> &'static str {
        match self {
            Self::OverQuota => RefusalCode::OverQuota.name(),
            Self::TooManyKeys => RefusalCode::TooManyKeys.name(),
            Self::PastReport => RefusalCode::PastReport.name(),
            Self::TooManyDocuments => RefusalCode::TooManyDocuments.name(),
        }
    }

    /// What it means of a link that may bring `daily_mib` a day, and what to do.
    pub fn words(self, daily_mib: u32) -> String {
        match self {
            Self::OverQuota => format!(
                "this product sends more than {daily_mib} MiB of reports a day, and what is more is refused: it waits at the \
                 product, and comes when there is room. See there why it reports so much and so often; if that is right, give \
                 the link more room on the Details tab, and if nobody knows why, suspend it"
            ),
            Self::TooManyKeys => format!(
                "this product has replaced the key of its link more than {DAILY_KEYS} times within a day, or {KEYS_EVER} times \
                 in all, and the next key is refused: its reports wait until then. See there what replaces the key; if nobody \
                 knows, suspend the link"
            ),
            Self::PastReport => "this product sends reports which say that they were made before it was linked, and they are \
                                 refused: set its clock. If the clock is right, somebody else may have its key: suspend the \
                                 link"
                .to_owned(),
            Self::TooManyDocuments => "more documents that this product has sealed come from one address than any product \
                                       sends, and what is more is told to wait there. See at the product what sends so \
                                       much; the log of this server says from where it comes. If it is not the product, \
                                       somebody else has its key or repeats what it has sent: have its key replaced, or \
                                       suspend the link"
                .to_owned(),
        }
    }
}

/// That a product has met a bound.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Met {
    /// Which one.
    pub bound: Bound,
    /// Since when, without a day's rest between.
    pub since: Timestamp,
    /// When it was noted last.
    pub last_at: Timestamp,
}

impl Met {
    /// Until when it is told.
    pub fn until(&self) -> Timestamp {
        self.last_at.checked_add(TOLD_FOR).unwrap_or(Timestamp::MAX)
    }
}

/// What becomes of `met` as a product meets a bound; none where nothing is to be noted. Says also whether that is news.
pub fn note(met: &[Met], bound: Bound, now: Timestamp) -> Option<(Vec<Met>, bool)> {
    let mut told: Vec<Met> = met.iter().filter(|met| now <= met.until()).cloned().collect();
    let Some(known) = told.iter_mut().find(|met| met.bound == bound) else {
        told.push(Met { bound, since: now, last_at: now });
        return Some((told, true));
    };
    if now.duration_since(known.last_at) < NOTED_EVERY {
        return None;
    }
    known.last_at = now;
    Some((told, false))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use seatline_protocol::report::MAX_SKETCH_BYTES;
    use seatline_protocol::{Document as _, Report};

    use super::*;

    const MIB: u64 = 1024 * 1024;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).expect("a second of this century")
    }

    fn nothing() -> Brought {
        Brought { bytes: 0, at: Timestamp::UNIX_EPOCH }
    }

    /// How many reports of `bytes`, one each `every` seconds for `days`, are taken, and how many are sent.
    fn taken(bytes: usize, every: usize, days: i64, daily_mib: u32) -> (u64, u64) {
        let (mut brought, mut taken, mut sent) = (nothing(), 0, 0);
        for second in (0..days * 86_400).step_by(every) {
            sent += 1;
            if let Ok(more) = brought.and(bytes, daily_mib, at(second)) {
                (brought, taken) = (more, taken + 1);
            }
        }
        (taken, sent)
    }

    #[test]
    fn what_an_honest_product_sends_has_room_many_times_over() {
        // A sketch is written in base64 twice: in the report, and in its seal.
        let greatest = MAX_SKETCH_BYTES * 16 / 9 + 8 * 1024;
        for (bytes, every, what) in [
            (greatest, 60, "the greatest sketch every minute"),
            (16 * greatest, 3600, "sixteen times that every hour"),
            (Report::MAX_BYTES, 3600, "the greatest report of all every hour"),
        ] {
            let (taken, sent) = taken(bytes, every, 30, DEFAULT_DAILY_MIB);
            assert_eq!(taken, sent, "{what}");
        }
        // All that an outbox holds, at once: 64 MiB, or a thousand reports.
        let mut brought = nothing();
        for _ in 0..3 * 64 {
            brought = brought.and(Report::MAX_BYTES, DEFAULT_DAILY_MIB, at(0)).expect("there is room");
        }
    }

    #[test]
    fn a_flood_is_held_to_what_a_link_may_bring() {
        let mut brought = nothing();
        let mut bytes = 0;
        while let Ok(more) = brought.and(MIB as usize, 4, at(0)) {
            (brought, bytes) = (more, bytes + MIB);
        }
        assert_eq!(bytes, 4 * MIB, "a day's room at once");
        assert_eq!(brought.and(1, 4, at(1)), Err(RefusalCode::OverQuota));
        assert!(brought.and(1, 4, at(6 * 3600)).is_ok(), "a quarter of it is free after a quarter of a day");
        assert!(brought.and(1, 8, at(1)).is_ok(), "and more is free at once where it may bring more");
        let (taken, sent) = taken(MIB as usize, 60, 10, 4);
        assert!((44..=46).contains(&taken), "in ten days what fits into eleven: {taken} of {sent}");
    }

    #[test]
    fn small_reports_are_not_free() {
        let (taken, _) = taken(300, 1, 1, 1);
        assert!(taken < 2 * MIB / BESIDE_A_REPORT, "{taken}");
    }

    #[test]
    fn a_server_whose_clock_is_behind_gives_no_time_twice() {
        let full = nothing().and(2 * MIB as usize, 1, at(100)).expect("there is room");
        let mut brought = full;
        for _ in 0..1000 {
            for second in [99_000, 95_000] {
                if let Ok(more) = brought.and(MIB as usize, 1, at(second)) {
                    brought = more;
                }
            }
        }
        assert!(brought.bytes < 3 * MIB, "{brought:?}");
    }

    proptest! {
        #[test]
        fn no_course_of_reports_brings_more_than_two_days_in_a_day(
            reports in proptest::collection::vec((0usize..MIB as usize, 0i64..7200), 1..400),
            daily_mib in 1u32..4,
        ) {
            let (mut brought, mut second, mut sum) = (nothing(), 0, 0);
            for (bytes, wait) in reports {
                second += wait;
                if second > 86_400 {
                    break;
                }
                if let Ok(more) = brought.and(bytes, daily_mib, at(second)) {
                    brought = more;
                    sum += bytes as u64;
                }
            }
            // And the one report that may go beyond it.
            prop_assert!(sum <= 2 * u64::from(daily_mib) * MIB + MIB, "{}", sum);
        }
    }

    #[test]
    fn a_report_may_be_as_old_as_its_link_and_a_day_more_for_its_clock() {
        let linked = at(0);
        assert!(!is_before_link(at(400 * 86_400), linked));
        assert!(!is_before_link(at(-86_400), linked));
        assert!(is_before_link(at(-86_401), linked));
        assert!(is_before_link(Timestamp::MIN, linked));
    }

    #[test]
    fn a_bound_is_news_once_until_a_day_without_it_has_passed() {
        let (met, is_news) = note(&[], Bound::OverQuota, at(0)).expect("noted");
        assert!(is_news);
        assert_eq!(note(&met, Bound::OverQuota, at(299)), None, "not each time");
        let (met, is_news) = note(&met, Bound::OverQuota, at(300)).expect("noted");
        assert_eq!((met[0].since, met[0].last_at, is_news), (at(0), at(300), false));
        let (both, is_news) = note(&met, Bound::PastReport, at(301)).expect("noted");
        assert_eq!((both.len(), is_news), (2, true), "another bound is other news");
        let late = at(300 + 86_401);
        let (met, is_news) = note(&met, Bound::OverQuota, late).expect("noted");
        assert_eq!((met.len(), met[0].since, is_news), (1, late, true));
    }

    #[test]
    fn each_bound_has_the_code_of_its_refusal() {
        use RefusalCode::{OverQuota, PastReport, TooManyDocuments, TooManyKeys};
        for code in [OverQuota, TooManyKeys, PastReport, TooManyDocuments] {
            assert_eq!(Bound::of(code).map(Bound::code), Some(code.name()));
        }
        assert_eq!(Bound::of(RefusalCode::Fork), None);
    }
}
