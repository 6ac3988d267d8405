//! People of any number of applications: added batch by batch, in a memory that does not grow.

use std::collections::BTreeMap;

use datasketches::theta::CompactThetaSketch;
use jiff::Timestamp;
use seatline_protocol::PseudonymKeyId;
use serde::{Deserialize, Serialize};

use super::fold::Fold;
use super::{CONFIDENCE_PERCENT, Estimate, KeptSketch, MOST_IN_MATRIX, Overlap, Scope, Sketch, SketchTrouble, in_both};
use crate::domain::ApplicationId;
use crate::domain::pseudonyms::{NamedApplication, key_of};

/// The most pseudonym keys whose people are counted: the newest. Products turn to a new key with their next report.
pub const MOST_KEYS: usize = 8;
/// The most parts whose people are counted beside the whole: those that are met first. With the keys they take 10 MiB
/// at the most.
pub const MOST_PARTS: usize = 32;
/// The most other parts that are named, with their seats and without their people.
pub const MOST_OTHER_PARTS: usize = 200;
/// The most applications that are named for each reason why they are left out.
pub const MOST_NAMED: usize = 5;

/// An application of the set, as it is read.
#[derive(Debug, Clone)]
pub struct Member {
    /// Its id.
    pub id: ApplicationId,
    /// Its name.
    pub name: String,
    /// Its product.
    pub product: String,
    /// Its group; empty where it has none.
    pub group: String,
    /// Whether its report is overdue.
    pub is_overdue: bool,
    /// Its sketch, if it has one; none that can be read is an error.
    pub kept: Result<Option<KeptSketch>, SketchTrouble>,
}

/// The keys that pseudonyms may be of.
#[derive(Debug, Clone)]
pub struct Keys {
    /// The first key, which reports that name none may be of.
    pub first: PseudonymKeyId,
    /// When it was replaced, if ever.
    pub replaced_at: Option<Timestamp>,
    /// The newest, at most [`MOST_KEYS`] of them.
    pub newest: Vec<PseudonymKeyId>,
}

impl Keys {
    /// The first key, and when those that took its place were made, the newest first.
    pub fn new(first: PseudonymKeyId, made: &[(PseudonymKeyId, Timestamp)]) -> Self {
        let newest = made.iter().map(|(id, _)| id.clone()).chain([first.clone()]).take(MOST_KEYS).collect();
        Self { first, replaced_at: made.last().map(|(_, at)| *at), newest }
    }
}

/// What the parts are that are counted beside the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PartsBy {
    /// Products.
    Product,
    /// Groups: where one product alone is counted.
    Group,
}

/// People as they are added up.
#[derive(Debug)]
pub struct Tally {
    keys: Keys,
    parts_by: PartsBy,
    applications: u64,
    overdue: u64,
    oldest_at: Option<Timestamp>,
    of_keys: BTreeMap<PseudonymKeyId, Part>,
    /// Parts by key, for people of two keys are never put together, and by name.
    parts: BTreeMap<(PseudonymKeyId, String), Part>,
    /// What was met when there were as many parts as are counted.
    others: BTreeMap<String, OtherPart>,
    left_out: BTreeMap<SketchTrouble, LeftOut>,
}

/// A fold, and what was put into it.
#[derive(Debug)]
struct Part {
    fold: Fold,
    applications: u64,
    seats: u64,
}

/// People of a set of applications, counted once, as a count came to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = CountedPeople)]
pub struct Counted {
    /// How sure the bounds are, in per cent.
    pub confidence_percent: u8,
    /// The people, each once; none where no application has a sketch, and where their pseudonyms are of several keys.
    pub together: Option<Estimate>,
    /// The fewest people that there are together, of however many keys.
    pub at_least: Option<f64>,
    /// The most people that there are together.
    pub at_most: Option<f64>,
    /// The people of each key, the one that most applications have first.
    pub keys: Vec<CountOfKey>,
    /// The seats that they hold: the sum of what the applications count.
    pub seats: u64,
    /// The seats that are more than there are people: who uses several applications holds one in each.
    pub seats_above_people: Option<Estimate>,
    /// How many applications there are in the set.
    pub applications: u64,
    /// How many of them were counted.
    pub counted: u64,
    /// How many of all have not reported when they should have.
    pub overdue: u64,
    /// When the oldest sketch was made that was counted.
    pub oldest_at: Option<Timestamp>,
    /// Why others were left out.
    pub left_out: Vec<LeftOut>,
    /// What the parts are.
    pub parts_by: PartsBy,
    /// The parts whose people were counted, of the key that most applications have: the one with most applications
    /// first, at most [`MOST_PARTS`].
    pub parts: Vec<CountOfPart>,
    /// How many of the counted applications are in none of these parts.
    pub in_other_parts: u64,
    /// Where those are: the one with most applications first, at most [`MOST_OTHER_PARTS`]. Nothing in a count of an
    /// early version.
    #[serde(default)]
    pub other_parts: Vec<OtherPart>,
    /// Who is in both of any two of the first [`MOST_IN_MATRIX`] parts: their places in `parts`.
    pub overlaps: Vec<Overlap>,
}

/// The people whose pseudonyms are of one key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CountOfKey {
    /// The key.
    pub key: PseudonymKeyId,
    /// How many applications report with it.
    pub applications: u64,
    /// Their people, each once.
    pub together: Estimate,
}

/// The people of a part of the set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CountOfPart {
    /// The product or the group; empty for those without a group.
    pub name: String,
    /// How many applications of it were counted.
    pub applications: u64,
    /// The seats of its people.
    pub seats: u64,
    /// Its people, each once.
    pub people: Estimate,
}

/// A part whose people were not counted by themselves, or not all: as many others were met before, or some are of
/// another key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct OtherPart {
    /// The product or the group; empty for those without a group.
    pub name: String,
    /// How many applications of it are in the whole alone.
    pub applications: u64,
    /// Their seats.
    pub seats: u64,
}

/// Applications that are left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LeftOut {
    /// Why.
    pub why: SketchTrouble,
    /// How many.
    pub applications: u64,
    /// Some of them, at most [`MOST_NAMED`].
    pub named: Vec<NamedApplication>,
}

impl Tally {
    /// A tally of nothing yet, for a set whose pseudonyms may be of `keys`.
    pub fn new(scope: &Scope, keys: Keys) -> Self {
        Self {
            keys,
            parts_by: if scope.product.is_some() { PartsBy::Group } else { PartsBy::Product },
            applications: 0,
            overdue: 0,
            oldest_at: None,
            of_keys: BTreeMap::new(),
            parts: BTreeMap::new(),
            others: BTreeMap::new(),
            left_out: BTreeMap::new(),
        }
    }

    /// Adds an application.
    pub fn add(&mut self, member: Member) {
        self.applications += 1;
        self.overdue += u64::from(member.is_overdue);
        if let Err(why) = self.put(&member) {
            let left_out = self.left_out.entry(why).or_insert(LeftOut { why, applications: 0, named: Vec::new() });
            left_out.applications += 1;
            if left_out.named.len() < MOST_NAMED {
                left_out.named.push(NamedApplication { id: member.id, name: member.name });
            }
        }
    }

    fn put(&mut self, member: &Member) -> Result<(), SketchTrouble> {
        let kept = member.kept.as_ref().map_err(|why| *why)?.as_ref().ok_or(SketchTrouble::None)?;
        let key = key_of(kept.key.as_ref(), kept.linked_at, &self.keys.first, self.keys.replaced_at)
            .ok_or(SketchTrouble::UnknownKey)?;
        // A report may name any key: only what this server has made can cost memory.
        if !self.keys.newest.contains(&key) {
            return Err(SketchTrouble::OtherKey);
        }
        let sketch = Sketch::read(&kept.bytes, kept.counted)?;
        self.oldest_at = Some(self.oldest_at.map_or(kept.observed_at, |oldest| oldest.min(kept.observed_at)));
        let name = match self.parts_by {
            PartsBy::Product => &member.product,
            PartsBy::Group => &member.group,
        };
        let place = (key.clone(), name.clone());
        if self.parts.len() < MOST_PARTS || self.parts.contains_key(&place) {
            add_to(&mut self.parts, place, &sketch, kept.counted);
        } else if self.others.len() < MOST_OTHER_PARTS || self.others.contains_key(name) {
            OtherPart::add(&mut self.others, name, 1, kept.counted);
        }
        add_to(&mut self.of_keys, key, &sketch, kept.counted);
        Ok(())
    }

    /// What it comes to.
    pub fn counted(&self) -> Counted {
        let mut keys: Vec<CountOfKey> = self.of_keys.iter().map(CountOfKey::of).collect();
        keys.sort_by_key(|of| std::cmp::Reverse(of.applications));
        let together = if let [only] = keys.as_slice() { Some(only.together) } else { None };
        let seats = self.of_keys.values().fold(0, |seats: u64, part| seats.saturating_add(part.seats));
        let counted = self.of_keys.values().map(|part| part.applications).sum();
        let (parts, overlaps) = keys.first().map(|of| self.parts_of(&of.key)).unwrap_or_default();
        let other_parts = self.others_than(keys.first().map(|of| &of.key));
        Counted {
            confidence_percent: CONFIDENCE_PERCENT,
            together,
            at_least: keys.iter().map(|of| of.together.low).reduce(f64::max),
            at_most: keys.iter().map(|of| of.together.high).reduce(|sum, high| sum + high),
            keys,
            seats,
            seats_above_people: together.map(|people| people.taken_from(seats)),
            applications: self.applications,
            counted,
            overdue: self.overdue,
            oldest_at: self.oldest_at,
            left_out: self.left_out.values().cloned().collect(),
            parts_by: self.parts_by,
            in_other_parts: counted - parts.iter().map(|part| part.applications).sum::<u64>(),
            parts,
            other_parts,
            overlaps,
        }
    }

    /// Where the applications are that are in no part of this key.
    fn others_than(&self, key: Option<&PseudonymKeyId>) -> Vec<OtherPart> {
        let mut others = self.others.clone();
        for ((_, name), part) in self.parts.iter().filter(|((of, _), _)| Some(of) != key) {
            OtherPart::add(&mut others, name, part.applications, part.seats);
        }
        let mut others: Vec<OtherPart> = others.into_values().collect();
        others.sort_by_key(|other| std::cmp::Reverse(other.applications));
        others.truncate(MOST_OTHER_PARTS);
        others
    }

    /// The parts of a key, the one that most applications are in first, and who is in both of any two of the first.
    fn parts_of(&self, key: &PseudonymKeyId) -> (Vec<CountOfPart>, Vec<Overlap>) {
        let of_key = self.parts.iter().filter(|((of, _), _)| of == key);
        let mut parts: Vec<(&String, &Part)> = of_key.map(|((_, name), part)| (name, part)).collect();
        parts.sort_by_key(|(_, part)| std::cmp::Reverse(part.applications));
        let sketched = parts.iter().take(MOST_IN_MATRIX);
        let sketches: Vec<CompactThetaSketch> = sketched.map(|(_, part)| part.fold.sketch()).collect();
        let mut overlaps = Vec::new();
        for (one, first) in sketches.iter().enumerate() {
            for (other, second) in sketches.iter().enumerate().skip(one + 1) {
                overlaps.extend(in_both(first, second).map(|people| Overlap { one, other, people }));
            }
        }
        (parts.into_iter().map(|(name, part)| CountOfPart::of(name, part)).collect(), overlaps)
    }
}

fn add_to<K: Ord>(parts: &mut BTreeMap<K, Part>, place: K, sketch: &Sketch, seats: u64) {
    use std::collections::btree_map::Entry;
    let part = match parts.entry(place) {
        Entry::Occupied(part) => part.into_mut(),
        Entry::Vacant(free) => match Fold::new() {
            Some(fold) => free.insert(Part { fold, applications: 0, seats: 0 }),
            None => return,
        },
    };
    part.fold.add(sketch);
    part.applications += 1;
    part.seats = part.seats.saturating_add(seats);
}

impl OtherPart {
    fn add(others: &mut BTreeMap<String, Self>, name: &str, applications: u64, seats: u64) {
        let empty = || Self { name: name.to_owned(), applications: 0, seats: 0 };
        let other = others.entry(name.to_owned()).or_insert_with(empty);
        other.applications += applications;
        other.seats = other.seats.saturating_add(seats);
    }
}

impl CountOfKey {
    fn of((key, part): (&PseudonymKeyId, &Part)) -> Self {
        Self { key: key.clone(), applications: part.applications, together: part.fold.estimate() }
    }
}

impl CountOfPart {
    fn of(name: &str, part: &Part) -> Self {
        Self { name: name.to_owned(), applications: part.applications, seats: part.seats, people: part.fold.estimate() }
    }
}

#[cfg(test)]
mod tests;
