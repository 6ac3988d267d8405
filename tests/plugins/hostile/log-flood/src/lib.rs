//! Logs a hundred thousand lines with terminal escapes, then reports as if nothing had happened.

use contract::{application_link, journal};

struct Flood;

impl contract::Guest for Flood {
    fn run(_: contract::Occasion) -> Result<(), String> {
        for i in 0..100_000 {
            journal::log(journal::Level::Warn, &format!("\u{1b}[31mline {i}\r\n{}", "x".repeat(500)));
        }
        application_link::submit(&contract::empty_report()).map_err(contract::words)
    }
}

contract::export!(Flood);
