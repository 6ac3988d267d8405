//! What the API answers where it cannot do what was asked.

use axum::http::StatusCode;
pub use seatline_web::ApiError;

use crate::central::ActionError;
use crate::store::StoreError;

/// Nobody is signed in.
pub fn unauthorised() -> ApiError {
    ApiError::unauthorised(
        "sign in, or send an API token: `Authorization: Bearer slt_…` (`seatline-central token create`)",
    )
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        let status = match &error {
            StoreError::Conflict(_) => StatusCode::CONFLICT,
            StoreError::Missing(_) => StatusCode::NOT_FOUND,
            StoreError::Cursor => StatusCode::BAD_REQUEST,
            StoreError::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
            StoreError::Unavailable(_) | StoreError::Corrupt { .. } => {
                // What the database says is for the administrator of the server, not for whoever asks.
                tracing::error!("{error}");
                let message = "the store cannot be used at this moment: see the log of the central server";
                return Self::new(StatusCode::SERVICE_UNAVAILABLE, error.code(), message);
            }
        };
        Self::new(status, error.code(), error.to_string())
    }
}

impl From<ActionError> for ApiError {
    fn from(error: ActionError) -> Self {
        match error {
            ActionError::Store(error) => error.into(),
            ActionError::Invalid { .. } => Self::new(StatusCode::BAD_REQUEST, error.code(), error.to_string()),
            ActionError::NotFound(what) => Self::not_found(what),
            ActionError::Random(_) => Self::new(StatusCode::SERVICE_UNAVAILABLE, error.code(), error.to_string()),
        }
    }
}
