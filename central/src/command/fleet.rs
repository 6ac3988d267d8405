//! `fleet`: all applications, as the page Applications lists them.

use clap::{Args, Subcommand};
use seatline_ui::format::{date_time, number};

use super::output::table;
use super::place::Place;
use super::{Failure, Output};
use crate::domain::FleetItem;
use crate::domain::fleet::FleetSent;
use crate::store::PageSize;

#[derive(Debug, Subcommand)]
pub(super) enum FleetCommand {
    /// List the applications as they were reviewed last: what needs attention first
    #[command(after_help = "Example:\n  seatline-central fleet list --gravity problem --group sales --json")]
    List(List),
}

/// What is listed: what meets all of this.
#[derive(Debug, Args)]
pub(super) struct List {
    /// Beginnings of words of the name, the product, the group or a tag
    #[arg(long, value_name = "WORDS", default_value = "")]
    search: String,
    /// Only those of this product
    #[arg(long, value_name = "ID", default_value = "")]
    product: String,
    /// Only those of this group
    #[arg(long, default_value = "")]
    group: String,
    /// Only those with this tag
    #[arg(long, default_value = "")]
    tag: String,
    /// Only those with this concern, such as limit, expiry or overdue
    #[arg(long, value_name = "CODE", default_value = "")]
    concern: String,
    /// Only those with a concern at least so grave: note, warning or problem
    #[arg(long, default_value = "")]
    gravity: String,
    /// Only those for production or staging
    #[arg(long = "use", value_name = "USE", default_value = "")]
    used_for: String,
    /// The order: attention, name, consumption or expiry
    #[arg(long, value_name = "ORDER", default_value = "attention")]
    sort: String,
    /// At most so many
    #[arg(long, value_name = "NUMBER", default_value_t = 10_000)]
    limit: usize,
}

impl FleetCommand {
    pub(super) async fn run(self, place: &Place, output: Output) -> Result<(), Failure> {
        let Self::List(list) = self;
        list.run(place, output).await
    }
}

impl List {
    async fn run(self, place: &Place, output: Output) -> Result<(), Failure> {
        let central = place.central().await?;
        let List { search, product, group, tag, concern, gravity, used_for, sort, limit } = self;
        let sent =
            FleetSent { q: search, product, group, tag, concern, gravity, used_for, sort, ..FleetSent::default() };
        let wrong = |rule: String| Failure::new("invalid", rule);
        let (filter, order) = (sent.filter().map_err(wrong)?, sent.order().map_err(wrong)?);
        let (mut items, mut after) = (Vec::new(), None);
        while items.len() < limit {
            let size = PageSize::new(u32::try_from(limit - items.len()).unwrap_or(u32::MAX));
            let page = central.store().fleet(&filter, order, after.as_ref(), size).await?;
            items.extend(page.items);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        output.show(&items, || {
            let heads = ["APPLICATION", "PRODUCT", "GROUP", "STANDING", "TIGHTEST LIMIT", "ENDS", "LAST REPORT"];
            table(&heads, &items.iter().map(row).collect::<Vec<_>>())
        })
    }
}

fn row(item: &FleetItem) -> Vec<String> {
    let (row, assessment) = (&item.row, &item.row.assessment);
    let none = || "-".to_owned();
    let standing = match assessment.concerns.first() {
        Some(gravest) => format!("{}: {}", gravest.gravity.name(), gravest.code),
        None => assessment.verdict.map_or_else(none, |verdict| verdict.name().to_owned()),
    };
    let tightest = assessment
        .consumption
        .iter()
        .find_map(|one| Some(format!("{} of {} {}", number(one.used?), number(one.max?), one.dimension)));
    vec![
        row.name.to_string(),
        row.product.to_string(),
        row.labels.group.as_ref().map_or_else(none, ToString::to_string),
        standing,
        tightest.unwrap_or_else(none),
        assessment.ends_at().map_or_else(none, date_time),
        item.reported_at.map_or_else(|| "never".to_owned(), date_time),
    ]
}
