//! Verification of evidence (`b12`): whatever is changed in a file is found, by whomever.

mod support;

use std::fs;
use std::io::{BufReader, Read as _};
use std::path::Path;
use std::sync::OnceLock;

use proptest::prelude::*;
use seatline_central::evidence::verify;
use seatline_protocol::evidence::{
    EvidenceManifest, EvidenceSection, LetGo, Line, MAX_LINE_BYTES, ReportLine, Stretch,
};
use seatline_protocol::seal::{open, open_entry, seal};
use seatline_protocol::{Digest, ExchangeRequest, PublicKey, Receipt, Report, Rotation, SecretKey, Sequence};
use serde_json::{Value, json};
use support::Central;
use support::evidence::{broken, code, export, number, report, verdict, whole};

/// A file of evidence taken apart, so that a forger who holds the central server's key can put it together otherwise.
#[derive(Clone)]
struct Forger {
    key: SecretKey,
    lines: Vec<String>,
}

impl Forger {
    fn of(central: &Central) -> Self {
        let key = fs::read_to_string(central.dir().join("central.key")).expect("the key");
        let file = String::from_utf8(export(central, &["--all"])).expect("text");
        Self { key: key.trim().parse().expect("a key"), lines: file.lines().map(str::to_owned).collect() }
    }

    /// The place of the n-th line of a kind.
    fn at(&self, kind: &str, n: usize) -> usize {
        let is_kind = |line: &String| line.starts_with(&format!("{{\"{kind}\""));
        self.lines.iter().enumerate().filter(|(_, line)| is_kind(line)).nth(n).expect("the line").0
    }

    fn bytes(&self) -> Vec<u8> {
        self.lines.iter().flat_map(|line| [line.as_bytes(), b"\n"].concat()).collect()
    }

    /// The file with its one section and its manifest sealed anew, so that both say what it holds.
    fn sealed_anew(&self) -> Vec<u8> {
        let mut forged = self.clone();
        let count =
            |kind: &str| self.lines.iter().filter(|line| line.starts_with(&format!("{{\"{kind}\""))).count() as u64;
        let (section, manifest) = (self.at("section", 0), self.at("manifest", 0));
        let sealed = |at: usize| match serde_json::from_str(&self.lines[at]).expect("a line") {
            Line::Section(sealed) | Line::Manifest(sealed) => sealed,
            _ => panic!("no sealed line"),
        };
        let keys = [self.key.public()];
        let content = |forged: &Self, from: usize, to: usize| {
            Digest::of(
                &forged.lines[from..to].iter().flat_map(|line| [line.as_bytes(), b"\n"].concat()).collect::<Vec<_>>(),
            )
        };
        let mut says: EvidenceSection = open(&sealed(section), &keys).expect("a section");
        (says.reports, says.refused) = (count("report"), count("refused"));
        says.content = content(self, self.at("link", 0), section);
        forged.lines[section] = json!({ "section": seal(&says, &self.key).expect("sealed") }).to_string();
        let mut says: EvidenceManifest = open(&sealed(manifest), &keys).expect("a manifest");
        (says.reports, says.refused) = (count("report"), count("refused"));
        says.content = content(&forged, 0, manifest);
        forged.lines[manifest] = json!({ "manifest": seal(&says, &self.key).expect("sealed") }).to_string();
        forged.bytes()
    }
}

#[test]
fn b12_not_even_who_holds_the_central_servers_key_can_change_what_a_product_has_sealed() {
    let (central, product) = whole();
    let forger = Forger::of(&central);
    assert!(verdict(&forger.sealed_anew()).expect("evidence").is_whole(), "the forger changes nothing by himself");
    let forged = |change: &dyn Fn(&mut Forger)| {
        let mut forger = forger.clone();
        change(&mut forger);
        forger.sealed_anew()
    };
    let first = forger.at("report", 0);
    let with = |line: &str, field: &str, value: &str| {
        let mut line: Value = serde_json::from_str(line).expect("JSON");
        line["report"][field] = value.into();
        let line: Line = serde_json::from_value(line).expect("a line");
        serde_json::to_string(&line).expect("JSON")
    };
    // A count that suits better, sealed by the forger's own key or by central's.
    let mut draft = seatline_protocol::Report {
        sequence: number(3),
        previous: Some(Digest::of(product.sealed[1].as_bytes())),
        ..product.draft(support::counts(9999))
    };
    for key in [SecretKey::generate().expect("randomness"), forger.key.clone()] {
        let sealed = seal(&draft, &key).expect("sealed");
        let file = forged(&|forger| forger.lines[first + 2] = with(&forger.lines[first + 2], "sealed", &sealed));
        assert_eq!(code(&file), "bad-seal");
    }
    // A report that the product did seal, in the place of another.
    draft.previous = Some(Digest::of(b"another chain"));
    let sealed = product.seal(&draft);
    let receipt = Receipt {
        link: draft.link.clone(),
        sequence: draft.sequence,
        report: Digest::of(sealed.as_bytes()),
        received_at: draft.observed_at,
        verdict: seatline_protocol::ReceiptVerdict::Chained,
    };
    let receipt = seal(&receipt, &forger.key).expect("sealed");
    let file = forged(&|forger| {
        let line = with(&forger.lines[first + 2], "sealed", &sealed);
        forger.lines[first + 2] = with(&line, "receipt", &receipt);
    });
    let found = verdict(&file).expect("evidence");
    assert!(found.defects.iter().all(|defect| defect.code == "broken-chain") && found.defects.len() == 2, "{found:?}");
    let reordered = forged(&|forger| forger.lines.swap(first, first + 1));
    assert_eq!(code(&reordered), "out-of-order");
    let doubled = forged(&|forger| forger.lines.insert(first, forger.lines[first].clone()));
    assert_eq!(code(&doubled), "duplicate-sequence");
    let swapped = forged(&|forger| {
        let line: Value = serde_json::from_str(&forger.lines[first + 1]).expect("JSON");
        let receipt = line["report"]["receipt"].as_str().expect("a receipt").to_owned();
        forger.lines[first] = with(&forger.lines[first], "receipt", &receipt);
    });
    assert_eq!(code(&swapped), "receipt-mismatch");
    // Documents of another purpose, and none at all.
    let file = forged(&|forger| forger.lines[first] = with(&forger.lines[first], "receipt", &product.sealed[0]));
    assert_eq!(code(&file), "receipt-seal");
    let file = forged(&|forger| forger.lines[first] = with(&forger.lines[first], "sealed", "v4.public."));
    assert_eq!(code(&file), "bad-seal");
    // Another instance's report, a removed one, and a removed key.
    let removed = forged(&|forger| drop(forger.lines.remove(first + 20)));
    let found = verdict(&removed).expect("evidence");
    assert_eq!((found.holds, found.defects[0].code), (false, "section-mismatch"), "a gap that central has not named");
    let other = SecretKey::generate().expect("randomness").public();
    let file = forged(&|forger| {
        let at = forger.at("link", 0);
        forger.lines[at] = forger.lines[at].replace(&product.key.public().to_string(), &other.to_string());
    });
    let found = verdict(&file).expect("evidence");
    assert!(found.defect_count == 40 && found.defects.iter().all(|defect| defect.code == "bad-seal"));
}

#[test]
fn b12_a_chain_goes_on_under_a_new_key_and_the_old_one_seals_nothing_more() {
    let central = Central::started();
    let mut product = central.linked("Company wiki", 1);
    report(&central, &mut product, 1);
    let (old, new) = (product.key.clone(), SecretKey::generate().expect("randomness"));
    let link = product.link.clone().expect("it is linked");
    let rotation = Rotation::sealed(&link, number(2), &old, &new, jiff::Timestamp::now()).expect("sealed");
    let request = ExchangeRequest { rotation: Some(rotation), ..Default::default() };
    assert_eq!(support::send(&central, &request).refusals, []);
    product.key = new.clone();
    report(&central, &mut product, 2);
    let forger = Forger::of(&central);
    let verdict = verdict(&forger.bytes()).expect("evidence");
    assert!(verdict.is_whole(), "{verdict:?}");
    assert_eq!(verdict.sections[0].fingerprints, [old.public().fingerprint(), new.public().fingerprint()]);
    // Whoever stole the old key, and even the central server's.
    let draft = seatline_protocol::Report {
        sequence: number(2),
        previous: Some(Digest::of(product.sealed[0].as_bytes())),
        ..product.draft(support::counts(9999))
    };
    let sealed = seal(&draft, &old).expect("sealed");
    let receipt = Receipt {
        link,
        sequence: number(2),
        report: Digest::of(sealed.as_bytes()),
        received_at: draft.observed_at,
        verdict: seatline_protocol::ReceiptVerdict::Chained,
    };
    let receipt = seal(&receipt, &forger.key).expect("sealed");
    let mut forged = forger.clone();
    let at = forged.at("report", 1);
    let line = Line::Report(ReportLine { sealed, receipt });
    forged.lines[at] = serde_json::to_string(&line).expect("JSON");
    assert_eq!(code(&forged.sealed_anew()), "wrong-key");
}

#[test]
fn b12_a_hostile_file_is_refused_with_one_reason() {
    let (central, _) = whole();
    let forger = Forger::of(&central);
    let file = forger.bytes();
    assert!(verdict(&file).expect("evidence").is_whole());
    let changed = |change: &dyn Fn(&mut Forger)| {
        let mut forger = forger.clone();
        change(&mut forger);
        code(&forger.bytes())
    };
    let (first, section, manifest) = (forger.at("report", 0), forger.at("section", 0), forger.at("manifest", 0));
    assert_eq!(code(b""), "not-evidence");
    assert_eq!(code(b"\x1f\x8b\x08\x00packed"), "not-evidence");
    assert_eq!(code(&file[..file.len() - 1]), "cut-off", "without its last line feed");
    assert_eq!(code(&file[..file.len() / 2]), "cut-off");
    assert_eq!(changed(&|forger| drop(forger.lines.pop())), "cut-off");
    assert_eq!(code(&[&file[..], b"\n"].concat()), "after-the-end");
    assert_eq!(code(&[&file[..], &file[..]].concat()), "after-the-end");
    assert_eq!(changed(&|forger| forger.lines.swap(first, section)), "misplaced");
    assert_eq!(changed(&|forger| forger.lines.insert(2, forger.lines[0].clone())), "misplaced");
    assert_eq!(changed(&|forger| forger.lines.insert(manifest, forger.lines[first].clone())), "misplaced");
    assert_eq!(changed(&|forger| drop(forger.lines.remove(section))), "misplaced", "a manifest in a section");
    assert_eq!(changed(&|forger| forger.lines.swap(section, manifest)), "misplaced");
    assert_eq!(changed(&|forger| forger.lines[manifest] = forger.lines[section].clone()), "misplaced");
    assert_eq!(changed(&|forger| drop(forger.lines.drain(1..=section))), "manifest-counts");
    assert_eq!(changed(&|forger| forger.lines[0] = forger.lines[0].replace("/3\"", "/4\"")), "unknown-form");
    assert_eq!(changed(&|forger| forger.lines[first].insert(1, ' ')), "not-a-line", "another text of the same line");
    assert_eq!(changed(&|forger| forger.lines.insert(first, "[".repeat(100_000))), "not-a-line");
    let facts = |change: fn(&mut Value)| {
        changed(&|forger| {
            let mut line: Value = serde_json::from_str(&forger.lines[1]).expect("JSON");
            change(&mut line["link"]);
            let line: Line = serde_json::from_value(line).expect("a line");
            forger.lines[1] = serde_json::to_string(&line).expect("JSON");
        })
    };
    assert_eq!(facts(|link| link["application"]["name"] = "Another".into()), "section-changed");
    assert_eq!(facts(|link| link["keys"] = json!([])), "misplaced");
    assert_eq!(facts(|link| link["keys"] = vec![link["keys"][0].clone(); 1025].into()), "misplaced");
    // Not even by central's key: what is there, and follows what is before it, was not let go.
    let let_go = changed(&|forger| {
        let Ok(Line::Section(sealed)) = serde_json::from_str(&forger.lines[section]) else { panic!("a section") };
        let mut says: EvidenceSection = open(&sealed, &[forger.key.public()]).expect("a section");
        says.let_go = Some(LetGo { reports: 1, stretches: vec![Stretch { from: number(3), to: number(3) }] });
        forger.lines[section] = json!({ "section": seal(&says, &forger.key).expect("sealed") }).to_string();
    });
    assert_eq!(let_go, "section-mismatch");
    let head = |forger: &mut Forger| forger.lines[0] = forger.lines[0].replace("Seatline Central", "Another");
    assert_eq!(changed(&head), "content-changed");
    // The manifest of another file of the same server, and one that another purpose has sealed.
    let other = Forger {
        lines: String::from_utf8(export(&central, &["--all"])).expect("text").lines().map(str::to_owned).collect(),
        ..forger.clone()
    };
    report(&central, &mut central.linked("Other", 9), 1);
    let later = Forger::of(&central);
    let borrowed = |forger: &mut Forger| forger.lines[manifest] = later.lines[later.at("manifest", 0)].clone();
    assert_eq!(changed(&borrowed), "manifest-counts");
    let as_manifest =
        |forger: &mut Forger| forger.lines[manifest] = other.lines[section].replace("section", "manifest");
    assert_eq!(changed(&as_manifest), "manifest-seal");
}

#[test]
fn b12_a_refused_report_too_many_ends_the_reading() {
    let central = broken();
    let mut forger = Forger::of(&central);
    let at = forger.at("refused", 0);
    let line = forger.lines[at].clone();
    forger.lines.splice(at..at, vec![line; 1024]);
    assert_eq!(verdict(&forger.bytes()).map(|_| ()), Err("misplaced"));
}

#[test]
fn b12_an_endless_line_is_not_read_to_its_end() {
    let (central, _) = whole();
    let file = export(&central, &["--all"]);
    let head = file.split_inclusive(|byte| *byte == b'\n').next().expect("a head");
    let endless = BufReader::new(head.chain(std::io::repeat(b'x')));
    let error = verify(endless, None).expect_err("endless");
    assert_eq!(error.code(), "long-line");
    let longest = [head, &vec![b'x'; MAX_LINE_BYTES - 1], b"\n"].concat();
    assert_eq!(code(&longest), "not-a-line", "as long as a line may be");
    assert!(Path::new("/dev/zero").exists());
    assert_eq!(
        verify(BufReader::new(fs::File::open("/dev/zero").expect("zeros")), None).expect_err("zeros").code(),
        "not-evidence"
    );
}

/// A small file of evidence with everything in it.
fn small() -> &'static [u8] {
    static FILE: OnceLock<Vec<u8>> = OnceLock::new();
    FILE.get_or_init(|| export(&broken(), &["--all"]))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn b12_any_single_changed_byte_is_found(at in any::<prop::sample::Index>(), flip in 1_u8..) {
        let mut file = small().to_vec();
        let at = at.index(file.len());
        file[at] ^= flip;
        prop_assert!(verdict(&file).map_or(true, |verdict| !verdict.holds), "byte {at} xor {flip}");
    }

    #[test]
    fn b12_a_file_that_is_cut_off_anywhere_is_refused(at in any::<prop::sample::Index>()) {
        prop_assert!(verdict(&small()[..at.index(small().len())]).is_err());
    }
}

#[test]
fn b12_every_byte_of_the_manifest_and_of_the_ends_of_lines_counts() {
    let file = small();
    assert!(verdict(file).expect("evidence").holds);
    let manifest = file.len() - file.rsplit(|byte| *byte == b'\n').nth(1).expect("a manifest").len() - 1;
    let ends = (0..file.len()).filter(|at| file[*at] == b'\n');
    for at in ends.chain(manifest..file.len()) {
        for flip in [1, 2, 0x20, 0x80] {
            let mut changed = file.to_vec();
            changed[at] ^= flip;
            assert!(verdict(&changed).map_or(true, |verdict| !verdict.holds), "byte {at} xor {flip}");
        }
    }
}

#[test]
fn b12_whoever_knows_the_key_is_not_told_to_compare_it() {
    let (central, _) = whole();
    let file = export(&central, &["--all"]);
    let key: PublicKey = central.api("/api/v1/server")["public_key"].as_str().expect("a key").parse().expect("a key");
    assert!(verify(&file[..], Some(&key)).expect("evidence").central.was_given);
}

/// Repeats are links of the chain that are verified with what they repeat, which comes with them into every period.
#[test]
fn b12_repeats_are_verified_with_the_report_that_they_repeat() {
    let central = Central::started();
    let mut product = central.linked("Company wiki", 1);
    report(&central, &mut product, 7);
    for _ in 0..3 {
        let sealed = product.repeat(1);
        assert!(product.take(&product.clone().send(&central, &[sealed])).is_empty());
    }
    report(&central, &mut product, 8);
    let sealed = product.repeat(5);
    assert!(product.take(&product.clone().send(&central, &[sealed])).is_empty());
    let backwards = product.clone().repeat(1);
    assert_eq!(product.refused(&central, &[backwards]), ["broken-chain"], "what has changed is not taken back");

    let whole = export(&central, &["Company wiki"]);
    let holds = verdict(&whole).expect("evidence");
    assert!(holds.holds && holds.defects.is_empty(), "{:?}", holds.defects);
    assert_eq!((holds.totals.reports, holds.totals.repeats, holds.totals.refused), (6, 4, 1));
    assert!(!String::from_utf8_lossy(&whole).contains("{\"repeated\""), "all of it stands in the chain");

    // The period begins behind the report that its first ones repeat.
    let second: seatline_protocol::Entry = open_entry(&product.sealed[1], &[product.key.public()]).expect("a repeat");
    let from = second.observed_at().to_string();
    let part = export(&central, &["Company wiki", "--from", &from]);
    let holds = verdict(&part).expect("evidence");
    assert!(holds.holds, "{:?}", holds.defects);
    assert_eq!((holds.totals.reports, holds.totals.repeats), (5, 4));
    assert_eq!(holds.sections[0].chain.first, Some(number(2)));

    // Whoever holds the central server's key can neither leave it away nor put another one in its place.
    let text = String::from_utf8(part).expect("text");
    let forger = Forger { lines: text.lines().map(str::to_owned).collect(), ..Forger::of(&central) };
    assert!(verdict(&forger.sealed_anew()).expect("evidence").holds, "the forger changes nothing by himself");
    let repeated = forger.at("repeated", 0);
    assert_eq!(forger.lines.iter().filter(|line| line.starts_with("{\"repeated\"")).count(), 1);
    let mut without = forger.clone();
    without.lines.remove(repeated);
    let codes = |file: &[u8]| {
        let defects = verdict(file).expect("evidence").defects;
        defects.into_iter().map(|defect| defect.code).collect::<Vec<_>>()
    };
    assert_eq!(codes(&without.sealed_anew()), ["unknown-repeated"; 3]);
    let mut other = forger.clone();
    let fifth = &product.sealed[4];
    other.lines[repeated] = json!({ "repeated": fifth }).to_string();
    assert_eq!(codes(&other.sealed_anew()), ["unknown-repeated"; 3]);
    let own =
        seal(&Report { sequence: Sequence::FIRST, previous: None, ..product.draft(support::counts(1)) }, &forger.key);
    other.lines[repeated] = json!({ "repeated": own.expect("sealed") }).to_string();
    assert_eq!(codes(&other.sealed_anew())[0], "bad-seal");
}
