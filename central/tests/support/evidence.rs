//! What the stories of evidence share: servers with chains of every kind, and what a file of them comes to.

use std::fs;

use seatline_central::evidence::{Verdict, verify};
use seatline_protocol::Sequence;

use super::{Central, Product};

/// What a file comes to, by its bytes.
pub fn verdict(file: &[u8]) -> Result<Verdict, &'static str> {
    verify(file, None).map_err(|error| error.code())
}

/// The only code of what does not hold in a file.
pub fn code(file: &[u8]) -> &'static str {
    match verdict(file) {
        Err(code) => code,
        Ok(verdict) => {
            let codes: Vec<_> = verdict.defects.iter().map(|defect| defect.code).collect();
            assert!(codes.len() == 1 && !verdict.holds, "one clear reason: {:?}", verdict.defects);
            codes[0]
        }
    }
}

/// The evidence that the command exports.
pub fn export(central: &Central, arguments: &[&str]) -> Vec<u8> {
    let out = central.file("evidence.jsonl");
    central.json(&[&["evidence", "--out", out.to_str().expect("a path")], arguments].concat());
    fs::read(out).expect("the file")
}

/// A sequence number.
pub fn number(number: u64) -> Sequence {
    number.try_into().expect("a sequence number")
}

/// Counts so many users and sends the report, which is taken.
pub fn report(central: &Central, product: &mut Product, users: u64) {
    let sealed = product.report(users);
    let response = product.send(central, &[sealed]);
    assert!(product.take(&response).is_empty(), "{response:?}");
}

/// A server with a wiki whose chain of 40 reports is whole.
pub fn whole() -> (Central, Product) {
    let central = Central::started();
    let mut product = central.linked("Company wiki", 1);
    for users in 1..=40 {
        report(&central, &mut product, users);
    }
    (central, product)
}

/// A server with an instance whose chain has a gap, one that was rolled back, and one that is forked.
pub fn broken() -> Central {
    let central = Central::started();
    let mut gap = central.linked("Gap", 1);
    report(&central, &mut gap, 1);
    gap.report(2);
    gap.report(3);
    report(&central, &mut gap, 4);
    let mut rolled_back = central.linked("Rollback", 2);
    report(&central, &mut rolled_back, 1);
    let mut backup = rolled_back.clone();
    report(&central, &mut rolled_back, 2);
    let again = backup.report(20);
    assert_eq!(backup.refused(&central, &[again]), ["fork"]);
    let mut forked = central.linked("Fork", 3);
    report(&central, &mut forked, 1);
    let mut copy = forked.clone();
    report(&central, &mut forked, 2);
    let other = copy.report(30);
    assert_eq!(copy.refused(&central, &[other]), ["fork"]);
    report(&central, &mut forked, 3);
    let third = copy.report(31);
    assert_eq!(copy.refused(&central, &[third]), ["fork"]);
    let fourth = copy.report(32);
    assert_eq!(copy.refused(&central, &[fourth]), ["broken-chain"]);
    central
}
