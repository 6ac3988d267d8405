//! The service that answers over HTTP.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use seatline_web::{Address, Limits, Listener, Proxies, serve};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

use super::{App, router};
use crate::config::Http;
use crate::failure::Failure;
use crate::instance::Instance;
use crate::services::Service;
use crate::services::stop::Stop;

/// How many connections are open at once: a product beside the agent, and a few people.
pub const CONNECTIONS: usize = 256;
/// How many of them one address of another machine may have, unless it is a reverse proxy's.
pub const PER_ADDRESS: usize = 64;
/// How many requests ask the host at once; the others wait in their order.
const HOST_THREADS: usize = 4;

/// Answers over HTTP, with a runtime of one thread.
pub struct HttpServer {
    address: Address,
    runtime: Runtime,
    /// Until it runs.
    ready: Mutex<Option<(Listener, Router)>>,
    limits: Limits,
    app: App,
}

impl HttpServer {
    /// Listens on `address`, so that whoever knows that the agent has started can reach it.
    ///
    /// # Errors
    /// When it cannot listen there, as where another program does.
    pub fn open(instance: &Arc<Instance>, address: &Address) -> Result<Self, Failure> {
        let runtime = runtime()?;
        let listener = listen(&runtime, address)?;
        let address = listener.address().map_err(|error| Failure::of(error.code(), &error))?;
        let app = App::new(Arc::clone(instance))?;
        let router = router(app.clone())?;
        let limits = limits(&instance.config.http);
        Ok(Self { address, runtime, ready: Mutex::new(Some((listener, router))), limits, app })
    }

    /// Where it listens, with the port that was taken.
    pub fn address(&self) -> &Address {
        &self.address
    }
}

/// A runtime of one thread, and a few more on which the host may block.
pub(super) fn runtime() -> Result<Runtime, Failure> {
    let mut builder = Builder::new_current_thread();
    let built = builder.enable_io().enable_time().max_blocking_threads(HOST_THREADS).build();
    built.map_err(|error| Failure::new("listen", format!("the HTTP server cannot start: {error}")))
}

/// Listens on `address`.
pub(super) fn listen(runtime: &Runtime, address: &Address) -> Result<Listener, Failure> {
    runtime.block_on(Listener::bind(address)).map_err(|error| {
        let way_out = "name another address with `listen` in [http] of seatline.toml, or `listen = \"off\"`";
        Failure::new(error.code(), format!("{error}; {way_out}"))
    })
}

/// What connections are given. All programs of this machine have one address, as all who come through a proxy.
pub(super) fn limits(http: &Http) -> Limits {
    let here = [IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)];
    let proxies = Proxies::new(here.into_iter().chain(http.proxies.iter().copied()));
    Limits { connections: CONNECTIONS, per_address: PER_ADDRESS, proxies, ..Limits::default() }
}

impl Service for HttpServer {
    fn name(&self) -> &'static str {
        "HTTP server"
    }

    fn run(&self, stop: &Stop) -> Result<(), Failure> {
        let ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some((listener, router)) = ready else { return Ok(()) };
        let (tell, told) = oneshot::channel::<()>();
        stop.when_requested(move || drop(tell));
        self.runtime.block_on(serve(listener, router, self.limits.clone(), async { drop(told.await) }));
        self.app.synchronising.finish();
        Ok(())
    }
}
