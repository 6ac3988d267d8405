//! When a delivery that failed is tried again: pure, the randomness is a parameter.

use std::time::Duration;

/// The wait after the first failure.
const FIRST: Duration = Duration::from_secs(60);
/// The longest wait.
const LONGEST: Duration = Duration::from_secs(6 * 3600);
/// After this time without success a delivery is given up: three days, over a weekend.
pub const GIVE_UP_AFTER: Duration = Duration::from_secs(3 * 24 * 3600);

/// How long to wait after `failures` in a row: twice as long each time up to six hours, and then between three and five
/// quarters of it as `random` decides, so that many products do not come back to one server at once.
pub fn retry_after(failures: u32, random: u16) -> Duration {
    let doubled = FIRST.saturating_mul(1 << failures.saturating_sub(1).min(16));
    let wait = doubled.min(LONGEST);
    wait * 3 / 4 + (wait / 2) * u32::from(random) / u32::from(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn retries_back_off_with_jitter_up_to_six_hours_and_a_half(failures in 1u32.., random: u16) {
            let wait = retry_after(failures, random);
            prop_assert!(wait >= FIRST * 3 / 4 && wait <= LONGEST * 5 / 4);
            prop_assert!(retry_after(failures, 0) <= retry_after(failures.saturating_add(1), 0));
        }
    }

    #[test]
    fn a_server_that_lists_strangers_for_a_quarter_of_an_hour_is_met_again_within_the_hour() {
        let waits: Duration = (1..=5).map(|failures| retry_after(failures, 0)).sum();
        assert!(waits > Duration::from_secs(900) && waits < Duration::from_secs(3600), "{waits:?}");
    }
}
