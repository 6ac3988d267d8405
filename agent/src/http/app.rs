//! What every handler works with.

use std::sync::Arc;

use axum::http::StatusCode;
use seatline_web::{ApiError, Gate, Proxies};

use super::hosts::Hosts;
use crate::failure::Failure;
use crate::instance::Instance;

/// What every handler works with. Cloning it is cheap: all clones share the same things.
#[derive(Clone)]
pub struct App {
    instance: Arc<Instance>,
    /// The names that the agent is called by.
    pub hosts: Hosts,
    /// What a sign-in needs.
    pub gate: Gate,
}

impl App {
    /// The app over an instance, as its configuration says.
    ///
    /// # Errors
    /// Where the operating system gives no randomness.
    pub fn new(instance: Arc<Instance>) -> Result<Self, Failure> {
        let http = &instance.config.http;
        let gate = Gate::new().map_err(|error| Failure::of("no-randomness", &error))?;
        let gate = gate.behind(Proxies::new(http.proxies.iter().copied()));
        Ok(Self { hosts: Hosts::new(http), gate, instance })
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
        tokio::task::spawn_blocking(move || question(&instance)).await.map_err(|error| {
            tracing::error!(code = "internal", "a request failed unexpectedly: {error}");
            ApiError::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal",
                "this failed unexpectedly: see the agent's log",
            )
        })
    }

    /// Where people reach the agent, if that is configured.
    pub fn public_url(&self) -> Option<&str> {
        self.instance.config.http.public_url.as_deref()
    }
}
