//! What concerns are called.

use seatline_ui::Tone;

use crate::domain::Gravity;
pub use crate::domain::assessment::words::{concern, kind};

/// The tone of a gravity.
pub fn tone(gravity: Option<Gravity>) -> Tone {
    match gravity {
        None => Tone::Good,
        Some(Gravity::Note) => Tone::Info,
        Some(Gravity::Warning) => Tone::Warning,
        Some(Gravity::Problem) => Tone::Danger,
    }
}

/// A gravity, as a filter says it: with the graver ones in it.
pub fn gravity(least: Gravity) -> &'static str {
    match least {
        Gravity::Note => "With anything to note",
        Gravity::Warning => "Needs attention",
        Gravity::Problem => "Problems alone",
    }
}
