//! An application as a row of a table.

use jiff::Timestamp;
use seatline_protocol::Dimension;
use seatline_ui::{Badge, Gauge, Prose, Tone, When, format, words};

use super::words as own;
use crate::domain::FleetItem;
use crate::domain::assessment::Consumption;
use crate::domain::labels::Tag;

/// A row.
pub struct Row {
    pub name: String,
    pub href: String,
    pub product: String,
    pub group: Option<String>,
    pub tags: Vec<String>,
    /// Whether it is a staging instance, which no total of production counts (`s3`).
    pub staging: bool,
    /// The verdict, where nothing calls for attention.
    pub verdict: Option<Badge>,
    /// The tightest limit.
    pub gauge: Option<Gauge>,
    pub ends: Option<String>,
    pub last: Option<When>,
    /// The gravest concern: tone, title, and a line of explanation.
    pub concern: Option<(Tone, String, Prose)>,
    pub more_concerns: String,
}

impl Row {
    /// The row of an application.
    pub fn of(item: &FleetItem, now: Timestamp) -> Self {
        let (row, assessment) = (&item.row, &item.row.assessment);
        let more = assessment.concerns.len().saturating_sub(1) as u64;
        Self {
            name: row.name.to_string(),
            href: format!("/applications/{}/licenses", row.application),
            product: row.product.to_string(),
            group: row.labels.group.as_ref().map(ToString::to_string),
            tags: row.labels.tags.iter().map(Tag::to_string).collect(),
            staging: assessment.staging,
            verdict: assessment.concerns.is_empty().then(|| words::verdict(assessment.verdict)),
            gauge: gauge(&assessment.consumption),
            ends: assessment.ends_at().map(format::day),
            last: item.reported_at.map(|at| When { at, now }),
            concern: assessment.concerns.first().map(|gravest| {
                let tone = own::tone(Some(gravest.gravity));
                (tone, own::concern(gravest), Prose::sentence(&gravest.message))
            }),
            more_concerns: match more {
                0 => String::new(),
                more => format!("And {}.", format::counted(more, "more", "more")),
            },
        }
    }
}

/// The gauge of the tightest limit; of the users where there is none.
fn gauge(consumption: &[Consumption]) -> Option<Gauge> {
    let users = Dimension::users();
    let shown = consumption
        .iter()
        .find(|one| one.share().is_some())
        .or_else(|| consumption.iter().find(|one| one.dimension == users && one.used.is_some()))?;
    let unit = match &shown.add_on {
        Some(add_on) => format!("{} of {add_on}", shown.dimension),
        None => shown.dimension.to_string(),
    };
    let gauge = Gauge::new(unit, shown.used?, shown.max, words::level(shown.state));
    Some(gauge.extra(shown.extra).small())
}
