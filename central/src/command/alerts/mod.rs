//! `alerts`.

mod channel_options;
mod channels;
mod settings;
mod several;

use clap::{Subcommand, ValueEnum};
use jiff::{SignedDuration, Timestamp};
use seatline_ui::format::date_time;
use serde_json::json;

use super::applications::named;
use super::output::table;
use super::place::Place;
use super::user::actor;
use super::{Failure, Output, invalid};
use crate::actions::alerts::Known;
use crate::central::Central;
use crate::domain::Gravity;
use crate::domain::alerts::MatterKey;
use crate::domain::assessment::words;
use crate::store::alerts::{Alert, AlertFilter};
use crate::store::{Page, PageSize};

/// How grave something is.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum GravityName {
    Problem,
    Warning,
    Note,
}

impl From<GravityName> for Gravity {
    fn from(name: GravityName) -> Self {
        match name {
            GravityName::Problem => Self::Problem,
            GravityName::Warning => Self::Warning,
            GravityName::Note => Self::Note,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum AlertsCommand {
    /// List what is open, the gravest first, or what is over
    List {
        /// What is over, and what has happened, instead
        #[arg(long)]
        past: bool,
        /// Of this kind alone, such as `limit` or `expiry`
        #[arg(long, value_name = "CODE")]
        code: Option<String>,
        /// So grave alone
        #[arg(long)]
        gravity: Option<GravityName>,
    },
    /// Say that you know of an alert: nothing more is told of it until it changes
    #[command(
        after_help = "Examples:\n  seatline-central alerts acknowledge 'Company wiki' expiry L-7 --why 'the renewal \
                            is ordered' --days 14\n  seatline-central alerts list --code overdue --json | \
                            seatline-central alerts acknowledge --stdin --why 'the network is mended tonight'"
    )]
    Acknowledge {
        /// The application's name
        #[arg(required_unless_present = "stdin")]
        application: Option<String>,
        /// What it is: a code of `alerts list`
        #[arg(required_unless_present = "stdin")]
        code: Option<String>,
        /// What of: a dimension, a license
        #[arg(default_value = "")]
        subject: String,
        /// Several at once: those on standard input, as `alerts list --json` prints them
        #[arg(long, conflicts_with_all = ["application", "code", "subject"])]
        stdin: bool,
        /// Why nothing needs to be told
        #[arg(long, default_value = "")]
        why: String,
        /// For so many days, whatever it comes to, instead of until it changes
        #[arg(long, value_parser = clap::value_parser!(u16).range(1..=366))]
        days: Option<u16>,
        /// Until this time, whatever it comes to, such as 2026-12-24T08:00:00Z
        #[arg(long, value_name = "TIME", conflicts_with = "days")]
        until: Option<Timestamp>,
    },
    /// Take an acknowledgement back
    Withdraw {
        /// The application's name
        application: String,
        /// What it is: a code of `alerts list`
        code: String,
        /// What of: a dimension, a license
        #[arg(default_value = "")]
        subject: String,
    },
    #[command(flatten)]
    Channels(channels::ChannelsCommand),
    Settings(settings::Settings),
    MailServer(settings::MailServer),
}

impl AlertsCommand {
    pub(super) async fn run(self, place: &Place, output: Output) -> Result<(), Failure> {
        let central = place.central().await?;
        match self {
            Self::List { past, code, gravity } => {
                let filter =
                    AlertFilter::sent(&code.unwrap_or_default(), gravity.map_or("", |it| Gravity::from(it).name()));
                let filter = filter.map_err(|(field, rule)| invalid(field, rule))?;
                let alerts = all(&central, &filter, past).await?;
                output.show(&alerts, || {
                    let heads = ["APPLICATION", "GRAVITY", "CODE", "SUBJECT", "WHAT", "SINCE", "KNOWN"];
                    table(&heads, &alerts.iter().map(row).collect::<Vec<_>>())
                })
            }
            Self::Acknowledge { application, code, subject, stdin, why, days, until } => {
                let for_days = |days: u16| SignedDuration::from_hours(24 * i64::from(days));
                let until = until.or_else(|| central.now().checked_add(for_days(days?)).ok());
                let (Some(application), Some(code), false) = (application, code, stdin) else {
                    return several::acknowledge(&central, output, &why, until).await;
                };
                let matter = matter(&central, &application, code, subject).await?;
                let known = central.acknowledge(&actor(), &Known { matter, why, until }).await?;
                output.show(&known, || match known.until {
                    Some(until) => format!("Nothing is told of it until {}.\n", date_time(until)),
                    None => "Nothing is told of it until it changes.\n".to_owned(),
                })
            }
            Self::Withdraw { application, code, subject } => {
                let matter = matter(&central, &application, code, subject).await?;
                central.withdraw(&actor(), &matter).await?;
                output.show(&json!({ "withdrawn": matter }), || "The acknowledgement is taken back.\n".to_owned())
            }
            Self::Channels(command) => command.run(&central, output).await,
            Self::Settings(settings) => settings.run(&central, output).await,
            Self::MailServer(server) => server.run(&central, output).await,
        }
    }
}

async fn all(central: &Central, filter: &AlertFilter, past: bool) -> Result<Vec<Alert>, Failure> {
    let (mut alerts, mut after) = (Vec::new(), None);
    let size = PageSize::new(PageSize::MAX.into());
    loop {
        let page: Page<Alert> = match past {
            false => central.store().open_alerts(filter, after.as_ref(), size).await?,
            true => central.store().past_alerts(filter, after.as_ref(), size).await?,
        };
        alerts.extend(page.items);
        after = page.next;
        if after.is_none() {
            return Ok(alerts);
        }
    }
}

fn row(alert: &Alert) -> Vec<String> {
    let concern = &alert.spell.concern;
    let known = |until: Option<Timestamp>| until.map_or_else(|| "until it changes".to_owned(), date_time);
    vec![
        alert.name.clone().unwrap_or_else(|| "-".to_owned()),
        concern.gravity.name().to_owned(),
        concern.code.clone(),
        if concern.subject.is_empty() { "-".to_owned() } else { concern.subject.clone() },
        words::concern(concern),
        date_time(alert.spell.began_at),
        alert.acknowledged.as_ref().map_or_else(|| "-".to_owned(), |it| format!("{}, {}", it.by, known(it.until))),
    ]
}

async fn matter(central: &Central, application: &str, code: String, subject: String) -> Result<MatterKey, Failure> {
    Ok(MatterKey { application: named(central, application).await?.id, code, subject })
}
