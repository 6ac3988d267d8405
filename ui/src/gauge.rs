//! A gauge: how much of a limit is used.

use askama::Template;

use crate::format::{self, number, percent};

/// Where the mark stands unless somebody has set it: from here on a limit counts as near.
const THRESHOLD_PERCENT: u8 = 90;

/// How the use lies to its limit. The caller decides, by the same rule as everywhere; the gauge only draws.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Comfortably within the limit.
    Within,
    /// Near the limit, or within what is tolerated beyond it.
    Near,
    /// Beyond the limit and what is tolerated.
    Over,
}

/// A gauge as it is drawn: figures, and places on the bar as SVG lengths.
struct Bar {
    max: String,
    share: Option<String>,
    spoken: String,
    filled: String,
    /// Where the mark stands, until it is passed: then the colour says so.
    threshold: Option<String>,
    limit: Option<String>,
    note: String,
}

/// A bar of use against a limit, with a mark at the threshold and, where the bar reaches beyond it, at the limit. The
/// figures stand beside it, and the drawing says them in words.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "gauge.html")]
pub struct Gauge {
    unit: String,
    used: u64,
    max: Option<u64>,
    extra: u64,
    level: Level,
    small: bool,
    mark: u8,
}

impl Gauge {
    /// A gauge of `used` against `max` (none: unlimited), both counted in `unit`, such as `users`.
    pub fn new(unit: impl Into<String>, used: u64, max: Option<u64>, level: Level) -> Self {
        Self { unit: unit.into(), used, max, extra: 0, level, small: false, mark: THRESHOLD_PERCENT }
    }

    /// The count that is tolerated beyond the limit.
    pub fn extra(mut self, extra: u64) -> Self {
        self.extra = extra;
        self
    }

    /// Where the mark stands, in hundredths of the limit (`s4`).
    pub fn mark(mut self, percent: u8) -> Self {
        self.mark = percent;
        self
    }

    /// For the row of a table: a thinner bar, and the unit beside the figures.
    pub fn small(mut self) -> Self {
        self.small = true;
        self
    }

    /// What is drawn, where there is a limit.
    fn bar(&self) -> Option<Bar> {
        let max = self.max?;
        let end = max.saturating_add(self.extra).max(self.used).max(1);
        let place = |count: f64| format!("{:.2}%", (count / end as f64 * 100.0).min(100.0));
        Some(Bar {
            max: number(max),
            share: percent(self.used, max),
            spoken: self.spoken(max),
            filled: place(self.used as f64),
            threshold: (self.level == Level::Within).then(|| place(max as f64 * f64::from(self.mark) / 100.0)),
            limit: (end > max).then(|| place(max as f64)),
            note: self.note(max),
        })
    }

    fn fill(&self) -> &'static str {
        match self.level {
            Level::Within => "fill-within",
            Level::Near => "fill-near",
            Level::Over => "fill-over",
        }
    }

    /// What is left of the limit, or how far it is passed.
    fn note(&self, max: u64) -> String {
        match self.used.checked_sub(max) {
            None => format!("{} left", number(max - self.used)),
            Some(0) => "none left".to_owned(),
            Some(over) if over <= self.extra => {
                format!("{} over, within the allowance of {}", number(over), number(self.extra))
            }
            Some(over) => format!("{} over the limit", number(over)),
        }
    }

    fn spoken(&self, max: u64) -> String {
        let share = percent(self.used, max).map(|share| format!(", {share}")).unwrap_or_default();
        let (used, limit, unit) = (number(self.used), number(max), &self.unit);
        format!("{used} of {limit} {unit}{share}. The mark stands at {}% of the limit.", self.mark)
    }
}

impl askama::filters::HtmlSafe for Gauge {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_ends_at_the_greatest_of_use_and_limit() {
        let places = |used| {
            let bar = Gauge::new("users", used, Some(500), Level::Within).bar().expect("there is a limit");
            (bar.filled, bar.threshold, bar.limit)
        };
        assert_eq!(places(420), ("84.00%".into(), Some("90.00%".into()), None));
        assert_eq!(places(1000), ("100.00%".into(), Some("45.00%".into()), Some("50.00%".into())));
    }

    #[test]
    fn odd_numbers_draw_without_a_panic() {
        for (used, max, extra) in [(0, 0, 0), (u64::MAX, 0, 0), (0, u64::MAX, u64::MAX), (u64::MAX, u64::MAX, u64::MAX)]
        {
            let html = Gauge::new("users", used, Some(max), Level::Within).extra(extra).to_string();
            assert!(!html.contains("NaN") && !html.contains("inf"), "{html}");
        }
    }

    #[test]
    fn the_note_says_what_is_left_or_by_how_much_it_is_passed() {
        let note = |used, extra| Gauge::new("users", used, Some(500), Level::Within).extra(extra).note(500);
        assert_eq!(note(420, 0), "80 left");
        assert_eq!(note(500, 0), "none left");
        assert_eq!(note(520, 25), "20 over, within the allowance of 25");
        assert_eq!(note(1530, 25), "1,030 over the limit");
    }
}
