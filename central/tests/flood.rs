//! A linked product that floods: it waits, and nobody else does. What only looks as if it came from it costs it
//! nothing.

mod support;

use seatline_protocol::exchange::MAX_REPORTS;
use seatline_protocol::seal::seal;
use seatline_protocol::{ExchangeRequest, ExchangeResponse, Wait};
use serde::Serialize;
use serde_json::{Value, json};
use support::{Central, Product, agent, counts, send};

/// How many documents a product may send at once, as docs/operations.md says.
const AT_ONCE: usize = 2400;
/// Where the product is, and a stranger.
const HERE: &str = "192.0.2.1";
const ELSEWHERE: &str = "192.0.2.2";

/// A server behind a proxy, on which whoever has to wait waits long.
fn central() -> Central {
    let mut central = Central::started();
    restart(&mut central);
    central
}

fn restart(central: &mut Central) {
    central.end();
    central.start_with(&["--proxy", "127.0.0.1", "--documents-per-second", "1"]);
}

/// What a request from an address is answered: the status, `Retry-After`, and the answer.
fn post(central: &Central, from: &str, path: &str, body: &impl Serialize) -> (u16, Option<u64>, ExchangeResponse) {
    let sent = agent().post(format!("{}{path}", central.url())).header("X-Forwarded-For", from).send_json(body);
    let mut response = sent.expect("answered");
    let seconds =
        response.headers().get("retry-after").map(|value| value.to_str().expect("text").parse().expect("seconds"));
    (response.status().as_u16(), seconds, response.body_mut().read_json().expect("an answer of the same form"))
}

fn exchange(central: &Central, from: &str, request: &ExchangeRequest) -> (u16, Option<u64>, ExchangeResponse) {
    post(central, from, "/link/v1/exchange", request)
}

fn reports(reports: &[String]) -> ExchangeRequest {
    ExchangeRequest { reports: reports.to_vec(), ..ExchangeRequest::default() }
}

/// The first reports of a product, as many as an exchange takes.
fn first_reports(product: &mut Product) -> ExchangeRequest {
    let made: Vec<String> = (0..MAX_REPORTS).map(|n| product.report(n as u64)).collect();
    reports(&made)
}

/// Sends a request again and again until it is not answered any more; gives how many documents were.
fn flood(central: &Central, from: &str, request: &ExchangeRequest) -> usize {
    let mut answered = 0;
    loop {
        let (status, seconds, response) = exchange(central, from, request);
        if status != 200 {
            let [refusal] = &response.refusals[..] else { panic!("one refusal: {response:?}") };
            assert_eq!((status, refusal.code.as_str()), (503, "too-many-documents"), "{refusal:?}");
            assert!(seconds.is_some_and(|seconds| seconds >= 1), "it says when to come again");
            assert!(!refusal.message.contains('\n') && refusal.message.contains("seconds"), "{refusal:?}");
            assert!(response.receipts.is_empty() && response.settings.is_none());
            return answered;
        }
        answered += request.documents().count();
        assert!(answered < 3 * AT_ONCE, "nothing holds it back");
    }
}

fn troubles(central: &Central, application: &str) -> Vec<Value> {
    let applications = central.api("/api/v1/applications")["items"].as_array().expect("a list").clone();
    let found = applications.iter().find(|found| found["name"] == application).expect("it is there");
    let licenses = central.api(&format!("/api/v1/applications/{}/licenses", found["id"].as_str().expect("an id")));
    licenses["troubles"].as_array().expect("a list").clone()
}

#[test]
fn a_product_that_floods_is_told_to_wait_and_no_other_one_is() {
    let mut central = central();
    let (mut product, mut other) = (central.linked("Company wiki", 1), central.linked("Other wiki", 2));
    // From here on nothing is counted but what is sent below.
    restart(&mut central);
    let answered = flood(&central, HERE, &first_reports(&mut product));
    assert!((AT_ONCE..AT_ONCE + 2 * MAX_REPORTS).contains(&answered), "{answered}");

    // It waits with all that its key seals: reports that are new, a wish to wait, its join.
    let next = reports(&[product.report(99)]);
    assert_eq!(exchange(&central, HERE, &next).0, 503);
    let wait = Wait {
        link: product.link.clone().expect("it is linked"),
        revision: 0,
        seconds: 1,
        issued_at: jiff::Timestamp::now(),
    };
    let wish = json!({ "wait": seal(&wait, &product.key).expect("sealed") });
    let (status, seconds, refused) = post(&central, HERE, "/link/v1/wait", &wish);
    assert_eq!((status, refused.refusals[0].code.as_str()), (503, "too-many-documents"));
    assert!(seconds.is_some());
    let join = ExchangeRequest { join: Some(product.join()), ..ExchangeRequest::default() };
    assert_eq!(exchange(&central, HERE, &join).0, 503);

    // Another one behind the same address does not, nor does the same product from elsewhere.
    let (status, _, taken) = exchange(&central, HERE, &reports(&[other.report(5)]));
    assert_eq!((status, taken.receipts.len()), (200, 1));
    let (status, _, taken) = exchange(&central, ELSEWHERE, &next);
    assert_eq!((status, taken.receipts.len()), (200, 1));

    // Whoever looks after it is told, and nobody else.
    let told = troubles(&central, "Company wiki");
    assert_eq!(told[0]["code"], "too-many-documents", "{told:?}");
    assert!(told[0]["message"].as_str().is_some_and(|words| words.contains("suspend the link")), "{told:?}");
    assert_eq!(troubles(&central, "Other wiki"), Vec::<Value>::new());
    let metrics = central.text("/metrics");
    assert!(metrics.contains("seatline_central_exchanges_total{result=\"too-many-documents\"}"), "{metrics}");
    let stored = central.api(&format!("/api/v1/links/{}", product.link.as_ref().expect("linked")))["chain"].clone();
    assert_eq!(stored["stored"], MAX_REPORTS + 1, "{stored}");
}

#[test]
fn what_is_refused_of_a_product_counts_as_what_is_taken() {
    let central = central();
    let mut product = central.linked("Company wiki", 1);
    let first = product.report(1);
    assert_eq!(exchange(&central, HERE, &reports(&[first])).2.receipts.len(), 1);
    // Copies that conflict with its first report, none like the other.
    let mut copy = product.draft(counts(0));
    (copy.sequence, copy.previous) = (seatline_protocol::Sequence::FIRST, None);
    let mut forks = |n: usize| {
        copy.outcome = counts(1000 + n as u64);
        product.seal(&copy)
    };
    let forks: Vec<String> = (0..MAX_REPORTS).map(&mut forks).collect();
    let answered = flood(&central, HERE, &reports(&forks));
    assert!(answered < AT_ONCE + 2 * MAX_REPORTS, "{answered}");
    let link = central.api(&format!("/api/v1/links/{}", product.link.as_ref().expect("linked")));
    assert_eq!(
        (&link["chain"]["forks"], &link["chain"]["stored"]),
        (&json!(32), &json!(1)),
        "the others wrote nothing"
    );
    // A wish to wait in the place of a report: the seal holds, and the rest is as it may be.
    let wait = Wait {
        link: product.link.clone().expect("it is linked"),
        revision: 0,
        seconds: 1,
        issued_at: jiff::Timestamp::now(),
    };
    let odd = vec![seal(&wait, &product.key).expect("sealed"); MAX_REPORTS];
    let answered = flood(&central, ELSEWHERE, &reports(&odd));
    assert!(answered < AT_ONCE + 2 * MAX_REPORTS, "{answered}");
    assert_eq!(exchange(&central, ELSEWHERE, &ExchangeRequest::default()).0, 200, "its address is no stranger's");
}

#[test]
fn whoever_repeats_elsewhere_what_a_product_has_sent_waits_there_alone() {
    let central = central();
    let mut product = central.linked("Company wiki", 1);
    let captured = first_reports(&mut product);
    assert_eq!(exchange(&central, HERE, &captured).2.receipts.len(), MAX_REPORTS);
    flood(&central, ELSEWHERE, &captured);
    let (status, _, taken) = exchange(&central, HERE, &reports(&[product.report(7)]));
    assert_eq!((status, taken.receipts.len()), (200, 1), "the product itself is answered");
    assert_eq!(exchange(&central, ELSEWHERE, &captured).0, 503);
}

/// A report of the product that somebody has changed: it claims the product's key, and its seal does not hold.
fn forged(product: &mut Product) -> String {
    let sealed = product.clone().report(4711);
    let (body, footer) = sealed.rsplit_once('.').expect("a footer");
    let (start, end) = body.split_at(body.len() - 8);
    let end: String = end.chars().map(|c| if c == 'A' { 'B' } else { 'A' }).collect();
    format!("{start}{end}.{footer}")
}

#[test]
fn a_key_that_is_only_claimed_costs_its_product_nothing() {
    let central = central();
    let mut product = central.linked("Company wiki", 1);
    let forged = forged(&mut product);
    // Others behind the address of the product bring forged reports beside one of their own, which they pay for all.
    let mut brought = 0;
    for seed in 2..=3 {
        let mut other = central.linked(&format!("Wiki {seed}"), seed);
        let mut sent = vec![forged.clone(); MAX_REPORTS - 1];
        sent.push(other.report(1));
        let answer = exchange(&central, HERE, &reports(&sent)).2;
        let codes: Vec<&str> = answer.refusals.iter().map(|refusal| refusal.code.as_str()).collect();
        assert_eq!(codes, vec!["bad-signature"; MAX_REPORTS - 1]);
        brought += flood(&central, HERE, &reports(&sent));
    }
    assert!(brought > AT_ONCE + AT_ONCE / 2, "{brought}");
    let (status, _, taken) = exchange(&central, HERE, &reports(&[product.report(1)]));
    assert_eq!((status, taken.receipts.len()), (200, 1));
    assert_eq!(troubles(&central, "Company wiki"), Vec::<Value>::new());
}

#[test]
fn the_product_of_a_removed_link_is_told_so_and_not_for_ever() {
    let central = central();
    let mut product = central.linked("Company wiki", 1);
    let late = first_reports(&mut product);
    central.json(&["link", "remove", product.link.as_ref().expect("linked").as_str(), "--yes"]);
    assert!(exchange(&central, HERE, &late).2.removal.is_some());
    flood(&central, HERE, &late);
    assert_eq!(exchange(&central, HERE, &ExchangeRequest::default()).0, 200, "its address is no stranger's");
}

#[test]
fn g3_a_product_that_comes_back_after_months_brings_all_that_waits_at_once() {
    let central = Central::started();
    let mut product = central.linked("Company wiki", 1);
    // All that an outbox holds, and as much again that was held for approval.
    let waiting: Vec<String> = (0..2000).map(|n| product.report(n)).collect();
    for chunk in waiting.chunks(MAX_REPORTS) {
        let answer = send(&central, &reports(chunk));
        assert_eq!((answer.receipts.len(), answer.refusals.len()), (chunk.len(), 0), "{:?}", answer.refusals);
    }
}

#[test]
fn the_pace_that_a_product_may_keep_is_set_when_the_server_starts() {
    let mut central = Central::started();
    let mut product = central.linked("Company wiki", 1);
    for wrong in ["0", "1000001", "many"] {
        let output = central.run(&["serve", "--documents-per-second", wrong]);
        assert_eq!(output.status.code(), Some(2), "{wrong}");
    }
    central.end();
    central.start_with(&["--documents-per-second", "1000000"]);
    let request = first_reports(&mut product);
    for _ in 0..2 * AT_ONCE / MAX_REPORTS {
        assert_eq!(send(&central, &request).receipts.len(), MAX_REPORTS);
    }
}
