//! An application link: the key of one instance of a product, what it may do, and how its chain stands.

use jiff::Timestamp;
use seatline_protocol::chain::ChainState;
use seatline_protocol::report::ProductFacts;
use seatline_protocol::{Counting, KeyId, LinkId, PublicKey, Sequence, Settings};
use serde::{Deserialize, Serialize};

use super::ids::ApplicationId;
use super::quota::{Bound, DEFAULT_DAILY_MIB, MAX_DAILY_MIB, Met};

/// A link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Link {
    /// Its id, which the reports name.
    pub id: LinkId,
    /// The application that it belongs to. A pending link has none.
    pub application: Option<ApplicationId>,
    /// The key that the product made for this link alone.
    pub key: PublicKey,
    /// What it may do.
    pub state: LinkState,
    /// The product as it presented itself when it joined.
    pub product: ProductFacts,
    /// When the product joined.
    pub created_at: Timestamp,
    /// When it was approved.
    pub approved_at: Option<Timestamp>,
    /// What the product is told to do.
    pub settings: LinkSettings,
    /// How its reports follow one another (`b1`).
    pub chain: Chain,
    /// The bounds of what it may take that its product has met last.
    pub met: Vec<Met>,
}

/// What a link may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LinkState {
    /// An administrator has to compare fingerprints and approve it. Its reports are not taken yet.
    Pending,
    /// Its reports are taken.
    Approved,
    /// An administrator has stopped it. Its reports are refused, what is stored stays.
    Suspended,
}

impl LinkState {
    /// All states, in the order in which lists show them: what waits for a decision first.
    pub const IN_ORDER: [Self; 3] = [Self::Pending, Self::Suspended, Self::Approved];

    /// The name in documents and in the store.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Suspended => "suspended",
        }
    }

    /// The state of a name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::IN_ORDER.into_iter().find(|state| state.name() == name)
    }
}

/// The settings of a link, see [`Settings`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct LinkSettings {
    /// Counts up with every change, from 1 on.
    pub revision: u64,
    /// When they were changed last.
    pub changed_at: Timestamp,
    /// The synchronisation interval, in seconds.
    pub interval: u32,
    /// After how many days without a sign-in a counted account is dormant.
    pub dormancy_days: u32,
    /// How accounts are counted where the license does not say.
    pub counting: Counting,
    /// The latest wish for a count at once (`w6`).
    pub demand: Option<Demand>,
    /// The key that the product was asked to replace last. It asks for nothing once the link has another key.
    pub replace_key: Option<KeyId>,
    /// How much the link may bring within a day, in MiB. The product is not told.
    pub daily_mib: u32,
}

/// That somebody wants a count at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Demand {
    /// Since when.
    pub at: Timestamp,
    /// When a report came that answers it.
    pub answered_at: Option<Timestamp>,
}

impl LinkSettings {
    /// The settings of a new link.
    pub fn initial(now: Timestamp) -> Self {
        Self {
            revision: 1,
            changed_at: now,
            interval: Settings::DEFAULT_INTERVAL,
            dormancy_days: Settings::DEFAULT_DORMANCY_DAYS,
            counting: Counting::default(),
            demand: None,
            replace_key: None,
            daily_mib: DEFAULT_DAILY_MIB,
        }
    }

    /// The document that the product is sent.
    pub fn document(&self, link: &LinkId) -> Settings {
        Settings {
            link: link.clone(),
            revision: self.revision,
            issued_at: self.changed_at,
            interval: self.interval,
            dormancy_days: self.dormancy_days,
            counting: self.counting,
            demanded_at: self.demand.map(|demand| demand.at),
            replace_key: self.replace_key.clone(),
            takes_repeats: true,
        }
    }

    /// The settings with a wish for a count at once.
    pub fn demanding(&self, now: Timestamp) -> Self {
        let demand = Some(Demand { at: now, answered_at: None });
        Self { demand, revision: self.revision + 1, changed_at: now, ..self.clone() }
    }

    /// The settings with a wish for another key than this one; the same settings where that is wished for already.
    pub fn replacing(&self, key: KeyId, now: Timestamp) -> Self {
        if self.replace_key.as_ref() == Some(&key) {
            return self.clone();
        }
        Self { replace_key: Some(key), revision: self.revision + 1, changed_at: now, ..self.clone() }
    }

    /// Whether a count is wanted at once that has not come.
    pub fn is_demanded(&self) -> bool {
        self.demand.is_some_and(|demand| demand.answered_at.is_none())
    }
}

/// A change of a link's settings (`w4`). What is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettingsChange {
    /// The synchronisation interval, in seconds; in JSON also as a text, such as `90m`.
    #[serde(default, deserialize_with = "super::interval::read")]
    pub interval: Option<u32>,
    /// The dormancy days.
    #[serde(default)]
    pub dormancy_days: Option<u32>,
    /// The counting rule.
    #[serde(default)]
    pub counting: Option<Counting>,
    /// How much the link may bring within a day, in MiB.
    #[serde(default)]
    pub daily_mib: Option<u32>,
}

impl SettingsChange {
    /// Whether a link may be given so much.
    ///
    /// # Errors
    /// The rule, in one line.
    pub fn check_daily_mib(daily_mib: u32) -> Result<(), String> {
        match (1..=MAX_DAILY_MIB).contains(&daily_mib) {
            true => Ok(()),
            false => Err(format!("a link may bring 1 to {MAX_DAILY_MIB} MiB within a day")),
        }
    }

    /// `settings` with this change, and a revision more; the same settings where it changes nothing.
    pub fn apply(&self, settings: &LinkSettings, now: Timestamp) -> LinkSettings {
        let mut changed = LinkSettings {
            interval: self.interval.unwrap_or(settings.interval),
            dormancy_days: self.dormancy_days.unwrap_or(settings.dormancy_days),
            counting: self.counting.unwrap_or(settings.counting),
            daily_mib: self.daily_mib.unwrap_or(settings.daily_mib),
            ..settings.clone()
        };
        if changed != *settings {
            changed.revision += 1;
            changed.changed_at = now;
        }
        changed
    }
}

impl Link {
    /// What is left of the bounds that were met once `settings` hold: what is more than the link could bring may be
    /// less now.
    pub fn met_under(&self, settings: &LinkSettings) -> Vec<Met> {
        let is_other = settings.daily_mib != self.settings.daily_mib;
        self.met.iter().filter(|met| !is_other || met.bound != Bound::OverQuota).cloned().collect()
    }
}

/// How the stored reports of a link follow one another (`b1`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Chain {
    /// The greatest sequence number that is stored; absent before the first report.
    pub head: Option<Sequence>,
    /// How many reports are stored.
    pub stored: u64,
    /// The missing stretches, the newest first, at most [`MAX_GAPS_SHOWN`].
    pub gaps: Vec<Gap>,
    /// How many sealed reports were refused because another report has their place, or they follow another one:
    /// two live copies of one instance, or one that was restored from a backup. The same one is counted once a minute
    /// at most.
    pub forks: u64,
    /// When such a report last came.
    pub forked_at: Option<Timestamp>,
}

/// The most gaps of a chain that are shown.
pub const MAX_GAPS_SHOWN: u32 = 32;

impl Chain {
    /// How many reports are missing below the head.
    pub fn missing(&self) -> u64 {
        self.head.map_or(0, |head| head.get().saturating_sub(self.stored))
    }

    /// The chain in a word. `conflict_at` is when the first of the refused reports came that are kept, and `last_at`
    /// when the newest report of the chain did.
    pub fn state(&self, conflict_at: Option<Timestamp>, last_at: Option<Timestamp>) -> ChainState {
        // A second wish for another key is a fork without a report.
        let conflict_at = conflict_at.or(self.forked_at).filter(|_| self.forks > 0);
        ChainState::of(self.missing(), conflict_at, last_at)
    }

    /// Whether every report from the first to the head is stored, and no other claimed a place.
    pub fn is_whole(&self) -> bool {
        self.missing() == 0 && self.forks == 0
    }
}

/// A stretch of missing reports, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Gap {
    /// The first missing one.
    pub from: Sequence,
    /// The last missing one.
    pub to: Sequence,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_that_changes_nothing_makes_no_revision() {
        let (then, now) = (Timestamp::UNIX_EPOCH, Timestamp::from_second(60).expect("in range"));
        let settings = LinkSettings::initial(then);
        assert_eq!(SettingsChange::default().apply(&settings, now), settings);
        let changed = SettingsChange { interval: Some(60), ..Default::default() }.apply(&settings, now);
        assert_eq!((changed.revision, changed.interval, changed.changed_at), (2, 60, now));
        assert_eq!(changed.dormancy_days, settings.dormancy_days);
    }

    #[test]
    fn a_link_may_bring_something_within_a_day_and_a_tebibyte_at_the_most() {
        for (mib, is_taken) in [(0, false), (1, true), (MAX_DAILY_MIB, true), (MAX_DAILY_MIB + 1, false)] {
            assert_eq!(SettingsChange::check_daily_mib(mib).is_ok(), is_taken, "{mib}");
        }
    }
}
