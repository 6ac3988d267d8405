//! What is in the way of the state, in the words of an administrator.

use seatline_host::store::StoreError;
use seatline_postgres::QueryError;
use seatline_postgres::trouble::reason;

/// What an error of a statement means for the state in `what`.
pub fn of_statement(error: &QueryError, what: &str) -> StoreError {
    StoreError::Unavailable { what: what.to_owned(), reason: reason(error, "node") }
}
