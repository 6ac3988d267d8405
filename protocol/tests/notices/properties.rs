//! What holds whatever happens: never twice, never missing, never three where one will do.

use jiff::SignedDuration;
use proptest::prelude::*;
use seatline_protocol::notices::{Change, Course, Memory, Notice, SETTLE_COUNT, Step, Topic};

use crate::given::{COURSES, Instance, at, days, license, state};

/// Courses of one limit, each with the minutes after which it is looked at again: minutes, days, months.
fn looks() -> impl Strategy<Value = Vec<(Course, i64)>> {
    let minutes = prop_oneof![0..120_i64, 0..4000_i64, 0..100_000_i64];
    proptest::collection::vec((proptest::sample::select(&COURSES[..]), minutes), 1..60)
}

fn gravity(course: Course) -> Option<(u8, i32)> {
    match course {
        Course::At(step) => Some(step.gravity()),
        _ => None,
    }
}

proptest! {
    #[test]
    fn s6_nothing_is_told_twice_or_missed_and_of_several_only_the_gravest(looks in looks()) {
        let (mut memory, mut now) = (Memory::default(), at("2026-01-01T00:00:00Z"));
        // The gravest step that was told and is not over.
        let mut told: Option<Step> = None;
        let mut last_began: Option<(Step, jiff::Timestamp)> = None;
        for (course, minutes) in looks {
            now += SignedDuration::from_mins(minutes);
            let notices = memory.take(&[state(Topic::Limit, course, 0)], now);
            prop_assert!(notices.len() <= 1, "{notices:?}");
            let before = told;
            if let Some(Notice { step, change, .. }) = notices.first() {
                match change {
                    Change::Began => {
                        prop_assert_eq!(Course::At(*step), course, "what is told is so");
                        prop_assert!(told.map(Step::gravity) < Some(step.gravity()), "told twice");
                        if let Some((last, at)) = last_began && last == *step {
                            prop_assert!(now.duration_since(at) >= SETTLE_COUNT, "a flood");
                        }
                        (told, last_began) = (Some(*step), Some((*step, now)));
                    }
                    Change::Over => {
                        prop_assert_eq!(before, Some(*step), "what was told is over");
                        prop_assert!(gravity(course) < Some(step.gravity()));
                        told = match course { Course::At(step) => Some(step), _ => None };
                    }
                }
            }
            prop_assert!(told.map(Step::gravity) >= gravity(course), "{course:?} was missed");
            // A look at the same again has nothing to add.
            prop_assert_eq!(memory.take(&[state(Topic::Limit, course, 0)], now), []);
            let kept = serde_json::to_string(&memory).expect("JSON");
            prop_assert_eq!(&serde_json::from_str::<Memory>(&kept).expect("the memory"), &memory);
        }
    }

    #[test]
    fn s5_of_a_date_each_reminder_comes_once_however_often_and_late_is_looked(
        mut looks in proptest::collection::vec(-100..40_i64, 1..30),
    ) {
        looks.sort_unstable();
        let end = at("2027-01-01T00:00:00Z");
        let mut instance =
            Instance::with(vec![license("L", serde_json::json!({"expires": end.to_string(), "grace_days": 14}))]);
        let boundaries = [-60, -30, 0, 14];
        let mut last = -1000;
        for day in looks {
            let told = instance.told(end + days(day));
            let crossed = boundaries.iter().any(|boundary| last < *boundary && *boundary <= day);
            prop_assert_eq!(told.len(), usize::from(crossed), "{:?} at {} after {}", told, day, last);
            last = day;
        }
    }
}
