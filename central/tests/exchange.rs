//! Stories of products that are linked and report, over real HTTP to the real program.

mod support;

use seatline_protocol::pairing::WelcomeState;
use seatline_protocol::report::{Failure, Outcome};
use seatline_protocol::seal::{seal, seal_introducing};
use seatline_protocol::{
    Continuity, ContinuityAnswer, ExchangeRequest, IdentityPart, Receipt, ReceiptVerdict, SecretKey, Sequence, ServerId,
};
use serde_json::json;
use support::{Central, Product, counts, send};

#[test]
fn w6_a_product_joins_is_welcomed_reports_and_gets_its_receipt() {
    let central = Central::started();
    let mut product = central.linked("Company wiki", 1);
    assert!(matches!(product.state, Some(WelcomeState::Approved { .. })));
    let settings = product.settings.clone().expect("they came with the welcome");
    assert_eq!((settings.interval, settings.revision), (3600, 1));
    let sealed = product.report(120);
    let response = product.send(&central, std::slice::from_ref(&sealed));
    assert!(product.take(&response).is_empty());
    let [Receipt { sequence, report, verdict, link, .. }] = &product.receipts[..] else { panic!("one receipt") };
    assert_eq!((*sequence, *verdict), (Sequence::FIRST, ReceiptVerdict::Chained));
    assert_eq!(*report, seatline_protocol::Digest::of(sealed.as_bytes()));
    assert_eq!(Some(link), product.link.as_ref());
    let licenses = central.json(&["licenses", "Company wiki"]);
    assert_eq!(licenses["counted"]["accounts"]["counted"], 120, "{licenses:#}");
}

#[test]
fn b2_a_repeated_report_gets_the_same_receipt_to_the_last_byte() {
    let mut central = Central::started();
    let mut product = central.linked("Company wiki", 1);
    let sealed = [product.report(1), product.report(2)];
    let first = product.send(&central, &sealed);
    assert_eq!(first.receipts.len(), 2);
    assert_eq!(product.send(&central, &sealed).receipts, first.receipts);
    central.kill();
    central.start();
    let backwards = [sealed[1].clone(), sealed[0].clone()];
    let again = product.send(&central, &backwards);
    assert_eq!(again.receipts, [first.receipts[1].clone(), first.receipts[0].clone()], "also after a restart");
}

#[test]
fn b1_a_gap_is_shown_until_the_missing_reports_arrive() {
    let central = Central::started();
    let mut product = central.linked("Company wiki", 1);
    let sealed: Vec<String> = (1..=5).map(|users| product.report(users)).collect();
    let response = product.send(&central, &[sealed[4].clone(), sealed[0].clone()]);
    assert!(product.take(&response).is_empty());
    let verdicts: Vec<_> = product.receipts.iter().map(|receipt| receipt.verdict).collect();
    assert_eq!(verdicts, [ReceiptVerdict::AfterGap, ReceiptVerdict::Chained]);
    let gap = central.json(&["licenses", "Company wiki"]);
    assert_eq!(gap["link"]["chain"]["gaps"], serde_json::json!([{ "from": 2, "to": 4 }]));
    assert_eq!(gap["troubles"][0]["code"], "gap", "{gap:#}");
    product.send(&central, &[sealed[3].clone(), sealed[1].clone(), sealed[2].clone()]);
    let whole = central.json(&["licenses", "Company wiki"]);
    assert_eq!((&whole["link"]["chain"]["gaps"], &whole["troubles"]), (&serde_json::json!([]), &serde_json::json!([])));
    assert_eq!(whole["counted"]["accounts"]["counted"], 5, "the newest is shown, not the last to arrive");
}

#[test]
fn b1_a_copy_of_an_instance_is_refused_kept_and_shown() {
    let central = Central::started();
    let mut original = central.linked("Company wiki", 1);
    let first = original.report(10);
    original.send(&central, &[first]);
    let mut copy = original.clone();
    let (true_one, forged) = (original.report(11), copy.report(99));
    original.send(&central, std::slice::from_ref(&true_one));
    assert_eq!(copy.refused(&central, std::slice::from_ref(&forged)), ["fork"]);
    let after = copy.report(98);
    assert_eq!(copy.refused(&central, &[after]), ["broken-chain"]);
    let licenses = central.json(&["licenses", "Company wiki"]);
    assert_eq!(licenses["troubles"][0]["code"], "fork");
    assert_eq!(licenses["counted"]["accounts"]["counted"], 11, "the copy changed nothing");
    let link = original.link.clone().expect("linked");
    let kept = central.api(&format!("/api/v1/links/{link}/refused-reports"));
    let codes: Vec<_> = kept.as_array().expect("a list").iter().map(|kept| kept["code"].as_str()).collect();
    assert_eq!(codes.len(), 2);
    assert!(codes.contains(&Some("fork")) && codes.contains(&Some("broken-chain")), "{codes:?}");
    let digest = seatline_protocol::Digest::of(forged.as_bytes());
    let path = format!("/api/v1/links/{link}/refused-reports/{digest}");
    let evidence = central.request("GET", &path, None).body_mut().read_to_string().expect("text");
    assert_eq!(evidence, forged);
    let next = original.report(12);
    assert_eq!(original.send(&central, &[next]).receipts.len(), 1, "the original goes on");
}

#[test]
fn an_invite_serves_the_first_product_alone_and_that_one_again() {
    let central = Central::started();
    central.application("Company wiki");
    let invite = central.invite(Some("Company wiki"));
    let (mut first, mut second) = (Product::new(1, &invite), Product::new(2, &invite));
    let welcome = first.exchange(&central);
    first.take(&welcome);
    assert_eq!(second.take(&second.exchange(&central))[0].code, "invite-unknown");
    assert_eq!(second.link, None);
    let again = first.exchange(&central);
    assert_eq!(again.welcome, welcome.welcome, "the answer may have been lost on the way");
    let other = Product::new(1, &central.invite(Some("Company wiki")));
    assert_eq!(other.exchange(&central).refusals[0].code, "invite-unknown", "a key has one link");
}

#[test]
fn a_pending_link_reports_once_it_is_approved() {
    let central = Central::started();
    central.application("Company wiki");
    let mut product = Product::new(1, &central.invite(None));
    let response = product.exchange(&central);
    assert!(product.take(&response).is_empty());
    assert_eq!(product.state, Some(WelcomeState::Pending), "the pseudonym key is not given away before");
    assert_eq!(product.settings, None);
    let sealed = product.report(7);
    assert_eq!(product.refused(&central, std::slice::from_ref(&sealed)), ["link-pending"]);
    let link = product.link.clone().expect("it has one").to_string();
    let listed = central.json(&["link", "list"]);
    assert_eq!(listed[0]["fingerprint"], product.key.public().fingerprint(), "both sides show the same");
    central.json(&["link", "approve", &link, "--application", "company WIKI"]);
    let response = product.exchange(&central);
    assert!(product.take(&response).is_empty());
    assert!(matches!(product.state, Some(WelcomeState::Approved { .. })));
    let response = product.send(&central, std::slice::from_ref(&sealed));
    assert_eq!(response.receipts.len(), 1);
    central.json(&["link", "suspend", &link]);
    let next = product.report(8);
    assert_eq!(product.refused(&central, std::slice::from_ref(&next)), ["link-suspended"]);
    assert_eq!(product.exchange(&central).refusals[0].code, "link-suspended");
    central.json(&["link", "approve", &link, "--application", "Company wiki"]);
    assert_eq!(product.send(&central, &[next]).receipts.len(), 1, "nothing was lost meanwhile");
}

#[test]
fn all_products_get_the_same_pseudonym_key() {
    let central = Central::started();
    let (first, second) = (central.linked("One", 1), central.linked("Two", 2));
    assert_eq!(first.state, second.state);
}

#[test]
fn w6_changed_settings_come_with_the_next_exchange() {
    let central = Central::started();
    let mut product = central.linked("Company wiki", 1);
    let link = product.link.clone().expect("linked").to_string();
    central.json(&["link", "settings", &link, "--interval", "60", "--counting", "first-sign-in"]);
    let sealed = product.report(1);
    let response = product.send(&central, &[sealed]);
    product.take(&response);
    let settings = product.settings.expect("they came");
    assert_eq!((settings.revision, settings.interval, settings.dormancy_days), (2, 60, 90));
}

#[test]
fn w5_a_run_that_failed_is_reported_as_such_and_counts_nothing_wrongly() {
    let central = Central::started();
    let mut product = central.linked("Company wiki", 1);
    let good = product.report(50);
    let failure = Failure { code: "accounts-unreadable".to_owned(), message: "the database is locked".to_owned() };
    let failed = product.seal(&product.draft(Outcome::Failed(failure)));
    product.sealed.push(failed.clone());
    product.send(&central, &[good, failed]);
    let licenses = central.json(&["licenses", "Company wiki"]);
    assert_eq!(licenses["troubles"][0]["code"], "run-failed");
    assert!(licenses["troubles"][0]["message"].as_str().expect("text").contains("the database is locked"));
    assert_eq!((&licenses["reported"]["sequence"], &licenses["counted"]["sequence"]), (&2.into(), &1.into()));
    assert_eq!(licenses["counted"]["accounts"]["counted"], 50, "what was counted last stays");
}

#[test]
fn a_report_by_any_other_key_or_name_is_refused() {
    let central = Central::started();
    let (mut product, other) = (central.linked("One", 1), central.linked("Two", 2));
    let draft = product.draft(counts(3));
    let stranger = seal(&draft, &SecretKey::from_seed(&[9; 32])).expect("sealed");
    assert_eq!(product.refused(&central, &[stranger]), ["link-unknown"]);
    let in_anothers_name = other.seal(&draft);
    assert_eq!(product.refused(&central, &[in_anothers_name]), ["link-unknown"]);
    let good = product.report(3);
    let mut changed = good.clone().into_bytes();
    changed[40] ^= 1;
    let changed = String::from_utf8(changed).expect("still ASCII");
    let codes = product.refused(&central, &[changed]);
    assert!(["bad-signature", "damaged"].contains(&codes[0].as_str()), "{codes:?}");
    assert_eq!(product.refused(&central, &[good[..good.len() - 9].to_owned()]), ["truncated"]);
    assert_eq!(product.send(&central, &[good]).receipts.len(), 1, "what was refused left nothing behind");
}

#[test]
fn a_document_in_anothers_place_is_refused_by_what_it_is() {
    let central = Central::started();
    let product = central.linked("One", 1);
    let join = product.join();
    assert_eq!(product.refused(&central, std::slice::from_ref(&join)), ["wrong-purpose"]);
    let report = product.draft(counts(1));
    let as_join = seal_introducing(&report, &product.key).expect("sealed");
    let response = send(&central, &ExchangeRequest { join: Some(as_join), ..Default::default() });
    assert_eq!((response.refusals[0].document.as_str(), response.refusals[0].code.as_str()), ("join", "wrong-purpose"));
    let settings = product.settings.clone().expect("it has some");
    let own = seal(&settings, &product.key).expect("sealed");
    assert_eq!(product.refused(&central, &[own]), ["wrong-purpose"]);
}

#[test]
fn a_report_from_the_future_waits_for_its_time() {
    let central = Central::started();
    let mut product = central.linked("One", 1);
    let mut draft = product.draft(counts(1));
    draft.observed_at += jiff::SignedDuration::from_hours(25);
    assert_eq!(product.refused(&central, &[product.seal(&draft)]), ["future-report"]);
    draft.observed_at -= jiff::SignedDuration::from_hours(2);
    let sealed = product.seal(&draft);
    product.sealed.push(sealed.clone());
    assert_eq!(product.send(&central, &[sealed]).receipts.len(), 1, "clocks may differ by a day");
}

#[test]
fn one_bad_report_holds_up_no_other() {
    let central = Central::started();
    let mut product = central.linked("One", 1);
    let (first, second) = (product.report(1), product.report(2));
    let response = product.send(&central, &[first, "v4.public.garbage".to_owned(), second, String::new()]);
    assert_eq!(response.receipts.len(), 2);
    let refusals: Vec<_> = response.refusals.iter().map(|refusal| (refusal.index, refusal.code.as_str())).collect();
    assert_eq!(refusals, [(Some(1), "truncated"), (Some(3), "empty")]);
}

#[test]
fn an_exchange_may_bring_the_reports_of_many_links() {
    let central = Central::started();
    let (mut one, mut two) = (central.linked("One", 1), central.linked("Two", 2));
    let reports = [one.report(1), two.report(2), one.report(3), two.report(4)];
    let response = one.send(&central, &reports);
    assert_eq!((response.receipts.len(), response.refusals.len()), (4, 0));
}

#[test]
fn an_expired_invite_is_refused_by_its_reason() {
    let central = Central::started();
    let invite = central.invite(None);
    let database = rusqlite::Connection::open(central.file("central.db")).expect("opened");
    database.busy_timeout(std::time::Duration::from_secs(10)).expect("set");
    // Half an hour passes.
    database.execute("UPDATE invites SET expires_at = expires_at - 1800000", []).expect("changed");
    assert_eq!(Product::new(1, &invite).exchange(&central).refusals[0].code, "invite-expired");
}

/// What an instance says with the key of its link: its server ID was `from`, and is `to`.
fn says(product: &Product, from: u8, to: u8, answer: Option<ContinuityAnswer>) -> String {
    let statement = Continuity {
        link: product.link.clone().expect("it is linked"),
        previous: ServerId::from_random([from; 20]),
        present: ServerId::from_random([to; 20]),
        changed_at: "2026-03-01T12:00:00Z".parse().expect("a time"),
        changed: [IdentityPart::Host, IdentityPart::Schema].into(),
        staging: false,
        answer,
    };
    seal(&statement, &product.key).expect("sealed")
}

#[test]
fn b4_the_old_identity_vouches_for_the_new_and_the_change_is_shown() {
    let central = Central::started();
    let mut product = central.linked("Company wiki", 1);
    let first = product.report(10);
    product.send(&central, &[first]);
    let stating = |statements: &[String]| {
        send(&central, &ExchangeRequest { continuity: statements.to_vec(), ..Default::default() })
    };
    let asked = says(&product, 1, 2, None);
    let digest = seatline_protocol::Digest::of(asked.as_bytes());
    for _ in 0..2 {
        let answer = stating(std::slice::from_ref(&asked));
        assert_eq!((answer.noted, answer.refusals), (vec![digest.clone()], vec![]), "also when it comes again");
        assert!(answer.settings.is_some());
    }
    let shown = central.json(&["licenses", "Company wiki"]);
    assert_eq!(shown["troubles"][0]["code"], "server-id-changed", "{shown:#}");
    let message = shown["troubles"][0]["message"].as_str().expect("a message");
    for part in ["moved, staging or restored?", "the database's host and the schema", "seatline server-id confirm"] {
        assert!(message.contains(part), "{message}");
    }
    assert_eq!(shown["identity_changes"].as_array().map(Vec::len), Some(1));
    let text = central.run(&["licenses", "Company wiki"]).stdout;
    let text = String::from_utf8(text).expect("text");
    assert!(text.contains("nobody has said what it was"), "{text}");

    stating(&[says(&product, 1, 2, Some(ContinuityAnswer::Restored))]);
    let shown = central.json(&["licenses", "Company wiki"]);
    assert_eq!((&shown["troubles"], &shown["identity_changes"][0]["answer"]), (&json!([]), &json!("restored")));
    assert_eq!(shown["counted"]["accounts"]["counted"], 10, "nothing is lost");
}

#[test]
fn b4_nobody_vouches_for_an_identity_but_the_key_of_an_approved_link() {
    let central = Central::started();
    let (product, other) = (central.linked("Company wiki", 1), central.linked("Build server", 2));
    let codes = |statements: Vec<String>| -> Vec<String> {
        let answer = send(&central, &ExchangeRequest { continuity: statements, ..Default::default() });
        assert!(answer.noted.is_empty() && answer.settings.is_none());
        answer.refusals.into_iter().map(|refusal| refusal.code).collect()
    };
    // A stranger's key, another link's key, a torn seal, another document, and no document.
    let stranger = Product { key: SecretKey::from_seed(&[9; 32]), ..product.clone() };
    let foreign = Product { key: other.key.clone(), ..product.clone() };
    let torn = says(&product, 1, 2, None).replacen("v4.public.e", "v4.public.f", 1);
    let report = product.seal(&product.draft(counts(1)));
    let sent = vec![says(&stranger, 1, 2, None), says(&foreign, 1, 2, None), torn, report, "x".to_owned()];
    let refused = codes(sent);
    assert_eq!(refused[..2], ["link-unknown", "link-unknown"]);
    assert_eq!(refused.len(), 5, "{refused:?}");
    let link = product.link.clone().expect("linked").to_string();
    central.json(&["link", "suspend", &link]);
    assert_eq!(codes(vec![says(&product, 1, 2, None)]), ["link-suspended"]);
    assert_eq!(central.json(&["licenses", "Company wiki"])["identity_changes"], json!([]));
}
