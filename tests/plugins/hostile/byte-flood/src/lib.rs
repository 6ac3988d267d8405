//! Logs few lines, each of a mebibyte, and says what the host answers when it then wants to report.

use contract::{application_link, journal};

struct Flood;

impl contract::Guest for Flood {
    fn run(_: contract::Occasion) -> Result<(), String> {
        let line = "x".repeat(1 << 20);
        for _ in 0..16 {
            journal::log(journal::Level::Info, &line);
        }
        let report = contract::Report { notes: vec![line], ..contract::empty_report() };
        application_link::submit(&report).map_err(contract::words)
    }
}

contract::export!(Flood);
