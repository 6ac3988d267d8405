//! Alerts over the API: what is open and was, who knows of it, who is told, and what was sent.

use axum::extract::State;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};

use super::ApiError;
use super::input::{Asked, Input, Paging};
use crate::actions::alerts::{AcknowledgedSeveral, Known, SeveralKnown};
use crate::auth::SignedIn;
use crate::domain::alerts::MatterKey;
use crate::domain::alerts::acknowledgement::Acknowledgement;
use crate::server::App;
use crate::store::Page;
use crate::store::alerts::{Alert, AlertFigures, AlertFilter};

/// Which alerts are wanted.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Wanted {
    /// `open`, or `past`.
    state: String,
    code: String,
    gravity: String,
}

/// `GET /api/v1/alerts`
pub(super) async fn list(
    State(app): State<App>,
    paging: Paging,
    Asked(wanted): Asked<Wanted>,
) -> Result<Json<Page<Alert>>, ApiError> {
    let filter = AlertFilter::sent(&wanted.code, &wanted.gravity);
    let filter = filter.map_err(|(field, rule)| ApiError::invalid(format!("{field}: {rule}")))?;
    let store = app.central.store();
    let (after, size) = (paging.after.as_ref(), paging.size);
    Ok(Json(match wanted.state.as_str() {
        "" | "open" => store.open_alerts(&filter, after, size).await?,
        "past" => store.past_alerts(&filter, after, size).await?,
        _ => return Err(ApiError::invalid("state: one of open, past")),
    }))
}

/// `GET /api/v1/alerts/figures`
pub(super) async fn figures(State(app): State<App>) -> Result<Json<AlertFigures>, ApiError> {
    Ok(Json(app.central.store().alert_figures().await?))
}

/// What is acknowledged.
#[derive(Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewAcknowledgement {
    application: crate::domain::ApplicationId,
    code: String,
    #[serde(default)]
    subject: String,
    #[serde(default)]
    why: String,
    #[serde(default)]
    until: Option<jiff::Timestamp>,
}

/// Of what an acknowledgement is taken back.
#[derive(Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OldAcknowledgement {
    application: crate::domain::ApplicationId,
    code: String,
    #[serde(default)]
    subject: String,
}

/// `POST /api/v1/alerts/acknowledge`
pub(super) async fn acknowledge(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Input(new): Input<NewAcknowledgement>,
) -> Result<Json<Acknowledgement>, ApiError> {
    let matter = MatterKey { application: new.application, code: new.code, subject: new.subject };
    let known = Known { matter, why: new.why, until: new.until };
    Ok(Json(app.central.acknowledge(&who.actor(), &known).await?))
}

/// `POST /api/v1/alerts/acknowledge-several`
pub(super) async fn acknowledge_several(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Input(known): Input<SeveralKnown>,
) -> Result<Json<AcknowledgedSeveral>, ApiError> {
    Ok(Json(app.central.acknowledge_several(&who.actor(), known).await?))
}

/// `POST /api/v1/alerts/withdraw`
pub(super) async fn withdraw(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Input(old): Input<OldAcknowledgement>,
) -> Result<axum::http::StatusCode, ApiError> {
    let matter = MatterKey { application: old.application, code: old.code, subject: old.subject };
    app.central.withdraw(&who.actor(), &matter).await?;
    Ok(axum::http::StatusCode::NO_CONTENT)
}
