//! `application`.

use clap::Subcommand;
use seatline_ui::format::{counted, date_time, number};

use super::output::table;
use super::place::Place;
use super::user::actor;
use super::{Failure, Output};
use crate::actions::applications::ApplicationChange;
use crate::central::Central;
use crate::domain::{Application, ApplicationRow};
use crate::store::PageSize;

#[derive(Debug, Subcommand)]
pub(super) enum ApplicationCommand {
    /// Add an application
    #[command(after_help = "Example:\n  seatline-central application add 'Company wiki' --product acme-wiki \
                            --url https://wiki.example.org")]
    Add {
        /// What people call it
        name: String,
        /// The id of the product that it is an installation of, such as acme-wiki
        #[arg(long, value_name = "ID")]
        product: String,
        /// Where people reach it
        #[arg(long, default_value = "")]
        url: String,
    },
    /// List the applications with their links and newest counts
    List,
    /// Change the name, the product or the URL of an application
    #[command(
        after_help = "Example:\n  seatline-central application change 'Company wiki' --name 'Wiki of the company' --url ''"
    )]
    Change {
        /// Its name
        application: String,
        /// Another name
        #[arg(long)]
        name: Option<String>,
        /// Another product
        #[arg(long, value_name = "ID")]
        product: Option<String>,
        /// Another URL; empty for none
        #[arg(long)]
        url: Option<String>,
    },
    /// Remove an application with its links and all reports of them; their products are told
    #[command(after_help = "Example:\n  seatline-central application remove 'Company wiki' --yes\n\n\
                            What is removed cannot be had back: make a backup, or export the reports, first.")]
    Remove {
        /// Its name
        application: String,
        /// Confirm that it goes, with its links and reports
        #[arg(long)]
        yes: bool,
    },
}

impl ApplicationCommand {
    pub(super) async fn run(self, place: &Place, output: Output) -> Result<(), Failure> {
        let central = place.central().await?;
        match self {
            Self::Add { name, product, url } => {
                let application = central.add_application(&actor(), &name, &product, &url).await?;
                output.show(&application, || {
                    format!(
                        "Added {} ({}). Link it with `seatline-central invite --application '{}'`.\n",
                        application.name, application.id, application.name
                    )
                })
            }
            Self::Change { application, name, product, url } => {
                let application = named(&central, &application).await?;
                let change = ApplicationChange { name, product, url };
                let changed = central.change_application(&actor(), &application.id, &change).await?;
                output.show(&changed, || format!("Changed {} ({}).\n", changed.name, changed.id))
            }
            Self::Remove { application, yes } => remove(&central, &output, &application, yes).await,
            Self::List => {
                let rows = all(&central).await?;
                output.show(&rows, || {
                    let heads = ["NAME", "PRODUCT", "LINK", "VERDICT", "USERS", "REPORTED"];
                    table(&heads, &rows.iter().map(row).collect::<Vec<_>>())
                })
            }
        }
    }
}

async fn remove(central: &Central, output: &Output, application: &str, is_confirmed: bool) -> Result<(), Failure> {
    let application = named(central, application).await?;
    let goes = central.store().goes_with_application(&application.id).await?;
    let what = format!(
        "{} with {} and {}",
        application.name,
        counted(goes.links, "link", "links"),
        counted(goes.reports, "stored report", "stored reports")
    );
    if !is_confirmed {
        return Err(Failure::new("not-confirmed", format!("this would remove {what}: confirm it with --yes")));
    }
    let gone = central.remove_application(&actor(), &application.id).await?;
    sweep(central).await?;
    output.show(&gone, || format!("Removed {what}.\n"))
}

/// Deletes what is left of what was removed: a command ends when it is done.
pub(super) async fn sweep(central: &Central) -> Result<(), Failure> {
    while central.store().sweep().await? {}
    Ok(())
}

async fn all(central: &Central) -> Result<Vec<ApplicationRow>, Failure> {
    let (mut rows, mut after) = (Vec::new(), None);
    loop {
        let page = central.store().applications(after.as_ref(), PageSize::new(PageSize::MAX.into())).await?;
        rows.extend(page.items);
        after = page.next;
        if after.is_none() {
            return Ok(rows);
        }
    }
}

fn row(row: &ApplicationRow) -> Vec<String> {
    let latest = row.latest.as_ref();
    let count = |count: Option<u64>| count.map_or_else(|| "-".to_owned(), number);
    vec![
        row.application.name.to_string(),
        row.application.product.to_string(),
        row.link_state.map_or("none", |state| state.name()).to_owned(),
        latest.and_then(|latest| latest.verdict).map_or("-", |verdict| verdict.name()).to_owned(),
        latest
            .map_or_else(|| "-".to_owned(), |latest| format!("{} of {}", count(latest.users), count(latest.users_max))),
        latest.map_or_else(|| "never".to_owned(), |latest| date_time(latest.received_at)),
    ]
}

/// The application of a name, as commands name it.
pub(super) async fn named(central: &Central, name: &str) -> Result<Application, Failure> {
    central.application_named(name).await?.ok_or_else(|| {
        let name = seatline_protocol::text::line(name, 100);
        Failure::new("not-found", format!("there is no application `{name}`: see `seatline-central application list`"))
    })
}
