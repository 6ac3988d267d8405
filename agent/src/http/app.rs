//! What every handler works with.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use seatline_host::live::Live;
use seatline_host::store::StoreError;
use seatline_web::{ApiError, Gate, Proxies};

use super::guard::Guesses;
use super::hosts::Hosts;
use super::memory::{Freshness, LOOK_LIMIT, Memory};
use super::synchronising::Synchronising;
use crate::config::Metrics;
use crate::failure::Failure;
use crate::instance::Instance;
use crate::pages::Pages;
use crate::pages::own::OwnSignIn;
use crate::pages::routes::REQUEST_TIME;

/// What a request may use.
#[derive(Debug, Clone, Copy)]
pub struct RequestLimits {
    /// The most bytes of a body: room for a license key with what mail adds to it.
    pub body_bytes: usize,
    /// How long a request of a program may take, its body included.
    pub time: Duration,
    /// The same for a page, whose form may hold a plugin.
    pub page_time: Duration,
}

impl Default for RequestLimits {
    fn default() -> Self {
        Self { body_bytes: 256 * 1024, time: Duration::from_secs(30), page_time: REQUEST_TIME }
    }
}

/// What every handler works with. Cloning it is cheap: all clones share the same things.
#[derive(Clone)]
pub struct App {
    instance: Arc<Instance>,
    memory: Arc<Memory>,
    /// The names that the agent is called by.
    pub hosts: Hosts,
    /// The pages.
    pub pages: Pages,
    /// Whom a trusted reverse proxy names.
    pub proxies: Proxies,
    /// The wrong tokens of late.
    pub guesses: Guesses,
    /// The synchronisation that somebody has asked for.
    pub synchronising: Arc<Synchronising>,
    /// What a request may use.
    pub limits: RequestLimits,
}

impl App {
    /// The app over an instance, as its configuration says.
    ///
    /// # Errors
    /// Where the operating system gives no randomness.
    pub fn new(instance: Arc<Instance>) -> Result<Self, Failure> {
        let http = &instance.config.http;
        let proxies = Proxies::new(http.proxies.iter().copied());
        let gate = Gate::new().map_err(|error| Failure::of("no-randomness", &error))?;
        let is_https = http.public_url.as_deref().is_some_and(|url| url.starts_with("https://"));
        let sign_in = OwnSignIn::new(gate.behind(proxies.clone()), is_https);
        let synchronising = Arc::<Synchronising>::default();
        let origins = http.public_url.iter().cloned().collect();
        let pages = Pages::of_agent(Arc::clone(&instance), sign_in, origins, Arc::clone(&synchronising));
        Ok(Self {
            hosts: Hosts::new(http),
            memory: Arc::default(),
            guesses: Guesses::default(),
            synchronising,
            limits: RequestLimits::default(),
            pages,
            proxies,
            instance,
        })
    }

    /// The app with other limits for requests.
    pub fn limited(self, limits: RequestLimits) -> Self {
        Self { limits, ..self }
    }

    /// Asks the instance, on a thread where it may block.
    ///
    /// # Errors
    /// When the thread ends unexpectedly. What the instance itself answers is in the value.
    pub async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Instance) -> T + Send + 'static,
    ) -> Result<T, ApiError> {
        let instance = Arc::clone(&self.instance);
        let span = tracing::Span::current();
        tokio::task::spawn_blocking(move || span.in_scope(|| question(&instance))).await.map_err(|error| {
            tracing::error!(code = "internal", "a request failed unexpectedly: {error}");
            let message = "this failed unexpectedly: see the agent's log";
            ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message)
        })
    }

    /// What the licenses come to, from memory.
    ///
    /// # Errors
    /// When there was no standing since the agent started, because the state cannot be read.
    pub async fn live(&self) -> Result<Arc<Live>, ApiError> {
        self.refresh().await?;
        match self.instance.host.remembered() {
            Some(live) => Ok(live),
            None => Ok(self.ask(|instance| instance.host.live()).await?.map_err(super::errors::host)?),
        }
    }

    /// What is known of tokens, at most about a second old.
    ///
    /// # Errors
    /// When the tokens were never read, and cannot be.
    pub async fn memory(&self) -> Result<&Memory, ApiError> {
        self.refresh().await?;
        Ok(&self.memory)
    }

    async fn refresh(&self) -> Result<(), ApiError> {
        let live = self.instance.host.remembered();
        match self.memory.freshness(live.as_deref()) {
            Freshness::Fresh => Ok(()),
            Freshness::Look(turn) => {
                let memory = Arc::clone(&self.memory);
                let look = self.ask(move |instance| {
                    let _turn = turn;
                    memory.look(instance)
                });
                // Who goes on with what is in memory lets the look come to its end.
                let looked = match live {
                    Some(_) if self.memory.knows_tokens() => tokio::time::timeout(LOOK_LIMIT, look).await,
                    _ => Ok(look.await),
                };
                looked.map_or(Ok(()), |looked| looked?.map_err(super::errors::store))
            }
        }
    }

    /// Looks now for what others have changed.
    ///
    /// # Errors
    /// When the tokens were never read, and cannot be.
    pub async fn look(&self) -> Result<(), ApiError> {
        let memory = Arc::clone(&self.memory);
        let looked: Result<(), StoreError> = self.ask(move |instance| memory.look(instance)).await?;
        looked.map_err(super::errors::store)
    }

    /// Begins a synchronisation, unless one is under way.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn synchronise(&self) -> Result<(), ApiError> {
        self.synchronising.begin(&self.instance.host)
    }

    /// Whom the metrics are for.
    pub fn metrics(&self) -> Metrics {
        self.instance.config.http.metrics
    }

    /// Where people reach the agent, if that is configured.
    pub fn public_url(&self) -> Option<&str> {
        self.instance.config.http.public_url.as_deref()
    }
}
