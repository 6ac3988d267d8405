//! The key that pseudonyms are made with: who has turned to it, and another one in its place (`b9`).

use askama::Template;
use axum::Form;
use axum::extract::{Extension, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use seatline_protocol::PseudonymKeyId;
use seatline_ui::{Badge, Banner, Tabs, Tone, format};
use serde::Deserialize;

use super::{Part, tabs};
use crate::auth::SignedIn;
use crate::domain::pseudonyms::{KeyUse, KeyUses, MOST_COUNTED};
use crate::pages::failure::PageError;
use crate::pages::frame::{Section, page_of};
use crate::server::App;

/// What the address may hold.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Shown {
    done: String,
}

/// What the form sends: the key that was in force when it was shown.
#[derive(Debug, Deserialize)]
pub struct Replacing {
    replaces: PseudonymKeyId,
}

/// The page.
#[derive(Template)]
#[template(path = "administration/pseudonyms.html")]
pub struct PseudonymsPage {
    tabs: Tabs,
    banner: Option<Banner>,
    present: String,
    keys: Vec<KeyLine>,
    to_turn: u32,
}

/// A key in the list.
struct KeyLine {
    name: String,
    state: Badge,
    since: String,
    by: String,
    links: String,
    /// The applications that have not turned, each with its address.
    applications: Vec<(String, String)>,
    more: bool,
}

impl PseudonymsPage {
    /// The page of how far the keys are used.
    pub fn new(uses: &KeyUses, banner: Option<Banner>) -> Self {
        Self {
            tabs: tabs(Part::Pseudonyms),
            banner,
            present: uses.present.to_string(),
            keys: uses.keys.iter().map(KeyLine::of).collect(),
            to_turn: uses.to_turn(),
        }
    }
}

impl KeyLine {
    fn of(key: &KeyUse) -> Self {
        let state = match (&key.id, key.is_present) {
            (_, true) => Badge::new(Tone::Good, "In force"),
            (Some(_), false) => Badge::new(Tone::Warning, "Replaced"),
            (None, false) => Badge::new(Tone::Warning, "Not named"),
        };
        let counted = format::counted(key.links.into(), "link", "links");
        let named = key.applications.iter();
        Self {
            name: key.id.as_ref().map_or_else(|| "An agent of an early version".to_owned(), |id| short(id).to_owned()),
            state,
            since: match (&key.id, key.made_at) {
                (_, Some(at)) => format::date_time(at),
                (Some(_), None) => "the first key".to_owned(),
                (None, None) => "it does not say its key".to_owned(),
            },
            by: key.made_by.clone().unwrap_or_else(|| "–".to_owned()),
            links: if key.links >= MOST_COUNTED { format!("{counted} or more") } else { counted },
            applications: named
                .map(|application| (application.name.clone(), format!("/applications/{}", application.id)))
                .collect(),
            more: key.links as usize > key.applications.len() && !key.is_present,
        }
    }
}

fn short(id: &PseudonymKeyId) -> &str {
    &id.as_str()[..8]
}

/// `GET /administration/pseudonyms`
pub async fn show(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Query(shown): Query<Shown>,
) -> Result<Response, PageError> {
    let banner = match shown.done.as_str() {
        "replaced" => {
            let what = "Each product turns to it with its next report. Until then, people are counted apart by key.";
            Some(Banner::new(Tone::Good, "Another key is in force.", what))
        }
        _ => None,
    };
    let page = PseudonymsPage::new(&app.central.pseudonym_keys().await?, banner);
    Ok(page_of(Section::Administration, "Pseudonyms", Some(&who), page))
}

/// `POST /administration/pseudonyms`
pub async fn replace(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Form(asked): Form<Replacing>,
) -> Result<Response, PageError> {
    app.central.replace_pseudonym_key(&who.actor(), &asked.replaces).await?;
    Ok(Redirect::to("/administration/pseudonyms?done=replaced").into_response())
}
