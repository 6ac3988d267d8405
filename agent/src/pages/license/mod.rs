//! License Details: what the licenses come to.

use askama::Template;
use axum::extract::State;
use seatline_ui::{Badge, words};

use super::{Content, PageError, Pages, Place};

#[derive(Template)]
#[template(path = "license.html")]
struct License {
    product: String,
    verdict: Badge,
}

/// `GET /license`
pub async fn show(State(pages): State<Pages>) -> Result<Content, PageError> {
    let verdict = pages.ask(|host| host.live().map(|live| live.standing.verdict)).await?;
    let product =
        pages.ask(|host| host.product().map(|product| format!("{} {}", product.name, product.version))).await?;
    let body = License { product: product.unwrap_or_default(), verdict: words::verdict(verdict.ok()) };
    Ok(Content::new("License", body).at(Place::License))
}
