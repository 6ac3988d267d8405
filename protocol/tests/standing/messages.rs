//! What administrators read. The snapshot is the text itself: read it as one of them.

use seatline_protocol::standing::Ends;
use seatline_protocol::{Behaviour, Kind, License, Observed, standing};

use crate::given::{With, at, license, observed};

#[test]
fn every_reason_says_what_is_so_and_the_way_out() {
    let mut text = String::new();
    let mut tell = |licenses: &[License], observed: &Observed| {
        let standing = standing(licenses, observed, at("2026-06-01"));
        for reason in &standing.reasons {
            text.push_str(&format!("{:?}: {}\n", reason.code, reason.message));
        }
        let history = standing.licenses.iter().filter(|license| license.status.name() == "replaced");
        history.for_each(|license| text.push_str(&format!("replaced: {}\n", license.reason.as_deref().unwrap_or("?"))));
    };
    let one = || license("L-1", "2026-01-01");
    let nobody = observed(&[]);

    tell(&[], &nobody);
    tell(&[one().of("acme-chat")], &nobody);
    tell(&[one().add_on("acme-mail").with(|license| license.add_on_of = "acme-chat".parse().ok())], &nobody);
    tell(&[one().edition("enterprise")], &nobody);
    tell(&[one().bound_to('B')], &nobody);
    tell(&[one().bound_to('B').bound_to('C')], &nobody);
    tell(&[one().expires("2026-05-01")], &nobody);
    tell(&[one().expires("2026-05-01").grace(14)], &nobody);
    tell(&[one().begins("2026-06-15")], &nobody);
    tell(&[one().expires("2026-05-28").grace(14)], &nobody);
    tell(&[one().expires("2026-07-01")], &nobody);
    tell(&[one().kind(Kind::Evaluation).expires("2026-06-03")], &nobody);
    tell(&[one().maintained("2026-05-01")], &nobody);
    tell(&[one().maintained("2026-07-01")], &nobody);
    let mut later_release = observed(&[]);
    later_release.released = Some(at("2026-05-15"));
    tell(&[one().maintained("2026-05-01")], &later_release);
    tell(&[one(), license("L-2", "2026-02-01")], &nobody);

    let users = |users| observed(&[("users", users)]);
    tell(&[one().limit("users", 500, 0, Behaviour::Warn)], &users(480));
    tell(&[one().limit("users", 500, 0, Behaviour::Refuse)], &users(500));
    tell(&[one().limit("users", 500, 25, Behaviour::Warn)], &users(510));
    tell(&[one().limit("users", 500, 0, Behaviour::Warn)], &users(512));
    tell(&[one().limit("users", 500, 25, Behaviour::Restrict)], &users(530));
    tell(&[one().limit("users", 5000, 1000, Behaviour::Restrict)], &users(12_000));
    tell(&[one().limit("users", 50_000, 0, Behaviour::Warn)], &users(48_000));
    tell(&[one().by_node()], &observed(&[("nodes", 4)]));
    insta::assert_snapshot!(text);
}

#[test]
fn a_hostile_edition_cannot_break_a_message() {
    let mut here = observed(&[]);
    here.edition = Some(format!("\u{1b}[31m\u{202e}{}", "x".repeat(5000)));
    let licenses = [license("L-1", "2026-01-01").edition(&"ÿ".repeat(200))];
    let standing = standing(&licenses, &here, at("2026-06-01"));
    assert_eq!(standing.check(), Ok(()));
    assert!(standing.reasons[0].message.contains("xxx…”"), "{}", standing.reasons[0].message);
}

#[test]
fn c6_the_time_left_is_that_of_what_ends_first() {
    let left = |license: License, now: &str| {
        let standing = standing(&[license], &observed(&[]), at(now));
        standing.licenses[0].time_left(at(now)).map(|left| (left.ends, left.days))
    };
    let one = || license("L-1", "2026-01-01");
    assert_eq!(left(one(), "2026-06-01"), None, "nothing ends");
    assert_eq!(left(one().expires("2026-06-11"), "2026-06-01"), Some((Ends::License, 10)));
    assert_eq!(left(one().expires("2026-06-01"), "2026-06-03"), Some((Ends::License, -2)));
    let maintained = || one().expires("2026-09-01").maintained("2026-07-01");
    assert_eq!(left(maintained(), "2026-06-01"), Some((Ends::Maintenance, 30)));
    assert_eq!(left(one().expires("2026-06-01").maintained("2026-07-01"), "2026-05-31"), Some((Ends::License, 1)));
    assert_eq!(left(maintained().of("acme-chat"), "2026-06-01"), None, "it is for another product");
}
