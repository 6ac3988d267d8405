//! That somebody knows of an alert: why, and for how long.

use axum::Form;
use axum::extract::{Extension, State};
use axum::response::Redirect;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use seatline_ui::{Choice, Field};
use serde::Deserialize;

use crate::actions::alerts::Known;
use crate::auth::SignedIn;
use crate::central::ActionError;
use crate::domain::alerts::MatterKey;
use crate::pages::failure::PageError;
use crate::server::App;

/// Why something is acknowledged, and for how long. `apart` tells the fields from others of the page.
pub(super) fn fields(apart: &str) -> [Field<'_>; 3] {
    let times = [
        ("", "Until it changes"),
        ("1", "For a day"),
        ("7", "For a week"),
        ("30", "For 30 days"),
        ("90", "For 90 days"),
    ];
    let choices = times.map(|(value, label)| Choice { value, label: label.to_owned() });
    [
        Field::text("why", "Why").hint("Such as: a new license is ordered. May be empty.").id(apart),
        Field::select("days", "For how long", choices.into()).id(apart),
        Field::date_time("until", "Or until a time (UTC)").hint("Whatever it comes to, at most a year.").id(apart),
    ]
}

/// Until when somebody knows of it, as a form sends it: for so many days, until a time, or neither.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Span {
    pub(super) days: String,
    pub(super) until: String,
}

impl Span {
    /// The time that it ends at; none for until the alert changes.
    ///
    /// # Errors
    /// [`ActionError::Invalid`] with the rule that is broken.
    pub(super) fn end(&self, now: Timestamp) -> Result<Option<Timestamp>, ActionError> {
        match (self.days.trim(), self.until.trim()) {
            ("", "") => Ok(None),
            (days, "") => {
                let days: Option<i64> = days.parse().ok().filter(|days| (1..=366).contains(days));
                let rule = "a number of days from 1 to 366, or nothing for until it changes";
                let days = days.ok_or_else(|| ActionError::invalid("days", rule))?;
                Ok(now.checked_add(SignedDuration::from_hours(24 * days)).ok())
            }
            ("", until) => {
                let rule = "a date and a time in UTC, such as 2026-12-24 08:00";
                let at = until.parse::<DateTime>().and_then(|at| at.to_zoned(TimeZone::UTC));
                at.map(|at| Some(at.timestamp())).map_err(|_| ActionError::invalid("until", rule))
            }
            _ => Err(ActionError::invalid("until", "choose for how long, or set a time, and not both")),
        }
    }
}

/// What the form of an acknowledgement sends.
#[derive(Debug, Deserialize)]
pub struct KnownSent {
    #[serde(flatten)]
    matter: MatterKey,
    #[serde(default)]
    why: String,
    #[serde(flatten)]
    span: Span,
}

/// `POST /alerts/acknowledge`
pub async fn acknowledge(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Form(sent): Form<KnownSent>,
) -> Result<Redirect, PageError> {
    let until = sent.span.end(app.central.now())?;
    app.central.acknowledge(&who.actor(), &Known { matter: sent.matter, why: sent.why, until }).await?;
    Ok(Redirect::to("/alerts?done=acknowledged"))
}

/// `POST /alerts/withdraw`
pub async fn withdraw(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Form(matter): Form<MatterKey>,
) -> Result<Redirect, PageError> {
    app.central.withdraw(&who.actor(), &matter).await?;
    Ok(Redirect::to("/alerts?done=withdrawn"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_as_utc_and_what_cannot_be_is_refused_with_its_rule() {
        let now: Timestamp = "2026-11-22T10:00:00Z".parse().expect("a time");
        let end = |days: &str, until: &str| Span { days: days.to_owned(), until: until.to_owned() }.end(now);
        let time = |text: &str| Some(text.parse().expect("a time"));
        assert_eq!(end("", "").expect("read"), None);
        assert_eq!(end("7", "").expect("read"), time("2026-11-29T10:00:00Z"));
        for typed in ["2026-12-24T08:00", "2026-12-24 08:00", "2026-12-24T08:00:00"] {
            assert_eq!(end("", typed).expect(typed), time("2026-12-24T08:00:00Z"));
        }
        for (days, until, words) in [
            ("0", "", "from 1 to 366"),
            ("x", "", "from 1 to 366"),
            ("", "tomorrow", "such as 2026-12-24 08:00"),
            ("", "2026-02-30T08:00", "such as 2026-12-24 08:00"),
            ("7", "2026-12-24T08:00", "not both"),
        ] {
            let error = end(days, until).expect_err("it is refused").to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
