//! Banners (`a4`), from memory: as data, and as a piece of HTML that a product puts above its pages.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{Html, IntoResponse as _, Response};
use jiff::Timestamp;
use seatline_protocol::standing::Banner;
use seatline_ui::BannerFragment;
use seatline_web::ApiError;
use serde::Serialize;

use crate::http::App;

/// What to show above the product's pages.
#[derive(Serialize)]
pub struct Banners {
    /// The gravest first.
    banners: Vec<Banner>,
}

/// What to show above the product's pages now
pub async fn list(State(app): State<App>) -> Result<Json<Banners>, ApiError> {
    Ok(Json(Banners { banners: banners(&app).await? }))
}

/// The same as a piece of HTML
///
/// It is empty where there is nothing to tell. It brings no style and no script; `docs/embedding.md` shows its classes.
pub async fn fragment(State(app): State<App>) -> Result<Response, ApiError> {
    let html: String = banners(&app).await?.iter().map(|banner| BannerFragment(banner).to_string()).collect();
    Ok(([(header::CACHE_CONTROL, "no-store")], Html(html)).into_response())
}

async fn banners(app: &App) -> Result<Vec<Banner>, ApiError> {
    let live = app.live().await?;
    Ok(live.banners(live.at.max(Timestamp::now())))
}
