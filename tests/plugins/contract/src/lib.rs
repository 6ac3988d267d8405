//! The contract as Rust types, and what the test plugins share.

wit_bindgen::generate!({
    path: "../../../wit/v1",
    world: "license-visibility",
    pub_export_macro: true,
    default_bindings_module: "contract",
});

pub use exports::seatline::license_visibility::reporter::{Guest, Occasion, Trigger};
pub use seatline::license_visibility::types::{
    AccountCounts, CountingRule, License, Measurement, Omission, Refusal, Report,
};
pub use seatline::license_visibility::{accounts, application_link, journal, licensing, product, usage};

/// A report without anything in it.
pub fn empty_report() -> Report {
    Report {
        accounts: None,
        measurements: Vec::new(),
        licenses: Vec::new(),
        people: None,
        omissions: Vec::new(),
        notes: Vec::new(),
    }
}

/// All accounts as counted, without looking at any: what matters to most test plugins is the pass.
pub fn count_all(page_size: u32) -> Result<AccountCounts, Refusal> {
    let mut total = 0;
    let mut cursor = None;
    loop {
        let page = accounts::next_page(cursor, page_size)?;
        total += page.states.len() as u64;
        cursor = page.next;
        if cursor.is_none() {
            return Ok(counts(total, application_link::current_settings()?.counting));
        }
    }
}

/// Counts in which every account is counted.
pub fn counts(total: u64, counting: CountingRule) -> AccountCounts {
    AccountCounts {
        total,
        counted: total,
        deactivated: 0,
        no_access: 0,
        never_signed_in: 0,
        service_accounts: 0,
        dormant: 0,
        counting,
    }
}

/// A refusal in one line.
pub fn words(refusal: Refusal) -> String {
    match refusal {
        Refusal::NotGranted => "not granted".to_owned(),
        Refusal::Unavailable(reason) => format!("unavailable: {reason}"),
        Refusal::Quota(quota) => format!("quota: {quota}"),
        Refusal::Invalid(rule) => format!("invalid: {rule}"),
    }
}
