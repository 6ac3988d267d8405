//! Somebody with a browser without JavaScript: forms, cookies, redirects.

use super::agent::Agent;
use super::http::{Answer, get, send, send_bytes};

/// The password of everybody.
pub const PASSWORD: &str = "correct horse battery staple";

/// Adds a user with [`PASSWORD`].
pub fn add_user(agent: &Agent, name: &str, role: &str) {
    let arguments = ["user", "add", name, "--role", role, "--password-stdin"];
    agent.run_with_input(&arguments, &format!("{PASSWORD}\n")).ok();
}

/// A form as a browser sends it.
pub fn form(fields: &[(&str, &str)]) -> String {
    serde_urlencoded::to_string(fields).expect("a form")
}

/// Somebody who asks, signed in or not.
pub struct Person {
    address: String,
    cookie: Option<String>,
}

impl Person {
    /// Somebody who is not signed in.
    pub fn stranger(address: &str) -> Self {
        Self { address: address.to_owned(), cookie: None }
    }

    /// Somebody who has signed in.
    pub fn signed_in(address: &str, name: &str) -> Self {
        let mut person = Self::stranger(address);
        let answer = person.post("/sign-in", &[("name", name), ("password", PASSWORD)]);
        assert_eq!((answer.status, answer.header("location")), (303, Some("/")), "{answer:?}");
        person.take_cookie(&answer);
        person
    }

    /// Keeps the cookie of an answer.
    pub fn take_cookie(&mut self, answer: &Answer) {
        let cookie = answer.header("set-cookie").expect("a cookie");
        self.cookie = cookie.split(';').next().map(str::to_owned);
    }

    /// `GET`.
    pub fn get(&self, path: &str) -> Answer {
        match &self.cookie {
            Some(cookie) => send(&self.address, "GET", path, &[("Cookie", cookie)], ""),
            None => get(&self.address, path),
        }
    }

    /// `POST` of a form.
    pub fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.send("POST", path, &[("Content-Type", "application/x-www-form-urlencoded")], &form(fields))
    }

    /// Any request in this person's name.
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        self.send_bytes(method, path, headers, body.as_bytes())
    }

    /// The same with any bytes as the body.
    pub fn send_bytes(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let cookie = self.cookie.as_deref().map(|cookie| ("Cookie", cookie));
        let headers: Vec<(&str, &str)> = headers.iter().copied().chain(cookie).collect();
        send_bytes(&self.address, method, path, &headers, body)
    }

    /// Begins a secure session.
    pub fn confirm(&self) {
        let answer = self.post("/confirm", &[("confirm-password", PASSWORD)]);
        assert_eq!(answer.status, 303, "{answer:?}");
    }
}

/// The value of the hidden field called `name` in a page.
pub fn hidden(page: &str, name: &str) -> String {
    let mark = format!(r#"name="{name}" value=""#);
    let rest = page.split_once(&mark).unwrap_or_else(|| panic!("no field {name}: {page}")).1;
    rest.split('"').next().expect("its value").to_owned()
}
