//! Nothing lost, nothing twice: either side is killed at any moment, and the chain is whole.

use std::time::{Duration, Instant};

use seatline_tests::{Agent, Central, Vendor};

/// How many synchronisations are disturbed; `cargo xtask bench` asks for two hundred.
fn rounds() -> u64 {
    std::env::var("SEATLINE_CRASH_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(24)
}

/// Numbers that are the same in every run: a round that fails can be looked at again.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

fn wait(time: Duration) {
    let begun = Instant::now();
    while begun.elapsed() < time {
        std::thread::park_timeout(time.saturating_sub(begun.elapsed()));
    }
}

/// b1, b2, g3
#[test]
fn b1_the_chain_is_whole_after_either_side_was_killed_at_random_moments() {
    let (vendor, mut central) = (Vendor::new(), Central::start());
    let agent = Agent::new(&vendor);
    let link = agent.link(&central.invite())["link"]["link"].as_str().expect("a link").to_owned();
    let begun = Instant::now();
    agent.run(&["sync"]).ok();
    // Long enough for a kill to come at any moment of a synchronisation, or just after it.
    let span = u64::try_from(begun.elapsed().as_micros()).expect("a short time") * 5 / 4;

    let mut chance = Chance(0x5ea7);
    let mut killed = (0, 0);
    for _ in 0..rounds() {
        let syncing = agent.start(&["sync"]);
        wait(Duration::from_micros(chance.below(span)));
        if chance.below(2) == 0 {
            syncing.kill();
            killed.0 += 1;
        } else {
            central.kill();
            killed.1 += 1;
            syncing.wait();
            central.serve();
        }
    }
    assert!(killed.0 > 0 && killed.1 > 0, "both sides were killed: {killed:?}");

    let last = agent.run(&["sync", "--json"]).json();
    let head = last["report"]["sequence"].as_u64().expect("a report was made");
    assert!(head > 2, "reports were made between the kills");
    assert_eq!(agent.status()["outbox"]["pending"], 0);
    let stored: Vec<u64> = central.reports(&link).into_iter().map(|(sequence, _)| sequence).collect();
    assert_eq!(stored, (1..=head).collect::<Vec<_>>(), "every report is stored, and stored once");
    let chain = &central.licenses()["link"]["chain"];
    assert_eq!((&chain["forks"], chain["gaps"].as_array().map(Vec::len)), (&0.into(), Some(0)), "{chain}");
}
