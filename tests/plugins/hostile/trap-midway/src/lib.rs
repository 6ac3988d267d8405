//! Traps after its report was taken.

struct Trapping;

impl contract::Guest for Trapping {
    fn run(_: contract::Occasion) -> Result<(), String> {
        contract::application_link::submit(&contract::empty_report()).map_err(contract::words)?;
        panic!("in the middle")
    }
}

contract::export!(Trapping);
