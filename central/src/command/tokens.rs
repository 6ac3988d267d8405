//! `token`.

use clap::Subcommand;
use seatline_ui::format::{date_time, day};
use serde_json::json;

use super::output::table;
use super::place::Place;
use super::user::actor;
use super::{Failure, Output};
use crate::actions::accounts::NewToken;
use crate::domain::{AccountName, ApiToken, Scope, Scopes, TokenId};
use crate::store::PageSize;

#[derive(Debug, Subcommand)]
pub(super) enum TokenCommand {
    /// Make an API token. It is shown once
    #[command(
        after_help = "Examples:\n  seatline-central token create ada --label 'nightly export' --scope read --days 90\n  \
                            curl -H \"Authorization: Bearer $TOKEN\" http://127.0.0.1:8095/api/v1/applications"
    )]
    Create {
        /// In whose name the token acts: it never may more than he may
        #[arg(value_name = "USER")]
        account: AccountName,
        /// What it is for
        #[arg(long, default_value = "command line")]
        label: String,
        /// What it is narrowed to: read, operate, administer, or one of them in an area, such as reports:read; may be
        /// given several times. Without it, all that the user may
        #[arg(long = "scope", value_name = "SCOPE")]
        scopes: Vec<Scope>,
        /// After how many days it ends; without it, never
        #[arg(long, value_name = "DAYS")]
        days: Option<u32>,
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
            Self::Create { account, label, scopes, days } => {
                let scopes = match Scopes::new(scopes) {
                    Ok(scopes) => scopes,
                    Err(_) => Scopes::all_of(central.account(&account).await?.role),
                };
                let new = NewToken { label: &label, scopes, days };
                let (token, kept) = central.create_token(&actor(), &account, new).await?;
                let mut shown = json!(kept);
                shown["token"] = token.as_str().into();
                output.show(&shown, || format!("{}\nIt is shown only now. Its id is {}.\n", *token, kept.id))
            }
            Self::List => {
                let tokens = all(&central).await?;
                output.show(&tokens, || {
                    let heads = ["ID", "USER", "SCOPES", "CREATED", "LAST USED", "ENDS", "LABEL"];
                    table(&heads, &tokens.iter().map(row).collect::<Vec<_>>())
                })
            }
            Self::Revoke { id } => {
                let id: TokenId = id.parse().map_err(|_| Failure::new("not-found", "there is no such API token"))?;
                central.revoke_token(&actor(), &id, None).await?;
                output.show(&json!({ "revoked": id }), || format!("Revoked {id}.\n"))
            }
        }
    }
}

async fn all(central: &crate::Central) -> Result<Vec<ApiToken>, Failure> {
    let (mut tokens, mut after) = (Vec::new(), None);
    loop {
        let size = PageSize::new(PageSize::MAX.into());
        let page = central.store().api_tokens(None, after.as_ref(), size).await?;
        tokens.extend(page.items);
        after = page.next;
        if after.is_none() {
            return Ok(tokens);
        }
    }
}

fn row(token: &ApiToken) -> Vec<String> {
    vec![
        token.id.to_string(),
        token.account.to_string(),
        token.scopes.to_string(),
        date_time(token.created_at),
        token.last_used_day.map_or_else(|| "never".to_owned(), day),
        token.expires_at.map_or_else(|| "never".to_owned(), date_time),
        token.label.clone(),
    ]
}
