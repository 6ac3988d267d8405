//! Several alerts that are acknowledged at once: those that were ticked in the list.

use axum::Form;
use axum::extract::{Extension, State};
use axum::response::Redirect;
use seatline_ui::{Banner, Field, Tone, format};

use super::known::{self, Span};
use crate::actions::alerts::SeveralKnown;
use crate::auth::SignedIn;
use crate::central::ActionError;
use crate::domain::alerts::MatterKey;
use crate::pages::alerts::form::Pairs;
use crate::pages::failure::PageError;
use crate::server::App;

/// What the box beside an alert sends: its application, code and subject.
pub(super) fn ticked(matter: &MatterKey) -> String {
    let MatterKey { application, code, subject } = matter;
    format!("{application} {code} {subject}")
}

fn matter(ticked: &str) -> Result<MatterKey, ActionError> {
    let wrong = || ActionError::invalid("alert", "it is none of the list: tick those that are there now");
    let mut parts = ticked.splitn(3, ' ');
    let (Some(application), Some(code)) = (parts.next(), parts.next()) else { return Err(wrong()) };
    let application = application.parse().map_err(|_| wrong())?;
    Ok(MatterKey { application, code: code.to_owned(), subject: parts.next().unwrap_or_default().to_owned() })
}

/// The fields under the list, apart from those of its rows.
pub(super) fn fields() -> [Field<'static>; 3] {
    known::fields("-several")
}

/// What is said after several were acknowledged: `several-3` or `several-3-1`, where one was not open any more.
pub(super) fn done(text: &str) -> Option<Banner> {
    let mut numbers = text.strip_prefix("several-")?.split('-').map(str::parse::<u64>);
    let (done, over) = (numbers.next()?.ok()?, numbers.next()?.ok()?);
    let title = format!("{} acknowledged.", format::counted(done, "alert", "alerts"));
    let gone = format!("{} not open any more.", format::counted(over, "was", "were"));
    let rest = "Nothing more is told of it for as long as you said.";
    Some(Banner::new(Tone::Good, title, if over == 0 { rest.to_owned() } else { format!("{rest} {gone}") }))
}

/// `POST /alerts/acknowledge-several`
pub async fn acknowledge(
    State(app): State<App>,
    Extension(who): Extension<SignedIn>,
    Form(sent): Form<Vec<(String, String)>>,
) -> Result<Redirect, PageError> {
    let sent = Pairs(sent);
    let alerts: Vec<MatterKey> = sent.all("alert").map(matter).collect::<Result<_, _>>()?;
    if alerts.is_empty() {
        return Ok(Redirect::to("/alerts?done=none-ticked"));
    }
    let span = Span { days: sent.get("days").to_owned(), until: sent.get("until").to_owned() };
    let until = span.end(app.central.now())?;
    let known = SeveralKnown { alerts, why: sent.get("why").to_owned(), until };
    let several = app.central.acknowledge_several(&who.actor(), known).await?;
    Ok(Redirect::to(&format!("/alerts?done=several-{}-{}", several.acknowledged.len(), several.not_open.len())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ticked_is_the_same_alert_and_nothing_else_is_one() {
        let application = "7baafe9c89f6a059f5328f11".parse().expect("an id");
        let plain = MatterKey { application, code: "overdue".to_owned(), subject: String::new() };
        let spaced = MatterKey { subject: "license visibility 0.2.0".to_owned(), ..plain.clone() };
        for key in [plain, spaced] {
            assert_eq!(matter(&ticked(&key)).expect("read"), key);
        }
        for bad in ["", "x", "7baafe9c89f6a059f5328f11", "no-id overdue "] {
            assert!(matter(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn what_was_done_is_said_and_an_address_cannot_say_anything_else() {
        assert!(done("several-3-0").is_some() && done("several-2-1").is_some());
        for text in ["several-", "several-3", "several-x-1", "several-<b>-1", "acknowledged"] {
            assert!(done(text).is_none(), "{text}");
        }
    }
}
