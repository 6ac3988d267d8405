//! Asks the same question until it is refused, and fails with the host's words; once more after that, for the refusal
//! must stay a value.

struct Flood;

impl contract::Guest for Flood {
    fn run(_: contract::Occasion) -> Result<(), String> {
        loop {
            if contract::product::describe().is_err() {
                return contract::product::describe().map(drop).map_err(contract::words);
            }
        }
    }
}

contract::export!(Flood);
