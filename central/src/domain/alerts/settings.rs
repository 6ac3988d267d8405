//! What holds for all alerts: what counts as near, the mail server, and whether webhooks may call this machine itself.

use seatline_delivery::MailAddress;
use seatline_delivery::smtp::{Security, check_host, is_loopback_name};
use seatline_delivery::trust::check_pem;
use seatline_protocol::notices::Reminders;
use seatline_protocol::text;
use serde::{Deserialize, Serialize};

use super::telling::Pace;

/// The most characters of a user of the mail server, or of his password.
pub const MAX_TEXT: usize = 255;

/// What holds for all alerts. What is secret is not in it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AlertSettings {
    /// When something counts as near: days before an end, hundredths of a limit.
    pub reminders: Reminders,
    /// How long is waited before something is told.
    pub pace: Pace,
    /// The mail server; absent where no mail can be sent.
    pub mail: Option<MailServerSettings>,
    /// Whether webhooks may lead to this machine itself and to its own network segment (loopback and link-local
    /// addresses). Who may add webhooks could else ask services there that trust this machine.
    pub local_webhooks: bool,
}

/// The mail server. The password of its user is kept apart from it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MailServerSettings {
    /// Its name, which its certificate is held against, or its address.
    pub host: String,
    /// Its port; absent for the usual one.
    #[serde(default)]
    pub port: Option<u16>,
    /// How the connection to it is encrypted.
    #[serde(default)]
    pub security: Security,
    /// Who we are to it; absent where it does not want to know.
    #[serde(default)]
    pub user: Option<String>,
    /// From whom the mails are.
    pub sender: MailAddress,
    /// The authorities whose certificates are accepted, in PEM form, instead of the system's.
    #[serde(default)]
    pub ca_pem: Option<String>,
}

impl MailServerSettings {
    /// Its port.
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(self.security.port())
    }

    /// Whether a password that was set for `other` may be sent to this one: it is the same user of the same server.
    pub fn takes_password_of(&self, other: &Self) -> bool {
        (&self.host, self.port(), self.security, &self.user) == (&other.host, other.port(), other.security, &other.user)
            && self.ca_pem == other.ca_pem
    }
}

impl AlertSettings {
    /// Whether they can be kept.
    ///
    /// # Errors
    /// The field that breaks a rule, and the rule.
    pub fn check(&self) -> Result<(), (&'static str, String)> {
        self.reminders.check().map_err(|rule| ("reminders", rule))?;
        self.pace.check().map_err(|rule| ("pace", rule))?;
        let Some(mail) = &self.mail else { return Ok(()) };
        check_host(&mail.host).map_err(|rule| ("host", rule.to_owned()))?;
        if mail.port == Some(0) {
            return Err(("port", "from 1 to 65535".to_owned()));
        }
        if let Some(user) = &mail.user {
            check_text(user).map_err(|rule| ("user", rule))?;
        }
        if mail.security == Security::Plain && !is_loopback_name(&mail.host) {
            return Err(("security", "`plain` is for a mail server on this machine alone".to_owned()));
        }
        mail.ca_pem.as_deref().map(check_pem).transpose().map_err(|rule| ("ca_pem", rule))?;
        Ok(())
    }
}

/// Whether a user's name or a password keeps to its rule. The text is not repeated.
///
/// # Errors
/// The rule, in one line.
pub fn check_text(text: &str) -> Result<(), String> {
    match !text.is_empty() && text::is_line(text, MAX_TEXT) {
        true => Ok(()),
        false => Err(format!("one line of 1 to {MAX_TEXT} characters")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(host: &str, security: Security) -> MailServerSettings {
        let sender = "central@example.org".parse().expect("an address");
        MailServerSettings { host: host.to_owned(), port: None, security, user: None, sender, ca_pem: None }
    }

    #[test]
    fn mail_leaves_this_machine_encrypted_alone() {
        let settings = |host, security| AlertSettings { mail: Some(mail(host, security)), ..AlertSettings::default() };
        assert_eq!(settings("mail.example.org", Security::StartTls).check(), Ok(()));
        assert_eq!(settings("localhost", Security::Plain).check(), Ok(()));
        assert_eq!(settings("mail.example.org", Security::Plain).check().expect_err("open").0, "security");
        for host in ["", "a b", "mail.example.org:25", "-x", "mail\r\nQUIT"] {
            assert_eq!(settings(host, Security::Tls).check().expect_err("no host").0, "host", "{host:?}");
        }
    }

    #[test]
    fn a_password_goes_to_no_other_server_than_it_was_set_for() {
        let known =
            MailServerSettings { user: Some("central".to_owned()), ..mail("mail.example.org", Security::StartTls) };
        assert!(known.takes_password_of(&known.clone()));
        let sender = "other@example.org".parse().expect("an address");
        assert!(MailServerSettings { sender, ..known.clone() }.takes_password_of(&known));
        for other in [
            MailServerSettings { host: "evil.example.org".to_owned(), ..known.clone() },
            MailServerSettings { port: Some(2525), ..known.clone() },
            MailServerSettings { user: Some("root".to_owned()), ..known.clone() },
            MailServerSettings { ca_pem: Some("another authority".to_owned()), ..known.clone() },
        ] {
            assert!(!other.takes_password_of(&known), "{other:?}");
        }
    }

    #[test]
    fn a_user_or_a_password_is_one_line_and_has_a_bound() {
        for (text, holds) in [("x".repeat(MAX_TEXT), true), ("x".repeat(MAX_TEXT + 1), false), (String::new(), false)] {
            assert_eq!(check_text(&text).is_ok(), holds, "{text}");
            let mail = MailServerSettings { user: Some(text), ..mail("mail.example.org", Security::StartTls) };
            let refused = AlertSettings { mail: Some(mail), ..AlertSettings::default() }.check().err();
            assert_eq!(refused.map(|(field, _)| field), Some("user").filter(|_| !holds));
        }
    }

    #[test]
    fn s5_two_months_and_one_month_are_the_default() {
        assert_eq!(AlertSettings::default().reminders.expiry_days, [60, 30]);
        let wrong = Reminders { expiry_days: vec![30, 30], ..Reminders::default() };
        let settings = AlertSettings { reminders: wrong, ..AlertSettings::default() };
        assert_eq!(settings.check().expect_err("twice").0, "reminders");
    }
}
