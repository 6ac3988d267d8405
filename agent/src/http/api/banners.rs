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
use utoipa::ToSchema;

use crate::http::App;

/// What to show above the product's pages.
#[derive(Serialize, ToSchema)]
pub struct Banners {
    /// The gravest first.
    banners: Vec<Banner>,
}

/// What to show above the product's pages now
#[utoipa::path(
    get,
    path = "/v1/banners",
    operation_id = "list_banners",
    responses((status = 200, description = "The banners", body = Banners)),
)]
pub async fn list(State(app): State<App>) -> Result<Json<Banners>, ApiError> {
    Ok(Json(Banners { banners: banners(&app).await? }))
}

/// The same as a piece of HTML
///
/// It is empty where there is nothing to tell. It brings no style and no script; `docs/embedding.md` shows its classes.
#[utoipa::path(
    get,
    path = "/v1/banners.html",
    operation_id = "banners_as_html",
    responses((status = 200, description = "The banners as HTML", body = String, content_type = "text/html")),
)]
pub async fn fragment(State(app): State<App>) -> Result<Response, ApiError> {
    let html: String = banners(&app).await?.iter().map(|banner| BannerFragment(banner).to_string()).collect();
    Ok(([(header::CACHE_CONTROL, "no-store")], Html(html)).into_response())
}

async fn banners(app: &App) -> Result<Vec<Banner>, ApiError> {
    let live = app.live().await?;
    Ok(live.banners(live.at.max(Timestamp::now())))
}
