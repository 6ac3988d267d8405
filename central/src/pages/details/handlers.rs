//! What the Details tab answers to requests.

use axum::Form;
use axum::extract::{Extension, Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use seatline_protocol::LinkId;
use seatline_ui::{Banner, Tone};
use serde::Deserialize;

use super::{DetailsTab, LabelsForm, LinkForm, LinkSent, done};
use crate::auth::SignedIn;
use crate::central::ActionError;
use crate::domain::{ApplicationId, Link, LinkFilter, LinkState, Role};
use crate::pages::failure::PageError;
use crate::pages::frame::{Head, Place, page_with};
use crate::pages::parsed;
use crate::server::App;
use crate::store::{PageSize, StoreError};

/// What was done just before, so that the page can say so.
#[derive(Debug, Deserialize)]
pub struct Done {
    done: Option<String>,
}

/// What the tab is made of.
pub(super) struct Known {
    pub(super) head: Head,
    pub(super) tab: DetailsTab,
    links: Vec<Link>,
    pub(super) name: String,
}

pub(super) async fn known(app: &App, who: &SignedIn, id: &ApplicationId) -> Result<Known, PageError> {
    let view = app.central.licenses(id).await?;
    let links = app.central.store().links_of(id).await?;
    let pending = LinkFilter::state(LinkState::Pending);
    let pending = app.central.store().links(&pending, None, PageSize::default()).await?.items;
    let newest: Vec<Link> = pending.into_iter().map(|row| row.link).collect();
    let goes = app.central.store().goes_with_application(id).await?;
    let labels = LabelsForm::of(&app.central.store().labels(id).await?);
    let tab = DetailsTab::new(&view.application, &links, &newest);
    Ok(Known {
        head: Head::new(&view, Place::Details),
        tab: tab.with_view(&view, goes).with_labels(labels).seen_by(who.may(Role::Operator)),
        links,
        name: view.application.name.to_string(),
    })
}

pub(super) fn answer(status: StatusCode, who: &SignedIn, name: &str, head: &Head, tab: &DetailsTab) -> Response {
    page_with(status, &format!("{name} – Details"), Some(who), format!("{head}\n{tab}"))
}

/// `GET /applications/{id}`
pub async fn show(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Path(id): Path<String>,
    Query(Done { done: what }): Query<Done>,
) -> Result<Response, PageError> {
    let Known { head, tab, name, .. } = known(&app, &who, &parsed(&id, "application")?).await?;
    let tab = match what.as_deref() {
        Some("saved") => tab.with_banner(done("Saved.")),
        Some("changed") => tab.with_banner(Banner::new(Tone::Good, "Saved.", "The application is changed.")),
        Some("demanded") => {
            let so = "A product that waits counts within seconds, every other with its next report. When the answer came stands below.";
            tab.with_banner(Banner::new(Tone::Good, "The product is asked to synchronise now.", so))
        }
        Some("key-wanted") => {
            let so = "The present key holds until the product has made another one, which the old one vouches for.";
            tab.with_banner(Banner::new(Tone::Good, "The product is asked for a new key.", so))
        }
        Some("link-removed") => {
            let so = "Its product learns of it with its next exchange, and keeps the reports that wait there apart.";
            tab.with_banner(Banner::new(Tone::Good, "The link is removed.", so))
        }
        Some("answered") => {
            let so = "It is told again only if it happens anew. What is still to be done stands below, under Answers.";
            tab.with_banner(Banner::new(Tone::Good, "Your answer is kept.", so))
        }
        Some("sorted") => tab.with_banner(Banner::new(Tone::Good, "The group and the tags are saved.", "")),
        Some("approved") => tab.with_banner(done("The link is approved.")),
        Some("suspended") => {
            let so = "What is stored stays. Approving it again ends this.";
            tab.with_banner(Banner::new(Tone::Good, "The link is suspended: its reports are refused.", so))
        }
        _ => tab,
    };
    Ok(answer(StatusCode::OK, &who, &name, &head, &tab))
}

/// `POST /applications/{id}/link`
pub async fn save(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Path(id): Path<String>,
    Form(sent): Form<LinkSent>,
) -> Result<Response, PageError> {
    let id: ApplicationId = parsed(&id, "application")?;
    let Known { head, tab, links, name } = known(&app, &who, &id).await?;
    let refused = |sent, field, why: &str| {
        let tab = tab.with_form(LinkForm::refused(&links, sent, field, why));
        Ok(answer(StatusCode::UNPROCESSABLE_ENTITY, &who, &name, &head, &tab))
    };
    let (link, change) = match sent.parse() {
        Ok(parsed) => parsed,
        Err((field, why)) => return refused(sent, field, &why),
    };
    if !links.iter().any(|known| known.id == link) {
        return refused(sent, "link", "this link does not belong to the application: choose another one");
    }
    match app.central.change_settings(&who.actor(), &link, &change).await {
        Ok(_) => {}
        Err(ActionError::Store(StoreError::Conflict(_))) => {
            let why = "somebody else changed it at the same moment: look at what holds now, and save again";
            return refused(sent, "interval", why);
        }
        Err(error) => return Err(error.into()),
    }
    app.central.choose_link(&who.actor(), &id, Some(&link)).await?;
    Ok(Redirect::to(&format!("/applications/{id}?done=saved")).into_response())
}

/// `POST /applications/{id}/invites`: the invite is shown in the answer, and nowhere again.
pub async fn invite(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let id: ApplicationId = parsed(&id, "application")?;
    let made = app.central.make_invite(&who.actor(), Some(&id)).await?;
    let Known { head, tab, name, .. } = known(&app, &who, &id).await?;
    let tab = tab.with_invite(&made, app.central.now());
    Ok(answer(StatusCode::OK, &who, &name, &head, &tab))
}

/// `POST /applications/{id}/links/{link}/approve`
pub async fn approve(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Path((id, link)): Path<(String, String)>,
) -> Result<Response, PageError> {
    let (id, link): (ApplicationId, LinkId) = (parsed(&id, "application")?, parsed(&link, "link")?);
    app.central.approve_link(&who.actor(), &link, &id).await?;
    Ok(Redirect::to(&format!("/applications/{id}?done=approved")).into_response())
}

/// `POST /applications/{id}/links/{link}/suspend`
pub async fn suspend(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Path((id, link)): Path<(String, String)>,
) -> Result<Response, PageError> {
    let (id, link): (ApplicationId, LinkId) = (parsed(&id, "application")?, parsed(&link, "link")?);
    if app.central.link(&link).await?.application.as_ref() != Some(&id) {
        return Err(PageError::not_found("link of this application"));
    }
    app.central.suspend_link(&who.actor(), &link).await?;
    Ok(Redirect::to(&format!("/applications/{id}?done=suspended")).into_response())
}
