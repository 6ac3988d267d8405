//! Gives the host a note of eight mebibytes.

struct Giant;

impl contract::Guest for Giant {
    fn run(_: contract::Occasion) -> Result<(), String> {
        let report = contract::Report { notes: vec!["x".repeat(8 << 20)], ..contract::empty_report() };
        contract::application_link::submit(&report).map_err(contract::words)
    }
}

contract::export!(Giant);
