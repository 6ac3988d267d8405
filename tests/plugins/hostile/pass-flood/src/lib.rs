//! Begins one pass over the accounts after the other, and fails with the host's words when it is refused.

struct Flood;

impl contract::Guest for Flood {
    fn run(_: contract::Occasion) -> Result<(), String> {
        loop {
            contract::accounts::next_page(None, 1).map_err(contract::words)?;
        }
    }
}

contract::export!(Flood);
