//! Never returns from `run`.

struct Endless;

impl contract::Guest for Endless {
    fn run(_: contract::Occasion) -> Result<(), String> {
        let mut i = 0u64;
        while std::hint::black_box(i) != u64::MAX {
            i = i.wrapping_add(2);
        }
        Ok(())
    }
}

contract::export!(Endless);
