//! A running agent whose pages are open in a browser without JavaScript.

use seatline_agent::pages::routes::routes;

use super::agent::Agent;
use super::person::{Person, add_user};
use super::running::Running;

/// The agent, an administrator who has signed in, and a viewer `vic` who has not. A test adds what it needs by an
/// `impl` of its own.
pub struct Site {
    /// The instance.
    pub agent: Agent,
    /// The process.
    pub running: Running,
    /// Where the pages are.
    pub address: String,
    /// The administrator.
    pub ada: Person,
}

impl Site {
    /// A new agent that was started after `prepare`.
    pub fn new(prepare: impl FnOnce(&Agent)) -> Self {
        let agent = Agent::new();
        agent.configure("\n[log]\nformat = 'json'\n");
        add_user(&agent, "ada", "administrator");
        add_user(&agent, "vic", "viewer");
        prepare(&agent);
        let mut running = Running::start(&agent, &[], &[]);
        let address = running.address();
        let ada = Person::signed_in(&address, "ada");
        Self { agent, running, address, ada }
    }

    /// Sends a form what no page of ours sends: oversized, of the wrong type, broken, from another site. Each is
    /// refused; a form that needs no field (`needs_fields`) may also do what it is for.
    pub fn misuse(&self, path: &str, needs_fields: bool) {
        const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");
        let answer = |headers: &[(&str, &str)], body: &str| self.ada.send("POST", path, headers, body).status;
        let refused = if needs_fields { 400..=499 } else { 300..=499 };
        let route = routes().into_iter().find(|route| route.path == path && route.method == "POST").expect("a form");
        let oversized = answer(&[FORM], &format!("key={}", "x".repeat(route.max_bytes)));
        assert!(oversized == 413 || !needs_fields && oversized == 303, "{path}: {oversized} for too much");
        for (headers, body) in [
            (&[FORM][..], "key=%ff%fe&invite=%00&answer=%0a&host=%ff&url=%00&percent=%00&dimension=%0a"),
            (&[FORM][..], "&&&==&"),
            (&[FORM][..], "key=a&key=b&invite=a&invite=b&answer=a&answer=b&url=a&url=b"),
            (&[("Content-Type", "application/json")][..], "{\"key\": 1}"),
            (&[("Content-Type", "multipart/form-data; boundary=x")][..], "not multipart"),
            (&[("Content-Type", "multipart/form-data")][..], "--x--"),
            (&[][..], "key=x"),
        ] {
            let status = answer(headers, body);
            assert!(refused.contains(&status), "{path}: {status} for {body}");
        }
        assert_eq!(answer(&[FORM, ("Origin", "https://evil.example")], "key=x"), 403, "{path}: cross-site");
    }
}
