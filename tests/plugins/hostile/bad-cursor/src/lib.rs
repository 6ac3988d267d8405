//! Asks for pages as the contract forbids, and logs what the host says to each. Ends with an honest count.

use contract::{accounts, application_link, journal};

struct Impatient;

impl contract::Guest for Impatient {
    fn run(_: contract::Occasion) -> Result<(), String> {
        ask("no accounts", None, 0);
        ask("too many accounts", None, 65_537);
        ask("a cursor before any pass", Some(1), 10);
        let first = accounts::next_page(None, 1).map_err(contract::words)?;
        ask("a cursor from nowhere", Some(u64::MAX), 10);
        let second = accounts::next_page(first.next, 1).map_err(contract::words)?;
        ask("the cursor before", first.next, 1);
        let third = accounts::next_page(second.next, 2).map_err(contract::words)?;
        journal::log(
            journal::Level::Debug,
            &format!("pages of {} {} {}", first.states.len(), second.states.len(), third.states.len()),
        );
        let accounts = Some(contract::count_all(65_536).map_err(contract::words)?);
        application_link::submit(&contract::Report { accounts, ..contract::empty_report() }).map_err(contract::words)
    }
}

fn ask(what: &str, cursor: Option<u64>, max: u32) {
    let answer = accounts::next_page(cursor, max).map_or_else(contract::words, |_| "given".to_owned());
    journal::log(journal::Level::Debug, &format!("{what}: {answer}"));
}

contract::export!(Impatient);
