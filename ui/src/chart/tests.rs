use jiff::SignedDuration;

use super::*;

fn day(n: i64) -> Timestamp {
    "2026-10-01T00:00:00Z".parse::<Timestamp>().expect("a time") + SignedDuration::from_hours(24 * n)
}

fn step(n: i64, count: u64, limit: Option<u64>) -> Step {
    Step { from: day(n), until: day(n + 1), count, low: count, high: count, limit }
}

fn chart(steps: Vec<Step>) -> Chart {
    Chart {
        id: "users".to_owned(),
        title: "Users".to_owned(),
        unit: "users".to_owned(),
        summary: "From 400 to 420 users.".to_owned(),
        from: day(0),
        until: day(10),
        steps,
        outlook: Vec::new(),
        confidence: "90 %".to_owned(),
    }
}

#[test]
fn the_line_goes_on_from_day_to_day_and_breaks_where_nothing_was_counted() {
    let drawing = chart(vec![step(0, 0, None), step(1, 100, None), step(5, 50, None)]).drawing();
    assert_eq!(drawing.counts, "M0.0 1000.0H100.0V0.0H200.0M500.0 500.0H600.0");
    assert_eq!((drawing.limit.as_str(), drawing.range.as_str()), ("", ""));
    assert_eq!(drawing.last, Some(("60.00%".to_owned(), "50.00%".to_owned())), "the last count is seen in any case");
}

#[test]
fn the_limit_steps_with_the_license_and_ends_where_there_is_none() {
    let drawing = chart(vec![step(0, 10, Some(10)), step(1, 10, None), step(2, 10, Some(20))]).drawing();
    let (first, second) = (drawing.limit.split('M').nth(1), drawing.limit.split('M').nth(2));
    assert!(first.is_some_and(|part| part.starts_with("0.0 500.0H100.0")), "{}", drawing.limit);
    assert!(second.is_some_and(|part| part.starts_with("200.0 0.0H300.0")), "{}", drawing.limit);
    assert_eq!(drawing.limit_mark.map(|mark| mark.label).as_deref(), Some("limit 20"));
}

#[test]
fn a_limit_outside_of_the_drawing_is_said_in_words() {
    let drawing = chart(vec![step(0, 10, Some(100_000))]).drawing();
    assert_eq!(drawing.remark, "The limit of 100,000 lies outside of the drawing.");
    assert!(drawing.limit_mark.is_none() && drawing.limit.is_empty());
}

#[test]
fn the_table_says_equal_days_once_and_the_newest_first() {
    let rows = chart(vec![step(0, 10, None), step(1, 10, None), step(2, 11, Some(12)), step(5, 11, Some(12))]).rows();
    let said: Vec<_> = rows.iter().map(|row| (row.from.as_str(), row.until.as_str(), row.count.as_str())).collect();
    let expected =
        [("2026-10-06", "2026-10-06", "11"), ("2026-10-03", "2026-10-03", "11"), ("2026-10-01", "2026-10-02", "10")];
    assert_eq!(said, expected);
}

#[test]
fn values_of_any_size_draw_without_a_panic() {
    for count in [0, 1, u64::MAX] {
        let outlook = [f64::NAN, f64::INFINITY, -1.0].map(|n| Outlook { at: day(12), low: n, likely: n, high: n });
        let mut of_any = chart(vec![step(0, count, Some(u64::MAX)), step(1, 0, Some(0))]);
        of_any.outlook = outlook.to_vec();
        let html = of_any.to_string();
        assert!(!html.contains("NaN") && !html.contains("inf"), "{html}");
    }
    assert!(chart(Vec::new()).to_string().contains("<tbody>"));
}
