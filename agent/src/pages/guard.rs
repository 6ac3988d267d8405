//! The guard before every page: who asks, whether the role suffices, and for a change, whether the password was
//! confirmed (`c2`).

use axum::Form;
use axum::body::{Body, to_bytes};
use axum::extract::{Extension, Query, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use seatline_ui::{Banner, Confirmation as ConfirmationForm, Tone};
use seatline_web::address::{after_sign_in, escape, lead_to, to_sign_in};
use seatline_web::gate::{Attempt, GateError};
use seatline_web::request_log::note_who;
use seatline_web::secret::random_secret;
use seatline_web::{TokenHash, refusal};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::moment::Moment;
use super::secure::{self, Change};
use super::{Content, Need, PageError, Pages, People, Visit, Visitor, now, own};

/// What a route demands of a request.
#[derive(Debug, Clone, Copy)]
pub struct Demand {
    /// What it demands of who asks.
    pub need: Need,
    /// The most bytes of what is sent.
    pub max_bytes: usize,
}

/// Lets a request pass if who sends it may do what it asks for, with a [`Visit`] beside it.
pub async fn guard(State((pages, demand)): State<(Pages, Demand)>, request: Request, next: Next) -> Response {
    let need = demand.need;
    let (mut parts, body) = request.into_parts();
    let visitor = match visitor(&pages, &parts).await {
        Ok(Some(visitor)) => visitor,
        Ok(None) if need == Need::Nothing => return next.run(Request::from_parts(parts, body)).await,
        Ok(None) => return not_signed_in(&pages, &parts),
        Err(_) if need == Need::Nothing => return next.run(Request::from_parts(parts, body)).await,
        Err(error) => return error.into_response(),
    };
    let secure_until = pages.secure().until(&visitor.session, Moment::now());
    let mut visit = Visit { visitor, secure_until };
    let response = if visit.visitor.role < need.role() {
        PageError::forbidden(need).into_response()
    } else if need == Need::Confirmed && visit.secure_until.is_none() && pages.asks_for_password() {
        match confirmed(&pages, &mut visit, &mut parts, body, demand.max_bytes).await {
            Ok(body) => run(&visit, parts, body, next).await,
            Err(response) => *response,
        }
    } else {
        run(&visit, parts, body, next).await
    };
    with_visit(response, visit)
}

async fn run(visit: &Visit, mut parts: Parts, body: Body, next: Next) -> Response {
    note_who(&visit.visitor.name);
    parts.extensions.insert(visit.clone());
    next.run(Request::from_parts(parts, body)).await
}

/// The frame shows who asked; what is shown to one person stays out of every cache.
fn with_visit(mut response: Response, visit: Visit) -> Response {
    response.extensions_mut().insert(visit);
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

async fn visitor(pages: &Pages, parts: &Parts) -> Result<Option<Visitor>, PageError> {
    match pages.people() {
        People::Own(own) => own.visitor(pages, &parts.headers).await,
        People::Product(product) => Ok(product.visitor(parts).await),
    }
}

fn not_signed_in(pages: &Pages, parts: &Parts) -> Response {
    match pages.people() {
        People::Own(_) => to_sign_in(parts, pages.base(), "/sign-in"),
        People::Product(product) => match product.sign_in() {
            Some(address) => {
                // What was sent is gone by then, and no page answers at the address of a form.
                let wanted = Some(&parts.uri).filter(|_| parts.method == Method::GET);
                let wanted = wanted.and_then(|uri| uri.path_and_query()).map(|path| path.as_str());
                let mark = if address.contains('?') { '&' } else { '?' };
                lead_to(parts, &format!("{address}{mark}next={}", escape(&pages.href(after_sign_in(wanted)))))
            }
            None => PageError::not_signed_in().into_response(),
        },
    }
}

impl Pages {
    /// Whether the pages ask for the password before a change; a product may have done so itself.
    fn asks_for_password(&self) -> bool {
        match self.people() {
            People::Own(_) => true,
            People::Product(product) => product.check().is_some(),
        }
    }

    /// Begins the visitor's secure session if `password` is right.
    async fn confirm(&self, visit: &mut Visit, parts: &Parts, password: &str) -> Result<(), own::SignInError> {
        let visitor = &visit.visitor;
        match self.people() {
            People::Own(own) => own.confirm(self, parts, visitor, password).await?,
            People::Product(product) => {
                // One who guesses has a session, which stands for his name.
                let (peer, name) = (own::peer(parts), visitor.session.hex());
                let attempt = Attempt { peer, headers: &parts.headers, name: &name, password };
                let check = async || match product.check() {
                    Some(check) => check(visitor.clone(), Zeroizing::new(password.to_owned())).await,
                    None => true,
                };
                product.gate().check_by(attempt, now(), check).await?;
            }
        }
        visit.secure_until = Some(self.secure().begin(&visitor.session, Moment::now()));
        tracing::info!(user = visitor.name, "the password was confirmed: a secure session begins");
        Ok(())
    }
}

/// What the form of the confirmation sends.
#[derive(Deserialize)]
pub struct Confirming {
    #[serde(rename = "confirm-password")]
    password: Zeroizing<String>,
    #[serde(default)]
    pending: Option<String>,
}

/// The body of the change that is to be done now: of the one that waited, if the password came with this request.
/// Otherwise the answer that asks for the password.
async fn confirmed(
    pages: &Pages,
    visit: &mut Visit,
    parts: &mut Parts,
    body: Body,
    max_bytes: usize,
) -> Result<Body, Box<Response>> {
    let refused = |response: Response| Box::new(response);
    let Ok(sent) = to_bytes(body, max_bytes).await else {
        return Err(refused(PageError::of_status(StatusCode::PAYLOAD_TOO_LARGE).into_response()));
    };
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let session = visit.visitor.session.clone();
    let Some(confirming) = confirming(&parts.headers, &sent) else {
        if sent.len() > secure::MAX_KEPT_BYTES {
            return Err(refused(too_large_to_keep(pages, visit, &path).into_response()));
        }
        let Ok(id) = random_secret() else { return Err(refused(PageError::internal().into_response())) };
        let content_type = parts.headers.get(header::CONTENT_TYPE).cloned();
        let change = Change { path: path.clone(), content_type, body: Zeroizing::new(sent.to_vec()) };
        pages.secure().keep(&session, TokenHash::of(id.as_bytes()), change, Moment::now());
        let form = form(pages, visit, &path, Some(&id));
        return Err(refused(Content::new(TITLE, form).status(StatusCode::FORBIDDEN).into_response()));
    };
    let pending = confirming.pending.as_deref().unwrap_or_default();
    if let Err(error) = pages.confirm(visit, parts, &confirming.password).await {
        let form = form(pages, visit, &path, Some(pending));
        return Err(refused(refusal_of(form, error)));
    }
    let change = pages.secure().take(&session, &TokenHash::of(pending.as_bytes()), Moment::now());
    let Some(change) = change.filter(|change| change.path == path) else {
        return Err(refused(PageError::no_longer_kept().into_response()));
    };
    parts.headers.remove(header::CONTENT_TYPE);
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.extend(change.content_type.clone().map(|content_type| (header::CONTENT_TYPE, content_type)));
    Ok(Body::from(change.into_body()))
}

const TITLE: &str = "Confirm your password";

fn confirming(headers: &HeaderMap, body: &[u8]) -> Option<Confirming> {
    let content_type = headers.get(header::CONTENT_TYPE)?.as_bytes();
    let is_form = content_type.starts_with(b"application/x-www-form-urlencoded");
    if is_form { serde_urlencoded::from_bytes(body).ok() } else { None }
}

fn form(pages: &Pages, visit: &Visit, path: &str, pending: Option<&str>) -> ConfirmationForm {
    ConfirmationForm {
        user: visit.visitor.name.clone(),
        action: pages.href(path),
        pending: pending.map(str::to_owned),
        minutes: secure::LIFETIME.as_mins().unsigned_abs(),
        banner: None,
        back: pages.href("/"),
    }
}

/// The password alone, and then the page with the form of `path` again: it stands one level above.
fn too_large_to_keep(pages: &Pages, visit: &Visit, path: &str) -> Content {
    let page = path.rsplit_once('/').map_or("/", |(page, _)| page);
    let mut form = form(pages, visit, &format!("/confirm?next={}", escape(page)), None);
    let why = "It is too large to be kept until your password is confirmed. Nothing was changed.";
    form.banner = Some(Banner::new(Tone::Info, "Choose the file again after this", why));
    Content::new(TITLE, form).status(StatusCode::FORBIDDEN)
}

fn refusal_of(mut form: ConfirmationForm, error: own::SignInError) -> Response {
    let Some((status, banner)) = refusal::of_gate(&error) else {
        return match error {
            GateError::Store(error) => error.into_response(),
            _ => PageError::internal().into_response(),
        };
    };
    form.banner = Some(banner);
    Content::new(TITLE, form).status(status).into_response()
}

/// What the address of the page may hold.
#[derive(Debug, Deserialize)]
pub struct Wanted {
    next: Option<String>,
}

/// `GET /confirm`: the password, before anything is changed.
pub async fn show_confirm(
    State(pages): State<Pages>,
    Extension(visit): Extension<Visit>,
    Query(wanted): Query<Wanted>,
) -> Response {
    let next = after_sign_in(wanted.next.as_deref());
    if visit.secure_until.is_some() || !pages.asks_for_password() {
        return Redirect::to(&pages.href(next)).into_response();
    }
    let path = format!("/confirm?next={}", escape(next));
    Content::new(TITLE, form(&pages, &visit, &path, None)).into_response()
}

/// `POST /confirm`
pub async fn confirm(
    State(pages): State<Pages>,
    Query(wanted): Query<Wanted>,
    Extension(mut visit): Extension<Visit>,
    parts: Parts,
    Form(sent): Form<Confirming>,
) -> Response {
    let next = after_sign_in(wanted.next.as_deref());
    if let Err(error) = pages.confirm(&mut visit, &parts, &sent.password).await {
        let path = format!("/confirm?next={}", escape(next));
        return refusal_of(form(&pages, &visit, &path, None), error);
    }
    Redirect::to(&pages.href(next)).into_response()
}

/// `POST /confirm/end`: ends the secure session.
pub async fn end(State(pages): State<Pages>, Extension(visit): Extension<Visit>) -> Response {
    pages.secure().end(&visit.visitor.session);
    Redirect::to(&pages.href("/")).into_response()
}
