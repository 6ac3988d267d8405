//! Nothing that has a receipt is ever lost: the server is killed in the middle of its work, again and again.

mod support;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use seatline_protocol::{ExchangeRequest, Sequence};
use support::{Central, Product, try_send};

/// How many products report at once.
const PRODUCTS: u8 = 4;
/// How often the server is killed.
const KILLS: usize = 4;
/// How many receipts must have come before it is killed again.
const RECEIPTS_BETWEEN: usize = 40;

/// Reports until told to stop, or the server is gone; what has no receipt stays in the product's outbox.
fn report_on(product: &mut Product, url: &str, receipts: &AtomicUsize, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        let stored = product.receipts.len();
        while product.sealed.len() < stored + 3 {
            let next = product.sealed.len() as u64 + 1;
            product.report(next);
        }
        let request = ExchangeRequest { reports: product.sealed[stored..].to_vec(), ..Default::default() };
        let Some(response) = try_send(url, &request) else { return };
        assert!(product.take(&response).is_empty(), "{:?}", response.refusals);
        receipts.fetch_add(product.receipts.len() - stored, Ordering::Relaxed);
    }
}

#[test]
fn b1_every_report_with_a_receipt_is_there_after_kill_9() {
    let mut central = Central::started();
    let mut products: Vec<Product> = (1..=PRODUCTS).map(|n| central.linked(&format!("Application {n}"), n)).collect();
    for _ in 0..KILLS {
        let (receipts, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
        let url = central.url().to_owned();
        thread::scope(|scope| {
            for product in &mut products {
                scope.spawn(|| report_on(product, &url, &receipts, &stop));
            }
            while receipts.load(Ordering::Relaxed) < RECEIPTS_BETWEEN {
                thread::yield_now();
            }
            central.kill();
            stop.store(true, Ordering::Relaxed);
        });
        central.start();
        for product in &products {
            let link = product.link.clone().expect("linked");
            for (place, receipt) in product.receipts.iter().enumerate() {
                assert_eq!(receipt.sequence, Sequence::try_from(place as u64 + 1).expect("a number"));
            }
            let stored = central.api(&format!("/api/v1/links/{link}"))["chain"]["stored"].as_u64().expect("a count");
            assert!(stored >= product.receipts.len() as u64, "{stored} of {}", product.receipts.len());
        }
    }
    // What had no receipt is sent again: the chain ends whole, and every receipt is the one of the first time.
    for product in &mut products {
        let before = product.receipts.clone();
        for chunk in product.sealed.clone().chunks(50) {
            let response = product.send(&central, chunk);
            assert_eq!((response.receipts.len(), response.refusals.len()), (chunk.len(), 0));
        }
        let mut again = product.clone();
        again.receipts.clear();
        for chunk in product.sealed.chunks(50) {
            again.take(&product.send(&central, chunk));
        }
        assert_eq!(again.receipts[..before.len()], before[..]);
        let link = product.link.clone().expect("linked");
        let chain = central.api(&format!("/api/v1/links/{link}"))["chain"].clone();
        assert_eq!(chain["stored"].as_u64(), Some(product.sealed.len() as u64));
        assert_eq!((&chain["gaps"], &chain["forks"]), (&serde_json::json!([]), &serde_json::json!(0)));
        let path = format!("/api/v1/links/{link}/reports/{}", product.sealed.len());
        let bytes = central.request("GET", &path, None).body_mut().read_to_string().expect("text");
        assert_eq!(Some(&bytes), product.sealed.last());
    }
}
