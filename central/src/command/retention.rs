//! `retention`.

use clap::Args;
use seatline_ui::format::counted;

use super::place::Place;
use super::user::actor;
use super::{Failure, Output};
use crate::domain::Retention;
use crate::domain::retention::LEAST_DAYS;

/// Show or set how long what was reported is kept
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  seatline-central retention --reports 730 --history forever")]
pub(super) struct Keep {
    /// For how many days sealed reports are kept, which are evidence; or `forever`
    #[arg(long, value_name = "DAYS", value_parser = days)]
    reports: Option<Days>,
    /// For how many days the history of use is kept by the day; or `forever`. Months stay
    #[arg(long, value_name = "DAYS", value_parser = days)]
    history: Option<Days>,
}

/// A number of days, or none for ever.
#[derive(Debug, Clone, Copy)]
struct Days(Option<u32>);

fn days(text: &str) -> Result<Days, String> {
    match text {
        "forever" => Ok(Days(None)),
        text => text.parse().map(Some).map(Days).map_err(|_| format!("{LEAST_DAYS} or more days, or `forever`")),
    }
}

impl Keep {
    pub(super) async fn run(self, place: &Place, output: Output) -> Result<(), Failure> {
        let central = place.central().await?;
        let mut retention = central.store().retention().await?;
        if self.reports.is_some() || self.history.is_some() {
            retention = Retention {
                reports_days: self.reports.map_or(retention.reports_days, |days| days.0),
                history_days: self.history.map_or(retention.history_days, |days| days.0),
            };
            central.set_retention(&actor(), &retention).await?;
        }
        let shown =
            |days: Option<u32>| days.map_or_else(|| "for ever".to_owned(), |days| counted(days.into(), "day", "days"));
        output.show(&retention, || {
            format!(
                "Sealed reports are kept {}, the history by the day {}.\n",
                shown(retention.reports_days),
                shown(retention.history_days)
            )
        })
    }
}
