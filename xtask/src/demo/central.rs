//! The central server as somebody with a browser meets it: over HTTP, signed in with a name and a password.

use std::time::Duration;

use serde_json::Value;
use ureq::Agent;
use ureq::http::header::{COOKIE, SET_COOKIE};

use crate::failure::{Context as _, Failure};

/// A session at the central server.
pub struct Session {
    agent: Agent,
    url: String,
    cookie: String,
}

/// Whether the server at `url` answers.
pub fn is_healthy(url: &str) -> bool {
    agent().get(format!("{url}/healthz")).call().is_ok_and(|answer| answer.status().is_success())
}

impl Session {
    /// Signs in.
    ///
    /// # Errors
    /// When the server does not answer with a session.
    pub fn sign_in(url: &str, name: &str, password: &str) -> Result<Self, Failure> {
        let agent = agent();
        let form = [("name", name), ("password", password)];
        let answer = agent.post(format!("{url}/sign-in")).send_form(form).context("signing in at central")?;
        // The form answers with a page where the password is wrong, and with a redirection where it is right.
        let cookie = answer.headers().get(SET_COOKIE).and_then(|cookie| cookie.to_str().ok());
        let cookie = cookie.filter(|_| answer.status().is_redirection()).and_then(|cookie| cookie.split(';').next());
        let refused = || Failure::new(format!("central did not let {name} sign in: {}", answer.status()));
        let cookie = cookie.ok_or_else(refused)?.to_owned();
        Ok(Self { agent, url: url.to_owned(), cookie })
    }

    /// What the API answers at `path`.
    ///
    /// # Errors
    /// When it does not answer, or not with JSON.
    pub fn api(&self, path: &str) -> Result<Value, Failure> {
        let request = self.agent.get(format!("{}/api/v1/{path}", self.url)).header(COOKIE, &self.cookie);
        let what = format!("reading /api/v1/{path}");
        let mut answer = request.call().context(&what)?;
        let text = answer.body_mut().read_to_string().context(&what)?;
        if !answer.status().is_success() {
            return Err(Failure::new(format!("{what}: {} {text}", answer.status())));
        }
        serde_json::from_str(&text).context(&what)
    }
}

/// Takes answers as they are, redirections and errors too.
fn agent() -> Agent {
    let config = Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(30)))
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .proxy(None);
    config.build().into()
}
