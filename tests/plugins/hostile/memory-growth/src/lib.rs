//! Allocates until it is refused.

struct Growing;

impl contract::Guest for Growing {
    fn run(_: contract::Occasion) -> Result<(), String> {
        let mut kept = Vec::new();
        loop {
            kept.push(vec![1u8; 1 << 20]);
            std::hint::black_box(&kept);
        }
    }
}

contract::export!(Growing);
