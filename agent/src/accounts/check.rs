//! Reading a source once to see how it is: what its accounts come to, and what is wrong with it, without any name.
//!
//! The classes are those of the stock plugin, by its own code; what is an account's state, and who is the same person,
//! is the host's. So what is shown here is what a report would say.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use license_visibility::tally::{Counts, Rule, Tally};
use seatline_host::host::{Host, HostError};
use seatline_host::ports::{Account, AccountSink, PortError};
use seatline_host::pseudonym::Pseudonyms;
use seatline_host::sandbox::{day, day_of, state_of};
use seatline_protocol::{Counting, Settings, text};

use super::{Pass, SourceError, read_in};
use crate::config::Accounts;

/// The most accounts that cannot be understood and are still left out, so that all of these are told at once.
pub const MAX_PROBLEMS: usize = 10;
/// How many accounts are counted at once, as the plugin does.
const PAGE: usize = 8192;

/// By which rules accounts fall into classes.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// What makes an account a counted user.
    pub counting: Counting,
    /// Days since 1970 of today.
    pub today: u32,
    /// After how many days without a sign-in a counted account is dormant.
    pub dormancy_days: u32,
}

impl Rules {
    /// The rules by which a run of `host` would count now.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn of(host: &Host) -> Result<Self, HostError> {
        let settings = host.link()?.and_then(|link| link.settings);
        let standing = host.standing()?;
        Ok(Self {
            counting: standing.counting.or(settings.as_ref().map(|settings| settings.counting)).unwrap_or_default(),
            today: day(host.now()?.to_zoned(TimeZone::UTC).date()),
            dormancy_days: settings.map_or(Settings::DEFAULT_DORMANCY_DAYS, |settings| settings.dormancy_days),
        })
    }

    /// The rules where no license and no central server sets others.
    pub fn usual(now: Timestamp) -> Self {
        Self {
            counting: Counting::default(),
            today: day(now.to_zoned(TimeZone::UTC).date()),
            dormancy_days: Settings::DEFAULT_DORMANCY_DAYS,
        }
    }
}

/// What reading came to.
#[derive(Debug)]
pub struct Checked {
    /// The classes of the accounts that could be understood; they add up to their number.
    pub counts: Counts,
    /// Accounts beyond the first that name the same person.
    pub duplicates: u64,
    /// Accounts whose identity is no mail address.
    pub without_mail: u64,
    /// Accounts whose identity has white space or control characters in it or around it.
    pub odd: u64,
    /// What is wrong, in the order in which it was met. Without any, the whole source was read.
    pub problems: Vec<SourceError>,
    /// How long it took.
    pub took: Duration,
}

/// Reads the accounts once, telling `progress` of each.
pub fn check(accounts: &Accounts, rules: Rules, progress: &dyn Fn()) -> Checked {
    let started = Instant::now();
    let rule = match rules.counting {
        Counting::Account => Rule::Account,
        Counting::FirstSignIn => Rule::FirstSignIn,
    };
    let mut counted = Counted {
        tally: Tally::new(rule, rules.today, rules.dormancy_days),
        // A key of this moment: nothing here can be compared with what is reported.
        pseudonyms: random_pseudonyms(),
        page: Page::default(),
        people: Vec::new(),
        without_mail: 0,
        odd: 0,
        progress,
    };
    let mut pass = Pass { sink: &mut counted, tolerated: Vec::new(), most: MAX_PROBLEMS };
    let read = read_in(accounts, &mut pass);
    let mut problems = pass.tolerated;
    problems.extend(read.err());
    counted.count_page();
    let Counted { tally, people, without_mail, odd, .. } = counted;
    Checked {
        counts: tally.counts(),
        duplicates: duplicates(people),
        without_mail,
        odd,
        problems,
        took: started.elapsed(),
    }
}

fn random_pseudonyms() -> Pseudonyms {
    let mut key = [0; 32];
    // Without randomness the key is known: what it makes is dropped at the end of the check anyway.
    let _ = getrandom::fill(&mut key);
    Pseudonyms::new(&seatline_protocol::pairing::Secret::from_bytes(key))
}

/// How many of `people` were there before.
fn duplicates(mut people: Vec<u64>) -> u64 {
    let all = people.len();
    people.sort_unstable();
    people.dedup();
    (all - people.len()) as u64
}

/// Columns of accounts that are not counted yet.
#[derive(Default)]
struct Page {
    pseudonyms: Vec<u64>,
    states: Vec<u8>,
    last_seen: Vec<u32>,
}

struct Counted<'p> {
    tally: Tally,
    pseudonyms: Pseudonyms,
    page: Page,
    people: Vec<u64>,
    without_mail: u64,
    odd: u64,
    progress: &'p dyn Fn(),
}

impl Counted<'_> {
    fn count_page(&mut self) {
        let Page { pseudonyms, states, last_seen } = std::mem::take(&mut self.page);
        // The columns are of one length, as each account is pushed to all of them.
        let _ = self.tally.add(&pseudonyms, &states, &last_seen);
        self.people.extend(pseudonyms);
    }
}

impl AccountSink for Counted<'_> {
    fn push(&mut self, account: Account<'_>) -> Result<(), PortError> {
        let identity = account.identity;
        self.without_mail += u64::from(!is_mail(identity));
        self.odd += u64::from(identity.chars().any(|c| c.is_whitespace() || text::is_unprintable(c)));
        self.page.pseudonyms.push(self.pseudonyms.of(identity));
        self.page.states.push(state_of(&account));
        self.page.last_seen.push(day_of(account.last_seen));
        if self.page.states.len() == PAGE {
            self.count_page();
        }
        (self.progress)();
        Ok(())
    }
}

/// Whether an identity looks like a mail address: people are known across products by these.
fn is_mail(identity: &str) -> bool {
    let (local, domain) = identity.trim().rsplit_once('@').unwrap_or_default();
    !local.is_empty() && domain.contains('.') && !domain.starts_with('.') && !domain.ends_with('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_address_is_told_from_a_login() {
        for mail in ["ann@example.org", " ann@example.org ", "\"a@b\"@x.y", "ann@bücher.example"] {
            assert!(is_mail(mail), "{mail}");
        }
        for login in ["ann", "ann@", "@example.org", "ann@localhost", "ann@.org", "DOMAIN\\ann", "7", ""] {
            assert!(!is_mail(login), "{login}");
        }
    }

    #[test]
    fn only_what_comes_again_is_a_duplicate() {
        assert_eq!(duplicates(vec![3, 1, 3, 2, 3, 1]), 3);
        assert_eq!(duplicates(Vec::new()), 0);
    }
}
