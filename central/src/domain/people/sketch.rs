//! Reading a sketch that came from outside.

use datasketches::common::NumStdDev;
use datasketches::theta::CompactThetaSketch;
use seatline_protocol::report::MAX_SKETCH_BYTES;
use serde::{Deserialize, Serialize};

/// The fewest hashes of a sketch that estimates: one that keeps fewer says little, and would spoil a union.
const FEWEST_HASHES: usize = 1024;

/// A sketch that holds to the rules.
#[derive(Debug)]
pub struct Sketch(CompactThetaSketch);

/// Why a sketch is not used.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, thiserror::Error, utoipa::ToSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum SketchTrouble {
    /// No report with a sketch has come.
    #[error("no report with a sketch of people has come: the plugin may not report them, or no product is linked")]
    None,
    /// It is not one.
    #[error("what it reports is no sketch of people, or one that is damaged: update its plugin")]
    Damaged,
    /// Nobody knows which key its pseudonyms are of.
    #[error("its agent is of an early version, which does not say which pseudonym key it uses: update it")]
    UnknownKey,
    /// It is of a key that this server has not made, or so long ago that nobody should use it any more.
    #[error(
        "its people are of a pseudonym key that is not one of the newest of this server: let its product synchronise"
    )]
    OtherKey,
    /// It is too coarse.
    #[error("its sketch keeps too few hashes, and would make the estimate of all worthless: update its plugin")]
    Coarse,
    /// It holds more people than accounts were counted.
    #[error("its sketch holds more people than it counted accounts: its plugin is faulty, or its report was made up")]
    MoreThanCounted,
}

impl Sketch {
    /// Reads a sketch that was reported with so many counted accounts.
    ///
    /// # Errors
    /// The first reason why it is not used.
    pub fn read(bytes: &[u8], counted: u64) -> Result<Self, SketchTrouble> {
        if bytes.len() > MAX_SKETCH_BYTES {
            return Err(SketchTrouble::Damaged);
        }
        // The form, the seed, and that each hash is below theta.
        let sketch = CompactThetaSketch::deserialize(bytes).map_err(|_| SketchTrouble::Damaged)?;
        let mut hashes: Vec<u64> = sketch.iter().map(|entry| entry.hash()).collect();
        let in_order = hashes.is_sorted();
        hashes.sort_unstable();
        // A hash that is there twice would count a person twice, and a union trusts the order that a sketch claims.
        if hashes.windows(2).any(|pair| pair[0] == pair[1]) || (sketch.is_ordered() && !in_order) {
            return Err(SketchTrouble::Damaged);
        }
        if sketch.is_estimation_mode() && sketch.num_retained() < FEWEST_HASHES {
            return Err(SketchTrouble::Coarse);
        }
        // Accounts may share a person, and no person has no account: even the lower bound must not be above what was
        // counted.
        if sketch.lower_bound(NumStdDev::Three) > counted as f64 {
            return Err(SketchTrouble::MoreThanCounted);
        }
        Ok(Self(sketch))
    }

    pub(super) fn theta(&self) -> &CompactThetaSketch {
        &self.0
    }
}
