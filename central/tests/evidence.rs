//! Evidence (`b12`, `b1`, `b2`): exported by the real server, verified with public keys alone, and every change found.

mod support;

use std::fs;
use std::io::{BufReader, Read as _};
use std::path::Path;
use std::sync::OnceLock;

use proptest::prelude::*;
use seatline_central::evidence::{Verdict, verify};
use seatline_protocol::evidence::{EvidenceManifest, EvidenceSection, Line, MAX_LINE_BYTES, ReportLine, Stretch};
use seatline_protocol::seal::{open, seal};
use seatline_protocol::{Digest, ExchangeRequest, PublicKey, Receipt, Rotation, SecretKey, Sequence};
use serde_json::{Value, json};
use support::{Central, Product, agent, program};

/// Runs `verify` where there is no data directory, and gives its exit status and its JSON.
fn verified(arguments: &[&str]) -> (Option<i32>, Value) {
    let output = program().arg("verify").args(arguments).args(["--json", "--dir", "/nowhere"]).output();
    let output = output.expect("the program runs");
    (output.status.code(), serde_json::from_slice(&output.stdout).expect("JSON"))
}

/// What a file comes to, by its bytes.
fn verdict(file: &[u8]) -> Result<Verdict, &'static str> {
    verify(file, None).map_err(|error| error.code())
}

/// The only code of what does not hold in a file.
fn code(file: &[u8]) -> &'static str {
    match verdict(file) {
        Err(code) => code,
        Ok(verdict) => {
            let codes: Vec<_> = verdict.defects.iter().map(|defect| defect.code).collect();
            assert!(codes.len() == 1 && !verdict.holds, "one clear reason: {:?}", verdict.defects);
            codes[0]
        }
    }
}

fn export(central: &Central, arguments: &[&str]) -> Vec<u8> {
    let out = central.file("evidence.jsonl");
    central.json(&[&["evidence", "--out", out.to_str().expect("a path")], arguments].concat());
    fs::read(out).expect("the file")
}

fn number(number: u64) -> Sequence {
    number.try_into().expect("a sequence number")
}

fn report(central: &Central, product: &mut Product, users: u64) {
    let sealed = product.report(users);
    let response = product.send(central, &[sealed]);
    assert!(product.take(&response).is_empty(), "{response:?}");
}

/// A server with a wiki whose chain of 40 reports is whole.
fn whole() -> (Central, Product) {
    let central = Central::started();
    let mut product = central.linked("Company wiki", 1);
    for users in 1..=40 {
        report(&central, &mut product, users);
    }
    (central, product)
}

#[test]
fn b12_an_export_is_verified_offline_with_one_command_and_the_public_key() {
    let (central, product) = whole();
    let out = central.file("wiki.jsonl");
    let path = out.to_str().expect("a path");
    let exported = central.json(&["evidence", "Company wiki", "--out", path]);
    let key = exported["key"].as_str().expect("the key");
    assert_eq!(
        (&exported["reports"], exported["bytes"].as_u64()),
        (&json!(40), out.metadata().ok().map(|it| it.len()))
    );
    let (status, verdict) = verified(&[path, "--key", key]);
    assert_eq!((status, &verdict["holds"], &verdict["defect_count"]), (Some(0), &json!(true), &json!(0)), "{verdict}");
    let section = &verdict["sections"][0];
    assert_eq!(section["application"]["name"], "Company wiki");
    assert_eq!(section["fingerprints"], json!([product.key.public().fingerprint()]));
    let chain = &section["chain"];
    assert_eq!((&chain["state"], &chain["first"], &chain["last"]), (&json!("whole"), &json!(1), &json!(40)));
    assert_eq!(chain["head"], Digest::of(product.sealed[39].as_bytes()).as_str());
    // The key of another server, and a file of nobody.
    let other = SecretKey::generate().expect("randomness").public().to_string();
    let (status, error) = verified(&[path, "--key", &other]);
    assert_eq!((status, &error["error"]["code"]), (Some(1), &json!("other-central-key")));
    assert_eq!(verified(&["/dev/null"]).1["error"]["code"], "not-evidence");
    let text = program().args(["verify", path]).output().expect("the program runs");
    let text = String::from_utf8(text.stdout).expect("text");
    assert!(text.starts_with("It holds, and every chain is whole.\n"), "{text}");
    assert!(text.contains("taken from the file: compare it"), "{text}");
}

#[test]
fn b2_the_receipts_in_evidence_are_the_bytes_that_the_product_was_answered() {
    let central = Central::started();
    let mut product = central.linked("Company wiki", 1);
    let sealed = product.report(7);
    let answered = product.send(&central, std::slice::from_ref(&sealed)).receipts;
    let file = String::from_utf8(export(&central, &["Company wiki"])).expect("text");
    let line = file.lines().find(|line| line.starts_with("{\"report\"")).expect("the report");
    let line: Value = serde_json::from_str(line).expect("JSON");
    assert_eq!((&line["report"]["sealed"], &line["report"]["receipt"]), (&json!(sealed), &json!(answered[0])));
}

#[test]
fn b12_a_period_takes_the_stretch_of_the_chain_that_was_observed_in_it() {
    let central = Central::started();
    let mut product = central.linked("Company wiki", 1);
    for day in ["2026-01-31T23:59:59Z", "2026-02-01T00:00:00Z", "2026-02-28T23:59:59Z", "2026-03-01T00:00:00Z"] {
        let mut draft = product.draft(support::counts(1));
        draft.observed_at = day.parse().expect("a time");
        let sealed = product.seal(&draft);
        product.sealed.push(sealed.clone());
        assert!(product.send(&central, &[sealed]).refusals.is_empty());
    }
    let file = export(&central, &["Company wiki", "--from", "2026-02-01", "--to", "2026-02-28"]);
    let verdict = verdict(&file).expect("evidence");
    assert!(verdict.is_whole());
    let chain = &verdict.sections[0].chain;
    assert_eq!((chain.first, chain.last), (Some(number(2)), Some(number(3))));
    let none = export(&central, &["--all", "--from", "2027-01-01"]);
    assert_eq!(self::verdict(&none).expect("evidence").sections[0].chain.last, None, "a link without reports says so");
    let wrong = ["evidence", "Company wiki", "--from", "2026-02-02", "--to", "2026-02-01", "--out", "x"];
    assert_eq!(central.failure(&wrong), "invalid-period");
    assert_eq!(central.failure(&["evidence", "Other wiki", "--out", "x"]), "not-found");
}

/// A server with an instance whose chain has a gap, one that was rolled back, and one that is forked.
fn broken() -> Central {
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

#[test]
fn b1_gaps_rollbacks_and_forks_are_told_with_their_proof_in_evidence_and_over_the_api() {
    let central = broken();
    let out = central.file("all.jsonl");
    central.json(&["evidence", "--all", "--out", out.to_str().expect("a path")]);
    let (status, verdict) = verified(&[out.to_str().expect("a path")]);
    assert_eq!((status, &verdict["holds"], &verdict["totals"]["with_findings"]), (Some(3), &json!(true), &json!(3)));
    for section in verdict["sections"].as_array().expect("a list") {
        let (name, chain) = (section["application"]["name"].as_str().expect("a name"), &section["chain"]);
        assert_eq!(chain["state"], name.to_lowercase(), "{chain}");
        let application = central.json(&["application", "list"]);
        let id =
            application.as_array().expect("a list").iter().find(|row| row["name"] == name).expect("it")["id"].clone();
        let shown = central.api(&format!("/api/v1/applications/{}/chain", id.as_str().expect("an id")));
        assert_eq!(shown["state"], chain["state"]);
        let conflicts = chain["conflicts"].as_array().expect("a list");
        assert_eq!(shown["conflicts"].as_array().map(Vec::len), Some(conflicts.len()));
        for (shown, proven) in shown["conflicts"].as_array().expect("a list").iter().zip(conflicts) {
            assert_eq!(shown["refused"]["digest"], proven["refused"], "{shown} {proven}");
            assert_eq!(json!([shown["beside"], shown["beside_digest"]]), proven["beside"], "{shown} {proven}");
        }
    }
    let gap = self::verdict(&export(&central, &["Gap"])).expect("evidence");
    assert_eq!(gap.sections[0].chain.gaps, [Stretch { from: number(2), to: number(3) }]);
    let text = program().arg("verify").arg(&out).output().expect("the program runs");
    let text = String::from_utf8(text.stdout).expect("text");
    assert!(text.starts_with("It holds. 3 chains are not whole.\n"), "{text}");
    assert!(text.contains("- Gap: reports 2 to 3 are missing\n"), "{text}");
    assert!(text.contains("the link's key sealed both"), "{text}");
}

#[test]
fn b12_the_api_and_the_page_give_the_same_evidence() {
    let (central, _) = whole();
    let id = central.json(&["application", "list"])[0]["id"].as_str().expect("an id").to_owned();
    let get = |path: &str| {
        let mut response = central.request("GET", path, None);
        let mut bytes = Vec::new();
        response.body_mut().as_reader().read_to_end(&mut bytes).expect("a body");
        (response.status().as_u16(), bytes)
    };
    for path in [
        format!("/api/v1/applications/{id}/evidence"),
        format!("/api/v1/evidence?applications={id}"),
        "/api/v1/evidence?from=2020-01-01&to=9998-01-01".to_owned(),
    ] {
        let (status, file) = get(&path);
        assert_eq!((status, verdict(&file).expect("evidence").totals.reports), (200, 40), "{path}");
    }
    for (path, status) in [
        ("/api/v1/evidence?applications=abababababababababababab", 404),
        ("/api/v1/evidence?applications=x", 404),
        ("/api/v1/evidence?from=yesterday", 400),
        ("/api/v1/evidence?until=2026-01-01", 400),
    ] {
        assert_eq!(get(path).0, status, "{path}");
    }
    let many = vec!["abababababababababababab"; 1001].join(",");
    assert_eq!(get(&format!("/api/v1/evidence?applications={many}")).0, 400);
    let cookie = signed_in(&central);
    let page = |path: &str| {
        let mut response =
            agent().get(format!("{}{path}", central.url())).header("Cookie", &cookie).call().expect("answered");
        assert_eq!(response.status(), 200, "{path}");
        (response.headers().clone(), response.body_mut().read_to_vec().expect("a body"))
    };
    let (headers, file) = page(&format!("/applications/{id}/evidence?from=&to="));
    assert_eq!(verdict(&file).expect("evidence").totals.reports, 40);
    let disposition = headers["content-disposition"].to_str().expect("text");
    assert_eq!(disposition, format!("attachment; filename=\"evidence-{id}.jsonl\""));
    let (_, shown) = page(&format!("/applications/{id}/reports"));
    let shown = String::from_utf8(shown).expect("text");
    assert!(shown.contains("Download evidence") && shown.contains("40 reports have come, none is missing."), "{shown}");
}

/// The cookie of a session of ada's.
fn signed_in(central: &Central) -> String {
    let form = [("name", "ada"), ("password", support::PASSWORD)];
    let response = agent().post(format!("{}/sign-in", central.url())).send_form(form).expect("answered");
    let cookie = response.headers()["set-cookie"].to_str().expect("text");
    cookie.split(';').next().expect("a cookie").to_owned()
}

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
    assert_eq!(changed(&|forger| forger.lines[0] = forger.lines[0].replace("/1\"", "/2\"")), "unknown-form");
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
