//! The list of applications as a file, CSV or JSON: read page by page while it is sent, so that a fleet of any size
//! needs the memory of one page.

use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use seatline_web::Stream;

use super::{ApiError, asked};
use crate::api::audit::csv_cell;
use crate::api::input::Asked;
use crate::domain::FleetItem;
use crate::domain::fleet::FleetSent;
use crate::server::App;
use crate::store::PageSize;

/// In which form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Csv,
    Json,
}

/// The columns of the CSV.
const COLUMNS: &str = "application,id,product,group,tags,use,gravity,concern,message,verdict,tightest_limit,used,max,\
                       license_ends,reported_at\r\n";

/// `GET /api/v1/fleet.csv`
pub(in crate::api) async fn csv(app: State<App>, sent: Asked<FleetSent>) -> Result<Response, ApiError> {
    export(app, sent, Form::Csv).await
}

/// `GET /api/v1/fleet.json`
pub(in crate::api) async fn json(app: State<App>, sent: Asked<FleetSent>) -> Result<Response, ApiError> {
    export(app, sent, Form::Json).await
}

async fn export(State(app): State<App>, Asked(sent): Asked<FleetSent>, form: Form) -> Result<Response, ApiError> {
    let (filter, order) = asked(&sent)?;
    let size = PageSize::new(PageSize::MAX.into());
    // What is wrong is told before anything is sent.
    let mut found = app.central.store().fleet(&filter, order, None, size).await?;
    let (stream, pieces) = Stream::new();
    tokio::spawn(async move {
        let mut text = if form == Form::Csv { COLUMNS.to_owned() } else { "[".to_owned() };
        let mut between = "\n";
        loop {
            for item in &found.items {
                match form {
                    Form::Csv => text.push_str(&csv_line(item)),
                    Form::Json => {
                        text.push_str(between);
                        text.push_str(&serde_json::to_string(item).unwrap_or_default());
                        between = ",\n";
                    }
                }
            }
            if found.next.is_none() && form == Form::Json {
                text.push_str("\n]\n");
            }
            if pieces.send(std::mem::take(&mut text).into()).await.is_err() {
                return;
            }
            let Some(next) = found.next else { return pieces.end() };
            found = match app.central.store().fleet(&filter, order, Some(&next), size).await {
                Ok(found) => found,
                Err(error) => return tracing::error!("an export of the fleet broke off: {error}"),
            };
        }
    });
    let (kind, name) = match form {
        Form::Csv => ("text/csv; charset=utf-8", "applications.csv"),
        Form::Json => ("application/json", "applications.json"),
    };
    let disposition = format!("attachment; filename=\"{name}\"");
    let headers = [(header::CONTENT_TYPE, kind.to_owned()), (header::CONTENT_DISPOSITION, disposition)];
    Ok((headers, Body::from_stream(stream)).into_response())
}

/// A line of the CSV.
fn csv_line(item: &FleetItem) -> String {
    let (row, assessment) = (&item.row, &item.row.assessment);
    let (gravest, tightest) = (assessment.concerns.first(), assessment.consumption.first());
    let number = |count: Option<u64>| count.map(|count| count.to_string()).unwrap_or_default();
    let cells = [
        row.name.to_string(),
        row.application.to_string(),
        row.product.to_string(),
        row.labels.group.as_ref().map(ToString::to_string).unwrap_or_default(),
        row.labels.typed_tags(),
        row.use_().name().to_owned(),
        gravest.map(|gravest| gravest.gravity.name().to_owned()).unwrap_or_default(),
        gravest.map(|gravest| gravest.code.clone()).unwrap_or_default(),
        gravest.map(|gravest| gravest.message.clone()).unwrap_or_default(),
        assessment.verdict.map(|verdict| verdict.name().to_owned()).unwrap_or_default(),
        tightest.map(|tightest| tightest.dimension.to_string()).unwrap_or_default(),
        number(tightest.and_then(|tightest| tightest.used)),
        number(tightest.and_then(|tightest| tightest.max)),
        assessment.ends_at().map(|at| at.to_string()).unwrap_or_default(),
        item.reported_at.map(|at| at.to_string()).unwrap_or_default(),
    ];
    cells.map(|cell| csv_cell(&cell)).join(",") + "\r\n"
}
