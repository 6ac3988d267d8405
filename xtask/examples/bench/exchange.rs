//! Exchanges at the central server, each stored and synced before its answer, against group commit of the bare rows.
//!
//! The server is the release binary on its SQLite store. Several products exchange one report each at a time, over
//! connections that stay open. The loop that it is held against writes the rows that such an exchange leaves - the
//! sealed report, the newest report of the link, the state of its chain - into the same database file: as many reports
//! in a transaction as there are products, with the same sync at every commit. It has no network, opens and makes no
//! seal, and looks at no chain: it is what the disk and SQLite allow at best. The products share the machine with the
//! server, so they do as little as they can: their requests are bytes that were made before.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rusqlite::{Connection, params};
use seatline_protocol::exchange::{ExchangeRequest, ExchangeResponse, PATH};
use seatline_protocol::license::Counting;
use seatline_protocol::report::{AccountCounts, Collected, Outcome, ProductFacts, Report, Reporter};
use seatline_protocol::{Digest, Invite, Join, LinkId, PublicKey, SecretKey, Sequence, ServerId, Welcome, seal};
use seatline_tests::Central;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::counting::sketch_of;
use crate::figure::{Figure, Goal};
use crate::{Bench, Problem};

/// How many products report at once: with half as many, the server waits for them a sixth of the time.
const PRODUCTS: usize = 64;
/// How many reports each of them makes in a round: enough that the log is written back into the database many times.
const REPORTS: usize = 400;
const ROUNDS: usize = 5;

/// The figures of central.
pub fn measure(bench: &Bench) -> Result<Vec<Figure>, Problem> {
    let mut central = Central::start();
    let (number, each) = (bench.part(PRODUCTS), bench.part(REPORTS));
    let mut products = Vec::new();
    for n in 0..number {
        products.push(Product::linked(&central, n)?);
    }
    let (mut exchanges, mut rows) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let reports: Vec<Vec<Sealed>> =
            products.iter_mut().map(|product| product.reports(each)).collect::<Result<_, _>>()?;
        let reports = Arc::new(reports);
        exchanges.push(exchange(central.address(), &reports)?);
        central.kill();
        rows.push(bare_rows(central.dir(), &reports)?);
        central.serve();
    }
    let chain = &central.get(&format!("/api/v1/links/{}", products[0].link))["chain"];
    if chain["stored"].as_u64() != Some((each * ROUNDS) as u64) {
        return Err(format!("central has not stored what it answered: {chain}").into());
    }
    let per_second =
        |times: &[Duration]| (number * each) as f64 / times.iter().min().map_or(f64::NAN, Duration::as_secs_f64);
    Ok(vec![
        Figure::new("exchanges at central, durable, 64 products at once", per_second(&exchanges), "/s")
            .against("group commit of the bare rows, 64 reports at once", per_second(&rows))
            .must(Goal::RatioAtLeast(0.5)),
    ])
}

/// A sealed report, and what stands beside it in its row.
struct Sealed {
    link: LinkId,
    sequence: Sequence,
    digest: Digest,
    previous: Option<Digest>,
    token: String,
    /// The report as central keeps the newest one.
    json: String,
    /// The request that carries it.
    request: Vec<u8>,
}

/// A product with its link, as the host keeps it.
struct Product {
    key: SecretKey,
    facts: ProductFacts,
    link: LinkId,
    people: Vec<u8>,
    sequence: Sequence,
    previous: Option<Digest>,
}

impl Product {
    fn linked(central: &Central, n: usize) -> Result<Self, Problem> {
        let (invite, central_key): (Invite, PublicKey) = seal::open_introduced(&central.invite())?;
        let key = SecretKey::generate()?;
        let facts = ProductFacts {
            id: "example-wiki".parse()?,
            name: format!("Example Wiki {n}"),
            version: "4.2.0".to_owned(),
            edition: None,
            server_id: ServerId::from_random([n as u8; 20]),
            staging: false,
            nodes: Vec::new(),
        };
        let join = Join { secret: invite.secret, issued_at: Timestamp::now(), product: facts.clone() };
        let response = self::join(&central.url(), seal::seal_introducing(&join, &key)?)?;
        let welcome = response.welcome.ok_or_else(|| format!("no welcome: {:?}", response.refusals))?;
        let welcome: Welcome = seal::open(&welcome, &[central_key])?;
        let people = sketch_of(500);
        Ok(Self { key, facts, link: welcome.link, people, sequence: Sequence::FIRST, previous: None })
    }

    /// The reports of a round, sealed before the clock runs.
    fn reports(&mut self, number: usize) -> Result<Vec<Sealed>, Problem> {
        (0..number).map(|_| self.report()).collect()
    }

    fn report(&mut self) -> Result<Sealed, Problem> {
        let accounts = AccountCounts {
            total: 560,
            counted: 500,
            deactivated: 40,
            no_access: 10,
            never_signed_in: 0,
            service_accounts: 10,
            dormant: 30,
            dormancy_days: 90,
            counting: Counting::Account,
        };
        let collected =
            Collected { accounts: Some(accounts), people: Some(self.people.clone()), ..Collected::default() };
        let report = Report {
            link: self.link.clone(),
            sequence: self.sequence,
            previous: self.previous.clone(),
            observed_at: Timestamp::now(),
            trigger: "interval".to_owned(),
            reporter: Reporter { host: "0.1.0".to_owned(), plugin: None },
            product: self.facts.clone(),
            outcome: Outcome::Collected(Box::new(collected)),
        };
        let token = seal::seal(&report, &self.key)?;
        let json = serde_json::to_string(&report)?;
        let digest = Digest::of(token.as_bytes());
        let body = serde_json::to_string(&ExchangeRequest { reports: vec![token.clone()], ..Default::default() })?;
        let request = format!(
            "POST {PATH} HTTP/1.1\r\nhost: central\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let previous = self.previous.replace(digest.clone());
        let sequence = self.sequence;
        self.sequence = sequence.next().ok_or("the chain is at its end")?;
        Ok(Sealed { link: self.link.clone(), sequence, digest, previous, token, json, request: request.into_bytes() })
    }
}

fn join(url: &str, join: String) -> Result<ExchangeResponse, Problem> {
    let request = serde_json::to_string(&ExchangeRequest { join: Some(join), ..Default::default() })?;
    let mut answer = ureq::post(format!("{url}{PATH}")).content_type("application/json").send(request)?;
    Ok(serde_json::from_str(&answer.body_mut().read_to_string()?)?)
}

/// How long all products take to exchange their reports, one after the other each. One thread serves all their
/// connections: a thread for each would be a switch of threads for each exchange, at the server's cost.
fn exchange(central: SocketAddr, reports: &Arc<Vec<Vec<Sealed>>>) -> Result<Duration, Problem> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(async {
        let mut connections = Vec::new();
        for _ in 0..reports.len() {
            connections.push(TcpStream::connect(central).await?);
        }
        let begun = Instant::now();
        let mut products = JoinSet::new();
        for (n, connection) in connections.into_iter().enumerate() {
            let reports = Arc::clone(reports);
            products.spawn(async move { exchange_all(connection, &reports[n]).await });
        }
        while let Some(ended) = products.join_next().await {
            ended??;
        }
        Ok(begun.elapsed())
    })
}

/// Sends the reports of a product; each answer must have a receipt.
async fn exchange_all(connection: TcpStream, reports: &[Sealed]) -> std::io::Result<()> {
    let mut connection = BufReader::new(connection);
    let mut line = String::new();
    for report in reports {
        connection.write_all(&report.request).await?;
        let mut length = 0;
        while connection.read_line(&mut line).await? > 2 {
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().map_err(std::io::Error::other)?;
            }
            line.clear();
        }
        line.clear();
        let mut body = vec![0; length];
        connection.read_exact(&mut body).await?;
        let body = String::from_utf8_lossy(&body);
        if !body.contains("\"receipts\":[\"") {
            return Err(std::io::Error::other(format!("no receipt: {body}")));
        }
    }
    Ok(())
}

/// How long the same reports take as bare rows, in the same database.
fn bare_rows(dir: &Path, reports: &[Vec<Sealed>]) -> Result<Duration, Problem> {
    let mut store = Connection::open(dir.join("central.db"))?;
    store.pragma_update(None, "journal_mode", "WAL")?;
    store.pragma_update(None, "synchronous", "FULL")?;
    // Tables of the same shape, so that the chains of the links are not touched.
    store.execute_batch(
        "CREATE TABLE IF NOT EXISTS bare_reports (
             link TEXT NOT NULL, sequence BIGINT NOT NULL, digest TEXT NOT NULL, previous TEXT, observed_at BIGINT NOT NULL,
             received_at BIGINT NOT NULL, verdict TEXT NOT NULL, sealed TEXT NOT NULL, PRIMARY KEY (link, sequence));
         CREATE TABLE IF NOT EXISTS bare_latest (
             link TEXT PRIMARY KEY NOT NULL, sequence BIGINT NOT NULL, digest TEXT NOT NULL, observed_at BIGINT NOT NULL,
             received_at BIGINT NOT NULL, report TEXT NOT NULL);
         CREATE TABLE IF NOT EXISTS bare_links (id TEXT PRIMARY KEY NOT NULL, head BIGINT, stored BIGINT NOT NULL)",
    )?;
    let begun = Instant::now();
    for n in 0..reports.first().map_or(0, Vec::len) {
        let group = store.transaction()?;
        for report in reports.iter().filter_map(|reports| reports.get(n)) {
            bare_row(&group, report)?;
        }
        group.commit()?;
    }
    Ok(begun.elapsed())
}

/// The rows that a report leaves.
fn bare_row(store: &Connection, report: &Sealed) -> rusqlite::Result<()> {
    let Sealed { link, sequence, digest, previous, token, json, .. } = report;
    let (link, number, digest) = (link.as_str(), sequence.get() as i64, digest.as_str());
    let (previous, now) = (previous.as_ref().map(Digest::as_str), Timestamp::now().as_millisecond());
    store
        .prepare_cached("INSERT INTO bare_reports VALUES (?1, ?2, ?3, ?4, ?5, ?5, 'chained', ?6)")?
        .execute(params![link, number, digest, previous, now, token])?;
    store
        .prepare_cached("INSERT OR REPLACE INTO bare_latest VALUES (?1, ?2, ?3, ?4, ?4, ?5)")?
        .execute(params![link, number, digest, now, json])?;
    store
        .prepare_cached("INSERT OR REPLACE INTO bare_links VALUES (?1, ?2, ?2)")?
        .execute(params![link, number])
        .map(drop)
}
