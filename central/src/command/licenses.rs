//! `licenses`: the Licenses tab as text.

use clap::Args;
use seatline_protocol::ContinuityAnswer;
use seatline_protocol::continuity::parts_in_words;
use seatline_protocol::report::Measured;
use seatline_protocol::standing::LimitState;
use seatline_ui::format::{counted, date_time, number};
use seatline_ui::words;

use super::applications::named;
use super::output::table;
use super::place::Place;
use super::{Failure, Output};
use crate::domain::Licenses;
use crate::domain::licenses::{Counted, LicenseRow};

/// Show what an application uses of its licenses.
#[derive(Debug, Args)]
pub(super) struct Show {
    /// The name of the application
    application: String,
}

impl Show {
    pub(super) async fn run(self, place: &Place, output: Output) -> Result<(), Failure> {
        let central = place.central().await?;
        let application = named(&central, &self.application).await?;
        let licenses = central.licenses(&application.id).await?;
        output.show(&licenses, || text(&licenses))
    }
}

fn text(licenses: &Licenses) -> String {
    let mut text = format!("{} ({})\n", licenses.application.name, licenses.application.product);
    for trouble in &licenses.troubles {
        text.push_str(&format!("! {} [{}]\n", trouble.message, trouble.code));
    }
    if let Some(product) = &licenses.product {
        let nodes = counted(product.nodes.len() as u64, "node runs", "nodes run");
        let (name, version, server) = (&product.name, &product.version, &product.server_id);
        let staging = if product.staging { ", staging" } else { "" };
        text.push_str(&format!("{name} {version}, server ID {server}, {nodes}{staging}\n"));
    }
    for change in &licenses.identity_changes {
        let (content, at) = (&change.content, date_time(change.content.changed_at));
        let answer = content.answer.map_or("nobody has said what it was", ContinuityAnswer::name);
        let (from, to, parts) = (&content.previous, &content.present, parts_in_words(&content.changed));
        text.push_str(&format!("Server ID changed {at} from {from} to {to} ({parts}): {answer}\n"));
    }
    if let Some(reported) = &licenses.reported {
        text.push_str(&format!("Last reported {} (report {})\n", date_time(reported.received_at), reported.sequence));
    }
    if let Some(found) = &licenses.counted {
        text.push_str(&counted_text(found));
    }
    text
}

fn counted_text(found: &Counted) -> String {
    let verdict = found.verdict.map_or("not reported", |verdict| verdict.name());
    let mut text = format!("Counted {}: {verdict}\n", date_time(found.observed_at));
    for reason in &found.reasons {
        text.push_str(&format!("- {}\n", reason.message));
    }
    if let Some(accounts) = &found.accounts {
        let classes = [
            ("counted", accounts.counted),
            ("deactivated", accounts.deactivated),
            ("no access", accounts.no_access),
            ("never signed in", accounts.never_signed_in),
            ("service accounts", accounts.service_accounts),
            ("total", accounts.total),
        ];
        let rows: Vec<_> = classes.iter().map(|(class, count)| vec![(*class).to_owned(), number(*count)]).collect();
        text.push_str(&format!("\n{}", table(&["ACCOUNTS", "COUNT"], &rows)));
        let (dormant, days) = (number(accounts.dormant), counted(accounts.dormancy_days.into(), "day", "days"));
        text.push_str(&format!("{dormant} of the counted without a sign-in for {days}\n"));
    }
    if !found.limits.is_empty() {
        let or_dash = |count: Option<u64>| count.map_or_else(|| "-".to_owned(), number);
        let rows: Vec<_> = found
            .limits
            .iter()
            .map(|limit| {
                let state = match limit.state {
                    LimitState::Unknown => "not counted",
                    LimitState::Within => "within",
                    LimitState::Near => "near",
                    LimitState::InAllowance => "in allowance",
                    LimitState::Over => "over",
                };
                vec![limit.dimension.to_string(), or_dash(limit.used), or_dash(limit.max), state.to_owned()]
            })
            .collect();
        text.push_str(&format!("\n{}", table(&["LIMIT", "USED", "MAX", "STATE"], &rows)));
    }
    for measurement in &found.measurements {
        match &measurement.value {
            Measured::Value(value) => text.push_str(&format!("{}: {}\n", measurement.dimension, number(*value))),
            Measured::Failed(reason) => text.push_str(&format!("{}: not counted: {reason}\n", measurement.dimension)),
        }
    }
    if !found.licenses.is_empty() {
        let rows: Vec<_> = found.licenses.iter().map(license_row).collect();
        text.push_str(&format!("\n{}", table(&["LICENSE", "PRODUCT", "KIND", "STATUS", "TIME LEFT"], &rows)));
    }
    text
}

fn license_row(row: &LicenseRow) -> Vec<String> {
    let standing = &row.standing;
    vec![
        standing.id.to_string(),
        standing.product.to_string(),
        standing.kind.name().to_owned(),
        standing.status.name().to_owned(),
        row.time_left.map_or_else(|| "no end".to_owned(), words::time_left),
    ]
}
