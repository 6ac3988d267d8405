//! The errors of the host as answers. They are the host's own lines for an administrator, which hold no secret.

use axum::http::StatusCode;
use seatline_host::HostError;
use seatline_host::host::ConfirmError;
use seatline_host::licenses::SetLicenseError;
use seatline_host::store::StoreError;
use seatline_web::ApiError;

/// The state cannot be read or written.
pub fn store(error: StoreError) -> ApiError {
    unavailable(error.code(), &error)
}

/// The host cannot look at its own state.
pub fn host(error: HostError) -> ApiError {
    unavailable(error.code(), &error)
}

/// A license key was refused, or could not be set.
pub fn license(error: SetLicenseError) -> ApiError {
    match error {
        SetLicenseError::Store(error) => store(error),
        SetLicenseError::Product(_) => unavailable(error.code(), &error),
        error => ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, error.code(), error.to_string()),
    }
}

/// A person's word on a change of the server ID was not taken.
pub fn confirm(error: ConfirmError) -> ApiError {
    match error {
        ConfirmError::NothingToConfirm => ApiError::new(StatusCode::CONFLICT, error.code(), error.to_string()),
        error => unavailable(error.code(), &error),
    }
}

fn unavailable(code: &'static str, error: &dyn std::error::Error) -> ApiError {
    tracing::error!(code, "a request could not be answered: {error}");
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, code, error.to_string())
}
