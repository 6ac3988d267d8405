//! What is set of a channel: where its messages go, what it is told of, and when it is quiet.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::super::{Failure, invalid};
use super::GravityName;
use crate::domain::Gravity;
use crate::domain::alerts::channel::{ChannelConfig, Target};
use crate::domain::alerts::quiet::{QuietHours, QuietTime, Zone};

/// What a channel is told of, how often, and when it is quiet. What is not given stays as it is.
#[derive(Debug, Args)]
pub(in crate::command) struct ChannelOptions {
    /// How grave something is at least; warnings where nothing was said
    #[arg(long, value_name = "GRAVITY")]
    least: Option<GravityName>,
    /// Of this kind alone, such as `limit` or `expiry`; may be given several times, and empty for all
    #[arg(long, value_name = "CODE")]
    code: Vec<String>,
    /// Of applications in this group alone; may be given several times, and empty for all
    #[arg(long, value_name = "NAME")]
    group: Vec<String>,
    /// Of applications with this tag alone; may be given several times, and empty for all
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,
    /// Whether of events, such as a new version of a plugin
    #[arg(long, value_name = "true|false")]
    events: Option<bool>,
    /// Whether of staging instances, too
    #[arg(long, value_name = "true|false")]
    staging: Option<bool>,
    /// At most so many messages in an hour; what is due meanwhile comes with the next
    #[arg(long, value_name = "NUMBER")]
    per_hour: Option<u16>,
    /// Quiet hours, such as `monday-friday 22:00-07:00` or `daily 00:00-06:00`; may be given several times
    #[arg(long, value_name = "DAYS FROM-UNTIL", conflicts_with = "no_quiet")]
    quiet: Vec<QuietTime>,
    /// The time zone of the quiet hours; UTC where nothing was said
    #[arg(long, value_name = "ZONE")]
    zone: Option<Zone>,
    /// What is told in the quiet hours all the same
    #[arg(long, value_name = "GRAVITY")]
    pass: Option<Pass>,
    /// No quiet hours any more
    #[arg(long)]
    no_quiet: bool,
    /// Tell nothing until the channel is switched on again
    #[arg(long, conflicts_with = "on")]
    off: bool,
    /// Tell again
    #[arg(long)]
    on: bool,
}

/// What is told in quiet hours all the same.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Pass {
    Nothing,
    Problem,
    Warning,
}

/// Where the messages of a channel go from now on.
#[derive(Debug, Args)]
pub(in crate::command) struct Places {
    /// A recipient, in the place of all there were; may be given several times
    #[arg(long, value_name = "ADDRESS", conflicts_with_all = ["url", "ca_file"])]
    to: Vec<String>,
    /// What is called; the secret stays
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// The authorities whose certificates are accepted, in PEM form, instead of the system's
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
}

impl ChannelOptions {
    pub(super) fn apply(&self, config: &mut ChannelConfig) -> Result<(), Failure> {
        let scope = &mut config.scope;
        scope.least = self.least.map_or(scope.least, Gravity::from);
        scope.events = self.events.unwrap_or(scope.events);
        scope.staging = self.staging.unwrap_or(scope.staging);
        replace("code", &self.code, &mut scope.codes)?;
        replace("group", &self.group, &mut scope.groups)?;
        replace("tag", &self.tag, &mut scope.tags)?;
        config.per_hour = self.per_hour.unwrap_or(config.per_hour);
        config.enabled = (config.enabled || self.on) && !self.off;
        self.silence(&mut config.quiet)
    }

    fn silence(&self, quiet: &mut Option<QuietHours>) -> Result<(), Failure> {
        if self.no_quiet {
            *quiet = None;
        }
        if !self.quiet.is_empty() {
            let (zone, pass) = match quiet.take() {
                Some(before) => (before.zone, before.pass),
                None => ("UTC".parse().map_err(|error| invalid("zone", error))?, None),
            };
            *quiet = Some(QuietHours { zone, times: self.quiet.clone(), pass });
        }
        let Some(quiet) = quiet else {
            return match self.zone.is_some() || self.pass.is_some() {
                true => Err(invalid("quiet", "there are no quiet hours: name them by --quiet, too")),
                false => Ok(()),
            };
        };
        quiet.zone = self.zone.clone().unwrap_or_else(|| quiet.zone.clone());
        quiet.pass = match self.pass {
            None => quiet.pass,
            Some(Pass::Nothing) => None,
            Some(Pass::Problem) => Some(Gravity::Problem),
            Some(Pass::Warning) => Some(Gravity::Warning),
        };
        Ok(())
    }
}

/// Puts what was given in the place of what there was: one empty text is for none.
fn replace<T: std::str::FromStr + Ord>(
    field: &'static str,
    given: &[String],
    kept: &mut BTreeSet<T>,
) -> Result<(), Failure>
where
    T::Err: std::fmt::Display,
{
    if !given.is_empty() {
        let named = given.iter().filter(|text| !text.is_empty());
        *kept = named.map(|text| text.parse()).collect::<Result<_, _>>().map_err(|error| invalid(field, error))?;
    }
    Ok(())
}

impl Places {
    pub(super) fn apply(&self, target: &mut Target) -> Result<(), Failure> {
        match target {
            Target::Mail { recipients } => {
                if self.url.is_some() || self.ca_file.is_some() {
                    return Err(invalid("url", "it is a channel for mail: it has recipients (--to)"));
                }
                if !self.to.is_empty() {
                    let read: Result<Vec<_>, _> = self.to.iter().map(|address| address.parse()).collect();
                    *recipients = read.map_err(|error| invalid("to", error))?;
                }
            }
            Target::Webhook { url, ca_pem } => {
                if !self.to.is_empty() {
                    return Err(invalid("to", "it is a webhook: it has a URL (--url)"));
                }
                url.clone_from(self.url.as_ref().unwrap_or(&url.clone()));
                if let Some(path) = &self.ca_file {
                    *ca_pem = Some(read_pem(path)?);
                }
            }
        }
        Ok(())
    }
}

/// The certificates in a file.
pub(super) fn read_pem(path: &std::path::Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| invalid("ca_file", format!("{} cannot be read: {error}", path.display())))
}
