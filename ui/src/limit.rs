//! A limit of the governing license against its count, and what the standing gives cause to say.

use askama::Template;
use seatline_protocol::standing::{LimitStanding, Reason};

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
        }
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
