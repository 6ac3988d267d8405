//! A product that shows Seatline's pages in its own administration, behind its own sign-in.
//!
//! ```text
//! cargo run --example mounted
//! ```
//!
//! Then open `http://127.0.0.1:8097/admin/licensing`, and sign in as `root` or as `vera`; the password is `example`.
use std::collections::HashMap;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Form;
use axum::Router;
use axum::extract::{Query, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use axum::routing::get;
use seatline_agent::failure::Failure;
use seatline_agent::pages::{Confirmation, Mount, Visitor};
use seatline_agent::users::Role;
use seatline_host::ports::{Account, AccountSink, Description, LastSeen, Node, PortError, Product};
use seatline_host::store::Directory;
use seatline_host::{Host, HostOptions};
use seatline_protocol::PublicKey;
use seatline_protocol::pairing::Secret;

/// Where the pages stand in the product.
pub const PATH: &str = "/admin/licensing";
/// The password of everybody in this example.
pub const PASSWORD: &str = "example";

/// A wiki that keeps its users in memory.
struct Wiki;

impl Product for Wiki {
    fn describe(&self) -> Result<Description, PortError> {
        Ok(Description {
            id: "example-wiki".parse().map_err(PortError::new)?,
            name: "Example Wiki".to_owned(),
            version: "4.2.0".to_owned(),
            edition: None,
            released: None,
            nodes: vec![Node { id: "node-1".to_owned(), version: "4.2.0".to_owned() }],
        })
    }

    fn accounts(&self, sink: &mut dyn AccountSink) -> Result<(), PortError> {
        for identity in ["root@example.org", "vera@example.org", "gast@example.org"] {
            let last_seen = LastSeen::Unknown;
            sink.push(Account { identity, active: true, licensed_access: true, last_seen, service_account: false })?;
        }
        Ok(())
    }
}

/// The sessions of the wiki: a cookie's value, and whose it is.
#[derive(Clone, Default)]
pub struct Sessions(Arc<Mutex<HashMap<String, String>>>);

impl Sessions {
    fn user(&self, headers: &HeaderMap) -> Option<(String, String)> {
        let cookies = headers.get(header::COOKIE)?.to_str().ok()?;
        let session = cookies.split("; ").find_map(|cookie| cookie.strip_prefix("wiki-session="))?;
        let sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Some((sessions.get(session)?.clone(), session.to_owned()))
    }
}

/// What a user of the wiki may do on the pages.
fn role(user: &str) -> Option<Role> {
    match user {
        "root" => Some(Role::Administrator),
        "vera" => Some(Role::Viewer),
        _ => None,
    }
}

/// The wiki with the pages in it. Where `asks` is not set, the wiki confirms who an administrator is by itself.
pub fn wiki(host: Arc<Host>, sessions: Sessions, asks: bool) -> Result<Router, Failure> {
    let known = sessions.clone();
    let who = move |request: Parts| {
        let user = known.user(&request.headers);
        async move { user.map(|(name, session)| Visitor::new(name.clone(), role(&name), &session)) }
    };
    let confirmation = match asks {
        true => Confirmation::by_password(|_visitor, password| async move { password.as_str() == PASSWORD }),
        false => Confirmation::ByProduct,
    };
    let pages = Mount::new(host, PATH, who, confirmation).sign_in_at("/sign-in").router()?;
    let own = Router::new()
        .route("/", get(async || Html("<h1>Example Wiki</h1><p><a href=\"/admin/licensing\">Licenses</a></p>")))
        .route("/sign-in", get(show_sign_in).post(sign_in))
        .with_state(sessions);
    Ok(own.nest(PATH, pages))
}

/// Where to go after the sign-in.
#[derive(serde::Deserialize)]
struct Wanted {
    next: Option<String>,
}

/// What the form of the wiki sends.
#[derive(serde::Deserialize)]
struct SignIn {
    name: String,
    password: String,
}

async fn show_sign_in() -> Html<&'static str> {
    Html(
        "<h1>Example Wiki</h1><form method=\"post\"><label>Name <input name=\"name\"></label>
         <label>Password <input name=\"password\" type=\"password\"></label><button>Sign in</button></form>",
    )
}

async fn sign_in(State(sessions): State<Sessions>, Query(wanted): Query<Wanted>, Form(sent): Form<SignIn>) -> Response {
    let Ok(secret) = Secret::generate() else { return StatusCode::SERVICE_UNAVAILABLE.into_response() };
    if sent.password != PASSWORD {
        return (StatusCode::UNAUTHORIZED, "The name or the password is wrong.").into_response();
    }
    let session: String = secret.expose().iter().map(|byte| format!("{byte:02x}")).collect();
    sessions.0.lock().unwrap_or_else(PoisonError::into_inner).insert(session.clone(), sent.name);
    // The wiki goes to pages of its own alone.
    let next = wanted.next.filter(|next| next.starts_with(PATH)).unwrap_or_else(|| "/".to_owned());
    let cookie = format!("wiki-session={session}; Path=/; HttpOnly; SameSite=Lax");
    ([(header::SET_COOKIE, cookie)], Redirect::to(&next)).into_response()
}

/// The host of the wiki, with its state in `dir`.
pub fn host(dir: &std::path::Path, vendor_keys: Vec<PublicKey>) -> Result<Arc<Host>, Box<dyn Error>> {
    let store = Directory::open(dir.join("state"))?;
    let options = HostOptions::new(Arc::new(Wiki), store, dir.join("plugins"));
    Ok(Arc::new(Host::open(HostOptions { vendor_keys, ..options })?))
}

#[tokio::main(flavor = "current_thread")]
#[allow(dead_code, reason = "a test mounts the same wiki without this")]
async fn main() -> Result<(), Box<dyn Error>> {
    let dir = tempfile::tempdir()?;
    let wiki = wiki(host(dir.path(), Vec::new())?, Sessions::default(), true)?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8097").await?;
    println!("http://{}{PATH}", listener.local_addr()?);
    Ok(axum::serve(listener, wiki).await?)
}
