//! Submits a report, then fails with a reason that is made to disturb the terminal of who reads it.

struct Failing;

impl contract::Guest for Failing {
    fn run(_: contract::Occasion) -> Result<(), String> {
        contract::application_link::submit(&contract::empty_report()).map_err(contract::words)?;
        Err(format!("\u{1b}[2Jno\r\nway \u{202e}{}", "x".repeat(1000)))
    }
}

contract::export!(Failing);
