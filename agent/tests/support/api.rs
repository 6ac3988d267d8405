//! A running agent, and a program that asks its local API.

use serde_json::Value;

use super::agent::Agent;
use super::http::{Answer, send};
use super::running::Running;

/// A running agent with the tokens of two programs.
pub struct Api {
    /// The instance.
    pub agent: Agent,
    /// Its process.
    pub running: Running,
    /// Where it listens.
    pub address: String,
    /// A token that may change things.
    pub admin: String,
    /// A token that may only ask.
    pub reader: String,
}

impl Api {
    /// An agent that logs as JSON, has the stock plugin, and has counted once.
    pub fn start() -> Self {
        let agent = Agent::new();
        agent.configure("\n[log]\nformat = 'json'\n");
        agent.install_plugin();
        let (admin, reader) = (agent.token("operator", "admin"), agent.token("wiki", "read"));
        let mut running = Running::start(&agent, &[], &[]);
        let address = running.address();
        running.until("collected");
        Self { agent, running, address, admin, reader }
    }

    /// `GET` with the token that may only ask.
    pub fn get(&self, path: &str) -> Answer {
        self.send(&self.reader, "GET", path, None)
    }

    /// The JSON of a `GET` that is answered by 200.
    pub fn json(&self, path: &str) -> Value {
        let answer = self.get(path);
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer.json()
    }

    /// `POST` of JSON with the token that may change things.
    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(&self.admin, "POST", path, Some(body))
    }

    /// A request with a token.
    pub fn send(&self, token: &str, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let bearer = format!("Bearer {token}");
        let mut headers = vec![("Authorization", bearer.as_str())];
        let body = body.map(Value::to_string).unwrap_or_default();
        if !body.is_empty() {
            headers.push(("Content-Type", "application/json"));
        }
        send(&self.address, method, path, &headers, &body)
    }
}
