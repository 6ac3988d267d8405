//! Sketches put together one by one: what it takes does not grow with how many there are.

use datasketches::theta::{CompactThetaSketch, ThetaUnion, ThetaUnionBuilder};

use super::{Estimate, Sketch};

/// log2 of the hashes that a fold keeps: so many people are known exactly together, if all sketches hold everybody. In
/// memory they are a quarter of a mebibyte at the most.
const LG_K: u8 = 14;

/// A union of sketches of one key, to which more can be added. In whichever order they come, it holds the same.
#[derive(Debug)]
pub(super) struct Fold {
    union: ThetaUnion,
    /// Of the sketches that estimate, the one that knows the fewest hashes: its theta, and how many it has.
    coarsest: Option<(u64, usize)>,
}

impl Fold {
    /// A fold of nothing.
    pub(super) fn new() -> Option<Self> {
        Some(Self { union: ThetaUnionBuilder::default().lg_k(LG_K).build().ok()?, coarsest: None })
    }

    /// Adds a sketch.
    pub(super) fn add(&mut self, sketch: &Sketch) {
        let theta = sketch.theta();
        // A sketch was read with the seed of all: it is never refused here.
        if self.union.update(theta).is_ok() && theta.is_estimation_mode() {
            let this = (theta.theta64(), theta.num_retained());
            self.coarsest = Some(self.coarsest.map_or(this, |coarsest| coarsest.min(this)));
        }
    }

    /// What it holds, as one sketch.
    pub(super) fn sketch(&self) -> CompactThetaSketch {
        self.union.to_sketch(true)
    }

    /// How many people it holds.
    pub(super) fn estimate(&self) -> Estimate {
        let whole = self.sketch();
        // Where the fold has let go of hashes itself, its own size decides, and no single sketch does.
        let decides = self.coarsest.filter(|(theta, _)| *theta <= whole.theta64());
        Estimate::of(&whole).widened(decides.map(|(_, hashes)| hashes), whole.num_retained())
    }
}
