//! Counting: every account falls in exactly one class (`b7`), and the counted ones go into a sketch of people (`b9`).
//!
//! Whatever the size of the product, a tally holds sixteen counters and one sketch: an account costs one addition, and
//! a counted account a hash more. Nothing is allocated for an account.

use datasketches::theta::{ThetaSketch, ThetaSketchBuilder};

/// Bits of an account's state, as the contract names them.
pub mod state {
    /// It is switched on.
    pub const ACTIVE: u8 = 1;
    /// It may use the product.
    pub const LICENSED_ACCESS: u8 = 2;
    /// Somebody has signed in with it.
    pub const HAS_SIGNED_IN: u8 = 4;
    /// It belongs to a machine.
    pub const SERVICE_ACCOUNT: u8 = 8;
    /// The bits that have a meaning.
    pub const ALL: u8 = 15;
}

/// The states that the four bits can make.
const STATES: usize = state::ALL as usize + 1;

/// log2 of the hashes that an estimating sketch keeps: 4,096, for a standard error of 1.6 %.
///
/// A sketch is exact up to 15/16 of twice that, 7,680 people. Eight bytes each and a preamble of at most 24 bytes stay
/// within the 65,536 bytes of the contract; the next power of two would not.
const SKETCH_LG_K: u8 = 12;

/// How an account becomes a counted user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// When it is created.
    Account,
    /// When somebody signs in with it for the first time.
    FirstSignIn,
}

/// The class of an account: the first that applies, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// A machine's.
    ServiceAccount,
    /// Switched off.
    Deactivated,
    /// Active, without the right to use the product.
    NoAccess,
    /// May use the product, but nobody has; with [`Rule::FirstSignIn`] alone.
    NeverSignedIn,
    /// A seat.
    Counted,
}

impl Class {
    /// The class of an account in `state` under `rule`. Bits without a meaning are ignored.
    pub const fn of(account: u8, rule: Rule) -> Self {
        if account & state::SERVICE_ACCOUNT != 0 {
            Self::ServiceAccount
        } else if account & state::ACTIVE == 0 {
            Self::Deactivated
        } else if account & state::LICENSED_ACCESS == 0 {
            Self::NoAccess
        } else if account & state::HAS_SIGNED_IN == 0 && matches!(rule, Rule::FirstSignIn) {
            Self::NeverSignedIn
        } else {
            Self::Counted
        }
    }
}

/// What a tally comes to. The classes add up to `total`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// All accounts.
    pub total: u64,
    /// Seats.
    pub counted: u64,
    /// Switched off.
    pub deactivated: u64,
    /// Active, without the right to use the product.
    pub no_access: u64,
    /// May use the product, but nobody has signed in.
    pub never_signed_in: u64,
    /// Accounts of machines.
    pub service_accounts: u64,
    /// How many of `counted` were last seen too long ago, or never.
    pub dormant: u64,
    /// How many of `counted` are known to have signed in, but not when: they are not held to be dormant.
    pub last_seen_unknown: u64,
}

/// The hash by which a sketch knows `value`: MurmurHash3 (x64, 128 bits) of its eight bytes with DataSketches' default
/// seed, of which the upper 63 bits of the first half are used.
///
/// The sketch computes it too, and drops the value where the hash is not below its theta: of a million people all but
/// some ten thousand. Knowing it here spares the calls.
fn sketch_hash(value: u64) -> u64 {
    const SEED: u64 = 9_001;
    const LENGTH: u64 = 8;
    let mix = |mut hash: u64| {
        hash = (hash ^ hash >> 33).wrapping_mul(0xFF51_AFD7_ED55_8CCD);
        hash = (hash ^ hash >> 33).wrapping_mul(0xC4CE_B9FE_1A85_EC53);
        hash ^ hash >> 33
    };
    let block = value.wrapping_mul(0x87C3_7B91_1142_53D5).rotate_left(31).wrapping_mul(0x4CF5_AD43_2745_937F);
    let (first, second) = (SEED ^ block ^ LENGTH, SEED ^ LENGTH);
    let first = first.wrapping_add(second);
    mix(first).wrapping_add(mix(second.wrapping_add(first))) >> 1
}

/// Counts accounts as they come, in any order.
#[derive(Debug)]
pub struct Tally {
    /// How many accounts were in each state.
    states: [u64; STATES],
    /// Whether an account in a state is counted.
    is_counted: [bool; STATES],
    /// The first day that is recent enough.
    recent: u32,
    dormant: u64,
    last_seen_unknown: u64,
    rule: Rule,
    people: ThetaSketch,
}

/// The columns of a page of accounts differ in length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnevenColumns;

impl Tally {
    /// An empty tally under `rule`. An account that was last seen more than `dormancy_days` before `today` (both in
    /// days) is dormant.
    pub fn new(rule: Rule, today: u32, dormancy_days: u32) -> Self {
        let mut is_counted = [false; STATES];
        for (account, counted) in (0..=state::ALL).zip(&mut is_counted) {
            *counted = Class::of(account, rule) == Class::Counted;
        }
        let people = ThetaSketchBuilder::default().lg_k(SKETCH_LG_K).build();
        Self {
            states: [0; STATES],
            is_counted,
            // At least 1, so that the day 0, never, is always too long ago.
            recent: today.saturating_sub(dormancy_days).max(1),
            dormant: 0,
            last_seen_unknown: 0,
            rule,
            people: people.expect("the size and the default seed are valid"),
        }
    }

    /// Counts a page of accounts, given as the columns of the contract: pseudonyms, states, and the days of the last
    /// sign-in (0: not known, or none).
    ///
    /// # Errors
    /// When the columns differ in length; then nothing of the page is counted.
    pub fn add(&mut self, pseudonyms: &[u64], states: &[u8], last_seen: &[u32]) -> Result<(), UnevenColumns> {
        if pseudonyms.len() != states.len() || pseudonyms.len() != last_seen.len() {
            return Err(UnevenColumns);
        }
        // What the loop needs in variables of its own: they stay in registers, which fields would not. It has no branch
        // but the rare one into the sketch, because nobody can foretell the next account.
        let (mut dormant, mut unknown) = (0, 0);
        let (recent, mut theta) = (self.recent, self.people.theta64());
        for ((&pseudonym, &account), &day) in pseudonyms.iter().zip(states).zip(last_seen) {
            let index = usize::from(account & state::ALL);
            self.states[index] += 1;
            let is_counted = self.is_counted[index];
            let is_unknown = (day == 0) & (account & state::HAS_SIGNED_IN != 0);
            unknown += u64::from(is_counted & is_unknown);
            dormant += u64::from(is_counted & (day < recent) & !is_unknown);
            if (sketch_hash(pseudonym) < theta) & is_counted {
                self.people.update(pseudonym);
                theta = self.people.theta64();
            }
        }
        self.dormant += dormant;
        self.last_seen_unknown += unknown;
        Ok(())
    }

    /// The counts so far.
    pub fn counts(&self) -> Counts {
        let mut counts =
            Counts { dormant: self.dormant, last_seen_unknown: self.last_seen_unknown, ..Counts::default() };
        for (account, accounts) in (0..=state::ALL).zip(self.states) {
            let class = match Class::of(account, self.rule) {
                Class::ServiceAccount => &mut counts.service_accounts,
                Class::Deactivated => &mut counts.deactivated,
                Class::NoAccess => &mut counts.no_access,
                Class::NeverSignedIn => &mut counts.never_signed_in,
                Class::Counted => &mut counts.counted,
            };
            *class += accounts;
            counts.total += accounts;
        }
        counts
    }

    /// The counted people as a compact theta sketch, serial version 3, at most 65,536 bytes. The same people give the
    /// same bytes, in whatever order they came.
    pub fn people(mut self) -> Vec<u8> {
        if self.people.is_estimation_mode() {
            // What is kept beyond the nominal size depends on the order; the smallest 4,096 hashes do not.
            self.people.trim();
        }
        self.people.compact(true).serialize()
    }
}

#[cfg(test)]
mod tests {
    use datasketches::theta::CompactThetaSketch;
    use proptest::prelude::*;

    use super::*;

    const TODAY: u32 = 20_000;
    const ENABLED: u8 = state::ACTIVE | state::LICENSED_ACCESS;
    const USED: u8 = ENABLED | state::HAS_SIGNED_IN;

    type Accounts = Vec<(u64, u8, u32)>;

    fn tally(rule: Rule, pages: &[Accounts]) -> Tally {
        let mut tally = Tally::new(rule, TODAY, 90);
        for page in pages {
            let pseudonyms: Vec<_> = page.iter().map(|account| account.0).collect();
            let states: Vec<_> = page.iter().map(|account| account.1).collect();
            let days: Vec<_> = page.iter().map(|account| account.2).collect();
            tally.add(&pseudonyms, &states, &days).expect("columns of one length");
        }
        tally
    }

    fn counts(rule: Rule, accounts: &[(u8, u32)]) -> Counts {
        tally(rule, &[(1..).zip(accounts).map(|(who, &(account, day))| (who, account, day)).collect()]).counts()
    }

    #[test]
    fn b7_an_account_is_in_the_first_class_that_applies() {
        use Class::{Counted, Deactivated, NeverSignedIn, NoAccess, ServiceAccount};
        let cases = [
            (USED | state::SERVICE_ACCOUNT, ServiceAccount, ServiceAccount),
            (state::SERVICE_ACCOUNT, ServiceAccount, ServiceAccount),
            (state::LICENSED_ACCESS | state::HAS_SIGNED_IN, Deactivated, Deactivated),
            (0, Deactivated, Deactivated),
            (state::ACTIVE | state::HAS_SIGNED_IN, NoAccess, NoAccess),
            (state::ACTIVE, NoAccess, NoAccess),
            (ENABLED, Counted, NeverSignedIn),
            (USED, Counted, Counted),
            (USED | 0xF0, Counted, Counted),
        ];
        for (account, from_creation, from_first_sign_in) in cases {
            assert_eq!(Class::of(account, Rule::Account), from_creation, "{account:08b}");
            assert_eq!(Class::of(account, Rule::FirstSignIn), from_first_sign_in, "{account:08b}");
        }
    }

    #[test]
    fn c4_accounts_that_may_not_use_the_product_do_not_count() {
        let may_not = [(state::ACTIVE, TODAY), (state::LICENSED_ACCESS, TODAY), (USED | state::SERVICE_ACCOUNT, TODAY)];
        let counts = counts(Rule::Account, &may_not);
        assert_eq!((counts.counted, counts.total), (0, 3));
    }

    #[test]
    fn dormant_is_who_was_last_seen_before_the_dormancy_days_or_never() {
        let dormant = |account, day| counts(Rule::Account, &[(account, day)]).dormant == 1;
        assert!(!dormant(USED, TODAY - 90), "90 days ago is not more than 90 days ago");
        assert!(dormant(USED, TODAY - 91));
        assert!(dormant(ENABLED, 0), "never signed in");
        assert!(!dormant(USED, TODAY + 1), "a clock that is ahead");
        assert!(!dormant(0, TODAY - 91), "only a counted account holds a seat that could be freed");
    }

    #[test]
    fn an_account_whose_last_sign_in_is_not_known_is_not_called_dormant() {
        let counts = counts(Rule::Account, &[(USED, 0), (ENABLED, 0)]);
        assert_eq!((counts.last_seen_unknown, counts.dormant), (1, 1));
    }

    #[test]
    fn columns_of_different_lengths_are_refused_and_not_counted() {
        let mut tally = Tally::new(Rule::Account, TODAY, 90);
        assert_eq!(tally.add(&[1, 2], &[USED], &[TODAY]), Err(UnevenColumns));
        assert_eq!(tally.add(&[1], &[USED], &[]), Err(UnevenColumns));
        assert_eq!(tally.counts(), Counts::default());
    }

    #[test]
    fn a_sketch_is_exact_for_some_thousand_people_and_near_for_a_million() {
        for (people, error) in [(0, 0.0), (5_000, 0.0), (7_680, 0.0), (1_000_000, 0.05)] {
            let accounts = (0..people).map(|n| (n, USED, TODAY)).collect();
            let bytes = tally(Rule::Account, &[accounts]).people();
            assert!(bytes.len() <= 65_536, "{people} people take {} bytes", bytes.len());
            let sketch = CompactThetaSketch::deserialize(&bytes).expect("a sketch");
            let deviation = (sketch.estimate() - people as f64).abs();
            assert!(deviation <= error * people as f64, "{people} people are estimated as {}", sketch.estimate());
        }
    }

    #[test]
    fn a_person_is_in_the_sketch_once_and_only_if_counted() {
        let accounts =
            vec![(7, USED, TODAY), (7, USED, TODAY), (8, 0, TODAY), (9, USED | state::SERVICE_ACCOUNT, TODAY)];
        let bytes = tally(Rule::Account, &[accounts]).people();
        let sketch = CompactThetaSketch::deserialize(&bytes).expect("a sketch");
        assert_eq!(sketch.num_retained(), 1);
        assert_eq!(bytes[1], 3, "serial version 3");
    }

    fn rule() -> impl Strategy<Value = Rule> {
        prop_oneof![Just(Rule::Account), Just(Rule::FirstSignIn)]
    }

    fn account() -> impl Strategy<Value = (u64, u8, u32)> {
        (any::<u64>(), any::<u8>(), prop_oneof![Just(0), TODAY - 200..TODAY + 5, any::<u32>()])
    }

    proptest! {
        #[test]
        fn b7_the_classes_add_up_for_any_accounts(rule in rule(), accounts in prop::collection::vec(account(), 0..500)) {
            let all = accounts.len() as u64;
            let counts = tally(rule, &[accounts]).counts();
            let classes = counts.counted + counts.deactivated + counts.no_access + counts.never_signed_in;
            prop_assert_eq!(classes + counts.service_accounts, all);
            prop_assert_eq!(counts.total, all);
            prop_assert!(counts.dormant + counts.last_seen_unknown <= counts.counted);
            prop_assert!(rule == Rule::FirstSignIn || counts.never_signed_in == 0);
        }

        #[test]
        fn the_hash_is_the_one_that_a_sketch_keeps(value in any::<u64>()) {
            let mut sketch = ThetaSketchBuilder::default().build().expect("a sketch");
            sketch.update(value);
            prop_assert_eq!(sketch.iter().map(|entry| entry.hash()).collect::<Vec<_>>(), [sketch_hash(value)]);
        }

        #[test]
        fn the_order_and_the_cut_of_pages_do_not_matter(
            rule in rule(),
            pages in prop::collection::vec(prop::collection::vec(account(), 0..50), 0..20),
        ) {
            let whole = tally(rule, &[pages.concat()]);
            let reversed: Vec<Accounts> = pages.iter().rev().cloned().collect();
            let reversed = tally(rule, &reversed);
            prop_assert_eq!(whole.counts(), reversed.counts());
            prop_assert_eq!(whole.people(), reversed.people());
        }
    }

    #[test]
    fn the_order_does_not_matter_where_the_sketch_estimates() {
        let accounts: Accounts = (0..30_000).map(|n| (n, USED, TODAY)).collect();
        let backwards: Accounts = accounts.iter().rev().copied().collect();
        assert_eq!(tally(Rule::Account, &[accounts]).people(), tally(Rule::Account, &[backwards]).people());
    }
}
