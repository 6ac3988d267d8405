//! The whole history of an application as one file (`g8`), written as it is read.

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use jiff::{SignedDuration, Timestamp};
use seatline_protocol::LinkId;
use seatline_web::Stream;
use serde::Serialize;

use super::ApiError;
use super::input::Ids;
use crate::central::Central;
use crate::domain::history::{Last, Span, SpanLength};
use crate::server::App;
use crate::store::{MAX_SPANS, StoreError};

/// What was counted on a day in which something changed. A day that is not there is as the one before.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = HistoryLine)]
pub(super) struct Line {
    day: String,
    dimension: String,
    lowest: u64,
    highest: u64,
    last: u64,
    /// Absent: no limit.
    limit: Option<u64>,
    link: String,
}

/// The form of a file.
#[derive(Clone, Copy)]
enum Form {
    Csv,
    Json,
}

/// `GET /api/v1/applications/{application}/history.csv`
pub(super) async fn csv(State(app): State<App>, ids: Ids) -> Result<Response, ApiError> {
    file(&app, &ids, Form::Csv).await
}

/// `GET /api/v1/applications/{application}/history.json`
pub(super) async fn json(State(app): State<App>, ids: Ids) -> Result<Response, ApiError> {
    file(&app, &ids, Form::Json).await
}

async fn file(app: &App, ids: &Ids, form: Form) -> Result<Response, ApiError> {
    let application = app.central.application(&ids.one("application")?).await?;
    let links = app.central.links_in_history(&application).await?;
    let (stream, pieces) = Stream::new();
    let central = app.central.clone();
    tokio::spawn(async move {
        let mut writer = Writer { form, is_first: true };
        let begin = Bytes::from_static(writer.begin().as_bytes());
        if pieces.send(begin).await.is_err() {
            return;
        }
        for link in &links {
            let mut from = Timestamp::UNIX_EPOCH;
            loop {
                let (days, next) = match days(&central, link, from).await {
                    Ok(found) => found,
                    Err(error) => {
                        return tracing::error!("an export of a history broke off: {error}");
                    }
                };
                let text: String = days
                    .iter()
                    .flat_map(|(day, span)| lines(link, *day, span))
                    .map(|line| writer.line(&line))
                    .collect();
                if !text.is_empty() && pieces.send(text.into()).await.is_err() {
                    return;
                }
                match next {
                    Some(next) => from = next,
                    None => break,
                }
            }
        }
        if pieces.send(Bytes::from_static(writer.end().as_bytes())).await.is_ok() {
            pieces.end();
        }
    });
    let (content_type, name) = match form {
        Form::Csv => ("text/csv; charset=utf-8", "history.csv"),
        Form::Json => ("application/json", "history.json"),
    };
    let disposition = format!("attachment; filename=\"{name}\"");
    let headers = [(header::CONTENT_TYPE, content_type.to_owned()), (header::CONTENT_DISPOSITION, disposition)];
    Ok((headers, Body::from_stream(stream)).into_response())
}

/// Days, each with what was counted in it.
type Days = Vec<(Timestamp, Span)>;

/// Days from a time on, and where the next ones begin, if there may be more.
async fn days(central: &Central, link: &LinkId, from: Timestamp) -> Result<(Days, Option<Timestamp>), StoreError> {
    let mut days = central.store().spans(link, SpanLength::Day, from).await?;
    let is_full = days.len() >= MAX_SPANS as usize;
    // It begins with the day that was in force, which was written already.
    days.retain(|(day, _)| *day >= from);
    let next =
        days.last().filter(|_| is_full).and_then(|(day, _)| day.checked_add(SignedDuration::from_hours(24)).ok());
    Ok((days, next))
}

fn lines(link: &LinkId, day: Timestamp, span: &Span) -> Vec<Line> {
    let day = seatline_ui::format::day(day);
    let line = |dimension: String, [lowest, highest, last]: [u64; 3], limit| Line {
        day: day.clone(),
        dimension,
        lowest,
        highest,
        last,
        limit,
        link: link.to_string(),
    };
    let mut lines: Vec<Line> = span
        .series
        .iter()
        .map(|(dimension, of)| line(dimension.to_string(), [of.low, of.high, of.last], of.max))
        .collect();
    if let Some(Last(_, classes)) = span.classes {
        lines.extend(classes.named().map(|(class, count)| line(format!("accounts:{class}"), [count; 3], None)));
    }
    lines
}

/// What writes lines in a form. No cell needs quotes: days, numbers, and names of a few letters.
struct Writer {
    form: Form,
    is_first: bool,
}

impl Writer {
    fn begin(&self) -> &'static str {
        match self.form {
            Form::Csv => "day,dimension,lowest,highest,last,limit,link\r\n",
            Form::Json => "[",
        }
    }

    fn line(&mut self, line: &Line) -> String {
        match self.form {
            Form::Csv => {
                let limit = line.limit.map(|limit| limit.to_string()).unwrap_or_default();
                let Line { day, dimension, lowest, highest, last, link, .. } = line;
                format!("{day},{dimension},{lowest},{highest},{last},{limit},{link}\r\n")
            }
            Form::Json => {
                let between = if std::mem::take(&mut self.is_first) { "\n" } else { ",\n" };
                format!("{between}{}", serde_json::to_string(line).unwrap_or_default())
            }
        }
    }

    fn end(&self) -> &'static str {
        match self.form {
            Form::Csv => "",
            Form::Json => "\n]\n",
        }
    }
}
