//! What an administrator does: one file for each subject. The pages, the API and the command line call these functions, so
//! that a rule holds in all three.

pub mod applications;
pub mod links;
