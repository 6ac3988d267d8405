//! Administration: users, tokens and the audit log (`g11`), how long what is kept, the pseudonym key, and what the
//! server does by itself.

pub mod alerts;
pub mod audit;
pub mod jobs;
pub mod pseudonyms;
pub mod retention;
pub mod tokens;
pub mod users;

use seatline_ui::{Tab, Tabs};
use serde::Deserialize;

use crate::store::Cursor;

/// The pages of the administration: a tab for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Who signs in.
    Users,
    /// What programs carry.
    Tokens,
    /// Who changed what.
    Audit,
    /// What holds for all alerts.
    Alerts,
    /// How long what was reported is kept.
    Retention,
    /// The key that pseudonyms are made with.
    Pseudonyms,
    /// What the server does by itself.
    Jobs,
}

/// The tabs, with the one that is open.
pub(super) fn tabs(open: Part) -> Tabs {
    let all = [
        (Part::Users, "Users", "/administration/users"),
        (Part::Tokens, "API tokens", "/administration/tokens"),
        (Part::Audit, "Audit log", "/administration/audit"),
        (Part::Alerts, "Alerts", "/administration/alerts"),
        (Part::Retention, "Retention", "/administration/retention"),
        (Part::Pseudonyms, "Pseudonyms", "/administration/pseudonyms"),
        (Part::Jobs, "Jobs", "/administration/jobs"),
    ];
    let tab =
        |(part, label, href): (Part, &'static str, &str)| Tab { label, href: href.to_owned(), current: part == open };
    Tabs { label: "Administration".to_owned(), tabs: all.map(tab).into() }
}

/// What the address of a list may hold: where it begins, and what was done just before.
#[derive(Debug, Deserialize)]
pub struct Listed {
    after: Option<Cursor>,
    done: Option<String>,
}
