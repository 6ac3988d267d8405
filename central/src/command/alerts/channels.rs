//! Where alerts go: the channels, and what was sent to them.

use clap::Subcommand;
use seatline_ui::format::date_time;
use serde_json::json;

use super::super::output::table;
use super::super::user::actor;
use super::super::{Failure, Output, invalid};
use super::channel_options::{ChannelOptions, Places};
use crate::central::Central;
use crate::domain::alerts::channel::{ChannelConfig, DEFAULT_PER_HOUR, Scope, Target};
use crate::postman::Tested;
use crate::store::PageSize;
use crate::store::alerts::{Delivery, KeptChannel, Message};

#[derive(Debug, Subcommand)]
pub(in crate::command) enum ChannelsCommand {
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
        options: ChannelOptions,
    },
    /// Call a webhook, signed as Standard Webhooks has it; the secret is shown this once
    #[command(after_help = "Example:\n  seatline-central alerts add-webhook Chat https://hooks.example.org/seatline")]
    AddWebhook {
        /// What people call the channel
        name: String,
        /// What is called
        url: String,
        #[command(flatten)]
        options: ChannelOptions,
    },
    /// Change a channel: what is not named stays
    #[command(after_help = "Examples:\n  \
        seatline-central alerts change Operations --quiet 'monday-friday 22:00-07:00' --quiet 'saturday,sunday \
        00:00-00:00' --zone Europe/Berlin --pass problem\n  seatline-central alerts change Operations --off")]
    Change {
        /// The channel's name
        channel: String,
        /// What people call it from now on
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        #[command(flatten)]
        places: Places,
        #[command(flatten)]
        options: ChannelOptions,
    },
    /// Make another secret for a webhook, and show it this once; the next call is signed with it
    Secret {
        /// The channel's name
        channel: String,
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
    /// List what was sent, and what became of it, the newest first
    Messages {
        /// To this channel alone
        #[arg(long, value_name = "NAME")]
        channel: Option<String>,
        /// At most so many
        #[arg(long, value_name = "NUMBER", default_value = "50", value_parser = clap::value_parser!(u32).range(1..=200))]
        limit: u32,
    },
}

impl ChannelsCommand {
    pub(super) async fn run(self, central: &Central, output: Output) -> Result<(), Failure> {
        match self {
            Self::Channels => {
                let channels = central.store().channels().await?;
                let shown: Vec<_> = channels.iter().map(|kept| kept.channel.clone()).collect();
                output.show(&shown, || {
                    let heads = ["NAME", "TO", "STATE", "LAST MESSAGE"];
                    table(&heads, &channels.iter().map(row).collect::<Vec<_>>())
                })
            }
            Self::AddMail { name, to, options } => {
                let recipients: Result<Vec<_>, _> = to.iter().map(|address| address.parse()).collect();
                let to = Target::Mail { recipients: recipients.map_err(|error| invalid("to", error))? };
                add(central, output, &name, to, &options).await
            }
            Self::AddWebhook { name, url, options } => {
                add(central, output, &name, Target::Webhook { url, ca_pem: None }, &options).await
            }
            Self::Change { channel, name, places, options } => {
                let kept = named(central, &channel).await?;
                let mut config = kept.channel.config.clone();
                if let Some(name) = name {
                    config.name = name.parse().map_err(|error| invalid("name", error))?;
                }
                places.apply(&mut config.to)?;
                options.apply(&mut config)?;
                let changed = central.change_channel(&actor(), &kept, config).await?;
                output.show(&changed, || format!("Changed {}.\n", changed.config.name))
            }
            Self::Secret { channel } => {
                let kept = named(central, &channel).await?;
                let secret = central.rotate_channel(&actor(), &kept.channel.id).await?;
                output.show(&json!({ "secret": secret.as_str() }), || {
                    format!("Secret, shown this once: {}\n", secret.as_str())
                })
            }
            Self::Test { channel } => {
                let kept = named(central, &channel).await?;
                let tested = central.test_channel(&kept.channel.id).await?;
                output.show(&tested, || {
                    let line = |it: &Tested| match &it.problem {
                        None => format!("reached {}\n", it.place),
                        Some(problem) => format!("not reached {}: {problem}\n", it.place),
                    };
                    tested.iter().map(line).collect()
                })?;
                match tested.iter().all(|tested| tested.taken) {
                    true => Ok(()),
                    false => Err(Failure::beside_result("not-taken", "the test was not taken everywhere")),
                }
            }
            Self::Remove { channel } => {
                let kept = named(central, &channel).await?;
                central.remove_channel(&actor(), &kept.channel.id).await?;
                output.show(&json!({ "removed": kept.channel }), || format!("Removed {}.\n", kept.channel.config.name))
            }
            Self::Messages { channel, limit } => {
                let id = match channel {
                    Some(name) => Some(named(central, &name).await?.channel.id),
                    None => None,
                };
                let page = central.store().messages(id.as_ref(), None, PageSize::new(limit)).await?;
                output.show(&page.items, || {
                    let heads = ["MADE", "WHAT", "TO", "STATE"];
                    table(&heads, &page.items.iter().flat_map(message_rows).collect::<Vec<_>>())
                })
            }
        }
    }
}

async fn add(
    central: &Central,
    output: Output,
    name: &str,
    to: Target,
    options: &ChannelOptions,
) -> Result<(), Failure> {
    let name = name.parse().map_err(|error| invalid("name", error))?;
    let (scope, per_hour) = (Scope::default(), DEFAULT_PER_HOUR);
    let mut config = ChannelConfig { name, to, scope, quiet: None, per_hour, enabled: true };
    options.apply(&mut config)?;
    let made = central.add_channel(&actor(), config, None).await?;
    output.show(&made, || {
        let secret = made.secret.as_ref().map(|secret| format!("Secret, shown this once: {}\n", secret.as_str()));
        let name = &made.channel.config.name;
        format!("Added {name}. Try it: `seatline-central alerts test '{name}'`.\n{}", secret.unwrap_or_default())
    })
}

fn row(kept: &KeptChannel) -> Vec<String> {
    let config = &kept.channel.config;
    vec![
        config.name.to_string(),
        config.to.places().join(" "),
        if config.enabled { "on" } else { "off" }.to_owned(),
        kept.spoke_at.map_or_else(|| "never".to_owned(), date_time),
    ]
}

/// A row for each place that a message goes to.
fn message_rows(message: &Message) -> Vec<Vec<String>> {
    let row = |delivery: &Delivery| {
        vec![date_time(message.made_at), message.content.summary(), delivery.place.clone(), state(delivery)]
    };
    message.deliveries.iter().map(row).collect()
}

fn state(delivery: &Delivery) -> String {
    let why = || delivery.problem.as_deref().unwrap_or("not tried yet").to_owned();
    match (delivery.taken_at, delivery.given_up_at) {
        (Some(at), _) => format!("taken {}", date_time(at)),
        (None, Some(at)) => format!("given up {}: {}", date_time(at), why()),
        (None, None) => format!("waits: {}", why()),
    }
}

async fn named(central: &Central, name: &str) -> Result<KeptChannel, Failure> {
    let key = name.trim().to_lowercase();
    let found = central.store().channels().await?.into_iter().find(|kept| kept.channel.config.name.key() == key);
    found.ok_or_else(|| {
        let name = seatline_protocol::text::line(name, 60);
        Failure::new("not-found", format!("there is no channel `{name}`: see `seatline-central alerts channels`"))
    })
}
