//! `[mail]` and `[[webhook]]`: where notices go, unless somebody has set something else since.

use std::path::{Path, PathBuf};

use seatline_delivery::MailAddress;
use seatline_delivery::smtp::Security;
use seatline_delivery::webhook::check_webhook_url;

use super::document::{Found, Problem, Section};
use super::secret::SecretSource;

/// The most webhooks of the file.
pub const MAX_WEBHOOKS: usize = 10;

/// Where notices go if nobody has set anything else.
#[derive(Debug, Clone, Default)]
pub struct NoticeDefaults {
    /// By mail.
    pub mail: MailDefaults,
    /// By webhook, always.
    pub webhooks: Vec<WebhookSource>,
}

/// `[mail]`
#[derive(Debug, Clone, Default)]
pub struct MailDefaults {
    /// The mail server.
    pub host: Option<String>,
    /// Its port.
    pub port: Option<u16>,
    /// How the connection to it is encrypted.
    pub security: Option<Security>,
    /// Who we are to it.
    pub user: Option<String>,
    /// Where the user's password is kept.
    pub password: Option<SecretSource>,
    /// The authority that signed its certificate.
    pub ca_file: Option<PathBuf>,
    /// From whom the mails are.
    pub sender: Option<MailAddress>,
    /// Who gets them.
    pub recipients: Vec<MailAddress>,
}

/// `[[webhook]]`
#[derive(Debug, Clone)]
pub struct WebhookSource {
    /// What is called.
    pub url: String,
    /// Where the secret is kept that its receiver knows.
    pub secret: SecretSource,
    /// The authority that signed its certificate.
    pub ca_file: Option<PathBuf>,
}

impl NoticeDefaults {
    /// Of the sections, where there are any. Paths are relative to `base`.
    ///
    /// # Errors
    /// Their first problem.
    pub(super) fn read(
        mail: Option<&Found<'_, '_>>,
        webhooks: Option<&Found<'_, '_>>,
        base: &Path,
    ) -> Result<Self, Problem> {
        let mail = mail.map(|found| read_mail(found, base)).transpose()?.unwrap_or_default();
        let sections = webhooks.map(|found| found.sections(&["url", "secret_env", "secret_file", "ca_file"]));
        let sections = sections.transpose()?.unwrap_or_default();
        if let (Some(found), true) = (webhooks, sections.len() > MAX_WEBHOOKS) {
            return Err(found.refuse(format_args!("stands there more than {MAX_WEBHOOKS} times")));
        }
        let webhooks = sections.iter().map(|section| read_webhook(section, base)).collect::<Result<Vec<_>, _>>()?;
        let is_twice = |at: usize| webhooks[..at].iter().any(|other| other.url == webhooks[at].url);
        if let Some(at) = (0..webhooks.len()).find(|at| is_twice(*at)) {
            return Err(sections[at].refuse("url", "stands there twice"));
        }
        Ok(Self { mail, webhooks })
    }
}

fn read_mail(found: &Found<'_, '_>, base: &Path) -> Result<MailDefaults, Problem> {
    let known =
        ["host", "port", "security", "user", "password_env", "password_file", "ca_file", "sender", "recipients"];
    let section = found.section(&known)?;
    let text = |key| section.find(key).map(|found| found.text()).transpose();
    let security = match section.find("security") {
        None => None,
        Some(found) => {
            let all = [Security::StartTls, Security::Tls, Security::Plain];
            let named = found.text()?;
            let known = all.into_iter().find(|security| security.name() == named);
            Some(known.ok_or_else(|| found.refuse("must be \"starttls\", \"tls\" or \"plain\""))?)
        }
    };
    let mut recipients = Vec::new();
    if let Some(found) = section.find("recipients") {
        for text in found.texts()? {
            recipients.push(text.parse().map_err(|error| found.refuse(format_args!("holds `{text}`: {error}")))?);
        }
    }
    let port = section.find("port").map(|found| found.number(1..=65_535)).transpose()?;
    let password = SecretSource::of(&section, "password_env", "password_file", base)?;
    if password.is_some() && section.find("user").is_none() {
        return Err(section.refuse("user", "is missing: a password belongs to somebody"));
    }
    Ok(MailDefaults {
        host: text("host")?.map(str::to_owned),
        port: port.and_then(|port| u16::try_from(port).ok()),
        security,
        user: text("user")?.map(str::to_owned),
        password,
        ca_file: text("ca_file")?.map(|path| base.join(path)),
        sender: section.find("sender").map(|found| found.parse()).transpose()?,
        recipients,
    })
}

fn read_webhook(section: &Section<'_>, base: &Path) -> Result<WebhookSource, Problem> {
    let found = section.require("url")?;
    let url = found.text()?;
    check_webhook_url(url).map_err(|rule| found.refuse(format_args!("cannot be called: {rule}")))?;
    let secret = SecretSource::of(section, "secret_env", "secret_file", base)?;
    let secret = secret.ok_or_else(|| section.refuse("secret_file", "is missing: calls are signed"))?;
    let ca_file = section.find("ca_file").map(|found| found.text()).transpose()?;
    Ok(WebhookSource { url: url.to_owned(), secret, ca_file: ca_file.map(|path| base.join(path)) })
}

#[cfg(test)]
mod tests {
    use crate::config::Config;
    use std::path::Path;

    fn problem(rest: &str) -> String {
        let text = format!("[product]\nid = 'a'\nname = 'A'\nversion = '1'\n{rest}");
        Config::parse(&text, Path::new("/data")).expect_err("a problem").to_string()
    }

    #[test]
    fn s7_what_is_wrong_with_the_sections_is_told_with_its_line() {
        let webhook = |url: &str| format!("[[webhook]]\nurl = '{url}'\nsecret_file = 's'\n");
        let cases = [
            (
                "[mail]\nsecurity = 'ssl'".to_owned(),
                "line 6: `mail.security` must be \"starttls\", \"tls\" or \"plain\"",
            ),
            ("[mail]\nport = 70000".to_owned(), "line 6: `mail.port` must be from 1 to 65535"),
            (
                "[mail]\npassword_file = 'p'".to_owned(),
                "line 5: `mail.user` is missing: a password belongs to somebody",
            ),
            (
                "[mail]\nrecipients = ['ada']".to_owned(),
                "line 6: `mail.recipients` holds `ada`: a mail address must be of the form user@host.example, at most 254 \
                 characters of ASCII, without spaces, quotes or brackets",
            ),
            (
                "[[webhook]]\nurl = 'https://x.org/'".to_owned(),
                "line 5: `webhook.secret_file` is missing: calls are signed",
            ),
            (
                webhook("http://x.org/"),
                "line 6: `webhook.url` cannot be called: the URL must begin with https:// (http:// is for the loopback \
                 interface alone)",
            ),
            (webhook("https://x.org/").repeat(2), "line 9: `webhook.url` stands there twice"),
        ];
        for (text, expected) in cases {
            assert_eq!(problem(&text), expected);
        }
        let many: String = (0..11).map(|index| webhook(&format!("https://x.org/{index}"))).collect();
        assert!(problem(&many).ends_with("`webhook` stands there more than 10 times"));
    }
}
