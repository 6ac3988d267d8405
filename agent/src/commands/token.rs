//! `seatline token …`

use std::path::PathBuf;

use jiff::Timestamp;
use serde::Serialize;
use zeroize::Zeroizing;

use super::Context;
use crate::failure::Failure;
use crate::files;
use crate::instance::Instance;
use crate::output::time;
use crate::tokens::{self, NewToken, Role, Token};

/// Make and revoke the tokens with which programs use the local API
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    Create(CreateOptions),
    List(ListOptions),
    Revoke(RevokeOptions),
}

/// Make an API token; it is shown once
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  seatline token create --name wiki --out /etc/wiki/seatline.token
  curl -H \"Authorization: Bearer $(cat /etc/wiki/seatline.token)\" http://127.0.0.1:8096/v1/features/sso")]
pub struct CreateOptions {
    /// What it is for
    #[arg(long)]
    name: String,
    /// What it allows: to ask, or also to set licenses and to synchronise
    #[arg(long, value_enum, default_value_t = Role::Read)]
    role: Role,
    /// Write it to a new file, for its owner alone, instead of showing it
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// List the API tokens; their secrets are not kept
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  seatline token list")]
pub struct ListOptions {}

/// Revoke an API token
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  seatline token revoke wiki")]
pub struct RevokeOptions {
    /// Its name or id
    token: String,
}

pub fn run(context: &Context, command: Command) -> Result<(), Failure> {
    match command {
        Command::Create(options) => create(context, &options),
        Command::List(_) => list(context),
        Command::Revoke(options) => revoke(context, &options),
    }
}

#[derive(Serialize)]
struct Created<'a> {
    #[serde(flatten)]
    token: Token,
    /// Where it is not in a file.
    #[serde(rename = "token", skip_serializing_if = "Option::is_none")]
    secret: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a PathBuf>,
}

fn create(context: &Context, options: &CreateOptions) -> Result<(), Failure> {
    let instance = Instance::open_as_it_is(&context.dir()?)?;
    let new = NewToken::make(&options.name, options.role, Timestamp::now())?;
    if let Some(path) = &options.out {
        let line = Zeroizing::new(format!("{}\n", *new.secret));
        files::write_new(path, line.as_bytes(), 0o600).map_err(|error| Failure::io("write", path, &error))?;
    }
    // The file is there before the token is in force: a token that nobody has is never kept.
    let token = new.add(&instance.host).inspect_err(|_| {
        if let Some(path) = &options.out {
            let _ = std::fs::remove_file(path);
        }
    })?;
    let secret = options.out.is_none().then_some(new.secret.as_str());
    let created = Created { token, secret, file: options.out.as_ref() };
    context.output.show(&created, |page| match (created.secret, created.file) {
        (Some(secret), _) => {
            page.line(secret);
            page.line("It is shown only now.");
        }
        (None, Some(path)) => page.line(format_args!("The token is in {}.", path.display())),
        (None, None) => {}
    })
}

fn list(context: &Context) -> Result<(), Failure> {
    let instance = Instance::open_as_it_is(&context.dir()?)?;
    let tokens = tokens::list(&instance.host)?;
    context.output.show(&tokens, |page| match tokens.is_empty() {
        true => page.line("There is no API token yet: make one with `seatline token create --name NAME`."),
        false => {
            let row = |token: &Token| {
                vec![token.name.clone(), token.role.to_string(), time(token.created_at), token.id.clone()]
            };
            page.table(&["NAME", "ROLE", "CREATED", "ID"], &tokens.iter().map(row).collect::<Vec<_>>());
        }
    })
}

#[derive(Serialize)]
struct Revoked {
    revoked: Token,
}

fn revoke(context: &Context, options: &RevokeOptions) -> Result<(), Failure> {
    let instance = Instance::open_as_it_is(&context.dir()?)?;
    let shown = Revoked { revoked: tokens::revoke(&instance.host, &options.token)? };
    context.output.show(&shown, |page| page.line(format_args!("Revoked the token {}.", shown.revoked.name)))
}
