//! `seatline user …`

use jiff::Timestamp;
use seatline_web::password;
use serde::Serialize;

use super::Context;
use crate::failure::Failure;
use crate::instance::Instance;
use crate::output::time;
use crate::users::{self, Role, User};

/// Say who signs in to the pages
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    Add(AddOptions),
    List(ListOptions),
    Password(PasswordOptions),
    Remove(RemoveOptions),
}

/// Add a user. A password is made and shown once, unless it is given on standard input
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  seatline user add ada
  pass show seatline | seatline user add ben --role viewer --password-stdin")]
pub struct AddOptions {
    /// The name to sign in with
    name: String,
    /// What the user may do: look at everything, or also change it
    #[arg(long, value_enum, default_value_t = Role::Administrator)]
    role: Role,
    #[command(flatten)]
    given: Given,
}

/// List the users; their passwords are not kept
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  seatline user list")]
pub struct ListOptions {}

/// Set another password of a user, and end the user's sessions
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  seatline user password ada
  pass show seatline | seatline user password ada --password-stdin")]
pub struct PasswordOptions {
    /// The user's name
    name: String,
    #[command(flatten)]
    given: Given,
}

/// Remove a user, and end the user's sessions
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  seatline user remove ben")]
pub struct RemoveOptions {
    /// The user's name
    name: String,
}

/// Where the password comes from.
#[derive(Debug, clap::Args)]
struct Given {
    /// Read the password from the first line of standard input
    #[arg(long)]
    password_stdin: bool,
}

/// A password, and whether it was made here.
struct Password {
    text: zeroize::Zeroizing<String>,
    is_made: bool,
}

impl Given {
    fn password(&self) -> Result<Password, Failure> {
        if self.password_stdin {
            let text =
                password::read(std::io::stdin().lock()).map_err(|error| Failure::of("standard-input", &error))?;
            return Ok(Password { text, is_made: false });
        }
        let text = password::make().map_err(|error| Failure::of("no-randomness", &error))?;
        Ok(Password { text, is_made: true })
    }
}

pub fn run(context: &Context, command: Command) -> Result<(), Failure> {
    match command {
        Command::Add(options) => add(context, &options),
        Command::List(_) => list(context),
        Command::Password(options) => set_password(context, &options),
        Command::Remove(options) => remove(context, &options),
    }
}

#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    user: User,
    /// Where it was made here.
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<&'a str>,
}

fn show(context: &Context, user: User, password: &Password, done: &str) -> Result<(), Failure> {
    let shown = Shown { user, password: password.is_made.then_some(password.text.as_str()) };
    context.output.show(&shown, |page| {
        page.line(done);
        if let Some(password) = shown.password {
            page.line(format_args!("Password: {password}"));
            page.line("It is shown only now.");
        }
    })
}

fn add(context: &Context, options: &AddOptions) -> Result<(), Failure> {
    let instance = Instance::open_as_it_is(&context.dir()?)?;
    let password = options.given.password()?;
    let user = users::add(&instance.host, &options.name, options.role, &password.text, Timestamp::now())?;
    let done = format!("Added the {} {}.", user.role, user.name);
    show(context, user, &password, &done)
}

fn set_password(context: &Context, options: &PasswordOptions) -> Result<(), Failure> {
    let instance = Instance::open_as_it_is(&context.dir()?)?;
    let password = options.given.password()?;
    let user = users::set_password(&instance.host, &options.name, &password.text, Timestamp::now())?;
    let done = format!("Set the password of {}, and ended the sessions.", user.name);
    show(context, user, &password, &done)
}

fn list(context: &Context) -> Result<(), Failure> {
    let instance = Instance::open_as_it_is(&context.dir()?)?;
    let users = users::list(&instance.host)?;
    context.output.show(&users, |page| match users.is_empty() {
        true => page.line("There is no user yet: add one with `seatline user add NAME`."),
        false => {
            let row = |user: &User| {
                let (created, set) = (time(user.created_at), time(user.password_set_at));
                vec![user.name.to_string(), user.role.to_string(), created, set]
            };
            page.table(&["NAME", "ROLE", "ADDED", "PASSWORD SET"], &users.iter().map(row).collect::<Vec<_>>());
        }
    })
}

#[derive(Serialize)]
struct Removed {
    removed: User,
}

fn remove(context: &Context, options: &RemoveOptions) -> Result<(), Failure> {
    let instance = Instance::open_as_it_is(&context.dir()?)?;
    let shown = Removed { removed: users::remove(&instance.host, &options.name)? };
    context.output.show(&shown, |page| page.line(format_args!("Removed the user {}.", shown.removed.name)))
}
