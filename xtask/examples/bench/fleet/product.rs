//! The products of a fleet, each made from its number, and what they report.

use jiff::Timestamp;
use seatline_protocol::exchange::{ExchangeRequest, PATH};
use seatline_protocol::repeat::Repeated;
use seatline_protocol::report::{AccountCounts, Collected, Outcome, ProductFacts, Report, Reporter};
use seatline_protocol::{Counting, Digest, Entry, LinkId, Repeat, SecretKey, Sequence, ServerId, seal};

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
    /// Its last report that said all.
    said: Option<Repeated>,
}

/// What a product has to say.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// What it said before: it repeats that, as the agent does.
    None,
    /// Another count.
    Count,
}

/// A sealed report, as it is sent and as it was meant.
pub struct Made {
    pub sealed: String,
    pub digest: Digest,
    pub entry: Entry,
}

impl Product {
    pub fn new(number: u32) -> Self {
        Self { number, link: LinkId::from_random(bytes(number)), sent: 0, previous: None, said: None }
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
    pub fn report(&mut self, people: &[u8], news: News) -> Result<Made, Problem> {
        self.sent += 1;
        let (sequence, now) = (Sequence::try_from(self.sent)?, Timestamp::now());
        let observed_at = Timestamp::from_millisecond(now.as_millisecond())?;
        let entry = match (news, &self.said, &self.previous) {
            (News::None, Some(said), Some(previous)) => Entry::Repeat(Repeat {
                repeats: said.clone(),
                link: self.link.clone(),
                sequence,
                previous: previous.clone(),
                observed_at,
                trigger: "interval".to_owned(),
            }),
            _ => self.full(sequence, observed_at, people)?.into(),
        };
        let sealed = seal::seal_entry(&entry, &self.key())?;
        let digest = Digest::of(sealed.as_bytes());
        self.previous = Some(digest.clone());
        if entry.full().is_some() {
            self.said = Some(Repeated { sequence, digest: digest.clone() });
        }
        Ok(Made { sealed, digest, entry })
    }

    /// A report that says all; what it counts is another number than in the report before.
    fn full(&self, sequence: Sequence, observed_at: Timestamp, people: &[u8]) -> Result<Report, Problem> {
        let accounts = AccountCounts {
            total: PEOPLE + 6,
            counted: PEOPLE,
            deactivated: 4,
            no_access: 1,
            never_signed_in: 0,
            service_accounts: 1,
            dormant: self.sent % PEOPLE,
            dormancy_days: 90,
            counting: Counting::Account,
        };
        let collected = Collected { accounts: Some(accounts), people: Some(people.to_vec()), ..Collected::default() };
        Ok(Report {
            link: self.link.clone(),
            sequence,
            previous: self.previous.clone(),
            observed_at,
            trigger: "interval".to_owned(),
            reporter: Reporter { host: "0.1.0".to_owned(), plugin: None },
            product: self.facts()?,
            outcome: Outcome::Collected(Box::new(collected)),
        })
    }
}

/// The people that every product of the fleet reports.
pub fn people() -> Vec<u8> {
    sketch_of(PEOPLE)
}

/// A prime that no size of a fleet is divisible by: how far the next product that reports is from the one before it.
const STRIDE: usize = 7_919;

/// The requests of `number` reports, of one product after the other, and from the first again after the last. Products
/// report in no order that the store knows: whoever follows has its rows elsewhere. A report whose predecessor is among
/// them stands as far behind it as there are products.
pub fn reports(fleet: &mut [Product], number: usize, news: News) -> Result<Vec<Vec<u8>>, Problem> {
    let (people, products) = (people(), fleet.len());
    (0..number).map(|n| request(fleet[n * STRIDE % products].report(&people, news)?.sealed)).collect()
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
