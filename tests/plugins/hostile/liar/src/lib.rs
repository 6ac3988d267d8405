//! Submits reports that are not true or break a rule, one after the other, and logs what the host says to each.

use contract::{
    AccountCounts, CountingRule, Measurement, Omission, Refusal, Report, application_link, journal, licensing, usage,
};

struct Liar;

impl contract::Guest for Liar {
    fn run(_: contract::Occasion) -> Result<(), String> {
        let honest = || contract::counts(1, CountingRule::Account);
        tell("before any pass", with_accounts(honest()));
        tell("licenses unseen", Report { licenses: vec![license()], ..contract::empty_report() });

        let seen = contract::count_all(8192).map_err(contract::words)?;
        tell("one too many", with_accounts(AccountCounts { total: seen.total + 1, counted: seen.total + 1, ..seen }));
        tell("classes short", with_accounts(AccountCounts { counted: seen.total - 1, ..seen }));
        tell("classes overflow", with_accounts(AccountCounts { deactivated: u64::MAX, ..seen }));
        tell("dormant beyond counted", with_accounts(AccountCounts { dormant: seen.total + 1, ..seen }));
        tell("another rule", with_accounts(AccountCounts { counting: CountingRule::FirstSignIn, ..seen }));
        tell("never signed in", with_accounts(AccountCounts { counted: seen.total - 1, never_signed_in: 1, ..seen }));

        let mut licenses = licensing::licenses().map_err(contract::words)?;
        licenses[0].licensee.push('!');
        tell("an altered license", Report { licenses: licenses.clone(), ..contract::empty_report() });
        tell("a license too few", Report { licenses: licenses[1..].to_vec(), ..contract::empty_report() });

        let measured = |dimension: &str| Measurement { dimension: dimension.to_owned(), value: Ok(1) };
        tell("users measured", with_measurements(vec![measured("users")]));
        tell("a bad name", with_measurements(vec![measured("Lines of Code")]));
        tell("measured twice", with_measurements(vec![measured("lines"), measured("lines")]));
        let many = (0..65).map(|i| measured(&format!("d{i}"))).collect();
        tell("too many measurements", with_measurements(many));
        usage::measure().map_err(contract::words)?;

        let sketched = |bytes: Vec<u8>, accounts| Report { people: Some(bytes), accounts, ..contract::empty_report() };
        tell("free bytes", sketched(b"the names of all your users".to_vec(), Some(seen)));
        tell("a giant sketch", sketched(vec![0; 65_537], Some(seen)));
        tell("a sketch of nobody", sketched(vec![1, 3, 3, 0, 0, 30, 0, 0], None));

        tell("a long note", Report { notes: vec!["x".repeat(201)], ..contract::empty_report() });
        tell("many notes", Report { notes: vec![String::new(); 17], ..contract::empty_report() });
        let omission = Omission { subject: "x".repeat(65), reason: String::new() };
        tell("a long subject", Report { omissions: vec![omission], ..contract::empty_report() });

        // What is left is honest, with a note that is cleaned and not refused.
        let notes = vec!["one\r\n\u{1b}[31mline".to_owned()];
        application_link::submit(&Report { notes, ..with_accounts(seen) }).map_err(contract::words)
    }
}

fn with_accounts(accounts: AccountCounts) -> Report {
    Report { accounts: Some(accounts), ..contract::empty_report() }
}

fn with_measurements(measurements: Vec<Measurement>) -> Report {
    Report { measurements, ..contract::empty_report() }
}

/// A license that nobody issued.
fn license() -> contract::License {
    contract::License {
        id: "forged".to_owned(),
        product: "acme-wiki".to_owned(),
        add_on_of: None,
        edition: None,
        kind: contract::seatline::license_visibility::types::LicenseKind::Commercial,
        licensee: "Example".to_owned(),
        limits: Vec::new(),
        features: Vec::new(),
        expires: None,
        maintenance_until: None,
        status: contract::seatline::license_visibility::types::LicenseStatus::Active,
        reason: None,
    }
}

fn tell(lie: &str, report: Report) {
    let answer = match application_link::submit(&report) {
        Ok(()) => "taken".to_owned(),
        Err(Refusal::Invalid(rule)) => rule,
        Err(other) => contract::words(other),
    };
    journal::log(journal::Level::Debug, &format!("{lie}: {answer}"));
}

contract::export!(Liar);
