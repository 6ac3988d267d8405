//! The local API: `GET /v1/features/sso` on one core, and how long one answer takes.
//!
//! The agent is the release binary, held to one core with `taskset`; the clients run on the others, over connections
//! that stay open, and do as little as they can. Where there is one core for both, the agent's own processor time still
//! tells how many answers a core of its own would give.

use std::fs;
use std::io::{BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use seatline_tests::{Agent, Vendor};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinSet;

use crate::agent::Stopped;
use crate::figure::{Figure, Goal};
use crate::{Bench, Problem};

/// How many clients ask at once.
const CLIENTS: usize = 32;
/// How many answers each of them takes in a round.
const ANSWERS: usize = 5_000;
const ROUNDS: usize = 3;
/// How many answers are taken one after the other.
const ONE_BY_ONE: usize = 20_000;
/// The most bytes of an answer, head and all. The head is not always as long: it has a number of its own.
const MOST: usize = 4_096;

/// The figures of the local API.
pub fn measure(bench: &Bench) -> Result<Vec<Figure>, Problem> {
    let vendor = Vendor::new();
    let agent = Agent::new(&vendor);
    agent.run(&["license", "set", &vendor.license(500, &["--feature", "sso"])]).ok();
    let made = agent.run(&["token", "create", "--name", "bench", "--json"]).json();
    let token = made["token"].as_str().ok_or("no token")?;
    let cores = std::thread::available_parallelism()?.get();
    let mut run = Command::new("taskset");
    run.args(["--cpu-list", "0"]).arg(bench.binaries.join("seatline")).args(["run", "--listen", "127.0.0.1:0"]);
    run.env("SEATLINE_DIR", agent.dir()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut run = Stopped(run.spawn()?);
    let address = address(BufReader::new(run.0.stderr.take().ok_or("it has no log")?))?;
    let request = format!("GET /v1/features/sso HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n");

    let expected = answer(address, request.as_bytes())?;
    if cores > 1 {
        stay_on(&format!("1-{}", cores - 1))?;
    }
    let answers = bench.part(ANSWERS);
    let (mut rounds, before) = (Vec::new(), processor_time(run.0.id())?);
    for _ in 0..ROUNDS {
        rounds.push(ask(address, request.as_bytes(), &expected, answers)?);
    }
    let busy = processor_time(run.0.id())? - before;
    let mut times = one_by_one(address, request.as_bytes(), &expected, bench.part(ONE_BY_ONE))?;
    stay_on(&format!("0-{}", cores - 1))?;

    times.sort();
    let best = rounds.iter().min().copied().unwrap_or_default();
    let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
    Ok(vec![
        Figure::new("answers of GET /v1/features/… by one core", (CLIENTS * answers) as f64 / best.as_secs_f64(), "/s")
            .must(Goal::AtLeast(20_000.0)),
        Figure::new(
            "answers in a second of the agent's processor time",
            (CLIENTS * answers * ROUNDS) as f64 / busy.as_secs_f64(),
            "/s",
        ),
        Figure::new("time of one answer, median", milliseconds(times[times.len() / 2]), "ms"),
        Figure::new("time of one answer, 99 of 100", milliseconds(times[times.len() * 99 / 100]), "ms")
            .must(Goal::Below(1.0)),
    ])
}

/// Where the agent says that it listens.
fn address(log: impl std::io::BufRead + Send + 'static) -> Result<SocketAddr, Problem> {
    let mut lines = log.lines();
    for line in lines.by_ref() {
        let line = line?;
        if line.contains("listening") {
            let address = line.split("127.0.0.1:").nth(1).unwrap_or_default();
            let port: String = address.chars().take_while(char::is_ascii_digit).collect();
            // What else it logs must go somewhere.
            std::thread::spawn(move || lines.for_each(drop));
            return Ok(format!("127.0.0.1:{port}").parse()?);
        }
    }
    Err("`seatline run` ended".into())
}

/// Asks once, and gives the body of the answer: it is always the same, and the last of what is sent.
fn answer(address: SocketAddr, request: &[u8]) -> Result<Vec<u8>, Problem> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(&[&request[..request.len() - 2], b"Connection: close\r\n\r\n"].concat())?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    match text.split_once("\r\n\r\n") {
        Some((_, body)) if body.contains("\"enabled\":true") => Ok(body.as_bytes().to_vec()),
        _ => Err(format!("not the answer that is measured: {text}").into()),
    }
}

/// All clients take their answers at once; gives how long that took.
fn ask(address: SocketAddr, request: &[u8], expected: &[u8], answers: usize) -> Result<Duration, Problem> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut streams = Vec::new();
        for _ in 0..CLIENTS {
            let stream = tokio::net::TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            streams.push(stream);
        }
        let begun = Instant::now();
        let mut clients = JoinSet::new();
        for mut stream in streams {
            let (request, expected) = (request.to_vec(), expected.to_vec());
            clients.spawn(async move {
                let mut answer = Vec::with_capacity(MOST);
                for _ in 0..answers {
                    stream.write_all(&request).await?;
                    answer.clear();
                    while !answer.ends_with(&expected) {
                        if answer.len() >= MOST || stream.read_buf(&mut answer).await? == 0 {
                            return Err(another(&answer));
                        }
                    }
                }
                Ok(())
            });
        }
        while let Some(ended) = clients.join_next().await {
            ended??;
        }
        Ok(begun.elapsed())
    })
}

/// How long each of many answers takes, one after the other.
fn one_by_one(address: SocketAddr, request: &[u8], expected: &[u8], answers: usize) -> Result<Vec<Duration>, Problem> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let mut answer = vec![0; MOST];
    let mut times = Vec::with_capacity(answers);
    for _ in 0..answers {
        let begun = Instant::now();
        stream.write_all(request)?;
        let mut length = 0;
        while !answer[..length].ends_with(expected) {
            match stream.read(&mut answer[length..])? {
                0 => return Err(another(&answer[..length]).into()),
                more => length += more,
            }
        }
        times.push(begun.elapsed());
    }
    Ok(times)
}

/// That something else came than the answer that is measured.
fn another(answer: &[u8]) -> std::io::Error {
    std::io::Error::other(format!("another answer came: {}", String::from_utf8_lossy(answer)))
}

/// Holds this process to these cores.
fn stay_on(cores: &str) -> Result<(), Problem> {
    let id = std::process::id().to_string();
    let mut taskset = Command::new("taskset");
    taskset.args(["--all-tasks", "--pid", "--cpu-list", cores, &id]).stdout(Stdio::null());
    if taskset.status()?.success() { Ok(()) } else { Err("taskset failed".into()) }
}

/// The processor time that a process has used, in user mode and for it.
fn processor_time(id: u32) -> Result<Duration, Problem> {
    // See proc(5): the 14th and 15th field, counted behind the name, which may hold spaces. A tick is a hundredth of a
    // second on Linux, whatever the kernel's own is.
    let stat = fs::read_to_string(format!("/proc/{id}/stat"))?;
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<u64>).sum::<Result<u64, _>>()?;
    Ok(Duration::from_millis(ticks * 10))
}
