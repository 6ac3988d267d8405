//! The standing: a table of cases, what administrators read, and what holds for any licenses at any time.

mod answers;
mod cases;
mod counts;
mod given;
mod messages;
mod nodes;
mod previews;
mod properties;
