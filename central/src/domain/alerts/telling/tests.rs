use proptest::prelude::*;

use super::*;
use crate::domain::alerts::MatterKey;
use crate::domain::ids::ApplicationId;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).expect("a time")
}

fn open(began: i64, changed: i64, step: Step, gravity: Gravity) -> Standing {
    Standing::Open(Open { began_at: at(began), changed_at: at(changed), step, gravity })
}

/// What is due at the usual pace.
fn due(standing: &Standing, heard: &Heard, acknowledged: Option<&Acknowledgement>) -> Option<Due> {
    super::due(standing, heard, acknowledged, Pace::default())
}

fn near(second: i64) -> Standing {
    open(second, second, Step::Threshold(90), Gravity::Warning)
}

/// An acknowledgement of what [`near`] gives.
fn acknowledged(second: i64, until: Option<i64>) -> Acknowledgement {
    let application = ApplicationId::from_random([1; 12]);
    Acknowledgement {
        matter: MatterKey { application, code: "limit".to_owned(), subject: "users".to_owned() },
        by: "ada".to_owned(),
        at: at(second),
        why: String::new(),
        until: until.map(at),
        step: Step::Threshold(90),
        gravity: Gravity::Warning,
        began_at: at(second),
    }
}

/// Tells what is due at once, and gives what is known then.
fn told(standing: &Standing, heard: &Heard) -> (Option<News>, Heard) {
    match due(standing, heard, None) {
        None => (None, *heard),
        Some(due) => (Some(due.news), heard.after(&due, due.at)),
    }
}

#[test]
fn s6_what_begins_is_told_once_when_it_has_lasted_for_a_minute() {
    let first = due(&near(0), &Heard::default(), None).expect("due");
    assert_eq!((first.news, first.at, first.gravity), (News::Began, at(60), Gravity::Warning));
    let heard = Heard::default().after(&first, at(60));
    assert_eq!(due(&near(0), &heard, None), None);
}

#[test]
fn what_is_over_before_it_was_told_is_never_told() {
    assert_eq!(due(&Standing::Over(at(30)), &Heard::default(), None), None);
}

#[test]
fn what_was_told_is_told_to_be_over_when_it_has_been_so_for_ten_minutes() {
    let (_, heard) = told(&near(0), &Heard::default());
    let over = due(&Standing::Over(at(1000)), &heard, None).expect("due");
    assert_eq!((over.news, over.at, over.step), (News::Over, at(1600), Step::Threshold(90)));
    // It came back before that: nothing is told, because the channel knows of it.
    assert_eq!(due(&near(1300), &heard, None), None);
    assert_eq!(due(&Standing::Over(at(1000)), &heard.after(&over, at(1600)), None), None);
}

#[test]
fn s5_two_months_and_one_month_are_told_once_each() {
    let (news, heard) = told(&open(0, 0, Step::Days(60), Gravity::Warning), &Heard::default());
    assert_eq!(news, Some(News::Began));
    let month = 30 * 86_400;
    let (news, heard) = told(&open(0, month, Step::Days(30), Gravity::Warning), &heard);
    assert_eq!(news, Some(News::Worse));
    assert_eq!(told(&open(0, month, Step::Days(30), Gravity::Warning), &heard).0, None);
    let (news, _) = told(&open(0, 2 * month, Step::Ended, Gravity::Problem), &heard);
    assert_eq!(news, Some(News::Worse));
}

#[test]
fn what_is_less_grave_is_told_when_it_has_stayed_so() {
    let (_, heard) = told(&open(0, 0, Step::Over, Gravity::Problem), &Heard::default());
    let better = due(&open(0, 500, Step::Threshold(90), Gravity::Warning), &heard, None).expect("due");
    assert_eq!((better.news, better.at), (News::Better, at(1100)));
}

#[test]
fn an_event_is_told_once_and_never_over() {
    let event = Standing::Happened(Gravity::Note, at(5));
    let (news, heard) = told(&event, &Heard::default());
    assert_eq!(news, Some(News::Happened));
    assert_eq!(told(&event, &heard), (None, heard));
}

#[test]
fn what_was_acknowledged_is_not_told_until_it_changes() {
    let known = acknowledged(0, None);
    assert_eq!(due(&near(0), &Heard::default(), Some(&known)), None);
    let worse = open(0, 700, Step::Over, Gravity::Problem);
    assert_eq!(due(&worse, &Heard::default(), Some(&known)).map(|due| due.at), Some(at(760)));
    assert!(due(&near(900), &Heard::default(), Some(&known)).is_some(), "it was over, and has begun anew");
    assert!(!known.holds(None, at(1)), "over is a change");
}

#[test]
fn what_was_acknowledged_until_a_date_is_not_told_before_it_whatever_it_comes_to() {
    let known = acknowledged(0, Some(5000));
    for standing in [near(0), near(900), open(0, 700, Step::Over, Gravity::Problem)] {
        assert_eq!(due(&standing, &Heard::default(), Some(&known)).map(|due| due.at), Some(at(5000)));
    }
    assert!(known.holds(None, at(4999)) && !known.holds(None, at(5000)));
}

#[test]
fn what_was_told_and_acknowledged_is_told_to_be_over() {
    let (_, heard) = told(&near(0), &Heard::default());
    let over = due(&Standing::Over(at(100)), &heard, Some(&acknowledged(0, None)));
    assert_eq!(over.map(|due| due.news), Some(News::Over));
}

proptest! {
    /// A matter that comes and goes at any pace: how often it is told on a day is bounded, what is told alternates, and
    /// in the end the channel knows what is so.
    #[test]
    fn a_matter_that_swings_is_told_less_than_twenty_times_a_day(waits in prop::collection::vec(1_i64..20_000, 2..400)) {
        let (mut now, mut heard, mut times) = (0, Heard::default(), Vec::new());
        let mut last = None;
        for (turn, wait) in waits.iter().enumerate() {
            let standing = if turn % 2 == 0 { near(now) } else { Standing::Over(at(now)) };
            now += wait;
            if let Some(due) = due(&standing, &heard, None).filter(|due| due.at < at(now)) {
                prop_assert_ne!(Some(due.news), last, "nothing is told twice");
                last = Some(due.news);
                times.push(due.at);
                heard = heard.after(&due, due.at);
            }
        }
        for (place, time) in times.iter().enumerate() {
            let day = times[place..].iter().take_while(|later| later.duration_since(*time) < SignedDuration::from_hours(24));
            prop_assert!(day.count() < 20, "{times:?}");
        }
        // Left alone, it comes to rest in what is so.
        let over = Standing::Over(at(now));
        let (_, heard) = told(&over, &heard);
        prop_assert_eq!((heard.told, due(&over, &heard, None)), (None, None));
    }

    #[test]
    fn nothing_is_told_before_it_is_so(began in 0_i64..1000, lasts in 0_i64..1000, swings in 0_u32..40) {
        let heard = Heard { swings, ..Heard::default() };
        let begin = due(&near(began), &heard, None).expect("due");
        prop_assert!(begin.at >= at(began));
        let heard = heard.after(&begin, begin.at);
        let over = due(&Standing::Over(at(began + lasts)), &heard, None).expect("due");
        prop_assert!(over.at >= at(began + lasts) && over.at <= at(began + lasts) + LONGEST_CALM);
    }
}
