//! A dimension over time, as a card: its chart, its highest count, and what is foreseen, in words.

use jiff::{SignedDuration, Timestamp};
use seatline_protocol::Dimension;
use seatline_ui::{Badge, Chart, Outlook, Step, Tone, format, words};

use crate::domain::forecast::{Band, CONFIDENCE_PERCENT, Forecast, Outlook as Foreseen, Passing};
use crate::domain::history::{ClassPeriod, DimensionHistory, History, Peak, Period};

/// Of the length of a chart, at most so much is forecast.
const FORECAST_SHARE: i64 = 2;

/// A course of counts.
pub(super) struct Course {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) badge: Option<Badge>,
    pub(super) chart: Option<Chart>,
    pub(super) facts: Vec<(&'static str, String)>,
    /// How the forecast was made, in sentences.
    pub(super) method: Vec<String>,
}

/// The courses of a history: each dimension, and the dormant seats.
pub(super) fn courses(history: &History) -> Vec<Course> {
    let mut courses: Vec<Course> =
        history.dimensions.iter().map(|dimension| of_dimension(dimension, history)).collect();
    if let Some(last) = history.classes.last().filter(|_| history.classes.iter().any(|at| at.classes.dormant > 0)) {
        courses.insert(1.min(courses.len()), dormant(&history.classes, last, history));
    }
    courses
}

fn of_dimension(dimension: &DimensionHistory, history: &History) -> Course {
    let title = words::dimension(&dimension.dimension);
    let steps = steps(&dimension.periods);
    let outlook = match &dimension.forecast {
        Forecast::Made(foreseen) => outlook(foreseen, history),
        Forecast::NotEnough { .. } | Forecast::Outdated { .. } => Vec::new(),
    };
    let unit = dimension.dimension.as_str().replace('-', " ");
    let mut facts = Vec::new();
    if let Some(Peak { count, at }) = dimension.highest {
        facts.push(("Highest ever", format!("{} on {}", format::number(count), format::date_time(at))));
    }
    facts.extend(forecast_facts(&dimension.forecast));
    Course {
        id: id(&dimension.dimension),
        badge: passing(&dimension.forecast).map(passing_badge),
        chart: chart(id(&dimension.dimension), title.clone(), unit, steps, outlook, history),
        method: method(&dimension.forecast),
        title,
        facts,
    }
}

fn id(dimension: &Dimension) -> String {
    format!("history-{dimension}")
}

fn dormant(classes: &[ClassPeriod], last: &ClassPeriod, history: &History) -> Course {
    let step = |at: &ClassPeriod| {
        let count = at.classes.dormant;
        Step { from: at.from, until: at.until, count, low: count, high: count, limit: None }
    };
    let (seats, days) = (last.classes.dormant, last.classes.dormancy_days);
    let share = format::percent(seats, last.classes.counted).unwrap_or_else(|| "–".to_owned());
    Course {
        id: "history-dormant".to_owned(),
        title: "Dormant seats".to_owned(),
        badge: None,
        chart: chart(
            "history-dormant".to_owned(),
            "Dormant seats".to_owned(),
            "seats".to_owned(),
            classes.iter().map(step).collect(),
            Vec::new(),
            history,
        ),
        facts: vec![
            (
                "Could be freed now",
                format!("{}, {share} of the counted users", format::counted(seats, "seat", "seats")),
            ),
            ("Dormant is who has not signed in for", format::counted(days, "day", "days")),
        ],
        method: Vec::new(),
    }
}

fn steps(periods: &[Period]) -> Vec<Step> {
    let step = |period: &Period| {
        let Period { from, until, count, low, high, limit } = *period;
        Step { from, until, count, low, high, limit }
    };
    periods.iter().map(step).collect()
}

/// What is foreseen, as much of it as fits the chart: half as long as what was counted, and at least two weeks.
fn outlook(foreseen: &Foreseen, history: &History) -> Vec<Outlook> {
    let shown = history.as_of.duration_since(history.from).as_hours() / 24 / FORECAST_SHARE;
    let days = usize::try_from(shown.max(14)).unwrap_or(usize::MAX);
    let now = foreseen.days.first().map(|first| first.day - 1);
    let begin = now.zip(history.until).map(|(day, until)| {
        let likely = foreseen.days[0].count.likely;
        Outlook { at: until.max(noon(day).min(history.as_of)), low: likely, likely, high: likely }
    });
    let ahead = foreseen.days.iter().take(days).map(|day| {
        let Band { low, likely, high } = day.count;
        Outlook { at: noon(day.day), low, likely, high }
    });
    begin.into_iter().chain(ahead).collect()
}

fn noon(day: i32) -> Timestamp {
    let at = Timestamp::from_second(i64::from(day) * 86_400 + 43_200);
    at.unwrap_or(Timestamp::MAX)
}

fn chart(
    id: String,
    title: String,
    unit: String,
    steps: Vec<Step>,
    outlook: Vec<Outlook>,
    history: &History,
) -> Option<Chart> {
    let (first, last) = (steps.first()?, steps.last()?);
    let (low, high) = (steps.iter().map(|step| step.low).min()?, steps.iter().map(|step| step.high).max()?);
    let number = format::number;
    let summary = format!(
        "From {} on {} to {} on {}; the lowest was {}, the highest {}.",
        number(first.count),
        format::day(first.from),
        number(last.count),
        format::day(last.until),
        number(low),
        number(high),
    );
    let until = outlook.last().map_or(history.as_of, |at| at.at).max(history.as_of);
    let least = SignedDuration::from_hours(24);
    let until = until.max(history.from.checked_add(least).unwrap_or(until));
    let from = if history.range.days().is_some() { history.from } else { first.from };
    let confidence = format!("{CONFIDENCE_PERCENT} %");
    Some(Chart { id, title, unit, summary, from, until, steps, outlook, confidence })
}

fn passing(forecast: &Forecast) -> Option<Passing> {
    match forecast {
        Forecast::Made(foreseen) => Some(foreseen.passing),
        Forecast::NotEnough { .. } | Forecast::Outdated { .. } => None,
    }
}

fn passing_badge(passing: Passing) -> Badge {
    match passing {
        Passing::Passed => Badge::new(Tone::Danger, "Over its limit"),
        Passing::Foreseen { likely: Some(_), .. } => Badge::new(Tone::Warning, "Growing over its limit"),
        Passing::Foreseen { likely: None, .. } => Badge::new(Tone::Info, "May grow over its limit"),
        Passing::NotForeseen { .. } => Badge::new(Tone::Good, "Stays within its limit"),
        Passing::NoLimit => Badge::new(Tone::Neutral, "No limit"),
    }
}

/// A day in words.
fn day(day: i32) -> String {
    format::day(noon(day))
}

/// What is foreseen, in words.
fn forecast_facts(forecast: &Forecast) -> Vec<(&'static str, String)> {
    match forecast {
        Forecast::NotEnough { days, days_needed, span, span_needed } => vec![(
            "Forecast",
            format!(
                "not yet: {} with a count over {} so far, and {days_needed} over {span_needed} are needed",
                format::counted(*days as u64, "day", "days"),
                format::counted(u64::try_from(*span).unwrap_or_default(), "day", "days"),
            ),
        )],
        Forecast::Outdated { days } => {
            vec![("Forecast", format!("none: nothing was counted for {days} days"))]
        }
        Forecast::Made(foreseen) => {
            let last = foreseen.days.last().map_or_else(String::new, |last| day(last.day));
            let passing = match foreseen.passing {
                Passing::NoLimit => "there is no limit".to_owned(),
                Passing::Passed => "it is passed now".to_owned(),
                Passing::NotForeseen { .. } => format!("not before {last}, as far as is foreseen"),
                Passing::Foreseen { earliest, likely, latest } => {
                    let likely =
                        likely.map_or_else(|| format!("not likely before {last}"), |at| format!("about {}", day(at)));
                    let latest = latest
                        .map_or_else(|| format!("maybe not before {last}"), |at| format!("{} at the latest", day(at)));
                    format!("{likely}; {} at the earliest, {latest}", day(earliest))
                }
            };
            vec![("Limit passed", passing), ("Growth in 30 days", growth(foreseen.growth_in_30_days))]
        }
    }
}

fn growth(Band { low, likely, high }: Band) -> String {
    format!("{} (between {} and {})", signed(likely), signed(low), signed(high))
}

/// A growth as a whole number with its sign.
fn signed(value: f64) -> String {
    let sign = if value.round() < 0.0 { "−" } else { "+" };
    format!("{sign}{}", format::number(value.abs().round() as u64))
}

/// How a forecast was made (`b11`).
fn method(forecast: &Forecast) -> Vec<String> {
    let Forecast::Made(foreseen) = forecast else { return Vec::new() };
    let pattern = if foreseen.weekly_pattern {
        "A pattern of the week was found and goes on."
    } else {
        "No pattern of the week was found."
    };
    vec![
        format!("Method: {}.", foreseen.method),
        format!(
            "Made from {} with a count, from {} to {}; the highest count of each day was used.",
            format::counted(foreseen.days_used as u64, "day", "days"),
            day(foreseen.first_day),
            day(foreseen.last_day),
        ),
        format!("{pattern} Of a hundred counts about {} should lie in the band.", foreseen.confidence_percent),
        "It knows nothing but the counts: a team that joins next month is not in it.".to_owned(),
    ]
}
