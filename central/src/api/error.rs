//! What the API answers where it cannot do what was asked.

use axum::http::StatusCode;
pub use seatline_web::ApiError;
use seatline_web::Repeated;

use crate::actions::accounts::AccountError;
use crate::auth::SignedIn;
use crate::central::ActionError;
use crate::domain::{Role, Scope};
use crate::server::Need;
use crate::store::StoreError;

/// After how many seconds a store that could not be used is asked again.
const RETRY_SECONDS: i64 = 10;

/// Nobody is signed in.
pub fn unauthorised() -> ApiError {
    ApiError::unauthorised(
        "sign in, or send an API token: `Authorization: Bearer slt_…` (`seatline-central token create`)",
    )
}

/// The role of who asks does not suffice.
pub fn role_too_low(who: &SignedIn, needed: Role) -> ApiError {
    let message = format!("{} is {}, and this needs the role {needed}: ask an administrator", who.name, who.role);
    ApiError::new(StatusCode::FORBIDDEN, "role-too-low", message)
}

/// The scopes of the token do not suffice, though the role of its owner does.
pub fn scope_missing(need: Need) -> ApiError {
    let scope = Scope { area: Some(need.area), role: need.role };
    let message = format!("the token does not have the scope `{scope}`: make one that has it");
    ApiError::new(StatusCode::FORBIDDEN, "scope-missing", message)
}

/// The owner of a token comes by single sign-on, and has not come for so many days.
pub fn token_rests(days: u16) -> ApiError {
    let message = format!(
        "the token rests: its owner comes by single sign-on, and has not signed in for {days} days; when he has, it serves again"
    );
    ApiError::new(StatusCode::UNAUTHORIZED, "token-rests", message)
}

/// Somebody asks too often.
pub fn too_many_requests(seconds: i64) -> ApiError {
    let message = format!("too many requests: try again in {seconds} seconds");
    ApiError::new(StatusCode::TOO_MANY_REQUESTS, "too-many-requests", message).retry_after(seconds)
}

/// A token asks for what is for people alone.
pub fn for_people() -> ApiError {
    let message = "this concerns the account itself, and is for its owner with a session: no token is taken";
    ApiError::new(StatusCode::FORBIDDEN, "session-needed", message)
}

/// A person has not confirmed of late who he is.
pub fn unconfirmed() -> ApiError {
    let message = "confirm your password first: `POST /api/v1/account/confirm`, which holds for ten minutes";
    ApiError::new(StatusCode::FORBIDDEN, "confirm-password", message)
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
                static UNUSABLE: Repeated = Repeated::new();
                if let Some(left_out) = UNUSABLE.due() {
                    tracing::error!(code = error.code(), left_out, "a request to the API was not answered: {error}");
                }
                let message = "the store cannot be used at this moment: see the log of the central server";
                return Self::new(StatusCode::SERVICE_UNAVAILABLE, error.code(), message).retry_after(RETRY_SECONDS);
            }
        };
        let refused = Self::new(status, error.code(), error.to_string());
        if status == StatusCode::SERVICE_UNAVAILABLE { refused.retry_after(RETRY_SECONDS) } else { refused }
    }
}

impl From<AccountError> for ApiError {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::Action(error) => error.into(),
            error => Self::new(StatusCode::CONFLICT, error.code(), error.to_string()),
        }
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
