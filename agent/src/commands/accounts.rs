//! `seatline accounts …`

use std::time::{Duration, Instant};

use seatline_protocol::{Counting, Dimension};
use serde::Serialize;

use super::Context;
use crate::accounts::check::{self, Checked, Rules};
use crate::accounts::{self, SourceError};
use crate::config::Config;
use crate::failure::Failure;
use crate::instance::Instance;
use crate::output::{ATTENTION, BAD, Page, count, styled};
use crate::product::AccountsRead;
use crate::progress;

/// See how accounts and dimensions are read
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    Check(CheckOptions),
}

/// Read the accounts and dimensions once, and show what they come to and what is wrong, without any name
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit status: 0 everything was read and understood, 1 something was not.

Example:
  seatline accounts check")]
pub struct CheckOptions {}

pub fn run(context: &Context, command: Command) -> Result<(), Failure> {
    match command {
        Command::Check(_) => check(context),
    }
}

#[derive(Serialize)]
struct Shown {
    accounts: Option<Accounts>,
    dimensions: Vec<Measured>,
}

#[derive(Serialize)]
struct Accounts {
    source: &'static str,
    total: u64,
    counted: u64,
    deactivated: u64,
    no_access: u64,
    never_signed_in: u64,
    service_accounts: u64,
    dormant: u64,
    last_seen_unknown: u64,
    counting: Counting,
    dormancy_days: u32,
    duplicates: u64,
    without_mail: u64,
    odd_identities: u64,
    took_ms: u64,
    per_second: u64,
    problems: Vec<Problem>,
}

#[derive(Serialize)]
struct Measured {
    name: Dimension,
    value: Option<u64>,
    took_ms: u64,
    problem: Option<Problem>,
}

#[derive(Clone, Serialize)]
struct Problem {
    code: &'static str,
    message: String,
    /// What a command said last on its standard error. It goes to whoever asked, and nowhere else.
    said: Option<String>,
}

impl From<&SourceError> for Problem {
    fn from(error: &SourceError) -> Self {
        match error {
            SourceError::Command(end) => {
                Self { code: error.code(), message: format!("the command {}", end.status), said: end.said.clone() }
            }
            _ => Self { code: error.code(), message: error.to_string(), said: None },
        }
    }
}

fn check(context: &Context) -> Result<(), Failure> {
    let instance = Instance::open_as_it_is(&context.dir()?)?;
    let config = &instance.config;
    if config.accounts.is_none() && config.dimensions.is_empty() {
        let advice = "no accounts are set up: write the section [accounts] into seatline.toml";
        return Err(Failure::new("no-accounts", advice));
    }
    let rules = Rules::of(&instance.host)?;
    let accounts = config.accounts.as_ref().map(|source| {
        let read = AccountsRead::default();
        let checked = progress::during("reading", &read, || check::check(source, rules, &|| read.count_one()));
        Accounts::of(source.kind(), rules, &checked)
    });
    let shown = Shown { accounts, dimensions: measure(config) };
    context.output.show(&shown, |page| write(page, &shown))?;
    let problems = shown.accounts.iter().flat_map(|accounts| &accounts.problems);
    let mut problems = problems.chain(shown.dimensions.iter().filter_map(|measured| measured.problem.as_ref()));
    match problems.next() {
        None => Ok(()),
        Some(first) => Err(Failure { is_shown: context.output.json, ..Failure::new(first.code, &first.message) }),
    }
}

impl Accounts {
    fn of(source: &'static str, rules: Rules, checked: &Checked) -> Self {
        let counts = checked.counts;
        let per_second = counts.total as f64 / checked.took.as_secs_f64().max(0.001);
        Self {
            source,
            total: counts.total,
            counted: counts.counted,
            deactivated: counts.deactivated,
            no_access: counts.no_access,
            never_signed_in: counts.never_signed_in,
            service_accounts: counts.service_accounts,
            dormant: counts.dormant,
            last_seen_unknown: counts.last_seen_unknown,
            counting: rules.counting,
            dormancy_days: rules.dormancy_days,
            duplicates: checked.duplicates,
            without_mail: checked.without_mail,
            odd_identities: checked.odd,
            took_ms: milliseconds(checked.took),
            per_second: per_second as u64,
            problems: checked.problems.iter().map(Problem::from).collect(),
        }
    }
}

fn measure(config: &Config) -> Vec<Measured> {
    let measured = config.dimensions.iter().map(|dimension| {
        let started = Instant::now();
        let value = accounts::measure(dimension);
        Measured {
            name: dimension.name.clone(),
            value: value.as_ref().ok().copied(),
            took_ms: milliseconds(started.elapsed()),
            problem: value.as_ref().err().map(Problem::from),
        }
    });
    measured.collect()
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn write(page: &mut Page, shown: &Shown) {
    if let Some(accounts) = &shown.accounts {
        write_accounts(page, accounts);
    }
    if shown.dimensions.is_empty() {
        return;
    }
    page.gap();
    for measured in &shown.dimensions {
        let took = format_args!("{} ms", count(measured.took_ms)).to_string();
        match (measured.value, &measured.problem) {
            (Some(value), _) => page.fact(measured.name.as_str(), format_args!("{} ({took})", count(value))),
            (None, problem) => {
                page.fact(measured.name.as_str(), styled(BAD, "not measured"));
                problem.iter().for_each(|problem| write_problem(page, problem));
            }
        }
    }
}

fn write_accounts(page: &mut Page, accounts: &Accounts) {
    let whole = if accounts.problems.is_empty() { "" } else { ", which are not all" };
    page.fact("Accounts", format_args!("{} by {}{whole}", count(accounts.total), accounts.source));
    let rule = match accounts.counting {
        Counting::Account => "from the account's creation",
        Counting::FirstSignIn => "from the first sign-in",
    };
    let dormant = format_args!("{} not used for {} days", count(accounts.dormant), accounts.dormancy_days).to_string();
    page.fact("  counted", format_args!("{} ({rule}; {dormant})", count(accounts.counted)));
    page.fact("  deactivated", count(accounts.deactivated));
    page.fact("  no access", count(accounts.no_access));
    page.fact("  never seen", count(accounts.never_signed_in));
    page.fact("  service", count(accounts.service_accounts));
    page.fact("Took", format_args!("{} ms, {} accounts/s", count(accounts.took_ms), count(accounts.per_second)));
    for remark in remarks(accounts) {
        page.line(styled(ATTENTION, remark));
    }
    accounts.problems.iter().for_each(|problem| write_problem(page, problem));
}

fn write_problem(page: &mut Page, problem: &Problem) {
    page.line(styled(BAD, format_args!("{} [{}]", problem.message, problem.code)));
    if let Some(said) = &problem.said {
        page.line(format_args!("  it said: {said}"));
    }
}

/// What is worth a look, and keeps nothing from being counted.
fn remarks(accounts: &Accounts) -> Vec<String> {
    let mut remarks = Vec::new();
    let mut remark = |number: u64, text: &str| {
        if number > 0 {
            remarks.push(format!("{} {text}", count(number)));
        }
    };
    remark(accounts.duplicates, "accounts name a person who was there before: each counts");
    remark(
        accounts.without_mail,
        "accounts have no mail address as identity: in other products nobody knows who they are",
    );
    remark(accounts.odd_identities, "accounts have white space or invisible characters in their identity");
    remark(accounts.last_seen_unknown, "counted accounts have no known last sign-in: none of them is called dormant");
    if accounts.total == 0 && accounts.problems.is_empty() {
        remarks.push("There are no accounts: is that so?".to_owned());
    }
    let asleep = accounts.never_signed_in + accounts.dormant;
    if accounts.counting == Counting::FirstSignIn && accounts.counted == 0 && asleep > 0 {
        remarks.push("Nobody has ever signed in: is `last_seen` in the right place?".to_owned());
    }
    remarks
}
