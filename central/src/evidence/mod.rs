//! Evidence (`b12`): sealed reports of a period as a file, and its verification.
//!
//! | module | job |
//! |---|---|
//! | [`period`] | which reports: those that were observed in it |
//! | [`export()`] | writes the file, line by line as it is read from the store |
//! | [`stream`] | the file as the answer to a request |
//! | [`verify()`] | holds a file against its seals, with public keys alone |
//!
//! Neither holds more than one batch of reports at once, whatever the size of the file. Its form is
//! [`seatline_protocol::evidence`], told in `docs/evidence.md`.

pub mod export;
pub mod period;
pub mod stream;
pub mod verify;

pub use export::{ExportError, Exported, Selection, Sink, export};
pub use period::Period;
pub use verify::{Unreadable, Verdict, verify};
