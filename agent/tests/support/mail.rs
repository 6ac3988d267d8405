//! The mail server and the receiver of webhooks that the tests of `seatline-delivery` start too.

#[path = "../../../delivery/tests/support/certificates.rs"]
pub mod certificates;
#[path = "../../../delivery/tests/support/mail_server.rs"]
pub mod mail_server;
#[path = "../../../delivery/tests/support/receiver.rs"]
pub mod receiver;

use super::agent::Agent;
use mail_server::MailServer;

impl Agent {
    /// Sets the mail server, with `ada@example.org` as the one who gets mails.
    pub fn tells_by_mail(&self, server: &MailServer) {
        let port = server.port.to_string();
        let options = ["--host", "localhost", "--port", &port, "--security", "plain", "--sender", "wiki@example.org"];
        self.run(&[&["notices", "settings"], &options[..], &["--recipient", "ada@example.org"]].concat()).ok();
    }

    /// Sets a license that ends in so many days.
    pub fn licensed_for(&self, id: &str, days: i64) {
        let ends = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * days);
        let expires = ends.to_string();
        let key = self.issue(&["--kind", "commercial", "--id", id, "--limit", "users=5", "--expires", &expires]);
        self.run(&["license", "set", &key]).ok();
    }
}

/// What a mail says: its subject and its text.
pub fn read(mail: &serde_json::Value) -> (String, String) {
    let text =
        mail["text"].as_str().expect("the mail").replace("=\r\n", "").replace("=20\r\n", " \n").replace("\r\n", "\n");
    let (head, body) = text.split_once("\n\n").expect("a head and a body");
    let head = head.replace("\n ", " ");
    let subject = head.lines().find_map(|line| line.strip_prefix("Subject: ")).expect("a subject");
    (subject.to_owned(), body.to_owned())
}
