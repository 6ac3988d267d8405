//! `invite` and `link`.

use clap::{Args, Subcommand};
use seatline_protocol::{Counting, LinkId, ProductId, ServerId};
use seatline_ui::format;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::applications::{named, sweep};
use super::output::{table, tell};
use super::place::Place;
use super::user::actor;
use super::{Failure, Output};
use crate::actions::questions::Said;
use crate::domain::{
    Explanation, InviteId, Link, LinkFilter, LinkRow, LinkState, OpenInvite, Question, SettingsChange, interval,
};
use crate::store::PageSize;

/// Make an invite.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
#[command(after_help = "Example:\n  seatline-central invite --application 'Company wiki'\n\n\
                        Accept it in the product with `seatline link accept INVITE`.")]
pub(super) struct Invite {
    #[command(subcommand)]
    command: Option<InviteCommand>,
    /// The application that it is for: then the link needs no approval. Without it, approve the link with
    /// `seatline-central link approve`
    #[arg(long, value_name = "NAME")]
    application: Option<String>,
}

#[derive(Debug, Subcommand)]
enum InviteCommand {
    /// List the invites that can be used now, the newest first
    List,
    /// Withdraw an invite that nobody has used
    #[command(after_help = "Example:\n  seatline-central invite withdraw 58e95a0c31f6a059f5328f11")]
    Withdraw {
        /// The id of the invite
        invite: String,
    },
}

impl Invite {
    pub(super) async fn run(self, place: &Place, output: Output) -> Result<(), Failure> {
        let central = place.central().await?;
        match self.command {
            Some(InviteCommand::List) => return invites(&central, output).await,
            Some(InviteCommand::Withdraw { invite }) => return withdraw(&central, &invite, output).await,
            None => {}
        }
        let application = match &self.application {
            Some(name) => Some(named(&central, name).await?),
            None => None,
        };
        let made = central.make_invite(&actor(), application.as_ref().map(|application| &application.id)).await?;
        if !output.json {
            // On standard error, so that standard output is the invite alone, and can be a file.
            let until = format::date_time(made.expires_at);
            tell(format_args!("Valid until {until}, once. Fingerprint of this server: {}", made.fingerprint));
            tell("Accept it in the product: seatline link accept INVITE");
        }
        output.show(&made, || format!("{}\n", made.invite))
    }
}

async fn invites(central: &crate::Central, output: Output) -> Result<(), Failure> {
    let (mut invites, mut after, now) = (Vec::new(), None, central.now());
    loop {
        let page = central.store().open_invites(now, after.as_ref(), PageSize::new(PageSize::MAX.into())).await?;
        invites.extend(page.items);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    output.show(&invites, || {
        let row = |invite: &OpenInvite| {
            vec![
                invite.id.to_string(),
                invite.application_name.clone().unwrap_or_else(|| "-".to_owned()),
                format::date_time(invite.created_at),
                format::date_time(invite.expires_at),
            ]
        };
        table(&["INVITE", "APPLICATION", "MADE", "USABLE UNTIL"], &invites.iter().map(row).collect::<Vec<_>>())
    })
}

async fn withdraw(central: &crate::Central, invite: &str, output: Output) -> Result<(), Failure> {
    let unknown = |_| Failure::new("not-found", "there is no such invite: see `seatline-central invite list`");
    let id: InviteId = invite.parse().map_err(unknown)?;
    central.withdraw_invite(&actor(), &id).await?;
    output.show(&json!({ "withdrawn": id }), || format!("Withdrew the invite {id}.\n"))
}

#[derive(Debug, Subcommand)]
pub(super) enum LinkCommand {
    /// List the links: what waits for approval first, of each state the newest first
    #[command(after_help = "Example:\n  seatline-central link list --state pending")]
    List {
        /// Only those of this state: pending, suspended or approved
        #[arg(long, value_parser = named_value::<LinkState>("pending, suspended or approved"))]
        state: Option<LinkState>,
        /// Only those of this product
        #[arg(long, value_name = "ID")]
        product: Option<ProductId>,
        /// Only those of this server ID
        #[arg(long, value_name = "ID")]
        server_id: Option<ServerId>,
    },
    /// Approve a link for an application, after its fingerprint was compared
    #[command(after_help = "Example:\n  seatline-central link approve 8V3C-… --application 'Company wiki'")]
    Approve {
        /// The id of the link
        link: String,
        /// The application that it is for
        #[arg(long, value_name = "NAME")]
        application: String,
    },
    /// Refuse a link that waits for approval: it goes, and its product is told
    Refuse {
        /// The id of the link
        link: String,
    },
    /// Suspend a link: its reports are refused until it is approved again
    Suspend {
        /// The id of the link
        link: String,
    },
    /// Ask the product to count and report now: one that waits does so within two seconds, every other with its next
    /// exchange
    Sync {
        /// The id of the link
        link: String,
    },
    /// Ask the product to replace its key by a new one, which the old one vouches for
    Rotate {
        /// The id of the link
        link: String,
    },
    /// Remove a link with all reports of it; its product is told
    #[command(after_help = "Example:\n  seatline-central link remove 8V3C-… --yes\n\n\
                            What is removed cannot be had back: make a backup, or export the reports, first.")]
    Remove {
        /// The id of the link
        link: String,
        /// Confirm that it goes, with its reports
        #[arg(long)]
        yes: bool,
    },
    /// Answer a question that the chain of a link asks: a copy, a move, or a restored backup?
    #[command(
        after_help = "Example:\n  seatline-central link answer 8V3C-… --question fork --is copy-off --why 'Copy of May'"
    )]
    Answer {
        /// The id of the link
        link: String,
        /// What is answered: fork or server-id
        #[arg(long, value_parser = named_value::<Question>("fork or server-id"))]
        question: Question,
        /// What it was: copy-off, staging, moved or restored
        #[arg(long = "is", value_parser = named_value::<Explanation>("copy-off, staging, moved or restored"))]
        explanation: Explanation,
        /// Why you say so, in one line
        #[arg(long, default_value = "")]
        why: String,
    },
    /// Change what a linked product is told to do
    Settings {
        /// The id of the link
        link: String,
        /// The synchronisation interval, such as 15m, 90m, 2h or 1d; a bare number is seconds
        #[arg(long)]
        interval: Option<String>,
        /// After how many days without a sign-in an account is dormant
        #[arg(long, value_name = "DAYS")]
        dormancy_days: Option<u32>,
        /// How accounts are counted where the license does not say: account or first-sign-in
        #[arg(long, value_parser = named_value::<Counting>("account or first-sign-in"))]
        counting: Option<Counting>,
        /// How much the product may send within a day, in MiB: what is more is refused, and waits at the product
        #[arg(long, value_name = "MIB")]
        daily_mib: Option<u32>,
    },
}

/// Reads a value by its name in documents.
fn named_value<T: DeserializeOwned>(names: &'static str) -> impl Fn(&str) -> Result<T, String> + Clone {
    move |text| serde_json::from_value(Value::String(text.to_owned())).map_err(|_| names.to_owned())
}

impl LinkCommand {
    pub(super) async fn run(self, place: &Place, output: Output) -> Result<(), Failure> {
        let central = place.central().await?;
        let link = match self {
            Self::List { state, product, server_id } => {
                return list(&central, LinkFilter { state, product, server: server_id }, output).await;
            }
            Self::Approve { link, application } => {
                let application = named(&central, &application).await?;
                central.approve_link(&actor(), &id(&link)?, &application.id).await?
            }
            Self::Refuse { link } => {
                let id = id(&link)?;
                central.refuse_link(&actor(), &id).await?;
                sweep(&central).await?;
                return output.show(&json!({ "refused": id }), || format!("Refused the link {id}.\n"));
            }
            Self::Suspend { link } => central.suspend_link(&actor(), &id(&link)?).await?,
            Self::Sync { link } => central.demand_sync(&actor(), &id(&link)?).await?,
            Self::Rotate { link } => central.ask_for_new_key(&actor(), &id(&link)?).await?,
            Self::Remove { link, yes } => return remove(&central, &output, &id(&link)?, yes).await,
            Self::Answer { link, question, explanation, why } => {
                let said = Said { question, explanation, why };
                let answer = central.answer_question(&actor(), &id(&link)?, &said).await?;
                let next = answer.explanation.next_step(question).map(|step| format!("{step}\n")).unwrap_or_default();
                return output.show(&answer, || format!("Answered: {}.\n{next}", answer.explanation.words()));
            }
            Self::Settings { link, interval, dormancy_days, counting, daily_mib } => {
                let interval = interval.map(|text| interval::parse(&text)).transpose();
                let interval = interval.map_err(|reason| Failure::new("invalid", format!("interval: {reason}")))?;
                let change = SettingsChange { interval, dormancy_days, counting, daily_mib };
                central.change_settings(&actor(), &id(&link)?, &change).await?
            }
        };
        output.show(&shown(&link), || {
            format!(
                "{}: {}, fingerprint {}, reports {}, dormant after {}, at most {} MiB a day\n",
                link.id,
                link.state.name(),
                link.key.fingerprint(),
                format::every(link.settings.interval.into()),
                format::counted(link.settings.dormancy_days.into(), "day", "days"),
                format::number(link.settings.daily_mib.into())
            )
        })
    }
}

async fn remove(central: &crate::Central, output: &Output, id: &LinkId, is_confirmed: bool) -> Result<(), Failure> {
    let link = central.link(id).await?;
    let reports = format::counted(link.chain.stored, "stored report", "stored reports");
    if !is_confirmed {
        let message =
            format!("this would remove the link {id} of {} with {reports}: confirm it with --yes", link.product.name);
        return Err(Failure::new("not-confirmed", message));
    }
    central.remove_link(&actor(), id).await?;
    sweep(central).await?;
    output.show(&json!({ "removed": shown(&link) }), || format!("Removed the link {id} with {reports}.\n"))
}

async fn list(central: &crate::Central, filter: LinkFilter, output: Output) -> Result<(), Failure> {
    let (mut links, mut after) = (Vec::new(), None);
    loop {
        let page = central.store().links(&filter, after.as_ref(), PageSize::new(PageSize::MAX.into())).await?;
        links.extend(page.items);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    output.show(&links.iter().map(listed).collect::<Vec<_>>(), || {
        let row = |row: &LinkRow| {
            let link = &row.link;
            vec![
                link.id.to_string(),
                link.state.name().to_owned(),
                row.application_name.clone().unwrap_or_else(|| "-".to_owned()),
                link.product.name.clone(),
                link.product.server_id.to_string(),
                link.key.fingerprint(),
                format::number(link.chain.stored),
                row.chain_state.name().to_owned(),
                row.last_report_at.map_or_else(|| "never".to_owned(), format::date_time),
            ]
        };
        let heads =
            ["LINK", "STATE", "APPLICATION", "PRODUCT", "SERVER ID", "FINGERPRINT", "REPORTS", "CHAIN", "LAST REPORT"];
        table(&heads, &links.iter().map(row).collect::<Vec<_>>())
    })
}

/// A link as JSON: as the API shows it.
fn shown(link: &Link) -> Value {
    let mut value = json!(link);
    value["fingerprint"] = link.key.fingerprint().into();
    value
}

/// A link of the list as JSON: as the API shows it.
fn listed(row: &LinkRow) -> Value {
    let mut value = json!(row);
    value["fingerprint"] = row.link.key.fingerprint().into();
    value
}

fn id(text: &str) -> Result<LinkId, Failure> {
    text.parse().map_err(|_| Failure::new("not-found", "there is no such link: see `seatline-central link list`"))
}
