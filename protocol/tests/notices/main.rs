//! Which notices are due (`s4`, `s5`, `s6`).

mod dates;
mod given;
mod limits;
mod properties;
