//! The audit log over the API: in pages, and as a whole in one file (`g11`).

use axum::Json;
use axum::body::Body;
use axum::extract::{FromRequestParts, State};
use axum::http::header;
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use seatline_web::Stream;
use serde::Deserialize;
use serde_json::Value;

use super::ApiError;
use super::input::{Asked, Paging};
use crate::central::Central;
use crate::domain::audit::KINDS;
use crate::domain::{Entry, EntryFilter};
use crate::server::App;
use crate::store::{Page, PageSize, StoreError};

/// Which entries are wanted, as the address says it. What is empty is not asked for, as a form sends it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Wanted {
    actor: String,
    kind: String,
    object: String,
    from: Option<Timestamp>,
    until: Option<Timestamp>,
}

/// Which entries are wanted, checked.
pub(super) struct Filter(EntryFilter);

impl<S: Send + Sync> FromRequestParts<S> for Filter {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Asked(wanted) = Asked::<Wanted>::from_request_parts(parts, state).await?;
        let [actor, kind, object] = [&wanted.actor, &wanted.kind, &wanted.object].map(|text| EntryFilter::typed(text));
        if let Some(unknown) = kind.as_deref().filter(|kind| !KINDS.contains(kind)) {
            let message = format!("no entry is about a `{unknown}`: the kinds are {}", KINDS.join(", "));
            return Err(ApiError::invalid(message));
        }
        Ok(Self(EntryFilter { actor, kind, object, from: wanted.from, until: wanted.until }))
    }
}

/// `GET /api/v1/audit`
pub(super) async fn list(
    State(app): State<App>,
    Filter(filter): Filter,
    paging: Paging,
) -> Result<Json<Page<Entry>>, ApiError> {
    Ok(Json(app.central.store().audit(&filter, paging.after.as_ref(), paging.size).await?))
}

/// `GET /api/v1/audit.json`: all entries, as one list.
pub(super) async fn json(State(app): State<App>, Filter(filter): Filter) -> Response {
    let form = Form { content_type: "application/json", name: "audit.json", head: "[", between: ",\n", tail: "]\n" };
    file(&app, filter, form, |entry| serde_json::to_string(entry).unwrap_or_default())
}

/// `GET /api/v1/audit.csv`: all entries, one on each line.
pub(super) async fn csv(State(app): State<App>, Filter(filter): Filter) -> Response {
    const HEAD: &str = "id,at,actor_kind,actor,token,address,action,object_kind,object_id,object_name,before,after\r\n";
    let form = Form { content_type: "text/csv; charset=utf-8", name: "audit.csv", head: HEAD, between: "", tail: "" };
    file(&app, filter, form, csv_line)
}

fn csv_line(entry: &Entry) -> String {
    let value = |value: &Option<Value>| value.as_ref().map(Value::to_string).unwrap_or_default();
    let cells = [
        entry.id.to_string(),
        entry.at.to_string(),
        entry.actor_kind.name().to_owned(),
        entry.actor.clone(),
        entry.token.as_ref().map(ToString::to_string).unwrap_or_default(),
        entry.address.map(|address| address.to_string()).unwrap_or_default(),
        entry.action.clone(),
        entry.object.kind.clone(),
        entry.object.id.clone(),
        entry.object.name.clone(),
        value(&entry.before),
        value(&entry.after),
    ];
    cells.map(|cell| csv_cell(&cell)).join(",") + "\r\n"
}

/// A text as a cell (RFC 4180). A spreadsheet takes what begins with some signs for a formula, and names come from
/// outside: a `'` before them makes them text.
pub(super) fn csv_cell(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

/// What a file is made of beside its lines.
struct Form {
    content_type: &'static str,
    name: &'static str,
    head: &'static str,
    between: &'static str,
    tail: &'static str,
}

/// A file of all entries, written page by page: its size is nobody's memory.
fn file(
    app: &App,
    filter: EntryFilter,
    form: Form,
    line: impl Fn(&Entry) -> String + Send + Sync + 'static,
) -> Response {
    let (stream, lines) = Stream::new();
    let central = app.central.clone();
    tokio::spawn(async move {
        let mut text = form.head.to_owned();
        let (mut after, mut between) = (None, "");
        loop {
            let page = match next(&central, &filter, after.as_ref()).await {
                Ok(page) => page,
                Err(error) => return tracing::error!("an export of the audit log broke off: {error}"),
            };
            for entry in &page.items {
                text.push_str(between);
                text.push_str(&line(entry));
                between = form.between;
            }
            after = page.next;
            if after.is_none() {
                text.push_str(form.tail);
            }
            if lines.send(std::mem::take(&mut text).into()).await.is_err() {
                return;
            }
            if after.is_none() {
                return lines.end();
            }
        }
    });
    let disposition = format!("attachment; filename=\"{}\"", form.name);
    let headers = [(header::CONTENT_TYPE, form.content_type.to_owned()), (header::CONTENT_DISPOSITION, disposition)];
    (headers, Body::from_stream(stream)).into_response()
}

async fn next(
    central: &Central,
    filter: &EntryFilter,
    after: Option<&crate::store::Cursor>,
) -> Result<Page<Entry>, StoreError> {
    central.store().audit(filter, after, PageSize::new(PageSize::MAX.into())).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_or_breaks_out_of_its_place() {
        assert_eq!(csv_cell("plain"), "plain");
        assert_eq!(csv_cell("a,b\"c\n"), "\"a,b\"\"c\n\"");
        assert_eq!(csv_cell("=HYPERLINK(\"http://evil\")"), "\"'=HYPERLINK(\"\"http://evil\"\")\"");
        for sign in ["+1", "-1", "@x", "\tx"] {
            assert!(csv_cell(sign).trim_start_matches('"').starts_with('\''), "{sign}");
        }
    }
}
