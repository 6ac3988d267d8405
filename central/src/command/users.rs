//! `user`, and `admin`, which is the short way to the first of them.

use std::io::stdin;

use clap::{Args, Subcommand};
use seatline_ui::format::{counted, date_time};
use seatline_web::password;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::output::table;
use super::place::Place;
use super::user::actor;
use super::{Failure, Output};
use crate::central::Central;
use crate::domain::{Account, AccountName, Proof, Role};
use crate::store::PageSize;

#[derive(Debug, Subcommand)]
pub(super) enum AdminCommand {
    /// Add an administrator. A password is made and shown once, unless it is given on standard input
    #[command(after_help = "Examples:\n  seatline-central admin create ada\n  \
                            pass show seatline | seatline-central admin create ada --password-stdin")]
    Create(Credentials),
    /// Set another password of somebody, and end his sessions; his API tokens stay
    #[command(after_help = "Examples:\n  seatline-central admin password ada\n  \
                            pass show seatline | seatline-central admin password ada --password-stdin")]
    Password(Credentials),
}

#[derive(Debug, Subcommand)]
pub(super) enum UserCommand {
    /// Add somebody who signs in. A password is made and shown once, unless it is given on standard input
    #[command(after_help = "Examples:\n  seatline-central user add vic --role viewer\n  \
                            pass show seatline | seatline-central user add otto --role operator --password-stdin")]
    Add {
        #[command(flatten)]
        credentials: Credentials,
        /// What he may do: viewer, operator or administrator
        #[arg(long, value_name = "ROLE")]
        role: Role,
    },
    /// List who may sign in
    List,
    /// Give somebody another role; it holds at once
    #[command(after_help = "Example:\n  seatline-central user role otto administrator")]
    Role {
        /// The name
        name: AccountName,
        /// What he may do: viewer, operator or administrator
        role: Role,
    },
    /// Set another password of somebody, and end his sessions; his API tokens stay
    Password(Credentials),
    /// End all sessions of somebody
    EndSessions {
        /// The name
        name: AccountName,
    },
    /// Remove somebody, with his sessions and API tokens
    Remove {
        /// The name
        name: AccountName,
    },
}

/// Who signs in, and by which password.
#[derive(Debug, Args)]
pub(super) struct Credentials {
    /// The name to sign in with
    name: String,
    /// Read the password from the first line of standard input
    #[arg(long)]
    password_stdin: bool,
}

impl AdminCommand {
    pub(super) async fn run(self, place: &Place, output: Output) -> Result<(), Failure> {
        let central = place.central().await?;
        match self {
            Self::Create(credentials) => add(&central, output, &credentials, Role::Administrator).await,
            Self::Password(credentials) => set_password(&central, output, &credentials).await,
        }
    }
}

impl UserCommand {
    pub(super) async fn run(self, place: &Place, output: Output) -> Result<(), Failure> {
        let central = place.central().await?;
        match self {
            Self::Add { credentials, role } => add(&central, output, &credentials, role).await,
            Self::Password(credentials) => set_password(&central, output, &credentials).await,
            Self::List => list(&central, output).await,
            Self::Role { name, role } => {
                let account = central.change_role(&actor(), &name, role).await?;
                output.show(&account, || format!("{} is {} now.\n", account.name, account.role))
            }
            Self::EndSessions { name } => {
                central.account(&name).await?;
                let ended = central.end_sessions(&actor(), &name, None).await?;
                output.show(&json!({ "name": name, "ended": ended }), || {
                    format!("Ended {} of {name}.\n", counted(ended, "session", "sessions"))
                })
            }
            Self::Remove { name } => {
                central.remove_account(&actor(), &name).await?;
                output.show(&json!({ "removed": name }), || format!("Removed {name}.\n"))
            }
        }
    }
}

/// The password on the first line of standard input.
pub(super) fn read_password() -> Result<Zeroizing<String>, Failure> {
    password::read(stdin().lock()).map_err(|error| Failure::new("standard-input", error.to_string()))
}

impl Credentials {
    /// The password, and whether it was made here.
    fn password(&self) -> Result<(Zeroizing<String>, bool), Failure> {
        let make = || password::make().map_err(|error| Failure::new("no-randomness", error.to_string()));
        Ok(if self.password_stdin { (read_password()?, false) } else { (make()?, true) })
    }
}

async fn add(central: &Central, output: Output, credentials: &Credentials, role: Role) -> Result<(), Failure> {
    let (password, made) = credentials.password()?;
    let account = central.add_account(&actor(), &credentials.name, role, &password).await?;
    let told = json!({ "name": account.name, "role": account.role, "created_at": account.created_at });
    tell(output, told, &format!("Created the {role} {}.", account.name), &password, made)
}

async fn set_password(central: &Central, output: Output, credentials: &Credentials) -> Result<(), Failure> {
    let name: AccountName = credentials.name.parse().map_err(|error| super::invalid("name", error))?;
    let (password, made) = credentials.password()?;
    central.set_password(&actor(), &name, &password, None).await?;
    let done = format!("Set the password of {name}, and ended the sessions.");
    tell(output, json!({ "name": name }), &done, &password, made)
}

fn tell(output: Output, mut told: Value, done: &str, password: &str, made: bool) -> Result<(), Failure> {
    if made {
        told["password"] = password.into();
    }
    output.show(&told, || match made {
        true => format!("{done}\nPassword: {password}\nIt is shown only now.\n"),
        false => format!("{done}\n"),
    })
}

async fn list(central: &Central, output: Output) -> Result<(), Failure> {
    let (mut accounts, mut after) = (Vec::new(), None);
    loop {
        let page = central.store().accounts(after.as_ref(), PageSize::new(PageSize::MAX.into())).await?;
        accounts.extend(page.items);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    output.show(&accounts, || {
        let row = |account: &Account| {
            let by = match account.proof {
                Proof::Password { .. } => "password",
                Proof::SingleSignOn(_) => "single sign-on",
            };
            let last = account.last_sign_in_at.map_or_else(|| "never".to_owned(), date_time);
            vec![account.name.to_string(), account.role.to_string(), by.to_owned(), last]
        };
        table(&["NAME", "ROLE", "SIGNS IN BY", "LAST SIGN-IN"], &accounts.iter().map(row).collect::<Vec<_>>())
    })
}
