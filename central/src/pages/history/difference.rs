//! The difference of two reports as a page (`b7`).

use askama::Template;
use seatline_protocol::Sequence;
use seatline_ui::{Choice, Field, format, words};

use crate::domain::ReportRow;
use crate::domain::history::{Change, Difference, LicenseFacts};

/// What changed from one report to another.
#[derive(Template)]
#[template(path = "difference.html")]
pub struct DifferencePage {
    path: String,
    before: String,
    after: String,
    /// Whether no report is stored before it.
    is_first: bool,
    classes: Vec<Line>,
    dimensions: Vec<Line>,
    licenses: Vec<(&'static str, String)>,
    freed: Option<String>,
    /// The reports that can be chosen: their numbers, and what people read.
    reports: Vec<(String, String)>,
    chosen: (String, String),
}

/// A row: before, after, and the change.
struct Line {
    name: String,
    before: String,
    after: String,
    change: String,
    is_part: bool,
}

impl DifferencePage {
    /// The page of a difference of reports of the application at `path`, beside the `reports` that can be chosen.
    pub fn new(difference: &Difference, reports: &[ReportRow], path: String) -> Self {
        let choice = |sequence: Sequence, at| (sequence.to_string(), format!("{sequence} – {}", format::date_time(at)));
        let mut choices: Vec<_> = reports.iter().map(|report| choice(report.sequence, report.observed_at)).collect();
        for side in [&difference.after, &difference.before] {
            let one = choice(side.sequence, side.observed_at);
            if !choices.contains(&one) {
                choices.push(one);
            }
        }
        let name = |sequence, at| format!("Report {sequence}, observed {}", format::date_time(at));
        let (before, after) = (&difference.before, &difference.after);
        let classes = difference.classes.iter().map(|class| {
            let mut line = Line::of(class_words(class.class).to_owned(), class.accounts, "not counted");
            line.is_part = class.class == "dormant";
            line
        });
        let dimensions = difference.dimensions.iter().flat_map(|dimension| {
            let title = words::dimension(&dimension.dimension);
            let limit = (dimension.limit.before.or(dimension.limit.after).is_some())
                .then(|| Line::of(format!("Limit of {}", dimension.dimension), dimension.limit, "no limit"));
            std::iter::once(Line::of(title, dimension.used, "not counted")).chain(limit)
        });
        Self {
            before: name(before.sequence, before.observed_at),
            after: name(after.sequence, after.observed_at),
            is_first: false,
            classes: classes.collect(),
            dimensions: dimensions.collect(),
            licenses: licenses(difference),
            freed: difference.seats_that_could_be_freed.filter(|seats| *seats > 0).map(|seats| {
                let they = if seats == 1 { "It is" } else { "They are" };
                format!(
                    "{} could be freed: nobody has signed in with them for as long as the link's dormancy days say. {they} counted like any other.",
                    format::counted(seats, "seat", "seats"),
                )
            }),
            chosen: (before.sequence.to_string(), after.sequence.to_string()),
            reports: choices,
            path,
        }
    }

    /// As the page of a report that is the first, if it is: it is held against nothing.
    pub fn of_first(self, is_first: bool) -> Self {
        Self { is_first, ..self }
    }

    fn fields(&self) -> [Field<'_>; 2] {
        let choices = || self.reports.iter().map(|(value, label)| Choice { value, label: label.clone() }).collect();
        [
            Field::select("from", "From report", choices()).value(&self.chosen.0),
            Field::select("to", "To report", choices()).value(&self.chosen.1),
        ]
    }
}

impl askama::filters::HtmlSafe for DifferencePage {}

impl Line {
    fn of(name: String, Change { before, after }: Change, nothing: &str) -> Self {
        let words = |count: Option<u64>| count.map_or_else(|| nothing.to_owned(), format::number);
        let change = match before.zip(after) {
            Some((before, after)) if after > before => format!("+{}", format::number(after - before)),
            Some((before, after)) if after < before => format!("−{}", format::number(before - after)),
            Some(_) => "0".to_owned(),
            None => "–".to_owned(),
        };
        Self { name, before: words(before), after: words(after), change, is_part: false }
    }
}

fn class_words(class: &str) -> &'static str {
    match class {
        "counted" => "Counted",
        "dormant" => "of these dormant",
        "never_signed_in" => "Never signed in",
        "no_access" => "No access",
        "deactivated" => "Deactivated",
        "service_accounts" => "Service accounts",
        _ => "All accounts",
    }
}

fn licenses(difference: &Difference) -> Vec<(&'static str, String)> {
    let named = |license: &LicenseFacts| match &license.edition {
        Some(edition) => format!("{} ({edition}), {}", license.id, status(license)),
        None => format!("{}, {}", license.id, status(license)),
    };
    let gained = difference.licenses_gained.iter().map(|license| ("Gained", named(license)));
    let lost = difference.licenses_lost.iter().map(|license| ("Lost", named(license)));
    let changed = difference
        .licenses_changed
        .iter()
        .map(|(before, after)| ("Changed", format!("{}, before: {}", named(after), status(before))));
    gained.chain(lost).chain(changed).collect()
}

fn status(license: &LicenseFacts) -> String {
    words::status_text(license.status).to_lowercase()
}
