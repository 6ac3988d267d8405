//! The products of a fleet, each made from its number, and what they report.

use jiff::Timestamp;
use seatline_protocol::exchange::{ExchangeRequest, PATH};
use seatline_protocol::report::{AccountCounts, Collected, Outcome, ProductFacts, Report, Reporter};
use seatline_protocol::{Counting, Digest, LinkId, SecretKey, Sequence, ServerId, seal};

use crate::Problem;
use crate::counting::sketch_of;

/// The people of each product: a department.
const PEOPLE: u64 = 60;

/// A product with its link.
pub struct Product {
    pub number: u32,
    pub link: LinkId,
    sent: u64,
    previous: Option<Digest>,
}

/// A sealed report, as it is sent and as it was meant.
pub struct Made {
    pub sealed: String,
    pub digest: Digest,
    pub report: Report,
}

impl Product {
    pub fn new(number: u32) -> Self {
        Self { number, link: LinkId::from_random(bytes(number)), sent: 0, previous: None }
    }

    /// The key of its link.
    pub fn key(&self) -> SecretKey {
        SecretKey::from_seed(&bytes(self.number))
    }

    /// How it presents itself.
    pub fn facts(&self) -> Result<ProductFacts, Problem> {
        Ok(ProductFacts {
            id: "example-wiki".parse()?,
            name: format!("Example Wiki {}", self.number),
            version: "4.2.0".to_owned(),
            edition: None,
            server_id: ServerId::from_random(bytes(self.number)),
            staging: false,
            nodes: Vec::new(),
        })
    }

    /// How many reports it has made.
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// Its next report.
    pub fn report(&mut self, people: &[u8]) -> Result<Made, Problem> {
        self.sent += 1;
        let accounts = AccountCounts {
            total: PEOPLE + 6,
            counted: PEOPLE,
            deactivated: 4,
            no_access: 1,
            never_signed_in: 0,
            service_accounts: 1,
            dormant: 3,
            dormancy_days: 90,
            counting: Counting::Account,
        };
        let collected = Collected { accounts: Some(accounts), people: Some(people.to_vec()), ..Collected::default() };
        let report = Report {
            link: self.link.clone(),
            sequence: Sequence::try_from(self.sent)?,
            previous: self.previous.clone(),
            observed_at: Timestamp::now(),
            trigger: "interval".to_owned(),
            reporter: Reporter { host: "0.1.0".to_owned(), plugin: None },
            product: self.facts()?,
            outcome: Outcome::Collected(Box::new(collected)),
        };
        let sealed = seal::seal(&report, &self.key())?;
        let digest = Digest::of(sealed.as_bytes());
        self.previous = Some(digest.clone());
        Ok(Made { sealed, digest, report })
    }
}

/// The people that every product of the fleet reports.
pub fn people() -> Vec<u8> {
    sketch_of(PEOPLE)
}

/// The requests of `number` reports, one product after the other, from the first again after the last. A report whose
/// predecessor is among them stands as far behind it as there are products.
pub fn reports(fleet: &mut [Product], number: usize) -> Result<Vec<Vec<u8>>, Problem> {
    let (people, products) = (people(), fleet.len());
    (0..number).map(|n| request(fleet[n % products].report(&people)?.sealed)).collect()
}

fn request(sealed: String) -> Result<Vec<u8>, Problem> {
    let body = serde_json::to_string(&ExchangeRequest { reports: vec![sealed], ..Default::default() })?;
    let head = format!(
        "POST {PATH} HTTP/1.1\r\nhost: central\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    Ok((head + &body).into_bytes())
}

/// Bytes that no other number below a million has. Ids take five bits of each byte.
pub fn bytes<const N: usize>(number: u32) -> [u8; N] {
    let mut bytes = [0; N];
    for (place, byte) in bytes.iter_mut().take(4).enumerate() {
        *byte = (number >> (5 * place)) as u8 & 31;
    }
    bytes[4] = 1;
    bytes
}
