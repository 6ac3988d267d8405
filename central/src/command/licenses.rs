//! `licenses`: the Licenses tab as text.

use clap::Args;
use seatline_protocol::report::Measured;
use seatline_protocol::standing::{Ends, LimitState};

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
        let nodes = product.nodes.len();
        let (name, version, server) = (&product.name, &product.version, &product.server_id);
        text.push_str(&format!("{name} {version}, server ID {server}, {nodes} running node(s)\n"));
    }
    if let Some(reported) = &licenses.reported {
        text.push_str(&format!("Last reported {} (report {})\n", reported.received_at, reported.sequence));
    }
    if let Some(counted) = &licenses.counted {
        text.push_str(&counted_text(counted));
    }
    text
}

fn counted_text(counted: &Counted) -> String {
    let verdict = counted.verdict.map_or("not reported", |verdict| verdict.name());
    let mut text = format!("Counted {}: {verdict}\n", counted.observed_at);
    for reason in &counted.reasons {
        text.push_str(&format!("- {}\n", reason.message));
    }
    if let Some(accounts) = &counted.accounts {
        let classes = [
            ("counted", accounts.counted),
            ("deactivated", accounts.deactivated),
            ("no access", accounts.no_access),
            ("never signed in", accounts.never_signed_in),
            ("service accounts", accounts.service_accounts),
            ("total", accounts.total),
        ];
        let rows: Vec<_> = classes.iter().map(|(class, count)| vec![(*class).to_owned(), count.to_string()]).collect();
        text.push_str(&format!("\n{}", table(&["ACCOUNTS", "COUNT"], &rows)));
        let (dormant, days) = (accounts.dormant, accounts.dormancy_days);
        text.push_str(&format!("{dormant} of the counted have not signed in for {days} days\n"));
    }
    if !counted.limits.is_empty() {
        let or_dash = |count: Option<u64>| count.map_or_else(|| "-".to_owned(), |count| count.to_string());
        let rows: Vec<_> = counted
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
    for measurement in &counted.measurements {
        match &measurement.value {
            Measured::Value(value) => text.push_str(&format!("{}: {value}\n", measurement.dimension)),
            Measured::Failed(reason) => text.push_str(&format!("{}: not counted: {reason}\n", measurement.dimension)),
        }
    }
    if !counted.licenses.is_empty() {
        let rows: Vec<_> = counted.licenses.iter().map(license_row).collect();
        text.push_str(&format!("\n{}", table(&["LICENSE", "PRODUCT", "KIND", "STATUS", "TIME LEFT"], &rows)));
    }
    text
}

fn license_row(row: &LicenseRow) -> Vec<String> {
    let left = row.time_left.map_or_else(
        || "no end".to_owned(),
        |left| match left.ends {
            Ends::License => format!("{} days", left.days),
            Ends::Maintenance => format!("{} days of maintenance", left.days),
        },
    );
    let standing = &row.standing;
    vec![
        standing.id.to_string(),
        standing.product.to_string(),
        standing.kind.name().to_owned(),
        standing.status.name().to_owned(),
        left,
    ]
}
