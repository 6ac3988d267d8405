//! What is done with links and the application beside the settings: synchronise now, another key, answers, removal.

use axum::Form;
use axum::extract::{Extension, Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use seatline_protocol::LinkId;

use super::handlers;
use crate::actions::applications::ApplicationChange;
use crate::actions::questions::Said;
use crate::auth::SignedIn;
use crate::domain::ApplicationId;
use crate::pages::applications::ApplicationSent;
use crate::pages::failure::{PageError, broken};
use crate::pages::parsed;
use crate::server::App;

/// The application and the link of an address, which must belong together.
async fn of_application(app: &App, (id, link): (String, String)) -> Result<(ApplicationId, LinkId), PageError> {
    let (id, link): (ApplicationId, LinkId) = (parsed(&id, "application")?, parsed(&link, "link")?);
    match app.central.link(&link).await?.application {
        Some(owner) if owner == id => Ok((id, link)),
        _ => Err(PageError::not_found("link of this application")),
    }
}

fn back(id: &ApplicationId, done: &str) -> Redirect {
    Redirect::to(&format!("/applications/{id}?done={done}"))
}

/// `POST /applications/{id}/links/{link}/sync`
pub async fn sync(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Path(path): Path<(String, String)>,
) -> Result<Redirect, PageError> {
    let (id, link) = of_application(&app, path).await?;
    app.central.demand_sync(&who.actor(), &link).await?;
    Ok(back(&id, "demanded"))
}

/// `POST /applications/{id}/links/{link}/rotate`
pub async fn rotate(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Path(path): Path<(String, String)>,
) -> Result<Redirect, PageError> {
    let (id, link) = of_application(&app, path).await?;
    app.central.ask_for_new_key(&who.actor(), &link).await?;
    Ok(back(&id, "key-wanted"))
}

/// `POST /applications/{id}/links/{link}/remove`
pub async fn remove_link(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Path(path): Path<(String, String)>,
) -> Result<Redirect, PageError> {
    let (id, link) = of_application(&app, path).await?;
    app.central.remove_link(&who.actor(), &link).await?;
    Ok(back(&id, "link-removed"))
}

/// `POST /applications/{id}/links/{link}/answer`
pub async fn answer(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Path(path): Path<(String, String)>,
    Form(said): Form<Said>,
) -> Result<Response, PageError> {
    let (id, link) = of_application(&app, path).await?;
    match app.central.answer_question(&who.actor(), &link, &said).await {
        Ok(_) => Ok(back(&id, "answered").into_response()),
        Err(error) => {
            let (status, wrong) = broken(error)?;
            let known = handlers::known(&app, &who, &id).await?;
            let tab = known.tab.with_refused_answer(&said, &wrong);
            Ok(handlers::answer(status, &who, &known.name, &known.head, &tab))
        }
    }
}

/// `POST /applications/{id}/change`
pub async fn change(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Path(id): Path<String>,
    Form(sent): Form<ApplicationSent>,
) -> Result<Response, PageError> {
    let id: ApplicationId = parsed(&id, "application")?;
    let ApplicationSent { name, product, url } = sent.clone();
    let change = ApplicationChange { name: Some(name), product: Some(product), url: Some(url) };
    match app.central.change_application(&who.actor(), &id, &change).await {
        Ok(_) => Ok(back(&id, "changed").into_response()),
        Err(error) => {
            let (status, wrong) = broken(error)?;
            let known = handlers::known(&app, &who, &id).await?;
            let tab = known.tab.with_refused(sent, wrong);
            Ok(handlers::answer(status, &who, &known.name, &known.head, &tab))
        }
    }
}

/// `POST /applications/{id}/remove`
pub async fn remove(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Path(id): Path<String>,
) -> Result<Redirect, PageError> {
    app.central.remove_application(&who.actor(), &parsed(&id, "application")?).await?;
    Ok(Redirect::to("/applications"))
}
