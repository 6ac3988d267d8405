//! Products that report over connections which stay open, at a pace, and come again where they are told to.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::Problem;

/// When reports are sent.
#[derive(Clone, Copy)]
pub enum Pace {
    /// Each as soon as a connection is free.
    Fastest,
    /// So many in a second, evenly, whether those before are answered or not, as far as there are connections.
    PerSecond(f64),
}

/// What became of the reports.
pub struct Measured {
    /// How many have a receipt: all.
    pub receipts: usize,
    /// How often a product was told to come again.
    pub refused: usize,
    took: Duration,
    /// From when a report was due to its receipt, the shortest first.
    waits: Vec<Duration>,
}

impl Measured {
    pub fn per_second(&self) -> f64 {
        self.receipts as f64 / self.took.as_secs_f64()
    }

    /// The wait for a receipt that so many of a hundred do not exceed, in milliseconds.
    pub fn percentile(&self, percent: usize) -> f64 {
        let last = self.waits.len().saturating_sub(1);
        self.waits.get(last * percent / 100).map_or(f64::NAN, |wait| wait.as_secs_f64() * 1e3)
    }
}

/// A report that waits, and when it is to be sent.
struct Waiting {
    report: usize,
    due: Instant,
}

/// What all connections share.
struct Shared {
    reports: Vec<Vec<u8>>,
    /// The earliest first. Who was told to come again stands behind those who were not.
    queue: Mutex<VecDeque<Waiting>>,
    begun: Instant,
    pace: Pace,
}

/// Sends all reports, each until it has its receipt, over connections to one server after the other.
pub fn run(servers: &[SocketAddr], reports: Vec<Vec<u8>>, connections: usize, pace: Pace) -> Result<Measured, Problem> {
    // One thread serves all connections: a switch of threads for each exchange would be at the server's cost.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let begun = Instant::now();
        let receipts = reports.len();
        let due = |report: usize| match pace {
            Pace::Fastest => begun,
            Pace::PerSecond(rate) => begun + Duration::from_secs_f64(report as f64 / rate),
        };
        let queue = (0..receipts).map(|report| Waiting { report, due: due(report) }).collect();
        let shared = Arc::new(Shared { reports, queue: Mutex::new(queue), begun, pace });
        let mut lanes = JoinSet::new();
        for server in servers.iter().cycle().take(connections.min(receipts)) {
            lanes.spawn(serve(*server, Arc::clone(&shared)));
        }
        let (mut waits, mut refused) = (Vec::with_capacity(receipts), 0);
        while let Some(lane) = lanes.join_next().await {
            let (of_lane, refused_there) = lane??;
            waits.extend(of_lane);
            refused += refused_there;
        }
        let took = begun.elapsed();
        waits.sort_unstable();
        if waits.len() != receipts {
            return Err(format!("{} of {receipts} reports have a receipt", waits.len()).into());
        }
        Ok(Measured { receipts, refused, took, waits })
    })
}

/// One connection: takes what is due next, until nothing waits.
async fn serve(server: SocketAddr, shared: Arc<Shared>) -> std::io::Result<(Vec<Duration>, usize)> {
    let mut connection = BufReader::new(connect(server).await?);
    let (mut waits, mut refused) = (Vec::new(), 0);
    loop {
        let next = shared.queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let Some(Waiting { report, due }) = next else { return Ok((waits, refused)) };
        tokio::time::sleep_until(due).await;
        let sent = Instant::now();
        let Answer { retry_after, closes } = exchange(&mut connection, &shared.reports[report]).await?;
        if closes {
            connection = BufReader::new(connect(server).await?);
        }
        match retry_after {
            None => waits.push(match shared.pace {
                Pace::Fastest => sent.elapsed(),
                Pace::PerSecond(rate) => (shared.begun + Duration::from_secs_f64(report as f64 / rate)).elapsed(),
            }),
            Some(seconds) => {
                refused += 1;
                let again = Waiting { report, due: Instant::now() + Duration::from_secs(seconds) };
                shared.queue.lock().unwrap_or_else(PoisonError::into_inner).push_back(again);
            }
        }
    }
}

async fn connect(server: SocketAddr) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect(server).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// What the server said: nothing else than a receipt, or to come again after so many seconds, is taken.
struct Answer {
    retry_after: Option<u64>,
    closes: bool,
}

async fn exchange(connection: &mut BufReader<TcpStream>, request: &[u8]) -> std::io::Result<Answer> {
    connection.write_all(request).await?;
    let (mut line, mut length, mut retry_after, mut closes) = (String::new(), 0, None, false);
    connection.read_line(&mut line).await?;
    let status = line.split(' ').nth(1).unwrap_or_default().to_owned();
    line.clear();
    while connection.read_line(&mut line).await? > 2 {
        if let Some((name, value)) = line.split_once(':') {
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.trim().parse().map_err(std::io::Error::other)?,
                "retry-after" => retry_after = value.trim().parse().ok(),
                "connection" => closes = value.trim() == "close",
                _ => {}
            }
        }
        line.clear();
    }
    let mut body = vec![0; length];
    connection.read_exact(&mut body).await?;
    let body = String::from_utf8_lossy(&body);
    match (status.as_str(), retry_after) {
        ("200", None) if body.contains("\"receipts\":[\"") => Ok(Answer { retry_after: None, closes }),
        ("503", Some(seconds)) => Ok(Answer { retry_after: Some(seconds), closes }),
        _ => Err(std::io::Error::other(format!("neither a receipt nor when to come again: {status} {body}"))),
    }
}
