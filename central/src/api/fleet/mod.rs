//! The fleet over the API: the list, the sums, the calendar, the concerns, how applications are sorted, and the jobs.

pub mod export;

use axum::Json;
use axum::extract::{Extension, State};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ApiError;
use super::input::{Asked, Ids, Input, Paging};
use crate::auth::SignedIn;
use crate::domain::fleet::FleetSent;
use crate::domain::{ApplicationId, Due, Facet, FleetItem, Labels, Use};
use crate::server::App;
use crate::store::Page;
use crate::store::fleet::{ChangedConcern, FleetSum, Spell, SumOf};
use crate::store::leases::JobState;

/// Where the calendar ends for whoever does not say: what has no end is not in it.
const MAX_END: &str = "9999-12-30T00:00:00Z";

/// What of the calendar is wanted.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct WantedEnds {
    from: Option<Timestamp>,
    until: Option<Timestamp>,
    product: String,
    group: String,
    tag: String,
}

/// What of the sums is wanted.
#[derive(Deserialize)]
#[serde(default)]
pub(super) struct WantedSums {
    #[serde(rename = "use")]
    used_for: String,
    of: String,
}

impl Default for WantedSums {
    fn default() -> Self {
        Self { used_for: "production".to_owned(), of: "products".to_owned() }
    }
}

/// Sums, and when they were so.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Sums {
    #[serde(rename = "use")]
    used_for: Use,
    /// When the last review was noted.
    as_of: Option<Timestamp>,
    /// Since when applications wait for their review, where some do.
    behind_since: Option<Timestamp>,
    items: Vec<FleetSum>,
}

/// `GET /api/v1/fleet`
pub(super) async fn list(
    State(app): State<App>,
    paging: Paging,
    Asked(sent): Asked<FleetSent>,
) -> Result<Json<Page<FleetItem>>, ApiError> {
    let (filter, order) = asked(&sent)?;
    Ok(Json(app.central.store().fleet(&filter, order, paging.after.as_ref(), paging.size).await?))
}

/// `GET /api/v1/fleet/totals`
pub(super) async fn totals(State(app): State<App>, Asked(wanted): Asked<WantedSums>) -> Result<Json<Sums>, ApiError> {
    let used_for =
        Use::of_name(&wanted.used_for).ok_or_else(|| ApiError::invalid("use: one of production, staging"))?;
    let store = app.central.store();
    let of = match wanted.of.as_str() {
        "products" => SumOf::Products,
        "groups" => SumOf::Groups,
        "tags" => SumOf::Tags,
        "concerns" => SumOf::Concerns,
        "gravities" => SumOf::Gravities,
        _ => return Err(ApiError::invalid("of: one of products, groups, tags, concerns, gravities")),
    };
    let jobs = store.jobs().await?;
    let as_of = jobs.into_iter().find(|job| job.name == "review").and_then(|job| job.ran_at);
    let behind_since = store.to_review(app.central.now()).await?;
    Ok(Json(Sums { used_for, as_of, behind_since, items: store.sums(used_for, of).await? }))
}

/// `GET /api/v1/fleet/ends`
pub(super) async fn ends(
    State(app): State<App>,
    paging: Paging,
    Asked(wanted): Asked<WantedEnds>,
) -> Result<Json<Page<Due>>, ApiError> {
    let sent = FleetSent { product: wanted.product, group: wanted.group, tag: wanted.tag, ..FleetSent::default() };
    let facets = asked(&sent)?.0.facets();
    let facet = match facets.as_slice() {
        [] => Facet::all(),
        [one] => one.clone(),
        _ => return Err(ApiError::invalid("product, group, tag: at most one of them")),
    };
    let last = MAX_END.parse().unwrap_or(Timestamp::MAX);
    let span = (wanted.from.unwrap_or_else(|| app.central.now()), wanted.until.unwrap_or(last));
    Ok(Json(app.central.store().ends(&facet, span, paging.after.as_ref(), paging.size).await?))
}

/// `GET /api/v1/fleet/concerns`: what has changed, for whoever follows.
pub(super) async fn concerns(State(app): State<App>, paging: Paging) -> Result<Json<Page<ChangedConcern>>, ApiError> {
    Ok(Json(app.central.store().changed_concerns(paging.after.as_ref(), paging.size).await?))
}

/// `GET /api/v1/applications/{application}/concerns`
pub(super) async fn spells(State(app): State<App>, ids: Ids, paging: Paging) -> Result<Json<Page<Spell>>, ApiError> {
    let application = app.central.application(&application(&ids)?).await?;
    Ok(Json(app.central.store().spells(&application.id, paging.after.as_ref(), paging.size).await?))
}

/// `GET /api/v1/applications/{application}/labels`
pub(super) async fn labels(State(app): State<App>, ids: Ids) -> Result<Json<Labels>, ApiError> {
    Ok(Json(app.central.store().labels(&application(&ids)?).await?))
}

/// `PUT /api/v1/applications/{application}/labels`
pub(super) async fn set_labels(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    ids: Ids,
    Input(labels): Input<Labels>,
) -> Result<Json<Labels>, ApiError> {
    let id = application(&ids)?;
    app.central.set_labels(&who.actor(), &id, &labels).await?;
    Ok(Json(app.central.store().labels(&id).await?))
}

/// `GET /api/v1/jobs`
pub(super) async fn jobs(State(app): State<App>) -> Result<Json<Vec<JobState>>, ApiError> {
    Ok(Json(app.central.store().jobs().await?))
}

fn asked(sent: &FleetSent) -> Result<(crate::domain::FleetFilter, crate::domain::FleetOrder), ApiError> {
    Ok((sent.filter().map_err(ApiError::invalid)?, sent.order().map_err(ApiError::invalid)?))
}

fn application(ids: &Ids) -> Result<ApplicationId, ApiError> {
    ids.one("application")
}
