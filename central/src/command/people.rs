//! `people`: people counted once over applications.

use clap::Args;
use seatline_ui::format::{counted, number};

use super::applications::named;
use super::output::table;
use super::place::Place;
use super::{Failure, Output};
use crate::domain::fleet::FleetSent;
use crate::domain::people::{Estimate, PeopleOf};

/// Count people once over applications, without their names
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  seatline-central people 'Company wiki' 'Issue tracker' --json\n  \
                            seatline-central people --group sales")]
pub(super) struct Show {
    /// The names of the applications, 128 at most
    #[arg(required_unless_present_any = ["product", "group", "tag"], conflicts_with_all = ["product", "group", "tag"])]
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
}

impl Show {
    pub(super) async fn run(self, place: &Place, output: Output) -> Result<(), Failure> {
        let central = place.central().await?;
        let mut ids = Vec::new();
        for name in &self.applications {
            ids.push(named(&central, name).await?.id);
        }
        let people = if ids.is_empty() {
            let sent = FleetSent { product: self.product, group: self.group, tag: self.tag, ..FleetSent::default() };
            central.people_of(&sent.filter().map_err(|rule| Failure::new("invalid", rule))?).await?
        } else {
            central.people(&ids).await?
        };
        output.show(&people, || {
            let rows: Vec<Vec<String>> = people.applications.iter().map(row).collect();
            let together = people.together.map_or_else(|| "not known".to_owned(), words);
            let seats = counted(people.seats, "seat", "seats");
            format!("{}Together: {together}, who hold {seats}\n", table(&["APPLICATION", "SEATS", "PEOPLE"], &rows))
        })
    }
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
