//! Accounts on their way from the thread that reads them to the one that wants them.

use seatline_host::ports::{Account, LastSeen};

use super::{Pass, SourceError};

/// How many accounts are sent at once.
const MOST_ACCOUNTS: usize = 4096;
/// The bytes of identities after which a batch is full, however few they are.
const MOST_BYTES: usize = 256 * 1024;

/// Accounts in the order in which they were read, and perhaps a row behind them that could not be understood.
#[derive(Debug, Default)]
pub struct Batch {
    /// One identity behind the other.
    identities: String,
    accounts: Vec<Facts>,
    problem: Option<SourceError>,
}

/// An account without its identity.
#[derive(Debug)]
struct Facts {
    /// Where its identity ends; it begins where the one before ends.
    end: usize,
    active: bool,
    licensed_access: bool,
    service_account: bool,
    last_seen: LastSeen,
}

impl Batch {
    /// Adds what became of a row.
    pub fn push(&mut self, account: Result<Account<'_>, SourceError>) {
        match account {
            Ok(Account { identity, active, licensed_access, last_seen, service_account }) => {
                self.identities.push_str(identity);
                let end = self.identities.len();
                self.accounts.push(Facts { end, active, licensed_access, service_account, last_seen });
            }
            Err(problem) => self.problem = Some(problem),
        }
    }

    /// Whether it must be sent before another row is added.
    pub fn is_full(&self) -> bool {
        self.accounts.len() >= MOST_ACCOUNTS || self.identities.len() >= MOST_BYTES || self.problem.is_some()
    }

    /// How many rows it holds.
    pub fn rows(&self) -> u64 {
        (self.accounts.len() + usize::from(self.problem.is_some())) as u64
    }

    /// Gives it to `pass`.
    ///
    /// # Errors
    /// As [`Pass::take`].
    pub fn give(self, pass: &mut Pass<'_>) -> Result<(), SourceError> {
        let mut begin = 0;
        for Facts { end, active, licensed_access, service_account, last_seen } in self.accounts {
            let identity = self.identities.get(begin..end).unwrap_or_default();
            begin = end;
            pass.take(Ok(Account { identity, active, licensed_access, last_seen, service_account }))?;
        }
        self.problem.map_or(Ok(()), |problem| pass.take(Err(problem)))
    }
}
