//! Submits until the host has had enough, and fails with the host's words. The first report is accepted on the occasion
//! `demand`; on the others every report breaks a rule.

use contract::{Refusal, Trigger, application_link};

struct Flood;

impl contract::Guest for Flood {
    fn run(occasion: contract::Occasion) -> Result<(), String> {
        let mut report = contract::empty_report();
        if occasion.trigger != Trigger::Demand {
            report.accounts = Some(contract::counts(1, contract::CountingRule::Account));
        }
        loop {
            if let Err(Refusal::Quota(quota)) = application_link::submit(&report) {
                return Err(quota);
            }
        }
    }
}

contract::export!(Flood);
