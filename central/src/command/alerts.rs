//! `alerts`.

use std::collections::BTreeSet;

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
use crate::domain::alerts::channel::{ChannelConfig, DEFAULT_PER_HOUR, Scope, Target};
use crate::domain::assessment::words;
use crate::store::alerts::{Alert, AlertFilter, KeptChannel};
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
        after_help = "Example:\n  seatline-central alerts acknowledge 'Company wiki' expiry L-7 --why 'the renewal \
                            is ordered' --days 14"
    )]
    Acknowledge {
        /// The application's name
        application: String,
        /// What it is: a code of `alerts list`
        code: String,
        /// What of: a dimension, a license
        #[arg(default_value = "")]
        subject: String,
        /// Why nothing needs to be told
        #[arg(long, default_value = "")]
        why: String,
        /// For so many days, whatever it comes to, instead of until it changes
        #[arg(long, value_parser = clap::value_parser!(u16).range(1..=366))]
        days: Option<u16>,
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
    /// List the channels that alerts go to
    Channels,
    /// Tell people by mail
    #[command(
        after_help = "Example:\n  seatline-central alerts add-mail Operations --to ada@example.org --tag critical"
    )]
    AddMail {
        /// What people call the channel
        name: String,
        /// A recipient; may be given several times
        #[arg(long, required = true, value_name = "ADDRESS")]
        to: Vec<String>,
        #[command(flatten)]
        scope: ScopeOptions,
    },
    /// Call a webhook, signed as Standard Webhooks has it; the secret is shown this once
    #[command(after_help = "Example:\n  seatline-central alerts add-webhook Chat https://hooks.example.org/seatline")]
    AddWebhook {
        /// What people call the channel
        name: String,
        /// What is called
        url: String,
        #[command(flatten)]
        scope: ScopeOptions,
    },
    /// Send a test to every place of a channel
    Test {
        /// The channel's name
        channel: String,
    },
    /// Remove a channel
    Remove {
        /// The channel's name
        channel: String,
    },
}

/// What a channel is told of.
#[derive(Debug, clap::Args)]
pub(super) struct ScopeOptions {
    /// How grave something is at least
    #[arg(long, default_value = "warning")]
    least: GravityName,
    /// Of applications in this group alone; may be given several times
    #[arg(long, value_name = "NAME")]
    group: Vec<String>,
    /// Of applications with this tag alone; may be given several times
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,
}

impl ScopeOptions {
    fn scope(&self) -> Result<Scope, Failure> {
        let groups: Result<BTreeSet<_>, _> = self.group.iter().map(|group| group.parse()).collect();
        let tags: Result<BTreeSet<_>, _> = self.tag.iter().map(|tag| tag.parse()).collect();
        Ok(Scope {
            least: self.least.into(),
            groups: groups.map_err(|error| invalid("group", error))?,
            tags: tags.map_err(|error| invalid("tag", error))?,
            ..Scope::default()
        })
    }
}

impl AlertsCommand {
    pub(super) async fn run(self, place: &Place, output: Output) -> Result<(), Failure> {
        let central = place.central().await?;
        match self {
            Self::List { past, code, gravity } => {
                let filter = AlertFilter { code, gravity: gravity.map(Gravity::from) };
                let alerts = all(&central, &filter, past).await?;
                output.show(&alerts, || {
                    let heads = ["APPLICATION", "GRAVITY", "CODE", "SUBJECT", "WHAT", "SINCE", "KNOWN"];
                    table(&heads, &alerts.iter().map(row).collect::<Vec<_>>())
                })
            }
            Self::Acknowledge { application, code, subject, why, days } => {
                let matter = matter(&central, &application, code, subject).await?;
                let for_days = |days: u16| SignedDuration::from_hours(24 * i64::from(days));
                let until = days.and_then(|days| central.now().checked_add(for_days(days)).ok());
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
            Self::Channels => {
                let channels = central.store().channels().await?;
                let shown: Vec<_> = channels.iter().map(|kept| kept.channel.clone()).collect();
                output.show(&shown, || {
                    table(
                        &["NAME", "TO", "STATE", "LAST MESSAGE"],
                        &channels.iter().map(channel_row).collect::<Vec<_>>(),
                    )
                })
            }
            Self::AddMail { name, to, scope } => {
                let recipients: Result<Vec<_>, _> = to.iter().map(|address| address.parse()).collect();
                let to = Target::Mail { recipients: recipients.map_err(|error| invalid("to", error))? };
                add(&central, &output, &name, to, &scope).await
            }
            Self::AddWebhook { name, url, scope } => {
                add(&central, &output, &name, Target::Webhook { url, ca_pem: None }, &scope).await
            }
            Self::Test { channel } => {
                let kept = channel_named(&central, &channel).await?;
                let tested = central.test_channel(&kept.channel.id).await?;
                output.show(&tested, || {
                    let line = |it: &crate::postman::Tested| match &it.problem {
                        None => format!("reached {}\n", it.place),
                        Some(problem) => format!("not reached {}: {problem}\n", it.place),
                    };
                    tested.iter().map(line).collect()
                })?;
                match tested.iter().all(|tested| tested.taken) {
                    true => Ok(()),
                    false => Err(Failure::new("not-taken", "the test was not taken everywhere")),
                }
            }
            Self::Remove { channel } => {
                let kept = channel_named(&central, &channel).await?;
                central.remove_channel(&actor(), &kept.channel.id).await?;
                output.show(&json!({ "removed": kept.channel }), || format!("Removed {}.\n", kept.channel.config.name))
            }
        }
    }
}

async fn add(central: &Central, output: &Output, name: &str, to: Target, scope: &ScopeOptions) -> Result<(), Failure> {
    let config = ChannelConfig {
        name: name.parse().map_err(|error| invalid("name", error))?,
        to,
        scope: scope.scope()?,
        quiet: None,
        per_hour: DEFAULT_PER_HOUR,
        enabled: true,
    };
    let made = central.add_channel(&actor(), config, None).await?;
    output.show(&made, || {
        let secret = made.secret.as_ref().map(|secret| format!("Secret, shown this once: {}\n", secret.as_str()));
        let name = &made.channel.config.name;
        format!("Added {name}. Try it: `seatline-central alerts test '{name}'`.\n{}", secret.unwrap_or_default())
    })
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

fn channel_row(kept: &KeptChannel) -> Vec<String> {
    let config = &kept.channel.config;
    vec![
        config.name.to_string(),
        config.to.places().join(" "),
        if config.enabled { "on" } else { "off" }.to_owned(),
        kept.spoke_at.map_or_else(|| "never".to_owned(), date_time),
    ]
}

async fn matter(central: &Central, application: &str, code: String, subject: String) -> Result<MatterKey, Failure> {
    Ok(MatterKey { application: named(central, application).await?.id, code, subject })
}

async fn channel_named(central: &Central, name: &str) -> Result<KeptChannel, Failure> {
    let key = name.trim().to_lowercase();
    let found = central.store().channels().await?.into_iter().find(|kept| kept.channel.config.name.key() == key);
    found.ok_or_else(|| {
        let name = seatline_protocol::text::line(name, 60);
        Failure::new("not-found", format!("there is no channel `{name}`: see `seatline-central alerts channels`"))
    })
}
