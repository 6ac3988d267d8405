//! Calls itself without end.

struct Deep;

impl contract::Guest for Deep {
    fn run(occasion: contract::Occasion) -> Result<(), String> {
        Err(descend(u64::from(occasion.today)).to_string())
    }
}

/// Not a tail call, and not what a compiler could turn into a loop.
#[allow(unconditional_recursion, reason = "that is what it is for")]
fn descend(depth: u64) -> u64 {
    let frame = std::hint::black_box([depth; 16]);
    descend(frame[3] + 1) + frame[5]
}

contract::export!(Deep);
