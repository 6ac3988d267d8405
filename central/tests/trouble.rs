//! A file of the database that others hold, or whose disk is full: products are told to come again, and nothing that
//! was receipted is lost.

mod support;

use std::fs::File;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use seatline_protocol::ExchangeRequest;
use serde_json::json;
use support::{Central, Product, agent};

/// Larger than all that a small server has.
const DISK: u64 = 16 << 20;

/// Sends a report that cannot be stored now.
fn is_put_off(central: &Central, report: &str) {
    let request = ExchangeRequest { reports: vec![report.to_owned()], ..Default::default() };
    let mut response =
        agent().post(format!("{}/link/v1/exchange", central.url())).send_json(&request).expect("answered");
    assert_eq!(response.status(), 503);
    assert!(response.headers().contains_key("retry-after"), "{response:?}");
    let told: serde_json::Value = response.body_mut().read_json().expect("JSON");
    assert_eq!(told["refusals"][0]["code"], "unavailable");
    assert_eq!(told["receipts"], json!(null), "nothing is receipted that is not stored: {told}");
}

/// Everything that has a receipt is there, and the chain goes on.
fn goes_on(central: &Central, product: &mut Product) {
    let all = product.sealed.clone();
    let receipts = std::mem::take(&mut product.receipts);
    let response = product.send(central, &all);
    assert_eq!(product.take(&response), []);
    assert_eq!(product.receipts[..receipts.len()], receipts, "the receipts of the first time");
    let link = product.link.clone().expect("linked");
    let chain = &central.api(&format!("/api/v1/links/{link}"))["chain"];
    assert_eq!((&chain["stored"], &chain["gaps"]), (&json!(all.len()), &json!([])));
    assert_eq!(health(central), 200);
}

fn health(central: &Central) -> u16 {
    agent().get(format!("{}/healthz", central.url())).call().expect("answered").status().as_u16()
}

#[test]
fn b1_a_file_that_another_program_holds_puts_products_off_and_loses_nothing() {
    let central = Central::started();
    let mut product = central.linked("Company wiki", 1);
    let first = product.report(10);
    let response = product.send(&central, &[first]);
    assert_eq!(product.take(&response), []);

    let holder = Connection::open(central.file("central.db")).expect("the file");
    holder.execute_batch("BEGIN IMMEDIATE").expect("held");
    let second = product.report(11);
    let begun = Instant::now();
    is_put_off(&central, &second);
    assert!(begun.elapsed() < Duration::from_secs(30), "an end to the waiting");
    let cookie_free = agent().get(format!("{}/sign-in", central.url())).call().expect("answered");
    assert_eq!(cookie_free.status(), 200, "pages read on");
    holder.execute_batch("COMMIT").expect("let go");
    goes_on(&central, &mut product);
}

#[test]
fn b1_a_log_that_cannot_be_written_hinders_nothing() {
    let mut central = Central::started();
    let mut product = central.linked("Company wiki", 1);
    assert_eq!(central.end(), Some(0));
    let full = File::options().write(true).open("/dev/full").expect("a file that is full");
    central.start_logging_to(full.into(), &[], &[]);
    let first = product.report(10);
    let response = product.send(&central, &[first]);
    assert_eq!(product.take(&response), []);

    let holder = Connection::open(central.file("central.db")).expect("the file");
    holder.execute_batch("BEGIN IMMEDIATE").expect("held");
    let report = product.report(11);
    // The writer has something to say about it.
    is_put_off(&central, &report);
    holder.execute_batch("COMMIT").expect("let go");
    goes_on(&central, &mut product);
}

#[test]
fn what_a_command_cannot_tell_beside_its_result_hinders_nothing() {
    let central = Central::started();
    let unheard = |arguments: &[&str]| {
        let full = File::options().write(true).open("/dev/full").expect("a file that is full");
        let output = central.program().args(arguments).stderr(full).output().expect("the program runs");
        (output.status.code(), String::from_utf8(output.stdout).expect("text"))
    };
    let (status, invite) = unheard(&["invite"]);
    assert_eq!(status, Some(0));
    assert!(invite.starts_with("v4.public."), "an invite that was made is shown: {invite}");
    let (status, error) = unheard(&["history", "Nothing", "--json"]);
    assert_eq!(status, Some(1));
    assert!(error.contains("not-found"), "{error}");
}

#[test]
fn b1_a_full_disk_puts_products_off_and_loses_nothing() {
    let mut central = Central::idle();
    central.put_on_disk(DISK);
    let mut central = Central::begun(central);
    let mut product = central.linked("Company wiki", 1);
    let first = product.report(10);
    let response = product.send(&central, &[first]);
    assert_eq!(product.take(&response), []);

    central.disk().fill();
    // What the log has room for is still stored; then it is full.
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        assert!(Instant::now() < deadline, "the disk fills up");
        let report = product.report(11);
        let request = ExchangeRequest { reports: vec![report.clone()], ..Default::default() };
        let url = format!("{}/link/v1/exchange", central.url());
        let mut response = agent().post(url).send_json(&request).expect("answered");
        if response.status() == 503 {
            is_put_off(&central, &report);
            // Whoever balances the load looks here. An answer holds for a second.
            while health(&central) != 503 {
                assert!(Instant::now() < deadline, "it says that it is well");
            }
            break;
        }
        let stored = response.body_mut().read_json().expect("JSON");
        assert_eq!(product.take(&stored), []);
    }
    central.disk().make_room();
    while health(&central) != 200 {
        assert!(Instant::now() < deadline, "it is well again by itself, also where nobody reports");
    }
    goes_on(&central, &mut product);
    central.kill();
    central.start();
    goes_on(&central, &mut product);
}
