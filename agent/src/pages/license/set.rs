//! Saving a key (`c1`), counting again (`c3`), and the thresholds (`s4`).

use axum::Form;
use axum::extract::{Extension, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use seatline_host::licenses::SetLicenseError;
use seatline_host::notices::SetRemindersError;
use seatline_protocol::Dimension;
use serde::Deserialize;

use super::page_with_form;
use super::sent::KeySent;
use super::view::KeyForm;
use crate::pages::{PageError, Pages, Visit};

/// Why a key was not taken, as it is said at the field.
pub(super) fn refusal(error: &SetLicenseError) -> String {
    if let SetLicenseError::Store(_) | SetLicenseError::Product(_) = error {
        tracing::error!(code = error.code(), "a license key could not be set: {error}");
    }
    error.to_string()
}

/// `POST /license/save`
pub async fn save(
    State(pages): State<Pages>,
    Extension(visit): Extension<Visit>,
    sent: KeySent,
) -> Result<Response, PageError> {
    let (key, node) = (sent.key.clone(), sent.node().map(str::to_owned));
    let checked = pages.ask({
        let key = key.clone();
        move |host| host.check_license(&key)
    });
    let misplaced = checked.await?.map(|license| sent.misplaced(&license));
    let why = match misplaced {
        Ok(None) => match pages.ask(move |host| host.set_license_for(&key, node.as_deref())).await? {
            Ok(change) => {
                tracing::info!(license = %change.license.id, user = visit.visitor.name, "a license key was set");
                let done = if change.was_set { "known" } else { "saved" };
                return Ok(Redirect::to(&pages.href(&format!("/license?done={done}"))).into_response());
            }
            Err(error) => refusal(&error),
        },
        Ok(Some(why)) => why,
        Err(error) => refusal(&error),
    };
    let content = page_with_form(&pages, &visit, KeyForm::refused(&pages, &sent, why)).await?;
    Ok(content.into_response())
}

/// `POST /license/refresh`: counts again. A long count goes on after the answer, and the page says so.
pub async fn refresh(State(pages): State<Pages>) -> Result<Redirect, PageError> {
    pages.synchronise_in_sight().await?;
    Ok(Redirect::to(&pages.href("/license")))
}

/// What the form of a threshold sends.
#[derive(Debug, Deserialize)]
pub struct ThresholdSent {
    #[serde(default)]
    dimension: String,
    #[serde(default)]
    percent: String,
}

/// `POST /license/threshold`
pub async fn threshold(
    State(pages): State<Pages>,
    Extension(visit): Extension<Visit>,
    Form(sent): Form<ThresholdSent>,
) -> Result<Redirect, PageError> {
    let rule = "a threshold is a whole number from 1 to 100: go back, and write one";
    let dimension: Dimension = sent.dimension.parse().map_err(|_| PageError::not_found("limit"))?;
    let percent: u8 = sent.percent.trim().trim_end_matches('%').trim().parse().map_err(|_| PageError::invalid(rule))?;
    if !(1..=100).contains(&percent) {
        return Err(PageError::invalid(rule));
    }
    let known = pages.ask(|host| host.live()).await?.map_err(|error| PageError::of_host(&error))?;
    if !known.standing.limits.iter().any(|limit| limit.dimension == dimension) {
        return Err(PageError::not_found("limit"));
    }
    tracing::info!(%dimension, percent, user = visit.visitor.name, "a threshold was set");
    let set = move |host: &seatline_host::Host| {
        host.change_reminders(|reminders| {
            reminders.thresholds.insert(dimension, percent);
        })
    };
    match pages.ask(set).await? {
        Ok(_) => Ok(Redirect::to(&pages.href("/license?done=threshold"))),
        Err(SetRemindersError::Store(error)) => Err(PageError::of_state(&error)),
        Err(error) => Err(PageError::invalid(error.to_string())),
    }
}
