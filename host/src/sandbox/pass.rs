//! A pass over the product's accounts: from the product's thread, in pages of columns, to the plugin.
//!
//! The product pushes accounts, the plugin pulls pages. Between them stands a channel that holds one page, so that the
//! product reads ahead while the plugin counts, and a million accounts take the memory of three pages. Pseudonyms,
//! which cost most of all, and days are made on the plugin's side: the product's thread has enough to do with reading.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use jiff::civil::Date;

use super::contract::accounts::Page;
use super::errand::{self, Errands};
use crate::ports::{Account, AccountSink, LastSeen, PortError, Product};
use crate::pseudonym::Pseudonyms;

/// The most accounts of a page, by the contract.
pub(crate) const MAX_PAGE: u32 = 65_536;

/// The bits of an account's state, by the contract.
mod state {
    pub(super) const ACTIVE: u8 = 1;
    pub(super) const LICENSED_ACCESS: u8 = 2;
    pub(super) const HAS_SIGNED_IN: u8 = 4;
    pub(super) const SERVICE_ACCOUNT: u8 = 8;
}

/// The bytes of identities after which a page is full, however few they are: long ones would take up the memory.
const FULL_BYTES: usize = 1024 * 1024;
/// The bytes of a usual identity.
const TYPICAL_BYTES: usize = 24;

/// What the product's thread sends.
enum Delivery {
    Page(Batch),
    LastPage(Batch),
    Failed(PortError),
}

/// Accounts as the product gave them, in columns: pseudonyms and days are still to be made of them.
struct Batch {
    /// One identity behind the other.
    identities: String,
    /// Where each of them ends.
    ends: Vec<usize>,
    states: Vec<u8>,
    last_seen: Vec<LastSeen>,
}

impl Batch {
    fn of(capacity: usize) -> Self {
        Self {
            identities: String::with_capacity((capacity * TYPICAL_BYTES).min(FULL_BYTES)),
            ends: Vec::with_capacity(capacity),
            states: Vec::with_capacity(capacity),
            last_seen: Vec::with_capacity(capacity),
        }
    }

    fn is_full(&self, size: usize) -> bool {
        self.states.len() >= size || self.identities.len() >= FULL_BYTES
    }

    fn push(&mut self, account: &Account<'_>) {
        self.identities.push_str(account.identity);
        self.ends.push(self.identities.len());
        self.states.push(state_of(account));
        self.last_seen.push(account.last_seen);
    }

    fn into_page(self, pseudonyms: &Pseudonyms) -> Page {
        let mut begin = 0;
        let identities = self.ends.iter().map(|end| self.identities.get(std::mem::replace(&mut begin, *end)..*end));
        let pseudonyms = identities.map(|identity| pseudonyms.of(identity.unwrap_or_default())).collect();
        let last_seen = self.last_seen.into_iter().map(day_of).collect();
        Page { pseudonyms, states: self.states, last_seen, next: None }
    }
}

/// A pass under way.
pub(crate) struct Pass {
    deliveries: Receiver<Delivery>,
    pseudonyms: Pseudonyms,
    /// What is left of the page that the product gave, because the plugin asked for less.
    rest: Page,
    /// Whether `rest` is the end.
    last: bool,
    /// The cursor that continues the pass.
    pub(crate) cursor: u64,
    /// The accounts that the plugin has been given.
    pub(crate) handed_out: u64,
}

/// Why a page could not be had, in one line. The pass is over.
pub(crate) struct Broken(pub(crate) String);

impl Pass {
    /// Begins a pass in pages of `size` accounts.
    ///
    /// # Errors
    /// When the product is still busy with too many earlier errands.
    pub(crate) fn begin(
        errands: &Errands,
        most_errands: usize,
        product: &Arc<dyn Product>,
        pseudonyms: &Pseudonyms,
        size: usize,
    ) -> Result<Self, Broken> {
        let (sender, deliveries) = sync_channel(1);
        let product = Arc::clone(product);
        let sink = PageSink { sender: sender.clone(), size, batch: Batch::of(size) };
        let read = move || read(&*product, sink);
        // The run may have ended meanwhile: then nobody wants to know.
        let tell = move |end| drop(sender.send(end));
        errands.begin(most_errands, read, tell).map_err(Broken)?;
        let pseudonyms = pseudonyms.clone();
        Ok(Self { deliveries, pseudonyms, rest: no_page(), last: false, cursor: 0, handed_out: 0 })
    }

    /// The next page, of at most `most` accounts. Waits for the product no longer than `patience`.
    ///
    /// # Errors
    /// When the product fails or takes too long.
    pub(crate) fn next(&mut self, most: usize, patience: Duration) -> Result<Page, Broken> {
        if self.rest.states.is_empty() && !self.last {
            (self.rest, self.last) = match self.deliveries.recv_timeout(patience) {
                Ok(Delivery::Page(batch)) => (batch.into_page(&self.pseudonyms), false),
                Ok(Delivery::LastPage(batch)) => (batch.into_page(&self.pseudonyms), true),
                Ok(Delivery::Failed(error)) => return Err(Broken(error.to_string())),
                Err(RecvTimeoutError::Timeout) => {
                    return Err(Broken("the product took too long to give its accounts".to_owned()));
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Broken("the product stopped giving its accounts".to_owned()));
                }
            };
        }
        let rest = if self.rest.states.len() > most { split_off(&mut self.rest, most) } else { no_page() };
        let mut page = std::mem::replace(&mut self.rest, rest);
        self.handed_out += page.states.len() as u64;
        if !(self.last && self.rest.states.is_empty()) {
            self.cursor += 1;
            page.next = Some(self.cursor);
        }
        Ok(page)
    }
}

fn no_page() -> Page {
    Page { pseudonyms: Vec::new(), states: Vec::new(), last_seen: Vec::new(), next: None }
}

/// Cuts `page` to its first `at` accounts, and gives the others.
fn split_off(page: &mut Page, at: usize) -> Page {
    Page {
        pseudonyms: page.pseudonyms.split_off(at),
        states: page.states.split_off(at),
        last_seen: page.last_seen.split_off(at),
        next: None,
    }
}

/// Reads all accounts of the product, and gives how it ended. Runs on the product's thread.
fn read(product: &dyn Product, mut sink: PageSink) -> Delivery {
    match errand::call("accounts", || product.accounts(&mut sink)) {
        Ok(()) => Delivery::LastPage(sink.batch),
        Err(error) => Delivery::Failed(error),
    }
}

/// Gathers the accounts that the product pushes.
struct PageSink {
    sender: SyncSender<Delivery>,
    size: usize,
    batch: Batch,
}

impl AccountSink for PageSink {
    fn push(&mut self, account: Account<'_>) -> Result<(), PortError> {
        if self.batch.is_full(self.size) {
            let full = std::mem::replace(&mut self.batch, Batch::of(self.size));
            self.sender.send(Delivery::Page(full)).map_err(|_| PortError::new("the run has ended"))?;
        }
        self.batch.push(&account);
        Ok(())
    }
}

/// The state bits. An account whose last sign-in is not known is taken to have signed in: nobody's seat is left out
/// because a product does not keep that date.
pub fn state_of(account: &Account<'_>) -> u8 {
    let bit = |set: bool, bit: u8| if set { bit } else { 0 };
    bit(account.active, state::ACTIVE)
        | bit(account.licensed_access, state::LICENSED_ACCESS)
        | bit(account.last_seen != LastSeen::Never, state::HAS_SIGNED_IN)
        | bit(account.service_account, state::SERVICE_ACCOUNT)
}

/// The day of the last sign-in; 0 for none, unknown, or a date before 1970, which no product can mean.
pub fn day_of(last_seen: LastSeen) -> u32 {
    match last_seen {
        LastSeen::Unknown | LastSeen::Never => 0,
        LastSeen::On(date) => day(date),
    }
}

/// Days since 1970-01-01.
pub fn day(date: Date) -> u32 {
    let epoch = const { jiff::civil::date(1970, 1, 1) };
    u32::try_from(date.duration_since(epoch).as_hours() / 24).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use seatline_protocol::pairing::Secret;

    use crate::ports::Description;

    #[test]
    fn a_day_is_counted_from_1970() {
        assert_eq!(day(date(1970, 1, 2)), 1);
        assert_eq!(day(date(2024, 2, 29)), 19_782);
        assert_eq!(day(date(1969, 12, 31)), 0);
        assert_eq!(day(Date::MIN), 0);
        assert_eq!(day_of(LastSeen::On(Date::MAX)), 2_932_896);
    }

    /// A product with as many accounts, which fails at the end if it is told so.
    struct Accounts {
        number: u32,
        end: Result<(), PortError>,
    }

    impl Product for Accounts {
        fn describe(&self) -> Result<Description, PortError> {
            Err(PortError::new("not asked"))
        }

        fn accounts(&self, sink: &mut dyn AccountSink) -> Result<(), PortError> {
            for i in 0..self.number {
                sink.push(Account {
                    identity: &format!("user{i}"),
                    active: true,
                    licensed_access: i % 2 == 0,
                    last_seen: LastSeen::Unknown,
                    service_account: false,
                })?;
            }
            self.end.clone()
        }
    }

    /// The sizes of all pages of a pass with pages of `size`, of which `most` are taken at a time; or how it broke.
    fn pages(number: u32, end: Result<(), PortError>, size: usize, most: usize) -> Result<Vec<usize>, String> {
        let product: Arc<dyn Product> = Arc::new(Accounts { number, end });
        let pseudonyms = Pseudonyms::new(&Secret::from_bytes([1; 32]));
        let begun = Pass::begin(&Errands::default(), 1, &product, &pseudonyms, size);
        let mut pass = begun.map_err(|broken| broken.0)?;
        let mut sizes = Vec::new();
        loop {
            let page = pass.next(most, Duration::from_secs(60)).map_err(|broken| broken.0)?;
            assert_eq!((page.pseudonyms.len(), page.last_seen.len()), (page.states.len(), page.states.len()));
            sizes.push(page.states.len());
            if page.next.is_none() {
                assert_eq!(pass.handed_out, u64::from(number));
                return Ok(sizes);
            }
        }
    }

    #[test]
    fn every_account_is_in_exactly_one_page() {
        assert_eq!(pages(0, Ok(()), 4, 4), Ok(vec![0]));
        assert_eq!(pages(4, Ok(()), 4, 4), Ok(vec![4]));
        assert_eq!(pages(9, Ok(()), 4, 4), Ok(vec![4, 4, 1]));
        assert_eq!(pages(9, Ok(()), 4, 3), Ok(vec![3, 1, 3, 1, 1]), "the plugin asks for less than the page has");
    }

    #[test]
    fn a_pass_that_fails_at_the_end_never_shows_a_last_page() {
        let end = Err(PortError::new("the database went away"));
        assert_eq!(pages(9, end, 4, 4), Err("the database went away".to_owned()));
    }

    #[test]
    fn an_unknown_last_sign_in_counts_as_one() {
        let account = Account {
            identity: "a",
            active: true,
            licensed_access: false,
            last_seen: LastSeen::Unknown,
            service_account: true,
        };
        assert_eq!(state_of(&account), 1 | 4 | 8);
        assert_eq!(state_of(&Account { last_seen: LastSeen::Never, ..account }), 1 | 8);
    }
}
