//! The audit log: who changed what, when and from where, with the values before and after.

use askama::Template;
use axum::extract::{Extension, Query, State};
use axum::response::Response;
use seatline_ui::{Choice, Field, Tabs, format};
use seatline_web::address::escape;
use serde::Deserialize;
use serde_json::Value;

use super::{Part, tabs};
use crate::auth::SignedIn;
use crate::domain::audit::KINDS;
use crate::domain::{ActorKind, Entry, EntryFilter};
use crate::pages::failure::PageError;
use crate::pages::frame::{Section, page_of};
use crate::server::App;
use crate::store::{Cursor, PageSize};

/// The most characters of a value on the page; the export has all of it.
const MAX_VALUE: usize = 300;

/// The page.
#[derive(Template)]
#[template(path = "administration/audit.html")]
struct AuditPage {
    tabs: Tabs,
    wanted: Wanted,
    entries: Vec<Line>,
    more: Option<String>,
    exports: [String; 2],
}

/// An entry.
struct Line {
    at: String,
    actor: String,
    by: String,
    action: String,
    object: String,
    changes: Vec<(String, String, String)>,
}

impl Line {
    fn new(entry: Entry) -> Self {
        let means = match entry.actor_kind {
            ActorKind::Person => "signed in",
            ActorKind::Token => "by a token",
            ActorKind::CommandLine => "command line",
            ActorKind::SingleSignOn => "single sign-on",
            ActorKind::Product => "the product itself",
        };
        let changes = changes(entry.before.as_ref(), entry.after.as_ref());
        Self {
            at: format::date_time(entry.at),
            actor: entry.actor,
            by: entry.address.map_or_else(|| means.to_owned(), |address| format!("{means}, {address}")),
            action: entry.action,
            object: entry.object.name,
            changes,
        }
    }
}

/// Each field that changed, with its value before and after.
fn changes(before: Option<&Value>, after: Option<&Value>) -> Vec<(String, String, String)> {
    let fields = |value: Option<&Value>| value.and_then(Value::as_object).cloned().unwrap_or_default();
    let (before, after) = (fields(before), fields(after));
    let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
    names.sort();
    names.dedup();
    let shown = |value: Option<&Value>| match value {
        None | Some(Value::Null) => "–".to_owned(),
        Some(Value::String(text)) => seatline_protocol::text::line(text, MAX_VALUE),
        Some(value) => seatline_protocol::text::line(&value.to_string(), MAX_VALUE),
    };
    names.into_iter().map(|name| (name.clone(), shown(before.get(name)), shown(after.get(name)))).collect()
}

/// Which entries are wanted.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Wanted {
    actor: String,
    kind: String,
    object: String,
    after: Option<Cursor>,
}

impl Wanted {
    fn filter(&self) -> EntryFilter {
        let [actor, kind, object] = [&self.actor, &self.kind, &self.object].map(|text| EntryFilter::typed(text));
        EntryFilter { actor, kind, object, ..EntryFilter::default() }
    }

    fn query(&self) -> String {
        let of = |name: &str, value: &str| format!("{name}={}", escape(value.trim()));
        [of("actor", &self.actor), of("kind", &self.kind), of("object", &self.object)].join("&")
    }
}

impl AuditPage {
    fn fields(&self) -> [Field<'_>; 3] {
        let any = Choice { value: "", label: "Everything".to_owned() };
        let kinds = KINDS.map(|kind| Choice { value: kind, label: format::capitalised(&kind.replace('-', " ")) });
        [
            Field::text("actor", "Who").value(&self.wanted.actor),
            Field::select("kind", "Of what", [any].into_iter().chain(kinds).collect()).value(&self.wanted.kind),
            Field::text("object", "Id of the thing").value(&self.wanted.object),
        ]
    }

    fn is_filtered(&self) -> bool {
        self.wanted.filter() != EntryFilter::default()
    }
}

/// `GET /administration/audit`
pub async fn list(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, PageError> {
    let page = app.central.store().audit(&wanted.filter(), wanted.after.as_ref(), PageSize::default()).await?;
    let query = wanted.query();
    let page = AuditPage {
        tabs: tabs(Part::Audit),
        entries: page.items.into_iter().map(Line::new).collect(),
        more: page.next.map(|next| format!("/administration/audit?{query}&after={}", escape(next.as_str()))),
        exports: ["csv", "json"].map(|form| format!("/api/v1/audit.{form}?{query}")),
        wanted,
    };
    Ok(page_of(Section::Administration, "Audit log", Some(&who), page))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn g11_an_entry_shows_each_field_before_and_after() {
        let (before, after) = (json!({"role": "viewer", "old": null}), json!({"role": "operator", "limits": {"n": 1}}));
        let line = |name: &str, before: &str, after: &str| (name.to_owned(), before.to_owned(), after.to_owned());
        let expected = [line("limits", "–", r#"{"n":1}"#), line("old", "–", "–"), line("role", "viewer", "operator")];
        assert_eq!(changes(Some(&before), Some(&after)), expected);
        assert_eq!(changes(None, None), []);
    }
}
