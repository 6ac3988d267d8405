//! What holds for all alerts: when something is near, how long is waited, and the mail server.

use askama::Template;
use axum::Form;
use axum::extract::{Extension, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use seatline_delivery::smtp::Security;
use seatline_protocol::notices::Reminders;
use seatline_protocol::{Dimension, IdError};
use seatline_ui::{Banner, Choice, Field, Prose, Tabs, Tone};

use super::{Listed, Part, tabs};
use crate::actions::alerts::ShownSettings;
use crate::auth::SignedIn;
use crate::central::ActionError;
use crate::domain::alerts::settings::{AlertSettings, MailServerSettings};
use crate::domain::alerts::telling::Pace;
use crate::pages::alerts::form::Pairs;
use crate::pages::failure::{Broken, PageError};
use crate::pages::frame::{Section, page_of, page_of_with};
use crate::server::App;

/// The page.
#[derive(Template)]
#[template(path = "administration/alerts.html")]
struct SettingsPage {
    tabs: Tabs,
    banner: Option<Banner>,
    sent: Pairs,
    broken: Option<Broken>,
    has_password: bool,
}

impl SettingsPage {
    fn error(&self, field: &str) -> Option<&str> {
        self.broken.as_ref().filter(|(at, _)| *at == field).map(|(_, rule)| rule.as_str())
    }

    /// What is wrong with something that has no field of its own.
    fn general(&self) -> Option<Banner> {
        let (at, rule) = self.broken.as_ref()?;
        let near = ["expiry_days", "maintenance_days", "evaluation_days", "thresholds", "pace"];
        let mail = ["host", "port", "security", "user", "password", "sender", "ca_pem"];
        let is_shown = near.iter().chain(&mail).any(|field| field == at);
        (!is_shown).then(|| Banner::new(Tone::Warning, "This could not be saved", Prose::sentence(rule)))
    }

    fn text<'f>(&'f self, name: &'f str, label: &'f str) -> Field<'f> {
        Field::text(name, label).value(self.sent.get(name)).error(self.error(name))
    }

    fn near_fields(&self) -> Vec<Field<'_>> {
        let days = |name, label| self.text(name, label).suffix("days before");
        vec![
            days("expiry_days", "A license ends").hint("Each is told once: `60, 30`. Empty for none."),
            days("maintenance_days", "Maintenance ends"),
            days("evaluation_days", "An evaluation ends"),
            self.text("thresholds", "Thresholds of limits")
                .hint("In per cent, such as `users 80, nodes 100`. The usual one is 90; nodes have none."),
        ]
    }

    fn pace_fields(&self) -> Vec<Field<'_>> {
        vec![
            Field::number("settle", "Told when it has lasted for")
                .suffix("seconds")
                .value(self.sent.get("settle"))
                .error(self.error("pace")),
            Field::number("calm", "Told to be over when it has been so for")
                .suffix("seconds")
                .value(self.sent.get("calm")),
        ]
    }

    fn mail_fields(&self) -> Vec<Field<'_>> {
        let security = [Security::StartTls, Security::Tls, Security::Plain];
        let says = |security| match security {
            Security::StartTls => "STARTTLS, mostly on port 587",
            Security::Tls => "TLS, mostly on port 465",
            Security::Plain => "None: for a server on this machine alone",
        };
        let security = security.map(|one| Choice { value: one.name(), label: says(one).to_owned() });
        let password = match self.has_password {
            true => "One is known. Empty keeps it, for the same user of the same server.",
            false => "None is known.",
        };
        vec![
            self.text("host", "Mail server").hint("Its name. Empty where no mails are sent."),
            Field::number("port", "Port")
                .value(self.sent.get("port"))
                .hint("Empty for the usual one.")
                .error(self.error("port")),
            Field::select("security", "Encryption", security.into())
                .value(self.sent.get("security"))
                .error(self.error("security")),
            self.text("sender", "Sender").hint("From whom the mails are: `licenses@example.org`."),
            self.text("user", "User").hint("Empty where the server wants none."),
            Field::password("password", "Password").hint(password).error(self.error("password")),
            Field::area("ca_pem", "Certificates of its authority")
                .hint("In PEM form, where it is one of your own.")
                .value(self.sent.get("ca_pem"))
                .error(self.error("ca_pem"))
                .wide(),
        ]
    }
}

/// What the form would send.
fn pairs_of(settings: &AlertSettings) -> Pairs {
    let AlertSettings { reminders, pace, mail, local_webhooks } = settings;
    let days = |days: &[u16]| days.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
    let thresholds = reminders.thresholds.iter().map(|(dimension, percent)| format!("{dimension} {percent}"));
    let mut pairs = vec![
        ("expiry_days", days(&reminders.expiry_days)),
        ("maintenance_days", days(&reminders.maintenance_days)),
        ("evaluation_days", days(&reminders.evaluation_days)),
        ("thresholds", thresholds.collect::<Vec<_>>().join(", ")),
        ("settle", pace.settle.to_string()),
        ("calm", pace.calm.to_string()),
    ];
    if *local_webhooks {
        pairs.push(("local_webhooks", "yes".to_owned()));
    }
    if let Some(mail) = mail {
        pairs.extend([
            ("host", mail.host.clone()),
            ("port", mail.port.map(|port| port.to_string()).unwrap_or_default()),
            ("security", mail.security.name().to_owned()),
            ("sender", mail.sender.to_string()),
            ("user", mail.user.clone().unwrap_or_default()),
            ("ca_pem", mail.ca_pem.clone().unwrap_or_default()),
        ]);
    }
    Pairs(pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// The settings that the form has sent; what it does not show stays.
fn settings_of(sent: &Pairs, before: &Reminders) -> Result<AlertSettings, Broken> {
    let listed = |name: &str| {
        sent.get(name).split(',').map(str::trim).filter(|one| !one.is_empty()).map(str::to_owned).collect()
    };
    let days = |name: &'static str| -> Result<Vec<u16>, Broken> {
        let typed: Vec<String> = listed(name);
        typed
            .iter()
            .map(|one| one.parse().map_err(|_| (name, "numbers of days, with commas between them".to_owned())))
            .collect()
    };
    let thresholds: Vec<String> = listed("thresholds");
    let threshold = |text: &String| -> Result<(Dimension, u8), Broken> {
        let wrong = |rule: String| ("thresholds", rule);
        let (name, percent) = text.rsplit_once(' ').ok_or_else(|| wrong("as `users 80`".to_owned()))?;
        let percent = percent.trim_end_matches('%').parse().map_err(|_| wrong("from 1 to 100 per cent".to_owned()))?;
        Ok((name.trim().parse().map_err(|error: IdError| wrong(error.to_string()))?, percent))
    };
    let seconds = |name: &str| sent.get(name).parse().map_err(|_| ("pace", "a whole number of seconds".to_owned()));
    let some = |name: &str| Some(sent.get(name).to_owned()).filter(|text| !text.is_empty());
    let mail = match some("host") {
        None => None,
        Some(host) => Some(MailServerSettings {
            host,
            port: some("port")
                .map(|port| port.parse().map_err(|_| ("port", "from 1 to 65535".to_owned())))
                .transpose()?,
            security: [Security::StartTls, Security::Tls, Security::Plain]
                .into_iter()
                .find(|one| one.name() == sent.get("security"))
                .unwrap_or_default(),
            user: some("user"),
            sender: sent.get("sender").parse().map_err(|error: IdError| ("sender", error.to_string()))?,
            ca_pem: some("ca_pem"),
        }),
    };
    Ok(AlertSettings {
        reminders: Reminders {
            expiry_days: days("expiry_days")?,
            maintenance_days: days("maintenance_days")?,
            evaluation_days: days("evaluation_days")?,
            thresholds: thresholds.iter().map(threshold).collect::<Result<_, _>>()?,
            patience: before.patience,
        },
        pace: Pace { settle: seconds("settle")?, calm: seconds("calm")? },
        mail,
        local_webhooks: sent.get("local_webhooks") == "yes",
    })
}

/// `GET /administration/alerts`
pub async fn show(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Query(Listed { done, .. }): Query<Listed>,
) -> Result<Response, PageError> {
    let ShownSettings { settings, has_password } = app.central.alert_settings().await?;
    let saved = "What counts as near is looked at anew for all applications, in the background.";
    let banner = (done.as_deref() == Some("saved")).then(|| Banner::new(Tone::Good, "Saved.", saved));
    let page = SettingsPage { tabs: tabs(Part::Alerts), banner, sent: pairs_of(&settings), broken: None, has_password };
    Ok(page_of(Section::Administration, "Alerts", Some(&who), page))
}

/// `POST /administration/alerts`
pub async fn save(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Form(sent): Form<Vec<(String, String)>>,
) -> Result<Response, PageError> {
    let sent = Pairs(sent);
    let ShownSettings { settings: before, has_password } = app.central.alert_settings().await?;
    let saved = async {
        let settings =
            settings_of(&sent, &before.reminders).map_err(|(field, rule)| ActionError::invalid(field, rule))?;
        let password = Some(sent.get("password")).filter(|password| !password.is_empty());
        app.central.set_alert_settings(&who.actor(), &settings, password).await
    };
    match saved.await {
        Ok(_) => Ok(Redirect::to("/administration/alerts?done=saved").into_response()),
        Err(ActionError::Invalid { field, reason }) => {
            let broken = Some((field, reason));
            let page = SettingsPage { tabs: tabs(Part::Alerts), banner: None, sent, broken, has_password };
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            Ok(page_of_with(status, Section::Administration, "Alerts", Some(&who), page))
        }
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use seatline_protocol::notices::DEFAULT_THRESHOLD;

    use super::*;

    #[test]
    fn the_settings_are_the_same_after_their_form() {
        let settings = AlertSettings {
            reminders: Reminders {
                expiry_days: vec![90, 14],
                thresholds: [("users".parse().expect("a dimension"), 80)].into(),
                ..Reminders::default()
            },
            pace: Pace { settle: 5, calm: 50 },
            mail: Some(MailServerSettings {
                host: "mail.example.org".to_owned(),
                port: Some(2525),
                security: Security::Tls,
                user: Some("central".to_owned()),
                sender: "central@example.org".parse().expect("an address"),
                ca_pem: None,
            }),
            local_webhooks: true,
        };
        assert_eq!(settings_of(&pairs_of(&settings), &settings.reminders), Ok(settings));
        let usual = AlertSettings::default();
        assert_eq!(settings_of(&pairs_of(&usual), &usual.reminders), Ok(usual));
        assert_eq!(DEFAULT_THRESHOLD, 90, "the hint says so");
    }
}
