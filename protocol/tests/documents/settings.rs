//! The rules of settings, and of the unsealed texts of an exchange.

use seatline_protocol::exchange::{ExchangeResponse, Refusal};
use seatline_protocol::ids::MAX_COUNT;
use seatline_protocol::seal::Document as _;
use seatline_protocol::settings::{MAX_DORMANCY_DAYS, MAX_INTERVAL, MIN_INTERVAL};
use seatline_protocol::wait::MAX_SECONDS;
use seatline_protocol::{Counting, Settings, Wait};

fn settings(interval: u32, dormancy_days: u32, revision: u64) -> Settings {
    Settings {
        link: "AAAA-AAAA-AAAA-AAAA-AAAA-AAAA".parse().expect("a link id"),
        revision,
        issued_at: "2026-01-01T00:00:00Z".parse().expect("a time"),
        interval,
        dormancy_days,
        counting: Counting::Account,
        demanded_at: None,
        replace_key: None,
        takes_repeats: false,
    }
}

#[test]
fn w6_nobody_waits_longer_than_the_longest_wait_or_for_nothing() {
    for (seconds, revision, holds) in [
        (1, 0, true),
        (MAX_SECONDS, MAX_COUNT, true),
        (0, 0, false),
        (MAX_SECONDS + 1, 0, false),
        (u64::MAX, 0, false),
        (1, MAX_COUNT + 1, false),
    ] {
        let of = settings(MIN_INTERVAL, 1, 0);
        let check = Wait { link: of.link, revision, seconds, issued_at: of.issued_at }.check();
        assert_eq!(check.is_ok(), holds, "{seconds} s, revision {revision}: {check:?}");
    }
}

#[test]
fn w4_settings_stay_in_their_ranges() {
    for (interval, dormancy_days, revision, holds) in [
        (Settings::DEFAULT_INTERVAL, Settings::DEFAULT_DORMANCY_DAYS, 1, true),
        (MIN_INTERVAL, 1, 0, true),
        (MAX_INTERVAL, MAX_DORMANCY_DAYS, MAX_COUNT, true),
        (MIN_INTERVAL - 1, 1, 0, false),
        (0, 1, 0, false),
        (MAX_INTERVAL + 1, 1, 0, false),
        (u32::MAX, 1, 0, false),
        (MIN_INTERVAL, 0, 0, false),
        (MIN_INTERVAL, MAX_DORMANCY_DAYS + 1, 0, false),
        (MIN_INTERVAL, 1, MAX_COUNT + 1, false),
    ] {
        let check = settings(interval, dormancy_days, revision).check();
        assert_eq!(check.is_ok(), holds, "{interval} s, {dormancy_days} days, revision {revision}: {check:?}");
    }
}

#[test]
fn a_refusal_is_fit_to_be_shown_however_it_came() {
    let hostile = format!("\u{1b}[2J\u{202e}{}", "x".repeat(10_000));
    let json = serde_json::json!({
        "refusals": [{"document": hostile, "index": 0, "code": hostile, "message": hostile}]
    });
    let response: ExchangeResponse = serde_json::from_value(json).expect("a response");
    let read = &response.refusals[0];
    assert_eq!(*read, Refusal::new(&hostile, Some(0), &hostile, &hostile));
    assert_eq!([&read.document, &read.code, &read.message].map(|text| text.chars().count()), [64, 64, 400]);
    assert!(!read.message.contains('\u{1b}') && !read.message.contains('\u{202e}'));
}
