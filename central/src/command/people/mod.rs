//! `people`: people counted once over applications.

mod counts;

use clap::{Args, ValueEnum};
use seatline_ui::format::{counted, number};

use super::applications::named;
use super::output::table;
use super::place::Place;
use super::user::actor;
use super::{Failure, Output};
use crate::actions::counts::PeopleOfSet;
use crate::domain::people::{Estimate, Every, People, PeopleOf, Scope};

/// Count people once over applications, without their names
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  seatline-central people 'Company wiki' 'Issue tracker' --json\n  \
                            seatline-central people --group sales\n  \
                            seatline-central people --all --count\n  \
                            seatline-central people --all --every week")]
pub(super) struct Show {
    /// The names of the applications, 128 at most
    #[arg(required_unless_present_any = WITHOUT_NAMES, conflicts_with_all = SETS)]
    applications: Vec<String>,
    /// All applications of this product
    #[arg(long, value_name = "ID", default_value = "", hide_default_value = true)]
    product: String,
    /// All applications of this group
    #[arg(long, default_value = "", hide_default_value = true)]
    group: String,
    /// All applications with this tag
    #[arg(long, default_value = "", hide_default_value = true)]
    tag: String,
    /// All applications
    #[arg(long, conflicts_with_all = ["product", "group", "tag"])]
    all: bool,
    /// Staging instances, which are never counted with production
    #[arg(long)]
    staging: bool,
    /// Count a set of any size again, and wait for it; without this, a set of more than 128 is shown as it was counted
    /// last
    #[arg(long, conflicts_with = "applications")]
    count: bool,
    /// Have the server count the set now and then every day, week or month, or not by itself
    #[arg(long, value_name = "TIME", conflicts_with_all = ["applications", "count"])]
    every: Option<Often>,
    /// The sets that the server counts by itself
    #[arg(long, conflicts_with_all = SETS, conflicts_with_all = ["applications", "count", "every"])]
    schedules: bool,
}

/// How often a set is counted.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Often {
    Day,
    Week,
    Month,
    Off,
}

impl Often {
    fn every(self) -> Option<Every> {
        match self {
            Self::Day => Some(Every::Day),
            Self::Week => Some(Every::Week),
            Self::Month => Some(Every::Month),
            Self::Off => None,
        }
    }
}

/// What names a set of applications.
const SETS: [&str; 5] = ["product", "group", "tag", "all", "staging"];
/// What stands alone, beside them.
const WITHOUT_NAMES: [&str; 6] = ["product", "group", "tag", "all", "staging", "schedules"];

impl Show {
    pub(super) async fn run(self, place: &Place, output: Output) -> Result<(), Failure> {
        let central = place.central().await?;
        if self.schedules {
            let schedules = central.store().count_schedules().await?;
            return output.show(&schedules, || counts::schedules_text(&schedules));
        }
        if !self.applications.is_empty() {
            let mut ids = Vec::new();
            for name in &self.applications {
                ids.push(named(&central, name).await?.id);
            }
            return shown(&central.people(&ids).await?, output);
        }
        let used_for = if self.staging { "staging" } else { "production" };
        let scope = Scope::typed(&self.product, &self.group, &self.tag, used_for);
        let scope = scope.map_err(|rule| Failure::new("invalid", rule))?;
        if let Some(often) = self.every {
            let schedule = central.schedule_counts(&actor(), &scope, often.every()).await?;
            return output.show(&schedule, || counts::schedule_text(&scope, schedule.as_ref()));
        }
        let of = if self.count {
            PeopleOfSet::ByCount(Box::new(counts::made(&central, &scope).await?))
        } else {
            central.people_of_set(&scope).await?
        };
        match of {
            PeopleOfSet::AtOnce(people) => shown(&people, output),
            PeopleOfSet::ByCount(of) => output.show(&*of, || counts::text(&of, central.now())),
        }
    }
}

fn shown(people: &People, output: Output) -> Result<(), Failure> {
    output.show(people, || {
        let rows: Vec<Vec<String>> = people.applications.iter().map(row).collect();
        let together = match people.together {
            Some(together) => format!("{}, who hold {}", words(together), counted(people.seats, "seat", "seats")),
            None if rows.is_empty() => "there is no application of this set".to_owned(),
            None => "not known, as the people of none of them are counted".to_owned(),
        };
        format!("{}Together: {together}\n", table(&["APPLICATION", "SEATS", "PEOPLE"], &rows))
    })
}

fn row(of: &PeopleOf) -> Vec<String> {
    let people = match (of.people, of.left_out) {
        (Some(people), _) => words(people),
        (None, Some(why)) => format!("left out: {why}"),
        (None, None) => "-".to_owned(),
    };
    vec![of.application.name.to_string(), of.counted.map_or_else(|| "-".to_owned(), number), people]
}

/// An estimate in whole people, with its bounds where it is not exact.
fn words(Estimate { low, likely, high }: Estimate) -> String {
    let whole = |value: f64| number(value.round() as u64);
    if whole(low) == whole(high) {
        return whole(likely);
    }
    format!("{} ({} to {})", whole(likely), whole(low), whole(high))
}
