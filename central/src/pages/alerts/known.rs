//! That somebody knows of an alert: why, and for how long.

use axum::Form;
use axum::extract::{Extension, Query, State};
use axum::response::Response;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use seatline_ui::{Banner, Choice, Field, Prose, Tone};
use serde::Deserialize;

use super::form::Pairs;
use super::list::{self, Sent};
use crate::actions::alerts::Known;
use crate::auth::SignedIn;
use crate::central::ActionError;
use crate::domain::alerts::MatterKey;
use crate::pages::failure::{Broken, PageError};
use crate::server::App;

/// Why something is acknowledged, and for how long, as a form says it: for so many days, until a time, or neither.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Said {
    why: String,
    days: String,
    until: String,
}

impl Said {
    /// What a form has sent.
    pub(super) fn of(sent: &Pairs) -> Self {
        let [why, days, until] = ["why", "days", "until"].map(|name| sent.get(name).to_owned());
        Self { why, days, until }
    }

    /// The fields of its form. `apart` tells them from others of the page; `broken` is the rule that one of them breaks.
    pub(super) fn fields<'f>(&'f self, apart: &'f str, broken: Option<&'f Broken>) -> [Field<'f>; 3] {
        let error = |name| broken.filter(|(at, _)| *at == name).map(|(_, rule)| rule.as_str());
        let times = [
            ("", "Until it changes"),
            ("1", "For a day"),
            ("7", "For a week"),
            ("30", "For 30 days"),
            ("90", "For 90 days"),
        ];
        let choices = times.map(|(value, label)| Choice { value, label: label.to_owned() });
        [
            Field::text("why", "Why")
                .hint("Such as: a new license is ordered. May be empty.")
                .value(&self.why)
                .error(error("why")),
            Field::select("days", "For how long", choices.into())
                .hint("For days: whatever it comes to.")
                .value(&self.days)
                .error(error("days")),
            Field::date_time("until", "Or until a time (UTC)")
                .hint("Also whatever it comes to, within a year.")
                .value(&self.until)
                .error(error("until")),
        ]
        .map(|field| field.id(apart))
    }

    /// Why it is acknowledged.
    pub(super) fn why(&self) -> &str {
        &self.why
    }

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

/// An acknowledgement that was not taken: what it is of, what its form says, and the rule that it breaks. The list shows
/// the form again, as it was sent.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) alerts: Vec<MatterKey>,
    /// Whether it is that of the alerts that were ticked.
    pub(super) several: bool,
    pub(super) said: Said,
    pub(super) broken: Broken,
}

impl Refused {
    /// That of an error, if a rule is broken.
    ///
    /// # Errors
    /// What else was in the way.
    pub(super) fn new(
        error: ActionError,
        said: Said,
        alerts: Vec<MatterKey>,
        several: bool,
    ) -> Result<Self, ActionError> {
        match error {
            ActionError::Invalid { field, reason } => Ok(Self { alerts, several, said, broken: (field, reason) }),
            error => Err(error),
        }
    }

    /// What is said of it above the list.
    pub(super) fn banner(&self) -> Banner {
        Banner::new(Tone::Warning, "Nothing was acknowledged.", Prose::sentence(&self.broken.1))
    }
}

/// What the form of an acknowledgement sends.
#[derive(Debug, Deserialize)]
pub struct KnownSent {
    #[serde(flatten)]
    matter: MatterKey,
    #[serde(flatten)]
    said: Said,
}

/// `POST /alerts/acknowledge`, with the filter of the list that it stands in
pub async fn acknowledge(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Query(list): Query<Sent>,
    Form(KnownSent { matter, said }): Form<KnownSent>,
) -> Result<Response, PageError> {
    let done = async {
        let known = Known { matter: matter.clone(), why: said.why.clone(), until: said.end(app.central.now())? };
        app.central.acknowledge(&who.actor(), &known).await
    };
    match done.await {
        Ok(_) => Ok(list.after("acknowledged")),
        Err(error) => list::refused(&app, &who, list, Refused::new(error, said, vec![matter], false)?).await,
    }
}

/// `POST /alerts/withdraw`, with the filter of the list that it stands in
pub async fn withdraw(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Query(list): Query<Sent>,
    Form(matter): Form<MatterKey>,
) -> Result<Response, PageError> {
    app.central.withdraw(&who.actor(), &matter).await?;
    Ok(list.after("withdrawn"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_as_utc_and_what_cannot_be_is_refused_with_its_rule() {
        let now: Timestamp = "2026-11-22T10:00:00Z".parse().expect("a time");
        let said = |days: &str, until: &str| Said { days: days.to_owned(), until: until.to_owned(), ..Said::default() };
        let end = |days: &str, until: &str| said(days, until).end(now);
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
