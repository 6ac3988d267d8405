//! People counted once over a set of applications, without their names (`b9`).
//!
//! Each report carries a theta sketch: hashes of pseudonyms, of all people where they are few, and of a fair share of
//! them where they are many. Sketches of equal pseudonyms can be put together: a person in five products is one.
//! Pseudonyms are equal under one key, so sketches of different keys are never put together: of several keys there are
//! bounds ([`People::at_least`], [`People::at_most`]).
//!
//! A sketch comes from outside, so it is held against its own form, against its bounds, and against what was counted
//! with it ([`Sketch::read`]). One that fails is left out, and told of: put together with others, it could spoil them
//! all.

pub mod count;
mod fold;
pub mod schedule;
pub mod scope;
mod sketch;
pub mod tally;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use datasketches::common::NumStdDev;
use datasketches::theta::{CompactThetaSketch, ThetaIntersection};
use jiff::Timestamp;
use seatline_protocol::PseudonymKeyId;
use serde::{Deserialize, Serialize};

use super::application::Application;
pub use count::{CountState, CountsOfSet, PeopleCount};
use fold::Fold;
pub use schedule::{Every, Schedule};
pub use scope::Scope;
pub use sketch::{Sketch, SketchTrouble};
pub use tally::Counted;

/// The most applications that are counted at once: each is two lookups and some ten microseconds, so that a page of
/// them stays quick. More of them are counted by a job ([`count`]).
pub const MOST_APPLICATIONS: usize = 128;
/// The most applications whose overlap is shown pair by pair.
pub const MOST_IN_MATRIX: usize = 12;
/// How sure the bounds are, in per cent: two standard deviations.
pub const CONFIDENCE_PERCENT: u8 = 95;

/// The latest sketch of a link, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptSketch {
    /// The key that its pseudonyms were made with, where its report says so.
    pub key: Option<PseudonymKeyId>,
    /// When its link was made: that tells the key of the others.
    pub linked_at: Timestamp,
    /// When it was made, by the product's clock.
    pub observed_at: Timestamp,
    /// The accounts that were counted with it.
    pub counted: u64,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// How many people there are, with the bounds of the estimate. Where they are few, all three are one number.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Estimate {
    /// The lower bound.
    pub low: f64,
    /// The likeliest number.
    pub likely: f64,
    /// The upper bound.
    pub high: f64,
}

/// People over a set of applications.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct People {
    /// When this was made.
    pub as_of: Timestamp,
    /// How sure the bounds are, in per cent.
    pub confidence_percent: u8,
    /// The people in any of the applications, each once; none where no application has a sketch, and where their
    /// pseudonyms are of several keys: see `at_least` and `at_most`.
    pub together: Option<Estimate>,
    /// The fewest people that there are together: as many as of any one key, by its lower bound.
    pub at_least: Option<f64>,
    /// The most people that there are together: nobody of one key is one of another, by the upper bounds.
    pub at_most: Option<f64>,
    /// The people of each key, the one that most applications have first. People of different keys cannot be told to be
    /// the same.
    pub keys: Vec<PeopleOfKey>,
    /// The seats that they hold: the sum of what the applications count.
    pub seats: u64,
    /// Each application that was asked for.
    pub applications: Vec<PeopleOf>,
    /// The overlap of any two, of at most [`MOST_IN_MATRIX`] applications: the places of both in `applications`, and
    /// the people.
    pub overlaps: Vec<Overlap>,
}

/// The people whose pseudonyms are of one key.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct PeopleOfKey {
    /// The key.
    pub key: PseudonymKeyId,
    /// The places in `applications` of those whose sketches are of it.
    pub applications: Vec<usize>,
    /// Their people, each once.
    pub together: Estimate,
}

/// The people of one application.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct PeopleOf {
    /// The application.
    pub application: Application,
    /// When its sketch was made.
    pub observed_at: Option<Timestamp>,
    /// What it counts.
    pub counted: Option<u64>,
    /// The key of its pseudonyms.
    pub key: Option<PseudonymKeyId>,
    /// Its people.
    pub people: Option<Estimate>,
    /// Why it is left out.
    pub left_out: Option<SketchTrouble>,
}

/// The people of two applications at once.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Overlap {
    /// The place of the one.
    pub one: usize,
    /// The place of the other.
    pub other: usize,
    /// Who is in both.
    pub people: Estimate,
}

impl Estimate {
    fn of(sketch: &CompactThetaSketch) -> Self {
        Self {
            low: sketch.lower_bound(NumStdDev::Two),
            likely: sketch.estimate(),
            high: sketch.upper_bound(NumStdDev::Two),
        }
    }

    /// The bounds of a union that keeps more hashes than its coarsest sketch. They are made as if the greatest hash
    /// were given, and not the last one of that sketch, which is known by no more hashes than the sketch has.
    fn widened(self, coarsest: Option<usize>, kept: usize) -> Self {
        let Some(coarsest) = coarsest.filter(|coarsest| *coarsest < kept) else { return self };
        let (coarsest, kept) = (coarsest as f64, kept as f64);
        let factor = (kept * (1.0 / coarsest + (kept - coarsest) / (kept * kept))).sqrt();
        let Self { low, likely, high } = self;
        Self { low: likely - (likely - low) * factor, likely, high: likely + (high - likely) * factor }
    }

    /// What is left of so many without them.
    fn taken_from(self, all: u64) -> Self {
        let without = |people: f64| (all as f64 - people).max(0.0);
        Self { low: without(self.high), likely: without(self.likely), high: without(self.low) }
    }

    fn at_most(self, most: f64) -> Self {
        Self { low: self.low.min(most), likely: self.likely.min(most), high: self.high.min(most) }
    }
}

impl People {
    /// The people of `applications`, of which each comes with its latest sketch, if it has one; at most
    /// [`MOST_APPLICATIONS`] of them. A sketch without a key is left out: it is of an unknown one.
    pub fn of(applications: Vec<(Application, Option<KeptSketch>)>, now: Timestamp) -> Self {
        let mut of_each = Vec::new();
        let mut sketches = Vec::new();
        for (application, kept) in applications.into_iter().take(MOST_APPLICATIONS) {
            let key = kept.as_ref().and_then(|kept| kept.key.clone());
            let read = match &kept {
                None => Err(SketchTrouble::None),
                Some(_) if key.is_none() => Err(SketchTrouble::UnknownKey),
                Some(kept) => Sketch::read(&kept.bytes, kept.counted),
            };
            of_each.push(PeopleOf {
                application,
                observed_at: kept.as_ref().map(|kept| kept.observed_at),
                counted: kept.as_ref().map(|kept| kept.counted),
                key: key.clone(),
                people: read.as_ref().ok().map(|sketch| Estimate::of(sketch.theta())),
                left_out: read.as_ref().err().copied(),
            });
            sketches.push(read.ok().zip(key));
        }
        let keys = of_keys(&sketches);
        let seats = of_each.iter().filter(|of| of.people.is_some()).filter_map(|of| of.counted);
        Self {
            as_of: now,
            confidence_percent: CONFIDENCE_PERCENT,
            together: if let [only] = keys.as_slice() { Some(only.together) } else { None },
            at_least: keys.iter().map(|of| of.together.low).reduce(f64::max),
            at_most: keys.iter().map(|of| of.together.high).reduce(|sum, high| sum + high),
            keys,
            seats: seats.fold(0, u64::saturating_add),
            overlaps: overlaps(&sketches),
            applications: of_each,
        }
    }
}

/// The people of each key. What holds of one key says nothing of another: equal people have other pseudonyms there.
fn of_keys(sketches: &[Option<(Sketch, PseudonymKeyId)>]) -> Vec<PeopleOfKey> {
    let mut of_key: BTreeMap<&PseudonymKeyId, Vec<usize>> = BTreeMap::new();
    for (place, sketch) in sketches.iter().enumerate() {
        if let Some((_, key)) = sketch {
            of_key.entry(key).or_default().push(place);
        }
    }
    let mut keys: Vec<PeopleOfKey> = of_key
        .into_iter()
        .filter_map(|(key, applications)| {
            let mut fold = Fold::new()?;
            for (sketch, _) in applications.iter().filter_map(|place| sketches[*place].as_ref()) {
                fold.add(sketch);
            }
            Some(PeopleOfKey { key: key.clone(), applications, together: fold.estimate() })
        })
        .collect();
    keys.sort_by_key(|of| std::cmp::Reverse(of.applications.len()));
    keys
}

fn overlaps(sketches: &[Option<(Sketch, PseudonymKeyId)>]) -> Vec<Overlap> {
    let some: Vec<(usize, &(Sketch, PseudonymKeyId))> =
        sketches.iter().enumerate().filter_map(|(place, sketch)| Some((place, sketch.as_ref()?))).collect();
    if some.len() > MOST_IN_MATRIX {
        return Vec::new();
    }
    let mut overlaps = Vec::new();
    for (n, (one, (first, key))) in some.iter().enumerate() {
        for (other, (second, _)) in some[n + 1..].iter().filter(|(_, (_, other))| other == key) {
            overlaps.extend(in_both(first.theta(), second.theta()).map(|people| Overlap {
                one: *one,
                other: *other,
                people,
            }));
        }
    }
    overlaps
}

/// Who is in both of two sketches.
fn in_both(one: &CompactThetaSketch, other: &CompactThetaSketch) -> Option<Estimate> {
    let mut both = ThetaIntersection::default();
    both.update(one).and_then(|()| both.update(other)).ok()?;
    // No more people are in both than are in either.
    let most = one.upper_bound(NumStdDev::Two).min(other.upper_bound(NumStdDev::Two));
    both.to_sketch(true).map(|sketch| Estimate::of(&sketch).at_most(most))
}
