//! Counts of people over sets of applications of any size, over the API (`b9`).

use axum::Json;
use axum::extract::{Extension, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};

use super::ApiError;
use super::input::{Ids, Input, Paging};
use crate::actions::counts::CountError;
use crate::auth::SignedIn;
use crate::domain::fleet::FleetSent;
use crate::domain::people::{PeopleCount, Scope};
use crate::server::App;
use crate::store::Page;

/// `GET /api/v1/people-counts`: of one set, or of all where none is named
pub(super) async fn list(
    State(app): State<App>,
    paging: Paging,
    Query(sent): Query<FleetSent>,
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

impl From<CountError> for ApiError {
    fn from(error: CountError) -> Self {
        match error {
            CountError::Action(error) => error.into(),
            CountError::Full => Self::new(StatusCode::CONFLICT, error.code(), error.to_string()),
        }
    }
}
