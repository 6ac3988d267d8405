//! `admin` and `token`.

use std::io::stdin;

use clap::{Args, Subcommand};
use seatline_ui::format::date_time;
use seatline_web::password;
use serde_json::json;

use super::output::table;
use super::place::Place;
use super::{Failure, Output};
use crate::auth::{create_admin, set_password, token};
use crate::domain::TokenId;

#[derive(Debug, Subcommand)]
pub(super) enum AdminCommand {
    /// Add an administrator. A password is made and shown once, unless it is given on standard input
    #[command(after_help = "Examples:\n  seatline-central admin create ada\n  \
                            pass show seatline | seatline-central admin create ada --password-stdin")]
    Create(Credentials),
    /// Set another password of an administrator, and end his sessions; his API tokens stay
    #[command(after_help = "Examples:\n  seatline-central admin password ada\n  \
                            pass show seatline | seatline-central admin password ada --password-stdin")]
    Password(Credentials),
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
        let (Self::Create(Credentials { name, password_stdin }) | Self::Password(Credentials { name, password_stdin })) =
            &self;
        let made = match password_stdin {
            true => None,
            false => Some(password::make().map_err(|error| Failure::new("no-randomness", error.to_string()))?),
        };
        let password = match &made {
            Some(made) => made.clone(),
            None => {
                password::read(stdin().lock()).map_err(|error| Failure::new("standard-input", error.to_string()))?
            }
        };
        let central = place.central().await?;
        let (mut told, done) = match self {
            Self::Create(_) => {
                let admin = create_admin(&central, name, &password).await?;
                let done = format!("Created the administrator {}.", admin.name);
                (json!({ "name": admin.name, "created_at": admin.created_at }), done)
            }
            Self::Password(_) => {
                let name = set_password(&central, name, &password).await?;
                let done = format!("Set the password of {name}, and ended the sessions.");
                (json!({ "name": name }), done)
            }
        };
        if let Some(made) = &made {
            told["password"] = made.as_str().into();
        }
        output.show(&told, || match &made {
            Some(made) => format!("{done}\nPassword: {}\nIt is shown only now.\n", **made),
            None => format!("{done}\n"),
        })
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum TokenCommand {
    /// Make an API token. It is shown once
    #[command(after_help = "Examples:\n  seatline-central token create ada --label 'nightly export'\n  \
                            curl -H \"Authorization: Bearer $TOKEN\" http://127.0.0.1:8095/api/v1/applications")]
    Create {
        /// The administrator in whose name the token acts
        admin: String,
        /// What it is for
        #[arg(long, default_value = "command line")]
        label: String,
    },
    /// List the API tokens; their secrets are not kept
    List,
    /// Revoke an API token
    Revoke {
        /// Its id
        id: String,
    },
}

impl TokenCommand {
    pub(super) async fn run(self, place: &Place, output: Output) -> Result<(), Failure> {
        let central = place.central().await?;
        match self {
            Self::Create { admin, label } => {
                let (token, kept) = token::create(&central, &admin, &label).await?;
                let mut shown = json!(kept);
                shown["token"] = token.as_str().into();
                output.show(&shown, || format!("{token}\nIt is shown only now. Its id is {}.\n", kept.id))
            }
            Self::List => {
                let tokens = central.store().api_tokens().await?;
                output.show(&tokens, || {
                    let row = |token: &crate::domain::ApiToken| {
                        vec![
                            token.id.to_string(),
                            token.admin.to_string(),
                            date_time(token.created_at),
                            token.label.clone(),
                        ]
                    };
                    table(&["ID", "ADMIN", "CREATED", "LABEL"], &tokens.iter().map(row).collect::<Vec<_>>())
                })
            }
            Self::Revoke { id } => {
                let id: TokenId = id.parse().map_err(|_| Failure::new("not-found", "there is no such API token"))?;
                central.store().revoke_api_token(&id).await?;
                output.show(&json!({ "revoked": id }), || format!("Revoked {id}.\n"))
            }
        }
    }
}
