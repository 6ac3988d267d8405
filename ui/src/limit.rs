//! A limit of the governing license against its count, and what the standing gives cause to say.

use askama::Template;
use seatline_protocol::standing::{LimitStanding, LimitState, Reason};

use crate::format::number;
use crate::gauge::Gauge;
use crate::signs::{Badge, Banner, Prose, Tone};
use crate::words;

/// A limit against its count, as a card.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "limit.html")]
pub struct LimitCard {
    title: String,
    badge: Badge,
    /// The gauge, or where nothing was counted the limit in words.
    gauge: Option<Gauge>,
    uncounted: String,
    behaviour: &'static str,
    /// What the threshold that somebody has set gives cause to say.
    passed: Option<String>,
    /// What stands below: a form of the page.
    below: String,
}

impl LimitCard {
    /// The card of a limit; `failure` is why it was not counted, where that is known.
    pub fn new(limit: &LimitStanding, failure: Option<&str>) -> Self {
        let limit_in_words = limit.max.map_or("no limit".to_owned(), |max| format!("limit {}", number(max)));
        let reason = failure.unwrap_or("the product does not count it");
        Self {
            title: words::dimension(&limit.dimension),
            badge: words::limit_state(limit.state),
            gauge: Gauge::of_limit(limit),
            uncounted: format!("Not counted: {reason} ({limit_in_words})."),
            behaviour: words::behaviour(limit.behaviour),
            passed: None,
            below: String::new(),
        }
    }

    /// The threshold of the limit, in hundredths of it (`s4`): the gauge has its mark there.
    pub fn threshold(mut self, limit: &LimitStanding, percent: u8) -> Self {
        self.gauge = self.gauge.map(|gauge| gauge.mark(percent));
        let reached =
            |max: u64| u128::from(limit.used.unwrap_or_default()) * 100 >= u128::from(max) * u128::from(percent);
        let is_passed = limit.state == LimitState::Within && limit.max.is_some_and(|max| max > 0 && reached(max));
        if is_passed {
            self.badge = Badge::new(Tone::Warning, "Past your threshold");
            self.passed = Some(format!("The threshold of {percent}% is reached: administrators are told."));
        }
        self
    }

    /// Puts `html` below the gauge, such as a form.
    pub fn below(self, html: impl std::fmt::Display) -> Self {
        Self { below: html.to_string(), ..self }
    }
}

impl askama::filters::HtmlSafe for LimitCard {}

impl Gauge {
    /// The gauge of a limit; none where nothing was counted.
    pub fn of_limit(limit: &LimitStanding) -> Option<Self> {
        let gauge = Self::new(limit.dimension.as_str(), limit.used?, limit.max, words::level(limit.state));
        Some(gauge.extra(limit.extra))
    }
}

/// The reasons of a verdict as banners, the gravest first (`a4`).
pub fn reason_banners(reasons: &[Reason]) -> Vec<Banner> {
    let titles =
        [(Tone::Danger, "The licenses do not cover this use"), (Tone::Warning, "The licenses need attention soon")];
    let banner = |(tone, title): (Tone, &str)| {
        let so_grave = reasons.iter().filter(|reason| words::reason_tone(reason.code) == tone);
        let lines: Vec<Prose> = so_grave.map(|reason| Prose::sentence(&reason.message)).collect();
        (!lines.is_empty()).then(|| Banner::list(tone, title, lines))
    };
    titles.into_iter().filter_map(banner).collect()
}
