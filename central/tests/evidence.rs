//! Evidence (`b12`, `b1`, `b2`): exported by the real server, and verified with public keys alone.

mod support;

use std::io::Read as _;

use seatline_protocol::evidence::Stretch;
use seatline_protocol::{Digest, SecretKey};
use serde_json::{Value, json};
use support::evidence::{broken, export, number, report, verdict, whole};
use support::{Central, agent, program};

/// Runs `verify` where there is no data directory, and gives its exit status and its JSON.
fn verified(arguments: &[&str]) -> (Option<i32>, Value) {
    let output = program().arg("verify").args(arguments).args(["--json", "--dir", "/nowhere"]).output();
    let output = output.expect("the program runs");
    (output.status.code(), serde_json::from_slice(&output.stdout).expect("JSON"))
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
    let mut product = central.linked_long_ago("Company wiki", 1);
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

#[test]
fn b12_what_was_let_go_is_told_apart_from_what_never_came() {
    let central = Central::started();
    let mut product = central.linked("Company wiki", 1);
    for users in 1..=10 {
        match users {
            4 => drop(product.report(users)),
            _ => report(&central, &mut product, users),
        }
    }
    // A month of reports that came late can lie in the middle of a chain, and goes with whatever it holds.
    let store = rusqlite::Connection::open(central.dir().join("central.db")).expect("the store");
    store.execute("DELETE FROM reports WHERE sequence BETWEEN 6 AND 7", ()).expect("let go");
    let file = export(&central, &["--all"]);
    let found = verdict(&file).expect("evidence");
    let chain = &found.sections[0].chain;
    assert!(found.holds, "{:?}", found.defects);
    assert_eq!((chain.missing, chain.let_go.reports, found.totals.missing, found.totals.let_go), (1, 2, 1, 2));
    assert_eq!((chain.gaps.len(), chain.gaps[0].from, chain.gaps[0].to), (1, number(4), number(4)));
    let let_go = &chain.let_go.stretches;
    assert_eq!((let_go.len(), let_go[0].from, let_go[0].to), (1, number(6), number(7)));
    let out = central.file("evidence.jsonl");
    let output = central.run(&["verify", out.to_str().expect("a path")]);
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(text.contains("- Company wiki: report 4 is missing\n"), "{text}");
    assert!(
        text.contains("- Company wiki: reports 6 to 7 were received and let go, as the central server says\n"),
        "{text}"
    );
    assert!(text.contains("1 missing, 2 let go"), "{text}");
    store.execute("DELETE FROM gaps", ()).expect("forgotten");
    let found = verdict(&export(&central, &["--all"])).expect("evidence");
    assert!(found.is_whole(), "of what was only let go, nothing is missing: {found:?}");
}
