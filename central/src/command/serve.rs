//! `serve`.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use seatline_web::{Address, Limits, Listener, Proxies, serve};
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

use super::place::{DEFAULT_LISTEN, Face, Place};
use super::{Failure, Output};
use crate::jobs::Jobs;
use crate::link::waiting::DEFAULT_PLACES;
use crate::metrics::{DEFAULT_APPLICATIONS, MAX_APPLICATIONS, Metrics};
use crate::server::{App, DEFAULT_DOCUMENTS_PER_SECOND, MAX_DOCUMENTS_PER_SECOND, Rates, router};
use crate::sso::{Sso, SsoConfig};

/// The open files that are no connections: the database, the log, the libraries.
const OTHER_FILES: u64 = 256;

/// Serve the pages, the API and the link.
#[derive(Debug, Args)]
pub(super) struct Serve {
    /// The address to listen on; port 0 takes any free one. TLS is for a reverse proxy in front
    #[arg(long, value_name = "ADDRESS:PORT", default_value = DEFAULT_LISTEN)]
    listen: SocketAddr,
    /// Where products and people reach this server, such as https://licenses.example.org. Required unless the address
    /// is on the loopback interface
    #[arg(long, value_name = "URL", env = "SEATLINE_CENTRAL_URL")]
    public_url: Option<String>,
    /// What this server calls itself in invites
    #[arg(long, value_name = "NAME", env = "SEATLINE_CENTRAL_NAME")]
    name: Option<String>,
    /// The address of a reverse proxy in front, whose X-Forwarded-For says who asks; may be given several times
    #[arg(long = "proxy", value_name = "ADDRESS", env = "SEATLINE_CENTRAL_PROXY", value_delimiter = ',')]
    proxies: Vec<IpAddr>,
    /// How many connections one address may have open at once; a quarter of all of them where nothing is said. A proxy
    /// may have all
    #[arg(long, value_name = "NUMBER")]
    connections_per_address: Option<NonZeroUsize>,
    /// How many documents (reports, mostly) one product may send from one address in a second, in the long run, and
    /// 2,400 at once. No product comes near it; what is more is told to come again
    #[arg(long, value_name = "NUMBER", default_value_t = DEFAULT_DOCUMENTS_PER_SECOND,
          value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_DOCUMENTS_PER_SECOND)))]
    documents_per_second: u32,
    /// How many products may wait for news at once, which brings "Synchronise now" to them within two seconds. Each
    /// holds a connection and some ten KiB; the others learn of it with their next report
    #[arg(long, value_name = "NUMBER", default_value_t = DEFAULT_PLACES)]
    waiting: usize,
    /// Single sign-on by OpenID Connect, as this file in TOML says
    #[arg(long, value_name = "FILE", env = "SEATLINE_CENTRAL_SINGLE_SIGN_ON")]
    single_sign_on: Option<PathBuf>,
    /// Let everybody who can connect read /metrics; else it asks for an API token with the scope server:read
    #[arg(long, env = "SEATLINE_CENTRAL_OPEN_METRICS")]
    open_metrics: bool,
    /// How many applications have metrics of their own: those that are the closest to their limits
    #[arg(long, value_name = "NUMBER", default_value_t = DEFAULT_APPLICATIONS,
          value_parser = clap::value_parser!(u16).range(0..=i64::from(MAX_APPLICATIONS)))]
    metrics_applications: u16,
}

impl Serve {
    pub(super) async fn run(self, place: &Place, output: Output) -> Result<(), Failure> {
        let listener = Listener::bind(&Address::Tcp(self.listen)).await?;
        let address = listener.address()?;
        let public_url = match self.public_url {
            Some(url) => url,
            None if address.is_local() => format!("http://{address}"),
            None => {
                let message = "say with --public-url where products reach this server, such as \
                               https://licenses.example.org: it listens beyond the loopback interface";
                return Err(Failure::new("no-public-url", message));
            }
        };
        let face = Face { public_url, name: self.name.map_or_else(|| place.face().map(|face| face.name), Ok)? };
        let central = place.central_as(&face).await?;
        place.remember(&face)?;
        let has_admin = central.store().has_administrator().await?;
        let lost = central.tell_lost_secrets().await?;
        // The handlers stand before anybody is told that the server runs: a signal is never missed.
        let end = end_signal()?;
        let app = App::new(central.clone())?;
        central.waiting().set_places(self.waiting);
        // What the end of the server has interrupted.
        central.sweep_later();
        let sso = self.single_sign_on.as_deref().map(SsoConfig::read).transpose()?.map(Sso::new);
        let proxies = Proxies::new(self.proxies);
        let gate = app.gate.clone().behind(proxies.clone());
        let metrics =
            Metrics { is_open: self.open_metrics, applications: self.metrics_applications, ..app.metrics.clone() };
        let rates = Rates::new(self.documents_per_second);
        let router = router(App { gate, sso, metrics, rates, ..app })?;
        let jobs = Jobs::start(&central, Jobs::all()).await?;
        let started = json!({
            "listening": format!("http://{address}"),
            "public_url": central.public_url(),
            "dir": place.dir(),
            "database": place.database(),
            "has_admin": has_admin,
            "lost_secrets": lost,
        });
        output.show(&started, || {
            let hint = match has_admin {
                true => "",
                false => "There is no administrator yet: make one with `seatline-central admin create NAME`.\n",
            };
            format!("Serving {} on http://{address}, data in {}.\n{hint}", central.public_url(), place.database())
        })?;
        let limits = Limits::default();
        let connections = limits.connections + self.waiting;
        let per_address = self.connections_per_address.map_or(connections / 4, NonZeroUsize::get);
        let limits = Limits { connections, per_address, proxies, ..limits };
        raise_open_files(limits.connections);
        let waiting = central.waiting().clone();
        let (ending, ended) = oneshot::channel();
        let end = async move {
            end.await;
            // Who waits is answered, so that the server need not wait for them.
            waiting.close();
            let _ = ending.send(());
        };
        // Another server goes on with the jobs at once, and not only when the last question is answered here.
        let jobs_end = async move {
            let _ = ended.await;
            jobs.end().await;
        };
        tokio::join!(serve(listener, router, limits, end), jobs_end);
        tracing::info!("ended");
        Ok(())
    }
}

/// Lets the process have as many open files as it may need connections, as far as the system allows.
fn raise_open_files(connections: usize) {
    let wanted = u64::try_from(connections).unwrap_or(u64::MAX).saturating_add(OTHER_FILES);
    let limit = getrlimit(Resource::Nofile);
    let (Some(now), most) = (limit.current, limit.maximum) else { return };
    let possible = most.map_or(wanted, |most| most.min(wanted));
    if possible > now && setrlimit(Resource::Nofile, Rlimit { current: Some(possible), maximum: most }).is_err() {
        tracing::warn!(open_files = now, "the system does not allow as many open files as there may be connections");
    }
}

/// Comes with the first SIGINT or SIGTERM.
fn end_signal() -> Result<impl Future<Output = ()>, Failure> {
    let failed = |error: std::io::Error| Failure::new("signals", error.to_string());
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        tracing::info!("ending");
    })
}
