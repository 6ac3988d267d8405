//! What the history keeps of a report.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use seatline_protocol::report::{Measured, Outcome};
use seatline_protocol::standing::Status;
use seatline_protocol::{AccountCounts, Collected, Digest, Dimension, LicenseId, PseudonymKeyId};
use serde::{Deserialize, Serialize};

use crate::domain::report::without_counts;

/// What was counted: the accounts by class, and each dimension with its limit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The accounts by class.
    #[serde(default, rename = "a", skip_serializing_if = "Option::is_none")]
    pub classes: Option<Classes>,
    /// Each dimension that was counted or limited.
    #[serde(default, rename = "d", skip_serializing_if = "BTreeMap::is_empty")]
    pub dimensions: BTreeMap<Dimension, Use>,
}

/// The accounts by class, as an array of numbers in the history: total, counted, dormant, deactivated, no access, never
/// signed in, service accounts, dormancy days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(from = "[u64; 8]", into = "[u64; 8]")]
pub struct Classes {
    /// All accounts: the sum of the classes.
    pub total: u64,
    /// Seats, held against the limit of `users`.
    pub counted: u64,
    /// How many of `counted` have not signed in for `dormancy_days`.
    pub dormant: u64,
    /// Switched off.
    pub deactivated: u64,
    /// Active, without the right to use the product.
    pub no_access: u64,
    /// Never signed in, where the rule counts from the first sign-in.
    pub never_signed_in: u64,
    /// Accounts of machines.
    pub service_accounts: u64,
    /// The days after which an account was held to be dormant.
    pub dormancy_days: u64,
}

impl From<[u64; 8]> for Classes {
    fn from(numbers: [u64; 8]) -> Self {
        let [total, counted, dormant, deactivated, no_access, never_signed_in, service_accounts, dormancy_days] =
            numbers;
        Self { total, counted, dormant, deactivated, no_access, never_signed_in, service_accounts, dormancy_days }
    }
}

impl From<Classes> for [u64; 8] {
    fn from(classes: Classes) -> Self {
        let Classes {
            total,
            counted,
            dormant,
            deactivated,
            no_access,
            never_signed_in,
            service_accounts,
            dormancy_days,
        } = classes;
        [total, counted, dormant, deactivated, no_access, never_signed_in, service_accounts, dormancy_days]
    }
}

impl Classes {
    /// The accounts by class, by the name of the class. They add up to `total`; the dormant are some of the counted.
    pub fn named(&self) -> [(&'static str, u64); 7] {
        [
            ("counted", self.counted),
            ("dormant", self.dormant),
            ("never_signed_in", self.never_signed_in),
            ("no_access", self.no_access),
            ("deactivated", self.deactivated),
            ("service_accounts", self.service_accounts),
            ("total", self.total),
        ]
    }
}

impl From<&AccountCounts> for Classes {
    fn from(counts: &AccountCounts) -> Self {
        Self {
            total: counts.total,
            counted: counts.counted,
            dormant: counts.dormant,
            deactivated: counts.deactivated,
            no_access: counts.no_access,
            never_signed_in: counts.never_signed_in,
            service_accounts: counts.service_accounts,
            dormancy_days: counts.dormancy_days.into(),
        }
    }
}

/// How much of a dimension is used, and how much may be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Use {
    /// The count; absent where it could not be taken.
    #[serde(default, rename = "u", skip_serializing_if = "Option::is_none")]
    pub used: Option<u64>,
    /// The limit; absent where there is none.
    #[serde(default, rename = "m", skip_serializing_if = "Option::is_none")]
    pub max: Option<u64>,
}

impl Facts {
    /// What was counted in a run; none where it gave no counts.
    pub fn of(outcome: &Outcome) -> Option<Self> {
        let Outcome::Collected(collected) = outcome else { return None };
        if without_counts(outcome).is_some() {
            return None;
        }
        let mut dimensions: BTreeMap<Dimension, Use> = BTreeMap::new();
        if let Some(accounts) = &collected.accounts {
            dimensions.entry(Dimension::users()).or_default().used = Some(accounts.counted);
        }
        for measurement in &collected.measurements {
            if let Measured::Value(count) = measurement.value {
                dimensions.entry(measurement.dimension.clone()).or_default().used = Some(count);
            }
        }
        for limit in collected.standing.iter().flat_map(|standing| &standing.limits) {
            let held = dimensions.entry(limit.dimension.clone()).or_default();
            held.used = held.used.or(limit.used);
            held.max = limit.max;
        }
        Some(Self { classes: collected.accounts.as_ref().map(Classes::from), dimensions })
    }
}

/// A license as the history keeps it: what tells whether it is another one than before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LicenseFacts {
    /// Its id.
    pub id: LicenseId,
    /// Its edition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edition: Option<String>,
    /// What it comes to.
    pub status: Status,
}

impl LicenseFacts {
    /// The licenses that were reported, by id; none where the plugin does not report them.
    fn of(collected: &Collected) -> Option<Vec<Self>> {
        let standing = collected.standing.as_ref()?;
        let fact = |license: &seatline_protocol::standing::LicenseStanding| Self {
            id: license.id.clone(),
            edition: license.edition.clone(),
            status: license.status,
        };
        let mut licenses: Vec<Self> = standing.licenses.iter().map(fact).collect();
        licenses.sort_by(|a, b| a.id.cmp(&b.id));
        Some(licenses)
    }
}

/// What is traced of a report: two texts that are compared with those of the report before, and its sketch of people.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trace {
    /// The [`Facts`] as JSON; none where the run gave no counts.
    pub counts: Option<String>,
    /// The [`LicenseFacts`] as JSON; none where none were reported.
    pub licenses: Option<String>,
}

impl Trace {
    /// What is traced of a run.
    ///
    /// # Errors
    /// Where a value cannot be written as JSON.
    pub fn of(outcome: &Outcome) -> serde_json::Result<Self> {
        let counts = Facts::of(outcome).map(|facts| serde_json::to_string(&facts)).transpose()?;
        let licenses = match outcome {
            Outcome::Collected(collected) => LicenseFacts::of(collected),
            Outcome::Failed(_) => None,
        };
        let licenses = licenses.map(|licenses| serde_json::to_string(&licenses)).transpose()?;
        Ok(Self { counts, licenses })
    }

    /// The mark of a report that says this, with its sketch of people, the key of that, and how many were counted.
    pub fn mark(&self, people: Option<(&[u8], Option<&PseudonymKeyId>, u64)>) -> Mark {
        let part = |text: &Option<String>| match text {
            Some(text) => Digest::of(text.as_bytes()).hex()[..16].to_owned(),
            None => NOTHING.to_owned(),
        };
        // A sketch is large, and nobody but its own product gains from one with the same hash: a quick one will do.
        let mut hasher = DefaultHasher::new();
        people.map(|(sketch, key, counted)| (sketch, key.map(PseudonymKeyId::as_str), counted)).hash(&mut hasher);
        Mark { counts: part(&self.counts), licenses: part(&self.licenses), people: format!("{:016x}", hasher.finish()) }
    }
}

/// What stands for all that is traced of a report, track by track: two reports with the same mark say the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// Of [`Trace::counts`].
    pub counts: String,
    /// Of [`Trace::licenses`].
    pub licenses: String,
    /// Of the sketch of people, with its key and their number.
    people: String,
}

/// What stands in a mark where nothing is traced.
const NOTHING: &str = "-";

impl Mark {
    /// Whether a report with this mark, which has counts, brings the people that the one with the mark `before` brought.
    /// Of one that had no counts, those that were known before it are known still, and not told by its mark.
    pub fn has_people_of(&self, before: &Self) -> bool {
        before.counts != NOTHING && self.people == before.people
    }

    /// The mark that is written so; none where its parts are not told apart, as in an early form of it.
    pub fn read(text: &str) -> Option<Self> {
        let mut parts = text.split('.').map(str::to_owned);
        Some(Self { counts: parts.next()?, licenses: parts.next()?, people: parts.next()? })
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.counts, self.licenses, self.people)
    }
}
