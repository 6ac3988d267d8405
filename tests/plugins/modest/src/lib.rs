//! An honest plugin that asks for nothing but the link: its report holds one note.

struct Modest;

impl contract::Guest for Modest {
    fn run(_: contract::Occasion) -> Result<(), String> {
        let notes = vec!["nothing was read".to_owned()];
        contract::application_link::submit(&contract::Report { notes, ..contract::empty_report() })
            .map_err(contract::words)
    }
}

contract::export!(Modest);
