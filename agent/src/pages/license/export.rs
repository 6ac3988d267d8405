//! The license keys as a file: to keep them elsewhere, or to set them anew (`a7`).

use axum::extract::{Extension, State};
use axum::response::Response;
use seatline_ui::format::date_time;

use crate::pages::download::download;
use crate::pages::{PageError, Pages, Visit, now};

/// `GET /license/export`. Each key stands between lines that are accepted when it is pasted.
pub async fn keys(State(pages): State<Pages>, Extension(visit): Extension<Visit>) -> Result<Response, PageError> {
    let read = pages.ask(|host| (host.license_keys(), host.server_id().to_string())).await?;
    let (keys, server_id) = (read.0.map_err(|error| PageError::of_state(&error))?, read.1);
    if keys.is_empty() {
        return Err(PageError::not_found("license key"));
    }
    tracing::info!(user = visit.visitor.name, "the license keys were exported");
    let mut text = format!("License keys of the server {server_id}, {}, the oldest first\n", date_time(now()));
    for key in keys {
        text.push_str(&format!("\n-----BEGIN LICENSE-----\n{key}\n-----END LICENSE-----\n"));
    }
    Ok(download("text/plain; charset=utf-8", &format!("licenses-{server_id}.txt"), text))
}
