//! Reads everything that the contract gives, and reports what it was given. Whatever is refused becomes an omission.

use contract::{
    Guest, Occasion, Omission, Refusal, Report, accounts, application_link, journal, licensing, product, usage,
};

struct Honest;

impl Guest for Honest {
    fn run(occasion: Occasion) -> Result<(), String> {
        let mut omissions = Vec::new();
        let settings = application_link::current_settings().map_err(contract::words)?;
        let described = or_omit("product", product::describe(), &mut omissions);
        let accounts = or_omit("accounts", count(settings.counting), &mut omissions);
        let measurements = or_omit("usage", usage::measure(), &mut omissions).unwrap_or_default();
        let licenses = or_omit("licensing", licensing::licenses(), &mut omissions).unwrap_or_default();
        let name = described.map_or("an unknown product".to_owned(), |product| product.name);
        journal::log(journal::Level::Info, &format!("counted {name} on day {}", occasion.today));
        application_link::submit(&Report {
            accounts,
            measurements,
            licenses,
            people: None,
            omissions,
            notes: Vec::new(),
        })
        .map_err(contract::words)
    }
}

/// Counts by the order of classes that the contract gives. Dormancy is left to the stock plugin.
fn count(counting: contract::CountingRule) -> Result<contract::AccountCounts, Refusal> {
    let mut counts = contract::counts(0, counting);
    let mut cursor = None;
    loop {
        let page = accounts::next_page(cursor, 8192)?;
        for state in page.states {
            counts.total += 1;
            let class = match state {
                _ if state & 8 != 0 => &mut counts.service_accounts,
                _ if state & 1 == 0 => &mut counts.deactivated,
                _ if state & 2 == 0 => &mut counts.no_access,
                _ if state & 4 == 0 && counting == contract::CountingRule::FirstSignIn => &mut counts.never_signed_in,
                _ => &mut counts.counted,
            };
            *class += 1;
        }
        cursor = page.next;
        if cursor.is_none() {
            return Ok(counts);
        }
    }
}

fn or_omit<T>(subject: &str, answer: Result<T, Refusal>, omissions: &mut Vec<Omission>) -> Option<T> {
    answer
        .map_err(|refusal| omissions.push(Omission { subject: subject.to_owned(), reason: contract::words(refusal) }))
        .ok()
}

contract::export!(Honest);
