//! Somebody who has signed in to the pages.

use super::{Central, agent};

/// Somebody who is signed in to the pages.
pub struct Visitor<'c> {
    central: &'c Central,
    cookie: String,
}

impl<'c> Visitor<'c> {
    /// Signs in.
    pub fn sign_in(central: &'c Central, name: &str, password: &str) -> Self {
        let form = [("name", name), ("password", password)];
        let response = agent().post(format!("{}/sign-in", central.url())).send_form(form).expect("answered");
        let cookie = response.headers()["set-cookie"].to_str().expect("text");
        Self { central, cookie: cookie.split(';').next().expect("its value").to_owned() }
    }

    /// The status and the page of an address.
    pub fn get(&self, path: &str) -> (u16, String) {
        let url = format!("{}{path}", self.central.url());
        let mut answer = agent().get(url).header("Cookie", &self.cookie).call().expect("answered");
        (answer.status().as_u16(), answer.body_mut().read_to_string().expect("text"))
    }

    /// Sends a form, and gives the status, where it leads, and the page.
    pub fn post(&self, path: &str, form: &[(&str, &str)]) -> (u16, String, String) {
        let url = format!("{}{path}", self.central.url());
        let request = agent().post(url).header("Cookie", &self.cookie).header("Sec-Fetch-Site", "same-origin");
        let mut answer = request.send_form(form.iter().copied()).expect("answered");
        let to = answer.headers().get("location").and_then(|to| to.to_str().ok()).unwrap_or_default().to_owned();
        (answer.status().as_u16(), to, answer.body_mut().read_to_string().expect("text"))
    }
}
