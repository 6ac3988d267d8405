//! Counts of people over sets of applications of any size, over the API (`b9`).

use axum::Json;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};

use super::ApiError;
use super::input::{Asked, Ids, Input, Paging};
use crate::actions::counts::CountError;
use crate::auth::SignedIn;
use crate::domain::fleet::FleetSent;
use crate::domain::people::{Every, PeopleCount, Schedule, Scope};
use crate::server::App;
use crate::store::Page;

/// `GET /api/v1/people-counts`: of one set, or of all where none is named
pub(super) async fn list(
    State(app): State<App>,
    paging: Paging,
    Asked(sent): Asked<FleetSent>,
) -> Result<Json<Page<PeopleCount>>, ApiError> {
    let scope = Scope::sent(&sent).map_err(ApiError::invalid)?;
    let of = Some(&scope).filter(|_| !sent.pairs().is_empty());
    Ok(Json(app.central.store().counts(of, paging.after.as_ref(), paging.size).await?))
}

/// `POST /api/v1/people-counts`: asks for a count, or finds the one that waits
pub(super) async fn ask(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Input(scope): Input<Scope>,
) -> Result<Response, ApiError> {
    let count = app.central.ask_count(&who.actor(), &scope).await?;
    Ok((StatusCode::ACCEPTED, Json(count)).into_response())
}

/// `GET /api/v1/people-counts/{count}`
pub(super) async fn show(State(app): State<App>, ids: Ids) -> Result<Json<PeopleCount>, ApiError> {
    Ok(Json(app.central.count(&ids.one("count")?).await?))
}

/// How a set is counted from now on.
#[derive(Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewSchedule {
    scope: Scope,
    /// Every `day`, `week` or `month`; null for not any more.
    every: Option<Every>,
}

/// The sets that are counted by a schedule.
#[derive(Serialize)]
pub(super) struct Schedules {
    items: Vec<Schedule>,
}

/// `GET /api/v1/people-schedules`
pub(super) async fn schedules(State(app): State<App>) -> Result<Json<Schedules>, ApiError> {
    Ok(Json(Schedules { items: app.central.store().count_schedules().await? }))
}

/// `PUT /api/v1/people-schedules`: gives all of them
pub(super) async fn schedule(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Input(new): Input<NewSchedule>,
) -> Result<Json<Schedules>, ApiError> {
    app.central.schedule_counts(&who.actor(), &new.scope, new.every).await?;
    schedules(State(app)).await
}

impl From<CountError> for ApiError {
    fn from(error: CountError) -> Self {
        match error {
            CountError::Action(error) => error.into(),
            CountError::Full | CountError::FullSchedule => {
                Self::new(StatusCode::CONFLICT, error.code(), error.to_string())
            }
        }
    }
}
