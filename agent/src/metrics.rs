//! The metrics of the agent (`g6`): what its licenses, counts and exchanges come to, for whoever watches many products.
//!
//! They are of the moment in which they are asked for, and come from the same standing as every page and answer.
//! Nothing is kept for them but what the host counts anyway, so a license that is gone is gone from the metrics too.
//! Where the state cannot be read, what is known from before is told, and `seatline_state_readable` is 0.

mod facts;
mod families;

pub use facts::Facts;
pub use families::page;
