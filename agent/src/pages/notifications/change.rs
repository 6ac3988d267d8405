//! What the forms change. A value that breaks a rule changes nothing, and the rule stands at its field.

use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use seatline_protocol::Dimension;
use zeroize::Zeroizing;

use super::forms::{Forms, MailForm, Refused, RemindersForm, SECURITIES, SYSTEM, WebhookForm};
use super::page;
use crate::notices::{NoticeSettings, SettingsChange, SettingsError};
use crate::pages::fields::Fields;
use crate::pages::{PageError, Pages, Visit};

/// `POST /notifications/mail`
pub async fn mail(
    State(pages): State<Pages>,
    Extension(visit): Extension<Visit>,
    sent: Fields,
) -> Result<Response, PageError> {
    sent.need(&["host", "port", "security", "user", "sender", "recipients"])?;
    let form = MailForm::sent(&sent);
    let file = sent.get("ca-file").to_owned();
    let password = Zeroizing::new(sent.get("password").to_owned());
    let changed = pages.ask_notices(move |notices| {
        let before = notices.settings()?;
        notices.change(mail_change(&form, &before, &file, password)?)
    });
    match changed.await? {
        Ok(settings) => {
            let (host, user) = (settings.mail.host.unwrap_or_default(), &visit.visitor.name);
            tracing::info!(host, user, "the mail settings were changed");
            Ok(Redirect::to(&pages.href("/notifications?done=mail")).into_response())
        }
        Err(error) => {
            let form = MailForm::sent(&sent);
            refused(&pages, &visit, error, |refused| Forms { mail: Some((form, refused)), ..Forms::default() }).await
        }
    }
}

/// What is to be changed about mail. What is as it was stays out of it, so that `seatline.toml` keeps its say over it.
fn mail_change(
    form: &MailForm,
    before: &NoticeSettings,
    file: &str,
    password: Zeroizing<String>,
) -> Result<SettingsChange, SettingsError> {
    let field = |field, rule: &str| SettingsError::Field { field, rule: rule.to_owned() };
    let mail = &before.mail;
    let differs = |typed: &str, is: Option<&str>| (typed != is.unwrap_or_default()).then(|| typed.to_owned());
    let security = SECURITIES.into_iter().find(|(security, _)| security.name() == form.security);
    let (security, _) = security.ok_or_else(|| field("security", "must be one of those that can be chosen"))?;
    let port = match form.port.as_str() {
        "" => 0,
        port => port.parse().map_err(|_| field("port", "must be a number from 1 to 65535, or empty"))?,
    };
    let in_force = if port == 0 { security.port() } else { port };
    let recipients: Vec<String> =
        form.recipients.split([',', ';', '\n']).map(str::trim).filter(|it| !it.is_empty()).map(str::to_owned).collect();
    let is_same = recipients.iter().map(String::as_str).eq(mail.recipients.iter().map(|known| known.as_str()));
    let ca_pem = match file.trim().is_empty() {
        false => Some(file.to_owned()),
        true => (form.authority == SYSTEM && mail.has_ca).then(String::new),
    };
    Ok(SettingsChange {
        host: differs(&form.host, mail.host.as_deref()),
        port: (in_force != mail.port).then_some(port),
        security: (security != mail.security).then_some(security),
        user: differs(&form.user, mail.user.as_deref()),
        password: (!password.is_empty()).then_some(password),
        ca_pem,
        sender: differs(&form.sender, mail.sender.as_ref().map(|sender| sender.as_str())),
        recipients: (!is_same).then_some(recipients),
        ..SettingsChange::default()
    })
}

/// `POST /notifications/mail/reset`: mail is as in `seatline.toml` again.
pub async fn reset_mail(State(pages): State<Pages>, Extension(visit): Extension<Visit>) -> Result<Response, PageError> {
    let reset = SettingsChange { reset_mail: true, ..SettingsChange::default() };
    match pages.ask_notices(move |notices| notices.change(reset)).await? {
        Ok(_) => {
            tracing::info!(user = visit.visitor.name, "the mail settings were reset");
            Ok(Redirect::to(&pages.href("/notifications?done=reset")).into_response())
        }
        Err(error) => {
            refused(&pages, &visit, error, |refused| Forms { other: Some(refused), ..Forms::default() }).await
        }
    }
}

/// `POST /notifications/reminders`
pub async fn reminders(
    State(pages): State<Pages>,
    Extension(visit): Extension<Visit>,
    sent: Fields,
) -> Result<Response, PageError> {
    sent.need(&["expiry", "maintenance", "evaluation", "patience"])?;
    let form = RemindersForm::sent(&sent);
    let change = match reminders_change(&form) {
        Ok(change) => pages.ask_notices(move |notices| notices.change(change)).await?,
        Err(error) => Err(error),
    };
    match change {
        Ok(_) => {
            tracing::info!(user = visit.visitor.name, "the reminders were changed");
            Ok(Redirect::to(&pages.href("/notifications?done=reminders")).into_response())
        }
        Err(error) => {
            refused(&pages, &visit, error, |refused| Forms { reminders: Some((form, refused)), ..Forms::default() })
                .await
        }
    }
}

fn reminders_change(form: &RemindersForm) -> Result<SettingsChange, SettingsError> {
    let field = |field, rule: &str| SettingsError::Field { field, rule: rule.to_owned() };
    let days = |name, text: &str| {
        let days = text.split([',', ' ']).filter(|day| !day.is_empty()).map(str::parse);
        days.collect::<Result<Vec<u16>, _>>().map_err(|_| field(name, "must be numbers of days, such as 60, 30"))
    };
    let mut thresholds = std::collections::BTreeMap::new();
    for (dimension, percent) in &form.thresholds {
        let rule = "must each be a whole number from 1 to 100, or empty";
        let known: Dimension = dimension.parse().map_err(|_| field("thresholds", rule))?;
        let percent = match percent.trim_end_matches(['%', ' ']) {
            "" => None,
            percent => Some(percent.parse().map_err(|_| field("thresholds", rule))?),
        };
        thresholds.insert(known, percent);
    }
    Ok(SettingsChange {
        expiry_days: Some(days("expiry", &form.expiry)?),
        maintenance_days: Some(days("maintenance", &form.maintenance)?),
        evaluation_days: Some(days("evaluation", &form.evaluation)?),
        patience: Some(form.patience.parse().map_err(|_| field("patience", "must be a number from 1 to 255"))?),
        thresholds,
        ..SettingsChange::default()
    })
}

/// `POST /notifications/webhooks`: the answer alone shows a secret that was made.
pub async fn add_webhook(
    State(pages): State<Pages>,
    Extension(visit): Extension<Visit>,
    sent: Fields,
) -> Result<Response, PageError> {
    let url = sent.get("url").trim().to_owned();
    let given = Some(Zeroizing::new(sent.get("secret").trim().to_owned())).filter(|secret| !secret.is_empty());
    let ca = Some(sent.get("ca-file").to_owned()).filter(|pem| !pem.trim().is_empty());
    let is_given = given.is_some();
    let (call, secret) = (url.clone(), given);
    let added = pages
        .ask_notices(move |notices| notices.add_webhook(&call, secret.as_deref().map(String::as_str), ca.as_deref()));
    match added.await? {
        Ok((webhook, secret)) => {
            tracing::info!(webhook = webhook.id, user = visit.visitor.name, "a webhook was added");
            // Who has given the secret knows it.
            let secret = (!is_given).then_some(secret);
            Ok(page(&pages, &visit).await?.with_webhook(&webhook, secret).content().into_response())
        }
        Err(error) => {
            let form = WebhookForm { url };
            refused(&pages, &visit, error, |refused| Forms { webhook: Some((form, refused)), ..Forms::default() }).await
        }
    }
}

/// `POST /notifications/webhooks/remove`
pub async fn remove_webhook(
    State(pages): State<Pages>,
    Extension(visit): Extension<Visit>,
    sent: Fields,
) -> Result<Response, PageError> {
    let id = sent.get("id").to_owned();
    match pages.ask_notices(move |notices| notices.remove_webhook(&id)).await? {
        Ok(webhook) => {
            tracing::info!(webhook = webhook.id, user = visit.visitor.name, "a webhook was removed");
            Ok(Redirect::to(&pages.href("/notifications?done=removed")).into_response())
        }
        Err(error) => {
            refused(&pages, &visit, error, |refused| Forms { other: Some(refused), ..Forms::default() }).await
        }
    }
}

/// The page with a form that was not taken.
async fn refused(
    pages: &Pages,
    visit: &Visit,
    error: SettingsError,
    forms: impl FnOnce(Refused) -> Forms,
) -> Result<Response, PageError> {
    let refused = match error {
        SettingsError::Store(error) => return Err(PageError::of_state(&error)),
        SettingsError::Random(_) => return Err(PageError::internal()),
        SettingsError::Field { field, rule } => Refused { field, why: format!("it {rule}") },
        error => Refused { field: "", why: error.to_string() },
    };
    let content = page(pages, visit).await?.with_forms(forms(refused)).content();
    Ok(content.status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
}
