//! `history`: what was used over time.

use clap::Args;
use jiff::Timestamp;
use seatline_ui::format::{self, date_time, number};

use super::applications::named;
use super::output::table;
use super::place::Place;
use super::{Failure, Output};
use crate::domain::forecast::{Forecast, Passing};
use crate::domain::history::{DimensionHistory, Range};

/// Show what an application used over time, the highest counts, and when a limit is passed at the present growth
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  seatline-central history 'Company wiki' --range 365 --json")]
pub(super) struct Show {
    /// The name of the application
    application: String,
    /// How far back: 30, 90 or 365 days, or all, by months
    #[arg(long, default_value = "90", value_parser = range)]
    range: Range,
}

fn range(text: &str) -> Result<Range, String> {
    Range::ALL.into_iter().find(|range| range.name() == text).ok_or_else(|| "30, 90, 365 or all".to_owned())
}

impl Show {
    pub(super) async fn run(self, place: &Place, output: Output) -> Result<(), Failure> {
        let central = place.central().await?;
        let application = named(&central, &self.application).await?;
        let history = central.history(&application.id, self.range).await?;
        output.show(&history, || {
            if history.dimensions.is_empty() {
                return "Nothing was counted yet.\n".to_owned();
            }
            let heads = ["DIMENSION", "LAST", "LIMIT", "LOWEST", "HIGHEST", "HIGHEST EVER", "LIMIT PASSED"];
            table(&heads, &history.dimensions.iter().map(row).collect::<Vec<_>>())
        })
    }
}

fn row(of: &DimensionHistory) -> Vec<String> {
    let none = || "-".to_owned();
    let last = of.periods.last();
    vec![
        of.dimension.to_string(),
        last.map_or_else(none, |last| number(last.count)),
        last.and_then(|last| last.limit).map_or_else(none, number),
        of.periods.iter().map(|period| period.low).min().map_or_else(none, number),
        of.periods.iter().map(|period| period.high).max().map_or_else(none, number),
        of.highest.as_ref().map_or_else(none, |peak| format!("{} ({})", number(peak.count), date_time(peak.at))),
        passing(&of.forecast),
    ]
}

/// When the limit is passed, as the forecast says.
fn passing(forecast: &Forecast) -> String {
    let Forecast::Made(outlook) = forecast else { return "no forecast yet".to_owned() };
    match outlook.passing {
        Passing::NoLimit => "no limit".to_owned(),
        Passing::Passed => "passed".to_owned(),
        Passing::NotForeseen { within_days } => format!("not within {within_days} days"),
        Passing::Foreseen { earliest, likely, .. } => match likely {
            Some(likely) => format!("{} (from {} on)", day(likely), day(earliest)),
            None => format!("from {} on", day(earliest)),
        },
    }
}

/// A day, told by the days since 1970-01-01.
fn day(days: i32) -> String {
    format::day(Timestamp::from_second(i64::from(days) * 86_400).unwrap_or(Timestamp::MAX))
}
