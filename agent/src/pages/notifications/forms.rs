//! The forms of the page: what they hold, and why a value was not taken.

use askama::Template;
use seatline_delivery::smtp::Security;
use seatline_protocol::notices::{DEFAULT_THRESHOLD, Reminders};
use seatline_ui::{Banner, Choice, Field, Prose, Tone};

use crate::notices::{MailFacts, NoticeSettings};
use crate::pages::Pages;
use crate::pages::fields::Fields;

/// What stands for the authorities of the system, and for those that were set, in the field `authority`.
pub const SYSTEM: &str = "system";
const OWN: &str = "own";

/// How a connection to a mail server is encrypted, and what people call it.
pub const SECURITIES: [(Security, &str); 3] = [
    (Security::StartTls, "STARTTLS (port 587)"),
    (Security::Tls, "TLS from the start (port 465)"),
    (Security::Plain, "None, on this machine alone (port 25)"),
];

/// Why a form was not taken.
#[derive(Debug, Clone, Default)]
pub struct Refused {
    /// The field that it is about; empty where it is about none.
    pub field: &'static str,
    /// Why.
    pub why: String,
}

impl Refused {
    fn of(&self, field: &str) -> Option<&str> {
        (self.field == field).then_some(self.why.as_str()).filter(|why| !why.is_empty())
    }

    /// What stands above the page: a field that is marked may be far below.
    pub fn banner(&self) -> Banner {
        let why = match self.of("") {
            Some(why) => Prose::sentence(why),
            None => Prose::from("What is wrong stands below, at the field that is marked."),
        };
        Banner::new(Tone::Danger, "Nothing was changed", why)
    }
}

/// The forms that were sent and not taken; the others show what is set.
#[derive(Default)]
pub struct Forms {
    pub mail: Option<(MailForm, Refused)>,
    pub reminders: Option<(RemindersForm, Refused)>,
    pub webhook: Option<(WebhookForm, Refused)>,
    /// About no form.
    pub other: Option<Refused>,
}

impl Forms {
    /// Why the one that was sent was not taken.
    pub fn refused(&self) -> Option<&Refused> {
        let mail = self.mail.as_ref().map(|(_, refused)| refused);
        let reminders = self.reminders.as_ref().map(|(_, refused)| refused);
        let webhook = self.webhook.as_ref().map(|(_, refused)| refused);
        mail.or(reminders).or(webhook).or(self.other.as_ref())
    }
}

/// How mails are sent, without the password: that goes into no page.
#[derive(Debug, Clone, Default)]
pub struct MailForm {
    pub host: String,
    pub port: String,
    pub security: String,
    pub user: String,
    pub sender: String,
    pub recipients: String,
    pub authority: String,
}

impl MailForm {
    /// As it was sent.
    pub fn sent(fields: &Fields) -> Self {
        let line = |name| fields.get(name).trim().to_owned();
        Self {
            host: line("host"),
            port: line("port"),
            security: line("security"),
            user: line("user"),
            sender: line("sender"),
            recipients: line("recipients"),
            authority: line("authority"),
        }
    }

    /// As it is set.
    fn of(mail: &MailFacts) -> Self {
        let port = (mail.port != mail.security.port()).then(|| mail.port.to_string());
        let recipients: Vec<&str> = mail.recipients.iter().map(|recipient| recipient.as_str()).collect();
        Self {
            host: mail.host.clone().unwrap_or_default(),
            port: port.unwrap_or_default(),
            security: mail.security.name().to_owned(),
            user: mail.user.clone().unwrap_or_default(),
            sender: mail.sender.as_ref().map(ToString::to_string).unwrap_or_default(),
            recipients: recipients.join("\n"),
            authority: if mail.has_ca { OWN } else { SYSTEM }.to_owned(),
        }
    }
}

/// When is told.
#[derive(Debug, Clone, Default)]
pub struct RemindersForm {
    pub expiry: String,
    pub maintenance: String,
    pub evaluation: String,
    pub patience: String,
    /// Dimension and hundredths.
    pub thresholds: Vec<(String, String)>,
}

/// What the fields of thresholds begin with.
const THRESHOLD: &str = "threshold-";

impl RemindersForm {
    /// As it was sent.
    pub fn sent(fields: &Fields) -> Self {
        let line = |name| fields.get(name).trim().to_owned();
        Self {
            expiry: line("expiry"),
            maintenance: line("maintenance"),
            evaluation: line("evaluation"),
            patience: line("patience"),
            thresholds: fields
                .beginning(THRESHOLD)
                .map(|(name, text)| (name.to_owned(), text.trim().to_owned()))
                .collect(),
        }
    }

    /// As it is set; `dimensions` have a limit.
    fn of(reminders: &Reminders, dimensions: &[String]) -> Self {
        let days = |days: &[u16]| days.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let set = |dimension: &String| {
            let set = reminders.thresholds.iter().find(|(known, _)| known.as_str() == dimension);
            (dimension.clone(), set.map(|(_, percent)| percent.to_string()).unwrap_or_default())
        };
        Self {
            expiry: days(&reminders.expiry_days),
            maintenance: days(&reminders.maintenance_days),
            evaluation: days(&reminders.evaluation_days),
            patience: reminders.patience.to_string(),
            thresholds: dimensions.iter().map(set).collect(),
        }
    }
}

/// A webhook to be added.
#[derive(Debug, Clone, Default)]
pub struct WebhookForm {
    pub url: String,
}

/// The forms, as the page shows them.
#[derive(Template)]
#[template(path = "notifications/forms.html")]
pub struct FormsShown {
    mail_action: String,
    reset_action: String,
    reminders_action: String,
    webhook_action: String,
    remove_action: String,
    mail: MailForm,
    mail_refused: Refused,
    has_password: bool,
    has_ca: bool,
    reminders: RemindersForm,
    reminders_refused: Refused,
    /// What the fields of thresholds are called, in the form and to people.
    thresholds: Vec<(String, String)>,
    webhook: WebhookForm,
    webhook_refused: Refused,
    webhooks: Vec<Webhook>,
}

struct Webhook {
    id: String,
    url: String,
    configured: bool,
}

impl askama::filters::HtmlSafe for FormsShown {}

impl FormsShown {
    /// The forms with what is set, and what was sent and not taken.
    pub fn new(pages: &Pages, settings: &NoticeSettings, dimensions: &[String], forms: Forms) -> Self {
        let (mail, mail_refused) = forms.mail.unwrap_or_else(|| (MailForm::of(&settings.mail), Refused::default()));
        let set = || (RemindersForm::of(&settings.reminders, dimensions), Refused::default());
        let (reminders, reminders_refused) = forms.reminders.unwrap_or_else(set);
        let (webhook, webhook_refused) = forms.webhook.unwrap_or_default();
        let name = |dimension: &String| {
            let shown =
                dimension.parse().map_or_else(|_| dimension.clone(), |known| seatline_ui::words::dimension(&known));
            (format!("{THRESHOLD}{dimension}"), shown)
        };
        Self {
            mail_action: pages.href("/notifications/mail"),
            reset_action: pages.href("/notifications/mail/reset"),
            reminders_action: pages.href("/notifications/reminders"),
            webhook_action: pages.href("/notifications/webhooks"),
            remove_action: pages.href("/notifications/webhooks/remove"),
            thresholds: reminders.thresholds.iter().map(|(dimension, _)| name(dimension)).collect(),
            mail,
            mail_refused,
            has_password: settings.mail.has_password,
            has_ca: settings.mail.has_ca,
            reminders,
            reminders_refused,
            webhook,
            webhook_refused,
            webhooks: settings
                .webhooks
                .iter()
                .map(|hook| Webhook { id: hook.id.clone(), url: hook.url.clone(), configured: hook.configured })
                .collect(),
        }
    }

    fn mail_fields(&self) -> Vec<Field<'_>> {
        let (mail, refused) = (&self.mail, &self.mail_refused);
        let choices = SECURITIES.map(|(security, label)| Choice { value: security.name(), label: label.to_owned() });
        let password = match self.has_password {
            true => {
                "One is set; leave this empty to keep it. It is needed again with another server, port, encryption, \
                 authority or user."
            }
            false => "Where the server asks for one.",
        };
        let text = |name, label| Field::text(name, label).error(refused.of(name));
        let mut fields = vec![
            text("host", "Mail server").value(&mail.host).hint("Its name or IP address."),
            Field::number("port", "Port").value(&mail.port).hint("Empty for the usual one.").error(refused.of("port")),
            Field::select("security", "Encryption", choices.to_vec())
                .value(&mail.security)
                .error(refused.of("security")),
            text("sender", "Sender").value(&mail.sender).hint("From whom the mails are, such as `wiki@example.org`."),
            text("user", "User").value(&mail.user),
            Field::password("password", "Password")
                .hint(password)
                .error(refused.of("password"))
                .autocomplete("new-password"),
        ];
        let recipients = "Who is told: one address a line, 20 at the most.";
        fields.push(
            Field::area("recipients", "Recipients")
                .value(&mail.recipients)
                .hint(recipients)
                .error(refused.of("recipients"))
                .wide(),
        );
        if self.has_ca {
            let choices = [(OWN, "Those that were set"), (SYSTEM, "Those of the system")];
            let choices = choices.map(|(value, label)| Choice { value, label: label.to_owned() }).to_vec();
            fields.push(Field::select("authority", "Accepted authorities", choices).value(&mail.authority));
        }
        let file = "A PEM file, where none of the system's has signed the server's certificate.";
        fields.push(Field::file("ca-file", "Authority of the server").hint(file).error(refused.of("ca")).id("-mail"));
        fields
    }

    fn reminder_fields(&self) -> Vec<Field<'_>> {
        let (form, refused) = (&self.reminders, &self.reminders_refused);
        let text = |name, label, value, hint| Field::text(name, label).value(value).hint(hint).error(refused.of(name));
        let number = Field::number("patience", "Failures in a row").value(&form.patience).suffix("intervals");
        let patience = "For how many synchronisation intervals counting or reporting must have failed.";
        let days = "Days before, such as `60, 30`; empty for never.";
        vec![
            text("expiry", "Before a license expires", &form.expiry, days),
            text("maintenance", "Before maintenance ends", &form.maintenance, days),
            text("evaluation", "Before an evaluation ends", &form.evaluation, days),
            number.hint(patience).error(refused.of("patience")),
        ]
    }

    fn threshold_fields(&self) -> Vec<Field<'_>> {
        let refused = self.reminders_refused.of("thresholds");
        let fields = self.thresholds.iter().zip(&self.reminders.thresholds);
        let field =
            |name, label, percent| Field::number(name, label).value(percent).suffix("% of the limit").error(refused);
        fields.map(|((name, label), (_, percent))| field(name, label, percent)).collect()
    }

    fn webhook_fields(&self) -> [Field<'_>; 3] {
        let refused = &self.webhook_refused;
        let secret = "The one that the receiver has given (`whsec_…`). Empty for a new one, which is shown once.";
        [
            Field::url("url", "Address")
                .value(&self.webhook.url)
                .hint("HTTPS, or HTTP on this machine.")
                .error(refused.of("url")),
            Field::text("secret", "Secret").hint(secret).error(refused.of("secret")),
            Field::file("ca-file", "Authority of the receiver").error(refused.of("ca")).id("-webhook"),
        ]
    }
}
