//! Products that report all the time, and what must be true of their chains afterwards, whatever happened meanwhile.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use seatline_protocol::{ExchangeRequest, ExchangeResponse, Sequence};
use serde_json::json;

use super::{Central, Product, agent};

/// How long a story waits for receipts before it fails.
const PATIENCE: Duration = Duration::from_secs(120);

/// Arguments of a server that is sent more than any product should send, and is to take it.
const AT_ANY_RATE: [&str; 2] = ["--documents-per-second", "1000000"];

/// Two servers on one database that take as much as they are sent, and so many products that are linked.
pub fn pair(database: &str, products: u8) -> (Central, Central, Vec<Product>) {
    let mut one = Central::started_on(database);
    let mut other = one.replica();
    one.end();
    one.start_with(&AT_ANY_RATE);
    other.start_with(&AT_ANY_RATE);
    let products = (1..=products).map(|n| one.linked(&format!("Application {n}"), n)).collect();
    (one, other, products)
}

/// What the products send to, and what came of it.
pub struct Stream {
    /// The servers, asked in turn.
    urls: Mutex<Vec<String>>,
    receipts: AtomicUsize,
    refused: AtomicUsize,
    is_over: AtomicBool,
}

impl Stream {
    /// Nothing sent yet.
    pub fn to(servers: &[&Central]) -> Self {
        let urls = servers.iter().map(|server| server.url().to_owned()).collect();
        Self { urls: Mutex::new(urls), receipts: 0.into(), refused: 0.into(), is_over: false.into() }
    }

    /// Reports until the end, at whichever server it is told; what has no receipt stays in the product's outbox. Every
    /// answer is receipts, or 503 with the time to wait.
    fn report(&self, product: &mut Product) {
        let mut turn = 0;
        while !self.is_over.load(Ordering::Relaxed) {
            turn += 1;
            let stored = product.receipts.len();
            while product.sealed.len() < stored + 3 {
                let next = product.sealed.len() as u64 + 1;
                product.report(next);
            }
            let url = {
                let urls = self.urls.lock().expect("the servers");
                urls[turn % urls.len()].clone()
            };
            let request = ExchangeRequest { reports: product.sealed[stored..].to_vec(), ..Default::default() };
            let sent = agent().post(format!("{url}/link/v1/exchange")).send_json(&request);
            // A server that was killed answers nothing at all.
            let Ok(mut response) = sent else { continue };
            match response.status().as_u16() {
                200 => {
                    let Ok(response) = response.body_mut().read_json() else { continue };
                    assert_eq!(product.take(&response), []);
                    self.receipts.fetch_add(product.receipts.len() - stored, Ordering::Relaxed);
                }
                status => {
                    assert_eq!(status, 503);
                    assert!(response.headers().contains_key("retry-after"), "{response:?}");
                    self.refused.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
    }

    /// Waits until so many more receipts have come.
    pub fn more(&self, count: usize) {
        let (begin, deadline) = (self.receipts.load(Ordering::Relaxed), Instant::now() + PATIENCE);
        while self.receipts.load(Ordering::Relaxed) < begin + count {
            assert!(Instant::now() < deadline, "no receipts come any more");
            thread::yield_now();
        }
    }

    /// How many exchanges were answered by 503.
    pub fn refused(&self) -> usize {
        self.refused.load(Ordering::Relaxed)
    }

    /// Has the products report while `story` is told, and ends with it, also where it fails: nobody waits for those who
    /// report for ever.
    pub fn during(&self, products: &mut [Product], story: impl FnOnce()) {
        thread::scope(|scope| {
            let _end = End(self);
            for product in products {
                scope.spawn(|| self.report(product));
            }
            self.more(40);
            story();
        });
    }

    /// The second server was killed: starts it again, and sends there from now on.
    pub fn restart(&self, other: &mut Central) {
        other.start_with(&AT_ANY_RATE);
        self.urls.lock().expect("the servers")[1] = other.url().to_owned();
    }
}

/// Ends the reporting when it goes.
struct End<'s>(&'s Stream);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.is_over.store(true, Ordering::Relaxed);
    }
}

/// Sends reports again until they are answered: the database may still be looking for what has just gone.
fn insist(central: &Central, reports: &[String]) -> ExchangeResponse {
    let request = ExchangeRequest { reports: reports.to_vec(), ..Default::default() };
    let deadline = Instant::now() + PATIENCE;
    loop {
        let sent = agent().post(format!("{}/link/v1/exchange", central.url())).send_json(&request);
        if let Ok(mut response) = sent
            && response.status() == 200
        {
            return response.body_mut().read_json().expect("an answer");
        }
        assert!(Instant::now() < deadline, "they are not answered");
        thread::yield_now();
    }
}

/// Every report with a receipt is there, once, and the receipts are those of the first time; the chain has no gap.
pub fn is_whole(product: &mut Product, central: &Central) {
    for (place, receipt) in product.receipts.iter().enumerate() {
        assert_eq!(receipt.sequence, Sequence::try_from(place as u64 + 1).expect("a number"));
    }
    let receipted = product.receipts.len();
    for chunk in product.sealed.clone().chunks(50) {
        let response = insist(central, chunk);
        assert_eq!((product.take(&response), response.receipts.len()), (vec![], chunk.len()));
    }
    assert_eq!(product.receipts[receipted..2 * receipted], product.receipts[..receipted], "those of the first time");
    let link = product.link.clone().expect("linked");
    let chain = &central.api(&format!("/api/v1/links/{link}"))["chain"];
    let stored = product.sealed.len();
    assert_eq!((&chain["stored"], &chain["gaps"], &chain["forks"]), (&json!(stored), &json!([]), &json!(0)));
}
