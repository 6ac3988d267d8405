//! Products that wait for news (`w6`): they get it within a second, hold one place each, and strangers hold none.

mod support;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use seatline_protocol::seal::{open, seal};
use seatline_protocol::wait::MAX_SECONDS;
use seatline_protocol::{ExchangeResponse, LinkId, SecretKey, Settings, Wait};
use serde_json::json;
use support::{Central, Product, agent, send};

/// A wish to wait, sealed by the product's key.
fn wish(product: &Product, seconds: u64) -> String {
    let revision = product.settings.as_ref().map_or(0, |settings| settings.revision);
    let link = product.link.clone().expect("it is linked");
    sealed(&Wait { link, revision, seconds, issued_at: Timestamp::now() }, &product.key)
}

fn sealed(wait: &Wait, key: &SecretKey) -> String {
    json!({ "wait": seal(wait, key).expect("sealed") }).to_string()
}

/// What a request is answered, with its status.
fn ask(url: &str, body: &str) -> (u16, ExchangeResponse) {
    let sent = agent().post(format!("{url}/link/v1/wait")).header("content-type", "application/json").send(body);
    let mut response = sent.expect("answered");
    (response.status().as_u16(), response.body_mut().read_json().expect("an answer"))
}

/// How long a product waits at the most. Nobody else is near it: whoever does not wait is answered in milliseconds.
const LONGEST: Duration = Duration::from_secs(MAX_SECONDS);

/// The code of the only refusal.
fn refused(url: &str, body: &str) -> String {
    let begun = Instant::now();
    let (status, answer) = ask(url, body);
    assert_eq!(status, 200, "{answer:?}");
    assert!(begun.elapsed() < LONGEST, "it did not wait");
    let [refusal] = &answer.refusals[..] else { panic!("one refusal: {answer:?}") };
    refusal.code.clone()
}

/// Waits in another thread.
fn wait(central: &Central, product: &Product, seconds: u64) -> thread::JoinHandle<(u16, ExchangeResponse)> {
    let (url, body) = (central.url().to_owned(), wish(product, seconds));
    thread::spawn(move || ask(&url, &body))
}

#[test]
fn w6_who_waits_is_told_within_two_seconds_what_another_process_has_changed() {
    let central = Central::started();
    let mut product = central.linked("Company wiki", 1);
    let link = product.link.clone().expect("a link").to_string();
    // A machine that is busy with something else has more than one try.
    let mut times = Vec::new();
    while times.iter().all(|took| *took > Duration::from_secs(2)) {
        assert!(times.len() < 10, "{times:?}");
        let waiting = wait(&central, &product, MAX_SECONDS);
        central.json(&["link", "sync", &link]);
        let changed = Instant::now();
        let (status, answer) = waiting.join().expect("no panic");
        times.push(changed.elapsed());
        assert_eq!(status, 200);
        let settings: Settings =
            open(&answer.settings.expect("settings"), std::slice::from_ref(&product.central)).expect("sealed");
        assert_eq!((settings.revision, settings.demanded_at.is_some()), (1 + times.len() as u64, true));
        assert!(ask(central.url(), &wish(&product, MAX_SECONDS)).1.settings.is_some(), "and who comes later at once");
        product.settings = Some(settings);
    }
    assert_eq!(ask(central.url(), &wish(&product, 1)), (200, ExchangeResponse::default()), "its time is over");
}

#[test]
fn w3_a_product_that_waits_for_its_approval_is_told_of_it() {
    let central = Central::started();
    central.application("Company wiki");
    let mut product = Product::new(1, &central.invite(None));
    let response = product.exchange(&central);
    product.take(&response);
    let waiting = wait(&central, &product, 50);
    let link = product.link.clone().expect("a link").to_string();
    central.json(&["link", "approve", &link, "--application", "Company wiki"]);
    assert!(waiting.join().expect("no panic").1.settings.is_some());
}

#[test]
fn a_wait_that_proves_nothing_holds_no_connection() {
    let central = Central::started();
    let (product, other) = (central.linked("Company wiki", 1), central.linked("Other wiki", 2));
    let url = central.url();
    let now = Timestamp::now();
    let link = product.link.clone().expect("a link");
    let of = |link: &LinkId, issued_at, key: u8| {
        sealed(&Wait { link: link.clone(), revision: 9, seconds: 50, issued_at }, &SecretKey::from_seed(&[key; 32]))
    };
    assert_eq!(refused(url, &of(&link, now, 99)), "link-unknown", "a stranger");
    assert_eq!(refused(url, &of(&link, now, 2)), "link-unknown", "the key of another link");
    assert_eq!(refused(url, &of(&link, now - SignedDuration::from_hours(25), 1)), "wrong-clock", "replayed later");
    assert_eq!(refused(url, &json!({ "wait": "v4.public.garbage" }).to_string()), "truncated");
    let report = json!({ "wait": product.clone().report(1) }).to_string();
    assert_eq!(refused(url, &report), "wrong-purpose");
    for (body, status) in [("{}", 400), ("garbage", 400), (&*"x".repeat(5000), 413)] {
        assert_eq!(ask(url, body).0, status, "{}", &body[..2]);
    }
    central.json(&["link", "suspend", other.link.as_ref().expect("a link").as_str()]);
    assert_eq!(refused(url, &wish(&other, 50)), "link-suspended");
    central.json(&["link", "remove", link.as_str(), "--yes"]);
    assert_eq!(refused(url, &wish(&product, 50)), "link-removed");
    assert!(ask(url, &wish(&product, 50)).1.removal.is_some(), "with the proof of it");
}

#[test]
fn a_link_has_one_place_and_all_places_are_bounded() {
    let mut central = Central::started();
    let (first, second) = (central.linked("Company wiki", 1), central.linked("Other wiki", 2));
    central.end();
    central.start_with(&["--waiting", "1"]);
    // Where the second comes before the first, it has the place for its second, and the first is turned away: once
    // more.
    let (waiting, full) = loop {
        let waiting = wait(&central, &first, 50);
        let (status, answer) = ask(central.url(), &wish(&second, 1));
        if status != 200 {
            break (waiting, (status, answer.refusals[0].code.clone()));
        }
    };
    assert_eq!(full, (503, "unavailable".to_owned()));
    let again = wait(&central, &first, 50);
    let (status, answer) = waiting.join().expect("no panic");
    assert_eq!((status, answer), (200, ExchangeResponse::default()), "the newer one has its place");
    let report = second.clone().report(1);
    let response = send(&central, &seatline_protocol::ExchangeRequest { reports: vec![report], ..Default::default() });
    assert_eq!(response.receipts.len(), 1, "reports are taken all the while");
    assert_eq!(central.end(), Some(0));
    assert_eq!(again.join().expect("no panic").0, 200, "who waits is answered at the end, and not cut off after it");
}

/// The memory of the server in KiB.
fn resident(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("its memory");
    line.split_whitespace().nth(1).expect("a number").parse().expect("KiB")
}

#[test]
fn a_product_that_waits_costs_little_memory() {
    const WAITING: u16 = 200;
    let central = Central::started();
    let products: Vec<Product> = (0..WAITING).map(|n| linked(&central, n)).collect();
    let before = resident(central.pid());
    let held: Vec<TcpStream> = products
        .iter()
        .map(|product| {
            let body = wish(product, 50);
            let mut stream = TcpStream::connect(central.url().trim_start_matches("http://")).expect("connected");
            let head = "POST /link/v1/wait HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
            write!(stream, "{head}content-length: {}\r\n\r\n{body}", body.len()).expect("sent");
            stream
        })
        .collect();
    // The one that came last is answered after all others have their places.
    let mut last = held.last().expect("many").try_clone().expect("a stream");
    central.application("Wiki");
    let link = products.last().and_then(|product| product.link.as_ref()).expect("a link").as_str();
    central.json(&["link", "approve", link, "--application", "Wiki"]);
    assert!(last.read(&mut [0; 16]).expect("an answer") > 0);
    let each = resident(central.pid()).saturating_sub(before) / u64::from(WAITING);
    assert!(each < 48, "{each} KiB for each that waits");
}

/// A product of its own, of a link that waits for nobody's approval.
fn linked(central: &Central, n: u16) -> Product {
    let mut made = central.request("POST", "/api/v1/invites", Some(&json!({})));
    let made: serde_json::Value = made.body_mut().read_json().expect("JSON");
    let mut product = Product::new(1, made["invite"].as_str().expect("an invite"));
    let mut seed = [7; 32];
    seed[..2].copy_from_slice(&n.to_le_bytes());
    product.key = SecretKey::from_seed(&seed);
    let response = product.exchange(central);
    product.take(&response);
    product
}
