use seatline_protocol::notices::Step;

use super::*;
use crate::domain::alerts::telling::News;

fn config(scope: Scope) -> ChannelConfig {
    ChannelConfig {
        name: "Operations".parse().expect("a name"),
        to: Target::Mail { recipients: vec!["ada@example.org".parse().expect("an address")] },
        scope,
        quiet: None,
        per_hour: DEFAULT_PER_HOUR,
        enabled: true,
    }
}

fn labels(group: &str, tags: &str) -> Labels {
    Labels::parse(group, tags).expect("labels")
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

#[test]
fn a_channel_is_told_of_what_it_wants() {
    let none = Labels::default();
    let usual = Scope::default();
    assert!(usual.wants("limit", Gravity::Warning, false, &none));
    assert!(!usual.wants("not-linked", Gravity::Note, false, &none), "a note is not grave enough");
    assert!(usual.wants("plugin-changed", Gravity::Note, false, &none), "an event is, whatever its gravity");
    assert!(!usual.wants("limit", Gravity::Problem, true, &none), "staging");
    let some = Scope { codes: ["limit".to_owned()].into(), events: false, staging: true, ..Scope::default() };
    assert!(
        some.wants("limit", Gravity::Warning, true, &none) && !some.wants("expiry", Gravity::Problem, false, &none)
    );
    assert!(!some.wants("plugin-changed", Gravity::Warning, false, &none));
    let sorted = Scope {
        groups: ["Sales".parse().expect("a group")].into(),
        tags: ["critical".parse().expect("a tag")].into(),
        ..Scope::default()
    };
    assert!(sorted.wants("limit", Gravity::Warning, false, &labels("Sales", "critical, eu")));
    for (group, tags) in [("Sales", "eu"), ("", "critical"), ("Support", "critical")] {
        assert!(!sorted.wants("limit", Gravity::Warning, false, &labels(group, tags)), "{group} {tags}");
    }
}

#[test]
fn a_channel_speaks_at_most_so_often_in_an_hour() {
    let channel = config(Scope::default());
    let (last, due) = (at("2026-11-22T10:00:00Z"), at("2026-11-22T09:00:00Z"));
    let due = Due { news: News::Began, at: due, step: Step::Holds, gravity: Gravity::Problem };
    assert!(!channel.is_told(&due, Some(last), at("2026-11-22T10:04:59Z")));
    assert!(channel.is_told(&due, Some(last), at("2026-11-22T10:05:00Z")));
    assert!(channel.is_told(&due, None, last));
    let off = ChannelConfig { enabled: false, ..channel };
    assert!(!off.is_told(&due, None, last));
}

#[test]
fn a_channel_that_spoke_by_a_clock_far_ahead_is_not_silent_until_then() {
    let due = Due { news: News::Began, at: at("2026-11-22T09:00:00Z"), step: Step::Holds, gravity: Gravity::Problem };
    let (next_year, now) = (at("2027-11-22T10:00:00Z"), at("2026-11-22T10:00:00Z"));
    assert!(config(Scope::default()).is_told(&due, Some(next_year), now));
}

#[test]
fn in_quiet_hours_only_what_passes_is_told() {
    let quiet: QuietHours = serde_json::from_value(serde_json::json!({
        "zone": "UTC", "pass": "problem", "times": [{"days": ["sunday"], "from": "22:00", "until": "06:00"}],
    }))
    .expect("quiet hours");
    let channel = ChannelConfig { quiet: Some(quiet), ..config(Scope::default()) };
    let night = at("2026-11-22T23:00:00Z");
    assert_eq!(channel.may_hear(None, night), Some(Gravity::Problem));
    assert_eq!(channel.may_hear(None, at("2026-11-23T06:00:00Z")), Some(Gravity::Note));
    let silent =
        ChannelConfig { quiet: channel.quiet.clone().map(|quiet| QuietHours { pass: None, ..quiet }), ..channel };
    assert_eq!(silent.may_hear(None, night), None);
}

#[test]
fn a_channel_that_cannot_be_kept_is_refused_by_its_field() {
    let webhook = |url: &str| Target::Webhook { url: url.to_owned(), ca_pem: None };
    let to = |to| ChannelConfig { to, ..config(Scope::default()) };
    let mail = |many: usize| Target::Mail {
        recipients: (0..many).map(|n| format!("a{n}@example.org").parse().expect("an address")).collect(),
    };
    let twice = Target::Mail { recipients: vec!["ada@example.org".parse().expect("an address"); 2] };
    let scope = |codes: &str| Scope { codes: [codes.to_owned()].into(), ..Scope::default() };
    let groups = |many: usize| {
        let groups = (0..many).map(|n| format!("Group {n}").parse().expect("a group")).collect();
        config(Scope { groups, ..Scope::default() })
    };
    let tags = |many: usize| {
        let tags = (0..many).map(|n| format!("tag{n}").parse().expect("a tag")).collect();
        config(Scope { tags, ..Scope::default() })
    };
    let cases = [
        (to(mail(0)), "recipients"),
        (to(mail(MAX_RECIPIENTS + 1)), "recipients"),
        (to(twice), "recipients"),
        (to(webhook("http://hooks.example.org/")), "url"),
        (to(Target::Webhook { url: "https://x.org/".to_owned(), ca_pem: Some("no".to_owned()) }), "ca_pem"),
        (config(scope("no-such")), "codes"),
        (groups(MAX_LABELS + 1), "groups"),
        (tags(MAX_LABELS + 1), "tags"),
        (ChannelConfig { per_hour: 0, ..config(Scope::default()) }, "per_hour"),
        (ChannelConfig { per_hour: MAX_PER_HOUR + 1, ..config(Scope::default()) }, "per_hour"),
    ];
    for (config, field) in cases {
        assert_eq!(config.check().expect_err("refused").0, field, "{config:?}");
    }
    assert_eq!(to(webhook("https://hooks.example.org/x?key=1")).check(), Ok(()));
    assert_eq!(to(mail(MAX_RECIPIENTS)).check(), Ok(()));
    assert_eq!(config(scope("plugin-changed")).check(), Ok(()));
    assert_eq!((groups(MAX_LABELS).check(), tags(MAX_LABELS).check()), (Ok(()), Ok(())));
}

#[test]
fn what_may_be_a_secret_of_a_url_is_not_shown() {
    let whole = "https://hooks.example.org/x?key=secret".to_owned();
    let (shown, kept) = Target::Webhook { url: whole.clone(), ca_pem: None }.shown();
    assert!(!serde_json::to_string(&shown).expect("JSON").contains("secret"));
    assert_eq!(kept, Some(whole));
}
