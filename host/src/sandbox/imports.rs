//! What a plugin can call: the imports of the contract.
//!
//! Every call asks for the grant first, then for the quotas, then does its work. A refusal is a value and never a trap,
//! so that a plugin can report the rest.

use std::sync::mpsc::{RecvTimeoutError, sync_channel};

use seatline_protocol::ids::MAX_COUNT;
use seatline_protocol::report::{MAX_MEASUREMENTS, MAX_NODES};
use seatline_protocol::{Dimension, text};

use super::contract::types::Refusal;
use super::contract::{accounts, application_link, journal, licensing, product, types, usage};
use super::pass::{Broken, MAX_PAGE, Pass};
use super::state::RunState;
use super::{Capability, JournalLevel, errand, submission};
use crate::ports::PortError;

/// The most characters of a name or version that a product gives.
const MAX_NAME: usize = 200;

impl types::Host for RunState {}

impl product::Host for RunState {
    fn describe(&mut self) -> Result<product::Description, Refusal> {
        self.admit(Capability::Product)?;
        let facts = &self.facts;
        let line = |text: &str| text::line(text, MAX_NAME);
        Ok(product::Description {
            id: facts.id.to_string(),
            name: line(&facts.name),
            version: line(&facts.version),
            edition: facts.edition.as_deref().map(line),
            server_id: facts.server_id.to_string(),
            nodes: facts
                .nodes
                .iter()
                .take(MAX_NODES)
                .map(|node| product::Node { id: line(&node.id), version: line(&node.version) })
                .collect(),
        })
    }
}

impl usage::Host for RunState {
    fn measure(&mut self) -> Result<Vec<types::Measurement>, Refusal> {
        self.admit(Capability::Usage)?;
        let (sender, answer) = sync_channel(1);
        let product = self.product.clone();
        let ask = move || errand::call("measure", || Ok(product.measure()));
        // The run may have ended meanwhile: then nobody wants to know.
        let tell = move |measured| drop(sender.send(measured));
        self.errands.begin(self.limits.stuck_threads, ask, tell).map_err(Refusal::Unavailable)?;
        match self.watch.waiting(|patience| answer.recv_timeout(patience)) {
            Ok(Ok(measured)) => Ok(measurements(measured)),
            Ok(Err(error)) => Err(Refusal::Unavailable(error.to_string())),
            Err(RecvTimeoutError::Timeout) => Err(Refusal::Unavailable("the product took too long to measure".into())),
            Err(RecvTimeoutError::Disconnected) => Err(Refusal::Unavailable("the product stopped measuring".into())),
        }
    }
}

/// What the product measured, by the rules of the contract: never `users`, each dimension once, at most 64. A count
/// that no report can hold fails its dimension alone.
fn measurements(measured: Vec<(Dimension, Result<u64, PortError>)>) -> Vec<types::Measurement> {
    let mut measurements: Vec<types::Measurement> = Vec::new();
    for (dimension, value) in measured {
        let known = dimension == Dimension::users()
            || measurements.iter().any(|measurement| measurement.dimension == dimension.as_str());
        if !known && measurements.len() < MAX_MEASUREMENTS {
            let value = value.map_err(|error| error.to_string()).and_then(reportable);
            measurements.push(types::Measurement { dimension: dimension.into(), value });
        }
    }
    measurements
}

fn reportable(count: u64) -> Result<u64, String> {
    if count > MAX_COUNT { Err(format!("the count {count} is greater than a report can hold")) } else { Ok(count) }
}

impl accounts::Host for RunState {
    fn next_page(&mut self, cursor: Option<u64>, max_accounts: u32) -> Result<accounts::Page, Refusal> {
        self.admit(Capability::Accounts)?;
        if !(1..=MAX_PAGE).contains(&max_accounts) {
            return Err(Refusal::Invalid(format!("max-accounts: from 1 to {MAX_PAGE}")));
        }
        let size = max_accounts as usize;
        // The pass is put back only when it goes on: whatever fails ends it.
        let mut pass = match cursor {
            None => self.begin_pass(size)?,
            Some(cursor) => {
                let wrong = || Refusal::Invalid("cursor: not that of the page before".to_owned());
                self.pass.take_if(|pass| pass.cursor == cursor).ok_or_else(wrong)?
            }
        };
        let page = self.watch.waiting(|patience| pass.next(size, patience)).map_err(unavailable)?;
        self.accounts_read += page.states.len() as u64;
        match page.next {
            Some(_) => self.pass = Some(pass),
            None => self.complete_passes.push(pass.handed_out),
        }
        Ok(page)
    }
}

impl RunState {
    /// Begins a pass over the accounts, and drops the one that was under way.
    fn begin_pass(&mut self, size: usize) -> Result<Pass, Refusal> {
        self.quotas.passes.take(1)?;
        self.pass = None;
        Pass::begin(&self.errands, self.limits.stuck_threads, &self.product, &self.pseudonyms, size)
            .map_err(unavailable)
    }
}

fn unavailable(Broken(reason): Broken) -> Refusal {
    Refusal::Unavailable(reason)
}

impl licensing::Host for RunState {
    fn licenses(&mut self) -> Result<Vec<types::License>, Refusal> {
        self.admit(Capability::Licensing)?;
        self.gave_licenses = true;
        Ok(self.licenses.iter().map(types::License::from).collect())
    }
}

impl application_link::Host for RunState {
    fn current_settings(&mut self) -> Result<application_link::Settings, Refusal> {
        self.admit(Capability::ApplicationLink)?;
        Ok(application_link::Settings {
            linked: self.link.linked,
            interval: self.link.interval,
            dormancy_days: self.link.dormancy_days,
            counting: self.link.counting.into(),
        })
    }

    fn submit(&mut self, report: types::Report) -> Result<(), Refusal> {
        self.admit(Capability::ApplicationLink)?;
        self.quotas.submits.take(1)?;
        if self.submission.is_some() {
            return Err(Refusal::Quota("a run submits one report, and this one has been taken already".to_owned()));
        }
        self.quotas.bytes.take(submission::size(&report))?;
        match submission::check(report, self) {
            Ok(submission) => self.submission = Some(submission),
            Err(rule) => {
                self.refused_report = Some(rule.clone());
                return Err(Refusal::Invalid(rule));
            }
        }
        Ok(())
    }
}

impl journal::Host for RunState {
    fn log(&mut self, level: journal::Level, line: String) {
        let kept = self.grants.contains(Capability::Journal)
            && self.journal.has_room()
            && self.quotas.bytes.take(line.len() as u64).is_ok();
        if kept {
            self.journal.keep(level.into(), &line);
        } else {
            self.journal.dropped = self.journal.dropped.saturating_add(1);
        }
    }
}

impl From<journal::Level> for JournalLevel {
    fn from(level: journal::Level) -> Self {
        match level {
            journal::Level::Debug => Self::Debug,
            journal::Level::Info => Self::Info,
            journal::Level::Warn => Self::Warn,
            journal::Level::Error => Self::Error,
        }
    }
}
