//! One link: what its product said of itself, how its chain stands, and what it waits for.

use askama::Template;
use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use seatline_protocol::LinkId;
use seatline_ui::{Badge, When, format};

use super::application;
use super::approval::{ApprovalForm, Candidates};
use crate::auth::SignedIn;
use crate::central::ActionError;
use crate::domain::{FormerKey, LinkRow, LinkState, Role};
use crate::pages::frame::{Section, page_of_with};
use crate::pages::licenses::chain_words;
use crate::pages::{PageError, parsed, words};
use crate::server::App;

/// The page of a link.
#[derive(Template)]
#[template(path = "links/one.html")]
pub struct OnePage {
    id: String,
    product: String,
    product_id: String,
    version: String,
    edition: Option<String>,
    server_id: String,
    staging: bool,
    state: Badge,
    fingerprint: String,
    key: String,
    joined: String,
    approved: Option<String>,
    application: Option<(String, String)>,
    interval: String,
    dormant: String,
    last: Option<When>,
    chain: Badge,
    chain_words: String,
    former: Vec<FormerLine>,
    /// Where it waits for approval, and whoever looks may approve it.
    approval: Option<ApprovalForm>,
    is_pending: bool,
}

struct FormerLine {
    fingerprint: String,
    until: String,
    replaced: String,
}

impl OnePage {
    /// The page of a link with its keys of before, and the form that approves it.
    pub fn new(row: &LinkRow, former: &[FormerKey], approval: Option<ApprovalForm>, now: Timestamp) -> Self {
        let (link, product, settings) = (&row.link, &row.link.product, &row.link.settings);
        Self {
            id: link.id.to_string(),
            product: product.name.clone(),
            product_id: product.id.to_string(),
            version: product.version.clone(),
            edition: product.edition.clone(),
            server_id: product.server_id.to_string(),
            staging: product.staging,
            state: words::link_state(link.state),
            fingerprint: link.key.fingerprint(),
            key: link.key.to_string(),
            joined: format::date_time(link.created_at),
            approved: link.approved_at.map(format::date_time),
            application: application(row),
            interval: format::every(settings.interval.into()),
            dormant: format::counted(settings.dormancy_days.into(), "day", "days"),
            last: row.last_report_at.map(|at| When { at, now }),
            chain: words::chain(row.chain_state),
            chain_words: chain_words(&link.chain),
            former: former.iter().map(FormerLine::of).collect(),
            is_pending: link.state == LinkState::Pending,
            approval,
        }
    }
}

impl FormerLine {
    fn of(key: &FormerKey) -> Self {
        Self {
            fingerprint: key.fingerprint.clone(),
            until: key.until.to_string(),
            replaced: format::date_time(key.replaced_at),
        }
    }
}

/// `GET /links/{link}`
pub async fn show(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    answer(&app, &who, &parsed(&id, "link")?, None).await
}

/// The page again, with why a link was not approved.
pub(super) async fn refused(
    app: &App,
    who: &SignedIn,
    id: &LinkId,
    sent: String,
    why: String,
) -> Result<Response, PageError> {
    answer(app, who, id, Some((sent, why))).await
}

async fn answer(
    app: &App,
    who: &SignedIn,
    id: &LinkId,
    refused: Option<(String, String)>,
) -> Result<Response, PageError> {
    let store = app.central.store();
    let row = store.link_row(id).await?.ok_or(ActionError::NotFound("link"))?;
    let status = if refused.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let form = if row.link.state == LinkState::Pending && who.may(Role::Operator) {
        let form = ApprovalForm::of(&row.link, &Candidates::of(app, std::slice::from_ref(&row)).await?);
        Some(match refused {
            Some((sent, why)) => form.refused(sent, why),
            None => form,
        })
    } else {
        None
    };
    let page = OnePage::new(&row, &store.former_keys(id).await?, form, app.central.now());
    Ok(page_of_with(status, Section::Links, &format!("Link of {}", row.link.product.name), Some(who), page))
}
