use proptest::prelude::*;

use super::*;

fn hours(zone: &str, times: &[(&[Day], &str, &str)]) -> QuietHours {
    let time = |(days, from, until): &(&[Day], &str, &str)| QuietTime {
        days: days.iter().copied().collect(),
        from: from.parse().expect("a time"),
        until: until.parse().expect("a time"),
    };
    QuietHours { zone: zone.parse().expect("a zone"), times: times.iter().map(time).collect(), pass: None }
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

#[test]
fn nights_go_over_midnight_and_belong_to_the_day_on_which_they_begin() {
    // 2026-11-20 is a Friday; Berlin is an hour ahead in winter.
    let nights = hours("Europe/Berlin", &[(&[Day::Friday], "22:00", "07:00")]);
    assert_eq!(nights.quiet_until(at("2026-11-20T20:59:59Z")), None);
    assert_eq!(nights.quiet_until(at("2026-11-20T21:00:00Z")), Some(at("2026-11-21T06:00:00Z")));
    assert_eq!(nights.quiet_until(at("2026-11-21T05:59:59Z")), Some(at("2026-11-21T06:00:00Z")));
    assert_eq!(nights.quiet_until(at("2026-11-21T06:00:00Z")), None);
    assert_eq!(nights.quiet_until(at("2026-11-21T21:30:00Z")), None, "Saturday night is not quiet");
}

#[test]
fn times_that_follow_one_another_are_one() {
    let weekend = [(&[Day::Friday][..], "18:00", "00:00"), (&[Day::Saturday, Day::Sunday], "00:00", "00:00")];
    let quiet = hours("UTC", &weekend);
    assert_eq!(quiet.quiet_until(at("2026-11-20T18:00:00Z")), Some(at("2026-11-23T00:00:00Z")));
    assert_eq!(quiet.quiet_until(at("2026-11-22T12:00:00Z")), Some(at("2026-11-23T00:00:00Z")));
}

#[test]
fn the_clock_that_is_turned_makes_a_night_longer_or_shorter() {
    let nights = hours("Europe/Berlin", &[(&[Day::Saturday], "23:00", "06:00")]);
    let length = |begin: &str| {
        let end = nights.quiet_until(at(begin)).expect("quiet");
        end.duration_since(at(begin)).as_hours()
    };
    assert_eq!(length("2026-03-28T22:00:00Z"), 6, "summer time begins");
    assert_eq!(length("2026-10-24T21:00:00Z"), 8, "and ends");
    // A time that does not exist on that day is the later one.
    let early = hours("Europe/Berlin", &[(&[Day::Sunday], "02:30", "06:00")]);
    assert_eq!(early.quiet_until(at("2026-03-29T01:20:00Z")), None);
    assert_eq!(early.quiet_until(at("2026-03-29T01:30:00Z")), Some(at("2026-03-29T04:00:00Z")));
}

#[test]
fn a_zone_is_a_name_of_the_iana() {
    assert_eq!("europe/berlin".parse::<Zone>().expect("known").to_string(), "Europe/Berlin");
    for wrong in ["", "Berlin", "CEST+1", "../../etc/passwd"] {
        assert!(wrong.parse::<Zone>().is_err(), "{wrong}");
    }
}

#[test]
fn a_time_of_the_day_has_hours_and_minutes() {
    for right in ["00:00", "23:59", "07:05"] {
        assert_eq!(right.parse::<Clock>().expect("a time").to_string(), right);
    }
    for wrong in ["24:00", "7:05", "07:60", "0705", "07:05:00", "-1:00", ""] {
        assert!(wrong.parse::<Clock>().is_err(), "{wrong}");
    }
}

#[test]
fn quiet_hours_that_cannot_be_kept_are_refused() {
    let days = &Day::ALL[..];
    assert_eq!(hours("UTC", &[(days, "22:00", "07:00")]).check(), Ok(()));
    assert!(hours("UTC", &[]).check().is_err());
    assert!(hours("UTC", &[(&[], "22:00", "07:00")]).check().is_err());
    assert!(hours("UTC", &[(days, "22:00", "07:00"); 8]).check().is_err());
    let whole_week = hours("UTC", &[(days, "00:00", "00:00")]);
    assert!(whole_week.check().expect_err("nothing would be told").contains("must end"));
    assert_eq!(QuietHours { pass: Some(Gravity::Problem), ..whole_week }.check(), Ok(()), "problems pass");
}

proptest! {
    #[test]
    fn an_end_comes_after_now_and_is_not_quiet(
        hour in 0_i8..24, length in 1_i8..24, days in prop::collection::btree_set(0_usize..7, 1..7), second in 0_i64..40_000_000,
    ) {
        let clock = |hour: i8| format!("{:02}:00", hour % 24).parse().expect("a time");
        let time = QuietTime {
            days: days.iter().map(|day| Day::ALL[*day]).collect(),
            from: clock(hour),
            until: clock(hour + length),
        };
        let quiet = QuietHours { zone: "America/New_York".parse().expect("a zone"), times: vec![time], pass: None };
        let now = Timestamp::from_second(1_800_000_000 + second).expect("a time");
        if let Some(end) = quiet.quiet_until(now) {
            prop_assert!(end > now);
            prop_assert_eq!(quiet.quiet_until(end), None);
        }
    }
}

#[test]
fn a_quiet_time_is_read_as_people_write_it() {
    let days = |text: &str| -> Vec<&str> {
        let time: QuietTime = text.parse().expect("a time");
        time.days.iter().map(|day| day.name()).collect()
    };
    assert_eq!(days("monday-wednesday 22:00-07:00"), ["monday", "tuesday", "wednesday"]);
    assert_eq!(days("saturday-monday,thursday 00:00-00:00"), ["monday", "thursday", "saturday", "sunday"]);
    assert_eq!(days("friday 00:00-00:00"), ["friday"]);
    assert_eq!(days("daily 22:00-06:00").len(), 7);
    let time: QuietTime = " sunday 22:00-06:30 ".parse().expect("a time");
    assert_eq!((time.from.to_string(), time.until.to_string()), ("22:00".to_owned(), "06:30".to_owned()));
    for bad in ["", "22:00-06:00", "noday 22:00-06:00", "monday 22:00", "monday 22-06", "monday-noday 22:00-06:00", " "]
    {
        assert!(bad.parse::<QuietTime>().is_err(), "{bad:?}");
    }
}
