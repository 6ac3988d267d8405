//! Counts the accounts of a product by class.

wit_bindgen::generate!({ path: "wit/v1", world: "license-visibility" });

use exports::seatline::license_visibility::reporter::{Guest, Occasion};
use seatline::license_visibility::types::{AccountCounts, CountingRule, Refusal, Report};
use seatline::license_visibility::{accounts, application_link};

struct Plugin;

impl Guest for Plugin {
    fn run(_: Occasion) -> Result<(), String> {
        let settings = application_link::current_settings().map_err(words)?;
        let report = Report {
            accounts: Some(count(settings.counting).map_err(words)?),
            measurements: Vec::new(),
            licenses: Vec::new(),
            people: None,
            omissions: Vec::new(),
            notes: vec!["Who is dormant was not looked at.".to_owned()],
        };
        application_link::submit(&report).map_err(words)
    }
}

/// One complete pass over the accounts, page by page. The class is the first that applies, as the contract says.
fn count(counting: CountingRule) -> Result<AccountCounts, Refusal> {
    let mut counts = AccountCounts {
        total: 0,
        counted: 0,
        deactivated: 0,
        no_access: 0,
        never_signed_in: 0,
        service_accounts: 0,
        dormant: 0,
        counting,
    };
    let mut cursor = None;
    loop {
        let page = accounts::next_page(cursor, 8_192)?;
        for state in page.states {
            let [active, licensed_access, has_signed_in, service_account] = [1, 2, 4, 8].map(|bit| state & bit != 0);
            let class = if service_account {
                &mut counts.service_accounts
            } else if !active {
                &mut counts.deactivated
            } else if !licensed_access {
                &mut counts.no_access
            } else if !has_signed_in && counting == CountingRule::FirstSignIn {
                &mut counts.never_signed_in
            } else {
                &mut counts.counted
            };
            *class += 1;
            counts.total += 1;
        }
        cursor = page.next;
        if cursor.is_none() {
            return Ok(counts);
        }
    }
}

/// The error of a run is one line for the administrator.
fn words(refusal: Refusal) -> String {
    match refusal {
        Refusal::NotGranted => "not granted".to_owned(),
        Refusal::Unavailable(reason) | Refusal::Quota(reason) | Refusal::Invalid(reason) => reason,
    }
}

export!(Plugin);
